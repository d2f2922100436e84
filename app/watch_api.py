"""Watches over HTTP, on the admin listener: what people and consumers ask for becomes a record on the watches topic.

Any replica answers; only the shard's owner acts. While Kafka is away commands are not accepted (503).
"""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web
from pydantic import SecretStr, ValidationError

from bus.client import KafkaAway
from bus.commands import CommandWriter
from pollers.watch_table import Known, WatchTable
from pollers.watches import DESIRES, WatchRequest, conflicts, with_desire, with_next
from schemas.messages import Watch

RETRY_AFTER: Final = "5"  # seconds


class WatchApi:
    """`POST /v1/watches`, `GET /v1/watches[/{id}]`, `POST /v1/watches/{id}/next|finish|cancel|stop`."""

    def __init__(
        self,
        table: WatchTable,
        writer: CommandWriter,
        *,
        accounts: frozenset[str],
        token: SecretStr | None,
        now_ms: Callable[[], int],
    ) -> None:
        """Take requests without a token when `token` is None: none is configured, and the listener is on loopback."""
        self._table = table
        self._writer = writer
        self._accounts = accounts
        self._token = token
        self._now_ms = now_ms

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Mount the routes."""
        router.add_post("/v1/watches", self._guarded(self._open))
        router.add_get("/v1/watches", self._guarded(self._list))
        router.add_get("/v1/watches/{id}", self._guarded(self._show))
        router.add_post("/v1/watches/{id}/{wish}", self._guarded(self._wish))

    def _guarded(
        self, answer: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def guarded(request: web.Request) -> web.Response:
            if not self._admits(request):
                return problem(401, "unauthorized", "Send the admin token: Authorization: Bearer …")
            if not self._table.filled:
                return problem(503, "not_ready", "The watches are still being read. Ask again.", RETRY_AFTER)
            try:
                return await answer(request)
            except KafkaAway:
                return problem(503, "kafka_away", "Commands are not kept while Kafka is away.", RETRY_AFTER)

        return guarded

    def _admits(self, request: web.Request) -> bool:
        if self._token is None:
            return True
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(shown.encode("utf-8", "surrogateescape"), self._token.get_secret_value().encode())

    async def _open(self, request: web.Request) -> web.Response:
        asked = await self._asked(request)
        if isinstance(asked, web.Response):
            return asked
        watch = asked.watch(self._now_ms())
        there = self._table.get(watch.watch_id)
        if there is None:
            await self._put(watch)
            return web.json_response({"watch_id": watch.watch_id}, status=201)
        if different := conflicts(there.watch, watch):
            detail = f"This watch is open with another {', '.join(different)}."
            return problem(409, "conflict", detail)
        return web.json_response({"watch_id": watch.watch_id})

    async def _asked(self, request: web.Request) -> WatchRequest | web.Response:
        try:
            asked = WatchRequest.model_validate_json(await request.read())
        except ValidationError as error:
            fields = sorted({".".join(map(str, each["loc"])) or "the body" for each in error.errors()})
            return problem(400, "invalid_watch", f"Wrong or missing: {', '.join(fields)}."[:300])
        if asked.account not in self._accounts:
            known = ", ".join(sorted(self._accounts)) or "none"
            return problem(400, "unknown_account", f"No such polling account is configured here; there are: {known}.")
        return asked

    async def _list(self, _: web.Request) -> web.Response:
        watches = await asyncio.to_thread(lambda: [told(known) for known in self._table.all()])
        return web.json_response({"watches": watches})

    async def _show(self, request: web.Request) -> web.Response:
        known = self._table.get(request.match_info["id"])
        return web.json_response(told(known)) if known else unknown_watch()

    async def _wish(self, request: web.Request) -> web.Response:
        wish = request.match_info["wish"]
        known = self._table.get(request.match_info["id"])
        if known is None:
            return unknown_watch()
        if wish not in {"next", *DESIRES}:
            return problem(404, "not_found", "A watch can be asked for next, stop, finish and cancel.")
        if known.ended is not None:
            return problem(409, "ended", "This watch has ended.")
        await self._put(wished(known, wish))
        return web.json_response({"watch_id": known.watch.watch_id, "wish": wish}, status=202)

    async def _put(self, watch: Watch) -> None:
        await self._writer.put(watch.key(), watch.to_json())
        self._table.put(watch)


def wished(known: Known, wish: str) -> Watch:
    """Return the watch with the wish in it: `next`, `stop`, `finish` or `cancel`."""
    if wish == "next":
        return with_next(known.watch, known.sms_count)
    return with_desire(known.watch, wish)


def told(known: Known) -> dict[str, Any]:
    """Return a watch and how far it has come, for people and for JSON."""
    watch: dict[str, Any] = json.loads(known.watch.to_json())
    seen = known.progress is not None
    return watch | {"sms_count": known.sms_count, "ended": known.ended, "seen_by_a_poller": seen}


def unknown_watch() -> web.Response:
    """Answer for an id that nobody opened."""
    return problem(404, "unknown_watch", "No such watch.")


def problem(status: int, reason: str, detail: str, retry_after: str | None = None) -> web.Response:
    """Answer an RFC 9457 problem that says nothing of what came in."""
    document = {"type": f"urn:smsbus:problem:{reason}", "title": reason.replace("_", " ").capitalize()}
    document |= {"status": status, "detail": detail, "reason": reason}  # type: ignore[dict-item] # a number
    headers = {"Retry-After": retry_after} if retry_after else {}
    return web.json_response(document, status=status, headers=headers, content_type="application/problem+json")
