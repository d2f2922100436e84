"""What every bus promises, whichever it is: one suite for the memory twin and for real Kafka."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bus.contract import Bus, Ledger, NotDurable
from bus.kafka import topics
from bus.kafka.reader import BEGINNING, read
from bus.kafka_bus import KafkaBus
from bus.memory import MemoryBus
from bus.settings import BusSettings, KafkaSettings
from schemas.messages import Message, SmsReceived
from tests.kafka_fixtures import TestKafka
from tests.messages import rejected, sms


class BusUnderTest:
    """A bus and what a reader of its topics would see."""

    def __init__(
        self,
        bus: Bus,
        ledger: Callable[[], Ledger],
        contents: Callable[[], Awaitable[list[str]]],
        close: Callable[[], Awaitable[None]],
    ) -> None:
        self.accept = bus.accept
        self.submit = bus.submit
        self.ledger = ledger
        self.contents = contents  # texts of the SMS in the topic, once everything accepted is published
        self.close = close  # from now on nothing can be accepted


@pytest.fixture(params=["memory", "kafka"])
async def under_test(request: pytest.FixtureRequest, tmp_path: Path, topic_prefix: str) -> AsyncIterator[BusUnderTest]:
    if request.param == "memory":
        yield _memory()
        return
    kafka: TestKafka = request.getfixturevalue("kafka")
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=topic_prefix)
    await topics.create(settings)
    bus = KafkaBus(settings, BusSettings(journal_dir=tmp_path), instance="test", rng=random.Random(1))
    await bus.start()

    async def contents() -> list[str]:
        async with asyncio.timeout(20):  # what is accepted may still be in the journal
            while bus.ledger.pending:
                await asyncio.sleep(0.05)
        values = [record.value async for record in read(settings, "sms.received.v1", start=BEGINNING, follow=False)]
        return [SmsReceived.model_validate_json(value).text or "" for value in values if value]

    yield BusUnderTest(bus, lambda: bus.ledger, contents, lambda: bus.stop(5))
    await bus.stop(5)


def _memory() -> BusUnderTest:
    bus = MemoryBus()

    async def contents() -> list[str]:
        return [message.text or "" for message in bus.messages if isinstance(message, SmsReceived)]

    async def close() -> None:
        bus.full = True

    return BusUnderTest(bus, lambda: bus.ledger, contents, close)


async def test_an_accepted_message_is_published_under_its_own_id(under_test: BusUnderTest) -> None:
    message = sms(text="hello")

    receipt = await under_test.accept(message)

    assert (receipt.id, receipt.duplicate) == (message.id, False)
    assert await receipt.published == "published"
    assert await under_test.contents() == ["hello"]


async def test_a_repeat_is_answered_with_the_same_id_and_publishes_nothing(under_test: BusUnderTest) -> None:
    first = await under_test.accept(sms(text="once"))

    again = await under_test.accept(sms(text="once"))

    assert (again.id, again.duplicate) == (first.id, True)
    assert await again.published == "published"
    assert await under_test.contents() == ["once"]
    assert under_test.ledger().duplicates == 1


async def test_the_same_message_given_many_times_at_once_is_published_once(under_test: BusUnderTest) -> None:
    receipts = await asyncio.gather(*(under_test.accept(sms(text="once")) for _ in range(50)))

    assert sorted(receipt.duplicate for receipt in receipts) == [False] + [True] * 49
    assert await under_test.contents() == ["once"]


async def test_cancelling_one_caller_disturbs_neither_the_message_nor_the_others(under_test: BusUnderTest) -> None:
    tasks = [asyncio.create_task(under_test.accept(sms(text="shared"))) for _ in range(3)]
    await asyncio.sleep(0)

    tasks[0].cancel()

    assert all([(await task).id for task in tasks[1:]])
    assert await under_test.contents() == ["shared"]


async def test_messages_of_one_number_keep_their_order(under_test: BusUnderTest) -> None:
    await asyncio.gather(*(under_test.accept(sms("16470000000", n, text=str(n))) for n in range(300)))

    assert await under_test.contents() == [str(n) for n in range(300)]


async def test_a_message_given_without_waiting_is_told_of_like_any_other(under_test: BusUnderTest) -> None:
    told: list[str] = []
    first, again = under_test.submit(sms(text="once")), under_test.submit(sms(text="once"))
    first.add_done_callback(lambda future: told.append(future.result().id))

    receipts = [await first, await again, await under_test.submit(sms(text="once"))]
    await asyncio.sleep(0)

    assert [receipt.duplicate for receipt in receipts] == [False, True, True]
    assert told == [receipts[0].id]
    assert await under_test.contents() == ["once"]


async def test_messages_given_without_waiting_keep_their_order(under_test: BusUnderTest) -> None:
    futures = [under_test.submit(sms("16470000000", n, text=str(n))) for n in range(300)]

    await asyncio.gather(*futures)

    assert await under_test.contents() == [str(n) for n in range(300)]


async def test_cancelling_the_future_of_a_message_does_not_withdraw_it(under_test: BusUnderTest) -> None:
    given_up, kept = under_test.submit(sms(text="shared")), under_test.submit(sms(text="shared"))

    given_up.cancel()

    assert (await kept).id
    assert await under_test.contents() == ["shared"]


async def test_a_dead_letter_counts_as_rejected(under_test: BusUnderTest) -> None:
    receipt = await under_test.accept(rejected(b"poison"))

    assert await receipt.published == "rejected"
    assert (under_test.ledger().rejected, under_test.ledger().published) == (1, 0)


async def test_the_ledger_adds_up(under_test: BusUnderTest) -> None:
    messages: list[Message] = [sms(str(16470000000 + n % 7), n) for n in range(100)]
    messages += [rejected(str(n).encode()) for n in range(20)] + messages[:30]

    receipts = await asyncio.gather(*map(under_test.accept, messages))
    await asyncio.gather(*(receipt.published for receipt in receipts))

    ledger = under_test.ledger()
    assert (ledger.accepted, ledger.published, ledger.rejected, ledger.duplicates, ledger.pending) == (
        120,
        100,
        20,
        30,
        0,
    )
    assert ledger.balanced
    assert ledger.line() == "ledger accepted=120 published=100 pending=0 rejected=20 skipped=0 duplicates=30"


async def test_a_closed_bus_promises_nothing(under_test: BusUnderTest) -> None:
    await under_test.close()

    with pytest.raises(NotDurable) as caught:
        await under_test.accept(sms())
    refused = under_test.submit(sms())

    assert caught.value.retry_after > 0
    assert isinstance(refused.exception(), NotDurable)
    assert (under_test.ledger().accepted, under_test.ledger().not_durable) == (0, 2)
