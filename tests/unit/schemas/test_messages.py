import json

import pytest
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from schemas.identity import event_id, watch_ended_id
from schemas.messages import MESSAGES, VALUES, Message, SmsReceived, SmsRejected, Value, Watch, WatchEnded
from schemas.normalize import clean

ID = event_id("pingme", "shop", None, None, ("x",))
OBSERVED = "2021-03-25T03:17:06.050Z"


def received(**changes):
    given = {
        "id": ID,
        "provider": "pingme",
        "account": "shop",
        "received_via": "callback",
        "text": "[jd] code is 5611",
        "observed_at": OBSERVED,
        "freshness": "live",
    }
    return SmsReceived(**given | changes)


def rejected(**changes):
    given = {
        "id": ID,
        "provider": "pingme",
        "account": "shop",
        "received_via": "callback",
        "stage": "parse",
        "reason": "not_json",
        "body_base64": "",
        "body_bytes": 0,
        "body_sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "body_complete": True,
        "facts": {},
        "observed_at": OBSERVED,
    }
    return SmsRejected(**given | changes)


def ended(**changes):
    given = {
        "watch_id": "w",
        "provider": "smsman",
        "account": "man",
        "order_kind": "rent",
        "order_id": "7",
        "reason": "expired",
        "sms_count": 3,
        "ended_at": OBSERVED,
    }
    return WatchEnded(**given | changes)


def watch(**changes):
    given = {
        "watch_id": "w",
        "account": "man",
        "order_kind": "rent",
        "order_id": "7",
        "opened_at": OBSERVED,
        "expires_at": OBSERVED,
    }
    return Watch(**given | changes)


def test_the_fields_of_an_sms_stand_in_the_order_of_the_contract():
    order = """
        id provider account received_via order_kind order_id watch_id client_ref sequence service message_type
        recipient recipient_raw sender sender_raw sender_kind text code code_source
        provider_time provider_time_raw provider_time_basis observed_at freshness provider_fields
    """

    assert list(SmsReceived.model_fields) == order.split()


@pytest.mark.parametrize("value", [received(), rejected(), ended(), watch()])
def test_json_is_compact_has_every_key_in_order_and_reads_back(value):
    encoded = value.to_json()

    assert list(json.loads(encoded)) == list(type(value).model_fields)
    assert encoded == json.dumps(json.loads(encoded), separators=(",", ":"), ensure_ascii=False).encode()
    assert type(value).model_validate_json(encoded) == value


@pytest.mark.parametrize("value", VALUES)
def test_types_and_topics_belong_together(value):
    assert value.TOPIC.endswith(".v1")
    if issubclass(value, Message):
        assert f"smsbus.{value.TOPIC}" == value.CE_TYPE


def test_the_key_is_the_recipient_as_given_in_ascii_digits():
    assert received(recipient_raw="+1 (647) ٠٠٠-0000").key() == "16470000000"


@pytest.mark.parametrize("raw", [None, "", "WhatsApp"])
def test_without_digits_the_key_is_the_watch_else_the_account(raw):
    assert received(recipient_raw=raw, watch_id="w").key() == "w"
    assert received(recipient_raw=raw).key() == "shop"


def test_the_other_keys_are_the_account_and_the_watch():
    assert (rejected().key(), ended().key(), watch().key()) == ("shop", "w", "w")


def test_an_event_has_the_id_and_the_time_of_what_happened():
    assert (received().event_id, received().event_time) == (ID, OBSERVED)
    assert (rejected().event_id, rejected().event_time) == (ID, OBSERVED)
    assert (ended().event_id, ended().event_time) == (watch_ended_id("w", "expired", 3), OBSERVED)


@pytest.mark.parametrize(
    ("make", "changes"),
    [
        (received, {"id": ID.upper()}),
        (received, {"id": "8ead7f35-851a-495a-a7c3-64d13f72405c"}),
        (received, {"account": "Shop"}),
        (received, {"account": "shop__a"}),
        (received, {"account": ""}),
        (received, {"recipient": "16470000000"}),
        (received, {"recipient": "+0123456789"}),
        (received, {"recipient": "+١٦٤٧٠٠٠٠٠٠٠"}),
        (received, {"recipient": "+16470000000\n"}),
        (received, {"observed_at": "2021-03-25T03:17:06Z"}),
        (received, {"observed_at": OBSERVED + "\n"}),
        (received, {"observed_at": 1616642226050}),
        (received, {"provider_time": "2021-03-25T03:17:06.050+00:00", "provider_time_basis": "stated"}),
        (received, {"client_ref": "x" * 129}),
        (received, {"sequence": -1}),
        (received, {"sequence": "1"}),
        (received, {"order_id": 1234567890123456}),
        (received, {"provider_fields": {"a": 1}}),
        (received, {"surprise": "x"}),
        (received, {"sender": "x"}),
        (received, {"sender_kind": "phone"}),
        (received, {"code": "5611"}),
        (received, {"code_source": "provider"}),
        (received, {"provider_time": OBSERVED}),
        (rejected, {"reason": "Not JSON"}),
        (rejected, {"body_sha256": "00"}),
        (rejected, {"body_bytes": -1}),
        (ended, {"watch_id": ""}),
        (watch, {"watch_id": ""}),
        (watch, {"desired": "buy"}),
        (watch, {"after_sms": "cancel"}),
    ],
)
def test_the_writers_model_refuses_what_the_contract_excludes(make, changes):
    make()  # without the change it is fine

    with pytest.raises(ValidationError):
        make(**changes)


def test_open_sets_take_values_of_tomorrow():
    tomorrow = received(provider="newcomer", received_via="push", message_type="rcs", freshness="delayed")

    assert tomorrow.to_json()


def test_a_message_cannot_be_changed():
    with pytest.raises(ValidationError):
        received().text = "another"


@pytest.mark.parametrize("kind", [Value, Message])
def test_what_all_messages_share_is_no_message_itself(kind):
    with pytest.raises(TypeError, match="abstract"):
        kind()


def test_a_text_must_be_clean_to_become_json():
    with pytest.raises(PydanticSerializationError):
        received(text="\ud800").to_json()

    assert json.loads(received(text=clean("\ud800\x00")).to_json())["text"] == "\ufffd\x00"


def test_all_messages_are_listed_and_a_watch_is_none_of_them():
    assert set(MESSAGES) == {kind for kind in Message.__subclasses__() if kind.__module__ == Message.__module__}
    assert set(VALUES) == {*MESSAGES, Watch}
