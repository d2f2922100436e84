"""What a person can set about asking providers. Values only: `app/settings/load.py` reads the environment."""

from typing import Self

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt, model_validator


class PollersSettings(BaseModel):
    """How eagerly we ask."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    # Two looks at one order are never closer. The quickest scripts in use ask every second, no provider objects to it.
    min_interval: PositiveFloat = 1.0
    # Two looks are never further apart, unless the account's budget is scarce. The family's advice for an order whose
    # SMS was seen: what nobody waits for is still noticed within half a minute.
    max_interval: PositiveFloat = 30.0
    # Of an account that sets none itself. No provider states a limit; at 1/s nobody was ever throttled, bursts were.
    requests_per_second: PositiveFloat = 2.0
    # Scheduler in flight, of all accounts together: measured, 16-64 is best, more only wait for each other.
    max_concurrent_polls: PositiveInt = 64

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_interval > self.max_interval:
            message = "pollers.min_interval is longer than pollers.max_interval: raise one or lower the other"
            raise ValueError(message)
        return self
