"""Where a run happens, whatever runs in it: clock, loops, Kafka, randomness; and the notes of what happened."""

import random
from collections.abc import Coroutine
from typing import Any

import structlog

from tests.simulation.faults import Faults
from tests.simulation.kafka import Kafka
from tests.simulation.loop import Driver


class Place:
    """Made for one seed; whoever extends it fills it and lets time pass."""

    def __init__(self, seed: int, hours: float) -> None:
        self.seed = seed
        self.seconds = hours * 3600
        self.driver = Driver(self.random("order"))
        self.clock = self.driver.clock
        self.loop = self.driver.loop("town")
        self.loop.is_judged = False
        self.faults = Faults(self.random("faults"))
        self.kafka = Kafka(self.loop, self.faults)
        self.notes: list[tuple[float, str, str]] = []

    def random(self, what: str) -> random.Random:
        """Return randomness for this purpose alone, so that one purpose more does not change the others."""
        return random.Random(f"{self.seed} {what}")

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this on the place's loop."""
        self.loop.create_task(work)

    def note(self, what: str, whom: str) -> None:
        """Remember that this happened."""
        self.notes.append((self.loop.time(), what, whom))

    def listen(self) -> None:
        """Hear what is logged."""
        structlog.configure(processors=[self._logged])

    def is_expected(self, name: str, event: dict[str, Any]) -> bool:
        """Tell whether a run in which things break may log this as an error."""
        raise NotImplementedError

    def _logged(self, _logger: object, level: str, event: dict[str, Any]) -> dict[str, Any]:
        name = str(event.get("event"))
        if level in {"error", "exception", "critical"} and not self.is_expected(name, event):
            self.driver.errors.append(f"{name}: {event.get('reason') or event.get('exc_info')!r}")
        elif level == "warning":
            self.note("warned", name)
        raise structlog.DropEvent
