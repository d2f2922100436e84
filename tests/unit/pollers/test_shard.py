"""A shard keeps its order whatever fails: message, state, action, each confirmed before the next. Time is virtual."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from heapq import heappush
from typing import Any

import pytest
from structlog.testing import capture_logs

from bus.contract import Delivery, NotDurable, Receipt
from bus.kafka.client import KafkaAway
from bus.sharding.state_log import Fenced, NotCommitted
from pollers.owned_watch import OwnedWatch
from pollers.shard import Shard
from pollers.shard_actions import LICENCE, NEW_OWNER
from pollers.tracking.advance import advance
from pollers.tracking.state import WatchState
from pollers.watch_commands import WatchRequest, with_request
from pollers.watches.watch_table import LivePoll
from providers.observation import Ended, Last, Observation, ProviderError, SeenSms, Waiting
from providers.results import Action, ActResult
from schemas.messages import Message, SmsReceived, Watch, WatchEnded
from tests.virtual_time import VirtualLoop, virtual

T0 = 1_795_000_000_000


class FakeLog:
    """Kafka's part; `failures` are what becomes of the next commits."""

    def __init__(self, events: list[str]) -> None:
        self.states: dict[str, bytes] = {}
        self.failures: list[str] = []
        self.before_commit = self.after_commit = lambda: None
        self.events = events

    async def open(self) -> dict[str, bytes]:
        self.events.append("open")
        return dict(self.states)

    async def commit(self, states: Mapping[str, bytes | None]) -> None:
        self.before_commit()
        await asyncio.sleep(0.01)
        error = self.failures.pop(0) if self.failures else None
        if error == "fenced":
            raise Fenced
        if error != "lost":
            self.states = {key: value for key, value in (self.states | dict(states)).items() if value is not None}
        if error in {"lost", "unknown"}:
            self.events.append("not committed")
            raise NotCommitted(error)
        self.events.append("state")
        self.after_commit()

    async def close(self) -> None:
        pass

    def state(self, watch: Watch) -> WatchState:
        return WatchState.from_json(self.states[watch.watch_id])


class FakeHost:
    """Everything around the shard: bus, scheduler, group, writer and account. Messages are published at once, unless
    `holding`; an action is admitted at once, unless `busy`."""

    def __init__(self, events: list[str]) -> None:
        self.events = events
        self.full = self.holding = self.busy = False
        self.polled: LivePoll | None = None
        self.ours = True
        self.provider = "smsverified"
        self.messages: list[Message] = []
        self.deliveries: list[Delivery] = []
        self.soon: list[bool] = []
        self.restored: list[str] = []
        self.erased: list[str | None] = []
        self.put_again: list[Watch] = []
        self.results: list[ActResult | ProviderError] = []
        self.accepting = asyncio.Event()
        self.accepting.set()
        self.catching_up: Callable[[], None]

    # the bus

    async def accept(self, message: Message, *, key: str | None = None) -> Receipt:
        await self.accepting.wait()
        if self.full:
            raise NotDurable("full")
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

    # the account

    async def act(self, order_kind: str, order_id: str, action: Action, *, late: float) -> ActResult | ProviderError:
        self.events.append(action)
        await asyncio.sleep(0.1)
        return self.results.pop(0) if self.results else "done"

    # the scheduler

    async def restore(self, shard: Shard, watches: Iterable[OwnedWatch]) -> None:
        self.restored += [owned.state.watch.watch_id for owned in watches if not owned.ended]

    def plan(self, shard: Shard, state: WatchState, *, soon: bool) -> None:
        self.soon.append(soon)

    def drop(self, watch_id: str) -> None:
        self.events.append("drop")

    def live(self, watch_id: str) -> LivePoll | None:
        return self.polled

    def queue_action(self, shard: Shard, watch_id: str) -> None:
        if not self.busy:
            shard.admitted(watch_id)

    # the group and the writer

    def catch_up(self, partition: int) -> None:
        self.catching_up()

    async def is_ours(self, partition: int) -> bool:
        return self.ours

    async def put(self, key: str, value: bytes) -> None:
        self.put_again.append(Watch.model_validate_json(value))

    async def erase(self, key: str, partition: int, *, forgets: str | None = None) -> None:
        self.events.append("erase")
        self.erased.append(forgets)

    def now_ms(self) -> int:
        return T0 + int(asyncio.get_running_loop().time() * 1000)


