"""CPU of a server per callback, next to a floor and its peers. See README.md in this folder.

`make bench` runs all of it and saves the figures; `python -m bench.cpu --only smsbus --rounds 2` a part of it.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

from app import process
from bench.contenders import AGAIN, FLOOR, NOTHING, OURS, Contender, Place, contenders
from bench.figures import Row, aligned, document, table
from bench.interleave import Turns, start
from bench.kafka import Log, kafka, scratch
from bench.machine import Cores, available, circumstances, on, share
from bench.readme_tables import keep
from bench.server import free_port

CONNECTIONS: Final = (32, 128, 1000)
INDISPENSABLE: Final = (FLOOR, OURS, AGAIN)  # without them a run has no meaning


async def run(
    chosen: Sequence[Contender], rounds: int, seconds: float, cores: Cores, connections: Sequence[int] = CONNECTIONS
) -> list[Row]:
    """Run them in turns on a separate Kafka, and return their rows."""
    with scratch() as directory:
        async with kafka(directory, cores.brokers) as brokers:
            with ExitStack() as stack, on(cores.load):
                runners = [
                    runner
                    for contender in chosen
                    for runner in start(contender, Place(free_port(), brokers.address, directory), cores, stack)
                ]
                await Turns(Log(brokers.direct)).take(runners, rounds, seconds, connections)
                return [runner.row for runner in runners]


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _asked(arguments)
    chosen = [each for each in contenders() if not asked.only or each.work == NOTHING or each.name in asked.only]
    pinned = share(available())
    found = circumstances(pinned)
    rows = process.run(run(chosen, asked.rounds, asked.seconds, pinned))
    print(aligned(table(rows)))
    if not all(row.good for row in rows if row.name in INDISPENSABLE):
        return 1
    if asked.keep:
        keep("cpu", document(rows, found))
    return 0


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.cpu", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="after one for warming up")
    parser.add_argument("--seconds", type=float, default=2.0, help="of load per turn")
    names = [each.name for each in contenders() if each.work != NOTHING]
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        choices=names,
        help=f"run this one next to the floor; repeatable: {names}",
    )
    parser.add_argument("--keep", action="store_true", help="save as the figures of bench/README.md")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
