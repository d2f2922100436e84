"""Journals of the dead: scratched, ruined, left behind."""

import re
import shutil
import sqlite3
from contextlib import closing
from itertools import islice
from pathlib import Path

from tests.e2e.program import eventually
from tests.faults import topics
from tests.faults.cases.machine import kafka_silent
from tests.faults.process import Part
from tests.faults.stage import Stage

ROWS = 50  # at least, in a journal that is hurt
SCRATCHED = 5
SECONDS = 60  # for what needs a spill, a look for orphans, or a drain
WORDS = re.compile(rb"your code is")  # of every callback's text, and of no name in it


async def journal_damaged(stage: Stage) -> None:
    """Kafka is away, receivers die, and what they leave on disk is not what they wrote.

    A journal with flipped bits gives up those rows as dead letters, and all others. One that is no journal any more is
    quarantined, and a copy of what it was is drained by hand. A whole one is adopted by a sibling.
    """
    first, second = stage.receivers[:2]
    first.settings["BUS__ORPHAN_SCAN_INTERVAL"] = "1"
    copies = stage.directory / "copies"
    with kafka_silent(stage):
        _scratch(await left_by(stage, first))
        await first.start()
        _ruin(await left_by(stage, second), copies)
        await second.start()
        left = (await left_by(stage, second)).parent
        shutil.move(left, first.installation.journal_dir / left.name)
        await second.start()
        await first.replica.says("orphan_adopted", SECONDS)
    await drained_by_hand(stage, copies)
    await eventually(lambda: _scratches_are_told(stage), SECONDS, "every scratched row is a dead letter")
    if not list(second.installation.journal_dir.glob("*.damaged")):
        stage.wrong("a damaged journal was not quarantined")


async def left_by(stage: Stage, part: Part) -> Path:
    """Kill it once its journal has rows; return the journal."""

    async def has_rows() -> bool:
        latest = await stage.samples.look()
        return latest.metrics.get(part.label, {}).get("journal_rows", 0) >= ROWS

    await eventually(has_rows, SECONDS, f"{part.label} has {ROWS} rows in its journal")
    await part.kill()
    whole = [path for path in part.installation.journal_dir.glob("*/journal.sqlite") if not path.parent.suffix]
    assert len(whole) == 1, whole
    return whole[0]


def _scratch(journal: Path) -> None:
    """Flip a bit of some rows."""
    with closing(sqlite3.connect(journal)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(journal.read_bytes())
    for place in list(islice(WORDS.finditer(content), SCRATCHED)):
        content[place.start()] ^= 1
    journal.write_bytes(content)


def _ruin(journal: Path, copies: Path) -> None:
    """Leave half a file of another kind in its place, and its directory as it was among `copies`."""
    shutil.copytree(journal.parent, copies / journal.parent.name)
    size = journal.stat().st_size
    journal.write_bytes(b"this is no database".ljust(size // 2, b"\n"))


async def _scratches_are_told(stage: Stage) -> bool:
    letters = (await topics.read(stage.reader)).rejected
    return sum(letter.reason == "journal_row_damaged" for letter in letters) == SCRATCHED


async def drained_by_hand(stage: Stage, copies: Path) -> None:
    ended = await stage.reader.run("journal", "drain", str(copies))
    if ended.code:
        stage.wrong(f"the copy of a journal could not be drained: {ended.err.splitlines()[-1:]}")
