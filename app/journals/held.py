"""Journals that a running process holds: accessed through its admin listener, since only it may touch them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from app.admin.journals import ELSEWHERE, ROWS, SKIP
from app.admin.token import token_file
from app.journals.query import LARGEST_PAGE
from app.service import Answer, NotAccepted, NoToken, NotReached, Service, service_of
from app.settings.load import Settings
from bus.journal.rows import RowName, Which

ASK_ITS_OWN: Final = "use the settings of that process (--config, SMSBUS_ADMIN__…), or stop it first"

Ask = Callable[[Service, str, Mapping[str, Any]], Awaitable[Answer]]


class NotAnswered(Exception):
    """The process that holds a journal does not respond, or refuses; the text says what to do."""

    safe_to_log = True


class HeldJournal:
    """One journal that a running process holds."""

    def __init__(self, directory: Path, settings: Settings) -> None:
        self.directory = directory
        self._settings = settings
        self._url = settings.admin_url()

    def rows(self, which: Which, *, reveal: bool) -> Iterator[dict[str, Any]]:
        """Yield these rows as `row_facts` returns them, whole if `reveal` is set. Raises `NotAnswered`."""
        left = which.limit
        while left > 0:
            page = self._page(which._replace(limit=min(left, LARGEST_PAGE)), reveal=reveal)
            if not page:
                return
            yield from page
            left -= len(page)
            which = which._replace(after=page[-1]["seq"])

    def skip(self, name: RowName) -> str | None:
        """Remove a row; return why it was not removed, if so. Raises `NotAnswered`."""
        answer = self._ask(Service.post, SKIP, name._asdict())
        if answer.status == 200:
            return None
        if answer.reason == ELSEWHERE:
            raise self._elsewhere()
        return answer.detail

    def _page(self, which: Which, *, reveal: bool) -> list[dict[str, Any]]:
        asked = {"journal": self.directory.name, "after": str(which.after), "limit": str(which.limit)}
        asked |= {"reveal": "true"} if reveal else {}
        asked |= {"lane": f"{which.lane[0]}/{which.lane[1]}"} if which.lane else {}
        asked |= {"row": which.name} if which.name else {}
        answer = self._ask(Service.get, ROWS, asked)
        if answer.status != 200:
            raise NotAnswered(answer.detail)
        if self.directory.name not in answer.content["journals"]:
            raise self._elsewhere()
        rows: list[dict[str, Any]] = answer.content["rows"]
        return rows

    def _ask(self, how: Ask, path: str, asked: Mapping[str, Any]) -> Answer:
        try:
            return asyncio.run(self._answer(how, path, asked))
        except NoToken:
            problem = f"there is no {token_file(self._settings)}"
        except NotReached:
            problem = f"no smsbus admin listener responds at {self._url}"
        except NotAccepted:
            problem = f"{self._url} does not accept our admin token"
        raise self._not_answered(f"by a running process, and {problem}")

    async def _answer(self, how: Ask, path: str, asked: Mapping[str, Any]) -> Answer:
        async with service_of(self._settings) as there:
            return await how(there, path, asked)

    def _elsewhere(self) -> NotAnswered:
        return self._not_answered(f"by a process that is not behind the admin listener at {self._url}")

    def _not_answered(self, held: str) -> NotAnswered:
        return NotAnswered(f"{self.directory} is held {held}: {ASK_ITS_OWN}")
