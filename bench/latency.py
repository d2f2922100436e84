"""How long a callback waits for its 200, counted from its scheduled time.

`make bench-latency` runs it and saves the figures. Arrivals are independent of each other and of the responses, at
shares of the server's capacity, measured just before.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from app import process
from bench.figures import aligned
from bench.kafka import far_kafka, kafka, scratch
from bench.latency_figures import latency_table, load, memory
from bench.machine import Cores, available, circumstances, share
from bench.readme_tables import keep
from bench.service import IN_FLIGHT, Subject, Void, subject

SHARES: Final = (0.25, 0.5, 0.8)
ROUND_TRIPS_MS: Final = (0, 5)  # to three nodes: on this machine, and with a simulated network
NEAR: Final = "one node"
FAR: Final = "three nodes, RF 3, {} ms away"


async def scenario(name: str, smsbus: Subject, seconds: float) -> dict[str, Any]:
    """Measure its capacity, and then how long callbacks wait at shares of it."""
    capacity = await smsbus.closed(IN_FLIGHT, 5.0)
    loads = [load(share, capacity * share, *await smsbus.open(capacity * share, seconds)) for share in SHARES]
    return {"name": name, "capacity": capacity, "loads": [asdict(each) for each in loads]}


async def near(directory: Path, cores: Cores, seconds: float) -> dict[str, Any]:
    async with kafka(directory, cores.brokers) as brokers:
        with subject(brokers, directory, cores) as smsbus:
            await smsbus.warm()
            accepted, before = smsbus.accepted, smsbus.server.memory_mib()
            waits = await scenario(NEAR, smsbus, seconds)
            grown = {
                "before_mib": before,
                "after_mib": smsbus.server.memory_mib(),
                "accepted": smsbus.accepted - accepted,
            }
            return {"scenarios": [waits], "memory": grown}


async def far(directory: Path, cores: Cores, seconds: float, round_trip_ms: int) -> dict[str, Any]:
    async with far_kafka(directory, cores.brokers, round_trip_ms) as brokers:
        with subject(brokers, directory, cores) as smsbus:
            await smsbus.warm()
            return await scenario(FAR.format(round_trip_ms), smsbus, seconds)


async def run(seconds: float, cores: Cores) -> dict[str, Any]:
    """Measure all of it, on three Kafkas one after the other."""
    with scratch() as directory:
        found = await near(directory, cores, seconds)
    for round_trip_ms in ROUND_TRIPS_MS:
        with scratch() as directory:
            found["scenarios"].append(await far(directory, cores, seconds, round_trip_ms))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _asked(arguments)
    pinned = share(available())
    run_of = circumstances(pinned)
    try:
        found = process.run(run(asked.seconds, pinned))
    except Void as void:
        print(f"void: {void}", file=sys.stderr)
        return 1
    print(aligned(latency_table(found)), memory(found), sep="\n\n")
    if asked.keep:
        keep("latency", {"run": run_of, **found})
    return 0


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.latency", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of arrivals at each load")
    parser.add_argument("--keep", action="store_true", help="save as the figures of bench/README.md")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
