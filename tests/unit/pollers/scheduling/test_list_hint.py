"""What a list of open orders says about which of them to poll, and when it is not believed."""

import pytest

from pollers.scheduling.list_hint import OFF, UNCHANGED, ListHint

OLD = 1000.0  # seconds: so long the orders are tracked when the first list leaves


def hint(orders: int = 10, *, baseline: bool = True) -> ListHint:
    """A hint that has seen so many waiting orders."""
    made = ListHint()
    for number in range(orders):
        made.track(str(number), f"watch-{number}", 0.0, has_sms=False)
    if baseline:
        made.judge(waiting(orders), OLD, OLD + 1)
    return made


def waiting(orders: int = 10) -> dict[str, str]:
    return {str(number): "1" for number in range(orders)}


def test_the_first_list_says_nothing_new_of_orders_that_wait_like_most() -> None:
    assert hint(baseline=False).judge(waiting(), OLD, OLD + 1) == []


def test_an_order_that_differs_from_most_in_the_first_list_is_polled_unless_its_sms_is_known() -> None:
    unknown, known = hint(baseline=False), hint(baseline=False)
    known._rows["3"].has_sms = True

    listed = waiting() | {"3": "6:1234"}

    assert unknown.judge(listed, OLD, OLD + 1) == ["watch-3"]
    assert known.judge(listed, OLD, OLD + 1) == []


def test_a_row_that_changes_is_polled_once() -> None:
    listing = hint()

    changed = [listing.judge(waiting() | {"3": "6:1234"}, OLD + at, OLD + at + 1) for at in (2, 4, 6)]

    assert changed == [["watch-3"], [], []]


def test_a_change_that_a_poll_has_seen_after_the_list_left_is_not_polled_again() -> None:
    listing = hint()
    listing.polled("3", OLD + 2.5, found_sms=True)

    assert listing.judge(waiting() | {"3": "6:1234"}, OLD + 2, OLD + 3) == []


def test_a_change_behind_a_poll_that_overlapped_its_list_is_shown_by_the_next_one() -> None:
    listing = hint()
    listing.polled("3", OLD + 2.5, found_sms=False)  # answered before the SMS came, and the list was made after it

    early, late = (listing.judge(waiting() | {"3": "6:1234"}, OLD + left, OLD + left + 1) for left in (2, 4))

    assert (early, late) == ([], ["watch-3"])


def test_a_row_that_comes_and_goes_without_an_sms_is_polled_less_and_less_until_one_comes() -> None:
    listing, polled = hint(), []
    for number in range(150):
        left = OLD + 2 + 2 * number
        listed = waiting() if number % 2 else {name: row for name, row in waiting().items() if name != "3"}
        if listing.judge(listed, left, left):
            polled.append(left - OLD)
            listing.polled("3", left + 0.1, found_sms=False)
    calm = [left for left in polled if left > 60]
    listing.judge(waiting(), OLD + 400, OLD + 400)
    sms = listing.judge(waiting() | {"3": "6:1234"}, OLD + 402, OLD + 402)
    listing.polled("3", OLD + 402.1, found_sms=True)
    more = listing.judge(waiting() | {"3": "6:5678"}, OLD + 404, OLD + 404)

    assert polled[:2] == [2, 4]
    assert len(calm) <= 10
    assert (sms, more) == (["watch-3"], ["watch-3"])


def test_a_slow_list_whose_every_flight_overlaps_a_poll_has_shown_the_sms_all_the_same() -> None:
    listing, shown = hint(), waiting() | {"3": "6:1234"}
    listing.polled("3", OLD + 1.5, found_sms=True)
    for left in (2, 5, 8, 11):
        listing.polled("3", OLD + left + 0.5, found_sms=False)
        listing.judge(shown, OLD + left, OLD + left + 2)

    assert not listing.is_off(OLD + 20)


def test_a_row_that_changes_once_a_minute_gives_each_hint_at_once() -> None:
    listing = hint()
    for number in range(10):
        left = OLD + 60 * (number + 1)
        assert listing.judge(waiting() | {"3": f"count {number}"}, left, left) == ["watch-3"]
        listing.polled("3", left + 0.1, found_sms=False)


def test_an_order_is_not_judged_by_a_list_that_left_before_it_was_opened() -> None:
    listing = hint()
    listing.track("new", "watch-new", OLD + 5, has_sms=False)

    assert listing.judge(waiting(), OLD + 4, OLD + 6) == []
    assert listing.at_least("new") == 0.0


