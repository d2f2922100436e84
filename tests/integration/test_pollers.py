"""The pollers against a real Kafka and simulated providers: nothing shown is lost, and nobody acts too early."""

import asyncio
import json
import os
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from app.demo.reconcile import Verdict, reconcile
from app.wiring import poller_on
from bus.contract import Receipt
from bus.kafka.reader import BEGINNING, ReadRecord, read
from bus.kafka_bus import KafkaBus
from bus.record import partition_of
from bus.settings import BusSettings, KafkaSettings
from bus.sharding.commands import CommandWriter
from pollers.poller import Poller
from pollers.scheduling.account import Account
from pollers.settings import PollersSettings
from pollers.watch_commands import WatchRequest, with_request
from pollers.watches.watch_table import WatchTable
from providers import PROVIDERS
from providers.http_client import HttpClient
from sandbox.faults import REPLACEMENTS, ActiveFaults
from sandbox.orders import Activation, Order
from sandbox.plan import PlannedSms
from sandbox.server import Sandbox
from sandbox.settings import Fault, OrderRequest
from sandbox.sms import Provider
from schemas.messages import Message, SmsReceived, SmsRejected, Watch, WatchEnded
from schemas.topics import WATCH_PARTITIONS, WATCHES
from tests.kafka_fixtures import TestKafka

AWAY_SECONDS = float(os.environ.get("KAFKA_AWAY_SECONDS", "15"))
TWO = (PlannedSms(at=1.0), PlannedSms(at=2.0))


class World(Sandbox):
    """Counts the requests, and has a bad answer ready for each entry of `once`."""

    def __init__(self) -> None:
        super().__init__(rng=random.Random(7))
        self.requests: dict[str, list[float]] = defaultdict(list)
        self.once: list[Fault] = []

    def faults(self, provider: Provider) -> ActiveFaults:
        self.requests[provider].append(time.monotonic())
        if not self.once:
            return super().faults(provider)
        fault = self.once.pop(0)
        return ActiveFaults(replacement=fault) if fault.kind in REPLACEMENTS else ActiveFaults(delivery=fault)

    def asked_between(self, since: float, until: float, provider: str = "smsverified") -> int:
        return sum(since <= at < until for at in self.requests[provider])


class Stage:
    """The pollers of one process, its bus, and what they said and did."""

    def __init__(self, kafka: KafkaSettings, world: World, bus: KafkaBus, writer: CommandWriter) -> None:
        self.kafka = kafka
        self.world = world
        self.writer = writer
        self.service: Poller
        self.accepted: list[tuple[Message, Receipt]] = []
        self._bus = bus

    async def accept(self, message: Message, *, key: str | None = None) -> Receipt:
        receipt = await self._bus.accept(message, key=key)
        self.accepted.append((message, receipt))
        return receipt

    def published_of(self, order_id: str) -> int:
        return len(
            {
                message.event_id
                for message, receipt in self.accepted
                if isinstance(message, SmsReceived) and message.order_id == order_id and receipt.delivery.outcome
            }
        )

    async def open(self, wanted: OrderRequest, **request: str) -> tuple[Order, Watch]:
        """Open an order at the provider, and a watch for it."""
        order = self.world.open(wanted)
        asked = {"account": wanted.provider, "order_kind": wanted.kind, "order_id": order.id, "recipient": order.number}
        watch = WatchRequest.model_validate(asked | request).watch(self.service.now_ms(), str(uuid4()))
        await self.say(watch)
        return order, watch

    async def say(self, watch: Watch) -> None:
        await self.writer.put(watch.key(), watch.to_json())

    async def records(self, topic: str) -> list[ReadRecord]:
        await until(lambda: all(receipt.delivery.outcome for _, receipt in self.accepted))  # none is in the journal
        return [record async for record in read(self.kafka, topic, start=BEGINNING, follow=False)]

    async def events(self) -> list[dict[str, Any]]:
        return [json.loads(record.value or b"") for record in await self.records(SmsReceived.TOPIC)]

    async def ends(self) -> dict[str, dict[str, Any]]:
        values = [json.loads(record.value or b"") for record in await self.records(WatchEnded.TOPIC)]
        return {end["watch_id"]: end for end in values}

    async def verdict(self) -> Verdict:
        shown = [sms for sms in self.world.book.arrived(self.world.clock.now()) if sms.shown is not None]
        received = [record.value or b"" for record in await self.records(SmsReceived.TOPIC)]
        return reconcile([], shown, received, [])

    def sms_accepted(self) -> int:
        return len({message.event_id for message, _ in self.accepted if isinstance(message, SmsReceived)})

    def ended(self) -> set[str]:
        return {message.watch_id for message, _ in self.accepted if isinstance(message, WatchEnded)}


