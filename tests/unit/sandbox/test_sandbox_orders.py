"""Orders over time: one SMS visible at a time, old levels for a moment, ends; and what the book notes of it."""

import pytest

from sandbox.faults import ActiveFaults
from sandbox.plan import PlannedSms

TWO = [{"code": "1111"}, {"at": 3, "code": "2222"}]
STALE = ActiveFaults(lag=5.0)


def status(providers, order, faults=None):
    response = providers.respond("smsverified", "getStatus", faults=faults, id=order.id)
    providers.world.book.written(response, providers.clock.now())
    return response.body


def request_next(providers, order):
    assert providers.says("smsverified", "setStatus", id=order.id, status="3") == "ACCESS_RETRY_GET"


def test_the_second_sms_stays_hidden_until_it_is_asked_for(asked):
    providers = asked()
    order = providers.open("smsverified", sms=TWO)
    providers.later(100)
    hidden = status(providers, order)

    request_next(providers, order)
    between = status(providers, order)
    providers.later(1)

    assert [hidden, between, status(providers, order)] == ["STATUS_OK:1111", "STATUS_WAIT_RETRY:1111", "STATUS_OK:2222"]


def test_an_sms_that_is_not_there_yet_is_waited_for(asked):
    providers = asked()
    order = providers.open("smsverified", sms=TWO)
    request_next(providers, order)

    providers.later(2.9)
    before = status(providers, order)
    providers.later(0.1)

    assert (before, status(providers, order)) == ("STATUS_WAIT_RETRY:1111", "STATUS_OK:2222")


def test_asking_for_the_next_twice_skips_none(asked):
    providers = asked()
    order = providers.open("smsverified", sms=TWO)

    request_next(providers, order)
    request_next(providers, order)
    providers.later(3)

    assert status(providers, order) == "STATUS_OK:2222"


def test_asking_for_the_next_before_the_first_changes_nothing(asked):
    providers = asked()
    order = providers.open("smsverified", sms=[{"at": 0.5, "code": "1111"}])

    request_next(providers, order)
    waiting = status(providers, order)
    providers.later(0.5)

    assert (waiting, status(providers, order)) == ("STATUS_WAIT_CODE", "STATUS_OK:1111")


def test_without_a_gap_the_boundary_can_be_missed(asked):
    providers = asked()
    order = providers.open("smsverified", sms=[{"code": "1111"}, {"equal": True}], gap=0)

    request_next(providers, order)

    assert status(providers, order) == "STATUS_OK:1111"
    assert [sms.shown is not None for sms in order.sms] == [False, True]


def test_the_time_of_an_activation_is_over_one_day(asked):
    providers = asked()
    order = providers.open("smsverified", sms=TWO, lifetime=60)
    providers.later(59)
    alive = status(providers, order)

    providers.later(1)
    cancelled = status(providers, order)
    providers.later(601)

    assert [alive, cancelled, status(providers, order)] == ["STATUS_OK:1111", "STATUS_CANCEL", "NO_ACTIVATION"]


def test_an_sms_after_the_end_comes_to_nobody(asked):
    providers = asked()
    order = providers.open("smsverified", sms=[{"at": 61}], lifetime=60)

    providers.later(100)

    assert status(providers, order) == "STATUS_CANCEL"
    assert providers.world.book.arrived(providers.clock.now()) == []


def test_a_stale_answer_shows_the_old_level_for_a_moment(asked):
    providers = asked()
    order = providers.open("smsverified", sms=[{"at": 10, "code": "1111"}])
    providers.later(12)
    fresh = status(providers, order)

    stale = status(providers, order, STALE)
    providers.later(4)

    assert (fresh, stale) == ("STATUS_OK:1111", "STATUS_WAIT_CODE")
    assert status(providers, order, STALE) == "STATUS_OK:1111"


