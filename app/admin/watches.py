"""Watches over HTTP, on the admin listener: each request becomes a record on the watches topic.

Any replica responds; only the shard's owner acts. If Kafka does not confirm the record, the response is 503.
"""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from app.admin.parameters import WrongQuery
from app.admin.problems import problem, said
from app.admin.watch_messages import in_conflict, no_such_kind, sentences, wrong_value
from app.admin.watch_query import query_in
from app.admin.watch_view import newest_first, view
from bus.kafka.client import KafkaAway
from bus.kafka.writer import WriteForbidden
from bus.sharding.commands import CommandWriter
from pollers.watch_commands import WatchRequest, conflicts, with_request
from pollers.watches.watch_entry import Progress
from pollers.watches.watch_table import Known, Listing, LivePoll, WatchTable
from providers import has_kind
from schemas import fields, timestamps
from schemas.identity import watch_id as id_of_watch
from schemas.messages import Watch

REQUESTS: Final = ("next", "stop", "finish", "cancel")
AN_ORDER: Final = rf"(?!(?:{'|'.join(REQUESTS)})$)[^/]+"  # the names of requests are not order ids
NOTHING_POLLED: Final = "No account that is polled is in this service's settings: see `smsbus account list`."
UNCONFIRMED: Final = "Kafka did not confirm the request: it may or may not be performed. Send it again."

Handler = Callable[[web.Request], Awaitable[web.Response]]


_log = structlog.get_logger("smsbus")


class Patience(NamedTuple):
    """Timeouts, in seconds."""

    ready: float = 5.0
    """For the table to be read; less than a typical client timeout."""
    outcome: float = 2.0
    """For the shard to apply a request; a commit takes 40-80 ms."""


PATIENCE: Final = Patience()


class NextRequest(BaseModel):
    """The body of `POST /v1/watches/{id}/next`; it is optional."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)

    after: fields.Count | None = None

    @field_validator("after", mode="before")
    @classmethod
    def _whole(cls, after: object) -> object:
        """Accept `2.0`: it is an integer in JSON, and in JSON Schema."""
        return int(after) if isinstance(after, float) and after.is_integer() else after


def not_polled_here(_: str) -> LivePoll | None:
    """Default for `live`: nothing is known about polls."""
    return None


def no_delay_expected(_: str) -> float | None:
    """Default for `expected_delay`: no delay."""
    return None


class WatchApi:
    """`POST` and `GET /v1/watches`, `GET …/{id}` and `…/{account}/{order}`, `POST …/{id}/next|finish|cancel|stop`."""

    def __init__(
        self,
        table: WatchTable,
        writer: CommandWriter,
        *,
        accounts: Mapping[str, str],
        now_ms: Callable[[], int],
        live: Callable[[str], LivePoll | None] = not_polled_here,
        expected_delay: Callable[[str], float | None] = no_delay_expected,
        takes_commands: bool = True,
        patience: Patience = PATIENCE,
    ) -> None:
        """The listener checks the token (`app.admin.token`).

        `live` returns what this process knows about a watch that it polls, nothing for others; `expected_delay`
        how many seconds the SMS of an account's new watch may be delayed, where that is worth mentioning.
        Without `takes_commands` watches are only shown.
        """
        self._table = table
        self._writer = writer
        self._accounts = accounts
        self._now_ms = now_ms
        self._live = live
        self._expected_delay = expected_delay
        self._takes_commands = takes_commands
        self._patience = patience

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Mount the routes."""
        router.add_get("/v1/watches", self._ready(self._list))
        router.add_get("/v1/watches/{id}", self._ready(self._show))
        router.add_get(f"/v1/watches/{{account}}/{{order:{AN_ORDER}}}", self._ready(self._show_order))
        if self._takes_commands:
            router.add_post("/v1/watches", self._ready(self._open))
            router.add_post("/v1/watches/{id}/{request}", self._ready(self._request))

    def _ready(self, handler: Handler) -> Handler:
        async def ready(request: web.Request) -> web.Response:
            if not await self._table.wait_filled(self._patience.ready):
                return problem(503, "not_ready", "The watches are still being read. Try again.")
            try:
                return await handler(request)
            except WriteForbidden as forbidden:
                return problem(403, "forbidden", f"{forbidden}.")
            except KafkaAway:
                return problem(503, "kafka_away", UNCONFIRMED)

        return ready

    # ---- opening -----------------------------------------------------------------------------------------------

    async def _open(self, request: web.Request) -> web.Response:
        try:
            asked = WatchRequest.model_validate_json(await request.read())
        except ValidationError as error:
            return problem(400, "invalid_watch", said(sentences(error, "a watch", WatchRequest.model_fields)))
        now_ms = self._now_ms()
        if (wrong := wrong_value(asked, timestamps.to_text(now_ms))) is not None:
            return problem(400, "invalid_watch", said([wrong]))
        if asked.account not in self._accounts:
            known = ", ".join(sorted(self._accounts)) or "none"
            return problem(400, "unknown_account", f"No polled account of this name is configured; there are: {known}.")
        if not has_kind(provider := self._accounts[asked.account], asked.order_kind):
            return problem(400, "invalid_watch", said([no_such_kind(provider, asked.order_kind)]))
        return await self._asked_for(asked, now_ms)

    async def _asked_for(self, asked: WatchRequest, now_ms: int) -> web.Response:
        """Write the record in any case: the shard decides whether it opens, extends, or changes nothing."""
        known = self._table.get(asked.watch_id)
        if known is not None and known.stuck:
            return unreadable()
        there = known.watch if known is not None else None
        live = known is not None and known.ended is None and there is not None
        if there is not None and live and (different := conflicts(there, asked)):
            return problem(409, "conflict", f"This watch is open {in_conflict(different, asked.watch_id)}.")
        watch = asked.watch(now_ms, new_request_id(), there=there)
        await self._put(watch)
        handle = {"watch_id": watch.watch_id, "request_id": watch.request_id}
        delay = self._expected_delay(watch.account)
        more = {"expected_delay_seconds": delay} if delay is not None else {}
        return web.json_response(handle | more, status=200 if live else 201)

    # ---- showing -----------------------------------------------------------------------------------------------

    async def _list(self, request: web.Request) -> web.Response:
        try:
            query = query_in(request.query.items())
        except WrongQuery as wrong:
            return problem(400, "invalid_query", said(str(wrong).splitlines()))
        listing = await self._table.listing(query.filters, query.limit, query.after)
        live = [self._live(known.watch_id) for known in listing.watches]
        return web.json_response(text=await asyncio.to_thread(as_text, listing, live, self._now_ms()))

    async def _show(self, request: web.Request) -> web.Response:
        known = self._table.get(request.match_info["id"])
        return self._shown(known) if known is not None else unknown_watch()

    async def _show_order(self, request: web.Request) -> web.Response:
        """Show what `smsbus watch show ACCOUNT ORDER` shows."""
        account, order = request.match_info["account"], request.match_info["order"]
        kinds = [self._table.get(id_of_watch(account, kind, order)) for kind in ("activation", "rent")]
        found = newest_first(known for known in kinds if known is not None)
        return self._shown(found[0]) if found else unknown_watch()

    def _shown(self, known: Known) -> web.Response:
        return web.json_response(view(known, self._live(known.watch_id), now_ms=self._now_ms()))

    # ---- requests for a watch ----------------------------------------------------------------------------------

    async def _request(self, request: web.Request) -> web.Response:
        desired = request.match_info["request"]
        known = self._table.get(request.match_info["id"])
        if known is None:
            return unknown_watch()
        if desired not in REQUESTS:
            return problem(404, "not_found", "The requests for a watch are next, stop, finish and cancel.")
        try:
            after = next_in(await request.read()).after if desired == "next" else None
        except ValidationError as error:
            return problem(400, "invalid_request", said(sentences(error, "this request", NextRequest.model_fields)))
        return await self._requested(known, desired, after)

    async def _requested(self, known: Known, desired: str, after: int | None) -> web.Response:
        if known.ended is not None:
            return ended()
        if known.watch is None or known.stuck:
            return unreadable()
        request_id = new_request_id()
        await self._put(with_request(known.watch, desired, request_id=request_id, after=after))
        applied = await self._table.applied(known.watch_id, request_id, self._patience.outcome)
        if applied is not None and applied.outcome == "ended":
            return ended()
        answer = {"watch_id": known.watch_id, "request": desired, "request_id": request_id}
        status = {"status": applied.outcome if applied else "pending"}
        more = {"next_sequence": next_sequence(applied, after)} if desired == "next" else {}
        return web.json_response(answer | status | more, status=202)

    async def _put(self, watch: Watch) -> None:
        await self._writer.put(watch.key(), watch.to_json())
        self._table.put(watch)
        _log.info("watch_command", watch_id=watch.watch_id, desired=watch.desired, request=watch.request_id)


