"""The inbox over HTTP, on the admin listener: lists, waits and streams of what was published."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing
from functools import partial
from typing import Final

from aiohttp import web

from app.admin.inbox_query import LARGEST_BODY, LIST, STREAM, WAITED, Query, query_in, topics_in
from app.admin.inbox_view import (
    AccountPaused,
    NotFilled,
    OtherAccount,
    UnknownWatch,
    code,
    envelope,
    frames,
    greeting,
    next_sequence,
    refusal,
    wants_text,
    way,
)
from app.admin.parameters import WrongQuery
from app.admin.problems import problem
from app.admin.token import accounts_of
from app.admin.watch_view import is_cancelled_here
from app.since import is_cursor, moment_in
from bus.kafka.client import KafkaAway, is_cancelled
from bus.kafka.topics import TopicsError
from bus.kafka.topics_reader import Part
from inbox.asking import Ended, Inbox, OtherFilter, Page, WatchEnded
from inbox.cursor import Cursor
from inbox.filters import Filter
from inbox.following import Blind
from inbox.lasting import Closing, TooMany
from inbox.tail import Gone
from pollers.watches.watch_table import Known, WatchTable
from schemas.identity import watch_id as id_of_watch

READY_SECONDS: Final = 5.0  # for what Kafka has to be read; less than a typical client timeout
PING_EVERY: Final = 15.0  # seconds; proxies close what is silent for a minute
WRITE_SECONDS: Final = 10.0  # for a stream's client to take what is sent
STREAM_HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would keep events until it has some kilobytes
}
LAST_EVENT: Final = "Last-Event-ID"
NOT_A_CURSOR: Final = "{} is not a cursor of this inbox: it was cut, or is of other events"
WAIT_FOR_WHAT: Final = "say what to wait for: recipient, or account and order_id, or watch_id"
COUNTED: Final = "an activation's SMS are counted: leave out since, and give sequence (0 is the first SMS)"
NOT_COUNTED: Final = "sequence counts the SMS of an activation: name its account and order_id, or its watch_id"
UNKNOWN_SMS: Final = (
    "It is not in the inbox, which keeps at most the last {hours:g} hours: `smsbus trace ID` finds older ones."
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


Passed = Callable[[Part, int], Awaitable[dict[str, bool] | None]]


async def nobody_forwards(part: Part, offset: int) -> dict[str, bool] | None:
    """Default for `passed`: nothing is known about targets."""
    del part, offset
    return None


def nobody_is_paused(_: str) -> str | None:
    """Default for `paused`: nothing is known about accounts."""
    return None


class InboxApi:
    """`GET /v1/sms`, `/v1/sms/{id}`, `/v1/cursor`, `/v1/wait`, `/v1/stream`."""

    def __init__(
        self,
        inbox: Inbox,
        table: WatchTable | None,
        *,
        now_ms: Callable[[], int],
        paused: Callable[[str], str | None] = nobody_is_paused,
        passed: Passed = nobody_forwards,
    ) -> None:
        """`table`: the watches; None: there are no polled accounts. `paused` says why an account is not polled.

        `passed` says which targets of forwarding are past a record; None: nobody can say now.
        """
        self._inbox = inbox
        self._table = table
        self._now_ms = now_ms
        self._paused = paused
        self._passed = passed

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Mount the routes."""
        router.add_get("/v1/sms", self._answered(self._list))
        router.add_get("/v1/sms/{id}", self._answered(self._show))
        router.add_get("/v1/cursor", self._answered(self._cursor))
        router.add_get("/v1/wait", self._answered(self._lasting(self._wait), seconds=0), allow_head=False)
        router.add_get("/v1/stream", self._answered(self._stream), allow_head=False)

    def _answered(self, handler: Handler, *, seconds: float = READY_SECONDS) -> Handler:
        """Add the error responses. `seconds`: to wait for the inbox to be filled; what comes then is no news."""

        async def answered(request: web.Request) -> web.StreamResponse:
            response = await respond(request)
            if not response.prepared:
                response.headers["Cache-Control"] = "no-store"
            return response

        async def respond(request: web.Request) -> web.StreamResponse:
            if not await self._inbox.following.wait_filled(seconds):
                return refusal(Blind() if self._inbox.following.is_blind else NotFilled())
            try:
                return await handler(request)
            except Gone as gone:
                fresh = self._inbox.here(Filter(topics=topics_in(request.query)))
                return refusal(gone, cursor=fresh.text())
            except WatchEnded as ended:
                return refusal(ended, ended=str(ended))
            except (WrongQuery, OtherFilter, OtherAccount, UnknownWatch, AccountPaused) as error:
                return refusal(error)
            except (NotFilled, Blind, TooMany, Closing) as error:
                return refusal(error)

        return answered

    def _lasting(self, handler: Handler) -> Handler:
        """Count it among the requests that last, and end it when this process does."""

        async def lasting(request: web.Request) -> web.StreamResponse:
            async with self._inbox.lasting.one():
                return await handler(request)

        return lasting

    # ---- lists ---------------------------------------------------------------------------------------------------

    async def _list(self, request: web.Request) -> web.StreamResponse:
        query = _asked(request, LIST)
        page = await self._page(query)
        return code(page) if query.only_codes else envelope(page)

    async def _page(self, query: Query) -> Page:
        # The newest code is the last one, and all that is sent of them.
        limits = (sys.maxsize, sys.maxsize) if query.only_codes else (query.limit, LARGEST_BODY)
        if query.since is None:
            return await self._inbox.newest(query.wanted, *limits)
        cursor = await self._begin(query)
        return await self._inbox.after(query.wanted, cursor, *limits, since_ms=self._since_ms(query.since))

    async def _show(self, request: web.Request) -> web.StreamResponse:
        query = _asked(request, ())
        item = self._inbox.get(request.match_info["id"])
        if item is None or not query.filter.may_see(item.account):
            return problem(404, "unknown_sms", UNKNOWN_SMS.format(hours=self._inbox.hours))
        if query.only_codes:
            return code(Page([item], self._inbox.here(Filter())))
        forwards = json.dumps(await self._passed(item.part, item.offset))
        shown = f'{{"sms": {item.value.decode()}, "way": {json.dumps(way(item))}, "forwards": {forwards}}}'
        return web.json_response(text=shown)

    async def _cursor(self, request: web.Request) -> web.StreamResponse:
        query = _asked(request, ())
        cursor = (await self._inbox.now(Filter())).text()
        return web.Response(text=f"{cursor}\n") if query.only_codes else web.json_response({"cursor": cursor})

    async def _begin(self, query: Query, name: str = "since") -> Cursor:
        """Return the checked cursor of a query that says `since`. `name`: of where it stood."""
        if query.since is None or not is_cursor(query.since):
            cursor = self._inbox.since(query.filter, self._since_ms(query.since))
            return cursor._replace(since_ms=self._now_ms())  # what is news to whoever waits from there
        try:
            cursor = Cursor.of(query.since, query.filter.topics)
        except ValueError:
            raise WrongQuery(NOT_A_CURSOR.format(name)) from None
        await self._inbox.check(cursor, query.filter)
        return cursor

    def _since_ms(self, since: str | None) -> int:
        """Return the moment that `since` names; 0: none, or a cursor."""
        return moment_in(since, self._now_ms()) or 0 if since else 0

    # ---- waits ---------------------------------------------------------------------------------------------------

    async def _wait(self, request: web.Request) -> web.StreamResponse:
        query = _asked(request, WAITED)
        known = await self._known(query.filter)
        if known is None or known.watch is None or known.watch.order_kind != "activation":
            page, more = await self._waited_for_news(query, known), {}
        else:
            page = await self._waited_in_order(query, known)
            more = next_sequence(page, query.sequence or 0)
        return code(page) if query.only_codes else envelope(page, **more)

    async def _waited_in_order(self, query: Query, known: Known) -> Page:
        if query.since is not None:
            raise WrongQuery(COUNTED)
        wanted = query.wanted._replace(watch_id=known.watch_id)
        page = await self._inbox.wait_in_order(
            wanted,
            query.sequence or 0,
            partial(self._ended, known.watch_id),
            query.timeout,
            catch_up=self._catch_up,
            look=partial(self._check_polled, known),
        )
        return page._replace(cursor=page.cursor._replace(filter=query.filter.digest()))

    async def _waited_for_news(self, query: Query, known: Known | None) -> Page:
        """Wait for the SMS of a number, or of a rent."""
        if query.sequence is not None:
            raise WrongQuery(NOT_COUNTED)
        cursor = await (self._begin(query) if query.since else self._inbox.now(query.filter))
        if query.since and not is_cursor(query.since):
            cursor = cursor._replace(since_ms=self._since_ms(query.since))
        wanted = query.wanted
        if known is None:
            return await self._inbox.wait(wanted, cursor, query.timeout)
        wanted, look = wanted._replace(watch_id=known.watch_id), partial(self._check_polled, known)
        return await self._inbox.wait(wanted, cursor, query.timeout, look=look)

    async def _known(self, wanted: Filter) -> Known | None:
        """Return the watch that is waited for; None: a number is. Raises `UnknownWatch`, `NotFilled`, `Blind`."""
        ids = _watch_ids(wanted)
        if not ids:
            if wanted.order_id or not wanted.recipient:
                raise WrongQuery(WAIT_FOR_WHAT)
            return None
        if self._table is not None and not self._table.filled:
            raise NotFilled
        if (known := self._found(wanted, ids)) is None:
            await self._catch_up()
            known = self._found(wanted, ids)
        if known is None:
            raise UnknownWatch
        return known

    def _found(self, wanted: Filter, ids: list[str]) -> Known | None:
        """Return the first of these watches that there is, as far as this process knows, if it may be seen."""
        found = (known for each in ids if self._table and (known := self._table.get(each)) is not None)
        known = next(found, None)
        return known if known is not None and _may_see(wanted, known) else None

    async def _catch_up(self) -> None:
        """Return once every opening is known that Kafka has: another replica may have been first. Raises `Blind`."""
        if self._table is None:
            return
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._table.catch_up()
        except (KafkaAway, TopicsError, TimeoutError):
            raise Blind from None
        except asyncio.CancelledError:
            if is_cancelled():
                raise
            raise Blind from None  # a stray one, as in `Following.follow`

    def _check_polled(self, known: Known) -> None:
        """Return if an SMS may come. Raises `AccountPaused`."""
        if known.watch is not None and (why := self._paused(known.watch.account)) is not None:
            raise AccountPaused(why)

    def _ended(self, watch_id: str) -> Ended | None:
        known = self._table.get(watch_id) if self._table else None
        if known is None or known.ended is None:
            return None
        return Ended(known.ended, known.sms_count, known.state is not None and is_cancelled_here(known.state))

    # ---- streams -------------------------------------------------------------------------------------------------

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        query = _asked(request, STREAM)
        if last := request.headers.get(LAST_EVENT):
            query = query._replace(since=last)
            if not is_cursor(last):
                raise WrongQuery(NOT_A_CURSOR.format(LAST_EVENT))
        named = LAST_EVENT if last else "since"
        cursor = await self._begin(query, named) if query.since else self._inbox.here(query.filter)
        response = web.StreamResponse(headers=STREAM_HEADERS)
        try:
            async with self._inbox.lasting.one():
                await response.prepare(request)
                await self._send(response, query.filter, cursor)
        except (ConnectionError, TimeoutError, Gone, Closing):  # the client has gone, or is too slow: it may resume
            if not response.prepared:
                raise
        return response

    async def _send(self, response: web.StreamResponse, wanted: Filter, cursor: Cursor) -> None:
        await _write(response, greeting(cursor))
        async with aclosing(self._inbox.stream(wanted, cursor, idle=PING_EVERY)) as pages:
            async for page in pages:
                for piece in frames(page):
                    await _write(response, piece)


def _asked(request: web.Request, names: Iterable[str]) -> Query:
    """Parse a request that has these parameters. Raises `WrongQuery`, and `OtherAccount` where one is named."""
    query, among = query_in(request.query.items(), names), accounts_of(request)
    wanted = query.filter._replace(among=among)
    if among is not None and wanted.account is not None and not wanted.may_see(wanted.account):
        raise OtherAccount(", ".join(among))
    return query._replace(filter=wanted, only_codes=wants_text(request))


def _may_see(wanted: Filter, known: Known) -> bool:
    return wanted.among is None or (known.watch is not None and wanted.may_see(known.watch.account))


def _watch_ids(wanted: Filter) -> list[str]:
    """Return the ids of the watches that may be meant, an activation's first; none: no watch is."""
    if wanted.watch_id:
        return [wanted.watch_id]
    if not (wanted.account and wanted.order_id):
        return []
    return [id_of_watch(wanted.account, kind, wanted.order_id) for kind in ("activation", "rent")]


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(WRITE_SECONDS):
        await response.write(data)