async def until(holds: Callable[[], object], seconds: float = 40) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.05)


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pollers.shard_actions.NEW_OWNER", 0.5)


@asynccontextmanager
async def polling(kafka: KafkaSettings, directory: Path, world: World, *, rate: float = 60.0) -> AsyncIterator[Stage]:
    bus = KafkaBus(kafka, BusSettings(journal_dir=directory / "journal"), instance="test")
    fetcher, writer = HttpClient(), CommandWriter(kafka)
    await bus.start()
    stage = Stage(kafka, world, bus, writer)
    accounts = {
        name: Account(
            name,
            name,
            PROVIDERS[name](api_key=SecretStr(account.settings.key), base_url=world.base_url(name), fetcher=fetcher),
            requests_per_second=rate,
            rng=random.Random(7),
        )
        for name, account in world.accounts.items()
    }
    pace = PollersSettings(min_interval=0.3, max_interval=1.5)
    table = WatchTable(kafka)
    stage.service = poller_on(kafka, stage, accounts, pace, table)
    stage.service.start()
    following = asyncio.create_task(table.follow())
    try:
        yield stage
    finally:
        following.cancel()
        await asyncio.wait([following])
        await stage.service.stop()
        await writer.close()
        await fetcher.close()
        await bus.stop(5.0)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.start()
    yield world
    await world.stop()


@pytest.fixture
async def stage(settings: KafkaSettings, world: World, tmp_path: Path, _quick: None) -> AsyncIterator[Stage]:
    async with polling(settings, tmp_path, world) as stage:
        await until(lambda: len(stage.service.shards) == WATCH_PARTITIONS)
        yield stage


@pytest.fixture
def nexts(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, int, int]]:
    """Each request for a next SMS: when, how many SMS the order has shown, how many of them were in Kafka."""
    asked: list[tuple[float, int, int]] = []
    original = Activation.next

    def noted(self: Activation, now: float) -> None:
        shown = sum(sms.shown is not None for sms in self.sms)
        asked.append((time.monotonic(), shown, stage.published_of(self.id)))
        original(self, now)

    monkeypatch.setattr(Activation, "next", noted)
    return asked


# ---- end to end ------------------------------------------------------------------------------------------------------


async def test_every_provider_and_kind_brings_all_its_sms_and_next_is_asked_after_publication(
    stage: Stage, nexts: list[tuple[float, int, int]]
) -> None:
    for provider in ("smsverified", "grizzlysms", "smsman"):
        await stage.open(OrderRequest(provider=provider, sms=TWO, gap=0.5), after_sms="request_next")
    for provider in ("grizzlysms", "smsman"):
        await stage.open(OrderRequest(provider=provider, kind="rent", sms=TWO))
    await until(lambda: stage.sms_accepted() == 10)
    await until(lambda: len(nexts) >= 6)

    verdict = await stage.verdict()

    assert (verdict.disagreements, verdict.sms) == ([], 10)
    assert [(shown, in_kafka) for _, shown, in_kafka in nexts if in_kafka < shown] == []
    assert {event["received_via"] for event in await stage.events()} == {"poll"}


