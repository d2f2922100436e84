"""What a scenario is made of."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulation.town import Town

Begin = Callable[["Town"], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Plan:
    """One scenario: what begins with it, and what is expected of its delays."""

    name: str
    begins: tuple[Begin, ...]
    rate: float = 2.0
    """Requests a second of each account."""
    replicas: int = 1
    mean_below: float | None = None
    """Seconds of delay; None: the formula of the interval alone decides."""
    p99_below: float | None = None
    clocks_wrong_by: float = 0.0
    """Seconds by which a replica's wall clock may be wrong at most."""
    lists: bool = True
    """GrizzlySMS offers its list of open activations."""
    bad: bool = False
    """The providers' answers fail now and then."""
    strands: bool = False
    """What happens keeps a few SMS waiting for minutes, wherever it falls in the run."""
