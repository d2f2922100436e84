"""What goes to the dead-letter topic in place of a record."""

import base64
from hashlib import sha256

import pytest

from bus.dead_letter import of_refused
from bus.record import Record, build
from schemas.dead_letter import PREFIX_BYTES
from schemas.timestamps import to_text
from tests.messages import sms

NOW_MS = 1_795_000_123_456


def record(text: str = "hello") -> Record:
    return build(sms(text=text), topic_prefix="eu.", instance="i")


def test_a_small_record_is_kept_whole() -> None:
    refused = record()

    letter = of_refused(refused, "invalid_record", now_ms=NOW_MS)

    assert base64.b64decode(letter.body_base64 or "") == refused.value
    assert (letter.body_complete, letter.body_bytes) == (True, len(refused.value))
    assert letter.body_sha256 == sha256(refused.value).hexdigest()


def test_an_oversized_record_keeps_a_prefix_the_length_and_the_digest_of_the_whole() -> None:
    refused = record("x" * 200_000)

    letter = of_refused(refused, "too_large_for_the_topic", now_ms=NOW_MS)

    assert base64.b64decode(letter.body_base64 or "") == refused.value[:PREFIX_BYTES]
    assert (letter.body_complete, letter.body_bytes) == (False, len(refused.value))
    assert letter.body_sha256 == sha256(refused.value).hexdigest()


def test_it_says_what_was_refused_from_where_and_why() -> None:
    refused = record()

    letter = of_refused(refused, "invalid_timestamp", now_ms=NOW_MS)

    assert (letter.stage, letter.reason) == ("publish", "invalid_timestamp")
    assert letter.facts == {"refused_id": refused.id, "refused_topic": "eu.sms.received.v1"}
    assert (letter.provider, letter.account) == ("pingme", "shop")
    assert letter.observed_at == to_text(NOW_MS)


@pytest.mark.parametrize(
    "headers", [(), (("ce_source", b"/smsbus/pingme"),), (("ce_source", b"/a/b/c/d"),)], ids=["none", "short", "long"]
)
def test_a_record_whose_headers_cannot_be_believed_is_of_an_unknown_account(
    headers: tuple[tuple[str, bytes], ...],
) -> None:
    damaged = record()._replace(headers=headers)

    letter = of_refused(damaged, "journal_row_damaged", now_ms=NOW_MS)

    assert (letter.provider, letter.account) == ("unknown", "unknown")


def test_the_same_refusal_later_has_the_same_id_and_another_has_another() -> None:
    first = of_refused(record(), "invalid_record", now_ms=NOW_MS)

    again = of_refused(record(), "invalid_record", now_ms=NOW_MS + 60_000)
    others = [
        of_refused(record(), "invalid_timestamp", now_ms=NOW_MS),
        of_refused(record("other"), "invalid_record", now_ms=NOW_MS),
    ]

    assert again.id == first.id
    assert len({first.id, *(other.id for other in others)}) == 3
