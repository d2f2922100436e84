"""What stands in the messages of a watch."""

import pytest

from pollers.tracking.advance import advance, opened, requested
from providers.observation import Ended, Last, Listing, SeenSms, Waiting, WaitingNext
from schemas.messages import WatchEnded
from tests.unit.pollers.watching import OPENED_MS, after, at, message, sms, watch, watching

FULL = SeenSms(
    code="001234",
    text="Your code: 001234",
    sender="14160000000",
    time_raw="2026-11-22 17:20:04",
    service="31",
    recipient="+1 647 000 0001",
)


def test_a_message_carries_the_order_the_watch_and_what_the_answer_says():
    state = watching(client_ref="signup-42", service="wa")

    given = message(advance(state, Last(FULL), at(5.12)))

    assert given.model_dump(exclude={"id"}) == {
        "provider": "smsverified",
        "account": "shop",
        "received_via": "poll",
        "order_kind": "activation",
        "order_id": "860",
        "watch_id": state.watch.watch_id,
        "client_ref": "signup-42",
        "sequence": 0,
        "service": "31",
        "message_type": "sms",
        "recipient": "+16470000001",
        "recipient_raw": "+1 647 000 0001",
        "sender": "+14160000000",
        "sender_raw": "14160000000",
        "sender_kind": "phone",
        "text": "Your code: 001234",
        "code": "001234",
        "code_source": "provider",
        "provider_time": "2026-11-22T17:20:04.000Z",
        "provider_time_raw": "2026-11-22 17:20:04",
        "provider_time_basis": "assumed",
        "observed_at": "2026-11-22T17:20:05.120Z",
        "freshness": "live",
        "provider_fields": None,
    }


def test_what_the_answer_does_not_say_comes_from_the_watch_or_is_null():
    given = message(advance(watching(service="wa", message_type="call"), Last(sms("1111")), at(5)))

    assert (given.service, given.message_type, given.recipient_raw) == ("wa", "call", "16470000000")
    assert (given.recipient, given.text, given.sender, given.provider_time_raw) == ("+16470000000", None, None, None)


def test_the_answers_message_type_goes_before_the_watchs():
    given = message(advance(watching(message_type="voice"), Last(sms("1111", message_type="call")), at(5)))

    assert given.message_type == "call"


@pytest.mark.parametrize(
    ("seen", "text", "code", "source"),
    [
        (sms("1111"), None, "1111", "provider"),
        (sms("'1111'"), None, "1111", "provider"),
        (sms("Your code is 1111"), "Your code is 1111", "1111", "extracted"),
        (sms("Hello from the bank"), "Hello from the bank", None, None),
        (sms(None, text="Your code is 1111"), "Your code is 1111", "1111", "extracted"),
        (sms("G-48", text="bad \ud800 text"), "bad \ufffd text", "G-48", "provider"),
    ],
)
def test_text_and_code_say_which_of_them_the_provider_gave(seen, text, code, source):
    given = message(advance(watching(), Last(seen), at(5)))

    assert (given.text, given.code, given.code_source) == (text, code, source)
    given.to_json()


def test_whatever_an_answer_holds_becomes_a_message_and_a_state_that_json_can_carry():
    wild = "\ud800\x00\u202e" * 3
    seen = SeenSms(code=wild, text=wild, sender=wild, time_raw=wild, service=wild, recipient=wild)

    step = advance(watching(), Last(seen), at(5))

    assert b"\xef\xbf\xbd" in message(step).to_json()
    assert type(step.state).from_json(step.state.to_json()) == step.state


def test_the_accounts_zone_reads_a_time_that_states_none():
    moscow = advance(watching(), Last(FULL), at(5), zone="Europe/Moscow")

    assert message(moscow).provider_time == "2026-11-22T14:20:04.000Z"


def test_the_key_is_the_digits_of_the_number_else_the_watch():
    assert watching(recipient="+1 (647) 000-0000").key == "16470000000"
    assert watching(recipient="unknown").key == watch().watch_id
    assert watching(recipient=None).key == watch().watch_id


