"""What an inbox does with the service's answers, without a network: generators that ask, and are sent the answers."""

import re
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

SHORTEST = 1.0  # seconds of waiting in a request
A_WAIT = 55.0  # seconds: the longest that one request may take
RETRY = 0.5  # seconds, where the service is not ready
REQUEST = 5.0  # seconds

T = TypeVar("T")


class Ask(NamedTuple):
    """A GET to send, after a pause."""

    path: str
    parameters: Mapping[str, str]
    pause: float = 0.0


class Answer(NamedTuple):
    """Its answer; status 0: the service did not respond."""

    status: int
    content: Mapping[str, Any]


Steps = Generator[Ask, Answer, T]


class NoSms(AssertionError):
    """The SMS that a test waits for did not come."""


class SmsbusError(Exception):
    """The service refuses a request. The text says why."""


@dataclass(frozen=True)
class Sms:
    """A received SMS."""

    text: str | None
    code: str | None
    recipient: str | None
    sender: str | None
    event: Mapping[str, Any] = field(repr=False)
    """The whole event, as on the topic."""

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Sms":
        """Read an event."""
        return cls(event.get("text"), event.get("code"), event.get("recipient"), event.get("sender"), event)


class Waiting:
    """One number's SMS since `begin`. What came and was not returned waits for the next call."""

    def __init__(self, number: str, *, reveal: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self.number = number
        self._reveal = reveal
        self._clock = clock
        self._cursor: str | None = None
        self._unreturned: list[Sms] = []

    def begin(self, seconds: float = 30.0) -> Steps[None]:
        """Forget all that came before now."""
        content = yield from self._asked("/v1/cursor", dict, self._clock() + seconds)
        self._cursor, self._unreturned = content["cursor"], []

    def sms(self, seconds: float, match: str | None = None, *, with_code: bool = False) -> Steps[Sms]:
        """Return the first SMS that matches. Raises `NoSms`."""
        deadline, pattern = self._until(seconds), re.compile(match) if match else None
        while True:
            for index, sms in enumerate(self._unreturned):
                if (pattern is None or pattern.search(sms.text or "")) and (sms.code or not with_code):
                    return self._unreturned.pop(index)
            if not (yield from self._more(deadline)):
                wanted = f"an SMS{' with a code' if with_code else ''}{f' that matches {match!r}' if match else ''}"
                raise NoSms(self._instead(f"{wanted} within {seconds:g} s"))

    def count(self, count: int, seconds: float) -> Steps[list[Sms]]:
        """Return so many SMS, in order. Raises `NoSms`."""
        deadline = self._until(seconds)
        while len(self._unreturned) < count:
            if not (yield from self._more(deadline)):
                raise NoSms(self._instead(f"{count} SMS within {seconds:g} s"))
        returned, self._unreturned = self._unreturned[:count], self._unreturned[count:]
        return returned

    def none(self, seconds: float) -> Steps[None]:
        """Return if nothing comes within so many seconds. Raises AssertionError."""
        if self._unreturned or (yield from self._more(self._until(seconds))):
            raise AssertionError(self._instead(f"no SMS within {seconds:g} s"))

    def _until(self, seconds: float) -> float:
        """Return the deadline: without one request nobody knows what came."""
        return self._clock() + max(seconds, SHORTEST)

    def _more(self, deadline: float) -> Steps[bool]:
        """Add the next SMS to those that wait; False: none came in time."""

        def parameters() -> Mapping[str, str]:
            seconds = int(min(deadline - self._clock(), A_WAIT))
            return {"recipient": self.number, "since": self._cursor or "", "timeout": str(max(seconds, 1))}

        while self._clock() < deadline:
            content = yield from self._asked("/v1/wait", parameters, deadline)
            self._cursor = content["cursor"]
            if content["items"]:
                self._unreturned += map(Sms.of, content["items"])
                return True
        return False

    def _asked(
        self, path: str, parameters: Callable[[], Mapping[str, str]], deadline: float
    ) -> Steps[Mapping[str, Any]]:
        """Ask until there is an answer that counts, each time for what is left. Raises `SmsbusError`."""
        answer = yield Ask(path, parameters())
        while answer.status in {0, 503} and self._clock() < deadline:
            answer = yield Ask(path, parameters(), RETRY)
        if answer.status != 200:
            raise SmsbusError(str(answer.content.get("detail", f"the service answers {answer.status}")))
        return answer.content

    def _instead(self, wanted: str) -> str:
        number = self.number if self._reveal else _masked(self.number)
        came = [f"  {sms.text!r}" if self._reveal else f"  {_masked(sms.text or '')}" for sms in self._unreturned]
        listed = "\n".join(["these came, and were not asked for:", *came]) if came else "nothing else came"
        hint = "" if self._reveal or not came else "\n(masked, since logs of tests are often public: --sms-reveal)"
        return f"expected {wanted} at {number}; {listed}{hint}"


def _masked(text: str) -> str:
    return re.sub(r"\w", "•", text[:-2]) + text[-2:] if text.isdecimal() else re.sub(r"\w", "•", text)
