"""What is between us and our files: reads that fail, a flipped bit, a full disk while Kafka is slow, no descriptors."""

import asyncio
import itertools
import resource
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path

from tests.faults import degraded_signals, tools
from tests.faults.cases.damage import drained_by_hand, left_by
from tests.faults.cases.machine import UNWRITABLE, OnSmallDisks, accepts_again, kafka_silent, lacks_tools, posts
from tests.faults.degraded_signals import Sign
from tests.faults.load import number_of
from tests.faults.process import Part
from tests.faults.stage import Stage

SLOW_SECONDS = 0.2  # each way: longer than a lane waits before it spills
TURNS_SECONDS, FAILS_SECONDS, WORKS_SECONDS = 60.0, 1.0, 2.0
LONG_FROM, LONG_AT_ONCE, LONG_EACH, LONG_TEXT = 10_000, 40, 12, 16 * 1024  # twice what SQLite keeps of each journal
ADOPTED_SECONDS = 60
FULL_SECONDS, NO_FILES_SECONDS = 40.0, 30.0
RESETS_EVERY_SECONDS = 3.0
STRANGERS = 20  # connections that come while there is no descriptor for them
INDEX_LEAF, TOPIC = 0x0A, b"sms.received.v1"
FULL = Sign(UNWRITABLE)


async def journal_read_fails(stage: Stage) -> None:
    """Again and again Kafka is away for a moment, then slow, and no journal can be read when there is most to read."""
    if lacks_tools(stage):
        return
    logs = stage.directory / "reads"
    logs.mkdir()
    began, turns = time.time(), itertools.count()
    async with stage.fault("reads of the journal fail"):
        while time.time() < began + _seconds_of_turns(stage):
            await _one_turn(stage, logs, next(turns))
        for proxy in stage.kafka.proxies:
            proxy.heal()
        await accepts_again(stage)
    failed = sum(log.read_text().count(tools.INJECTED) for log in logs.iterdir())
    stage.met("reads failed", failed)
    for receiver in stage.receivers:
        stage.met(f"{receiver.name} noticed", receiver.replica.said(UNWRITABLE))


def _seconds_of_turns(stage: Stage) -> float:
    """Return how long reads fail: for up to twice as long as in a whole run, until each receiver has noticed."""
    have_noticed = all(receiver.replica.said(UNWRITABLE) for receiver in stage.receivers)
    return TURNS_SECONDS * (stage.scale if have_noticed else 2.0)


async def index_flipped(stage: Stage) -> None:
    """A receiver dies while Kafka is away, a bit in its journal's index flips, and its sibling finds the journal.

    Every row is published. Where the file is quarantined instead, a person makes its index anew and drains it.
    """
    first, second = stage.receivers[:2]
    first.settings["BUS__ORPHAN_SCAN_INTERVAL"] = "1"
    with kafka_silent(stage):
        await first.kill()
        await first.start()
        journal = await left_by(stage, second)
        flip_in_index(stage, journal)
        left = first.installation.journal_dir / journal.parent.name
        shutil.move(journal.parent, left)
        await second.start()
        await _found(first, left)
    aside = left.with_name(f"{left.name}.damaged")
    if aside.exists():
        await _mended_by_hand(stage, aside)


class FullAndSlow(OnSmallDisks):
    """The receivers' disks are full while Kafka is slow: what is in time for it is accepted, and nothing else.

    A journal may go on within the space that it has already; a receiver that refuses says why.
    """

    async def run(self, stage: Stage) -> None:
        began = time.time()
        async with stage.fault("disk full, Kafka slow"), _slow(stage):
            for disk in self._disks.values():
                disk.fill()
            await stage.sleep(FULL_SECONDS)
            refusing = {post.receiver for post in posts(stage, 503, began)}
            await degraded_signals.appear(
                stage, FULL, *(each for each in self._disks if each.label in refusing), since=began
            )
            stage.met("a journal could not be written", any(each.replica.said(UNWRITABLE) for each in self._disks))
            answered, refused = len(posts(stage, 200, began)), len(posts(stage, 503, began))
            for receiver, disk in self._disks.items():
                disk.make_room(receiver.replica)
            await accepts_again(stage)
        if refused > answered:
            stage.wrong(f"{refused} callbacks were refused though Kafka was there, and {answered} accepted")


async def look_often(stage: Stage) -> None:
    """Let receivers look for the journals of the dead every second."""
    for receiver in stage.receivers:
        receiver.settings["BUS__ORPHAN_SCAN_INTERVAL"] = "1"


