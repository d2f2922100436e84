"""What an account may cost, on a clock that the tests set."""

import asyncio
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bus.settings import BusSettings
from receiver.allowance import (
    AT_ONCE,
    BUSY_SECONDS,
    BUSY_SHARE,
    LARGE,
    LETTER_BYTES,
    MOST_PLAIN,
    OVER,
    PLAIN_RECORD,
    QUICK,
    QUIET,
    RETRY_AFTER,
    TOO_MANY,
    Allowance,
    Limited,
    is_plain,
)
from receiver.settings import ReceiverSettings

RATE = 16 * 1024
MINUTE = int(RATE * AT_ONCE)
LARGEST = 256 * 1024


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> float:
        return self.now


def allowance(clock: Clock | None = None, **changed: int) -> Allowance:
    settings, clock = ReceiverSettings.model_validate({"allowance": RATE, **changed}), clock or Clock()
    return Allowance("main", settings, clock=clock, sleep=clock.sleep)


@pytest.mark.parametrize(
    "body",
    [
        b'{"text":"[jd] code is 5611"}',
        b' \n\xef\xbb\xbf{"text":"a","x":[1]}',
        b"text=code+is+5611&to=1",
        b"",
        b"junk",
        b'{"text":"%b"}' % (b"x" * (MOST_PLAIN - 11)),
    ],
)
def test_one_small_sms_is_plain_whatever_it_says(body: bytes) -> None:
    assert is_plain(body)


@pytest.mark.parametrize(
    "body", [b"[]", b"[{}]", b' [1,{"text":"a"}]', b"\xef\xbb\xbf[", b"a[{", b"[", b"{" * (MOST_PLAIN + 1)]
)
def test_what_may_be_an_array_or_is_large_is_not(body: bytes) -> None:
    assert not is_plain(body)


def test_a_plain_sms_costs_nothing() -> None:
    some = allowance()

    for _ in range(100_000):
        some.pay(MOST_PLAIN)

    assert some.refusal() is None


@given(st.integers(0, LARGEST), st.lists(st.integers(0, LARGEST), max_size=5))
def test_a_body_in_parts_costs_what_it_costs_whole(size: int, cuts: list[int]) -> None:
    whole, parts = allowance(), allowance()
    whole.pay(size)
    ends = sorted({*(min(cut, size) for cut in cuts), size})

    for paid, end in zip([0, *ends], ends, strict=False):
        parts.pay(end, paid)

    assert parts._bytes._level == whole._bytes._level == MINUTE - max(0, size - MOST_PLAIN)


def test_a_dead_letter_costs_its_bytes_in_base64() -> None:
    some = allowance()

    some.pay_letter(300)

    assert some._bytes._level == MINUTE - 400 - LETTER_BYTES


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, LARGEST)), min_size=1, max_size=200))
def test_whatever_is_sent_no_more_is_taken_than_a_minute_the_rate_and_one_request(
    requests: list[tuple[float, int]],
) -> None:
    clock = Clock()
    some, taken, began = allowance(clock), 0, clock.now

    for pause, size in requests:
        clock.now += pause
        if some.refusal() is None:
            some.pay(size)
            taken += max(0, size - MOST_PLAIN)

    assert taken <= MINUTE + RATE * (clock.now - began) + LARGEST


@given(st.integers(1, 20 * LARGEST))
def test_who_comes_back_when_told_to_is_taken(debt: int) -> None:
    clock = Clock()
    some = allowance(clock)
    some.pay(MOST_PLAIN + MINUTE + debt)
    assert some.refusal() == OVER

    seconds = some.refused(OVER)
    clock.now += seconds - 1
    early = some.refusal()
    clock.now += 1.001

    assert some.refusal() is None
    assert early == OVER or seconds == 1


def test_more_than_so_many_in_flight_are_too_many_until_one_ends() -> None:
    some = allowance(max_in_flight=2)
    some.begin()
    some.begin()
    assert some.refusal() is None

    some.begin()
    with pytest.raises(Limited, match=TOO_MANY):
        some.check()
    some.end()

    some.check()
    assert some.refused(TOO_MANY) == RETRY_AFTER


async def test_turns_are_taken_one_after_the_other_in_the_order_in_which_they_were_asked_for() -> None:
    some, order = allowance(), list[str]()

    async def take(name: str) -> None:
        async with some.turn(10):
            order.append(f"{name} begins")
            await asyncio.sleep(0)
            order.append(f"{name} ends")

    await asyncio.gather(*map(take, "abc"))

    assert order == [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]


async def test_who_waits_too_long_for_a_turn_is_limited_and_the_turn_is_not_lost() -> None:
    some = allowance()

    async with some.turn(10):
        with pytest.raises(Limited, match=TOO_MANY):
            async with some.turn(0.001):
                pass
    async with some.turn(0.001):
        pass


