"""Requests, SMS, actions, crashes, compaction and tombstones in any order, against the protocol.

That is docs/decisions/0001-watch-commands-and-states.md.

The order at the provider, the topic and its readers are simulated. A lineage is what led to the state that is known
now; a crash takes it back to the last commit. `Owed` is the protocol's table, written down once more.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pollers import watch_commands
from pollers.tracking import actions, expiry
from pollers.tracking.advance import Step, acted, advance, opened, requested, withdrawn
from pollers.tracking.state import WatchState
from pollers.watch_commands import WatchRequest, read_command, request_name, with_request
from providers.observation import Ended, Last, Observation, ProviderError, SeenSms, Waiting, WaitingNext
from providers.results import Action
from schemas import identity
from schemas.messages import SmsReceived, Watch, WatchEnded
from schemas.timestamps import to_text

OPENED_MS = 1_795_368_000_000
LIFE_MS = 10**9
KEY = identity.watch_id("shop", "activation", "860")
LATER = {"of_tomorrow": {"deep": [1, None]}}
REFUSED = ProviderError("denied", "cant_cancel")
RESULTS: tuple[Any, ...] = ("done", "done", REFUSED, "too_early", ProviderError("request_error", "bad_action"), "lost")
LOST = ProviderError("transient", "timeout")


@dataclass
class Owed:
    """What was asked of the live watch, and neither came nor was refused."""

    closing: str | None = None
    after: set[int] = field(default_factory=set)
    asked: set[int] = field(default_factory=set)  # counts after which the provider was asked for the next SMS

    def request(self, desired: str, after: int | None, count: int) -> None:
        if desired in {"finish", "cancel"}:
            self.closing = desired
        elif desired == "next" and not (after is None and count in self.after | self.asked):
            self.after.add(count if after is None else after)
            self.sms(count)

    def sms(self, count: int) -> None:
        self.after = {each for each in self.after if each >= count}

    def act(self, action: str, count: int, *, done: bool) -> None:
        if action != "next":
            self.closing = None
        elif done:
            assert count not in self.asked, "asked twice"
            self.asked.add(count)
        else:
            self.after.discard(count)


@dataclass
class Lineage:
    applied: list[str] = field(default_factory=list)
    messages: list[SmsReceived | WatchEnded] = field(default_factory=list)
    owed: Owed = field(default_factory=Owed)
    offset: int = -1  # of the last record of the topic that was read


@dataclass
class World:
    topic: dict[int, bytes | None] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    state: WatchState | None = None
    lineage: Lineage = field(default_factory=Lineage)
    committed: tuple[bytes | None, Lineage] = (None, Lineage())
    published: dict[str, str] = field(default_factory=dict)  # of each id what was said under it
    is_up: bool = True
    now_ms: int = OPENED_MS
    offset: int = 0
    codes: list[str] = field(default_factory=list)
    waits_next: bool = False
    closed: str | None = None

    # ---- people ------------------------------------------------------------------------------------------------

    def write(self, value: bytes | None) -> None:
        self.topic[self.offset] = value
        if value is not None:
            name = request_name(self.read(value))
            self.written += [name] if self.written[-1:] != [name] else []
        self.offset += 1
        self.follow()

    def request(self, desired: str, number: int) -> None:
        if desired == "watch":
            self.closed = None
        asked = WatchRequest(account="shop", order_id="860", expires_at=to_text(self.now_ms + LIFE_MS))
        watch = asked.watch(self.now_ms)  # unique as long as the clock moves on
        if number % 3:
            after = (None, None, 0, 1, 2)[number % 5] if desired == "next" else None
            watch = with_request(watch, desired, request_id=f"r{self.offset}", after=after)
        else:
            watch = watch.model_copy(update={"desired": desired})
        self.now_ms += 1
        self.write(json.dumps({**json.loads(watch.to_json()), **LATER}).encode())

    def again(self, number: int) -> None:
        """A client's producer writes its record twice."""
        if self.topic and (last := self.topic[max(self.topic)]) is not None:
            self.write(last)

    def withdraw(self, number: int) -> None:
        if number > 6:
            self.write(None)

    # ---- the provider ------------------------------------------------------------------------------------------

    def sms(self, number: int) -> None:
        self.codes.append(f"{1000 + len(self.codes)}")
        self.waits_next = False

    def answer(self) -> Observation:
        if self.closed is not None:
            return Ended("finished" if self.closed == "finish" else "cancelled")
        if not self.codes:
            return Waiting()
        return WaitingNext(self.codes[-1]) if self.waits_next else Last(SeenSms(code=self.codes[-1]))

    def perform(self, action: Action) -> None:
        if action == "next":
            self.waits_next = bool(self.codes)
        else:
            self.closed = action

    # ---- the shard ---------------------------------------------------------------------------------------------

    @staticmethod
    def read(value: bytes) -> Watch:
        watch = read_command(KEY, value)
        assert watch is not None
        return watch

    def follow(self) -> None:
        for offset in sorted(self.topic) if self.is_up else ():
            if offset > self.lineage.offset:
                self.apply(self.topic[offset])
                self.lineage.offset = offset

    def apply(self, value: bytes | None) -> None:
        if value is None:
            if self.state is not None:
                self.take(withdrawn(self.state, self.now_ms))
            return
        watch = self.read(value)
        before, waiting = self.state, self.waiting()
        if before is None:
            self.state = opened(watch, "smsverified", self.now_ms)
        live = self.state is not None and self.state.ended is None
        step = requested(self.state, watch, self.now_ms)
        if before is None or step.state is not before:
            self.lineage.applied.append(request_name(watch))
            if live:
                self.lineage.owed.request(watch.desired, watch.next_after, step.state.sms_count)
                self.check_waiting(watch.desired, step.state, waiting)
        self.take(step)
        assert requested(step.state, watch, self.now_ms).state is step.state, "applied twice is applied once"

    def waiting(self) -> tuple[int, int, str | None]:
        """Return what holds up the action that is wanted."""
        state = self.state
        return (0, 0, None) if state is None else (state.not_before_ms, state.tries, state.held_code)

    def check_waiting(self, desired: str, after: WatchState, before: tuple[int, int, str | None]) -> None:
        if desired in {"finish", "cancel"}:
            assert actions.due_action(after, self.now_ms) == desired, "what is requested waits for nothing"
        elif desired == "next" and self.lineage.owed.closing is not None:
            assert (after.not_before_ms, after.tries, after.held_code) == before, "a next moved a closing's time"

    def take(self, step: Step) -> None:
        self.state = step.state
        for message in step.messages:
            said = message.code or "" if isinstance(message, SmsReceived) else f"{message.opening} {message.reason}"
            assert self.published.setdefault(message.event_id, said) == said, "two events under one id"
            self.lineage.messages.append(message)
        self.lineage.owed.sms(step.state.sms_count)
        if step.state.ended is not None:
            self.lineage.owed = Owed()

    def commit(self, number: int = 0) -> None:
        if self.is_up and self.state is not None:
            self.committed = self.state.to_json(), deepcopy(self.lineage)

    def poll(self, number: int) -> None:
        self.now_ms += 7000
        if not self.is_up or self.state is None:
            return
        step = advance(self.state, self.answer(), self.now_ms)
        self.take(step)
        if number != 9:  # else we crash before, or Kafka is away
            self.commit()
            if step.action is not None:
                self.act(step.action, RESULTS[number % len(RESULTS)], number)

    def act(self, action: Action, result: Any, number: int) -> None:
        assert self.state is not None
        owed, count = self.lineage.owed, self.state.sms_count
        assert action == owed.closing or (action == "next" and count in owed.after), "nobody asked for it"
        if result in {"done", "lost"}:
            self.perform(action)
        if number == 8:
            return  # we crash before we know
        step = acted(self.state, action, LOST if result == "lost" else result, self.now_ms)
        if result in {"done", REFUSED}:
            owed.act(action, count, done=result == "done")
        self.take(step)

    def crash(self, number: int) -> None:
        self.stop(number)
        self.start(number)

    def stop(self, number: int) -> None:
        self.is_up = False

    def start(self, number: int) -> None:
        """Restore, read the topic from its beginning, and apply what is to be applied."""
        if self.is_up:
            return
        value, lineage = self.committed
        self.lineage, self.is_up = deepcopy(lineage), True
        self.state = None if value is None else WatchState.from_json(value)
        self.lineage.offset = self.offset_applied()
        self.follow()

    def offset_applied(self) -> int:
        if self.state is None:
            return -1
        offsets = [offset for offset, value in sorted(self.topic.items()) if value is not None]
        behind = watch_commands.unapplied(self.state, [self.read(self.topic[each] or b"") for each in offsets])
        return -1 if len(behind) == len(offsets) else offsets[len(offsets) - len(behind) - 1]

    def compact(self, number: int) -> None:
        """Take away superseded records, but none that no committed state has seen: the protocol's price."""
        last = max(self.topic, default=0)
        self.topic = {
            offset: value
            for offset, value in self.topic.items()
            if offset == last or offset > self.committed[1].offset - number % 3
        }

    def wait(self, number: int) -> None:
        self.now_ms += 150_000

    def expire(self, number: int) -> None:
        self.now_ms += LIFE_MS * (number > 7)
        self.poll(number)

    def forget(self, number: int) -> None:
        """Our tombstone. What was written meanwhile is written once more behind it."""
        if not self.is_up or self.state is None or self.state.ended is None:
            return
        self.commit()
        self.now_ms = max(self.now_ms, expiry.forget_ms(self.state))
        self.is_up = False
        if number % 2:
            self.request("watch", number)
        meanwhile = [self.topic[each] for each in sorted(self.topic) if each > self.lineage.offset]
        self.topic, self.written, self.published = {}, [], {}
        self.state, self.lineage, self.committed = None, Lineage(), (None, Lineage())
        self.codes, self.waits_next, self.is_up = [], False, True
        for value in meanwhile:
            self.write(value)

    # ---- the promises ------------------------------------------------------------------------------------------

    def check(self) -> None:
        if not self.is_up or self.state is None:
            return
        assert self.lineage.applied == self.written, "each request once, and in order"
        sms = [each for each in self.lineage.messages if isinstance(each, SmsReceived)]
        ends = [each for each in self.lineage.messages if isinstance(each, WatchEnded)]
        assert [each.sequence for each in sms] == list(range(self.state.sms_count)), "sequences go on"
        assert len({each.event_id for each in self.lineage.messages}) == len(sms) + len(ends), "ids are unique"
        assert [each.opening for each in ends] == list(range(len(ends))), "each opening ends once"
        assert len(ends) == self.state.opening + (self.state.ended is not None)
        state = json.loads(self.state.to_json())
        assert {**state["watch"], **LATER} == state["watch"], "unknown keys survive"
        assert WatchState.from_json(self.state.to_json()) == self.state
        wanted = actions.due_action(self.state, self.now_ms + LIFE_MS)
        assert self.state.held_code is None or (wanted is not None and self.state.not_before_ms), "nothing is held"
        assert self.state.ended or wanted == self.lineage.owed.closing or self.lineage.owed.closing is None, "lost"

    def settle(self) -> None:
        """Everything works from now on: what is owed comes."""
        self.start(0)
        for _ in range(12):
            self.wait(0)
            self.poll(0)
            if self.waits_next:
                self.sms(0)
        self.check()
        if self.state is not None and self.state.ended is None:
            assert self.lineage.owed.closing is None, "lost"
            assert all(each > self.state.sms_count for each in self.lineage.owed.after if self.codes), "lost"
            assert actions.due_action(self.state, self.now_ms + LIFE_MS) is None


