"""What goes wrong with the next answer, drawn from the bad days that are on."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Final

from sandbox.settings import BadDay
from sandbox.sms import Provider

REFUSALS: Final = frozenset({"429", "html", "empty", "5xx"})  # the question is not even looked at
DELIVERIES: Final = frozenset({"reset", "truncated", "slow"})  # the question has its effect, the answer suffers


@dataclass(frozen=True)
class Troubles:
    """What goes wrong with one answer."""

    refusal: BadDay | None = None
    delivery: BadDay | None = None
    wrong_key: bool = False
    foreign: bool = False
    lag: float = 0.0  # seconds
    clock: float = 0.0  # seconds


@dataclass
class BadDays:
    """The bad days of a run; `days` may change while it goes on. What was drawn is counted in `happened`."""

    days: list[BadDay]
    rng: Random
    happened: Counter[tuple[str, str]] = field(default_factory=Counter)

    def draw(self, provider: Provider, elapsed: float) -> Troubles:
        """Return what goes wrong now, so many seconds after the start; the first of a sort wins."""
        hit = [day for day in self.days if day.covers(provider, elapsed) and self.rng.random() < day.share]
        refusal = next((day for day in hit if day.kind in REFUSALS), None)
        rest = [] if refusal else [day for day in hit if day.kind not in REFUSALS]
        delivery = next((day for day in rest if day.kind in DELIVERIES), None)
        for kind in {day.kind for day in (refusal, delivery, *rest) if day}:
            if kind not in DELIVERIES or (delivery and kind == delivery.kind):
                self.happened[provider, kind] += 1
        return Troubles(
            refusal,
            delivery,
            any(day.kind == "wrong_key" for day in rest),
            any(day.kind == "foreign" for day in rest),
            max((day.length for day in rest if day.kind in {"stale", "flapping"}), default=0.0),
            sum(day.length for day in rest if day.kind == "clock"),
        )
