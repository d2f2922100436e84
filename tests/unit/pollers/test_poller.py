"""A process and its shards: one that ends takes nobody along, and what is wrong is said. Time is virtual."""

import asyncio
import json
import random
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bus.memory import MemoryBus
from bus.record import partition_of
from bus.sharding.commands import Command
from bus.sharding.group import Member
from bus.sharding.state_log import Fenced, NotCommitted
from pollers.poller import JOINING, Poller
from pollers.scheduling.account import Account
from pollers.scheduling.arrival_curve import Curve
from pollers.scheduling.learned import Learned, ToldToWait
from pollers.settings import PollersSettings
from pollers.tracking.advance import opened
from pollers.watch_commands import WatchRequest
from providers.observation import Last, ProviderError, SeenSms, Waiting
from schemas.messages import SmsReceived, SmsRejected, Watch, WatchEnded
from tests import virtual_time

T0 = 1_795_000_000_000
STARTED: list[Poller] = []


def virtual(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test in virtual time, and stop its pollers: they would take their shards again."""

    async def stopped() -> None:
        try:
            await test()
        finally:
            while STARTED:
                await STARTED.pop().stop()

    stopped.__name__ = test.__name__
    return virtual_time.virtual(stopped)


class Group:
    """Gives all its shards at once; commands lie on it until they are given."""

    def __init__(self) -> None:
        self.joined = False
        self.ours = True
        self.member: Member
        self.commands: list[Command] = []
        self.lost = 0

    async def run(self, member: Member) -> None:
        self.member = member
        await asyncio.Event().wait()

    def give(self, *shards: int) -> None:
        self.joined = True
        self.member.on_shards(frozenset(shards))
        for command in self.commands:
            self.member.on_command(command)

    def start_again(self, partition: int) -> None:
        for command in self.commands:
            if command.partition == partition:
                self.member.on_command(command)

    def lose_all(self) -> None:
        self.lost += 1

    def catch_up(self, partition: int) -> None:
        asyncio.get_running_loop().call_later(0.1, self.member.on_caught_up, partition)

    async def is_ours(self, partition: int) -> bool:
        return self.ours


class Writer:
    def __init__(self) -> None:
        self.put_there: list[tuple[str, bytes]] = []
        self.erased: list[tuple[str, int]] = []

    async def put(self, key: str, value: bytes) -> None:
        self.put_there.append((key, value))

    async def erase(self, key: str, partition: int, *, forgets: str | None = None) -> None:
        self.erased.append((key, partition))

    async def close(self) -> None:
        pass


class Log:
    """One for each shard, over every start of it."""

    def __init__(self) -> None:
        self.states: dict[str, bytes] = {}
        self.opened = 0
        self.fails: Callable[[], None] = lambda: None
        self.opens: Callable[[], None] = lambda: None

    async def open(self) -> dict[str, bytes]:
        self.opens()
        self.opened += 1
        return dict(self.states)

    async def commit(self, states: Mapping[str, bytes | None]) -> None:
        self.fails()
        await asyncio.sleep(0.01)
        self.states = {key: value for key, value in (self.states | dict(states)).items() if value is not None}

    async def close(self) -> None:
        pass


class Table:
    behind, filled = False, True

    def __init__(self) -> None:
        self.weights: dict[int, float] = {}

    def others(self, account: str, mine: frozenset[int]) -> float:
        return sum(weight for partition, weight in self.weights.items() if partition not in mine)


class Client:
    has_full_text = has_list = listed = False

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Any = Waiting()
        self.takes = 0.0  # seconds until it answers
        self.lingers = 0.0  # seconds until a cancelled request has ended

    async def active(self) -> dict[str, str]:
        self.listed = True
        return {}

    async def poll(self, order_kind: str, order_id: str, unfinished: object = None) -> Any:
        self.asked.append(order_id)
        try:
            await asyncio.sleep(self.takes)
        except asyncio.CancelledError:
            await asyncio.sleep(self.lingers)
            raise
        return self.answer


class Bench:
    def __init__(self, learned: Learned | None = None) -> None:
        self.group, self.writer, self.bus, self.client = Group(), Writer(), MemoryBus(), Client()
        self.table = Table()
        self.logs = {partition: Log() for partition in range(12)}
        client: Any = self.client
        self.account = Account("main", "grizzlysms", client, requests_per_second=50, rng=random.Random(1))
        self.poller = Poller(
            self.bus,
            {"main": self.account},
            PollersSettings(),
            group=self.group,
            writer=self.writer,
            state_log=self.logs.__getitem__,
            table=self.table,
            now_ms=self.now_ms,
            rng=random.Random(2),
            learned=learned,
        )
        STARTED.append(self.poller)

    @staticmethod
    def now_ms() -> int:
        return T0 + int(asyncio.get_running_loop().time() * 1000)

    async def start(self, *shards: int) -> "Bench":
        self.poller.start()
        await asyncio.sleep(0)
        self.group.give(*shards)
        await asyncio.sleep(1)
        return self

    def command(self, order_id: str, *, value: bytes | None = None) -> Watch:
        watch = WatchRequest(account="main", order_id=order_id).watch(self.now_ms(), order_id)
        partition = partition_of(watch.watch_id.encode(), 12)
        self.group.commands.append(Command(partition, watch.watch_id, value or watch.to_json()))
        return watch

    def repeat(self, order_id: str, request_id: str) -> None:
        watch = WatchRequest(account="main", order_id=order_id).watch(self.now_ms(), request_id)
        self.group.member.on_command(Command(self.partition(watch), watch.watch_id, watch.to_json()))

    def partition(self, watch: Watch) -> int:
        return partition_of(watch.watch_id.encode(), 12)


def stray() -> None:
    raise asyncio.CancelledError


def fenced() -> None:
    raise Fenced


def forbidden() -> None:
    raise NotCommitted("TopicAuthorizationFailedError")


def broken() -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("ends", [stray, fenced, broken])
def test_a_shard_that_ends_by_itself_is_taken_again_and_takes_nobody_along(ends: Callable[[], None]) -> None:
    @virtual
    async def run() -> None:
        bench = Bench()
        watches = [bench.command(str(number)) for number in range(60)]
        await bench.start(*range(12))
        shard = bench.partition(watches[0])
        others = {partition: each for partition, each in bench.poller.shards.items() if partition != shard}
        bench.logs[shard].fails = ends
        bench.poller.shards[shard].states.mark(watches[0].watch_id)
        await asyncio.sleep(0.5)
        missing = shard not in bench.poller.shards
        bench.logs[shard].fails = lambda: None
        await asyncio.sleep(30)

        assert missing
        assert bench.logs[shard].opened == 2
        assert all(bench.poller.shards[partition] is each for partition, each in others.items())
        assert len(bench.poller.scheduler.plans) == 60
        assert bench.poller.degraded() == ()

    run()


@virtual
async def test_a_task_that_somebody_else_cancelled_is_a_lost_shard_as_well() -> None:
    bench = Bench()
    watches = [bench.command(str(number)) for number in range(60)]
    await bench.start(*range(12))
    shard = bench.partition(watches[0])

    bench.poller._keepers[shard].cancel()
    await asyncio.sleep(30)

    assert bench.poller.shards[shard].running
    assert len(bench.poller.scheduler.plans) == 60


@virtual
async def test_a_shard_that_ends_again_and_again_is_tried_once_a_minute_in_the_end() -> None:
    bench = Bench()
    watch = bench.command("1")
    bench.logs[bench.partition(watch)].fails = broken
    await bench.start(*range(12))
    await asyncio.sleep(600)
    before = bench.logs[bench.partition(watch)].opened

    await asyncio.sleep(600)

    assert 8 <= bench.logs[bench.partition(watch)].opened - before <= 11
    assert "shard_restoring" in bench.poller.degraded()


@virtual
async def test_a_shard_that_is_given_away_is_run_no_more() -> None:
    bench = Bench()
    for number in range(60):
        bench.command(str(number))
    await bench.start(*range(12))

    bench.group.give(0, 1)
    await asyncio.sleep(5)

    assert set(bench.poller.shards) == {0, 1}
    assert all(plan.shard in bench.poller.shards.values() for plan in bench.poller.scheduler.plans.values())


@virtual
async def test_a_record_of_tomorrow_stops_no_polling_and_ends_no_watch() -> None:
    bench = Bench()
    watch = bench.command("1")
    fields = json.loads(watch.to_json()) | {"desired": "pause"}
    bench.logs[bench.partition(watch)].states[watch.watch_id] = opened(watch, "grizzlysms", T0).to_json()
    bench.group.commands = []
    bench.command("1", value=json.dumps(fields).encode())
    bench.command("2")
    await bench.start(*range(12))
    await asyncio.sleep(60)

    assert {"1", "2"} <= set(bench.client.asked)
    assert [type(message) for message in bench.bus.messages if isinstance(message, WatchEnded)] == []
    assert [message.reason for message in bench.bus.messages if isinstance(message, SmsRejected)] == ["broken_watch"]
    assert bench.poller.unreadable_commands == 1


@virtual
async def test_who_is_not_in_the_group_for_long_says_so_and_a_standby_does_not() -> None:
    bench = Bench()
    bench.poller.start()
    await asyncio.sleep(JOINING - 1)
    early = bench.poller.degraded()
    await asyncio.sleep(2)
    late = bench.poller.degraded()

    bench.group.give()
    await asyncio.sleep(60)

    assert (early, late, bench.poller.degraded()) == ((), ("no_group",), ())


@virtual
async def test_who_lost_the_group_says_so_though_its_shards_poll_on() -> None:
    """The right to be in the group was taken away: no new watch was read, and nothing said so."""
    bench = Bench()
    bench.command("1")
    await bench.start(*range(12))
    bench.group.joined = False
    await asyncio.sleep(JOINING + 2)
    out = bench.poller.degraded()

    bench.group.joined = True
    await asyncio.sleep(2)

    assert (out, bench.poller.degraded()) == (("no_group",), ())


@virtual
async def test_states_that_kafka_does_not_take_are_a_word_that_names_the_error_and_one_line() -> None:
    bench = Bench()
    shard = bench.partition(bench.command("1"))
    bench.logs[shard].fails = forbidden
    with capture_logs() as logs:
        await bench.start(*range(12))
        await asyncio.sleep(JOINING)
        await asyncio.sleep(60)
        words, opened_before = bench.poller.degraded(), bench.logs[shard].opened
        await asyncio.sleep(60)
        tries = bench.logs[shard].opened - opened_before
        bench.logs[shard].fails = lambda: None
        await asyncio.sleep(10)

    lines = [line for line in logs if line["event"] == "states_not_committed"]
    assert words == ("states_not_committed:TopicAuthorizationFailedError",)
    assert [(line["partition"], line["error"]) for line in lines] == [(shard, "TopicAuthorizationFailedError")]
    assert "smsbus topics print" in lines[0]["hint"]
    assert 5 <= tries <= 15
    assert bench.poller.degraded() == ()
    assert len(bench.logs[shard].states) == 1


@virtual
async def test_a_shard_that_cannot_be_restored_says_so_once() -> None:
    bench = Bench()
    shard = bench.partition(bench.command("1"))
    bench.logs[shard].opens = forbidden
    with capture_logs() as logs:
        await bench.start(*range(12))
        await asyncio.sleep(JOINING + 60)
        words = bench.poller.degraded()
        bench.logs[shard].opens = lambda: None
        await asyncio.sleep(10)

    assert [line["event"] for line in logs].count("shard_not_restored") == 1
    assert words == ("shard_restoring", "states_not_committed:TopicAuthorizationFailedError")
    assert bench.poller.degraded() == ()


@virtual
async def test_an_account_with_more_orders_than_its_budget_says_so() -> None:
    bench = Bench()
    for number in range(500):
        bench.command(str(number))
    bench.account.throttle._budget = 0.5
    await bench.start(*range(12))
    await asyncio.sleep(5)

    assert "account_overloaded:main" in bench.poller.degraded()


@virtual
async def test_an_account_with_a_wrong_key_says_why_it_is_paused() -> None:
    bench = Bench()
    bench.command("1")
    before = bench.poller.paused("main")
    bench.client.answer = ProviderError("auth", "bad_key")

    await bench.start(*range(12))
    await asyncio.sleep(5)

    assert (before, bench.poller.paused("main"), bench.poller.paused("another")) == (None, "bad_key", None)


@virtual
async def test_a_share_shrinks_at_once_and_grows_when_the_others_must_know() -> None:
    bench = Bench()
    bench.table.weights = {0: 1.0, 1: 1.0, 7: 6.0}
    await bench.start(0, 1, 2, 3)
    rates = []
    for weights in ({0: 2.0, 7: 8.0}, {0: 8.0, 7: 2.0}):
        bench.table.weights = weights
        await asyncio.sleep(2)
        rates.append(bench.account.throttle.rate)
    await asyncio.sleep(3)
    rates.append(bench.account.throttle.rate)

    assert rates == pytest.approx([50 * 0.2, 50 * 0.2, 50 * 0.8])


@virtual
async def test_budgets_are_shared_by_what_the_watches_of_each_process_want() -> None:
    bench = Bench()
    bench.table.weights = {0: 1.0, 1: 1.0, 7: 6.0}
    await bench.start(0, 1, 2, 3)

    shared = bench.account.throttle.rate
    bench.table.behind = True
    await asyncio.sleep(5)

    assert shared == pytest.approx(50 * 0.25)
    assert bench.account.throttle.rate == pytest.approx(50 * 4 / 12)
    assert "watch_table_behind" in bench.poller.degraded()


@virtual
async def test_a_process_that_slept_gives_its_shards_back() -> None:
    bench = await Bench().start(0)
    loop: Any = asyncio.get_running_loop()

    loop.now += 10
    await asyncio.sleep(2)

    assert bench.group.lost == 1


def test_what_a_provider_told_us_to_wait_and_the_curves_hold_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "learned.json"

    @virtual
    async def first() -> None:
        learned = Learned(file)
        bench = Bench(learned)
        bench.command("1")
        bench.client.answer = ProviderError("throttled", "http_429", retry_after=300.0)
        await bench.start(*range(12))
        await asyncio.sleep(10)
        learned.curves["grizzlysms", "tg"] = Curve()
        learned.curves["grizzlysms", "tg"].polled(0, 20, arrived=True)
        await bench.poller.stop()

    @virtual
    async def second() -> None:
        learned = Learned(file)
        learned.load()
        bench = Bench(learned)
        bench.command("1")
        await bench.start(*range(12))
        await asyncio.sleep(60)

        assert bench.client.asked == []
        assert bench.account.throttle.reason == "http_429"
        assert learned.curves["grizzlysms", "tg"].to_json() != Curve().to_json()

    first()
    second()


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"curves": [], "waits": {"main": {"until_ms": Infinity, "reason": "x"}}}',
        "",
        "{",
        "[]",
        '{"curves": [["a", "b", "[]"]], "waits": {}}',
        '{"curves": 1}',
    ],
)
def test_a_file_that_cannot_be_read_costs_no_start(tmp_path: Path, text: str) -> None:
    file = tmp_path / "learned.json"
    file.write_text(text)
    learned = Learned(file)

    learned.load()
    learned.save({"main": ToldToWait(1, "http_429")})

    assert json.loads(file.read_text())["waits"] == {"main": {"until_ms": 1, "reason": "http_429"}}
    assert file.stat().st_mode & 0o077 == 0


def test_a_file_that_cannot_be_written_costs_nothing_but_a_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")

    Learned(tmp_path / "taken" / "learned.json").save({})


def test_a_curve_of_another_version_costs_no_retry_after(tmp_path: Path) -> None:
    file = tmp_path / "learned.json"
    wait = {"until_ms": 1_800_000_000_000, "reason": "http_429"}
    file.write_text(json.dumps({"version": 1, "curves": [["a", "b", {"x": 1}]], "waits": {"main": wait}}))
    learned = Learned(file)

    learned.load()

    assert learned.waits == {"main": ToldToWait(1_800_000_000_000, "http_429")}


@virtual
async def test_who_asks_again_for_what_is_so_already_causes_no_polls() -> None:
    asked = []
    for again in (False, True):
        bench = Bench()
        for number in range(20):
            bench.command(str(number))
        await bench.start(*range(12))
        await asyncio.sleep(60)
        before = len(bench.client.asked)
        for turn in range(60):
            for number in range(20 if again else 0):
                bench.repeat(str(number), f"again {turn} {number}")
            await asyncio.sleep(1)
        asked.append(len(bench.client.asked) - before)

    assert asked[1] <= 1.2 * asked[0]


@pytest.mark.parametrize(("takes", "has_list"), [(0.0, False), (0.3, False), (30.0, False), (0.0, True)])
def test_nothing_is_asked_after_a_stop(takes: float, has_list: bool) -> None:
    @virtual
    async def run() -> None:
        bench = Bench()
        for number in range(500):
            bench.command(str(number))
        bench.client.takes, bench.client.lingers, bench.client.has_list = takes, 0.5, has_list
        await bench.start(*range(12))
        others = asyncio.all_tasks() - bench.poller._tasks - {*bench.poller._keepers.values()}
        await asyncio.sleep(10)
        stopping = asyncio.get_running_loop().create_task(bench.poller.stop())
        await asyncio.sleep(0)
        asked = len(bench.client.asked)
        await stopping
        left = asyncio.all_tasks() - others - {stopping}
        await asyncio.sleep(3600)

        assert asked > 20
        assert bench.client.listed == has_list
        assert len(bench.client.asked) == asked
        assert not left

    run()


@virtual
async def test_an_sms_whose_answer_is_under_way_at_a_stop_is_published() -> None:
    bench = Bench()
    bench.command("1")
    bench.client.takes = 0.5
    await bench.start(*range(12))
    while len(bench.client.asked) < 2:
        await asyncio.sleep(0.01)
    bench.client.answer = Last(SeenSms(code="123456"))

    await bench.poller.stop()

    assert [sms.code for sms in bench.bus.messages if isinstance(sms, SmsReceived)] == ["123456"]
