"""What the present parser makes of letters: only what was refused, under the id that it would have had."""

import base64

import pytest

from app.rejected import parsing
from app.rejected.letters import Letter
from app.rejected.parsing import REASONS, Outcome, callers, outcomes
from bus.kafka import producer
from receiver import pingme
from receiver.auth import Caller
from receiver.settings import PingMeAccount
from receiver.stages import InvalidCallback
from schemas.dead_letter import rejected
from tests.unit.app.rejected.rejected_letters import OBSERVED_MS, SHOP, SMS, read, refused, request

KNOWN = {"shop": SHOP}
OTHER_USER = Caller("shop", "other")
MANY = [SMS | {"time": str(n)} for n in range(101)]


def id_of(callback: dict) -> str:
    return pingme.normalize(request(b""), callback).id


def shown(found: list[Outcome]) -> list[str]:
    return [outcome.sms.id if outcome.sms else outcome.reason for outcome in found]


@pytest.mark.parametrize(
    ("letter", "expected"),
    [
        (refused(SMS, OTHER_USER), [id_of(SMS)]),
        (refused([SMS, SMS | {"time": "2"}], OTHER_USER), [id_of(SMS), id_of(SMS | {"time": "2"})]),
        (refused([SMS, {"to": "1"}, 5]), ["text_missing", "not_an_object"]),
        (refused([SMS | {"userId": None}, SMS], OTHER_USER), [id_of(SMS)]),
        (refused(b"hello"), ["not_json"]),
        (refused(MANY), ["too_many"]),
        (refused(b"hello", Caller("gone", None)), ["unknown_account"]),
        (read(refused(SMS, OTHER_USER), stage="publish"), ["not_a_callback"]),
        (read(refused(SMS, OTHER_USER), received_via="poll"), ["not_a_callback"]),
        (read(refused(SMS, OTHER_USER), received_via="command"), ["not_a_callback"]),
        (read(refused(SMS, OTHER_USER), provider="grizzlysms"), ["not_a_callback"]),
        (read(refused(SMS, OTHER_USER), body_complete=False), ["body_incomplete"]),
        (read(refused(SMS, OTHER_USER), body_base64=None), ["body_incomplete"]),
        (read(refused(SMS, OTHER_USER), body_base64="?"), ["body_incomplete"]),
        (read(refused([SMS, 5]), facts={"elements": "0 7"}), [id_of(SMS), "other_elements"]),
        (read(refused([SMS, 5]), facts={"elements": "1-2"}), ["other_elements"]),
        (read(refused(b"hello"), facts={"elements": "3"}), ["not_json"]),
    ],
    ids=[
        "a wrong user",
        "an array of a wrong user",
        "of an array the refused ones",
        "and of those the accepted one",
        "still no JSON",
        "still too many",
        "an account that is gone",
        "refused by Kafka",
        "a poll",
        "a command",
        "a provider without a parser",
        "only the start",
        "no body",
        "no base64",
        "an index that is not there",
        "indexes in another form",
        "an array that cannot be read",
    ],
)
def test_only_what_was_refused_is_tried_again(letter: Letter, expected: list[str]) -> None:
    assert shown(outcomes(letter, KNOWN)) == expected


def test_a_wrong_user_stays_one_while_the_settings_say_so() -> None:
    assert shown(outcomes(refused(SMS, OTHER_USER), {"shop": OTHER_USER})) == ["user_mismatch"]


def test_a_replayed_sms_is_the_one_that_was_refused_but_no_news() -> None:
    then = pingme.normalize(request(b""), SMS)

    [outcome] = outcomes(refused(SMS, OTHER_USER), KNOWN)

    assert outcome.sms is not None
    assert outcome.sms.model_dump() == then.model_dump() | {"freshness": "replayed"}
    assert outcome.sms.to_json() == then.to_json().replace(b'"live"', b'"replayed"')


def test_an_array_that_was_too_long_comes_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    letter = refused(MANY)

    monkeypatch.setattr(pingme, "MOST_ELEMENTS", 1000)

    assert shown(outcomes(letter, KNOWN)) == [id_of(callback) for callback in MANY]


def test_a_parser_that_fails_is_a_reason_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(parsing, "PARSERS", {"pingme": fail})

    assert shown(outcomes(refused(b"hello"), KNOWN)) == ["internal_error"]


def test_a_key_of_tomorrow_does_not_make_a_letter_unreadable() -> None:
    text = refused(b"hello").model_dump_json()

    assert Letter.model_validate_json(text[:-1] + ',"tomorrow":1}').reason == "not_json"


def test_the_accounts_are_those_of_the_settings() -> None:
    account = PingMeAccount(name="shop", tokens=("a-token-a-token-a-token",), user_id="u")

    assert callers([account]) == {"shop": Caller("shop", "u")}


def test_every_reason_of_a_letter_has_a_sentence() -> None:
    from_kafka = {*producer.REFUSALS.values(), "journal_row_damaged", "broken_watch"}

    assert {*pingme.REASONS} | from_kafka <= {*REASONS}


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", "ключ".encode()], ids=["empty", "no UTF-8", "Cyrillic"])
def test_the_bytes_are_those_that_came(body: bytes) -> None:
    letter = rejected(body, stage="parse", reason="not_json", facts={}, observed_ms=OBSERVED_MS)

    assert read(letter).body == body
    assert base64.b64decode(letter.body_base64 or "") == body


def test_the_letter_of_a_refused_callback_names_its_reason() -> None:
    """What the tables here stand on."""
    with pytest.raises(InvalidCallback, match="user_mismatch"):
        pingme.normalize(request(b"", OTHER_USER), SMS)
