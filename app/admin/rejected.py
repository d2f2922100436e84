"""Replaying one dead letter over HTTP, for the page: `smsbus rejected replay ID`, of a letter that the inbox has."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from app.admin.inbox import READY_SECONDS
from app.admin.problems import problem, said
from app.admin.watch_messages import sentences
from app.rejected.letters import Letter
from app.rejected.parsing import callers, outcomes
from app.rejected.replaying import Plan, publish, published
from bus.kafka.client import KafkaAway
from bus.kafka.reader import ReadRecord
from bus.kafka.writer import WriteForbidden
from bus.settings import KafkaSettings
from inbox.asking import Inbox
from receiver.settings import PingMeAccount

REPLAY: Final = "/v1/rejected/{id}/replay"
READ_SECONDS: Final = 20.0  # this process has other work, and a page does not wait for longer
UNKNOWN: Final = "It is no dead letter in the inbox: `smsbus rejected replay ID` finds those of the last 14 days."
TOO_LONG: Final = (
    f"Whether it is on the topic already is not known after {READ_SECONDS:.0f} seconds, so nothing was "
    "published: `smsbus rejected replay ID` has more time."
)
AWAY: Final = "Kafka does not respond. Ask again: what was published already is not published once more."

_log = structlog.get_logger("smsbus")


class ReplayRequest(BaseModel):
    """The body; an empty one is an empty object."""

    model_config = ConfigDict(strict=True, extra="forbid")

    dry_run: bool = False
    """Publish nothing, only say what would be."""


class TooLong(Exception):
    """There is more to read than there is time for."""


class RejectedApi:
    """`POST /v1/rejected/{id}/replay`. The listener checks the token (`app.admin.token`)."""

    def __init__(
        self,
        inbox: Inbox,
        kafka: KafkaSettings,
        accounts: Callable[[], Sequence[PingMeAccount]],
        *,
        instance: str,
        now_ms: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`accounts` returns those of the present settings: one of them may be why a callback was refused."""
        self._inbox = inbox
        self._kafka = kafka
        self._accounts = accounts
        self._instance = instance
        self._now_ms = now_ms
        self._clock = clock
        self._lock = asyncio.Lock()  # who clicks twice publishes once

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Mount the route."""
        router.add_post(REPLAY, self._replay)

    async def _replay(self, request: web.Request) -> web.Response:
        try:
            asked = ReplayRequest.model_validate_json(await request.read() or b"{}")
        except ValidationError as error:
            return problem(400, "invalid_request", said(sentences(error, "this request", ReplayRequest.model_fields)))
        if not await self._inbox.following.wait_filled(READY_SECONDS):
            return problem(503, "not_ready", "The inbox is still reading what was published. Try again.")
        letter = self._letter(request.match_info["id"])
        if letter is None:
            return problem(404, "unknown_letter", UNKNOWN)
        return await self._answer(letter, dry_run=asked.dry_run)

    async def _answer(self, letter: Letter, *, dry_run: bool) -> web.Response:
        try:
            async with self._lock:
                return await self._replayed(letter, dry_run=dry_run)
        except TooLong:
            return problem(503, "too_long", TOO_LONG)
        except WriteForbidden as forbidden:
            return problem(403, "forbidden", f"{forbidden}.")
        except KafkaAway:
            return problem(503, "kafka_away", AWAY)

    def _letter(self, name: str) -> Letter | None:
        item = self._inbox.get(name)
        try:
            return Letter.model_validate_json(item.value) if item is not None else None
        except ValidationError:
            return None

    async def _replayed(self, letter: Letter, *, dry_run: bool) -> web.Response:
        plan = Plan()
        plan.add(letter.id, await asyncio.to_thread(outcomes, letter, callers(self._accounts())))
        if plan.sms:
            plan.leave(await published(self._kafka, plan, self._hurry()))
        is_published = bool(plan.sms) and not dry_run
        if is_published:
            _log.info("rejected_command", command="replay", letter=letter.id, sms=len(plan.sms))
            async for _ in publish(self._kafka, plan, instance=self._instance, now_ms=self._now_ms):
                pass
        return web.json_response({**plan.as_json(), "published": is_published})

    def _hurry(self) -> Callable[[ReadRecord], None]:
        deadline = self._clock() + READ_SECONDS

        def read(_: ReadRecord) -> None:
            if self._clock() > deadline:
                raise TooLong

        return read
