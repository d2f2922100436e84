"""Bytes that no client library would send, on the admin listener: no token but ours, no watch that chokes a shard."""

import http.client
import json
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pollers.tracking.advance import advance, due_end, opened
from providers.observation import Waiting
from schemas import timestamps
from schemas.timestamps import to_text
from tests.fuzz import material
from tests.fuzz.admin_part import ADMIN_TOKEN, Internal, internal
from tests.fuzz.budget import TIMEOUT, fuzzed
from tests.fuzz.parts import ACCOUNT, NOW_MS
from tests.fuzz.wire import Reply, is_problem

pytestmark = pytest.mark.timeout(TIMEOUT)

RIGHT: Final = f"Bearer {ADMIN_TOKEN}".encode()


@pytest.fixture(scope="module")
def guarded() -> Iterator[Internal]:
    with internal() as part:
        yield part


def sent(part: Internal, method: str, path: str, body: bytes, headers: dict[str, bytes]) -> Reply:
    """Ask once, with bytes for headers that no client library lets through."""
    line = http.client.HTTPConnection("127.0.0.1", part.port, timeout=10)
    line.putrequest(method, path)
    for name, value in {"Content-Length": str(len(body)).encode(), **headers}.items():
        line.putheader(name, value)
    line.endheaders(body)
    answer = line.getresponse()
    said = Reply(answer.status, {name.title(): value for name, value in answer.getheaders()}, answer.read())
    line.close()
    return said


@fuzzed(300)
@given(
    shown=st.binary(max_size=30).filter(lambda value: not {0, 10, 13, 127} & set(value) and min(value, default=32) > 31)
)
def test_no_bytes_but_the_token_open_the_watches(guarded: Internal, shown: bytes) -> None:
    reply = sent(guarded, "GET", "/v1/watches", b"", {"Authorization": b"Bearer " + shown})

    assert is_problem(reply, {401})
    assert guarded.complaints.all == []


WATCH_BODIES: Final = st.one_of(
    material.mutilated(st.just(json.dumps({"account": ACCOUNT, "order_id": "1", "service": None}).encode())),
    material.json_bodies(("account", "order_id", "order_kind", "expires_at", "recipient", "after_sms", "x")),
    material.retold([{"account": ACCOUNT, "order_id": "1", "expires_at": to_text(NOW_MS), "client_ref": "a"}]),
    st.from_regex(timestamps.PATTERN, fullmatch=True).map(
        lambda text: json.dumps({"account": ACCOUNT, "order_id": text, "expires_at": text}).encode()
    ),
    material.LONG,
)


def follow(part: Internal, watch_id: str) -> None:
    """Take the first steps of the watch's shard, and its last."""
    known = part.table.get(watch_id)
    assert known is not None
    state = opened(known.watch, "smsman", NOW_MS)
    advance(state, Waiting(), NOW_MS)
    due_end(state, NOW_MS)


@fuzzed(300)
@given(body=WATCH_BODIES)
def test_any_body_opens_a_watch_that_a_shard_can_follow_or_none(guarded: Internal, body: bytes) -> None:
    reply = sent(guarded, "POST", "/v1/watches", body, {"Authorization": RIGHT})

    if not is_problem(reply, {200, 201, 400, 409}):
        follow(guarded, reply.json["watch_id"])
    assert guarded.complaints.all == []


def test_a_body_that_is_not_what_its_head_says_is_400_and_one_that_is_too_large_413() -> None:
    with internal() as part:  # the last test here: aiohttp logs the broken body, and all parts hear of it
        broken = sent(part, "POST", "/v1/watches", b"{}", {"Content-Encoding": b"gzip", "Authorization": RIGHT})
        large = sent(part, "POST", "/v1/watches", bytes(2 * 1024 * 1024), {"Authorization": RIGHT})

    assert is_problem(broken, {400})
    assert is_problem(large, {413})
