"""The scenarios of the inbox, each a small plan. What happens in them is in `town`, what is promised in `clients`."""

from collections.abc import Mapping
from typing import Final, NamedTuple

Limits = dict[str, float]


class InboxPlan(NamedTuple):
    """How much comes, how long it is kept, and how long everything takes. Times are in seconds."""

    name: str
    wide: Limits
    """The limits of replicas that forget by age alone."""
    narrow: tuple[Limits, Limits]
    """The limits of two replicas that forget sooner, each by another one of its limits."""
    pause: float
    """Between two writes of a few records, on average."""
    calm: tuple[float, float]
    """Between two troubles."""
    sleeps: tuple[float, ...]
    """For how long clients are away, on average."""
    lives: float
    """Of a replica until it is started again, on average."""
    looks: float
    """Between two looks at what the replicas say."""
    polls: float
    """Between two looks of a reader whether something came."""
    asks: float
    """Between two questions where the topics end, and until a silent stream says something."""


SCENARIOS: Final[Mapping[str, InboxPlan]] = {
    plan.name: plan
    for plan in (
        InboxPlan(
            "inbox_hours",
            wide={"hours": 0.2, "events": 50_000},
            narrow=({"hours": 0.05, "events": 1_000}, {"hours": 0.2, "events": 150}),
            pause=0.8,
            calm=(60.0, 240.0),
            sleeps=(60.0, 400.0, 1200.0),
            lives=1200.0,
            looks=0.25,
            polls=0.1,
            asks=1.0,
        ),
        InboxPlan(
            "inbox_days",
            wide={"hours": 24.0, "events": 50_000},
            narrow=({"hours": 24.0, "events": 20_000, "megabytes": 1}, {"hours": 3.0, "events": 20_000}),
            pause=15.0,
            calm=(900.0, 7200.0),
            sleeps=(600.0, 7200.0, 60_000.0),
            lives=14_400.0,
            looks=4.0,
            polls=0.5,
            asks=15.0,
        ),
    )
}