def test_a_number_that_is_learned_stands_in_the_messages_and_leaves_the_key_alone():
    state = watching(recipient=None)

    first = advance(state, Last(sms("1111", recipient="16470000009")), at(5))
    second = advance(first.state, Last(sms("2222")), at(10))
    end = advance(second.state, Ended("cancelled"), at(15))

    assert message(second).recipient == "+16470000009"
    assert end.messages[0].recipient == "+16470000009"
    assert end.state.key == state.key == state.watch.watch_id


def test_the_end_names_the_watch_its_reason_and_its_count():
    state = after(watching(client_ref="r"), Last(sms("1111")), Last(sms("2222")))

    (end,) = advance(state, Ended("cancelled"), at(20)).messages

    assert end == WatchEnded(
        watch_id=state.watch.watch_id,
        provider="smsverified",
        account="shop",
        order_kind="activation",
        order_id="860",
        recipient="+16470000000",
        client_ref="r",
        reason="cancelled",
        sms_count=2,
        ended_at="2026-11-22T17:20:20.000Z",
    )


def test_the_description_of_a_live_watch_is_that_of_its_opening():
    state = requested(watching(client_ref="old"), watch(client_ref="new"), at(1)).state

    assert message(advance(state, Last(sms("1111")), at(5))).client_ref == "old"


@pytest.mark.parametrize("message_type", ["call", "voice"])
@pytest.mark.parametrize("number", ["4915123456789", "+4915123456789", "491512345678901", "79161234567"])
def test_the_number_of_a_caller_is_a_code_however_long(message_type, number):
    given = message(advance(watching(message_type=message_type), Last(sms(number)), at(5)))
    as_sms = message(advance(watching(), Last(sms(number)), at(5)))

    assert (given.code, given.text, given.code_source) == (number, None, "provider")
    assert given.id == as_sms.id


@pytest.mark.parametrize("code", ["4915123456789 called you", "4915123456789012", "x" * 13])
def test_what_is_no_number_is_a_text_of_a_call_too(code):
    given = message(advance(watching(message_type="call"), Last(sms(code)), at(5)))

    assert given.text == code


def test_an_sms_right_after_ten_minutes_without_an_answer_is_recovered_and_the_next_one_live():
    state = after(watching(), Waiting())

    at_last = advance(state, Last(sms("1111")), at(5 + 600))
    too_late = advance(state, Last(sms("1111")), at(5 + 600.001))

    assert message(at_last).freshness == "live"
    assert message(too_late).freshness == "recovered"
    assert message(advance(too_late.state, Last(sms("2222")), at(700))).freshness == "live"


def test_a_look_that_shows_nothing_new_is_noted_every_five_minutes_only():
    state = after(watching(), Waiting())

    assert advance(state, Waiting(), at(5 + 299.999)).state is state
    assert advance(state, Waiting(), at(5 + 300)).state.looked_ms == at(5 + 300)


def test_a_token_of_twelve_characters_is_a_code_and_of_thirteen_a_text():
    twelve, thirteen = (message(advance(watching(), Last(sms("x" * size)), at(5))) for size in (12, 13))

    assert (twelve.code, twelve.text) == ("x" * 12, None)
    assert (thirteen.code, thirteen.text) == (None, "x" * 13)


def test_a_watch_that_is_known_to_us_long_after_it_was_opened_may_show_an_old_sms():
    state = opened(watch(), "smsverified", at(601))

    assert message(advance(state, Last(sms("1111")), at(602))).freshness == "recovered"


def test_a_watch_opened_by_a_clock_ahead_of_ours_does_not_look_absent_or_eternal():
    state = opened(watch(), "smsverified", OPENED_MS - 3_600_000)

    assert state.looked_ms == OPENED_MS - 3_600_000


def test_a_missed_sms_is_recovered_and_has_no_text():
    given = message(advance(watching(), WaitingNext("1111"), at(5)))

    assert (given.code, given.text, given.freshness) == ("1111", None, "recovered")


def test_sms_of_one_answer_have_the_sequence_of_their_list():
    rows = Listing(tuple(SeenSms(text=text, time_raw="2026-11-22 17:21:00") for text in ("b", "a", "c")))

    step = advance(watching("rent"), rows, at(5))

    assert [(each.text, each.sequence) for each in step.messages] == [("b", 0), ("a", 1), ("c", 2)]
