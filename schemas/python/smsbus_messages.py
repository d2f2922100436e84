"""The records of smsbus, made by `smsbus schema export --format python`. Copy it: it needs only Python 3.11.

    sms = SmsReceived.from_json(record.value)

Keys that it does not know are ignored; expect other words than those that are listed. Drop repeats by `id`.
"""

import json
from dataclasses import asdict, dataclass, fields
from typing import ClassVar, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """The value of a record."""

    @classmethod
    def from_json(cls, value: bytes | str) -> Self:
        """Return the value of a record. Raises ValueError where it is not JSON, TypeError where a key is missing."""
        given = json.loads(value)
        return cls(**{field.name: given[field.name] for field in fields(cls) if field.name in given})

    def to_json(self) -> bytes:
        """Return it as smsbus writes it."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsReceived(Value):
    """An SMS that one of our numbers received."""

    TOPIC: ClassVar[str] = "sms.received.v1"

    id: str
    """Drop repeats by it: the same SMS has the same id on every path."""
    provider: str
    """Who gave us the SMS. Known values: `pingme`, `smsverified`, `grizzlysms`, `smsman`; expect others."""
    account: str
    """The name that our configuration gives the account."""
    received_via: str
    """How it reached us. Known values: `callback`, `poll`; expect others."""
    order_kind: str | None = None
    """What was bought; null for PingMe. Known values: `activation`, `rent`; expect others."""
    order_id: str | None = None
    """The provider's id of it, always text; null for PingMe."""
    watch_id: str | None = None
    """The handle that opening the watch returned."""
    client_ref: str | None = None
    """Your own text from the watch, echoed."""
    sequence: int | None = None
    """0, 1, 2 … within the order."""
    service: str | None = None
    """The provider's word for the service; not comparable across providers."""
    message_type: str
    """What kind of message it is. Known values: `sms`, `call`, `voice`; expect others."""
    recipient: str | None = None
    """Our number, E.164 by syntax; null if it does not look so."""
    recipient_raw: str | None = None
    """Our number as the provider spells it."""
    sender: str | None = None
    """Who sent it: E.164 where it is a phone, else as given."""
    sender_raw: str | None = None
    """The sender as the provider spells it."""
    sender_kind: str | None = None
    """What the sender is; null if and only if it is null. Known values: `phone`, `short_code`, `alphanumeric`,
    `unknown`; expect others."""
    text: str | None = None
    """The SMS. Null: the provider gives no text. Empty: an empty SMS."""
    code: str | None = None
    """The verification code in its own form; null when there is none or doubt."""
    code_source: str | None = None
    """Who found the code; null if and only if it is null. Known values: `provider`, `extracted`; expect others."""
    provider_time: str | None = None
    """The provider's time: a label, never an order."""
    provider_time_raw: str | None = None
    """The provider's time as it spells it."""
    provider_time_basis: str | None = None
    """Whether the provider stated the zone or we assumed it; null if and only if there is no time. Known values:
    `stated`, `assumed`; expect others."""
    observed_at: str
    """When we first saw it; also the Kafka record's timestamp, unless an operator replayed it."""
    freshness: str
    """Only `live` is news: anything else may be an old code. Known values: `live`, `recovered`, `history`, `replayed`;
    expect others."""
    provider_fields: dict[str, str] | None = None
    """What else the provider sent, at most 2 KiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsRejected(Value):
    """A dead letter: something meant for us that we could not represent or publish."""

    TOPIC: ClassVar[str] = "sms.rejected.v1"

    id: str
    """Drop repeats by it: the same bytes, refused for the same reason."""
    provider: str
    """Whose it is. Known values: `pingme`, `smsverified`, `grizzlysms`, `smsman`; expect others."""
    account: str
    """The name that our configuration gives the account."""
    received_via: str
    """How it reached us. Known values: `callback`, `poll`; expect others."""
    stage: str
    """How far it came. Known values: `verify`, `parse`, `normalize`, `publish`, `forward`, `shape`; expect others."""
    reason: str
    """Why it was refused: a machine word, stable. Known values: `not_json`, `text_missing`, `unknown_shape`; expect
    others."""
    body_base64: str | None = None
    """The exact bytes; of an oversized body only the start."""
    body_bytes: int
    """Length of the whole body."""
    body_sha256: str
    """SHA-256 of the whole body."""
    body_complete: bool
    """Whether body_base64 is all of it."""
    facts: dict[str, str]
    """What else is known of the request, without secrets."""
    observed_at: str
    """When we saw it; also the Kafka record's timestamp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchEnded(Value):
    """The end of a watch: whoever waits for its SMS can stop waiting."""

    TOPIC: ClassVar[str] = "sms.watch-ended.v1"

    watch_id: str
    """The handle that opening the watch returned."""
    provider: str
    """Where the order is. Known values: `pingme`, `smsverified`, `grizzlysms`, `smsman`; expect others."""
    account: str
    """The name that our configuration gives the account."""
    order_kind: str
    """What was bought. Known values: `activation`, `rent`; expect others."""
    order_id: str
    """The provider's id of it, always text."""
    recipient: str | None = None
    """The number, E.164 by syntax."""
    client_ref: str | None = None
    """Your own text from the watch, echoed."""
    reason: str
    """Why it ended. Known values: `finished`, `cancelled`, `expired`, `gone`, `stopped`; expect others."""
    sms_count: int
    """How many SMS it had: their sequences are 0 to this less one."""
    ended_at: str
    """When it ended; also the Kafka record's timestamp."""
    opening: int = 0
    """How many times the watch had been opened again before this end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch(Value):
    """One request about a watch: a command, not an event. It carries the whole description of the watch."""

    TOPIC: ClassVar[str] = "sms.watches.v1"

    watch_id: str
    """Made from account, order_kind and order_id."""
    request_id: str | None = None
    """Names the request, which is done once; null: its content names it."""
    account: str
    """The name that our configuration gives the account."""
    order_kind: str
    """What was bought. Known values: `activation`, `rent`; expect others."""
    order_id: str
    """The provider's id of it, always text."""
    recipient: str | None = None
    """The number, if you know it."""
    service: str | None = None
    """The provider's word for the service."""
    message_type: str = "sms"
    """What kind of message is expected. Known values: `sms`, `call`, `voice`; expect others."""
    desired: str = "watch"
    """`watch` opens, reopens or prolongs; `next` asks the provider for the next SMS; `stop` ends the watching, `finish`
    and `cancel` end the order at the provider. One of `watch`, `next`, `stop`, `finish`, `cancel`."""
    next_after: int | None = None
    """Of `next`: ask once this many SMS were seen; null: after those seen by then."""
    opened_at: str
    """When it was asked for."""
    expires_at: str | None = None
    """Of `watch`: when watching ends at the latest; null: not stated."""
    history: str = "emit"
    """What becomes of SMS older than the watch. One of `emit`, `skip`."""
    after_sms: str = "keep"
    """What we do to the order after an SMS; `keep`: nothing. One of `keep`, `request_next`, `finish`."""
    client_ref: str | None = None
    """Your own text, echoed in what comes of it."""
