"""Settings of the inbox. Values only: `app/settings` reads the environment."""

from typing import Final

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt

MIB: Final = 1024 * 1024


class InboxSettings(BaseModel):
    """How much of what was published it keeps in memory; whichever limit is reached first."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    hours: PositiveFloat = 24.0
    events: PositiveInt = 20_000
    megabytes: PositiveInt = 64
