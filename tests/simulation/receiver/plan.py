"""What a scenario of the receiver is made of."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulation.receiver.town import ReceiverTown

Begin = Callable[["ReceiverTown"], Coroutine[Any, Any, None]]
KIB = 1024


@dataclass(frozen=True)
class ReceiverPlan:
    """One scenario: what begins with it, and the settings, smaller than usual so that hours meet every bound."""

    name: str
    begins: tuple[Begin, ...]
    receivers: int = 1
    accounts: tuple[str, ...] = ("shop", "club")
    bus: Mapping[str, object] = field(default_factory=dict)
    receiver: Mapping[str, object] = field(default_factory=dict)

    def settings(self) -> dict[str, dict[str, object]]:
        """Return the sections of smsbus.toml."""
        return {
            "bus": {"journal_max_bytes": 1024 * KIB, "dedup_cache_size": 500, **self.bus},
            "receiver": {"allowance": 16 * KIB, "max_in_flight": 100, "max_connections": 200, **self.receiver},
        }