async def files_used_up(stage: Stage) -> None:
    """No process may open another file or connection for a while, and its connections to Kafka are reset meanwhile.

    Afterwards everything goes on, and who looks for the journals of the dead still does.
    """
    began = time.time()
    async with stage.fault("no descriptor is left", *stage.receivers):
        with _no_descriptors(stage.parts):
            await _strangers(stage.receivers)
            until = time.monotonic() + NO_FILES_SECONDS * stage.scale
            while time.monotonic() < until:
                for proxy in stage.kafka.proxies:
                    proxy.reset()
                await asyncio.sleep(RESETS_EVERY_SECONDS)
            # One look that is late costs a part its admin connection, and it cannot get another.
            waited = [each.rows for each in stage.samples.rounds if each.at >= began]
            stage.met("SMS waited in journals", max(waited, default=0.0))
            answered = {post.receiver for post in posts(stage, 200, began)}
            stage.met("those who were connected were answered", len(answered) == len(stage.receivers))
        await accepts_again(stage)
    first, second = stage.receivers[:2]
    with kafka_silent(stage):
        journal = await left_by(stage, second)
        left = first.installation.journal_dir / journal.parent.name
        shutil.move(journal.parent, left)
        await second.start()
        await _found(first, left)
    await degraded_signals.disappear(stage, Sign("journal_directory_unreadable"), *stage.parts, seconds=ADOPTED_SECONDS)
    await stage.all_shards_owned()


async def _one_turn(stage: Stage, logs: Path, turn: int) -> None:
    async with AsyncExitStack() as reads:
        with kafka_silent(stage):
            senders = range(turn * LONG_AT_ONCE, (turn + 1) * LONG_AT_ONCE)
            await asyncio.gather(*(_long_sms(stage, LONG_FROM + sender) for sender in senders))
            await reads.enter_async_context(_reads_fail(stage, logs))
        for proxy in stage.kafka.proxies:
            proxy.delay(SLOW_SECONDS)
        await asyncio.sleep(FAILS_SECONDS)
    await asyncio.sleep(WORKS_SECONDS)


async def _long_sms(stage: Stage, sender: int) -> None:
    """Give the journals more than SQLite keeps in memory, so that what it reads it reads from the disk."""
    for index in range(LONG_EACH):
        receiver = stage.receivers[sender % len(stage.receivers)]
        await stage.callbacks.deliver(receiver, number_of(sender), index, "x" * LONG_TEXT)


@asynccontextmanager
async def _slow(stage: Stage) -> AsyncIterator[None]:
    for proxy in stage.kafka.proxies:
        proxy.delay(SLOW_SECONDS)
    try:
        yield
    finally:
        for proxy in stage.kafka.proxies:
            proxy.heal()


@asynccontextmanager
async def _reads_fail(stage: Stage, logs: Path) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for part in stage.receivers:
            log = logs / f"{part.name}-{time.monotonic_ns()}"
            await stack.enter_async_context(tools.injected(part.replica.process.pid, tools.READS_FAIL, log))
        yield


def flip_in_index(stage: Stage, journal: Path) -> None:
    """Flip one bit in a page of the index by lane: in the topic of an entry, which then is another topic's."""
    with closing(sqlite3.connect(journal)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [(size,)] = database.execute("PRAGMA page_size")
    content = journal.read_bytes()
    leaves = [at for at in range(size, len(content), size) if content[at] == INDEX_LEAF]
    places = [at for at in (content.find(TOPIC, leaf, leaf + size) for leaf in leaves) if at >= 0]
    for place in stage.rng.sample(places, len(places)):
        flipped = bytearray(content)
        flipped[place + stage.rng.randrange(len(TOPIC))] ^= 1 << stage.rng.randrange(7)
        journal.write_bytes(flipped)
        if not _is_sound(journal):  # else what is flipped is a rest that no entry has any longer
            return
    stage.met("the index has an entry that is flipped", condition=False)


def _is_sound(journal: Path) -> bool:
    with closing(sqlite3.connect(journal)) as database:
        return database.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",)


async def _found(receiver: Part, left: Path) -> None:
    """Return when it has adopted that journal, or set it aside."""
    deadline = time.monotonic() + ADOPTED_SECONDS
    while left.exists() and not receiver.replica.said("orphan_adopted"):
        assert time.monotonic() < deadline, f"{receiver.label} did not find {left.name}"
        await asyncio.sleep(0.1)


async def _mended_by_hand(stage: Stage, aside: Path) -> None:
    copies = stage.directory / "copies"
    shutil.copytree(aside, copies / aside.stem)
    with closing(sqlite3.connect(copies / aside.stem / "journal.sqlite")) as database:
        database.execute("REINDEX")
    await drained_by_hand(stage, copies)


@contextmanager
def _no_descriptors(parts: Sequence[Part]) -> Iterator[None]:
    """Inside, the parts get no file and no connection any more, not even in the place of one that they close."""
    before = {}
    try:
        for pid in (part.replica.process.pid for part in parts):
            before[pid] = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            used = {int(each.name) for each in Path(f"/proc/{pid}/fd").iterdir()}
            free = next(number for number in itertools.count() if number not in used)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (free, before[pid][1]))
        yield
    finally:
        for pid, limits in before.items():
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)


async def _strangers(receivers: Sequence[Part]) -> None:
    """Knock where nobody can be let in."""
    for receiver in receivers:
        port = int(receiver.url.split(":")[2].split("/")[0])
        for _ in range(STRANGERS):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
