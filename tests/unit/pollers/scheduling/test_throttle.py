"""One account's throttle: budget, one back-off, one pause, and words for the log said once."""

import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from pollers.scheduling.throttle import AccountThrottle, Transition
from providers.observation import ProviderError

THROTTLED = ProviderError("throttled", "http_429")
RESET = ProviderError("transient", "reset")
BAD_KEY = ProviderError("auth", "bad_key")
BAD_ACTION = ProviderError("request_error", "bad_action")
DENIED = ProviderError("denied", "early_cancel_denied")
OF_ORDER = ProviderError("transient", "server_error", answered=True)


def throttle(*, requests_per_second: float = 2.0, seed: int = 0) -> AccountThrottle:
    return AccountThrottle(requests_per_second=requests_per_second, rng=random.Random(seed))


def admissions(account: AccountThrottle, start: float, stop: float, *, step: float = 0.01) -> Iterator[float]:
    """Yield when somebody who asks all the time is admitted."""
    for turn in range(round(start / step), round(stop / step)):
        if account.admit(turn * step) == 0.0:
            yield turn * step


def answered(account: AccountThrottle, at: float) -> Transition | None:
    return account.report(None, started=at, now=at)


def lost_one(account: AccountThrottle, at: float) -> None:
    """One lost connection: not more than a longer gap."""
    assert account.report(RESET, started=at, now=at) is None


def failing(account: AccountThrottle, error: ProviderError, times: int, now: float = 0.0) -> list[float]:
    """Return the seconds that each of so many failures in a row closed the account for; of lost connections but one."""
    waits = []
    if error is RESET and account.state == "open":
        lost_one(account, now + 1e-6)
    for _ in range(times):
        now += account.wait(now) + 1e-6
        assert account.admit(now) == 0.0
        account.report(error, started=now, now=now)
        waits.append(account.wait(now))
    return waits


# ---- budget ----------------------------------------------------------------------------------------------------


def test_requests_are_spaced_by_the_budget_and_never_come_in_bursts() -> None:
    times = list(admissions(throttle(), 0, 100))
    gaps = [after - before for before, after in pairwise(times)]

    assert len(times) == pytest.approx(200, abs=4)
    assert min(gaps) >= 0.35 - 1e-9
    assert len(set(gaps)) > 5  # jitter


def test_idle_time_is_not_saved_up() -> None:
    account = throttle()
    list(admissions(account, 0, 10))

    assert len(list(admissions(account, 1000, 1001))) <= 3


def test_replicas_share_the_budget() -> None:
    mine, other = throttle(), throttle()
    mine.share(0.75)
    other.share(0.25)

    assert len(list(admissions(mine, 0, 100))) == pytest.approx(150, abs=4)
    assert len(list(admissions(other, 0, 100))) == pytest.approx(50, abs=2)


def test_a_larger_share_counts_from_the_last_request_and_not_from_what_was_planned() -> None:
    account = throttle(requests_per_second=2.0)
    account.share(0.0)
    account.admit(100.0)
    assert account.wait(100.0) > 300

    account.share(1.0)

    assert account.wait(100.0) <= 0.6


def test_a_reserved_slot_is_nobody_elses() -> None:
    account = throttle()
    account.admit(0.0)

    mine = account.reserve(0.0)
    others = list(admissions(account, 0, 5))

    assert 0.35 <= mine <= 0.7
    assert min(others) - mine >= 0.35 - 0.01


def test_a_request_that_went_late_makes_the_next_one_wait_as_much_longer() -> None:
    account = throttle()
    account.admit(0.0)
    before = account.wait(0.2)

    account.went_late(0.2)

    assert account.wait(0.2) == pytest.approx(before + 0.2)


def test_requests_that_were_late_together_wait_for_a_gap_each_however_late_they_went() -> None:
    account = throttle(requests_per_second=100.0)
    account.admit(0.0)

    for _ in range(20):
        account.went_late(3.0)

    assert 20 * 0.01 <= account.wait(0.0) <= 22 * 0.01


def test_scarcity_is_the_demand_over_the_budget_and_never_below_one() -> None:
    account = throttle(requests_per_second=2.0)
    assert account.stretch() == 1.0

    account.demand.set("a", 1.0)
    assert account.stretch() == 1.0

    account.demand.set("b", 18.0)
    assert account.stretch() == pytest.approx(10.0)

    account.share(0.5)
    assert account.stretch() == pytest.approx(20.0)

    account.demand.release("b")
    assert account.stretch() == pytest.approx(1 / 0.95)


