"""The scenarios, each a small plan. What happens in them is in `happenings`."""

from collections.abc import Mapping
from typing import Final

from tests.simulation import happenings as does
from tests.simulation.plan import Plan

SCENARIOS: Final[Mapping[str, Plan]] = {
    plan.name: plan
    for plan in (
        Plan("quiet", (does.customers(per_minute=2),), mean_below=6.0),
        Plan("business", (does.customers(per_minute=20),), mean_below=50.0),
    )
}
