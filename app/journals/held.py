"""Journals that a running process holds: accessed through its admin listener, since only it may touch them."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp

from app.admin.journals import ELSEWHERE, ROWS, SKIP
from app.admin.token import admin_header, token_file, with_admin_token
from app.journals.query import LARGEST_PAGE
from app.settings.load import Settings
from bus.journal.rows import RowName, Which

PATIENCE: Final = 60.0  # seconds for a response; a disk may be slow
ASK_ITS_OWN: Final = "use the settings of that process (--config, SMSBUS_ADMIN__…), or stop it first"


class NotAnswered(Exception):
    """The process that holds a journal does not respond, or refuses; the text says what to do."""

    safe_to_log = True


class HeldJournal:
    """One journal that a running process holds."""

    def __init__(self, directory: Path, settings: Settings) -> None:
        self.directory = directory
        self._settings = settings
        self._header: dict[str, str] = {}
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
        status, answer = self._ask("POST", SKIP, json=name._asdict())
        if status == 200:
            return None
        if answer["reason"] == ELSEWHERE:
            raise self._elsewhere()
        return str(answer["detail"])

    def _page(self, which: Which, *, reveal: bool) -> list[dict[str, Any]]:
        asked = {"journal": self.directory.name, "after": str(which.after), "limit": str(which.limit)}
        asked |= {"reveal": "true"} if reveal else {}
        asked |= {"lane": f"{which.lane[0]}/{which.lane[1]}"} if which.lane else {}
        asked |= {"row": which.name} if which.name else {}
        status, answer = self._ask("GET", ROWS, params=asked)
        if status != 200:
            raise NotAnswered(answer["detail"])
        if self.directory.name not in answer["journals"]:
            raise self._elsewhere()
        rows: list[dict[str, Any]] = answer["rows"]
        return rows

    def _ask(self, method: str, path: str, **asked: Any) -> tuple[int, Mapping[str, Any]]:  # noqa: ANN401 - aiohttp's
        self._header = self._header or self._found_token()
        try:
            status, answer = asyncio.run(self._answer(method, path, **asked))
        except (aiohttp.ClientError, TimeoutError, ValueError):
            message = (
                f"{self.directory} is held by a running process, and no smsbus admin listener responds at {self._url}"
            )
            raise NotAnswered(f"{message}: {ASK_ITS_OWN}") from None
        if status == 401:
            message = f"{self.directory} is held by a running process, and {self._url} does not accept our admin token"
            raise NotAnswered(f"{message}: {ASK_ITS_OWN}")
        return status, answer

    async def _answer(self, method: str, path: str, **asked: Any) -> tuple[int, Mapping[str, Any]]:  # noqa: ANN401
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        async with (
            aiohttp.ClientSession(headers=self._header, timeout=timeout) as session,
            session.request(method, self._url + path, **asked) as answer,
        ):
            return answer.status, await answer.json(content_type=None)

    def _found_token(self) -> dict[str, str]:
        """Return the header with the token; a command generates none, since no process would accept it."""
        if not self._settings.admin.token and not token_file(self._settings).exists():
            message = f"{self.directory} is held by a running process, and there is no {token_file(self._settings)}"
            raise NotAnswered(f"{message}: {ASK_ITS_OWN}")
        return admin_header(with_admin_token(self._settings))

    def _elsewhere(self) -> NotAnswered:
        message = f"{self.directory} is held by a process that is not behind the admin listener at {self._url}"
        return NotAnswered(f"{message}: {ASK_ITS_OWN}")
