"""A message as Kafka's bytes."""

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder

from bus.record import HEAD_BYTES, NUMBER_BYTES, Record, _remembered, build, fits, partition_of, size_at_most, with_via
from receiver.settings import ReceiverSettings
from schemas.messages import Message, WatchEnded
from schemas.topics import LEAST_MESSAGE_BYTES, MESSAGE_PARTITIONS
from tests.messages import OBSERVED_MS, rejected, sms

# The hashes are those of Kafka's own test (clients, UtilsTest.testMurmur2), sign and all.
JAVA_MURMUR2 = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}
WATCH_ENDED = WatchEnded(
    watch_id="w-1",
    provider="smsman",
    account="shop",
    order_kind="rent",
    order_id="7",
    reason="expired",
    sms_count=2,
    ended_at="2026-11-18T11:06:40.000Z",
)


LONG_KEY = sms().model_copy(update={"recipient_raw": "1" * 5_000})


def header(record: Record, name: str) -> str:
    return dict(record.headers)[name].decode()


@pytest.mark.parametrize(("key", "java"), JAVA_MURMUR2.items())
@pytest.mark.parametrize("partitions", [1, 6, 12])
def test_a_key_lies_where_javas_partitioner_puts_it(key: bytes, java: int, partitions: int) -> None:
    assert partition_of(key, partitions) == (java & 0x7FFFFFFF) % partitions


def test_only_keys_that_may_be_numbers_are_remembered():
    before = _remembered.cache_info().currsize

    partition_of(b"1" * (NUMBER_BYTES + 1))
    partition_of(b"9" * NUMBER_BYTES)

    assert _remembered.cache_info().currsize == before + 1


@pytest.mark.parametrize(
    ("key", "partition"),
    [(b"16470000000", 1), (b"16470000001", 0), (b"4915112345678", 4), (b"79001234567", 2), (b"shop", 0)],
)
def test_the_partition_of_a_number_is_part_of_the_contract(key: bytes, partition: int) -> None:
    assert partition_of(key) == partition
    assert MESSAGE_PARTITIONS == 6


@pytest.mark.parametrize(
    ("message", "key"), [(sms("16470000000"), b"16470000000"), (rejected(b"x"), b"shop"), (WATCH_ENDED, b"w-1")]
)
def test_a_record_carries_the_message_its_key_and_its_time(message: Message, key: bytes) -> None:
    record = build(message, topic_prefix="eu.", instance="i")

    assert record.topic == f"eu.{message.TOPIC}"
    assert (record.key, record.partition) == (key, partition_of(key))
    assert (record.id, record.value) == (message.event_id, message.to_json())
    assert record.timestamp_ms == OBSERVED_MS


def test_the_headers_are_cloudevents_in_binary_mode_and_our_own() -> None:
    message = sms()

    record = build(message, topic_prefix="eu.", instance="host-1")

    assert record.headers == (
        ("ce_id", message.id.encode()),
        ("ce_time", message.observed_at.encode()),
        ("ce_specversion", b"1.0"),
        ("ce_source", b"/smsbus/pingme/shop"),
        ("ce_type", b"smsbus.sms.received.v1"),
        ("ce_dataschema", b"urn:smsbus:schema:sms.received.v1"),
        ("content-type", b"application/json"),
        ("smsbus_instance", b"host-1"),
    )


def test_headers_of_different_sources_types_and_instances_are_not_mixed_up() -> None:
    records = [
        build(sms(), topic_prefix="", instance="a"),
        build(sms().model_copy(update={"provider": "smsman", "account": "other"}), topic_prefix="", instance="b"),
        build(rejected(b"x"), topic_prefix="", instance="a"),
    ]

    constants = [
        tuple(header(record, name) for name in ("ce_source", "ce_type", "smsbus_instance")) for record in records
    ]
    assert constants == [
        ("/smsbus/pingme/shop", "smsbus.sms.received.v1", "a"),
        ("/smsbus/smsman/other", "smsbus.sms.received.v1", "b"),
        ("/smsbus/pingme/shop", "smsbus.sms.rejected.v1", "a"),
    ]


def test_no_number_code_or_text_stands_in_a_header() -> None:
    record = build(sms("16470000000", text="Your code is 482913"), topic_prefix="", instance="i")

    headers = repr(with_via(record.headers, "kafka"))

    assert "1647" not in headers
    assert "482913" not in headers


def test_sending_adds_the_way_it_went_and_changes_nothing_else() -> None:
    record = build(sms(), topic_prefix="", instance="i")

    sent = with_via(record.headers, "journal")

    assert sent == [*record.headers, ("smsbus_via", b"journal")]


@pytest.mark.parametrize("text", ["", "x", "ж" * 500, "\U0001f600" * 2_000])
def test_a_batch_never_holds_more_bytes_than_the_sizes_of_its_records(text: str) -> None:
    records = [build(sms("16470000000", n, text=text), topic_prefix="", instance="i" * 60) for n in range(20)]
    batch = BatchBuilder(1 << 30, 0)

    for record in records:
        headers = with_via(record.headers, "journal")
        batch.append(timestamp=record.timestamp_ms, key=record.key, value=record.value, headers=headers)

    assert len(batch._build()) <= sum(record.size for record in records)


@pytest.mark.parametrize("message", [sms(), sms(text="\x01" * 5_000), LONG_KEY, rejected(b"x"), WATCH_ENDED])
def test_a_message_says_how_large_its_record_is_at_most(message: Message) -> None:
    record = build(message, topic_prefix="", instance=f"{'h' * 64}-{2**22}-abcd")

    assert record.size <= size_at_most(message) <= record.size + HEAD_BYTES


def test_a_message_fits_if_every_topic_that_is_as_it_must_be_takes_it() -> None:
    rest = size_at_most(sms(text=""))

    assert fits(sms(text="x" * (LEAST_MESSAGE_BYTES - rest)))
    assert not fits(sms(text="x" * (LEAST_MESSAGE_BYTES - rest + 1)))
    assert not fits(sms(text="\x01" * 100_000))


def test_the_dead_letter_of_the_largest_callback_fits() -> None:
    largest = next(each.le for each in ReceiverSettings.model_fields["max_body"].metadata if hasattr(each, "le"))

    letter = rejected(b"x" * largest)

    assert fits(letter.model_copy(update={"facts": {"content_type": "x" * 100, "elements": "99 " * 100}}))
