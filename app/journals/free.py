"""Journals that no process holds: a command holds them while it works, so that no process adopts them meanwhile."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from app.admin.journals import NOT_SKIPPED
from app.journals import row_facts
from app.journals.held import HeldJournal
from app.settings.load import Settings
from bus.journal import status
from bus.journal.claim import is_aside, try_claim
from bus.journal.journal import JournalUnwritable
from bus.journal.rows import RowName, Unread, Which


class FreeJournal:
    """One journal that this command holds: left by a dead process, or quarantined."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def rows(self, which: Which, *, reveal: bool) -> Iterator[dict[str, Any] | Unread]:
        """Yield these rows, whole if `reveal` is set (`app.journals.row_facts`), and what cannot be read."""
        facts = row_facts.whole if reveal else row_facts.brief
        found = (row for row in status.rows_of(self.directory) if isinstance(row, Unread) or which.takes(row))
        for row in islice(found, which.limit):
            yield row if isinstance(row, Unread) else facts(self.directory.name, row)

    def skip(self, name: RowName) -> str | None:
        """Remove a row; return why it was not removed, if so."""
        if is_aside(self.directory):
            return "A quarantined journal is not changed: export it, then remove its directory."
        try:
            outcome = asyncio.run(status.skip(self.directory, name))
        except (JournalUnwritable, OSError) as error:
            return str(error)
        return None if outcome == "skipped" else NOT_SKIPPED[outcome][2]


@contextmanager
def journals_in(where: Path, settings: Settings) -> Iterator[list[FreeJournal | HeldJournal]]:
    """Yield `bus.journal.status.journals`, which raises `CannotLook`. The free ones are held until the end."""
    with ExitStack() as stack:
        journals: list[FreeJournal | HeldJournal] = []
        for directory in status.journals(where):
            if claim := try_claim(directory):
                stack.callback(claim.release)
                journals.append(FreeJournal(directory))
            else:
                journals.append(HeldJournal(directory, settings))
        yield journals