class Bench:
    """One shard with one watch on it."""

    def __init__(self, **request: str) -> None:
        self.events: list[str] = []
        self.log = FakeLog(self.events)
        self.around = FakeHost(self.events)
        self.watch = WatchRequest(account="main", order_id="7", **request).watch(T0 + 100_000, "opening")
        self.shard = self.made()
        self.run = asyncio.ensure_future(asyncio.sleep(0))

    def made(self) -> Shard:
        around: Any = self.around
        shard = Shard(
            0,
            log=self.log,
            bus=around,
            scheduler=around,
            group=around,
            writer=around,
            accounts={"main": around},
            now_ms=around.now_ms,
        )
        around.catching_up = shard.caught_up
        return shard

    def heir(self) -> "Bench":
        """Return the shard's next owner, who will restore what is committed by now."""
        heir = Bench()
        heir.log.states = dict(self.log.states)
        return heir

    async def start(self, *, watched: bool = True, owner_for: float = 0.0) -> "Bench":
        """Own the shard for so long already."""
        self.run = asyncio.create_task(self.shard.run())
        if watched:
            self.shard.command(self.watch.watch_id, self.watch)
        await asyncio.sleep(0.3 + owner_for)
        self.events.clear()
        return self

    @property
    def owned(self) -> OwnedWatch:
        return self.shard.watches[self.watch.watch_id]

    async def see(self, observation: Observation, *, answered: bool = True) -> None:
        now_ms = self.around.now_ms()
        step = advance(self.owned.state, observation, now_ms)
        await self.shard.take(self.watch.watch_id, step, answered=answered)

    async def see_code(self, code: str) -> None:
        await self.see(Last(SeenSms(code=code, text=None)))

    async def request(self, desired: str, request_id: str = "", *, after: int | None = None) -> None:
        watch = with_request(self.watch, desired, request_id=request_id or desired, after=after)
        self.shard.command(self.watch.watch_id, watch)
        await asyncio.sleep(0.3)

    async def withdraw(self) -> None:
        self.shard.command(self.watch.watch_id, None)
        await asyncio.sleep(0.3)

    def ends(self) -> list[WatchEnded]:
        return [each for each in self.around.messages if isinstance(each, WatchEnded)]


OWNED = NEW_OWNER + 1


async def unavailable(*_: object, **__: object) -> None:
    raise KafkaAway("no_broker")


async def hours_pass(hours: int) -> None:
    await asyncio.sleep(hours * 3600)


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
    assert set(bench.events[1 : bench.events.index("next")]) == {"state"}


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

    with pytest.raises(NotDurable):
        await bench.see_code("1111")
    await asyncio.sleep(5)

    assert bench.owned.state == before
    assert bench.events == []
    assert bench.log.state(bench.watch).sms_count == 0


@virtual
async def test_after_an_unknown_commit_memory_wins_over_what_we_attempted() -> None:
    bench = await Bench(after_sms="request_next").start(owner_for=OWNED)
    bench.log.failures = ["unknown"]

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
    bench.log.failures = ["lost"]

    await bench.see_code("1111")
    await asyncio.sleep(1)

    assert bench.events == ["message", "not committed", "open", "state"]
    assert bench.log.state(bench.watch).sms_count == 1


@virtual
async def test_a_state_that_somebody_else_committed_wins_over_memory_and_is_polled_soon() -> None:
    bench = await Bench(after_sms="request_next").start(owner_for=OWNED)
    foreign = bench.owned.state.having(revision=40, sms_count=9, asked_after=9)
    bench.log.failures = ["lost"]
    bench.log.states[bench.watch.watch_id] = foreign.to_json()

    await bench.see_code("1111")
    await asyncio.sleep(2)

    assert bench.owned.state == foreign
    assert bench.around.soon[-1] is True
    assert "next" not in bench.events


@virtual
async def test_nobody_acts_on_a_commit_that_is_not_confirmed() -> None:
    bench = await Bench(after_sms="request_next").start(owner_for=OWNED)
    bench.log.failures = ["unknown"] * 20

    await bench.see_code("1111")
    await asyncio.sleep(1)

    assert "not committed" in bench.events
    assert "next" not in bench.events