def test_what_lists_need_is_not_there_for_polls() -> None:
    account = throttle(requests_per_second=2.0)
    account.demand.set("a", 9.5)
    account.set_apart = 0.4

    assert account.stretch() == pytest.approx(9.5 / 1.5)


def test_polls_that_lists_ask_for_are_not_there_for_others_until_a_minute_or_two_later() -> None:
    account = throttle(requests_per_second=2.0)
    account.demand.set("a", 9.0)
    now = 0.0
    while now < 300.0:
        now += account.admit(now, hinted=True)
    crowded = account.stretch()
    while now < 600.0:
        now += account.admit(now)

    assert crowded == pytest.approx(9.0 / (2.0 / 8))
    assert account.stretch() == pytest.approx(9.0 / 1.9, rel=0.02)


# ---- back-off --------------------------------------------------------------------------------------------------


def test_five_hundred_watches_throttled_for_seven_seconds_are_silent_for_seven_and_then_start_slowly() -> None:
    account = throttle()
    assert account.admit(100.0) == 0.0
    told = account.report(ProviderError("throttled", "http_429", retry_after=7.0), started=100.0, now=100.0)

    silent = list(admissions(account, 100.0, 107.0))
    times = [at for at in admissions(account, 107.0, 140.0) if answered(account, at) or True]
    gaps = [after - before for before, after in pairwise(times)]

    assert told == Transition("backing_off", "http_429", 7.0)
    assert silent == []
    assert 107.0 <= times[0] < 107.02
    assert gaps[0] >= 8 * 0.35
    assert gaps[1] >= 4 * 0.35
    assert gaps[2] >= 2 * 0.35
    assert sum(gaps[-20:]) / 20 == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(("error", "last"), [(THROTTLED, 200), (RESET, 64)])
def test_each_failure_in_a_row_doubles_the_wait_up_to_a_minute_or_five_where_we_are_throttled(
    error: ProviderError, last: int
) -> None:
    waits = failing(throttle(requests_per_second=1000.0), error, 12)

    for doubled, wait in zip([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048], waits, strict=True):
        assert min(doubled, last) <= wait <= 1.5 * min(doubled, last)
    assert len({wait / round(wait) for wait in waits[-4:]}) == 4  # jitter


def test_requests_that_were_under_way_do_not_escalate() -> None:
    account = throttle()
    lost_one(account, 8.0)
    account.report(RESET, started=9.0, now=10.0)
    before = account.wait(10.0)

    told = [account.report(RESET, started=9.0 + number / 1000, now=10.1) for number in range(500)]

    assert set(told) == {None}
    assert account.wait(10.0) == before


def test_a_late_retry_after_is_honoured_still() -> None:
    account = throttle()
    lost_one(account, 8.0)
    account.report(RESET, started=9.0, now=10.0)
    account.report(ProviderError("throttled", "http_429", retry_after=7.0), started=9.5, now=10.5)

    assert account.wait(10.5) == 7.0


def test_a_retry_after_that_comes_while_the_probe_is_under_way_outlives_its_success() -> None:
    account = throttle()
    lost_one(account, 8.0)
    account.report(RESET, started=9.0, now=10.0)
    probe = 10.0 + account.wait(10.0)
    account.admit(probe)
    account.report(ProviderError("throttled", "http_429", retry_after=7.0), started=9.5, now=probe + 0.1)

    answered(account, probe + 0.2)

    assert account.wait(probe + 0.2) == pytest.approx(6.9)


def test_an_old_answer_does_not_end_a_back_off() -> None:
    account = throttle()
    account.report(THROTTLED, started=9.0, now=10.0)

    assert account.report(None, started=9.5, now=10.1) is None
    assert account.state == "backing_off"


@pytest.mark.parametrize(("said", "waited"), [(0.0, 1.0), (1.0, 1.0), (600.0, 600.0), (1e9, 600.0), (-3.0, 1.0)])
def test_a_retry_after_is_believed_between_one_and_six_hundred_seconds(said: float, waited: float) -> None:
    account = throttle()

    account.report(ProviderError("throttled", "http_429", retry_after=said), started=0.0, now=0.0)

    assert waited <= account.wait(0.0) <= max(waited, 1.5)


def test_only_one_probe_is_under_way_and_a_lost_one_is_followed_by_another() -> None:
    account = throttle()
    account.report(THROTTLED, started=0.0, now=0.0)

    probes = list(admissions(account, 0.0, 60.0))

    assert len(probes) == 3
    assert min(after - before for before, after in pairwise(probes)) >= 19.99