def test_an_order_that_has_just_been_opened_is_polled_only_if_its_row_is_not_like_most() -> None:
    listing = hint()
    for name in ("waits", "has one"):
        listing.track(name, f"watch-{name}", OLD + 5, has_sms=False)

    assert listing.judge(waiting() | {"waits": "1", "has one": "6:1234"}, OLD + 6, OLD + 7) == ["watch-has one"]


def test_a_row_that_is_gone_is_polled_once_and_its_order_keeps_its_own_pace() -> None:
    listing = hint()
    listed = waiting()
    del listed["3"]

    changed = [listing.judge(listed, OLD + at, OLD + at + 1) for at in (2, 4)]

    assert changed == [["watch-3"], []]
    assert (listing.at_least("3"), listing.at_least("4")) == (0.0, UNCHANGED)


def test_more_than_a_fifth_of_the_rows_gone_at_once_is_no_list() -> None:
    listing = hint(20)

    assert listing.judge(waiting(15), OLD + 2, OLD + 3) == []
    assert listing.at_least("19") == UNCHANGED
    assert len(listing.judge(waiting(16), OLD + 4, OLD + 5)) == 4


def test_after_three_useless_lists_every_order_has_its_own_pace_again() -> None:
    listing = hint(20)
    for at in (2, 4):
        listing.judge({}, OLD + at, OLD + at + 1)
    before = listing.at_least("7")

    listing.useless(OLD + 6)

    assert (before, listing.at_least("7")) == (UNCHANGED, 0.0)


def test_a_useful_list_between_useless_ones_starts_their_count_again() -> None:
    listing = hint()
    for at in range(2, 20, 2):
        listing.useless(OLD + at)
        listing.judge(waiting(), OLD + at, OLD + at + 1)

    assert listing.at_least("7") == UNCHANGED


def test_an_sms_that_two_later_lists_do_not_show_switches_the_hint_off_for_an_hour() -> None:
    listing = hint()
    listing.polled("3", OLD + 2, found_sms=True)

    listing.judge(waiting(), OLD + 3, OLD + 4)
    once = listing.is_off(OLD + 4)
    listing.judge(waiting(), OLD + 5, OLD + 6)

    assert (once, listing.is_off(OLD + 6), listing.is_off(OLD + 6 + OFF)) == (False, True, False)
    assert listing.at_least("3") == 0.0


@pytest.mark.parametrize("shown_by", [1, 2])
def test_a_list_that_shows_the_sms_later_keeps_the_hint_on(shown_by: int) -> None:
    listing = hint()
    listing.polled("3", OLD + 2, found_sms=True)

    for number in (1, 2, 3):
        listing.judge(waiting() | ({"3": "6:1234"} if number >= shown_by else {}), OLD + 2 + number, OLD + 9)

    assert not listing.is_off(OLD + 9)


def test_an_sms_that_the_list_itself_has_hinted_at_needs_no_proof() -> None:
    listing = hint()
    listing.judge(waiting() | {"3": "6:1234"}, OLD + 2, OLD + 3)
    listing.polled("3", OLD + 4, found_sms=True)

    for number in (1, 2, 3):
        listing.judge(waiting() | {"3": "6:1234"}, OLD + 4 + number, OLD + 9)

    assert not listing.is_off(OLD + 9)


def test_lists_take_at_most_a_third_of_the_requests() -> None:
    assert (ListHint().interval(20.0), ListHint().interval(2.0), ListHint().interval(0.5)) == (1.5, 1.5, 6.0)


def test_what_is_polled_no_more_is_not_judged_and_wants_nothing() -> None:
    listing = hint()
    listing.demand.set("watch-3", 0.5)

    listing.untrack("3", "watch-3")

    assert (listing.judge(waiting() | {"3": "6"}, OLD + 2, OLD + 3), listing.demand.total) == ([], 0.0)


def test_a_list_that_is_never_of_use_is_not_asked_for_again_for_an_hour() -> None:
    listing = hint()

    off = [listing.useless(OLD + number) or listing.is_off(OLD + number) for number in range(20)]

    assert off == [False] * 19 + [True]


def test_an_order_that_changed_keeps_its_own_pace_until_a_poll_of_it_is_answered() -> None:
    listing = hint()
    listing.judge(waiting() | {"3": "6:1234"}, OLD + 2, OLD + 3)
    before = (listing.is_hinted("3"), listing.at_least("3"))

    listing.polled("3", OLD + 4, found_sms=True)

    assert (before, listing.is_hinted("3"), listing.at_least("3")) == ((True, 0.0), False, UNCHANGED)