def test_a_stale_answer_has_the_old_code_after_the_next_was_asked_for_but_not_once_it_was_waited_for(asked):
    providers = asked()
    order = providers.open("smsverified", sms=[{"code": "1111"}])
    request_next(providers, order)

    stale = status(providers, order, STALE)
    waiting = status(providers, order)

    assert (stale, waiting) == ("STATUS_OK:1111", "STATUS_WAIT_RETRY:1111")
    assert status(providers, order, STALE) == "STATUS_WAIT_RETRY:1111"


def test_a_stale_listing_lacks_the_newest(asked):
    providers = asked()
    order = providers.open("smsman", "rent", sms=[{"at": -60, "text": "old"}, {"text": "new"}])
    shown = {}
    for faults in (STALE, ActiveFaults()):
        shown[faults.lag] = providers.respond("smsman", "rent-api/get-all-sms", faults=faults, request_id=order.id)

    assert [sms.text for sms in shown[5.0].shows] == ["old"]
    assert [sms.text for sms in shown[0.0].shows] == ["new", "old"]


def test_the_book_says_when_an_sms_was_first_shown_and_when_it_was_first_past(asked):
    providers = asked()
    order = providers.open("smsverified", sms=TWO)
    start = providers.clock.now()
    for _ in range(3):
        providers.later(10)
        status(providers, order)
    request_next(providers, order)
    status(providers, order)
    providers.later(0.5)
    status(providers, order)

    first, second = order.sms
    assert (first.shown, first.shows, first.passed) == (start + 10, 3, start + 30)
    assert (second.shown, second.shows) == (None, 0)


def test_planned_equal_codes_are_told_apart_by_their_index(asked):
    providers = asked()
    providers.open("smsverified", sms=[{"code": "1111"}, {"at": 1, "equal": True}])
    providers.later(1)

    book = providers.world.book.as_json(providers.clock.now())["sms"]
    assert [(sms["nonce"], sms["index"]) for sms in book] == [("1111", 0), ("1111", 1)]


def test_the_nonce_is_in_what_the_provider_shows(asked):
    providers = asked()
    for provider, kind in (("smsverified", "activation"), ("grizzlysms", "rent"), ("smsman", "rent")):
        (sms,) = providers.open(provider, kind, sms=[{}]).sms

        assert sms.nonce in (sms.code if kind == "activation" else sms.text)
        assert kind == "activation" or f"ref {sms.nonce}" in sms.text


@pytest.mark.parametrize("kind", ["activation", "rent"])
def test_an_open_order_can_be_sent_one_more(asked, kind):
    providers = asked()
    order = providers.open("smsman", kind, sms=[{"code": "1111"}])
    providers.later(50)

    providers.world.receive("smsman", kind, order.id, PlannedSms(at=2, code="2222"))

    assert [(sms.index, sms.code, sms.at - order.opened) for sms in order.sms] == [(0, "1111", 0.0), (1, "2222", 52.0)]
    assert providers.world.receive("smsman", kind, "none", PlannedSms()) is None


def test_the_book_notes_which_orders_a_request_has_closed_and_when(asked):
    providers = asked()
    finished, cancelled, rented, _expired = (
        providers.open("smsverified"),
        providers.open("smsman"),
        providers.open("grizzlysms", "rent"),
        providers.open("smsverified", lifetime=1),
    )
    providers.later(5)
    providers.says("smsverified", "setStatus", id=finished.id, status="6")
    providers.respond("smsman", "control/set-status", request_id=cancelled.id, status="reject")
    providers.respond("grizzlysms", "setRentStatus", id=rented.id, status="1")
    providers.later(5)
    providers.respond("grizzlysms", "setRentStatus", id=rented.id, status="1")

    book = providers.world.book.as_json(providers.clock.now())

    assert [(row["provider"], row["kind"], row["order"], row["at"] - finished.opened) for row in book["closed"]] == [
        ("smsverified", "activation", finished.id, 5.0),
        ("smsman", "activation", cancelled.id, 5.0),
        ("grizzlysms", "rent", rented.id, 5.0),
    ]