@virtual
async def test_a_fenced_shard_ends_and_opens_nothing_again() -> None:
    bench = await Bench(after_sms="request_next").start(owner_for=OWNED)
    bench.log.failures = ["fenced"]

    await bench.see_code("1111")
    await asyncio.sleep(1)

    with pytest.raises(Fenced):
        await bench.run
    assert bench.events == ["message"]


@virtual
async def test_a_shard_that_the_group_gave_away_is_not_opened_again() -> None:
    bench = await Bench().start(owner_for=OWNED)
    bench.log.failures = ["lost"]
    bench.around.ours = False

    await bench.see_code("1111")
    await asyncio.sleep(30)

    assert bench.events == ["message", "not committed"]


@virtual
async def test_the_end_of_a_watch_is_told_after_its_sms_are_published() -> None:
    bench = await Bench().start(owner_for=OWNED)
    bench.around.holding = True
    await bench.see_code("1111")
    await bench.request("stop")
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
    await bench.request("stop")
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
    assert set(bench.events[2 : bench.events.index("next")]) == {"state"}


@virtual
async def test_an_old_confirmation_does_not_let_us_act_but_the_next_poll_does() -> None:
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
async def test_a_request_is_not_lost_while_a_step_is_being_accepted() -> None:
    bench = await Bench().start(owner_for=OWNED)
    bench.around.accepting.clear()
    step = asyncio.create_task(bench.see_code("1111"))
    await bench.request("stop")

    bench.around.accepting.set()
    await step
    await asyncio.sleep(1)

    assert bench.log.state(bench.watch).ended == "stopped"
    assert bench.ends()[0].sms_count == 1


@virtual
async def test_an_action_waits_for_the_end_of_a_poll_under_way() -> None:
    bench = await Bench(after_sms="request_next").start(owner_for=OWNED)
    await bench.see_code("1111")
    bench.owned.polling = True
    await asyncio.sleep(1)
    before = list(bench.events)

    bench.owned.polling = False
    await bench.see_code("1111")
    await asyncio.sleep(1)

    assert before == ["message", "state"]
    assert bench.events.count("next") == 1


@virtual
async def test_what_was_wanted_before_a_stop_is_not_done_after_it() -> None:
    bench = await Bench(after_sms="request_next").start()  # a new owner: the action has to wait
    await bench.see_code("1111")
    await bench.request("stop")

    await asyncio.sleep(NEW_OWNER * 2)

    assert bench.log.state(bench.watch).ended == "stopped"
    assert "next" not in bench.events


@virtual
async def test_an_ended_watch_keeps_its_last_poll() -> None:
    bench = await Bench().start()
    bench.around.polled = LivePoll(1_795_000_000_007, "gone", None)

    await bench.request("stop")
    await asyncio.sleep(1)

    state = bench.log.state(bench.watch)
    assert (state.ended, state.noted_ms, state.answer) == ("stopped", 1_795_000_000_007, "gone")


@virtual
async def test_a_withdrawn_command_ends_its_watch() -> None:
    bench = await Bench().start()

    await bench.withdraw()

    assert [end.reason for end in bench.ends()] == ["stopped"]


@virtual
async def test_a_restored_state_without_a_command_ends() -> None:
    bench = await Bench().start()
    heir = bench.heir()

    await heir.start(watched=False)

    assert [end.reason for end in heir.ends()] == ["stopped"]
    assert heir.log.state(heir.watch).ended == "stopped"


@virtual
async def test_a_command_that_is_older_than_a_restored_state_is_waited_for() -> None:
    bench = await Bench().start()
    heir = bench.heir()

    def commands_come() -> None:
        heir.shard.command(heir.watch.watch_id, heir.watch)
        heir.shard.caught_up()

    heir.around.catching_up = lambda: asyncio.get_running_loop().call_later(5.0, commands_come) and None
    await heir.start(watched=False, owner_for=6.0)

    assert heir.ends() == []
    assert not heir.owned.ended


