"""What people say about a watch, made into the `Watch` record that its shard follows. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from schemas import fields, identity, timestamps
from schemas.messages import Watch

MINUTE_MS: Final = 60_000
LIFETIME_MS: Final[Mapping[str, int]] = {"activation": 25 * MINUTE_MS, "rent": 31 * 24 * 60 * MINUTE_MS}
"""How long a watch lasts unless it says so: an activation lives about 20 minutes, a rent at most a month."""
FIXED: Final = ("account", "order_kind", "order_id", "recipient", "service", "history", "after_sms", "client_ref")
"""What a second request for the same watch must not say otherwise."""
DESIRES: Final = ("stop", "finish", "cancel")


class WatchRequest(BaseModel):
    """The body of `POST /v1/watches`, and what `smsbus watch add` says."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)

    account: str
    order_kind: str = Field("activation", pattern="^(activation|rent)$")
    order_id: str = Field(min_length=1, max_length=128)
    recipient: str | None = Field(None, max_length=64)
    service: str | None = Field(None, max_length=64)
    expires_at: fields.Moment | None = None
    history: str = Field("emit", pattern="^(emit|skip)$")
    after_sms: str = Field("keep", pattern="^(keep|request_next|finish)$")
    client_ref: str | None = Field(None, max_length=128)

    def watch(self, now_ms: int) -> Watch:
        """Return the watch, opened now; it expires when asked, else after its kind's lifetime."""
        values: dict[str, Any] = self.model_dump(exclude={"expires_at"})
        return Watch(
            watch_id=identity.watch_id(self.account, self.order_kind, self.order_id),
            opened_at=timestamps.to_text(now_ms),
            expires_at=self.expires_at or timestamps.to_text(now_ms + LIFETIME_MS[self.order_kind]),
            **values,
        )


def conflicts(there: Watch, asked: Watch) -> list[str]:
    """Return the names of the fields in which the same watch was asked for differently."""
    return [name for name in FIXED if getattr(there, name) != getattr(asked, name)]


def with_desire(watch: Watch, desired: str) -> Watch:
    """Return the watch with another wish: `stop`, `finish` or `cancel`."""
    return Watch.model_validate(watch.model_dump() | {"desired": desired})


def with_next(watch: Watch, sms_count: int) -> Watch:
    """Return the watch with the wish for the SMS after the `sms_count` that were seen."""
    return Watch.model_validate(watch.model_dump() | {"next_after": sms_count})
