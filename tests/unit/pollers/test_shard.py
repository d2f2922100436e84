"""A shard keeps its order whatever fails: message, state, action, each confirmed before the next. Time is virtual."""

import asyncio
import random
import selectors
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pytest

from bus.contract import BusFull, Delivery, Receipt
from bus.state_log import Fenced, NotCommitted
from pollers.account import Account
from pollers.advance import advance
from pollers.observation import Last, Observation, SeenSms, Waiting
from pollers.owned_watch import OwnedWatch
from pollers.scheduler import Plan, Scheduler
from pollers.settings import PollersSettings
from pollers.shard import LICENCE, NEW_OWNER, Shard
from pollers.state import Action, ActResult, WatchState
from pollers.watches import WatchRequest, with_desire, with_next
from schemas.messages import Message, SmsReceived, Watch, WatchEnded

T0 = 1_795_000_000_000


class VirtualLoop(asyncio.SelectorEventLoop):
    """Nobody waits: when all wait for time to pass, it has passed."""

    def __init__(self) -> None:
        self.now = 100.0
        loop = self

        class Jumping(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
            def select(self, timeout: float | None = None) -> Any:
                loop.now += timeout or 0.0
                return super().select(0)

        super().__init__(Jumping())

    def time(self) -> float:
        return self.now


class FakeLog:
    """Kafka's part; `troubles` are what becomes of the next commits."""

    def __init__(self, events: list[str]) -> None:
        self.states: dict[str, bytes] = {}
        self.troubles: list[str] = []
        self.before_commit = self.after_commit = lambda: None
        self.events = events

    async def open(self) -> dict[str, bytes]:
        self.events.append("open")
        return dict(self.states)

    async def commit(self, states: Mapping[str, bytes | None]) -> None:
        self.before_commit()
        await asyncio.sleep(0.01)
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble == "fenced":
            raise Fenced
        if trouble != "lost":
            self.states.update({key: value for key, value in states.items() if value is not None})
        if trouble in {"lost", "unknown"}:
            self.events.append("not committed")
            raise NotCommitted(trouble)
        self.events.append("state")
        self.after_commit()

    async def close(self) -> None:
        pass

    def state(self, watch: Watch) -> WatchState:
        return WatchState.from_json(self.states[watch.watch_id])


class Around:
    """The process around the shard. Messages are published at once, unless `holding`."""

    def __init__(self, events: list[str]) -> None:
        self.events = events
        self.full = self.holding = False
        self.ours = True
        self.messages: list[Message] = []
        self.deliveries: list[Delivery] = []
        self.soon: list[bool] = []
        self.results: list[ActResult] = []
        self.accepting = asyncio.Event()
        self.accepting.set()
        self.catching_up: Callable[[], None]

    async def accept(self, message: Message, *, key: str | None = None) -> Receipt:
        await self.accepting.wait()
        if self.full:
            raise BusFull("full")
        delivery = Delivery("kafka")
        self.messages.append(message)
        self.deliveries.append(delivery)
        self.events.append("message" if isinstance(message, SmsReceived) else "end")
        if not self.holding:
            delivery.end("published")
        return Receipt(message.event_id, "kafka", duplicate=False, delivery=delivery)

    def publish(self) -> None:
        self.holding = False
        for delivery in self.deliveries:
            delivery.end("published")

    async def act(self, state: WatchState, action: Action) -> ActResult:
        self.events.append(action)
        await asyncio.sleep(0.1)
        return self.results.pop(0) if self.results else "done"

    def provider_of(self, account: str) -> str | None:
        return "smsverified" if account == "main" else None

    def look_at(self, shard: Shard, state: WatchState, *, soon: bool) -> None:
        self.soon.append(soon)

    def catch_up(self, partition: int) -> None:
        self.catching_up()

    async def is_ours(self, partition: int) -> bool:
        return self.ours

    async def erase(self, watch_id: str, partition: int) -> None:
        self.events.append("erase")

    def now_ms(self) -> int:
        return T0 + int(asyncio.get_running_loop().time() * 1000)


class Bench:
    """One shard with one watch on it."""

    def __init__(self, **request: str) -> None:
        self.events: list[str] = []
        self.log = FakeLog(self.events)
        self.around = Around(self.events)
        self.watch = WatchRequest(account="main", order_id="7", **request).watch(T0 + 100_000)
        self.shard = Shard(0, self.log, self.around)
        self.around.catching_up = self.shard.caught_up
        self.run = asyncio.ensure_future(asyncio.sleep(0))

    async def start(self, *, watched: bool = True, owner_for: float = 0.0) -> "Bench":
        """Own the shard for so long already."""
        self.run = asyncio.create_task(self.shard.run())
        if watched:
            self.shard.command(self.watch.watch_id, self.watch.to_json())
        await asyncio.sleep(0.3 + owner_for)
        self.events.clear()
        return self

    @property
    def owned(self) -> OwnedWatch:
        return self.shard.watches[self.watch.watch_id]

    async def see(self, observation: Observation) -> None:
        now_ms = self.around.now_ms()
        await self.shard.take(self.watch.watch_id, advance(self.owned.state, observation, now_ms))

    async def see_code(self, code: str) -> None:
        await self.see(Last(SeenSms(code=code, text=None)))

    async def say(self, watch: Watch | None) -> None:
        self.shard.command(self.watch.watch_id, watch.to_json() if watch else None)
        await asyncio.sleep(0.3)

    def ends(self) -> list[WatchEnded]:
        return [each for each in self.around.messages if isinstance(each, WatchEnded)]


def virtual(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test in virtual time, and what it left running to its end."""

    def run() -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(test())

    run.__name__ = test.__name__
    return run


OWNED = NEW_OWNER + 1


async def days_pass(days: int) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.now += days * 24 * 3600
    await asyncio.sleep(1)


@virtual
async def test_the_message_comes_before_the_state_and_the_state_before_the_action() -> None:
    bench = await Bench(after_sms="request_next").start(owner_for=OWNED)

    await bench.see_code("1111")
    await asyncio.sleep(1)

    assert bench.events[:3] == ["message", "state", "next"]
    assert bench.log.state(bench.watch).asked_after == 1


@virtual
async def test_a_state_waits_until_kafka_has_the_messages_that_it_counts() -> None:
    bench = await Bench(after_sms="request_next").start(owner_for=OWNED)
    bench.around.holding = True

    await bench.see_code("1111")
    await asyncio.sleep(5)
    before = list(bench.events)
    bench.around.publish()
    await asyncio.sleep(1)

    assert before == ["message"]
    assert bench.events[1:3] == ["state", "next"]


@virtual
async def test_a_state_is_not_committed_with_a_later_message_that_kafka_does_not_have() -> None:
    bench = await Bench().start(owner_for=OWNED)

    await bench.see_code("1111")
    bench.around.holding = True
    await bench.see_code("2222")
    await asyncio.sleep(5)

    assert bench.log.state(bench.watch).sms_count == 0


@virtual
async def test_nothing_advances_when_the_bus_is_full() -> None:
    bench = await Bench(after_sms="request_next").start(owner_for=OWNED)
    before = bench.owned.state
    bench.around.full = True

    with pytest.raises(BusFull):
        await bench.see_code("1111")
    await asyncio.sleep(5)

    assert bench.owned.state == before
    assert bench.events == []
    assert bench.log.state(bench.watch).sms_count == 0


@virtual
async def test_after_an_unknown_commit_memory_wins_over_what_we_attempted() -> None:
    bench = await Bench(after_sms="request_next").start(owner_for=OWNED)
    bench.log.troubles = ["unknown"]

    committing = asyncio.Event()
    bench.log.before_commit = committing.set
    await bench.see_code("1111")
    await committing.wait()
    await bench.see_code("2222")
    await asyncio.sleep(2)

    assert bench.events[:5] == ["message", "message", "not committed", "open", "state"]
    assert bench.log.state(bench.watch).sms_count == 2
    assert "next" in bench.events


@virtual
async def test_after_a_lost_commit_memory_wins_over_what_we_committed_before() -> None:
    bench = await Bench().start()
    bench.log.troubles = ["lost"]

    await bench.see_code("1111")
    await asyncio.sleep(1)

    assert bench.events == ["message", "not committed", "open", "state"]
    assert bench.log.state(bench.watch).sms_count == 1


@virtual
async def test_a_state_that_somebody_else_committed_wins_over_memory_and_is_looked_at_soon() -> None:
    bench = await Bench(after_sms="request_next").start(owner_for=OWNED)
    foreign = bench.owned.state.having(revision=40, sms_count=9, asked_after=9)
    bench.log.troubles = ["lost"]
    bench.log.states[bench.watch.watch_id] = foreign.to_json()

    await bench.see_code("1111")
    await asyncio.sleep(2)

    assert bench.owned.state == foreign
    assert bench.around.soon[-1] is True
    assert "next" not in bench.events


@virtual
async def test_nobody_acts_on_a_commit_that_is_not_confirmed() -> None:
    bench = await Bench(after_sms="request_next").start(owner_for=OWNED)
    bench.log.troubles = ["unknown"] * 20

    await bench.see_code("1111")
    await asyncio.sleep(1)

    assert "not committed" in bench.events
    assert "next" not in bench.events


@virtual
async def test_a_fenced_shard_ends_and_opens_nothing_again() -> None:
    bench = await Bench(after_sms="request_next").start(owner_for=OWNED)
    bench.log.troubles = ["fenced"]

    await bench.see_code("1111")
    await asyncio.sleep(1)

    with pytest.raises(Fenced):
        await bench.run
    assert bench.events == ["message"]


@virtual
async def test_a_shard_that_the_group_gave_away_is_not_opened_again() -> None:
    bench = await Bench().start(owner_for=OWNED)
    bench.log.troubles = ["lost"]
    bench.around.ours = False

    await bench.see_code("1111")
    await asyncio.sleep(30)

    assert bench.events == ["message", "not committed"]


@virtual
async def test_the_end_of_a_watch_is_told_after_its_sms_are_published() -> None:
    bench = await Bench().start(owner_for=OWNED)
    bench.around.holding = True
    await bench.see_code("1111")
    await bench.say(with_desire(bench.watch, "stop"))
    before = list(bench.events)

    bench.around.publish()
    await asyncio.sleep(1)

    assert before == ["message"]
    assert bench.events == ["message", "end", "state"]
    assert bench.ends()[0].sms_count == 1
    assert bench.log.state(bench.watch).ended == "stopped"


@virtual
async def test_the_end_of_a_watch_waits_while_the_bus_is_full() -> None:
    bench = await Bench().start()
    bench.around.full = True
    await bench.say(with_desire(bench.watch, "stop"))
    before = list(bench.events)

    bench.around.full = False
    await asyncio.sleep(1)

    assert (before, bench.events) == ([], ["end", "state"])


@virtual
async def test_a_new_owner_does_not_act_at_first_and_then_commits_again_and_acts() -> None:
    bench = await Bench(after_sms="request_next").start()
    await bench.see_code("1111")
    await asyncio.sleep(NEW_OWNER - 1)
    before = list(bench.events)

    await asyncio.sleep(2)

    assert before == ["message", "state"]
    assert bench.events[2:4] == ["state", "next"]


@virtual
async def test_an_old_confirmation_does_not_let_us_act_but_the_next_look_does() -> None:
    bench = await Bench(after_sms="request_next").start(owner_for=OWNED)
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)

    def stand_still() -> None:  # between the confirmation and the action, as SIGSTOP does
        loop.call_soon(setattr, loop, "now", loop.now + LICENCE + 1)
        bench.log.after_commit = lambda: None

    bench.log.after_commit = stand_still
    await bench.see_code("1111")
    await asyncio.sleep(LICENCE + 2)
    before = list(bench.events)
    await bench.see_code("1111")
    await asyncio.sleep(1)

    assert before == ["message", "state"]
    assert bench.events[2:4] == ["state", "next"]


@virtual
async def test_a_wish_is_not_lost_while_a_step_is_being_accepted() -> None:
    bench = await Bench().start(owner_for=OWNED)
    bench.around.accepting.clear()
    step = asyncio.create_task(bench.see_code("1111"))
    await bench.say(with_desire(bench.watch, "stop"))

    bench.around.accepting.set()
    await step
    await asyncio.sleep(1)

    assert bench.log.state(bench.watch).ended == "stopped"
    assert bench.ends()[0].sms_count == 1


@virtual
async def test_an_action_waits_for_the_end_of_a_look_under_way() -> None:
    bench = await Bench(after_sms="request_next").start(owner_for=OWNED)
    await bench.see_code("1111")
    bench.owned.looking = True
    await asyncio.sleep(1)
    before = list(bench.events)

    bench.owned.looking = False
    await bench.see_code("1111")
    await asyncio.sleep(1)

    assert before == ["message", "state"]
    assert bench.events.count("next") == 1


@virtual
async def test_what_was_wanted_before_a_stop_is_not_done_after_it() -> None:
    bench = await Bench(after_sms="request_next").start()  # a new owner: the action has to wait
    await bench.see_code("1111")
    await bench.say(with_desire(bench.watch, "stop"))

    await asyncio.sleep(NEW_OWNER * 2)

    assert bench.log.state(bench.watch).ended == "stopped"
    assert "next" not in bench.events


@virtual
async def test_a_withdrawn_command_ends_its_watch() -> None:
    bench = await Bench().start()

    await bench.say(None)

    assert [end.reason for end in bench.ends()] == ["stopped"]


@virtual
async def test_a_restored_state_without_a_command_ends() -> None:
    bench = await Bench().start()
    heir = Bench()
    heir.log.states = dict(bench.log.states)

    await heir.start(watched=False)

    assert [end.reason for end in heir.ends()] == ["stopped"]
    assert heir.log.state(heir.watch).ended == "stopped"


@virtual
async def test_a_command_that_is_older_than_a_restored_state_is_waited_for() -> None:
    bench = await Bench().start()
    heir = Bench()
    heir.log.states = dict(bench.log.states)

    def commands_come() -> None:
        heir.shard.command(heir.watch.watch_id, heir.watch.to_json())
        heir.shard.caught_up()

    heir.around.catching_up = lambda: asyncio.get_running_loop().call_later(5.0, commands_come) and None
    await heir.start(watched=False, owner_for=6.0)

    assert heir.ends() == []
    assert not heir.owned.ended


@virtual
async def test_who_is_no_longer_the_owner_ends_no_watch() -> None:
    bench = await Bench().start()
    heir = Bench()
    heir.log.states = dict(bench.log.states)

    def caught_up_too_late() -> None:
        heir.around.ours = False
        heir.shard.caught_up()

    heir.around.catching_up = caught_up_too_late
    await heir.start(watched=False, owner_for=30.0)

    assert heir.ends() == []
    assert not heir.owned.ended


@virtual
async def test_a_restored_watch_goes_on_where_it_was_and_asks_for_no_hurry() -> None:
    bench = await Bench().start()
    await bench.see_code("1111")
    await asyncio.sleep(1)
    heir = Bench()
    heir.log.states = dict(bench.log.states)

    await heir.start()
    await heir.see_code("1111")
    await asyncio.sleep(1)

    assert heir.around.messages == []
    assert heir.around.soon == [False]


@virtual
async def test_an_unknown_account_opens_nothing() -> None:
    bench = Bench()
    bench.watch = WatchRequest(account="other", order_id="7").watch(T0)

    await bench.start()

    assert bench.shard.watches == {}
    assert bench.log.states == {}


@virtual
async def test_what_ended_long_ago_is_forgotten_with_its_command() -> None:
    bench = await Bench().start()
    await bench.say(with_desire(bench.watch, "stop"))
    bench.events.clear()

    await days_pass(6)
    before = list(bench.events)
    await days_pass(2)

    assert before == []
    assert bench.events == ["erase", "state"]
    assert bench.shard.watches == {}


class SlowAccount(Account):
    """Answers a look when told to."""

    def __init__(self) -> None:
        self.name, self.provider, self.zone = "main", "smsverified", "UTC"
        self.client = type("NoFullText", (), {"has_full_text": False})()
        self.answer: asyncio.Future[Observation] = asyncio.get_running_loop().create_future()

    async def observe(self, order_kind: str, order_id: str) -> Observation:
        return await self.answer


def looking(bench: Bench, account: SlowAccount) -> asyncio.Task[float]:
    """A look at the bench's watch that is under way."""
    looks = Scheduler(
        {}, PollersSettings(), spawn=asyncio.ensure_future, now_ms=bench.around.now_ms, rng=random.Random(1)
    )
    looks._seconds = lambda *_, **__: 1.0  # type: ignore[method-assign] # the gate is another test's
    plan = looks.plans[bench.watch.watch_id] = Plan(bench.shard, account)
    return asyncio.create_task(looks._look_once(plan, bench.owned))


@virtual
async def test_a_wish_during_a_look_needs_a_look_of_its_own() -> None:
    bench = await Bench().start(owner_for=OWNED)
    account = SlowAccount()
    look = looking(bench, account)
    await asyncio.sleep(0.1)
    await bench.say(with_desire(bench.watch, "cancel"))

    account.answer.set_result(Waiting())
    await look
    await asyncio.sleep(1)
    before = list(bench.events)
    await bench.see(Waiting())
    await asyncio.sleep(1)

    assert "cancel" not in before
    assert "cancel" in bench.events
    assert bench.log.state(bench.watch).ended == "cancelled"


@virtual
async def test_an_answer_that_comes_after_its_state_was_replaced_is_dropped() -> None:
    bench = await Bench().start(owner_for=OWNED)
    account = SlowAccount()
    look = looking(bench, account)
    await asyncio.sleep(0.1)
    bench.shard.watches[bench.watch.watch_id] = OwnedWatch(bench.owned.state)

    account.answer.set_result(Last(SeenSms(code="1111", text=None)))
    await look

    assert bench.around.messages == []


@virtual
async def test_the_wish_for_the_next_sms_is_done_once() -> None:
    bench = await Bench().start(owner_for=OWNED)
    await bench.see_code("1111")
    await bench.say(with_next(bench.watch, 1))
    for _ in range(3):
        await bench.see_code("1111")
        await asyncio.sleep(0.5)

    assert bench.events.count("next") == 1