@virtual
async def test_who_is_no_longer_the_owner_ends_no_watch() -> None:
    bench = await Bench().start()
    heir = bench.heir()

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
    heir = bench.heir()

    await heir.start()
    await heir.see_code("1111")
    await asyncio.sleep(1)

    assert heir.around.messages == []
    assert heir.around.restored == [heir.watch.watch_id]


@virtual
async def test_a_restored_watch_that_is_stopped_before_its_first_answer_can_be_opened_again() -> None:
    bench = await Bench().start()
    heir = await bench.heir().start()
    await heir.request("stop")

    await heir.request("watch", "again")
    await asyncio.sleep(1)

    assert not heir.owned.ended
    assert heir.log.state(heir.watch).opening == 1


@virtual
async def test_an_unknown_account_opens_nothing() -> None:
    bench = Bench()
    bench.watch = WatchRequest(account="other", order_id="7").watch(T0, "opening")

    await bench.start()

    assert bench.shard.watches == {}
    assert bench.log.states == {}


@virtual
async def test_what_ended_a_day_ago_is_forgotten_with_its_command() -> None:
    bench = await Bench().start()
    await bench.request("stop")
    bench.events.clear()

    await hours_pass(23)
    before = list(bench.events)
    await hours_pass(2)

    assert before == []
    assert bench.events == ["erase", "state", "drop"]
    assert bench.around.erased == ["stop"]
    assert (bench.shard.watches, bench.log.states) == ({}, {})


@virtual
async def test_a_watch_that_could_not_be_forgotten_is_forgotten_later_though_others_were_meanwhile() -> None:
    bench = await Bench().start()
    erase = bench.around.erase
    bench.around.erase = unavailable  # type: ignore[method-assign]
    await bench.request("stop")
    await asyncio.sleep(1800)
    other = WatchRequest(account="main", order_id="8").watch(bench.around.now_ms(), "other")
    bench.shard.command(other.watch_id, other)
    bench.shard.command(other.watch_id, with_request(other, "stop", request_id="stop other"))
    await asyncio.sleep(24 * 3600 - 1200)
    bench.around.erase = erase  # type: ignore[method-assign]
    forgotten = []

    for _ in range(2):
        await asyncio.sleep(2400)
        forgotten += bench.around.erased
        bench.around.erased.clear()

    assert forgotten == ["stop other", "stop"]
    assert bench.shard.watches == {}


@virtual
async def test_sixteen_thousand_ended_watches_are_forgotten_without_holding_the_loop() -> None:
    bench = await Bench().start()
    await bench.request("stop")
    state = bench.owned.state
    for number in range(2_000):
        other = OwnedWatch(state.having(watch=state.watch.model_copy(update={"watch_id": f"w{number}"})))
        bench.shard.watches[f"w{number}"] = other
        heappush(bench.shard._time_limits, (other.time_limit_ms, f"w{number}"))

    await hours_pass(25)
    await asyncio.sleep(60)

    assert bench.shard.watches == {}
    assert len(bench.around.erased) == 2_001


@virtual
async def test_a_request_that_was_written_while_its_watch_was_forgotten_is_written_once_more() -> None:
    bench = await Bench().start()
    await bench.request("stop")
    await bench.request("watch", "again")

    bench.shard.command(bench.watch.watch_id, None, forgets="stop")
    await asyncio.sleep(0.3)

    assert (bench.owned.ended, bench.owned.state.opening) == (False, 1)
    assert [each.request_id for each in bench.around.put_again] == ["again"]


@virtual
async def test_a_shard_that_starts_with_our_tombstone_behind_a_newer_request_applies_the_request() -> None:
    bench = await Bench().start()
    await bench.request("stop")
    heir = bench.heir()
    for watch in (with_request(heir.watch, "stop", request_id="stop"), heir.watch):
        heir.shard.command(heir.watch.watch_id, watch)
    again = with_request(heir.watch, "watch", request_id="again")
    heir.shard.command(heir.watch.watch_id, again)
    heir.shard.command(heir.watch.watch_id, None, forgets="stop")

    await heir.start(watched=False)

    assert (heir.owned.ended, heir.owned.state.applied) == (False, "again")
    assert heir.ends() == []


