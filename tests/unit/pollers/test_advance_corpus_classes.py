"""What each class of the corpus's polling rows does to a fresh watch, as the observation that a client makes of it."""

import json
from pathlib import Path

import pytest

from pollers.tracking.advance import Step, advance
from providers.observation import Ended, Gone, Last, Listing, NoCode, ProviderError, SeenSms, Waiting, WaitingNext
from schemas.messages import SmsReceived
from tests.unit.pollers.watching import at, sms, watching

CORPUS = Path(__file__).parents[2] / "corpus" / "wire.jsonl"
POLLS = {"getStatus", "getStatusV2", "getRentStatus", "get-sms", "get-all-sms"}
CLASSES = {
    # class: observation, freshness of the SMS that comes of it, reason of the end
    "sms": (Last(sms("1111")), "live", None),
    "sms_empty": (NoCode(), None, None),
    "waiting": (Waiting(), None, None),
    "waiting_retry": (WaitingNext("1111"), "recovered", None),
    "terminal": (Ended("cancelled"), None, "cancelled"),
    "gone": (Gone(), None, None),
    "auth": (ProviderError("auth", "bad_key"), None, None),
    "throttled": (ProviderError("throttled", "http_429", 7.0), None, None),
    "transient": (ProviderError("transient", "html"), None, None),
    "request_error": (ProviderError("request_error", "bad_action"), None, None),
    "unrecognised": (ProviderError("unrecognised", "unknown_token"), None, None),
}


def test_the_table_has_every_class_of_answer_that_the_corpus_gives_to_a_poll():
    rows = map(json.loads, CORPUS.read_text().splitlines())

    classes = {each["expect"] for each in rows if each["action"] in POLLS}

    assert classes == set(CLASSES)


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_alone_makes_its_events_from_a_fresh_watch(name):
    observation, freshness, reason = CLASSES[name]

    step = advance(watching(), observation, at(5))

    found = [each for each in step.messages if isinstance(each, SmsReceived)]
    assert [each.freshness for each in found] == ([freshness] if freshness else [])
    assert step.state.ended == reason
    assert len(step.messages) == len(found) + bool(reason)


@pytest.mark.parametrize("name", ["auth", "throttled", "transient", "request_error", "unrecognised"])
@pytest.mark.parametrize("kind", ["activation", "rent"])
def test_trouble_teaches_nothing_about_an_order(name, kind):
    state = watching(kind)

    assert advance(state, CLASSES[name][0], at(5)) == Step(state)
    assert advance(state, CLASSES[name][0], at(5)).state is state


def test_a_list_on_the_first_poll_of_a_rent_is_its_history():
    step = advance(watching("rent"), Listing((SeenSms(text="a"), SeenSms(text="b"))), at(5))

    assert [each.freshness for each in step.messages] == ["history", "history"]
