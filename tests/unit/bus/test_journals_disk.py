"""How much is free on the journals' disk."""

import shutil
from pathlib import Path

from bus.journals import Journals
from bus.settings import BusSettings


async def test_what_is_free_is_known_after_the_first_look_and_looked_at_as_often_as_orphans(tmp_path: Path) -> None:
    journals = Journals(BusSettings(journal_dir=tmp_path), lambda *_: None)
    before = journals.disk_free_bytes

    await journals.keep(now=0.0)

    assert before is None
    assert 0 < journals.disk_free_bytes <= shutil.disk_usage(tmp_path).total
