"""Two accounts on one journal while Kafka is away: one fills it, and the other one's SMS are taken to the end."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import structlog
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from bus.contract import NotDurable
from bus.journal.journal import Journal, JournalUnwritable
from bus.kafka_bus import KafkaBus
from bus.record import build
from bus.settings import BusSettings, KafkaSettings
from receiver.metrics import ReceiverMetrics
from receiver.server import CallbackServer
from receiver.settings import PingMeAccount, ReceiverSettings
from schemas.identity import event_id
from schemas.messages import Message, SmsReceived
from tests.messages import OBSERVED_MS, rejected, sms

MAX_BYTES = 400_000
AWAY = KafkaSettings(bootstrap_servers="127.0.0.1:9")


def letter(n: int, *, size: int = 3000) -> Message:
    """A dead letter of the account `shop`."""
    return rejected(b"junk %d " % n + b"." * size)


def other(n: int, *, via: str = "callback", account: str = "other") -> SmsReceived:
    """An SMS of another account, to many numbers."""
    number = f"1647000{n % 50:04d}"
    made = event_id("pingme", account, None, None, (number, str(n)))
    return sms(number, n).model_copy(update={"id": made, "account": account, "received_via": via})


@asynccontextmanager
async def running(directory: Path, *, accounts: int = 2, **bounds: float) -> AsyncIterator[KafkaBus]:
    limits = {"journal_max_bytes": MAX_BYTES, "spill_after": 0.01, **bounds}
    settings = BusSettings.model_validate({"journal_dir": directory, **limits})
    bus = KafkaBus(AWAY, settings, instance="t", accounts=accounts)
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop(0.1)


async def filled(bus: KafkaBus, first: int = 0) -> int:
    """Give it dead letters until one is refused; return how many there were."""
    for n in range(first, first + 1000):
        try:
            await bus.accept(letter(n))
        except NotDurable:
            return n
    raise AssertionError


async def test_who_fills_the_journal_is_refused_and_the_others_are_taken_to_the_end_also_after_a_restart(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as bus:
        await filled(bus)
        await others_are_taken(bus, range(80))
    async with running(tmp_path) as bus:
        await others_are_taken(bus, range(80, 160))


async def others_are_taken(bus: KafkaBus, numbers: range) -> None:
    for n in numbers:
        with pytest.raises(NotDurable, match="over_share"):
            await bus.accept(letter(10_000 + n))
        assert (await bus.accept(other(n))).via == "journal"
    assert bus.condition().degraded == ("kafka_away", "messages_in_journal", "over_share:shop")
    assert bus.condition().can_accept
    assert bus.ledger.balanced


async def test_nobody_is_refused_while_the_journal_is_less_than_half_full(tmp_path: Path) -> None:
    async with running(tmp_path) as bus:
        first = await bus.accept(letter(0))
        size = bus.condition().journal_bytes
        taken = [await bus.accept(letter(n)) for n in range(1, MAX_BYTES // 2 // size)]

        assert {receipt.via for receipt in (first, *taken)} == {"journal"}
        assert bus.condition().degraded == ("kafka_away", "messages_in_journal")


async def test_an_account_that_is_alone_fills_the_journal_to_its_limit(tmp_path: Path) -> None:
    async with running(tmp_path, accounts=1) as bus:
        await filled(bus)

        assert bus.condition().journal_bytes > MAX_BYTES * 0.95
        assert "over_share:shop" not in bus.condition().degraded


async def test_polled_sms_of_whoever_holds_most_are_taken(tmp_path: Path) -> None:
    async with running(tmp_path) as bus:
        await filled(bus)

        receipts = [await bus.accept(other(n, via="poll", account="shop")) for n in range(20)]

        assert {receipt.via for receipt in receipts} == {"journal"}


async def test_what_was_promised_is_answered_as_before(tmp_path: Path) -> None:
    async with running(tmp_path) as bus:
        receipt = await bus.accept(letter(0))
        await filled(bus, 1)

        assert await bus.accept(letter(0)) == receipt._replace(duplicate=True)


async def test_the_dead_letter_that_the_bus_makes_of_a_refused_record_is_taken(tmp_path: Path) -> None:
    async with running(tmp_path) as bus:
        await filled(bus)
        record = build(sms(), topic_prefix="", instance="t")

        made = await bus._dead_letter(record, "too_large_for_the_topic")

        assert made in bus._deliveries._durable


async def test_while_kafka_takes_records_a_lane_in_memory_is_not_limited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as bus:
        await filled(bus)
        monkeypatch.setattr(type(bus._producer), "connected", property(lambda _: True))
        in_memory, spilled = other(0, account="shop"), letter(10_000)

        assert not bus.submit(in_memory).done()
        assert isinstance(bus.submit(spilled).exception(), NotDurable)


async def test_it_is_said_once_when_it_begins_and_once_when_it_is_over(tmp_path: Path) -> None:
    async with running(tmp_path) as bus:
        with structlog.testing.capture_logs() as lines:
            n = await filled(bus)
            await filled(bus, n)
            bus._shares.update(asyncio.get_running_loop().time() + 61)

    [begin, end] = [line for line in lines if line["event"].startswith("over_share")]
    assert (begin["event"], begin["account"]) == ("over_share", "shop")
    assert "smsbus callback rotate shop" in begin["hint"]
    assert "if its callback URL leaked" in begin["hint"]
    assert begin["hint"].endswith("then `--retire --force`")
    assert (end["event"], end["account"], end["records"]) == ("over_share_no_more", "shop", 2)
    assert bus.over_share == {"shop": 2}
    assert "over_share:shop" not in bus.condition().degraded


async def test_what_is_published_gives_its_share_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path, max_bytes=10_000)
    await journal.open()
    mine = [build(letter(n, size=100), topic_prefix="", instance="t") for n in range(11)]
    stored = await journal.append(mine)
    source = mine[0].source
    assert journal.over_share(source)

    await journal.delete([each.seq for each in stored[:6]])

    assert not journal.over_share(source)
    assert journal.bytes_by_source == {source: journal.bytes}
    await journal.close()


async def test_a_write_that_fails_counts_for_nobody(tmp_path: Path) -> None:
    journal = Journal(tmp_path, max_bytes=10_000)
    await journal.open()
    await journal.append([build(letter(0), topic_prefix="", instance="t")])
    before = dict(journal.bytes_by_source)

    with pytest.raises(JournalUnwritable):
        await journal.append([build(letter(n), topic_prefix="", instance="t") for n in range(1, 9)])

    assert journal.bytes_by_source == before
    await journal.close()


@pytest.mark.parametrize("fast_lane", [True, False])
async def test_the_receiver_answers_503_with_retry_after_to_that_account_and_200_to_the_others(
    tmp_path: Path, fast_lane: bool
) -> None:
    async with running(tmp_path) as bus, running_receiver(bus, fast_lane=fast_lane) as post:
        while (answer := await post("shop", b"junk" * 500 + str(bus.condition().journal_rows).encode())).status == 200:
            pass

        assert (answer.status, "Retry-After" in answer.headers) == (503, True)
        for n in range(30):
            callback = json.dumps({"from": "22395", "to": f"1647000{n:04d}", "text": str(n)}).encode()
            assert [(await post(account, callback)).status for account in ("shop", "other")] == [503, 200]


@pytest.mark.parametrize("fast_lane", [True, False])
async def test_small_callbacks_that_become_large_records_leave_room_in_their_lane(
    tmp_path: Path, fast_lane: bool
) -> None:
    """There are 10 MB of them in all, of which the lane could hold 8.

    2.6 MB are taken at once, and 2 MB more per second: the journal of a busy machine may stall that long.
    """
    bounds = {
        "lane_max_bytes": 4 << 20,
        "journal_max_bytes": 1 << 30,
        "accept_deadline": 30.0,
    }  # a busy machine is slow
    fat = [("shop", b'{"to":"1","text":"%d%b"}' % (n, b"\x01" * 4000)) for n in range(400)]
    plain = [("other", b'{"to":"1","text":"%d"}' % n) for n in range(20)]
    async with running(tmp_path, **bounds) as bus, running_receiver(bus, fast_lane=fast_lane) as post:
        answers = await asyncio.gather(*(post(*each) for each in [*fat, *plain]))

        assert {answer.status for answer in answers} == {200}
        assert bus.ledger.not_durable == 0


@asynccontextmanager
async def running_receiver(
    bus: KafkaBus, *, fast_lane: bool
) -> AsyncIterator[Callable[[str, bytes], Awaitable[aiohttp.ClientResponse]]]:
    """A receiver of two accounts; what it yields posts a callback of one of them."""
    tokens = {name: f"{name}-token-".ljust(24, "0") for name in ("shop", "other")}
    accounts = [PingMeAccount(name=name, tokens=(SecretStr(token),)) for name, token in tokens.items()]
    settings = ReceiverSettings(host="127.0.0.1", port=0, fast_lane=fast_lane)
    metrics = ReceiverMetrics(CollectorRegistry())
    receiver = CallbackServer(bus, accounts, settings, clock_ms=lambda: OBSERVED_MS, metrics=metrics)
    await receiver.start()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def post(account: str, body: bytes) -> aiohttp.ClientResponse:
            address = f"http://127.0.0.1:{receiver.port}/v1/pingme/{tokens[account]}"
            async with session.post(address, data=body, headers={"Content-Type": "application/json"}) as answer:
                await answer.read()
                return answer

        yield post
    await receiver.stop(1)