@virtual
async def test_a_watch_that_ended_is_opened_again_by_the_same_request_under_another_id() -> None:
    bench = await Bench().start(owner_for=OWNED)
    await bench.see_code("1111")
    await bench.request("stop")

    await bench.request("watch", "again")
    await bench.see_code("2222")
    await bench.request("stop", "stop again")

    sequences = [each.sequence for each in bench.around.messages if isinstance(each, SmsReceived)]
    assert (sequences, [end.sms_count for end in bench.ends()]) == ([0, 1], [1, 2])
    assert len({end.event_id for end in bench.ends()}) == 2


@virtual
async def test_requests_that_were_written_while_no_shard_ran_are_applied_in_order_and_once() -> None:
    bench = await Bench().start()
    await bench.see_code("1111")
    await asyncio.sleep(1)
    heir = bench.heir()
    for watch in (heir.watch, with_request(heir.watch, "next", request_id="n"), heir.watch):
        heir.shard.command(heir.watch.watch_id, watch)

    await heir.start(watched=False)
    await heir.see_code("1111")
    await asyncio.sleep(1)

    assert heir.owned.state.applied == "opening"
    assert heir.ends() == []


@virtual
async def test_a_next_that_comes_right_after_its_sms_counts_that_sms() -> None:
    bench = await Bench().start(owner_for=OWNED)
    bench.log.failures = ["lost"] * 3  # the state with the SMS is not committed for a while
    await bench.see_code("1111")
    await bench.request("next", "first")
    await asyncio.sleep(5)
    await bench.see_code("1111")
    await asyncio.sleep(1)

    await bench.see_code("2222")
    await bench.request("next", "second")
    await bench.see_code("2222")
    await asyncio.sleep(1)

    assert bench.events.count("next") == 2


@virtual
async def test_a_watch_whose_provider_is_silent_ends_ten_minutes_after_its_deadline() -> None:
    bench = await Bench().start()

    await hours_pass(1)

    assert [end.reason for end in bench.ends()] == ["expired"]


@virtual
async def test_a_watch_of_an_account_that_is_gone_ends_as_well() -> None:
    bench = await Bench().start()
    heir = bench.heir()
    heir.shard._accounts = heir.shard._actions._accounts = {}

    await heir.start()
    await hours_pass(1)

    assert [end.reason for end in heir.ends()] == ["expired"]


@virtual
async def test_a_state_of_a_newer_format_is_left_alone_and_said_in_one_line() -> None:
    bench = await Bench().start()
    heir = bench.heir()
    (state,) = bench.log.states.values()
    newer = json.dumps(json.loads(state) | {"format": 2}).encode()
    heir.log.states = {heir.watch.watch_id: newer}

    with capture_logs() as logs:
        await heir.start()

    (line,) = [each for each in logs if each["event"] == "state_unreadable"]
    assert (line["fields"], line["hint"]) == ("format", "it is left unchanged: the version that wrote it reads it")
    assert heir.log.states == {heir.watch.watch_id: newer}
    assert (heir.shard.watches, heir.ends()) == ({}, [])


@virtual
async def test_a_state_that_cannot_be_read_is_left_alone_and_costs_the_others_nothing() -> None:
    bench = await Bench().start()
    other = WatchRequest(account="main", order_id="8").watch(T0 + 100_000, "other")
    heir = Bench()
    poison = b'{"watch": {"of": "tomorrow"}}'
    heir.log.states = {**bench.log.states, other.watch_id: poison}
    heir.shard.command(other.watch_id, other)

    await heir.start()

    assert (set(heir.shard.watches), heir.shard.states.unreadable) == ({heir.watch.watch_id}, {other.watch_id})
    assert heir.log.states[other.watch_id] == poison
    assert heir.ends() == []


@virtual
async def test_a_command_that_cannot_be_read_does_not_withdraw_its_watch() -> None:
    bench = await Bench().start()
    heir = bench.heir()
    heir.shard.unreadable_command(heir.watch.watch_id)

    await heir.start(watched=False)

    assert heir.ends() == []
    assert not heir.owned.ended


