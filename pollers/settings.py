"""Settings of the pollers. Values only: `app/settings/load.py` reads the environment."""

from typing import Self

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator


class PollersSettings(BaseModel):
    """How often and how much at once to poll."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    # Shortest time between two polls of one order. The fastest scripts in use poll every second; no provider objects.
    min_interval: PositiveFloat = 1.0
    # Longest time between two polls, unless the account's budget is scarce. Used for orders whose SMS was seen: another
    # one, which nobody waits for, is still noticed within half a minute.
    max_interval: PositiveFloat = 30.0
    # For accounts that do not set it. No provider documents a limit; nobody was ever throttled at 1/s, bursts were.
    requests_per_second: PositiveFloat = 2.0
    # Polls in flight, of all accounts together. Measured: 16-64 is best, more only wait for each other.
    max_concurrent_polls: PositiveInt = 64
    # Seconds between two requests for an account's balance, for its metric: one in 7,200 of the usual budget. 0: none.
    balance_interval: NonNegativeFloat = 3600.0

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_interval > self.max_interval:
            message = "pollers.min_interval is longer than pollers.max_interval: raise one or lower the other"
            raise ValueError(message)
        return self