def test_one_lost_connection_costs_a_longer_gap_and_no_pause() -> None:
    account = throttle()
    lost_one(account, 0.0)
    account.admit(0.0)

    times = [at for at in admissions(account, 0.0, 20.0) if answered(account, at) or True]

    assert account.state == "open"
    assert times[0] >= 0.35 * 2
    assert len(times) == pytest.approx(40, abs=3)


def test_a_quick_recovery_starts_the_next_back_off_small_again() -> None:
    account = throttle(requests_per_second=1000.0)
    failing(account, RESET, 6)
    now = 1000.0
    for _ in range(10):
        now += account.wait(now) + 1e-6
        account.admit(now)
        answered(account, now)

    assert failing(account, RESET, 1, now)[0] <= 1.5


def test_a_failure_during_the_slow_start_goes_on_where_the_last_back_off_was() -> None:
    account = throttle(requests_per_second=1000.0)
    failing(account, THROTTLED, 4)
    now = 1000.0
    account.admit(now)
    answered(account, now)

    assert failing(account, THROTTLED, 1, now)[0] >= 16


def test_failures_that_answers_interrupt_do_not_add_up() -> None:
    account, now, waits = throttle(requests_per_second=1000.0), 0.0, []
    for _ in range(20):
        waits += failing(account, RESET, 1, now)
        now += 10
        account.admit(now)
        answered(account, now)

    assert max(waits) <= 1.5


def test_after_a_second_failure_the_cheap_probe_asks_and_not_a_poll() -> None:
    account = throttle()
    failing(account, RESET, 1)
    once = account.probes_key

    failing(account, RESET, 1, 10.0)

    assert (once, account.probes_key) == (False, True)


def test_a_retry_after_goes_on_after_a_restart() -> None:
    account = throttle()
    account.report(ProviderError("throttled", "http_429", retry_after=90.0), started=0.0, now=0.0)

    heir = throttle()
    heir.resume(account.told_to_wait(30.0), account.reason, 5.0)

    assert (heir.state, heir.reason, heir.wait(5.0), heir.told_to_wait(5.0)) == ("backing_off", "http_429", 60.0, 60.0)
    assert answered(heir, 65.1) is not None
    assert heir.state == "open"


# ---- pause -----------------------------------------------------------------------------------------------------


def test_a_bad_key_pauses_the_account_and_one_probe_a_minute_looks_again() -> None:
    account = throttle()
    told = account.report(BAD_KEY, started=0.0, now=0.0)

    probes = []
    for at in admissions(account, 0.0, 301.0):
        probes.append(at)
        assert account.report(BAD_KEY, started=at, now=at) is None

    assert told == Transition("paused", "bad_key", 60.0)
    assert probes == pytest.approx([60, 120, 180, 240, 300], abs=0.1)


def test_a_key_that_works_again_opens_the_account_slowly() -> None:
    account = throttle()
    account.report(BAD_KEY, started=0.0, now=0.0)
    account.admit(60.0)

    told = answered(account, 60.3)

    assert told == Transition("open", "answered", account.wait(60.3))
    assert account.wait(60.3) > 2


@pytest.mark.parametrize("error", [RESET, THROTTLED, DENIED, ProviderError("unrecognised", "html")])
def test_only_a_real_answer_ends_a_pause(error: ProviderError) -> None:
    account = throttle()
    account.report(BAD_KEY, started=0.0, now=0.0)
    account.admit(60.0)

    assert account.report(error, started=60.0, now=60.1) is None
    assert (account.state, account.reason) == ("paused", "bad_key")
    assert account.wait(60.1) == pytest.approx(60.0)


@pytest.mark.parametrize("error", [BAD_ACTION, OF_ORDER])
def test_an_answer_about_one_order_is_no_failure_of_the_account(error: ProviderError) -> None:
    account = throttle()

    for number in range(1, 100):
        account.report(error, started=2 * number, now=2 * number)
        account.report(None, started=2 * number + 1, now=2 * number + 1)

    assert account.state == "open"


def test_five_orders_in_a_row_with_an_error_of_the_providers_own_back_the_account_off() -> None:
    account = throttle()

    told = [account.report(OF_ORDER, started=number, now=number) for number in range(1, 6)]

    assert told[:4] == [None] * 4
    assert (account.state, account.reason) == ("backing_off", "server_error")


@pytest.mark.parametrize(
    "error", [DENIED, ProviderError("unrecognised", "html"), ProviderError("request_error", "bad_status")]
)
def test_what_concerns_one_request_does_not_slow_the_account(error: ProviderError) -> None:
    account = throttle()
    account.report(error, started=1.0, now=1.0)

    assert (account.state, account.wait(1.0)) == ("open", 0.0)


