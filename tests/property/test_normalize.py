"""Whatever a sender makes us decode: nothing raises, what is normalized stays, and every id is one."""

import json
import uuid

from hypothesis import example, given
from hypothesis import strategies as st

from schemas import identity
from schemas import identity_code as frozen
from schemas.identity_code import identity_code
from schemas.identity_code.forms import readable, whole, without_links
from schemas.messages import SmsReceived
from schemas.normalize import FIELDS_LIMIT, clean, digits, e164, limit_fields, provider_time, sender
from schemas.timestamps import LATEST_MS, to_epoch_ms, to_text

# Any code point, lone surrogates too; bytes read with replacement; and what numbers, times and codes are made of.
anything = st.text(st.characters(exclude_categories=()))
decoded = st.binary().map(lambda octets: octets.decode("utf-8", "replace"))
numberlike = st.text("0123456789+-() .\u00a0\u200f٠١٤٩０９:;/TZtz#*telEXx")
codelike = st.lists(
    st.sampled_from(["code", " ", "is", "1234", "482913", "-", ":", ".", "\n", "G-", "код", "验证码", "رمز", "٤٨٢٩",
                     "$", "@", "#", "USD", "order", "İ", "ß", "\ufdfa", "www.", "https://", "[", "]", "%", "*"]),
    max_size=30,
).map("".join)  # fmt: skip
texts = anything | decoded | numberlike | codelike
clean_texts = texts.map(clean)
moments = st.integers(min_value=0, max_value=LATEST_MS)


@given(texts)
def test_clean_text_goes_through_utf8_and_is_left_alone(text):
    cleaned = clean(text)

    assert cleaned.encode().decode() == cleaned
    assert clean(cleaned) == cleaned
    assert len(cleaned) == len(text)


@given(texts)
def test_digits_are_ascii_and_left_alone(text):
    found = digits(text)

    assert found == "" or (found.isascii() and found.isdigit())
    assert digits(found) == found


@given(texts)
@example("+" + "9" * 15)
def test_a_number_is_e164_or_none_and_left_alone(text):
    number = e164(text)

    assert number is None or (e164(number) == number and digits(number) == number[1:] and 7 <= len(number[1:]) <= 15)


@given(texts)
@example("\ud800")
@example("\u200f")
def test_a_sender_is_clean_and_left_alone(text):
    found = sender(text)

    assert found is None or (sender(found.value) == found and clean(found.value) == found.value)


# What leads to a code, what NFKC makes longer, shorter or a digit, and what stands between.
pieces = st.lists(
    st.from_regex(r"[0-9]{1,8}", fullmatch=True)
    | st.sampled_from(["code", " ", "is ", "is your", "2019", "20250325", "0fa", "2fa", "2FA", "２fa", "-", ":", ".",
                       "\n", "\r\n", "\t", "G-", "A", "$", "@", "www.", "http", "://", "/", "a.b/", "order",
                       "/1", "fa", "2", "Ваш код: ", "验证码是", "認証コード：", "كود ", "【", "】", "（", "，", "。",
                       "－", "–", "\u3000", "\u00a0", "⑩", "⑴", "½", "²", "２", "٣", "𝟙", "…", "ﷺ", "ﬁ", "㎏", "İ",
                       "e\u0301", "\u20e3", "\u200b", "\ud800", "😀", "€", "分"]),
    max_size=12,
).map("".join)  # fmt: skip


@given(pieces | codelike | anything)
@example("Your code\t1234")
@example("Your code:\r\n2019")
@example("⑩482\u200b code")
@example("ﬁﬁﬁﬁﬁﬁ Your code is 1234 +16470000000" + 6 * "\u200b")
@example(6 * "\u200b" + "AB12345678901 1234 is your code")
@example("Acme 2fa: 482913 for you")
def test_a_code_is_found_as_if_no_text_like_it_had_been_seen_before(text):
    plain = readable(text)
    links_out = without_links(plain)

    assert identity_code(text) == (whole(plain) or frozen._extracted(links_out, links_out))


@given(texts, moments, st.sampled_from([None, "UTC", "Asia/Shanghai", "America/New_York"]))
@example("2021-03-28T01:30:00", LATEST_MS, "Europe/London")
@example("9999-12-31T23:59:59-23:59", LATEST_MS, None)
@example("9999-12-31T23:59:59", LATEST_MS, "America/New_York")
def test_a_time_is_in_our_spelling_or_none_and_left_alone(text, now_ms, zone):
    found = provider_time(text, now_ms=now_ms, zone=zone)

    assert (found.time is None) == (found.basis is None)
    if found.time is not None:
        assert to_text(to_epoch_ms(found.time)) == found.time
        assert provider_time(found.time, now_ms=now_ms).time == found.time


@given(moments)
def test_every_moment_has_one_text(epoch_ms):
    assert to_epoch_ms(to_text(epoch_ms)) == epoch_ms


@given(moments, moments)
def test_texts_of_moments_sort_as_the_moments_do(one, other):
    assert (to_text(one) < to_text(other)) == (one < other)


@given(st.dictionaries(texts, texts | st.text("x", min_size=500, max_size=1500), max_size=8))
def test_fields_are_small_and_clean_and_left_alone(mapping):
    limited = limit_fields(mapping)

    if limited is not None:
        encoded = json.dumps(limited, ensure_ascii=False, separators=(",", ":")).encode()
        assert 2 < len(encoded) <= FIELDS_LIMIT
        assert limit_fields(limited) == limited


@given(texts)
def test_a_code_is_a_piece_of_the_readable_text_and_its_own_code(text):
    code = identity_code(text)

    if code is not None:
        assert code in readable(text)
        assert 4 <= len(code) <= 11
        assert any(map(str.isdigit, code))


@given(codelike)
def test_a_numeric_code_alone_is_that_code(text):
    code = identity_code(text)

    if code is not None and code[0].isdigit() and not any(map(str.isalpha, code)):
        assert identity_code(code) == code


@given(clean_texts, clean_texts, clean_texts)
def test_clean_texts_always_become_json_that_reads_back(text, recipient, client):
    message = SmsReceived(
        id=identity.event_id("pingme", "shop", None, None, (text,)),
        provider="pingme",
        account="shop",
        received_via="callback",
        client_ref=client[:128],
        recipient_raw=recipient,
        text=text,
        observed_at="2021-03-25T03:17:06.050Z",
        freshness="live",
        provider_fields=limit_fields({"carrier": text}),
    )

    assert json.loads(message.to_json())["text"] == text
    assert SmsReceived.model_validate_json(message.to_json()) == message
    assert message.key()


@given(texts, texts, st.none() | texts, st.lists(st.none() | texts), st.integers(min_value=0))
def test_every_id_is_a_uuid_of_version_8(provider, account, order_id, content, n):
    made = [
        identity.event_id(provider, account, order_id, order_id, content, n),
        identity.rejected_id(provider, account, "parse", "not_json", repr(content).encode("utf-8", "replace"), n),
        identity.watch_id(account, provider, order_id or ""),
        identity.watch_ended_id(account, provider, n),
    ]

    for one in made:
        assert (uuid.UUID(one).version, uuid.UUID(one).variant, str(uuid.UUID(one))) == (8, uuid.RFC_4122, one)


@given(st.lists(st.none() | texts), st.lists(st.none() | texts))
def test_contents_have_equal_ids_only_if_they_are_equal(one, other):
    same = identity.event_id("p", "a", None, None, one) == identity.event_id("p", "a", None, None, other)

    assert same == (one == other)
