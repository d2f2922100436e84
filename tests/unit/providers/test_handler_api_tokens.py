"""The dialect of handler_api.php beyond the corpus: every trap of reading, the waits, and what no answer may do."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers import handler_api_tokens
from providers.grizzlysms_rent import parse_rent_status
from providers.handler_api import parse_status_v2
from providers.http_client import RawResponse
from providers.observation import Ended, Gone, Last, Listing, NoCode, ProviderError, SeenSms, Waiting, WaitingNext
from providers.payloads import count, entries, oldest_first, retry_after
from providers.payloads import given as as_given
from providers.smsman import parse_sms
from providers.smsman_rent import parse_rent_sms
from providers.smsverified import parse_full_sms

NOW = 1_700_000_000.0  # 2023-11-14T22:13:20Z


def answer(body, status=200, **headers):
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    return RawResponse(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw, NOW)


def told(kind, code, seconds=None):
    """Return trouble that the provider told itself."""
    return ProviderError(kind, code, seconds, answered=True)


def status(body, http=200):
    return handler_api_tokens.parse_status(answer(body, http))


@pytest.mark.parametrize(
    "code", ["001234", "G-482913", "12:34", "a:b:c", "Your code: 1\nor 2", "33612345678", "０１２"]
)
def test_a_code_is_everything_behind_the_first_colon(code):
    assert status(f"STATUS_OK:{code}") == Last(SeenSms(code=code))


@pytest.mark.parametrize(("said", "code"), [("'1234'", "1234"), ('"1234"', "1234"), ("'1234", "'1234"), ("'", "'")])
def test_one_pair_of_quotes_around_a_code_is_the_documents(said, code):
    assert status(f"STATUS_OK:{said}") == Last(SeenSms(code=code))


@pytest.mark.parametrize("said", ["STATUS_OK", "STATUS_OK:", "STATUS_OK: ", "STATUS_OK:''", "STATUS_OK:Нет кода"])
def test_an_ok_without_a_code_has_no_code(said):
    assert status(said) == NoCode()


@pytest.mark.parametrize("token", ["STATUS_OKAY:1", "XSTATUS_OK:1", "status_ok:1", "STATUS_OK 1", "STATUS-OK:1", "1:2"])
def test_only_the_whole_token_counts(token):
    assert status(token).kind == "unrecognised"


@pytest.mark.parametrize(
    "token",
    [
        "STATUS_WAIT_READY",
        "STATUS_WAIT_SCREEN",
        "STATUS_ACCESS_SCREEN:x",
        "STATUS_ON_HOLD",
        "STATUS_CANCEL_TIMEOUT",
        "STATUS_FINISH",
        "STATUS_REVOKE",
    ],
)
def test_an_old_or_foreign_token_is_counted_and_changes_nothing(token):
    assert status(token) == told("unrecognised", "unknown_token")


def test_the_word_of_an_unknown_token_is_ours():
    assert status("PLUS4915112345678:1234").code == "unknown_token"


@pytest.mark.parametrize("error", ["NO_NUMBERS", "BAD_KEY", "ERROR_SQL", "NO_ACTIVATION", "<html"])
def test_an_sms_may_contain_the_name_of_every_error(error):
    assert status(f"STATUS_OK:{error} is 4711") == Last(SeenSms(code=f"{error} is 4711"))


@pytest.mark.parametrize("mark", ["\ufeff", "\n\n", " \t", "\n\ufeff ", "\ufeff\n"])
@pytest.mark.parametrize("body", ["STATUS_OK:1", '{"verificationType":0,"sms":{"code":"1"}}'])
def test_a_byte_order_mark_and_blanks_before_an_answer_are_nothing(mark, body):
    assert parse_status_v2(answer(mark + body)) == Last(SeenSms(code="1"))


def test_broken_utf_8_stays_distinct_and_the_rest_survives():
    assert status(b"STATUS_OK:\xff12") == Last(SeenSms(code="\udbff\udcff12"))
    assert status(b"STATUS_OK:\xfe12") == Last(SeenSms(code="\udbff\udcfe12"))


@pytest.mark.parametrize(
    ("body", "http", "error"),
    [
        ("EARLY_CANCEL_DENIED", 400, told("denied", "early_cancel_denied")),
        ("BAD_KEY", 401, told("auth", "bad_key")),
        ("BAD_KEY", 500, told("auth", "bad_key")),
        ('{"status":0,"message":"No access","data":[]}', 401, ProviderError("auth", "http_401")),
        ('{"status":0,"message":"No access","data":[]}', 200, told("unrecognised", "error_in_prose")),
        ('{"status":"false","msg":"something broke"}', 200, told("unrecognised", "error_in_prose")),
        ('{"status":"error","message":"BAD_KEY"}', 200, told("auth", "bad_key")),
        ('{"error":"BAD_KEY"}', 200, told("auth", "bad_key")),
        ("UNPROCESSABLE_ENTITY:service:INVALID", 422, told("request_error", "unprocessable_entity")),
        ("WRONG_MAX_PRICE:0.35", 200, told("denied", "wrong_max_price")),
        ("BANNED:2026-04-20", 200, told("auth", "banned")),
        ("SQL_SOMETHING", 200, told("transient", "sql_error")),
        ("NEW_TOKEN", 503, ProviderError("transient", "http_503")),
        ("NEW_TOKEN", 429, ProviderError("throttled", "http_429")),
        ("Unauthorized", 401, ProviderError("auth", "http_401")),
        ("<html>401</html>", 401, ProviderError("transient", "http_401")),
        ("Forbidden", 403, ProviderError("transient", "http_403")),
        ("{}", 200, told("unrecognised", "unknown_shape")),
        ('{"foo":1}', 502, ProviderError("transient", "http_502")),
        ("null", 200, told("unrecognised", "unknown_shape")),
        ("[" * 100_000, 200, ProviderError("unrecognised", "too_deep")),
    ],
)
def test_the_body_is_read_before_the_http_status(body, http, error):
    assert status(body, http) == error


@pytest.mark.parametrize(("body", "http"), [("", 200), ("<html>", 200), ("Too many", 429), ("{", 200), ("[[1]", 200)])
def test_what_a_gateway_may_have_said_was_not_told_by_the_provider(body, http):
    assert not status(body, http).answered


@pytest.mark.parametrize("body", ["STATUS_ON_HOLD", "{}", '{"error":"no"}'])
def test_words_that_we_do_not_know_are_the_providers_unless_the_http_status_speaks_of_an_error(body):
    assert status(body, 200).answered
    assert not status(body, 503).answered


def test_a_404_with_the_envelope_of_an_unknown_activation_is_gone():
    assert status('{"title":"NOT_FOUND","details":"Activation Not Found"}', 404) == Gone()


@pytest.mark.parametrize("http", [200, 400, 404, 409, 500])
def test_an_sms_is_an_sms_whatever_the_http_status(http):
    assert status("STATUS_OK:1234", http) == Last(SeenSms(code="1234"))


@pytest.mark.parametrize("cut", range(1, 96))
def test_a_json_answer_that_was_cut_off_anywhere_is_transient(cut):
    whole = r'{"verificationType":-2,"sms":{"a":true,"b":false,"c":null,"text":"Code \" \u0041","n":[1,0.5e3]}}'

    assert len(whole) > 96
    assert parse_status_v2(answer(whole[:cut])) == ProviderError("transient", "truncated")


@pytest.mark.parametrize("broken", ["{{}", "{a:1}", '{"a":”b”}', '{"sms":{}} x', "[1 2]", '{"a" "b"}'])
def test_json_that_is_broken_in_its_middle_is_unrecognised(broken):
    assert parse_status_v2(answer(broken)) == ProviderError("unrecognised", "not_json")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 1.0),
        ("1000000000", 600.0),
        ("9" * 20, 600.0),
        (" 30 ", 30.0),
        ("2.5", 2.5),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
        ("Tuesday, 14-Nov-23 22:13:50 GMT", 30.0),
        ("Tue, 14 Nov 2023 22:13:50 -0000", 30.0),
        ("Tue, 14 Nov 2023 20:00:00 GMT", 1.0),
        ("Wed, 21 Oct 2037 07:28:00 GMT", 600.0),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("1e9", None),
        ("٣", None),
        ("Tue, 99 Nov 2023 22:13:50 GMT", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_bounds_or_nothing(header, seconds):
    assert retry_after(answer("", 429, retry_after=header)) == seconds


def test_a_retry_after_date_without_the_hour_of_the_answer_is_nothing():
    dated = RawResponse(429, {"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, b"")

    assert retry_after(dated) is None


@pytest.mark.parametrize("http", [200, 429, 503])
def test_the_body_may_say_how_long_to_wait(http):
    body = '{"title":"RATE_LIMIT","details":"","info":{"retry_after_seconds":42}}'

    assert status(body, http) == told("throttled", "rate_limit", 42.0)


def test_the_header_wins_over_the_body_unless_it_is_junk():
    body = '{"title":"RATE_LIMIT","info":{"retry_after_seconds":42}}'

    assert handler_api_tokens.parse_status(answer(body, retry_after="7")).retry_after == 7.0
    assert handler_api_tokens.parse_status(answer(body, retry_after="junk")).retry_after == 42.0


@pytest.mark.parametrize("body", ["", "<html>", "ERROR_SQL", "Service Unavailable", "{", '{"foo":1}'])
def test_a_503_may_say_how_long_to_wait(body):
    said = handler_api_tokens.parse_status(answer(body, 503, retry_after="9"))

    assert (said.kind, said.retry_after) == ("transient", 9.0)


@pytest.mark.parametrize(
    "token",
    [
        "ACCESS_READY",
        "ACCESS_RETRY_GET",
        "ACCESS_ACTIVATION",
        "ACCESS_CANCEL",
        "ACCESS_CANCEL_ALREADY",
        "ALREADY_CANCEL",
        "ALREADY_FINISH",
    ],
)
def test_an_action_is_done_whichever_of_the_tokens_says_so(token):
    assert handler_api_tokens.parse_done(answer(token)) == handler_api_tokens.Done(token.lower())


def test_a_204_means_done_and_an_empty_200_does_not():
    assert handler_api_tokens.parse_done(answer("", 204)) == handler_api_tokens.Done("no_content")
    assert handler_api_tokens.parse_done(answer("", 200)) == ProviderError("transient", "empty")


def test_an_action_is_not_done_by_the_answer_of_a_poll():
    assert handler_api_tokens.parse_done(answer("STATUS_OK:1234")).kind == "unrecognised"


@pytest.mark.parametrize(
    ("body", "sms"),
    [
        ("FULL_SMS:[a] b", SeenSms(text="b", sender="a")),
        ("FULL_SMS:[a]b", SeenSms(text="b", sender="a")),
        ("FULL_SMS:[] b", SeenSms(text="b")),
        ("FULL_SMS:[a]\nb\n\nc", SeenSms(text="b\n\nc", sender="a")),
        ("FULL_SMS:[a] [b] c", SeenSms(text="[b] c", sender="a")),
        ("FULL_SMS:a [b] c", SeenSms(text="a [b] c")),
        ("FULL_SMS:123456:Code 1", SeenSms(text="123456:Code 1")),
        ("FULL_SMS:[+49 151] “quoted”", SeenSms(text="“quoted”", sender="+49 151")),
    ],
)
def test_a_full_sms_loses_nothing_but_its_sender(body, sms):
    assert parse_full_sms(answer(body)) == Last(sms)


@pytest.mark.parametrize(
    ("sms", "observation"),
    [
        ('"sms":null,"call":null', Waiting()),
        ('"call":null', Waiting()),
        ('"sms":[]', Waiting()),
        ('"sms":{}', Waiting()),
        ('"sms":{"code":"","text":""}', NoCode()),
        ('"sms":{"code":null,"text":"Hi"}', Last(SeenSms(text="Hi"))),
        ('"sms":[{"code":"1","text":"a 1"}]', Last(SeenSms("1", "a 1"))),
        (
            '"sms":{" code ":" 1 ","dateTime":" 2026-02-26 12:05:55 "}',
            Last(SeenSms("1", time_raw="2026-02-26 12:05:55")),
        ),
        ('"sms":{"code":1234567890123456789}', Last(SeenSms("1234567890123456789"))),
    ],
)
def test_status_v2_finds_the_sms_wherever_it_lies(sms, observation):
    assert parse_status_v2(answer(f'{{"verificationType":0,{sms}}}')) == observation


@pytest.mark.parametrize(
    ("said", "observation"),
    [
        ('{"status":"error","message":"STATUS_WAIT_CODE"}', Waiting()),
        ('{"status":"success","values":[{"text":"a","date":"2023-10-26 11:03:39"}]}', 1),
        ('{"status":"success","values":{"0":{"message":"a"}}}', 1),
        ('{"status":"success","values":{"0":{"text":""}}}', 1),
        ('{"status":"success","values":["a"]}', told("unrecognised", "unknown_shape")),
        ('{"status":"success","values":"a"}', told("unrecognised", "unknown_shape")),
        ('{"status":"error","message":"STATUS_FINISH"}', Ended("finished")),
        ('{"status":"error","msg":"STATUS_CANCEL"}', Ended("cancelled")),
        ("null", told("unrecognised", "unknown_shape")),
    ],
)
def test_a_rents_values_come_in_every_shape_php_has(said, observation):
    observed = parse_rent_status(answer(said))

    assert (len(observed.sms) if isinstance(observation, int) else observed) == observation


def test_a_rents_sms_are_oldest_first_by_time_and_by_index_where_times_are_equal():
    values = {
        "0": {"text": "d", "date": "2023-10-26 11:03:39"},
        "10": {"text": "a", "date": "2023-10-26 11:00:00"},
        "2": {"text": "b", "date": "2023-10-26 11:03:39"},
        "1": {"text": "c", "date": "2023-10-26T11:03:39"},
    }

    observed = parse_rent_status(answer(json.dumps({"status": "success", "values": values})))

    assert [sms.text for sms in observed.sms] == ["a", "b", "c", "d"]


def test_without_a_time_the_list_itself_is_the_order():
    newest_first = [SeenSms(text="c", time_raw="2020-01-01 00:00:00"), SeenSms(text="b"), SeenSms(text="a")]

    assert [sms.text for sms in oldest_first(newest_first)] == ["a", "b", "c"]


def test_a_rents_text_keeps_its_blanks_and_its_curly_quotes():
    [sms] = parse_rent_status(answer('{"status":"success","values":{"0":{"text":" “a” "}}}')).sms

    assert sms.text == " “a” "


def test_wait_retry_with_a_quoted_or_empty_code():
    assert status("STATUS_WAIT_RETRY:'1234'") == WaitingNext("1234")
    assert status("STATUS_WAIT_RETRY:") == WaitingNext(None)


def test_entries_of_a_list_with_padded_numbers_are_in_their_order():
    assert entries({"10 ": {"a": "3"}, " 2": {"a": "2"}, "0": {"a": "1"}}) == [{"a": "1"}, {"a": "2"}, {"a": "3"}]


def test_a_count_is_a_whole_number_or_nothing():
    assert [count(value) for value in ("2 ", "32302", "-1", "1.5", "many", None, [], "9" * 30)] == (
        [2, 32302, -1, None, None, None, None, None]
    )


def test_what_is_given_is_not_touched():
    assert as_given({"text": " a ", "test": "b"}, "text", "test") == " a "
    assert as_given({"text": None, "test": ""}, "text", "test") == ""


NOTHING = ["null", "None", "NONE", "undefined", "NaN", "nan", "''", '""', '"null"', "'None'", "' '", '" undefined "']


def v2(**sms):
    return parse_status_v2(answer(json.dumps({"verificationType": 0, "sms": sms})))


CODES = {
    "getStatus": lambda code: status(f"STATUS_OK:{code}"),
    "getStatus after the first": lambda code: status(f"STATUS_WAIT_RETRY:{code}"),
    "a sibling's JSON": lambda code: status(json.dumps({"status": "STATUS_OK", "code": code})),
    "getStatusV2": lambda code: v2(code=code),
    "get-sms": lambda code: parse_sms(answer(json.dumps({"request_id": 1, "sms_code": code}))),
    "get-sms while waiting": lambda code: parse_sms(answer(json.dumps({"error_code": "wait_sms", "sms_code": code}))),
    "a rent's get-sms": lambda code: parse_rent_sms(answer(json.dumps({"sms": {"code": code}}))),
}


@pytest.mark.parametrize("path", CODES)
@pytest.mark.parametrize("code", [*NOTHING, "Нет кода", "LASTCODE"])
def test_what_a_serializer_writes_for_nothing_is_no_code_on_any_path(path, code):
    assert CODES[path](code) in (NoCode(), Waiting(), WaitingNext(None))


@pytest.mark.parametrize("path", CODES)
@pytest.mark.parametrize("code", ["001234", "false", "nil", "nullify", "null 1"])
def test_a_code_is_the_same_on_every_path(path, code):
    assert [CODES[path](said) for said in (code, f"'{code}'")] == [CODES[path](code)] * 2
    assert code in repr(CODES[path](code))


TEXTS = {
    "getStatusV2": lambda text: v2(text=text),
    "getFullSms": lambda text: parse_full_sms(answer(f"FULL_SMS:{text}")),
    "getFullSms with a sender": lambda text: parse_full_sms(answer(f"FULL_SMS:[vk] {text}")),
    "a rent's get-sms": lambda text: parse_rent_sms(answer(json.dumps({"sms": {"text": text}}))),
    "getRentStatus": lambda text: parse_rent_status(
        answer(json.dumps({"status": "success", "values": {"0": {"text": text}}}))
    ),
    "get-all-sms": lambda text: parse_rent_sms(answer(json.dumps({"sms": [{"text": text}]}))),
}


@pytest.mark.parametrize("path", TEXTS)
@pytest.mark.parametrize("code", NOTHING)
def test_what_a_serializer_writes_for_nothing_is_no_text_of_a_polled_provider(path, code):
    assert TEXTS[path](code) in (NoCode(), Listing((SeenSms(),)))
    assert "None of us" in repr(TEXTS[path]("None of us"))


def test_a_rents_body_may_stand_behind_a_key_that_says_nothing():
    [sms] = parse_rent_status(answer('{"status":"success","values":[{"text":"null","test":"1234"}]}')).sms

    assert sms.text == "1234"


ANY_BYTES = st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass"))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["sms", "values", "status", "error", "title", "code", "text", "0", "info"]), inner
        )
    ),
    max_leaves=12,
).map(lambda value: json.dumps(value).encode())


PARSERS = (
    handler_api_tokens.parse_status,
    parse_status_v2,
    parse_rent_status,
    parse_full_sms,
    handler_api_tokens.parse_done,
    parse_sms,
)


@given(ANY_BYTES | ANY_JSON, st.sampled_from([200, 204, 301, 401, 403, 404, 429, 500, 599]))
@example(b'{"status":[],"error":{}}', 200)
def test_no_answer_whatsoever_makes_a_parser_raise(body, http):
    said = [parse(answer(body, http)) for parse in PARSERS]

    assert len(said) == len(PARSERS)


NO_END = st.text(alphabet=st.characters(exclude_characters="_"), max_size=60)


@given(NO_END, st.sampled_from([200, 204, 301, 401, 403, 404, 410, 429, 500, 599]))
def test_only_a_token_ends_an_activation_and_never_an_http_status(text, http):
    said = [parse(answer(text, http)) for parse in (handler_api_tokens.parse_status, parse_status_v2, parse_full_sms)]

    assert not any(isinstance(each, Ended | Gone) for each in said)


@given(st.text(min_size=1).filter(lambda text: text.strip() and text.strip()[0] not in "'\""))
def test_whatever_stands_behind_status_ok_is_the_code_as_it_was(text):
    expected = text.strip()

    said = status(f"STATUS_OK:{text}")

    assert said in (NoCode(), Last(SeenSms(code=expected)))
