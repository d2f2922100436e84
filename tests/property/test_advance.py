"""Arbitrary answers of simulated orders, with lags, errors, actions and crashes, against what the contract promises.

The simulated order keeps its own book of what it showed. After a crash the poller has some committed state, the step
that was not committed is taken again or never: its messages may be in Kafka nevertheless.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pollers.tracking.advance import Step, acted, advance, opened
from pollers.tracking.state import WatchState
from providers.observation import (
    Ended,
    Last,
    Listing,
    NoCode,
    Observation,
    ProviderError,
    SeenSms,
    Waiting,
    WaitingNext,
)
from schemas.identity import event_id, watch_id
from schemas.messages import SmsReceived, Watch, WatchEnded
from schemas.timestamps import to_text

OPENED_MS = 1_795_368_000_000
CODES = ("1111", "2222", "3333")
TROUBLE = ProviderError("transient", "html")


def watch(kind: str, after_sms: str = "keep") -> Watch:
    return Watch(
        watch_id=watch_id("shop", kind, "860"),
        account="shop",
        order_kind=kind,
        order_id="860",
        opened_at=to_text(OPENED_MS),
        expires_at=to_text(OPENED_MS + 10**9),
        after_sms=after_sms,
    )


RENT = watch("rent").model_copy(update={"expires_at": to_text(OPENED_MS + 10**10)})


@dataclass
class Poller:
    """One process after another. `life` are the messages that led to the state that is known now."""

    state: WatchState
    published: list[SmsReceived | WatchEnded] = field(default_factory=list)
    life: list[SmsReceived | WatchEnded] = field(default_factory=list)
    commits: list[tuple[bytes, int, int]] = field(default_factory=list)  # state, length of life, of the book

    def take(self, step: Step) -> None:
        assert step.state is self.state or step.state.revision == self.state.revision + 1
        self.published += step.messages
        self.life += step.messages
        self.state = step.state

    def commit(self, pages: int) -> None:
        self.commits.append((self.state.to_json(), len(self.life), pages))

    def crash(self, back: int) -> int:
        """Return how much of the book the restored state has seen."""
        place = max(0, len(self.commits) - 1 - back)
        del self.commits[place + 1 :]
        value, told, pages = self.commits[place]
        self.state, self.life = WatchState.from_json(value), self.life[:told]
        return pages

    def check(self) -> None:
        sms = [each for each in self.life if isinstance(each, SmsReceived)]
        assert [each.sequence for each in sms] == list(range(len(sms))) == list(range(self.state.sms_count))
        assert len({each.id for each in sms}) == len(sms)
        assert [each for each in self.life if isinstance(each, WatchEnded)] == self.life[len(sms) :]
        assert all(each.sms_count == len(sms) for each in self.life[len(sms) :])
        assert (self.state.ended is not None) == (len(self.life) == len(sms) + 1)
        assert WatchState.from_json(self.state.to_json()) == self.state


@dataclass
class Activation:
    """An order that shows its newest SMS only, as `handler_api` does, or SMS-Man."""

    poller: Poller
    v2: bool
    codes: list[str] = field(default_factory=list)
    waits_next: bool = False
    now_ms: int = OPENED_MS
    book: list[tuple[str, int, int]] = field(default_factory=list)  # ("sms" or "boundary", its number, when)

    def sms(self, number: int) -> SeenSms:
        code = self.codes[number]
        if not self.v2:
            return SeenSms(code=code)
        return SeenSms(code=code, text=f"Code {code}", time_raw=f"2026-11-22 17:{number // 60:02}:{number % 60:02}")

    def answer(self, seconds: float) -> Observation:
        self.now_ms += int(seconds * 1000)
        if not self.codes:
            return Waiting()
        newest = len(self.codes) - 1
        if self.waits_next:
            self.book.append(("boundary", newest, self.now_ms))
            return WaitingNext(self.codes[newest])
        self.book.append(("sms", newest, self.now_ms))
        return Last(self.sms(newest))

    def look(self, answer: Observation) -> Step:
        step = advance(self.poller.state, answer, self.now_ms)
        self.poller.take(step)
        return step

    def run(self, commands: list[tuple[str, int]]) -> None:
        self.poller.commit(0)
        for name, number in commands:
            getattr(self, name)(number)

    def arrive(self, number: int) -> None:
        self.codes.append(CODES[number % len(CODES)])
        self.waits_next = False

    def retry(self, number: int) -> None:
        """Somebody else asks for the next SMS."""
        self.waits_next = bool(self.codes)

    def poll(self, number: int) -> None:
        step = self.look(self.answer(1 + number))
        self.poller.commit(len(self.book))
        if step.action == "next" and number % 4:  # else it was not done: Kafka is away, or a timeout
            self.waits_next = True
            if number % 4 > 1:  # else we crash before we know that it was done, or commit it
                self.poller.take(acted(self.poller.state, "next", "done", self.now_ms))
                self.poller.commit(len(self.book))

    def uncommitted(self, number: int) -> None:
        self.look(self.answer(1 + number))

    def trouble(self, number: int) -> None:
        self.now_ms += 60_000 * number
        self.look((TROUBLE, NoCode())[number % 2])

    def flicker(self, number: int) -> None:
        """A replica does not know of the newest SMS, which we have seen, then the others answer again."""
        seen = [each for kind, each, _ in self.book if kind == "sms"]
        if self.codes and not self.waits_next and seen and seen[-1] == len(self.codes) - 1:
            newest, before = self.poller.state.newest, len(self.codes) - 2
            lagging = Waiting() if number % 2 or before not in seen or self.v2 else Last(self.sms(before))
            if isinstance(lagging, Last) and (newest is None or self.now_ms - newest.came_ms > 20_000):
                return  # a replica that lags for longer is beyond what can be told
            self.look(lagging)
            self.look(self.answer(1))
            self.poller.commit(len(self.book))

    def crash(self, number: int) -> None:
        del self.book[self.poller.crash(number) :]
        self.now_ms += 1000 * number

    def end(self, number: int) -> None:
        self.look(Ended("cancelled"))
        self.poller.commit(len(self.book))

    def certain(self) -> Counter[str]:
        """Return how many SMS of each code the surviving book shows beyond doubt."""
        must: Counter[str] = Counter()
        last, previous, came_ms, boundary = -1, -1, 0, False
        for kind, number, now_ms in self.book:
            if number > last and self._is_told(kind, number, last, must, boundary):
                lags = previous >= 0 and self.codes[number] == self.codes[previous] and now_ms - came_ms < 30_000
                if lags and kind == "sms" and not boundary and not self.v2:
                    continue  # 1111, 2222, 1111: nobody can tell until it stays
                must[self.codes[number]] += 1
                last, previous, came_ms, boundary = number, last, now_ms, False
            elif number > last and self.codes[number] == self.codes[last]:
                last = number
            boundary = boundary or (kind == "boundary" and self.codes[number] == self.codes[last])
        return must

    def _is_told(self, kind: str, number: int, last: int, must: Counter[str], boundary: bool) -> bool:
        if last < 0 or kind == "boundary":
            return self.codes[number] not in must
        by_time = self.v2 and any(each[:2] == ("sms", last) for each in self.book)
        return boundary or by_time or self.codes[number] != self.codes[last]


NUMBERS = st.integers(0, 9)
NAMES = ("arrive", "arrive", "retry", "poll", "poll", "poll", "uncommitted", "trouble", "flicker", "crash")
COMMANDS = st.lists(st.tuples(st.sampled_from(NAMES), NUMBERS), max_size=60)
RELAXED: Any = settings(max_examples=400, deadline=None)


def play(commands: list[tuple[str, int]], *, v2: bool = False, after_sms: str = "keep") -> Activation:
    order = Activation(Poller(opened(watch("activation", after_sms), "grizzlysms", OPENED_MS)), v2)
    order.run(commands)
    order.poller.check()
    return order


@RELAXED
@given(COMMANDS, st.booleans(), st.sampled_from(["keep", "request_next"]))
@example([("arrive", 0), ("poll", 0), ("retry", 0), ("poll", 0), ("arrive", 0), ("poll", 0)], False, "keep")
@example([("arrive", 0), ("retry", 0), ("poll", 0), ("arrive", 0), ("poll", 0)], False, "keep")
@example([("arrive", 0), ("poll", 2), ("poll", 0), ("arrive", 0), ("poll", 0)], False, "request_next")
@example([("arrive", 0), ("poll", 0), ("arrive", 0), ("poll", 0)], True, "keep")
@example(
    [("arrive", 0), ("retry", 0), ("poll", 0), *[("arrive", 0), ("poll", 1), ("poll", 0)] * 2], False, "request_next"
)
def test_no_sms_that_an_activation_showed_beyond_doubt_is_lost(commands, v2, after_sms):
    order = play(commands, v2=v2, after_sms=after_sms)

    told = Counter(each.code for each in order.poller.life if isinstance(each, SmsReceived))
    assert not order.certain() - told


@RELAXED
@given(COMMANDS, st.booleans(), st.sampled_from(["keep", "request_next"]))
@example([("arrive", 0), ("uncommitted", 0), ("crash", 0), ("poll", 0)], False, "keep")
@example([("arrive", 0), ("uncommitted", 0), ("retry", 0), ("crash", 0), ("poll", 0)], False, "keep")
@example([("arrive", 0), ("poll", 0), ("flicker", 1), ("trouble", 9), ("poll", 9)], False, "keep")
@example([("arrive", 0), ("poll", 0), ("arrive", 1), ("poll", 0), ("flicker", 0)], False, "keep")
def test_one_sms_has_one_id_however_often_and_on_whatever_path_it_is_told(commands, v2, after_sms):
    order = play(commands, v2=v2, after_sms=after_sms)

    real = {
        event_id("grizzlysms", "shop", "activation", "860", (code,), n)
        for code, times in Counter(order.codes).items()
        for n in range(times)
    }
    assert {each.event_id for each in order.poller.published} <= real


@RELAXED
@given(COMMANDS, COMMANDS)
@example([("arrive", 0), ("poll", 0)], [("arrive", 1), ("poll", 0)])
def test_the_end_of_a_watch_is_its_last_message_and_counts_its_sms(before, behind):
    commands = [*before, ("end", 0), *[each for each in behind if each[0] != "crash"]]

    order = play(commands)

    end = order.poller.life[-1]
    assert isinstance(end, WatchEnded)
    assert end.sms_count == len(order.poller.life) - 1


ROWS = st.lists(
    st.builds(
        lambda text, minute: SeenSms(text=text, sender="Tg", time_raw=f"2026-11-22 17:{minute:02}:00"),
        st.sampled_from(["Code 1111", "Code 2222"]),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=8,
)
RENT_COMMANDS = st.lists(st.tuples(st.sampled_from(("list", "list", "lag", "empty", "trouble", "crash")), NUMBERS))


@RELAXED
@given(ROWS, RENT_COMMANDS)
@example([SeenSms(text="Code 1111", time_raw="2026-11-22 17:00:00")] * 2, [("list", 0), ("list", 0)])
def test_every_sms_that_a_rent_showed_is_told_once_under_one_id(rows, commands):
    poller = Poller(opened(RENT, "grizzlysms", OPENED_MS))
    poller.commit(0)
    shown, most = 0, 0
    for place, (name, number) in enumerate(commands):
        if name == "crash":
            shown = poller.crash(number)
            continue
        here = {"list": min(most + number % 3, len(rows)), "lag": max(0, most - number)}.get(name, 0)
        answer = {"trouble": TROUBLE, "empty": Waiting()}.get(name) or Listing(tuple(rows[:here]))
        most, shown = max(most, here), max(shown, here)
        poller.take(advance(poller.state, answer, OPENED_MS + 5000 * place))
        if number != 9:
            poller.commit(shown)

    poller.check()
    assert {each.event_id for each in poller.life} == {*ids_of(rows[:shown])}
    assert {each.event_id for each in poller.published} == {*ids_of(rows[:most])}


def ids_of(rows: list[SeenSms]) -> list[str]:
    contents = [
        ((each.time_raw or "").translate({32: None, 45: None, 58: None}), each.sender, each.text) for each in rows
    ]
    return [
        event_id("grizzlysms", "shop", "rent", "860", content, contents[:place].count(content))
        for place, content in enumerate(contents)
    ]


def test_the_state_of_a_rent_with_two_hundred_sms_is_below_ten_kilobytes():
    rows = tuple(
        SeenSms(text="x" * 500, sender="Telegram", time_raw=f"2026-11-22 {place // 60:02}:{place % 60:02}:00")
        for place in range(200)
    )

    state = advance(opened(RENT, "grizzlysms", OPENED_MS), Listing(rows), OPENED_MS).state

    assert state.sms_count == 200
    assert len(state.to_json()) < 10_000


DAY_MS = 24 * 3_600_000


def dated(days: float) -> SeenSms:
    """An SMS of so many days after the opening."""
    time = to_text(OPENED_MS + int(days * DAY_MS))
    return SeenSms(text=f"Code {time}", time_raw=time[:19].replace("T", " "))


@pytest.mark.parametrize("answer", [Last(dated(40)), Listing((dated(40),), complete=False)])
def test_a_rent_forgets_nothing_by_an_answer_that_is_not_whole(answer):
    state = advance(opened(RENT, "grizzlysms", OPENED_MS), Listing((dated(0),)), OPENED_MS).state

    state = advance(state, answer, OPENED_MS + 40 * DAY_MS).state

    assert len(state.counts) == 2


def test_a_rent_forgets_what_is_no_longer_shown_and_five_weeks_old_by_our_clock():
    rows = [dated(days) for days in (0, 4.9, 5, 40)]
    state = advance(opened(RENT, "grizzlysms", OPENED_MS), Listing(tuple(rows[:3])), OPENED_MS + 5 * DAY_MS).state

    state = advance(state, Listing(tuple(rows[3:])), OPENED_MS + 40 * DAY_MS).state
    again = advance(state, Listing((rows[0], rows[3], dated(40.001))), OPENED_MS + int(40.002 * DAY_MS))

    assert (state.sms_count, len(state.counts)) == (4, 2)
    assert len(again.state.counts) == 3  # what is shown is kept, however old
    first, _ = again.messages
    assert isinstance(first, SmsReceived)
    assert first.freshness == "recovered"  # what was forgotten comes back under its old id, and never as news
    assert (
        first.id == advance(opened(RENT, "grizzlysms", OPENED_MS), Listing((rows[0],)), OPENED_MS).messages[0].event_id
    )


def test_what_a_later_program_wrote_survives_in_a_state_at_every_level():
    state = opened(watch("activation"), "grizzlysms", OPENED_MS)
    state = advance(state, Last(SeenSms(code="1111")), OPENED_MS).state
    written = json.loads(state.to_json())
    for part in (written, written["watch"], written["newest"]):
        part["of_tomorrow"] = {"n": [1, None]}

    changed = advance(WatchState.from_json(json.dumps(written).encode()), WaitingNext("1111"), OPENED_MS + 5000).state

    again = json.loads(changed.to_json())
    for part in (again, again["watch"], again["newest"]):
        assert part["of_tomorrow"] == {"n": [1, None]}
    assert changed.newest is not None
    assert changed.newest.boundary == "seen"
