"""The small parts of the receiver: tokens, settings, decompression, answers."""

import gzip
import json
import tracemalloc
import zlib

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import SecretStr, ValidationError

from receiver.answers import PROBLEMS, problem
from receiver.auth import Caller, RawRequest, Tokens
from receiver.body import Unreadable, inflate
from receiver.metrics import OUTCOMES, ReceiverMetrics
from receiver.settings import PingMeAccount, ReceiverSettings

LIMIT = 256 * 1024
GZIP, ZLIB = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS
OLD, NEW, FOREIGN = "old-token-0123456789", "new-token-0123456789", "his-token-0123456789"


def account(name: str, *tokens: str, user_id: str | None = None) -> PingMeAccount:
    return PingMeAccount(name=name, tokens=tuple(map(SecretStr, tokens)), user_id=user_id)


@pytest.mark.parametrize(("token", "name"), [(OLD, "main"), (NEW, "main"), (FOREIGN, "other")])
def test_every_valid_token_selects_its_account(token: str, name: str) -> None:
    tokens = Tokens([account("main", OLD, NEW, user_id="u"), account("other", FOREIGN)])

    assert tokens.verify(RawRequest(token, "")) == Caller(name, "u" if name == "main" else None)


@pytest.mark.parametrize("token", ["", OLD[:-1], OLD + "x", OLD.upper(), f"{OLD}/", f"{OLD}\0", "\ud800", "é" * 20])
def test_anything_else_selects_nobody(token: str) -> None:
    assert Tokens([account("main", OLD)]).verify(RawRequest(token, "")) is None


def test_two_accounts_with_one_token_are_refused_by_name_and_without_the_token() -> None:
    with pytest.raises(ValueError, match="'other'") as refused:
        Tokens([account("main", OLD), account("other", OLD)])

    assert OLD not in str(refused.value)


def test_a_token_may_be_listed_twice_in_one_account() -> None:
    assert Tokens([account("main", OLD, OLD)]).verify(RawRequest(OLD, "")) == Caller("main", None)


@pytest.mark.parametrize("token", ["", "x" * 129, "with/slash-0123456789", "with space 0123456789", "%61" * 8])
def test_a_token_that_is_no_path_segment_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(ValidationError, match="up to 128") as refused:
        account("main", token)

    assert not token or token not in str(refused.value)


def test_an_account_needs_a_token() -> None:
    with pytest.raises(ValidationError, match="at least one callback token"):
        account("main")


def test_the_defaults_of_the_listener() -> None:
    settings = ReceiverSettings()

    assert (settings.host, settings.port, settings.body_deadline, settings.max_body) == ("0.0.0.0", 8080, 10.0, LIMIT)


@pytest.mark.parametrize(
    ("packed", "window"),
    [
        (gzip.compress(b"hello" * 100), GZIP),
        (zlib.compress(b"hello" * 100), ZLIB),
        (zlib.compress(b"hello" * 100)[2:-4], ZLIB),  # no zlib wrapper
    ],
    ids=["gzip", "deflate", "raw deflate"],
)
def test_a_compressed_body_is_inflated(packed: bytes, window: int) -> None:
    assert inflate(packed, window, LIMIT) == b"hello" * 100


@pytest.mark.parametrize("window", [GZIP, ZLIB])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"text":"not compressed"}',
        gzip.compress(b"hello", mtime=0)[:-3],
        gzip.compress(b"a", mtime=0) + b"tail",
        zlib.compress(b"a")[:-1],
    ],
)
def test_what_does_not_inflate_stays_as_it_came(body: bytes, window: int) -> None:
    assert inflate(body, window, LIMIT) == body


@pytest.mark.parametrize("window", [GZIP, ZLIB], ids=["gzip", "deflate"])
def test_the_limit_holds_to_the_byte_after_inflating(window: int) -> None:
    pack = gzip.compress if window == GZIP else zlib.compress

    assert len(inflate(pack(b"x" * LIMIT), window, LIMIT)) == LIMIT
    with pytest.raises(Unreadable, match="too_large"):
        inflate(pack(b"x" * (LIMIT + 1)), window, LIMIT)


def test_a_bomb_is_never_inflated_beyond_the_limit() -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    tracemalloc.start()

    with pytest.raises(Unreadable, match="too_large"):
        inflate(bomb, GZIP, LIMIT)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * LIMIT


@pytest.mark.parametrize("reason", PROBLEMS)
def test_a_problem_is_an_rfc_9457_document(reason: str) -> None:
    answer = problem(reason)

    document = json.loads(answer._content)
    assert document.keys() == {"type", "title", "status", "detail", "reason"}
    assert (document["type"], document["reason"]) == (f"urn:smsbus:problem:{reason}", reason)
    assert f"HTTP/1.1 {document['status']} ".encode() in answer._head
    assert b"Content-Type: application/problem+json\r\n" in answer._head


def test_no_problem_of_ours_is_a_500() -> None:
    assert 500 not in {kind.status for kind in PROBLEMS.values()}


def test_every_outcome_of_an_account_is_exported_before_it_happens() -> None:
    registry = CollectorRegistry()

    ReceiverMetrics(registry).outcomes("main")

    exported = generate_latest(registry).decode()
    assert all(f'smsbus_callbacks_total{{account="main",outcome="{outcome}"}} 0.0' in exported for outcome in OUTCOMES)


def test_how_long_a_callback_took_is_exported_as_a_histogram() -> None:
    registry = CollectorRegistry()
    metrics = ReceiverMetrics(registry)

    for seconds in (0.0005, 0.004, 0.004, 30.0):
        metrics.observe_latency(seconds, fast=seconds < 1)

    below = {
        le: registry.get_sample_value("smsbus_callback_seconds_bucket", {"le": le})
        for le in ("0.0005", "0.005", "10.0", "+Inf")
    }
    assert below == {"0.0005": 1, "0.005": 3, "10.0": 3, "+Inf": 4}
    assert registry.get_sample_value("smsbus_callback_seconds_count") == 4
    assert registry.get_sample_value("smsbus_callbacks_fast_lane_total") == 3
    assert registry.get_sample_value("smsbus_callback_seconds_sum") == pytest.approx(30.0085)
