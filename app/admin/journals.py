"""The journals of a running process over the admin listener: only the process that holds a journal may touch it."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Final, Protocol

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from app.admin.parameters import WrongQuery
from app.admin.problems import problem, said
from app.admin.watch_messages import sentences
from app.journals import row_facts
from app.journals.query import Query, query_in
from bus.journal.journal import JournalUnwritable
from bus.journal.rows import LAST_SEQ, RawRow, RowName, Which
from bus.journal.skipped import Skip

ROWS: Final = "/v1/journal/rows"
SKIP: Final = "/v1/journal/skip"
PAGE_BYTES: Final = 1024 * 1024  # of the values in one response, approximately
ELSEWHERE: Final = "unknown_journal"
NOT_SKIPPED: Final[dict[Skip, tuple[int, str, str]]] = {
    "elsewhere": (404, ELSEWHERE, "No process behind this listener holds this journal."),
    "unknown": (404, "unknown_row", "This journal has no such row; it may already be published. Give number and id."),
    "acknowledged": (409, "acknowledged", "It is published: Kafka has acknowledged it."),
    "under_way": (
        409,
        "under_way",
        "It is being sent to Kafka and cannot be withdrawn. Try again; if Kafka is unavailable, first stop smsbus.",
    ),
    "unwritable": (
        503,
        "journal_unwritable",
        "The disk did not accept the write: the row is still in the journal, and the log says why.",
    ),
}

_log = structlog.get_logger("smsbus")


class Hands(Protocol):
    """The part of the bus that this API uses; `bus.kafka_bus.KafkaBus` implements it."""

    @property
    def journals(self) -> Sequence[str]:
        """See `bus.kafka_bus.KafkaBus.journals`."""

    async def rows(self, journal: str, which: Which, max_bytes: int) -> list[RawRow]:
        """See `bus.kafka_bus.KafkaBus.rows`."""
        ...

    async def skip(self, name: RowName) -> Skip:
        """See `bus.kafka_bus.KafkaBus.skip`."""
        ...


class SkipRequest(BaseModel):
    """The body of `POST /v1/journal/skip`: one row, by its number and its id."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)

    journal: str = Field(min_length=1, max_length=255)
    seq: int = Field(ge=1, le=LAST_SEQ)
    id: str = Field(min_length=1, max_length=250)

    @field_validator("seq", mode="before")
    @classmethod
    def _whole(cls, seq: object) -> object:
        """Accept `2.0`: it is an integer in JSON, and in JSON Schema."""
        return int(seq) if isinstance(seq, float) and seq.is_integer() else seq


class JournalApi:
    """`GET /v1/journal/rows` and `POST /v1/journal/skip`."""

    def __init__(self, bus: Hands) -> None:
        """The listener checks the token (`app.admin.token`)."""
        self._bus = bus

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Mount the routes."""
        router.add_get(ROWS, self._rows)
        router.add_post(SKIP, self._skip)

    async def _rows(self, request: web.Request) -> web.Response:
        try:
            query = query_in(request.query.items())
        except WrongQuery as wrong:
            return problem(400, "invalid_query", said(str(wrong).splitlines()))
        held = list(self._bus.journals)
        journals = held if query.journal is None else [name for name in held if name == query.journal]
        try:
            rows = [facts for name in journals for facts in await self._rows_of(name, query)]
        except JournalUnwritable:
            return problem(503, "journal_unreadable", "The journal cannot be read: the log says why.")
        if query.reveal and rows:
            _log.info("journal_command", command="reveal", journals=journals, rows=len(rows))
        answer = {"journals": held, "rows": rows}
        return web.json_response(text=await asyncio.to_thread(json.dumps, answer))

    async def _rows_of(self, journal: str, query: Query) -> list[dict[str, Any]]:
        facts = row_facts.whole if query.reveal else row_facts.brief
        return [facts(journal, row) for row in await self._bus.rows(journal, query.which, PAGE_BYTES)]

    async def _skip(self, request: web.Request) -> web.Response:
        try:
            asked = SkipRequest.model_validate_json(await request.read())
        except ValidationError as error:
            return problem(400, "invalid_request", said(sentences(error, "this request", SkipRequest.model_fields)))
        outcome = await self._bus.skip(RowName(asked.journal, asked.seq, asked.id))
        if outcome != "elsewhere":  # otherwise another process holds it and logs this
            _log.info("journal_command", command="skip", journal=asked.journal, seq=asked.seq, outcome=outcome)
        if outcome != "skipped":
            status, reason, detail = NOT_SKIPPED[outcome]
            return problem(status, reason, detail)
        return web.json_response({**asked.model_dump(), "status": outcome})