async def test_a_wish_for_the_next_sms_brings_it_once_the_present_one_is_published(
    stage: Stage, nexts: list[tuple[float, int, int]]
) -> None:
    order, watch = await stage.open(OrderRequest(provider="smsverified", sms=TWO, gap=0.2))
    await until(lambda: stage.published_of(order.id) == 1)
    await asyncio.sleep(1)
    before = list(nexts)

    await stage.say(with_request(watch, "next", request_id="1", after=1))
    await until(lambda: stage.published_of(order.id) == 2)

    assert before == []
    assert [(shown, in_kafka) for _, shown, in_kafka in nexts] == [(1, 1)]
    assert [event["sequence"] for event in await stage.events()] == [0, 1]


async def test_stop_finish_and_cancel_end_a_watch_after_its_sms(stage: Stage) -> None:
    one = (PlannedSms(at=0.2),)
    opened = {
        wish: await stage.open(OrderRequest(provider="smsverified", sms=one)) for wish in ("stop", "finish", "cancel")
    }
    await until(lambda: stage.sms_accepted() == 3)

    for wish, (_, watch) in opened.items():
        await stage.say(with_request(watch, wish, request_id=wish))
    await until(lambda: len(stage.ended()) == 3)
    await asyncio.sleep(0.5)

    ends = await stage.ends()
    reasons = {wish: ends[watch.watch_id]["reason"] for wish, (_, watch) in opened.items()}
    assert reasons == {"stop": "stopped", "finish": "finished", "cancel": "cancelled"}
    assert {end["sms_count"] for end in ends.values()} == {1}
    now = stage.world.clock.now()
    phases = {wish: order.state(now).phase.name for wish, (order, _) in opened.items() if isinstance(order, Activation)}
    assert phases == {"stop": "SMS", "finish": "FINISHED", "cancel": "CANCELLED"}
    assert not stage.service.scheduler.plans


async def test_a_misplaced_command_is_forwarded_and_taken_away_and_a_broken_one_is_a_dead_letter(stage: Stage) -> None:
    order = stage.world.open(OrderRequest(provider="smsman", sms=(PlannedSms(at=0.2),)))
    watch = WatchRequest(account="smsman", order_id=order.id).watch(stage.service.now_ms(), str(uuid4()))
    right = partition_of(watch.key().encode(), WATCH_PARTITIONS)
    wrong = (right + 1) % WATCH_PARTITIONS

    await stage.writer._send(watch.key(), watch.to_json(), wrong, [])
    await stage.writer.put("my-own-key", b'{"watch": "no"}')
    await until(lambda: stage.published_of(order.id) == 1)
    lies: list[tuple[int, bool]] = []
    async with asyncio.timeout(40):
        while (wrong, True) not in lies:
            lies = [(record.partition, record.value is None) for record in await stage.records(WATCHES) if record.key]

    mine = [each for each in lies if each[0] in {wrong, right}]
    assert {(wrong, True), (right, False)} <= set(mine)
    letters = await stage.records(SmsRejected.TOPIC)
    assert [(letter.key, json.loads(letter.value or b"")["reason"]) for letter in letters] == [
        (b"my-own-key", "broken_watch")
    ]


# ---- bad days --------------------------------------------------------------------------------------------------------


async def test_one_429_keeps_all_of_500_watches_away_for_as_long_as_it_says(stage: Stage) -> None:
    for _ in range(500):
        await stage.open(OrderRequest(provider="smsverified", sms=()))
    await until(lambda: len(stage.world.requests["smsverified"]) > 200)
    for _ in range(3):  # on a busy machine several arrive together once in a while
        at_first = await _requests_after_a_429(stage)
        if at_first <= 2:
            break

    assert at_first <= 2  # of 6: a slow start
    assert stage.ended() == set()


async def _requests_after_a_429(stage: Stage) -> int:
    """Refuse one request for 7 s, and return how many came in the first 0.1 s after that."""
    begun = time.monotonic()
    stage.world.once.append(Fault(kind="429", retry_after=7))
    await until(lambda: not stage.world.once)
    refused = time.monotonic()  # or a moment earlier, on a busy machine
    await until(lambda: stage.world.asked_between(refused + 5, refused + 60) > 0)
    again = next(at for at in stage.world.requests["smsverified"] if at > refused + 5)
    await asyncio.sleep(again + 1.0 - time.monotonic())

    assert stage.world.asked_between(refused + 0.5, begun + 6.9) == 0
    return stage.world.asked_between(again, again + 0.1)