@virtual
async def test_an_action_waits_until_the_account_may_be_asked_and_is_then_committed_again() -> None:
    bench = await Bench(after_sms="request_next").start(owner_for=OWNED)
    bench.around.busy = True
    await bench.see_code("1111")
    await asyncio.sleep(30)
    before = list(bench.events)

    bench.shard.admitted(bench.watch.watch_id)
    await asyncio.sleep(1)

    assert before == ["message", "state"]
    assert bench.events[2:4] == ["state", "next"]


@virtual
async def test_an_action_that_ends_after_its_shard_was_lost_plans_nothing() -> None:
    bench = await Bench().start(owner_for=OWNED)
    await bench.see_code("1111")
    bench.shard.command(bench.watch.watch_id, with_request(bench.watch, "next", request_id="next"))
    await asyncio.sleep(0.3)
    await bench.see_code("1111")
    while "next" not in bench.events:
        await asyncio.sleep(0.01)
    planned = len(bench.around.soon)

    lost = bench.shard.let_go()
    await asyncio.sleep(1)

    assert lost == [bench.watch.watch_id]
    assert len(bench.around.soon) == planned


@virtual
async def test_an_idle_shard_sleeps() -> None:
    bench = await Bench().start()
    turns = 0
    original = bench.shard._commit

    async def counted() -> bool:
        nonlocal turns
        turns += 1
        return await original()

    bench.shard._commit = counted  # type: ignore[method-assign]
    await asyncio.sleep(600)

    assert turns <= 12


@virtual
async def test_the_request_for_the_next_sms_is_done_once() -> None:
    bench = await Bench().start(owner_for=OWNED)
    await bench.see_code("1111")
    await bench.request("next", after=1)
    for _ in range(3):
        await bench.see_code("1111")
        await asyncio.sleep(0.5)

    assert bench.events.count("next") == 1


@virtual
async def test_a_next_about_an_sms_that_the_predecessor_could_not_commit_is_not_swallowed() -> None:
    bench = await Bench().start(owner_for=OWNED)
    await bench.see_code("1111")
    await bench.request("next", "first")
    await bench.see_code("1111")
    await asyncio.sleep(1)
    heir = bench.heir()  # the predecessor publishes 2222 now, and dies
    for watch in (heir.watch, with_request(heir.watch, "next", request_id="first")):
        heir.shard.command(heir.watch.watch_id, watch)
    heir.shard.command(heir.watch.watch_id, with_request(heir.watch, "next", request_id="second"))

    await heir.start(watched=False, owner_for=OWNED)
    await heir.see(ProviderError("transient", "reset"), answered=False)
    await asyncio.sleep(1)
    early = heir.owned.state.applied
    await heir.see_code("2222")
    await asyncio.sleep(1)
    await heir.see_code("2222")
    await asyncio.sleep(1)

    assert (early, heir.owned.state.applied, heir.owned.state.outcome) == ("first", "second", "accepted")
    assert "next" in heir.events


@virtual
async def test_a_watch_that_ended_without_a_commit_is_opened_again_by_the_request_that_followed() -> None:
    bench = await Bench().start()
    heir = bench.heir()  # the predecessor publishes the end now, and dies
    heir.shard.command(heir.watch.watch_id, with_request(heir.watch, "watch", request_id="again"))

    await heir.start(watched=False)
    await heir.see(Ended("cancelled"))
    await asyncio.sleep(1)

    assert [end.reason for end in heir.ends()] == ["cancelled"]
    assert (heir.owned.ended, heir.owned.state.opening) == (False, 1)


@virtual
async def test_a_restored_watch_is_stopped_at_once_though_nobody_answers() -> None:
    bench = await Bench().start()
    heir = bench.heir()
    heir.shard.command(heir.watch.watch_id, with_request(heir.watch, "stop", request_id="stop"))

    await heir.start(watched=False)

    assert [end.reason for end in heir.ends()] == ["stopped"]


@virtual
async def test_a_restored_watch_that_ends_without_an_answer_is_opened_again_by_what_waited_for_one() -> None:
    bench = await Bench().start()
    heir = bench.heir()
    heir.shard.command(heir.watch.watch_id, heir.watch)
    heir.shard.command(heir.watch.watch_id, with_request(heir.watch, "watch", request_id="again"))

    await heir.start(watched=False)
    await hours_pass(1)

    assert heir.owned.state.opening == 1
    assert heir.ends()[0].reason == "expired"


