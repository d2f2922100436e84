"""What goes wrong with Kafka in a run, drawn from the run's seed."""

import random
from dataclasses import dataclass
from typing import Literal

Fate = Literal["done", "refused", "unknown"]


@dataclass
class Faults:
    """Shares of what is asked, and seconds. All may be changed while a run goes on."""

    rng: random.Random
    refused: float = 0.0
    """Of commits that are not applied, and say so."""
    unknown: float = 0.0
    """Of commits that are applied although they say the opposite."""
    full: float = 0.0
    """Of messages that the bus does not take: Kafka slow, the disk full."""
    slow: float = 0.0
    """Of requests that take up to three seconds."""

    def fate(self) -> Fate:
        """Return what becomes of the next commit."""
        drawn = self.rng.random()
        if drawn < self.refused:
            return "refused"
        return "unknown" if drawn < self.refused + self.unknown else "done"

    def is_full(self) -> bool:
        """Tell whether the next message is not taken."""
        return self.full > 0 and self.rng.random() < self.full

    def way(self) -> float:
        """Return the seconds that a request or an answer is under way."""
        if self.slow and self.rng.random() < self.slow:
            return self.rng.uniform(0.1, 3.0)
        return self.rng.uniform(0.001, 0.015)