async def test_a_wrong_key_pauses_the_account_until_a_probe_finds_it_right(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pollers.scheduling.throttle.PROBE_EVERY", 2.0)
    orders = [await stage.open(OrderRequest(provider="grizzlysms", sms=(PlannedSms(at=9.0),))) for _ in range(40)]
    await until(lambda: len(stage.world.requests["grizzlysms"]) > 40)
    stage.world.add_fault(Fault(kind="wrong_key", provider="grizzlysms"))
    await asyncio.sleep(1)
    since = time.monotonic()
    await asyncio.sleep(6)
    probes = stage.world.asked_between(since, since + 6, "grizzlysms")
    paused = stage.service.degraded()
    others = await stage.open(OrderRequest(provider="smsman", sms=(PlannedSms(at=0.1),)))
    await until(lambda: stage.published_of(others[0].id) == 1)

    stage.world.clear_faults()
    await until(lambda: stage.sms_accepted() == 41)

    assert 1 <= probes <= 4
    assert (paused, stage.service.degraded()) == (("account_paused:grizzlysms",), ())
    assert stage.ended() == set()
    assert (await stage.verdict()).disagreements == []
    assert len(orders) == 40


async def test_garbage_ends_no_watch_and_makes_no_event(stage: Stage) -> None:
    stage.world.once = [Fault(kind=kind) for kind in ("html", "reset", "empty", "5xx", "truncated")]
    asked = ("smsverified", "grizzlysms", "smsman")
    for provider in asked:
        await stage.open(OrderRequest(provider=provider, sms=(PlannedSms(at=4.0),)))
    await until(lambda: stage.sms_accepted() == 3)
    await asyncio.sleep(0.5)

    assert stage.world.once == []
    assert stage.ended() == set()
    assert await stage.records(SmsRejected.TOPIC) == []
    verdict = await stage.verdict()
    assert (verdict.disagreements, verdict.sms) == ([], 3)


# ---- Kafka away ------------------------------------------------------------------------------------------------------


async def test_while_kafka_is_away_looking_goes_on_and_nobody_acts(
    stage: Stage, nexts: list[tuple[float, int, int]], kafka: TestKafka
) -> None:
    plan = tuple(PlannedSms(at=at) for at in (1.0, 6.0, 9.0))
    asking = [await stage.open(OrderRequest(provider="smsverified", sms=plan), after_sms="request_next") for _ in "123"]
    keeping = [await stage.open(OrderRequest(provider="smsman", sms=(PlannedSms(at=6.0),))) for _ in "12345"]
    ending = [
        await stage.open(OrderRequest(provider="grizzlysms", sms=(PlannedSms(at=5.0),), lifetime=25)) for _ in "12"
    ]
    await until(lambda: len(nexts) >= 3 and len(stage.service.scheduler.plans) == 10)
    await kafka.kill()
    killed, shows = time.monotonic(), sum(len(asked) for asked in stage.world.requests.values())
    await asyncio.sleep(AWAY_SECONDS)
    looks = sum(len(asked) for asked in stage.world.requests.values()) - shows
    await until(lambda: stage.sms_accepted() >= 3 + 3 + 5 + 2)  # of them ten while it is away
    away = [each for each in nexts if each[0] > killed]

    await kafka.start()
    await until(lambda: all(stage.published_of(order.id) == 3 for order, _ in asking), 60)
    await until(lambda: len(stage.ended()) >= 2)
    await until(lambda: all(receipt.delivery.outcome for _, receipt in stage.accepted))

    assert looks > 50
    assert away == []
    assert all(in_kafka == shown for _, shown, in_kafka in nexts)
    verdict = await stage.verdict()
    assert (verdict.disagreements, verdict.sms) == ([], 9 + 5 + 2)
    assert {end["sms_count"] for end in (await stage.ends()).values()} == {1}
    assert set(await stage.ends()) == {watch.watch_id for _, watch in ending}
    assert len(keeping) == 5
