"""What to do next with one event, after what its target said. Pure: no clock, no network.

Only the target's 2xx is success. While it is in trouble its partition waits, without limit; an event that the target
refuses by itself gets five tries, then it is a dead letter; a target that is gone is stopped.
"""

from typing import Final, NamedTuple

TRIES: Final = 5  # of an event that the target refuses
FIRST_PAUSE: Final = 1.0  # seconds; doubled after each failure
LONGEST_PAUSE: Final = 60.0
LONGEST_ASKED: Final = 3600.0  # of a target's Retry-After; a mistake there must not stop everything for a year
GONE: Final = 410
TEMPORARY: Final = frozenset({408, 425, 429})
"""Statuses below 500 that say nothing of the event."""


class Response(NamedTuple):
    """The target's response."""

    status: int
    retry_after: float | None = None
    """Seconds."""


class NoResponse(NamedTuple):
    """There is none. The target may have taken the event nevertheless."""

    reason: str
    """A machine word."""


class Sent(NamedTuple):
    """The target has taken the event."""

    status: int


class Pause(NamedTuple):
    """Send it again after so many seconds."""

    seconds: float
    reason: str
    is_refusal: bool = False
    """It is about the event itself: so it is not sent without end."""


class Refuse(NamedTuple):
    """The target does not want this event: it becomes a dead letter, and the next one is sent."""

    status: int
    letter: str = ""
    """Its id, once it is in Kafka."""


class Stop(NamedTuple):
    """The target wants nothing any longer."""


Step = Sent | Pause | Refuse | Stop


class Tries(NamedTuple):
    """The tries of one event so far: all of them failed."""

    failures: int = 0
    refusals: int = 0
    """Failures that are about the event itself."""

    def after(self, outcome: Response | NoResponse, jitter: float) -> tuple["Tries", Step]:
        """Return the tries with this one, and what to do; `jitter` (0 to 1) spreads the pauses of many."""
        if isinstance(outcome, Response) and 200 <= outcome.status < 300:
            return self, Sent(outcome.status)
        if isinstance(outcome, Response) and outcome.status == GONE:
            return self, Stop()
        if isinstance(outcome, Response) and _is_about_the_event(outcome.status):
            tries = Tries(self.failures + 1, self.refusals + 1)
            if tries.refusals >= TRIES:
                return tries, Refuse(outcome.status)
        else:
            tries = Tries(self.failures + 1, self.refusals)
        is_refusal = tries.refusals > self.refusals
        return tries, Pause(_pause(tries.failures, outcome, jitter), _reason(outcome), is_refusal)


def _is_about_the_event(status: int) -> bool:
    return 400 <= status < 500 and status not in TEMPORARY


def _pause(failures: int, outcome: Response | NoResponse, jitter: float) -> float:
    own = min(FIRST_PAUSE * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE) * (0.75 + jitter / 2)
    if isinstance(outcome, NoResponse) or _is_about_the_event(outcome.status):
        return own
    return max(own, min(outcome.retry_after or 0.0, LONGEST_ASKED))


def _reason(outcome: Response | NoResponse) -> str:
    return f"http_{outcome.status}" if isinstance(outcome, Response) else outcome.reason
