import hashlib
import inspect
import uuid

import pytest

from schemas import identity

SEED_SAMPLE = ("xxx", "jd", "14160000000", "16470000000", "[jd] code is 5611", "2021-03-25T03:17:06.050Z")
MISSING_TIME = (*SEED_SAMPLE[:5], None)
EMPTY_TIME = (*SEED_SAMPLE[:5], "")

# Frozen: a change here makes every repeat in the world look new. Add vectors, never edit them.
EVENT_VECTORS = {
    ("pingme", "shop", None, None, SEED_SAMPLE, 0): "844f89d2-0fe8-881a-b7ff-0fc39dee53ed",
    ("pingme", "shop", None, None, MISSING_TIME, 0): "05e60f1d-d8f4-8229-a2bf-b6cd3ce962cd",
    ("pingme", "shop", None, None, EMPTY_TIME, 0): "20b20f0c-f50c-859d-b27f-25e272b40eae",
    ("pingme", "other", None, None, SEED_SAMPLE, 0): "6f731b1b-7fbb-8c10-a056-adf280bb75aa",
    (
        "pingme",
        "shop",
        None,
        None,
        ("xxx", "jd", "WhatsApp", "16470000000", "رمز ١١١-٢٢٢", "t"),
        0,
    ): "bf9047d9-5370-8c29-9f5b-8829bd06d1fb",
    (
        "pingme",
        "shop",
        None,
        None,
        ("xxx", "jd", "1", "2", "验证码 5611 😀\r\nline2", "t"),
        0,
    ): "242ef9e1-772d-88f8-bc22-323432f55642",
    ("pingme", "shop", None, None, (None,) * 6, 0): "6cb3b005-8ff8-8300-8013-4e4859587daf",
    ("pingme", "shop", None, None, ("",) * 6, 0): "fec1b8b2-ca50-81d2-864d-cffb8c9a4eaa",
    ("smsverified", "sms_a", "activation", "1234567890123456", ("001234",), 0): "6bd66c27-1e4d-872d-a312-5fc86f25695a",
    ("smsverified", "sms_a", "activation", "1234567890123456", ("001234",), 1): "954c5736-e894-82ef-be3c-6bc8c74268e7",
    ("smsverified", "sms_a", "rent", "1234567890123456", ("001234",), 0): "cbca02fb-a023-82de-9d28-bf7819deb7af",
    (
        "grizzlysms",
        "g",
        "rent",
        "55501",
        ("20261120110231", "Telegram", "Telegram code: 48291"),
        0,
    ): "28b1673e-753e-8549-bc11-6abbd787ec86",
    ("smsman", "m", "activation", "7", (), 0): "828793c4-3334-8135-8556-774f17b3fe32",
    ("smsman", "m", "activation", "7", ("\ud800\x00",), 0): "4b8ca7d6-b047-80b3-a8b7-7711d8a6ad92",
    (
        "pingme",
        "shop",
        None,
        None,
        (None, "jd", "1", "2", "\udbff\udcb4\udbff\udcf3", "t"),
        0,
    ): "65c4068f-cce9-8c8f-87bb-cad1e90f710d",
    ("pingme", "shop", None, None, (None, "jd", "1", "2", "\ud83d", "t"), 0): "e0ba5bdd-7aca-8a94-b1c6-c6926ca6bfd8",
}
OTHER_VECTORS = [
    (identity.rejected_id("pingme", "shop", "parse", "not_json", b"hello"), "44f23007-93bd-86e1-a752-5036e213cc4b"),
    (identity.rejected_id("pingme", "shop", "parse", "not_json", b"hello", 0), "9c46f97c-4092-8cca-bfad-6a758503d631"),
    (identity.rejected_id("pingme", "shop", "verify", "not_json", b""), "403dd0f2-67d2-8a93-9313-76e40217cbe2"),
    (identity.watch_id("sms_a", "activation", "1234567890123456"), "f32b5368-55b8-8bb3-b4b5-3acbb47da6c3"),
    (identity.watch_ended_id("w", "finished", 1), "12cfcf72-8782-8cc9-9e94-d532542d62ec"),
]


@pytest.mark.parametrize(("parts", "expected"), EVENT_VECTORS.items())
def test_ids_of_sms_are_frozen(parts, expected):
    *order, content, n = parts

    assert identity.event_id(*order, content, n) == expected


@pytest.mark.parametrize(("made", "expected"), OTHER_VECTORS)
def test_other_ids_are_frozen(made, expected):
    assert made == expected


def test_the_order_of_what_makes_a_pingme_callback_is_frozen():
    content = identity.pingme_content(
        user_id="user", app="app", sender="from", recipient="to", text="text", time="time"
    )

    assert content == ("user", "app", "from", "to", "text", "time")


def test_all_vectors_differ_from_each_other():
    ids = [*EVENT_VECTORS.values(), *(expected for _, expected in OTHER_VECTORS)]

    assert len(set(ids)) == len(ids) == 21


def test_a_number_as_a_json_integer_and_as_text_have_one_source_text_and_one_id():
    from_integer = identity.pingme_content("1", "jd", str(14160000000), str(16470000000), "x", None)
    from_text = identity.pingme_content("1", "jd", "14160000000", "16470000000", "x", None)

    assert identity.event_id("pingme", "a", None, None, from_integer) == identity.event_id(
        "pingme", "a", None, None, from_text
    )


def test_an_id_is_blake2b_over_parts_with_their_lengths_in_front():
    framed = b"17:smsbus.received.13:ppp1:a--2:\xc3\xa4-0:1:0"
    digest = bytearray(hashlib.blake2b(framed, digest_size=16).digest())
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80

    assert identity.event_id("ppp", "a", None, None, ("ä", None, "")) == str(uuid.UUID(bytes=bytes(digest)))


def test_moving_a_character_from_one_part_to_the_next_changes_the_id():
    assert identity.watch_id("a", "bc", "d") != identity.watch_id("ab", "c", "d")


def test_a_part_that_looks_like_the_framing_of_another_is_not_mistaken_for_it():
    one = identity.event_id("p", "a", None, None, ("1:x", "y"))
    other = identity.event_id("p", "a", None, None, ("1:x1:y",))

    assert one != other


@pytest.mark.parametrize("made", [*EVENT_VECTORS.values(), *(expected for _, expected in OTHER_VECTORS)])
def test_ids_are_uuids_of_version_8_in_their_canonical_spelling(made):
    parsed = uuid.UUID(made)

    assert (parsed.version, parsed.variant, str(parsed)) == (8, uuid.RFC_4122, made)


def test_the_first_of_equal_sms_needs_no_count():
    assert inspect.signature(identity.event_id).parameters["n"].default == 0
