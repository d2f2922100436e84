"""Requests about watches: building one, naming it, and which of those on the topic to apply. Pure.

The protocol is in docs/decisions/0001-watch-commands-and-states.md.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from pollers.tracking.state import OpenWatch, WatchState
from schemas import fields, identity, timestamps
from schemas.dead_letter import rejected
from schemas.messages import SmsRejected, Watch, WatchRecord
from schemas.normalize import digits

AnyWatch = TypeVar("AnyWatch", bound=Watch)

LARGEST: Final = 64 * 1024
"""Bytes of a request's record."""
MINUTE_MS: Final = 60_000
LIFETIME_MS: Final[Mapping[str, int]] = {"activation": 25 * MINUTE_MS, "rent": 31 * 24 * 60 * MINUTE_MS}
"""How long a watch lasts by default: an activation lives about 20 minutes, a rent at most a month."""
DESCRIBED: Final = ("recipient", "service", "message_type", "history", "after_sms", "client_ref")
"""Fields that a request may leave out for a watch that exists; for a live one it must not contradict them."""


class WatchRequest(BaseModel):
    """The body of `POST /v1/watches`, and what `smsbus watch add` sends."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)

    account: str
    order_kind: str = Field("activation", pattern="^(activation|rent)$")
    order_id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
    recipient: str | None = Field(None, max_length=64)
    service: str | None = Field(None, max_length=64)
    message_type: fields.MessageType = Field("sms", min_length=1, max_length=32)
    expires_at: fields.Moment | None = None
    history: str = Field("emit", pattern="^(emit|skip)$")
    after_sms: str = Field("keep", pattern="^(keep|request_next|finish)$")
    client_ref: str | None = Field(None, max_length=128)

    @field_validator("expires_at", mode="before")
    @classmethod
    def _to_the_second(cls, value: object) -> object:
        """Accept a time without milliseconds too; times in the contract have them."""
        is_short = isinstance(value, str) and len(value) == len("2026-01-31T12:00:00Z") and value.endswith("Z")
        return f"{str(value)[:-1]}.000Z" if is_short else value

    @property
    def watch_id(self) -> str:
        """The id of the requested watch."""
        return identity.watch_id(self.account, self.order_kind, self.order_id)

    def watch(self, now_ms: int, request_id: str | None = None, *, there: Watch | None = None) -> Watch:
        """Return the record that requests the watch from now on; without an `expires_at` the shard sets one.

        Fields that are not given are taken from `there`, the watch as it is known, live or ended.
        """
        unstated = [name for name in DESCRIBED if there is not None and name not in self.model_fields_set]
        return Watch(
            watch_id=self.watch_id,
            request_id=request_id,
            opened_at=timestamps.to_text(now_ms),
            **self.model_dump() | {name: getattr(there, name) for name in unstated},
        )


def read_command(key: str, value: bytes) -> WatchRecord | None:
    """Return the request in a record; None if it is invalid, too large, or has another key than its watch.

    Unknown keys are kept, and written again by `to_json`. A request far larger than usual is rejected because its state
    would have to contain it.
    """
    if len(value) > LARGEST:
        return None
    try:
        watch = WatchRecord.model_validate_json(value)
    except ValidationError:
        return None
    return watch if watch.watch_id == key else None


def dead_letter(value: bytes, partition: int, now_ms: int) -> SmsRejected:
    """Return the dead letter of an unreadable record, which stays on the topic; repeats get the same id."""
    return rejected(
        value,
        received_via="command",
        stage="parse",
        reason="broken_watch",
        facts={"partition": str(partition)},
        observed_ms=now_ms,
    )


def conflicts(there: Watch, asked: WatchRequest) -> list[str]:
    """Return the names of the fields in which a request contradicts the watch."""
    stated = [name for name in DESCRIBED if name in asked.model_fields_set]
    return [name for name in stated if _compared(name, getattr(there, name)) != _compared(name, getattr(asked, name))]


def _compared(name: str, value: str | None) -> str | None:
    return digits(value) if name == "recipient" and value is not None else value


def with_request(watch: Watch, desired: str, *, request_id: str, after: int | None = None) -> Watch:
    """Return a request about an existing watch; unknown keys of its description are kept. `after`: for `next`."""
    asked = {"desired": desired, "request_id": request_id, "next_after": after}
    return WatchRecord.model_validate(watch.model_dump() | asked)


def request_name(watch: Watch) -> str:
    """Return the name of the request: its `request_id`, else a hash of its content.

    Keys without a value, or with their default, do not count, so that a program that does not know a key computes the
    same name.
    """
    if watch.request_id is not None:
        return watch.request_id
    said = watch.model_dump(exclude_defaults=True, exclude_none=True)
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return f"content:{blake2b(text.encode(), digest_size=16).hexdigest()}"


def last_applied(state: WatchState) -> str:
    """Return the name of the last request applied; where the state has none, of the request that opened the watch."""
    return state.applied if state.applied is not None else request_name(state.watch)


def unapplied(state: WatchState, watches: Sequence[AnyWatch]) -> Sequence[AnyWatch]:
    """Return the requests about one watch that are still to be applied, of those on the topic, in its order.

    These are the ones after the last one applied; if compaction has removed that one, all of them are newer.
    """
    applied = last_applied(state)
    for place in range(len(watches), 0, -1):
        if request_name(watches[place - 1]) == applied:
            return watches[place:]
    return watches


def described(watch: Watch, now_ms: int) -> OpenWatch:
    """Return the description of a watch that is opened now: no action requested, and its end filled in."""
    said: dict[str, Any] = watch.model_dump() | {"request_id": None, "desired": "watch", "next_after": None}
    said["expires_at"] = watch.expires_at or timestamps.to_text(now_ms + LIFETIME_MS[watch.order_kind])
    return OpenWatch.model_validate(said)
