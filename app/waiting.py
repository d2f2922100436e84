"""Waiting for an SMS as a client of the service: through restarts, without missing one, and never for an old one."""

import asyncio
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from app.service import Answer, NotReached, Service, ServiceError

A_WAIT: Final = 55  # seconds: the longest that one request may take
RETRY: Final = 1.0
STARTING: Final = 5.0  # seconds in which a service that was not reached yet may start
MAY_NOT_OPEN: Final = (
    "this token sees no watch of {order} and may not open one (admin.read_token; admin.read_accounts says which "
    "accounts it sees): run `smsbus watch add {order}` where smsbus runs, or set SMSBUS_TOKEN to the admin token"
)

Event = Mapping[str, Any]


class Wanted(NamedTuple):
    """What to wait for: the parameters of `GET /v1/wait` besides its `timeout`."""

    parameters: Mapping[str, str]
    match: re.Pattern[str] | None = None
    """Of the text."""
    rent: bool = False
    """The order is a rent: its SMS are not counted."""

    @property
    def is_order(self) -> bool:
        """Whether an order or a watch is named."""
        return "order_id" in self.parameters or "watch_id" in self.parameters


class WatchEnded(Exception):
    """The watch ended without such an SMS. The text says why."""


async def wait_for(service: Service, wanted: Wanted, seconds: float, say: Callable[[str], None]) -> Event | None:
    """Return the first SMS that is wanted; None: none came within so many seconds.

    `say` is told what delays it. Raises `ServiceError` where it cannot succeed, and `WatchEnded`.
    """
    waiter = _Waiter(service, wanted, say)
    try:
        async with asyncio.timeout(seconds):
            return await waiter.found()
    except TimeoutError:
        return None


class _Waiter:
    def __init__(self, service: Service, wanted: Wanted, say: Callable[[str], None]) -> None:
        self._service = service
        self._wanted = wanted
        self._parameters = dict(wanted.parameters)
        self._say = say
        self._said = ""
        self._reached = False
        self._began = asyncio.get_running_loop().time()

    async def found(self) -> Event:
        """Ask until an SMS matches."""
        if not self._wanted.is_order and "since" not in self._parameters:
            self._parameters["since"] = (await self._asked("/v1/cursor")).content["cursor"]
        while True:
            answer = await self._asked("/v1/wait", self._parameters | {"timeout": str(A_WAIT)})
            events: list[Event] = answer.content["items"]
            for event in events:
                if self._wanted.match is None or self._wanted.match.search(event.get("text") or ""):
                    return event
            self._go_on(answer)

    def _go_on(self, answer: Answer) -> None:
        if "next_sequence" in answer.content:
            self._parameters["sequence"] = str(answer.content["next_sequence"])
        else:
            self._parameters["since"] = answer.content["cursor"]

    async def _asked(self, path: str, parameters: Mapping[str, str] | None = None) -> Answer:
        """Ask again until there is an answer that counts."""
        while True:
            try:
                answer = await self._service.get(path, parameters)
            except NotReached as error:
                if not self._reached and asyncio.get_running_loop().time() - self._began > STARTING:
                    raise  # a wrong address, rather than a restart
                self._say_once(str(error))
            else:
                self._reached = True
                if answer.status == 200:
                    return answer
                await self._refused(answer)
            await asyncio.sleep(RETRY)

    async def _refused(self, answer: Answer) -> None:
        """Return if it is worth to ask again."""
        if answer.status == 503:
            self._say_once(answer.detail)
        elif answer.reason == "watch_ended":
            raise WatchEnded(answer.detail)
        elif answer.reason == "unknown_watch" and "order_id" in self._parameters:
            await self._open()
        else:
            raise ServiceError(answer.detail)

    async def _open(self) -> None:
        order = {name: self._parameters[name] for name in ("account", "order_id")}
        kind = "rent" if self._wanted.rent else "activation"
        answer = await self._service.post("/v1/watches", order | {"order_kind": kind})
        if answer.reason == "read_only":
            named = [*order.values(), *(["--rent"] if self._wanted.rent else [])]
            raise ServiceError(MAY_NOT_OPEN.format(order=shlex.join(named)))
        if answer.status not in {200, 201, 503}:
            raise ServiceError(answer.detail)

    def _say_once(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._say(text)
