"""Waiting for an SMS as a client of the service: through restarts, without missing one, and never for an old one."""

import asyncio
import math
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from app.durations import seconds_in
from app.service import Answer, NotReached, Service, ServiceError
from schemas.identity import watch_id as id_of_watch

A_WAIT: Final = 55  # seconds: the longest that one request may take
FIRST_WAIT: Final = 1  # seconds, until there is an answer: with its cursor no outage makes us miss anything
LONG_AGO: Final = 500_000  # seconds: of those it does not matter when the question was asked
RETRY: Final = 1.0
STARTING: Final = 5.0  # seconds in which a service that was not reached yet may start
LATE: Final = 3.0  # seconds after the time is over in which an answer may still come
MANY: Final = 1_000  # SMS of a number in so short a time: as many as one request lists
JUST_BEFORE: Final = 60  # seconds before a wait in which an SMS may be the one that is meant
SILENT: Final = "the service did not answer in time"
MAY_NOT_OPEN: Final = (
    "this token sees no watch of {order} and may not open one (admin.read_token; admin.read_accounts says which "
    "accounts it sees): run `smsbus watch add {order}` where smsbus runs, or set SMSBUS_TOKEN to the admin token"
)

OPENED: Final = "{order} was not watched: it is from now on"
NO_CODE: Final = "an SMS came in which no code is recognized, and this waits on: --text takes it, too"
NO_MATCH: Final = "an SMS came whose text does not match, and this waits on"
BACK: Final = "the service answers again"
NO_NUMBER: Final = (
    ", without its number: where the provider does not name it, its SMS do not either (--number NUMBER gives it)"
)

WRONG: Final = {"invalid_query", "cursor_of_other_filters"}

Event = Mapping[str, Any]


class Wanted(NamedTuple):
    """What to wait for: the parameters of `GET /v1/wait` besides its `timeout`."""

    parameters: Mapping[str, str]
    match: re.Pattern[str] | None = None
    """Of the text."""
    rent: bool = False
    """The order is a rent: its SMS are not counted."""
    number: str | None = None
    """Of the order, for the watch that is opened where there is none."""
    codes: bool = False
    """Only an SMS with a code, which is for us to see: a cursor belongs to the parameters that it came with."""

    @property
    def is_order(self) -> bool:
        """Whether an order or a watch is named."""
        return "order_id" in self.parameters or "watch_id" in self.parameters

    def takes(self, event: Event) -> bool:
        """Tell whether it is one of those that are waited for, as far as the service does not choose."""
        has_it = event.get("code") is not None or not self.codes
        return has_it and (self.match is None or self.match.search(event.get("text") or "") is not None)


class WatchEnded(Exception):
    """The watch ended without such an SMS. The text says why."""


class WrongQuestion(Exception):
    """The parameters are wrong: it is not to be asked again. The text says which."""


class Unavailable(Exception):
    """Nobody can say now whether an SMS came: ask again later. The text says why."""


async def wait_for(service: Service, wanted: Wanted, seconds: float, say: Callable[[str], None]) -> Event | None:
    """Return the first SMS that is wanted; None: none came within so many seconds.

    `say` is told what delays it. Raises `ServiceError` where it cannot succeed, `Unavailable` where the time is over
    during an outage, so that one may have come, `WrongQuestion`, and `WatchEnded`.
    """
    waiter = _Waiter(service, wanted, seconds, say)
    try:
        async with asyncio.timeout(seconds + LATE):
            return await waiter.found()
    except TimeoutError:
        if waiter.outage:
            raise Unavailable(waiter.outage) from None
        return None


async def came_before(service: Service, wanted: Wanted, seconds: int) -> str | None:
    """Return the option that finds the newest SMS of the minute before a wait of so many seconds, or None.

    Of a number or a rent. Two that came at once cannot be told apart by a time.
    """
    if (wanted.is_order and not wanted.rent) or "since" in wanted.parameters:
        return None
    span = {"since": f"{seconds + JUST_BEFORE}s", "limit": str(MANY)}
    try:
        answer = await service.get("/v1/sms", {**wanted.parameters, **span})
    except ServiceError:
        return None
    times = sorted(event["observed_at"] for event in answer.content.get("items", []) if wanted.takes(event))
    return f"--since {times[-1]}" if times and times.count(times[-1]) == 1 else None


