"""A request as its receiver reads it: with the reference libraries of CloudEvents and Standard Webhooks."""

import time

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_binary_event
from cloudevents.core.formats.json import JSONFormat
from standardwebhooks import Webhook, WebhookVerificationError

from bus.kafka.reader import ReadRecord
from bus.record import build
from forwarding.envelope import encoded, headers_of
from forwarding.signature import key_of, new_secret, signed
from tests.messages import sms

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # of the specification's own examples


def read(message) -> ReadRecord:
    record = build(message, topic_prefix="", instance="here-1")
    return ReadRecord(0, 0, record.timestamp_ms, record.key, record.value, dict(record.headers))


def test_it_is_a_cloud_event_in_binary_mode():
    message = sms()
    record = read(message)
    headers = headers_of(record.headers, message.event_id)

    event = from_binary_event(HTTPMessage(headers=headers, body=record.value or b""), JSONFormat())

    assert (event.get_id(), event.get_type()) == (message.id, "smsbus.sms.received.v1")
    assert (event.get_source(), event.get_specversion()) == (f"/smsbus/{message.provider}/{message.account}", "1.0")
    assert event.get_dataschema() == "urn:smsbus:schema:sms.received.v1"
    assert event.get_data()["text"] == message.text
    assert headers["content-type"] == "application/json"
    assert not [name for name in headers if name.startswith("smsbus")]


def test_what_a_header_cannot_carry_is_encoded_as_the_binding_says():
    strange = {"ce_source": 'a b"%\r\nx: é'.encode(), "ce_a\r\nb": b"1", "ce_": b"2", "CE_X": b"3"}

    headers = headers_of(strange, encoded("1\n2"))

    assert headers == {
        "content-type": "application/json",
        "ce-id": "1%0A2",
        "ce-source": "a%20b%22%25%0D%0Ax:%20%C3%A9",
    }


def test_the_reference_library_verifies_the_signature():
    body, now = '{"text":"héllo"}'.encode(), int(time.time())
    headers = signed(key_of(SECRET), "msg_1", body, now)

    assert Webhook(SECRET).verify(body, headers) == {"text": "héllo"}
    for other in (body + b" ", b"{}"):
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(other, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, {**headers, "webhook-id": "msg_2"})


def test_the_example_of_the_specification():
    body = b'{"test": 2432232314}'

    headers = signed(key_of(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", body, 1614265330)

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_new_secret_is_valid_and_no_other_is_like_it():
    made = {new_secret() for _ in range(10)}

    assert len(made) == 10
    assert {len(key_of(secret)) for secret in made} == {24}


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "secret", "whsec_c2hvcnQ=", "whsec_!!!", SECRET[6:], "whsec_" + "A" * 200]
)
def test_what_is_no_secret_is_said(secret: str):
    with pytest.raises(ValueError, match="openssl rand"):
        key_of(secret)