# ---- words for the log -----------------------------------------------------------------------------------------


def test_each_transition_is_told_once_with_its_reason() -> None:
    account, told, now = throttle(), [], 0.0
    for error in [
        None,
        RESET,
        RESET,
        RESET,
        THROTTLED,
        BAD_KEY,
        BAD_KEY,
        RESET,
        None,
        None,
        RESET,
        RESET,
        DENIED,
        None,
    ]:
        now += account.wait(now) + 1
        account.admit(now)
        told.append(account.report(error, started=now, now=now))

    assert [(each.state, each.reason) for each in told if each] == [
        ("backing_off", "reset"),
        ("paused", "bad_key"),
        ("open", "answered"),
        ("backing_off", "reset"),
        ("open", "answered"),
    ]


@pytest.mark.parametrize("kind", ["transient", "throttled", "denied", "unrecognised", "request_error"])
def test_a_retry_after_is_heeded_whatever_else_the_answer_says(kind: str) -> None:
    account = throttle()
    account.report(ProviderError(kind, "server_error", retry_after=60.0, answered=True), started=1.0, now=1.0)

    assert (account.state, account.told_to_wait(1.0)) == ("backing_off", 60.0)


def test_a_share_that_changes_leaves_the_next_request_as_many_gaps_away() -> None:
    account = throttle(requests_per_second=10.0)
    account.admit(0.0)
    for _ in range(20):
        account.went_late(5.0)

    account.share(1.0)
    same = account.wait(0.0)
    account.share(0.5)
    half = account.wait(0.0)

    assert same == pytest.approx(2.1, abs=0.05)
    assert half == pytest.approx(2 * same)


@pytest.mark.parametrize("kind", ["denied", "request_error", "unrecognised"])
def test_whatever_the_provider_says_to_a_probe_in_its_own_words_ends_a_pause(kind: Any) -> None:
    account = throttle()
    account.report(BAD_KEY, started=0.0, now=0.0)
    account.admit(60.0)

    told = account.report(ProviderError(kind, "no_balance", answered=True), started=60.0, now=60.1)

    assert told is not None
    assert told.state == "open"


def test_who_is_paused_again_and_again_behind_such_an_answer_is_probed_less_often_until_one_is_plain() -> None:
    account, now, pauses = throttle(), 0.0, []
    for _ in range(6):
        told = account.report(BAD_KEY, started=now, now=now)
        assert told is not None
        pauses.append(told.seconds)
        now += told.seconds
        account.admit(now)
        account.report(ProviderError("denied", "no_balance", answered=True), started=now, now=now + 0.1)
        now += 1
    answered(account, now)
    plain = account.report(BAD_KEY, started=now + 1, now=now + 1)

    assert pauses == [60, 120, 240, 480, 480, 480]
    assert plain is not None
    assert plain.seconds == 60


def test_a_new_key_is_tried_at_once_and_what_was_asked_with_the_old_one_no_longer_counts() -> None:
    account = throttle()
    for at in (0.0, 100.0, 300.0):
        account.admit(at)
        account.report(BAD_KEY, started=at, now=at)
    account.admit(1000.0)  # a probe with the old key is under way

    account.key_changed(1000.5)
    late = account.report(BAD_KEY, started=1000.0, now=1001.0)

    soon = account.wait(1000.5)
    assert (late, account.state) == (None, "paused")
    assert 1.0 <= soon < 5.0  # and not minutes: the gap of a slow start
    assert account.admit(1000.5 + soon) == 0.0
    assert answered(account, 1006.0) == Transition("open", "answered", account.wait(1006.0))


def test_a_new_key_does_not_shorten_what_the_provider_told_us_to_wait() -> None:
    account = throttle()
    account.report(ProviderError("auth", "bad_key", retry_after=300.0), started=0.0, now=0.0)

    account.key_changed(10.0)

    assert account.wait(10.0) == pytest.approx(290.0)


def test_a_new_key_of_an_account_that_works_stops_nothing() -> None:
    account = throttle()
    account.admit(0.0)

    account.key_changed(0.1)

    assert account.report(BAD_KEY, started=0.0, now=0.2) is None
    assert (account.state, account.admit(0.7)) == ("open", 0.0)
    assert account.report(BAD_KEY, started=0.7, now=0.8) is not None


def test_another_budget_holds_from_the_next_share_on() -> None:
    account = throttle(requests_per_second=2.0)

    account.set_budget(10.0)
    account.share(0.5)

    assert account.rate == 5.0
