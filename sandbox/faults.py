"""Which faults the next response has, drawn from the active ones."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Final

from sandbox.settings import Fault
from sandbox.sms import Provider

REPLACEMENTS: Final = frozenset({"429", "html", "empty", "5xx"})  # the request is not processed
DELIVERIES: Final = frozenset({"reset", "truncated", "slow"})  # the request is processed, the response is affected


@dataclass(frozen=True)
class ActiveFaults:
    """The faults of one response."""

    replacement: Fault | None = None
    delivery: Fault | None = None
    wrong_key: bool = False
    foreign: bool = False
    lag: float = 0.0  # seconds
    clock: float = 0.0  # seconds


@dataclass
class Faults:
    """The faults of a run; `faults` may change while it runs. What was drawn is counted in `happened`."""

    faults: list[Fault]
    rng: Random
    happened: Counter[tuple[str, str]] = field(default_factory=Counter)

    def draw(self, provider: Provider, elapsed: float) -> ActiveFaults:
        """Return the faults of a response, so many seconds after the start; the first of each type wins."""
        hit = [fault for fault in self.faults if fault.covers(provider, elapsed) and self.rng.random() < fault.share]
        replacement = next((fault for fault in hit if fault.kind in REPLACEMENTS), None)
        rest = [] if replacement else [fault for fault in hit if fault.kind not in REPLACEMENTS]
        delivery = next((fault for fault in rest if fault.kind in DELIVERIES), None)
        for kind in {fault.kind for fault in (replacement, delivery, *rest) if fault}:
            if kind not in DELIVERIES or (delivery and kind == delivery.kind):
                self.happened[provider, kind] += 1
        return ActiveFaults(
            replacement,
            delivery,
            any(fault.kind == "wrong_key" for fault in rest),
            any(fault.kind == "foreign" for fault in rest),
            max((fault.length for fault in rest if fault.kind in {"stale", "flapping"}), default=0.0),
            sum(fault.length for fault in rest if fault.kind == "clock"),
        )