DESIRED = ("watch", "next", "next", "finish", "cancel", "stop")
NAMES = (*DESIRED, *("sms", "poll", "commit", "crash", "stop_shard", "start", "compact", "wait", "expire", "forget"))
COMMANDS = st.lists(
    st.tuples(st.sampled_from((*NAMES, "poll", "poll", "again", "withdraw")), st.integers(0, 9)), max_size=40
)
MORE: Any = settings(max_examples=400, deadline=None)


def play(commands: list[tuple[str, int]]) -> World:
    world = World()
    world.request("watch", 1)
    for name, number in commands:
        if name in DESIRED:
            world.request(name, number)
        else:
            getattr(world, {"stop_shard": "stop"}.get(name, name))(number)
        world.check()
    world.settle()
    return world


@MORE
@given(COMMANDS)
def test_every_request_is_done_once_and_in_order_whatever_happens_meanwhile(commands):
    play(commands)


HISTORIES = {
    "a restart": [("sms", 0), ("poll", 0), ("next", 1), ("finish", 1), ("commit", 0), ("crash", 0)],
    "requests while no shard ran": [("commit", 0), ("stop_shard", 0), ("finish", 1), ("next", 1), ("start", 0)],
    "a next beside a cancel that waits": [("sms", 0), ("poll", 0), ("cancel", 1), ("poll", 3), ("next", 1)],
    "a count that never comes": [("sms", 0), ("poll", 0), ("next", 4), ("next", 1), ("poll", 0), ("sms", 0)],
    "refused, and asked again": [("cancel", 1), ("poll", 2), ("cancel", 1), ("poll", 0)],
    "three openings": [("sms", 0), ("poll", 0), *[("stop", 1), ("watch", 1), ("poll", 0)] * 2, ("stop", 1)],
    "an SMS in the gap": [("sms", 0), ("poll", 0), ("stop", 1), ("sms", 0), ("watch", 1), ("poll", 0)],
    "ahead of the commit": [
        ("sms", 0), ("poll", 0), ("next", 8), ("poll", 0), ("sms", 0), ("poll", 9), ("crash", 0), ("next", 4)
    ],
    "asked before a tombstone of ours": [("stop", 1), ("forget", 1), ("sms", 0), ("poll", 0)],
    "withdrawn and wanted again": [("commit", 0), ("withdraw", 9), ("watch", 1), ("crash", 0), ("poll", 0)],
}  # fmt: skip


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_that_went_wrong_once_goes_right(name):
    play(HISTORIES[name])