async def test_a_turn_that_fails_is_over() -> None:
    some = allowance()

    with pytest.raises(KeyError):
        async with some.turn(10):
            raise KeyError

    async with some.turn(0.001):
        pass


async def test_other_accounts_have_turns_of_their_own() -> None:
    async with allowance().turn(10), allowance().turn(0.001):
        pass


def test_who_takes_long_to_read_is_busy_until_its_share_of_the_processor_has_paid_for_it() -> None:
    clock = Clock()
    some = allowance(clock)
    for _ in range(1_000):
        some.pay_time(QUICK)
    assert not some.is_busy()

    for _ in range(20):
        some.pay_time(QUICK + 0.010)
    assert some.is_busy()
    clock.now += (0.2 - BUSY_SECONDS) / BUSY_SHARE + 0.001

    assert not some.is_busy()
    assert some.refusal() is None


def test_small_records_cost_nothing_and_large_ones_what_they_exceed_them_by() -> None:
    some = allowance()
    for _ in range(10_000):
        some.pay_record(PLAIN_RECORD)
    assert not some.is_busy()

    for _ in range(int(BUSY_SECONDS / LARGE / 10_000)):
        assert not some.is_busy()
        some.pay_record(PLAIN_RECORD + 10_001)

    assert some.is_busy()
    assert some.refusal() is None


def test_whatever_one_account_has_in_flight_leaves_others_an_eighth_of_a_lane(tmp_path: Path) -> None:
    receiver, bus = ReceiverSettings(), BusSettings(journal_dir=tmp_path)

    plain = receiver.max_in_flight * PLAIN_RECORD
    at_once = BUSY_SECONDS / LARGE

    assert plain + at_once < 7 / 8 * 2 * bus.lane_max_bytes


async def test_a_turn_begins_when_the_account_s_share_of_the_processor_has_paid_for_those_before_it() -> None:
    clock = Clock()
    some, began = allowance(clock), clock.now

    for _ in range(100):
        async with some.turn(10):
            some.pay_time(0.2)

    assert clock.now - began == pytest.approx((99 * (0.2 - QUICK) - BUSY_SECONDS) / BUSY_SHARE)


async def test_who_would_have_to_wait_too_long_for_the_processor_is_limited_and_the_turn_is_not_lost() -> None:
    settings, clock = ReceiverSettings(), Clock()
    some = Allowance("main", settings, clock=clock)  # it sleeps in earnest
    some.pay_time(100.0)

    for _ in range(2):
        with pytest.raises(Limited, match=TOO_MANY):
            async with some.turn(0.001):
                pass
    clock.now += 1000.0

    async with some.turn(0.001):
        pass


@pytest.mark.parametrize("callbacks", [1, 99])
def test_each_callback_of_a_request_may_take_its_time(callbacks: int) -> None:
    some = allowance()

    for _ in range(1000):
        some.pay_time(QUICK * callbacks, callbacks)
    assert not some.is_busy()
    some.pay_time(QUICK * callbacks + BUSY_SECONDS + 0.001, callbacks)

    assert some.is_busy()


def test_a_spell_is_said_once_and_its_end_once() -> None:
    clock = Clock()
    some = allowance(clock)
    with structlog.testing.capture_logs() as lines:
        assert not some.is_limited()
        for problem in (OVER, TOO_MANY, OVER):
            some.refused(problem)
            clock.now += QUIET - 1
            assert some.is_limited()
        clock.now += 1
        assert not some.is_limited()
        assert not some.is_limited()
        some.refused(TOO_MANY)

    assert [(line["event"], line["account"]) for line in lines] == [
        ("account_limited", "main"),
        ("account_limited_no_more", "main"),
        ("account_limited", "main"),
    ]
    assert [line["reason"] for line in lines if "reason" in line] == [OVER, TOO_MANY]
    assert all("smsbus callback rotate" in line["hint"] for line in lines if "hint" in line)
    assert lines[1]["refused"] == 3


@pytest.mark.parametrize(("problem", "setting"), [(OVER, "receiver.allowance"), (TOO_MANY, "receiver.max_in_flight")])
def test_the_hint_has_the_way_out_for_a_leaked_url_and_for_an_honest_sender(problem: str, setting: str) -> None:
    with structlog.testing.capture_logs() as lines:
        allowance(Clock()).refused(problem)

    [line] = lines
    assert "leaked, rotate its token and remove the old one: `smsbus callback rotate main`, then" in line["hint"]
    assert line["hint"].endswith(f"`--retire --force`; or raise {setting} and restart")
