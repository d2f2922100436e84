"""How much is free on the journals' disk."""

import shutil
from pathlib import Path

from bus.journal.journal import FILE_NAME
from bus.journals import Journals
from bus.settings import BusSettings


async def test_what_is_free_is_known_after_the_first_look_and_looked_at_as_often_as_orphans(tmp_path: Path) -> None:
    journals = Journals(BusSettings(journal_dir=tmp_path), lambda *_: None)
    before = journals.disk_free_bytes

    await journals.keep(now=0.0)

    assert before is None
    assert 0 < journals.disk_free_bytes <= shutil.disk_usage(tmp_path).total


async def test_a_directory_that_cannot_be_listed_is_said_until_the_next_look_finds_it_better(tmp_path: Path) -> None:
    journals = Journals(BusSettings(journal_dir=tmp_path / "gone", orphan_scan_interval=30), lambda *_: None)
    said = []
    for now, is_there in [(0.0, False), (1.0, False), (29.0, True), (30.0, True)]:
        if is_there:
            (tmp_path / "gone").mkdir(exist_ok=True)
        await journals.keep(now)
        said.append(journals.unreadable.holds)

    assert said == [True, True, True, False]


async def test_a_deleted_journal_is_noticed_without_a_write(tmp_path: Path) -> None:
    journals = Journals(BusSettings(journal_dir=tmp_path), lambda *_: None)
    await journals.claim_own()
    own = journals.own
    assert own is not None
    await journals.keep(now=0.0)
    before = own.journal.unwritable
    (own.claim.directory / FILE_NAME).unlink()

    await journals.keep(now=1e9)

    assert before is None
    assert "was deleted or moved" in (own.journal.unwritable or "")
    await journals.close()
