"""The health of the bus. Each alarm has a machine-readable reason, and is logged when it begins and when it ends."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from bus.ending import end
from bus.kafka.client import KafkaAway

log = structlog.get_logger()

ASK_EVERY: Final = 5.0  # seconds between two checks of the topics, while nothing is acknowledged
LOOK_EVERY: Final = 300.0  # seconds between two while all is well: what was changed would stop the next start
TOPIC_FORBIDDEN: Final = "TopicAuthorizationFailedError"
FORBIDDEN: Final = frozenset({TOPIC_FORBIDDEN, "ClusterAuthorizationFailedError"})
FORBIDDEN_WORDS: Final = (
    "Kafka does not let us write to {}: give this user Write and Describe on it, and IdempotentWrite"
)
QUIET: Final = 60.0  # seconds after the last refused record, until that is over


RIGHTS: Final = "`smsbus topics print` prints the rights that this user needs, and an administrator gives them"
UNREACHABLE: Final = "`smsbus check` asks each broker, and says which setting is wrong or what is not there"
HINTS: Final = {
    "KafkaConnectionError": UNREACHABLE,
    "unreachable": UNREACHABLE,
    "ClusterAuthorizationFailedError": RIGHTS,
    "GroupAuthorizationFailedError": RIGHTS,
    "TopicAuthorizationFailedError": RIGHTS,
    "TransactionalIdAuthorizationFailed": RIGHTS,
    "InvalidTimestampError": "this machine's clock is too far ahead of the brokers': correct it",
    "journal_row_damaged": "no broker refused it: what is left of it is a dead letter, whose refused_id is this id: "
    "`smsbus rejected list --reason journal_row_damaged`",
    "too_large_for_the_topic": "`smsbus topics check` prints the command that raises its max.message.bytes",
    "silent": "brokers answer and acknowledge nothing: `smsbus topics check` says if too few replicas are in sync; "
    "with event_loop_late this process is too busy to read their responses",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """The state of the bus, for readiness and metrics."""

    can_accept: bool
    kafka_connected: bool
    journal_rows: int
    journal_bytes: int
    journal_oldest_seconds: float
    degraded: tuple[str, ...] = field(default=())


def hint(error: str) -> dict[str, str]:
    """Return a hint as fields for the log; empty if the error's name is enough."""
    return {"hint": HINTS[error]} if error in HINTS else {}


class Alarm:
    """A problem that exists or not. Only changes are logged: as `word`, and at its end as `word_no_more`."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.holds = False
        self._over = f"{word}_no_more"

    def begin(self, **facts: Any) -> None:  # noqa: ANN401 - structlog's
        """The problem exists; log it if that is new."""
        if not self.holds:
            log.error(self.word, **facts)
        self.holds = True

    def end(self, **facts: Any) -> None:  # noqa: ANN401 - structlog's
        """The problem does not exist (any longer); log it if that is new."""
        if self.holds:
            log.info(self._over, **facts)
        self.holds = False


class TopicsAlarm:
    """The alarm for misconfigured topics, checked while Kafka acknowledges nothing, and now and then."""

    def __init__(self, check: Callable[[], Awaitable[list[str]]]) -> None:
        """`check` is `bus.kafka.topics.check` of an installation."""
        self.alarm = Alarm("topics_misconfigured")
        self._check = check
        self._asking: asyncio.Task[None] | None = None
        self._ask_at = 0.0
        self._look_at: float | None = None
        self._found = False  # something, although all is accepted

    def update(self, error: str | None, wrong: Mapping[str, str], now: float) -> None:
        """Check in the background, at a limited rate.

        `error`: why Kafka accepts nothing; None: it does. `wrong`: each topic that accepts nothing, and why.
        """
        forbidden = sorted(topic for topic, reason in wrong.items() if reason in FORBIDDEN)
        if forbidden or error in FORBIDDEN:
            self.alarm.begin(problems=[FORBIDDEN_WORDS.format(each) for each in forbidden or ["our topics"]])
            return
        is_well = error is None and not wrong
        if is_well and not self._found:
            self.alarm.end()
            self._look_at = self._look_at or now + LOOK_EVERY  # a start has just checked them
            due = self._look_at
        else:
            due = self._ask_at
        if now >= due and (self._asking is None or self._asking.done()):
            self._ask_at, self._look_at = now + ASK_EVERY, now + LOOK_EVERY
            self._asking = asyncio.create_task(self._ask(is_well=is_well))

    async def stop(self) -> None:
        """Stop checking."""
        await end(self._asking)

    async def _ask(self, *, is_well: bool) -> None:
        with suppress(KafkaAway):  # no broker responds: that is another alarm
            problems = await self._check()
            self._found = is_well and bool(problems)
            if problems:
                self.alarm.begin(problems=problems)
            else:
                self.alarm.end()


class Refusals:
    """Records that are refused one by one: the first one is logged, and their number at the end."""

    def __init__(self, word: str, **facts: Any) -> None:  # noqa: ANN401 - structlog's
        """The word is that of an `Alarm`; the facts are in both of its log lines."""
        self.alarm = Alarm(word)
        self._facts = facts
        self._count = 0
        self._last = 0.0

    def add(self, *, now: float, **facts: Any) -> None:  # noqa: ANN401 - structlog's
        """Count one more refused record."""
        self._count, self._last = self._count + 1, now
        self.alarm.begin(**self._facts, **facts)

    def postpone(self, now: float) -> None:
        """Note that none can be refused at the moment, so the alarm must not end yet."""
        self._last = now

    def update(self, now: float) -> None:
        """End the alarm if nothing was refused for QUIET seconds."""
        if now - self._last > QUIET:
            self.end()

    def end(self) -> None:
        """End the alarm, if it is on."""
        self.alarm.end(**self._facts, records=self._count)
        self._count = 0
