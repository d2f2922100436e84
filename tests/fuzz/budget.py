"""How much is tried: twelve seconds for all of tests/fuzz, or as many minutes as FUZZ_MINUTES says.

Two tests elsewhere have this budget too: of the lane, and of the two ways through the receiver.

The twelve seconds are derandomized, so that `make test` tries the same every time and does not flicker. More draw new
examples each time; what they find is kept in `.hypothesis/` and tried first the next time. Either way a failing test
prints its smallest example (`Falsifying example: …`) and the `@reproduce_failure` line that brings it back.
"""

import os
from typing import Final

from hypothesis import HealthCheck, settings

MINUTES: Final = float(os.environ.get("FUZZ_MINUTES", "0.2"))
TIMEOUT: Final = 120 + 60 * MINUTES
"""Seconds after which one test hangs rather than searches."""

settings.register_profile(
    "fuzz",
    deadline=None,
    print_blob=True,
    derandomize=MINUTES < 1,
    database=None if MINUTES < 1 else settings.default.database,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def fuzzed(examples: int) -> settings:
    """Return the settings of a test that tries so many examples a minute of all."""
    return settings(settings.get_profile("fuzz"), max_examples=int(examples * MINUTES))
