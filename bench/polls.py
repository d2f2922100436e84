"""The cost of a poll next to a bare aiohttp client, of a scheduled poll, and of a commit. See README.md.

`make bench-polls` runs it and saves the figures; `python -m bench.polls --without-kafka` measures the polls alone.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from app import process
from bench.commits import news
from bench.figures import aligned
from bench.kafka import kafka, scratch
from bench.machine import ROOT, Cores, available, circumstances, on, share
from bench.poll_clients import A_SECOND, IN_FLIGHT, POLLS, Measured, Turn, account, bare, in_flight, ours, paced, take
from bench.poller_harness import watches, watching
from bench.polls_figures import commits_table, looks_table, news_table, polls_table
from bench.readme_tables import keep
from bench.server import Command, free_port, server
from pollers.settings import PollersSettings

WATCHED: Final = 2000
# Each watch would be due every 1.6 to 2 s: twice what the budget allows, so that all intervals are stretched.
LOOKS: Final = PollersSettings(min_interval=1.0, max_interval=2.0, max_concurrent_polls=IN_FLIGHT)
FIRST_LOOKS: Final = 1.5 * WATCHED / A_SECOND  # seconds; the first poll of a watch changes its state
AGAIN: Final = "bare aiohttp again"
NOBODY: Final = "nobody is asked"


async def nobody(seconds: float) -> int:
    """Send nothing, and count as many responses as there would have been."""
    await asyncio.sleep(seconds)
    return int(seconds * A_SECOND)


async def polls(root: str, rounds: int, seconds: float) -> dict[str, Any]:
    """Measure each poll next to a bare client with the same requests, and the first bare client once more."""
    async with AsyncExitStack() as stack:
        turns: dict[str, Turn] = {}
        for poll in POLLS:
            turns[f"bare {poll.name}"] = in_flight(await bare(root, poll, stack))
            turns[poll.name] = in_flight(await ours(root, poll, stack))
        turns[AGAIN] = in_flight(await bare(root, POLLS[0], stack))
        measured = await take(turns, rounds, seconds)
    pairs = {poll.name: {"bare": measured[f"bare {poll.name}"], "ours": measured[poll.name]} for poll in POLLS}
    return pairs | {AGAIN: {"bare": measured[f"bare {POLLS[0].name}"], "ours": measured[AGAIN]}}


async def looks(root: str, bootstrap_servers: str, directory: Path, rounds: int, seconds: float) -> Measured:
    """Measure polls at a fixed rate, and scheduled polls including schedule, wheel and budget."""
    poll = POLLS[0]
    async with AsyncExitStack() as stack:
        asked = await account("looks", poll.base_url(root), poll, stack)
        service = await stack.enter_async_context(
            watching(bootstrap_servers, directory, asked, watches("looks", WATCHED), LOOKS)
        )
        turns = {
            "bare aiohttp": paced(await bare(root, poll, stack)),
            "our poll": paced(await ours(root, poll, stack)),
            "a whole look": service.turn(),
            "a whole look but the poll": service.quiet_turn(),
            AGAIN: paced(await bare(root, poll, stack)),
            NOBODY: Turn(nobody),
        }
        await service.turn().go(FIRST_LOOKS)
        process.tune_gc()
        return await take(turns, rounds, seconds)


@contextmanager
def provider(directory: Path, cores: Cores) -> Iterator[str]:
    """Run a provider on the load's core; yield its root URL."""
    port = free_port()
    command = Command([sys.executable, str(ROOT / "bench" / "provider.py"), str(port)])
    with server(command, port, cores.load, directory / "provider.log"):
        yield f"http://127.0.0.1:{port}"


async def run(rounds: int, seconds: float, cores: Cores, *, with_kafka: bool) -> dict[str, Any]:
    """Measure all of it, or the polls alone."""
    process.tune_gc()
    with scratch() as directory, on(cores.server), provider(directory, cores) as root:
        found: dict[str, Any] = {"polls": await polls(root, rounds, seconds)}
        if with_kafka:
            async with kafka(directory, cores.brokers) as brokers:
                found["looks"] = await looks(root, brokers.address, directory, rounds, seconds)
                found |= await news(root, brokers.address, directory, rounds, 2 * seconds)
        return found


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _asked(arguments)
    pinned = share(available())
    run_of = circumstances(pinned)
    found = process.run(run(asked.rounds, asked.seconds, pinned, with_kafka=not asked.without_kafka))
    tables = [polls_table] if asked.without_kafka else [polls_table, looks_table, news_table, commits_table]
    print(*(aligned(table(found)) for table in tables), sep="\n\n")
    if asked.keep and not asked.without_kafka:
        keep("polls", {"run": run_of, "pace": A_SECOND, "in_flight": IN_FLIGHT, **found})
    return 0


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.polls", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="after one for warming up")
    parser.add_argument("--seconds", type=float, default=1.0, help="per turn")
    parser.add_argument("--without-kafka", action="store_true", help="measure polls only")
    parser.add_argument("--keep", action="store_true", help="save as the figures of bench/README.md")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