@virtual
async def test_a_watch_whose_sms_the_bus_does_not_take_does_not_end_before_it_does() -> None:
    bench = await Bench().start()
    bench.around.full = True
    with pytest.raises(NotDurable):
        await bench.see_code("1111")
    await hours_pass(1)
    before = bench.owned.ended

    bench.around.full = False
    await asyncio.sleep(10)

    assert not before
    assert [type(message) for message in bench.around.messages] == [SmsReceived, WatchEnded]


async def sees_an_sms_although(ends: Callable[[Bench], Awaitable[None]]) -> None:
    bench = await Bench().start()
    bench.owned.polling = True
    await ends(bench)
    before = bench.owned.ended

    await bench.see_code("1111")
    bench.owned.polling = False
    await asyncio.sleep(10)

    assert not before
    assert [type(message) for message in bench.around.messages] == [SmsReceived, WatchEnded]


@virtual
async def test_an_sms_in_the_answer_to_a_poll_under_way_comes_before_the_end_at_the_deadline() -> None:
    await sees_an_sms_although(lambda _: hours_pass(1))


@virtual
async def test_an_sms_in_the_answer_to_a_poll_under_way_comes_before_the_end_by_a_request() -> None:
    await sees_an_sms_although(lambda bench: bench.request("stop"))


@virtual
async def test_an_sms_in_the_answer_to_a_poll_under_way_comes_before_the_end_of_a_withdrawn_watch() -> None:
    await sees_an_sms_although(Bench.withdraw)


async def is_refused(bench: Bench) -> None:
    bench.around.full = True
    with pytest.raises(NotDurable):
        await bench.see_code("1111")


@virtual
async def test_no_action_is_performed_before_an_sms_that_the_bus_refused_at_first() -> None:
    bench = await Bench().start(owner_for=OWNED)
    bench.around.busy = True  # it waits for a slot of the budget
    await bench.request("finish")
    await bench.see(Waiting())
    await asyncio.sleep(1)
    await is_refused(bench)
    bench.around.busy = False
    bench.shard.admitted(bench.watch.watch_id)
    await asyncio.sleep(5)
    before = list(bench.events)
    bench.around.full = False
    await asyncio.sleep(5)

    assert {*before} == {"state"}
    assert [event for event in bench.events if event != "state"] == ["message", "finish", "end"]


@pytest.mark.parametrize("ends", [lambda bench: bench.request("stop"), Bench.withdraw])
def test_an_sms_that_the_bus_refused_comes_before_the_end_though_the_provider_answers_no_more(
    ends: Callable[[Bench], Awaitable[None]],
) -> None:
    @virtual
    async def run() -> None:
        bench = await Bench().start()
        await is_refused(bench)
        await ends(bench)
        before = bench.owned.ended
        bench.around.full = False
        await asyncio.sleep(60)

        assert (before, bench.owned.ended) == (False, True)
        assert [type(message) for message in bench.around.messages] == [SmsReceived, WatchEnded]

    run()


@virtual
async def test_a_withdrawal_that_comes_while_requests_wait_for_a_poll_replaces_them() -> None:
    bench = await Bench().start()
    bench.owned.polling = True
    apply_all = bench.shard._apply_all

    async def is_withdrawn_meanwhile(watch_id: str, requests: list[Watch | None]) -> list[Watch | None]:
        left = await apply_all(watch_id, requests)
        if len(left) == 2:
            bench.shard.command(watch_id, None)
        return left

    bench.shard._apply_all = is_withdrawn_meanwhile  # type: ignore[method-assign]
    await bench.request("stop")
    await bench.request("watch", "reopen")
    bench.owned.polling = False
    await asyncio.sleep(60)

    assert (bench.owned.ended, bench.owned.state.opening) == (True, 0)


@virtual
async def test_a_request_that_waits_for_a_first_poll_is_not_performed_once_it_is_withdrawn() -> None:
    heir = await (await Bench().start()).heir().start()
    heir.shard._actions._not_before = 0.0
    await heir.request("cancel")
    heir.shard.command(heir.watch.watch_id, None)
    await heir.see(Waiting())  # before the shard's next turn
    await asyncio.sleep(5)

    assert "cancel" not in heir.events
    assert heir.owned.ended