class _Waiter:
    def __init__(self, service: Service, wanted: Wanted, seconds: float, say: Callable[[str], None]) -> None:
        self.outage = ""
        """Why it is not known whether an SMS came; empty: none had come at the last answer."""
        self._service = service
        self._wanted = wanted
        self._parameters = _by_watch(wanted.parameters) if wanted.rent else dict(wanted.parameters)
        self._back = self._from_ago()  # seconds before our beginning, until there is a cursor to go on from
        self._tried = False
        self._say = say
        self._said = ""
        self._reached = False
        self._delayed = False  # and said so
        self._began = asyncio.get_running_loop().time()
        self._seconds = seconds
        self._longest = FIRST_WAIT

    async def found(self) -> Event | None:
        """Ask until an SMS matches; None: the time is over. Raises `TimeoutError` where it is over in an outage."""
        while True:
            answer = await self._asked()
            events: list[Event] = answer.content["items"]
            for event in events:
                if self._wanted.takes(event):
                    return event
                self._say_once(NO_MATCH if event.get("code") is not None or not self._wanted.codes else NO_CODE)
            if self._left() <= 0:
                return None
            self._go_on(answer)

    def _passed(self) -> float:
        return asyncio.get_running_loop().time() - self._began

    def _left(self) -> float:
        return self._seconds - self._passed()

    def _from_ago(self) -> int | None:
        """Take a duration of `since` out of the parameters; None: the beginning is not relative to now."""
        ago = seconds_in(self._parameters["since"]) if "since" in self._parameters else 0
        if ago is None or ago > LONG_AGO or (self._wanted.is_order and not self._wanted.rent and not ago):
            return None
        self._parameters.pop("since", None)
        return ago

    def _question(self) -> dict[str, str]:
        """Return the parameters for now. What began while nobody answered begins so long ago, by the service's clock.

        It lasts no longer than there is time, so that the answer says what is known by then.
        """
        asked = {**self._parameters, "timeout": str(max(1, min(self._longest, math.ceil(self._left()))))}
        ago = (self._back or 0) + (math.ceil(self._passed()) if self._tried else 0)
        self._tried = True
        return asked | {"since": f"{ago}s"} if self._back is not None and ago else asked

    def _go_on(self, answer: Answer) -> None:
        self._longest = A_WAIT
        if "next_sequence" in answer.content:
            self._parameters["sequence"] = str(answer.content["next_sequence"])
        else:
            self._parameters["since"], self._back = answer.content["cursor"], None

    async def _asked(self) -> Answer:
        """Ask again until there is an answer that counts."""
        while True:
            self.outage = SILENT
            try:
                answer = await self._service.get("/v1/wait", self._question())
                self._reached = True
                if answer.status == 200:
                    self._is_back()
                    return answer
                await self._refused(answer)
            except NotReached as error:
                if not self._reached and self._passed() > STARTING:
                    raise  # a wrong address, rather than a restart
                self.outage = str(error)
                if self._reached:
                    self._delayed_by(str(error))
            await asyncio.sleep(max(0, min(RETRY, self._left())))
            if self._left() <= 0:
                raise TimeoutError

    async def _refused(self, answer: Answer) -> None:
        """Return if it is worth to ask again."""
        if answer.status == 503:
            self._delayed_by(answer.detail)
        elif answer.reason == "watch_ended":
            raise WatchEnded(answer.detail)
        elif answer.reason in WRONG:
            raise WrongQuestion(answer.detail)
        elif answer.reason == "unknown_watch" and "order_id" in self._wanted.parameters:
            await self._open()
        else:
            raise ServiceError(answer.detail)

    async def _open(self) -> None:
        wanted = self._wanted
        order = {name: wanted.parameters[name] for name in ("account", "order_id")}
        known = {"recipient": wanted.number} if wanted.number is not None else {}
        asked = {**order, "order_kind": "rent" if wanted.rent else "activation", **known}
        answer = await self._service.post("/v1/watches", asked)
        named = shlex.join([*order.values(), *(["--rent"] if wanted.rent else [])])
        if answer.status == 503:
            self._delayed_by(answer.detail)
        elif answer.reason == "read_only":
            raise ServiceError(MAY_NOT_OPEN.format(order=named))
        elif answer.status not in {200, 201}:
            raise ServiceError(answer.detail)
        else:
            self.outage = ""
            self._say_once(OPENED.format(order=named) + ("" if known else NO_NUMBER))

    def _is_back(self) -> None:
        if self._delayed:
            self._say_once(BACK)
        self.outage, self._delayed = "", False

    def _delayed_by(self, outage: str) -> None:
        self.outage, self._delayed = outage, True
        self._say_once(outage)

    def _say_once(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._say(text)


def _by_watch(parameters: Mapping[str, str]) -> dict[str, str]:
    """Name a rent by its watch: the service takes an account and an order for the activation, if there is one."""
    if "order_id" not in parameters:
        return dict(parameters)
    others = {name: value for name, value in parameters.items() if name != "order_id"}
    return {**others, "watch_id": id_of_watch(parameters["account"], "rent", parameters["order_id"])}