def everything(state: WatchState, records: list[Watch]) -> list[Watch]:
    return records


def nothing(state: WatchState, records: list[Watch]) -> list[Watch]:
    return []


def same_id(watch_id: str, reason: str, sms_count: int, opening: int = 0) -> str:
    return identity.watch_id(watch_id, reason, str(sms_count))


def forgetful(state: WatchState, watch: Any, now_ms: int) -> WatchState:
    return REOPENED(state, watch, now_ms).having(counts={}, sms_count=0)


def still_refused(state: WatchState) -> WatchState:
    return state


def no_closing(state: WatchState) -> None:
    return None


REOPENED = expiry.reopened
BREAKS: list[tuple[str, Any, str, Callable[..., Any]]] = [
    ("a restart", watch_commands, "unapplied", everything),
    ("requests while no shard ran", watch_commands, "unapplied", nothing),
    ("three openings", identity, "watch_ended_id", same_id),
    ("an SMS in the gap", expiry, "reopened", forgetful),
    ("refused, and asked again", actions, "_requested_anew", still_refused),
    ("a next beside a cancel that waits", actions, "_closing", no_closing),
]


@pytest.mark.parametrize(("name", "module", "function", "broken"), BREAKS)
def test_a_planted_break_is_found(name, module, function, broken, monkeypatch):
    monkeypatch.setattr(module, function, broken)

    with pytest.raises(AssertionError):
        play(HISTORIES[name])


@pytest.mark.parametrize("broken", [everything, nothing])
def test_a_planted_break_is_found_among_the_generated_histories(broken, monkeypatch):
    monkeypatch.setattr(watch_commands, "unapplied", broken)

    with pytest.raises(AssertionError):
        test_every_request_is_done_once_and_in_order_whatever_happens_meanwhile()
