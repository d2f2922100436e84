"""The types of the messages' fields: patterns where the contract gives one, examples where a set is open.

`Field(examples=...)` on a text means: these are the values of today, expect others. The models take any text there.
"""

from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

from schemas import timestamps

PROVIDERS: Final = ("pingme", "smsverified", "grizzlysms", "smsman")
"""Those that this version serves."""

EventId = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
]
Account = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]
Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
Timestamp = Annotated[str, StringConstraints(pattern=timestamps.PATTERN)]
Moment = Annotated[Timestamp, AfterValidator(timestamps.real)]
"""A timestamp in a request, which must also exist: February 30th has the right shape, too."""
Reason = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$"), Field(examples=["not_json", "text_missing", "unknown_shape"])
]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
ClientRef = Annotated[str, StringConstraints(max_length=128)]
WatchId = Annotated[str, StringConstraints(min_length=1)]
Count = Annotated[int, Field(ge=0)]

Provider = Annotated[str, Field(examples=[*PROVIDERS])]
ReceivedVia = Annotated[str, Field(examples=["callback", "poll"])]
OrderKind = Annotated[str, Field(examples=["activation", "rent"])]
MessageType = Annotated[str, Field(examples=["sms", "call", "voice"])]
SenderKind = Annotated[str, Field(examples=["phone", "short_code", "alphanumeric", "unknown"])]
CodeSource = Annotated[str, Field(examples=["provider", "extracted"])]
TimeBasis = Annotated[str, Field(examples=["stated", "assumed"])]
Freshness = Annotated[str, Field(examples=["live", "recovered", "history", "replayed"])]
Stage = Annotated[str, Field(examples=["verify", "parse", "normalize", "publish", "forward", "shape"])]
EndReason = Annotated[str, Field(examples=["finished", "cancelled", "expired", "gone", "stopped"])]


def known_provider(name: str) -> str:
    """Return the name of a provider in the settings. Raises ValueError if this version does not serve it."""
    if name in PROVIDERS:
        return name
    message = f"unknown provider; this version supports {', '.join(PROVIDERS)}"
    raise ValueError(message)