@virtual
async def test_of_a_watch_that_is_another_shards_the_sms_are_published_and_not_its_end() -> None:
    bench = await Bench().start()
    state, now_ms = bench.owned.state, bench.around.now_ms()
    bench.shard.let_go()

    await bench.shard.publish(advance(state, Last(SeenSms(code="1111")), now_ms))
    await bench.shard.publish(advance(state, Ended("cancelled"), now_ms))
    bench.around.full = True
    await bench.shard.publish(advance(state, Last(SeenSms(code="2222")), now_ms))

    assert [type(message) for message in bench.around.messages] == [SmsReceived]


@virtual
async def test_each_of_two_openings_that_end_at_once_has_its_end() -> None:
    bench = await Bench().start()
    for desired, name in (("stop", "s1"), ("watch", "w2"), ("stop", "s2")):
        bench.shard.command(bench.watch.watch_id, with_request(bench.watch, desired, request_id=name))
    await asyncio.sleep(2)

    assert [end.opening for end in bench.ends()] == [0, 1]


@virtual
async def test_a_state_that_is_too_large_for_kafka_holds_up_no_other() -> None:
    bench = await Bench().start()
    other = WatchRequest(account="main", order_id="8").watch(T0 + 100_000, "other")
    bench.shard.command(other.watch_id, other)
    await asyncio.sleep(1)
    bench.owned.state = bench.owned.state.having(revision=50, recipient="1" * 1_000_000)
    bench.shard.states.mark(bench.watch.watch_id)
    bench.shard.command(other.watch_id, with_request(other, "stop", request_id="stop"))
    await asyncio.sleep(1)

    assert bench.log.state(other).ended == "stopped"
    assert bench.log.state(bench.watch).revision < 50


@virtual
async def test_who_withdraws_a_watch_withdraws_what_waits_for_its_first_answer_too() -> None:
    bench = await Bench().start()
    heir = bench.heir()
    heir.shard.command(heir.watch.watch_id, heir.watch)
    heir.shard.command(heir.watch.watch_id, with_request(heir.watch, "finish", request_id="finish"))
    await heir.start(watched=False)

    await heir.withdraw()
    left = dict(heir.shard._requests._held)
    heir.shard.command(heir.watch.watch_id, with_request(heir.watch, "watch", request_id="again"))
    await asyncio.sleep(0.3)

    assert [end.reason for end in heir.ends()] == ["stopped"]
    assert left == {}
    assert (heir.owned.state.opening, heir.owned.state.watch.desired) == (1, "watch")


@virtual
async def test_a_request_that_is_repeated_holds_up_no_action_that_is_wanted_already() -> None:
    bench = await Bench().start(owner_for=OWNED)
    await bench.request("finish")
    bench.around.busy = True  # the account may not be asked yet
    await bench.see_code("1111")
    await bench.request("finish", "once more")
    await bench.request("watch", "and again")

    bench.shard.admitted(bench.watch.watch_id)
    await asyncio.sleep(1)

    assert bench.events.count("finish") == 1
    assert bench.owned.state.ended == "finished"


@virtual
async def test_another_owners_state_of_the_same_revision_wins_over_memory() -> None:
    bench = await Bench().start(owner_for=OWNED)
    await bench.see_code("1111")
    await asyncio.sleep(1)
    mine = bench.owned.state
    bench.log.states[bench.watch.watch_id] = mine.having(revision=mine.revision + 1, sms_count=7).to_json()
    bench.log.failures = ["lost"]

    await bench.see_code("2222")
    await asyncio.sleep(2)

    assert bench.owned.state.sms_count == 7


@virtual
async def test_an_action_is_done_although_every_commit_takes_three_seconds() -> None:
    bench = await Bench(after_sms="request_next").start(owner_for=OWNED)
    commit = bench.log.commit

    async def slow(states: Mapping[str, bytes | None]) -> None:
        await asyncio.sleep(3)
        await commit(states)

    bench.log.commit = slow  # type: ignore[method-assign]
    await bench.see_code("1111")
    await asyncio.sleep(15)

    assert bench.events.count("next") == 1
