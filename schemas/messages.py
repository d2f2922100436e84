"""What we publish: one flat model a topic, frozen, strict, no unknown keys.

These are the writers' models. Readers get open schemas made from them (`documents.reader_schema`): unknown keys and
unknown values of the open sets must not break a reader. Within v1 only optional fields are added, each named in
`ADDED_LATER`.
"""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas import fields, identity, topics
from schemas.normalize import digits


class Value(BaseModel):
    """The value of a record on a topic of ours."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    TOPIC: ClassVar[str]

    @abstractmethod
    def key(self) -> str:
        """Return the Kafka key; never empty."""

    def to_json(self) -> bytes:
        """Return compact UTF-8 JSON: every key, in the declared order, nulls explicit.

        Texts must be clean (`schemas.normalize.clean`): a lone surrogate raises `PydanticSerializationError`.
        """
        return self.__pydantic_serializer__.to_json(self)


class Message(Value):
    """Something that happened: it has an id and a time, and travels as a CloudEvent."""

    CE_TYPE: ClassVar[str]
    ADDED_LATER: ClassVar[frozenset[str]] = frozenset()
    """Fields that messages of v1's first release lack; the reader's schema does not require them."""

    if TYPE_CHECKING:  # every message has them; as fields of this class they would come before a model's own first one
        provider: str
        account: str

    @property
    @abstractmethod
    def event_id(self) -> str:
        """The id by which readers drop repeats; `ce_id`."""

    @property
    @abstractmethod
    def event_time(self) -> str:
        """When it happened, by our clock; `ce_time` and the Kafka record's timestamp."""


class SmsReceived(Message):
    """An SMS that one of our numbers received."""

    TOPIC: ClassVar[str] = topics.RECEIVED
    CE_TYPE: ClassVar[str] = "smsbus.sms.received.v1"

    id: fields.EventId = Field(description="Drop repeats by it: the same SMS has the same id on every path.")
    provider: fields.Provider = Field(description="Who gave us the SMS.")
    account: fields.Account = Field(description="The name that our configuration gives the account.")
    received_via: fields.ReceivedVia = Field(description="How it reached us.")
    order_kind: fields.OrderKind | None = Field(None, description="What was bought; null for PingMe.")
    order_id: str | None = Field(None, description="The provider's id of it, always text; null for PingMe.")
    watch_id: str | None = Field(None, description="The handle that opening the watch returned.")
    client_ref: fields.ClientRef | None = Field(None, description="Your own text from the watch, echoed.")
    sequence: fields.Count | None = Field(None, description="0, 1, 2 … within the order.")
    service: str | None = Field(
        None, description="The provider's word for the service; not comparable across providers."
    )
    message_type: fields.MessageType = Field("sms", description="What kind of message it is.")
    recipient: fields.Phone | None = Field(
        None, description="Our number, E.164 by syntax; null if it does not look so."
    )
    recipient_raw: str | None = Field(None, description="Our number as the provider spells it.")
    sender: str | None = Field(None, description="Who sent it: E.164 where it is a phone, else as given.")
    sender_raw: str | None = Field(None, description="The sender as the provider spells it.")
    sender_kind: fields.SenderKind | None = Field(
        None, description="What the sender is; null if and only if it is null."
    )
    text: str | None = Field(description="The SMS. Null: the provider gives no text. Empty: an empty SMS.")
    code: str | None = Field(
        None, description="The verification code in its own form; null when there is none or doubt."
    )
    code_source: fields.CodeSource | None = Field(
        None, description="Who found the code; null if and only if it is null."
    )
    provider_time: fields.Timestamp | None = Field(None, description="The provider's time: a label, never an order.")
    provider_time_raw: str | None = Field(None, description="The provider's time as it spells it.")
    provider_time_basis: fields.TimeBasis | None = Field(
        None, description="Whether the provider stated the zone or we assumed it; null if and only if there is no time."
    )
    observed_at: fields.Timestamp = Field(
        description="When we first saw it; also the Kafka record's timestamp, unless an operator replayed it."
    )
    freshness: fields.Freshness = Field(description="Only `live` is news: anything else may be an old code.")
    provider_fields: dict[str, str] | None = Field(None, description="What else the provider sent, at most 2 KiB.")

    @property
    def event_id(self) -> str:
        """The SMS's own id."""
        return self.id

    @property
    def event_time(self) -> str:
        """When we first saw it."""
        return self.observed_at

    @classmethod
    def unchecked(cls, values: dict[str, Any]) -> Self:
        """Return the message of values that are valid as they stand: every field, in the declared order.

        The check costs as much as all else that makes a callback a message; tests hold each caller against it.
        """
        made = cls.__new__(cls)
        object.__setattr__(made, "__dict__", values)
        object.__setattr__(made, "__pydantic_fields_set__", set())
        object.__setattr__(made, "__pydantic_extra__", None)
        object.__setattr__(made, "__pydantic_private__", None)
        return made

    def key(self) -> str:
        """Return the digits of the recipient as given, else the watch, else the account."""
        return digits(self.recipient_raw or "") or self.watch_id or self.account

    @model_validator(mode="after")
    def _each_with_its_kind(self) -> Self:
        if (
            (self.sender is None) != (self.sender_kind is None)
            or (self.code is None) != (self.code_source is None)
            or (self.provider_time is None) != (self.provider_time_basis is None)
        ):
            msg = "sender and sender_kind, code and code_source, provider_time and its basis: both or none of each pair"
            raise ValueError(msg)
        return self


