"""The two kinds of order: an activation shows its present state, a rent all SMS that it received."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import ClassVar, Final

from sandbox.sms import OrderKind, Provider, Sms

FORGOTTEN_AFTER: Final = 600.0  # seconds after its end until the provider no longer knows an activation


class Phase(Enum):
    """The phase of an activation."""

    WAIT = auto()
    SMS = auto()
    RETRY = auto()
    CANCELLED = auto()  # by us, or because its time has run out
    FINISHED = auto()


ENDED: Final = frozenset({Phase.CANCELLED, Phase.FINISHED})


@dataclass(frozen=True)
class State:
    """The state of an activation since a time. `sms`: the one that is shown, or the one before the awaited one."""

    since: float
    phase: Phase
    sms: Sms | None = None


@dataclass
class Order:
    """What activations and rents have in common."""

    provider: Provider
    id: str
    number: str
    service: str
    country: str
    opened: float
    ends: float
    sms: list[Sms] = field(default_factory=list)
    closed: float | None = None
    """When a request finished or cancelled it, whether or not the response arrived."""

    kind: ClassVar[OrderKind]

    def arrived(self, now: float) -> list[Sms]:
        """Return the SMS that have arrived so far, oldest first; what comes after the end is lost."""
        return [sms for sms in self.sms if sms.at <= now and sms.at < self.ends]

    def add(self, sms: Iterable[Sms]) -> None:
        """Plan more SMS, oldest first; none arrives before an SMS that is planned already."""
        for one in sms:
            one.at = max(one.at, self.sms[-1].at) if self.sms else one.at
            self.sms.append(one)


@dataclass
class Activation(Order):
    """Shows one SMS at a time; the next becomes visible `gap` seconds after it was requested."""

    kind = "activation"

    gap: float = 1.0
    _states: list[State] = field(default_factory=list)
    _position: int = 0  # how many SMS were shown so far

    def state(self, now: float, lag: float = 0.0) -> State:
        """Return the state; the previous one if the change is at most `lag` seconds old.

        Never the SMS again once a response has shown the wait for the next one: that could not be distinguished from an
        equal code.
        """
        self._roll(now)
        newest = self._states[-1]
        forbidden = newest.phase is Phase.RETRY and newest.sms is not None and newest.sms.passed is not None
        stale = lag > 0 and len(self._states) > 1 and now - newest.since <= lag and not forbidden
        return self._states[-2] if stale else newest

    def next(self, now: float) -> None:
        """Wait for the next SMS; no effect while one is awaited already."""
        state = self.state(now)
        if state.phase is Phase.SMS:
            self._states.append(State(now, Phase.RETRY, state.sms))

    def close(self, now: float, phase: Phase) -> None:
        """End it as cancelled or finished."""
        state = self.state(now)
        if state.phase not in ENDED:
            self.ends = self.closed = now
            self._states.append(State(now, phase, state.sms))

    def over(self, now: float) -> bool:
        """Return whether it was ended, or its time is over."""
        return self.state(now).phase in ENDED

    def forgotten(self, now: float) -> bool:
        """Return whether the provider no longer knows it: at once if finished, later if cancelled or expired."""
        state = self.state(now)
        return state.phase is Phase.FINISHED or (state.phase in ENDED and now - state.since > FORGOTTEN_AFTER)

    def _roll(self, now: float) -> None:
        self._states = self._states or [State(self.opened, Phase.WAIT)]
        while (following := self._following()) is not None and following.since <= now:
            self._states.append(following)
            self._position += following.phase is Phase.SMS

    def _following(self) -> State | None:
        """Return the next state that comes without a request; None: there is none."""
        state = self._states[-1]
        if state.phase in ENDED:
            return None
        over = State(self.ends, Phase.CANCELLED, state.sms)
        if state.phase is Phase.SMS or self._position == len(self.sms):
            return over
        awaited = self.sms[self._position]
        visible = max(awaited.at, state.since + (self.gap if state.phase is Phase.RETRY else 0.0))
        return State(visible, Phase.SMS, awaited) if visible < self.ends else over


@dataclass
class Rent(Order):
    """Shows every SMS that it has received, newest first."""

    kind = "rent"

    ended: Phase | None = None  # by us

    def listing(self, now: float, lag: float = 0.0) -> list[Sms]:
        """Return the SMS that it shows; without the newest if that came at most `lag` seconds ago."""
        arrived = self.arrived(now)
        if lag > 0 and arrived and now - arrived[-1].at <= lag:
            arrived.pop()
        return arrived[::-1]

    def over(self, now: float) -> bool:
        """Return whether it was ended, or its time is over."""
        return self.ended is not None or now >= self.ends

    def close(self, now: float, phase: Phase) -> None:
        """End it as cancelled or finished."""
        self.ended = phase
        self.closed = now if self.closed is None else self.closed
        self.ends = min(self.ends, now)