class NothingToWatch:
    """Says that no watch can be opened, where the settings have no account that is polled."""

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Mount the route."""
        router.add_post("/v1/watches", self._refuse)

    async def _refuse(self, _: web.Request) -> web.Response:
        return problem(400, "unknown_account", NOTHING_POLLED)


def new_request_id() -> str:
    """Return a unique name for a request."""
    return uuid.uuid4().hex


def next_in(body: bytes) -> NextRequest:
    """Parse the body; an empty one is a request without fields. Raises `ValidationError`."""
    return NextRequest.model_validate_json(body) if body.strip() else NextRequest()


def next_sequence(applied: Progress | None, after: int | None) -> int | None:
    """Return the `sequence` of the SMS that a `next` brings; None: it is not known yet.

    Without a count, the shard's count when it applied the request is what tells old from new: what the table has before
    may lack an SMS that is published, and that the client has used; what it has later, the one that was requested.
    """
    if after is not None:
        return after
    return applied.sms_count if applied else None


def as_text(listing: Listing, live: list[LivePoll | None], now_ms: int) -> str:
    """Return a page as JSON; text by text, since one of a megabyte would keep other threads waiting."""
    views = [json.dumps(view(known, poll, now_ms=now_ms)) for known, poll in zip(listing.watches, live, strict=True)]
    return f'{{"watches": [{", ".join(views)}], "next": {json.dumps(listing.next)}, "total": {listing.total}}}'


def unknown_watch() -> web.Response:
    """The response for an unknown id."""
    return problem(404, "unknown_watch", "No such watch.")


def ended() -> web.Response:
    """The response for a watch that has ended."""
    return problem(409, "ended", "This watch has ended.")


def unreadable() -> web.Response:
    """The response for a watch whose records this version cannot read."""
    return problem(409, "unreadable", "This version cannot read the records of this watch and leaves it unchanged.")