class SmsRejected(Message):
    """A dead letter: something meant for us that we could not represent or publish."""

    TOPIC: ClassVar[str] = topics.REJECTED
    CE_TYPE: ClassVar[str] = "smsbus.sms.rejected.v1"

    id: fields.EventId = Field(description="Drop repeats by it: the same bytes, refused for the same reason.")
    provider: fields.Provider = Field(description="Whose it is.")
    account: fields.Account = Field(description="The name that our configuration gives the account.")
    received_via: fields.ReceivedVia = Field(description="How it reached us.")
    stage: fields.Stage = Field(description="How far it came.")
    reason: fields.Reason = Field(description="Why it was refused: a machine word, stable.")
    body_base64: str | None = Field(description="The exact bytes; of an oversized body only the start.")
    body_bytes: fields.Count = Field(description="Length of the whole body.")
    body_sha256: fields.Sha256 = Field(description="SHA-256 of the whole body.")
    body_complete: bool = Field(description="Whether body_base64 is all of it.")
    facts: dict[str, str] = Field(description="What else is known of the request, without secrets.")
    observed_at: fields.Timestamp = Field(description="When we saw it; also the Kafka record's timestamp.")

    @property
    def event_id(self) -> str:
        """The dead letter's own id."""
        return self.id

    @property
    def event_time(self) -> str:
        """When we saw it."""
        return self.observed_at

    def key(self) -> str:
        """Return the account."""
        return self.account


class WatchEnded(Message):
    """The end of a watch: whoever waits for its SMS can stop waiting."""

    TOPIC: ClassVar[str] = topics.WATCH_ENDED
    CE_TYPE: ClassVar[str] = "smsbus.sms.watch-ended.v1"
    ADDED_LATER: ClassVar[frozenset[str]] = frozenset({"opening"})

    watch_id: fields.WatchId = Field(description="The handle that opening the watch returned.")
    provider: fields.Provider = Field(description="Where the order is.")
    account: fields.Account = Field(description="The name that our configuration gives the account.")
    order_kind: fields.OrderKind = Field(description="What was bought.")
    order_id: str = Field(description="The provider's id of it, always text.")
    recipient: fields.Phone | None = Field(None, description="The number, E.164 by syntax.")
    client_ref: fields.ClientRef | None = Field(None, description="Your own text from the watch, echoed.")
    reason: fields.EndReason = Field(description="Why it ended.")
    sms_count: fields.Count = Field(description="How many SMS it had: their sequences are 0 to this less one.")
    ended_at: fields.Timestamp = Field(description="When it ended; also the Kafka record's timestamp.")
    opening: fields.Count = Field(0, description="How many times the watch had been opened again before this end.")

    @property
    def event_id(self) -> str:
        """Derived: the same end of the same opening of a watch has the same id."""
        return identity.watch_ended_id(self.watch_id, self.reason, self.sms_count, self.opening)

    @property
    def event_time(self) -> str:
        """When the watch ended."""
        return self.ended_at

    def key(self) -> str:
        """Return the watch."""
        return self.watch_id


class Watch(Value):
    """One request about a watch: a command, not an event. It carries the whole description of the watch."""

    TOPIC: ClassVar[str] = topics.WATCHES

    watch_id: fields.WatchId = Field(description="Made from account, order_kind and order_id.")
    request_id: str | None = Field(
        None,
        min_length=1,
        max_length=64,
        description="Names the request, which is done once; null: its content names it.",
    )
    account: fields.Account = Field(description="The name that our configuration gives the account.")
    order_kind: fields.OrderKind = Field(description="What was bought.")
    order_id: str = Field(description="The provider's id of it, always text.")
    recipient: str | None = Field(None, description="The number, if you know it.")
    service: str | None = Field(None, description="The provider's word for the service.")
    message_type: fields.MessageType = Field("sms", description="What kind of message is expected.")
    desired: Literal["watch", "next", "stop", "finish", "cancel"] = Field(
        "watch",
        description="`watch` opens, reopens or prolongs; `next` asks the provider for the next SMS; `stop` ends the"
        " watching, `finish` and `cancel` end the order at the provider.",
    )
    next_after: fields.Count | None = Field(
        None, description="Of `next`: ask once this many SMS were seen; null: after those seen by then."
    )
    opened_at: fields.Moment = Field(description="When it was asked for.")
    expires_at: fields.Moment | None = Field(
        None, description="Of `watch`: when watching ends at the latest; null: not stated."
    )
    history: Literal["emit", "skip"] = Field("emit", description="What becomes of SMS older than the watch.")
    after_sms: Literal["keep", "request_next", "finish"] = Field(
        "keep", description="What we do to the order after an SMS; `keep`: nothing."
    )
    client_ref: fields.ClientRef | None = Field(None, description="Your own text, echoed in what comes of it.")

    def key(self) -> str:
        """Return the watch."""
        return self.watch_id


class WatchRecord(Watch):
    """A `Watch` as it is read from the topic, which a later program may have written.

    Unknown keys survive: `to_json` writes them back. Unknown values are a `ValidationError`.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")

    order_kind: Literal["activation", "rent"]


MESSAGES: Final[tuple[type[Message], ...]] = (SmsReceived, SmsRejected, WatchEnded)
VALUES: Final[tuple[type[Value], ...]] = (*MESSAGES, Watch)
