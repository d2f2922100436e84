"""From a message to the bytes Kafka stores: topic, partition, key, value, CloudEvents 1.0 binary headers."""

from functools import lru_cache
from typing import Final, Literal, NamedTuple

from aiokafka.partitioner import murmur2

from bus.contract import Via
from schemas.messages import Message
from schemas.timestamps import to_epoch_ms
from schemas.topics import LEAST_MESSAGE_BYTES, MESSAGE_PARTITIONS

NUMBER_BYTES: Final = 64
"""Longer keys are not numbers, and are not cached: a callback can have one of 256 KiB."""

HEAD_BYTES: Final = 1024  # of a record besides its key and its value, at most: twice the measured size

Headers = tuple[tuple[str, bytes], ...]
TopicPartition = tuple[str, int]
"""Topic and partition: the name of a lane."""


class Record(NamedTuple):
    """One Kafka record, complete except for the header `smsbus_via`."""

    id: str
    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: Headers
    timestamp_ms: int

    @property
    def size(self) -> int:
        """Its size in a batch, bytes, or more."""
        return len(self.key) + len(self.value) + _headers_size(self.headers[2:]) + 160

    @property
    def source(self) -> str:
        """Its source, `/smsbus/{provider}/{account}`; empty if no header has it."""
        return next((value.decode() for name, value in self.headers if name == "ce_source"), "")


def partition_of(key: bytes, partitions: int = MESSAGE_PARTITIONS) -> int:
    """The partition that Java's and aiokafka's default partitioner choose for this key."""
    hashed = _remembered(key) if len(key) <= NUMBER_BYTES else murmur2(key)
    return int(hashed & 0x7FFFFFFF) % partitions


@lru_cache(maxsize=16_384)  # 2 µs, the same numbers again and again
def _remembered(key: bytes) -> int:
    return int(murmur2(key))


def build(message: Message, *, topic_prefix: str, instance: str, key: str | None = None) -> Record:
    """Render a message under its own key or a given one; deterministic except for the accepting instance."""
    key_bytes = (key or message.key()).encode()
    event_id, event_time = message.event_id, message.event_time
    constant = _constant_headers(message.CE_TYPE, message.provider, message.account, instance)
    headers = (("ce_id", event_id.encode()), ("ce_time", event_time.encode()), *constant)
    topic, partition = topic_prefix + message.TOPIC, partition_of(key_bytes)
    return Record(event_id, topic, partition, key_bytes, message.to_json(), headers, _epoch_ms(event_time))


def size_at_most(message: Message) -> int:
    """Return an upper bound of the `size` of its record under its own key, in any process."""
    return len(message.key().encode()) + len(message.to_json()) + HEAD_BYTES


def fits(message: Message) -> bool:
    """Tell whether every correctly configured topic accepts its record."""
    return size_at_most(message) <= LEAST_MESSAGE_BYTES


def with_via(headers: Headers, via: Via | Literal["replay"]) -> list[tuple[str, bytes]]:
    """The headers as sent (aiokafka takes nothing but a list): a consumer sees how it came, as by way of a journal."""
    return [*headers, ("smsbus_via", via.encode())]


_epoch_ms = lru_cache(maxsize=256)(to_epoch_ms)  # many messages have the same millisecond as the one before


@lru_cache(maxsize=1024)
def _constant_headers(ce_type: str, provider: str, account: str, instance: str) -> Headers:
    return (
        ("ce_specversion", b"1.0"),
        ("ce_source", f"/smsbus/{provider}/{account}".encode()),
        ("ce_type", ce_type.encode()),
        ("ce_dataschema", f"urn:smsbus:schema:{ce_type.removeprefix('smsbus.')}".encode()),
        ("content-type", b"application/json"),
        ("smsbus_instance", instance.encode()),
    )


@lru_cache(maxsize=1024)
def _headers_size(headers: Headers) -> int:
    return sum(len(name) + len(value) + 8 for name, value in headers)
