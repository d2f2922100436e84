"""The load is what it says: distinct callbacks, whole answers, arrivals that wait for nobody."""

import json
import random
from itertools import pairwise
from types import SimpleNamespace

import pytest

from bench.arrivals import poisson
from bench.callbacks import MANY, TEXTS, Callbacks
from bench.machine import share
from bench.raw_client import is_whole
from bench.verification import dishonest, distinct, half_done
from bus.record import Record, build
from receiver.auth import Caller
from receiver.pingme import messages
from receiver.stages import VerifiedRequest

NOW_MS = 1_795_392_000_000  # 2026-11-23


def bodies(count: int, recipients: int = MANY) -> list[bytes]:
    batch = Callbacks().batch(count, recipients=recipients)
    return [request.partition(b"\r\n\r\n")[2] for request in batch]


def published(body: bytes) -> Record:
    request = VerifiedRequest("pingme", Caller("bench", None), "application/json", body, NOW_MS)
    return build(messages(request).messages[0], topic_prefix="", instance="i")


def record(body: bytes, *, without_header: str = "", **changed: str | None) -> SimpleNamespace:
    made = published(body)
    value = json.dumps(json.loads(made.value) | changed).encode()
    headers = [header for header in made.headers if header[0] != without_header]
    return SimpleNamespace(key=lambda: made.key, value=lambda: value, headers=lambda: headers)


def test_no_two_callbacks_have_the_same_text_or_the_same_time():
    load = Callbacks()
    callbacks = [
        json.loads(request.partition(b"\r\n\r\n")[2])
        for batch in (load.batch(3_000), load.batch(3_000, recipients=1))
        for request in batch
    ]

    assert len({callback["text"] for callback in callbacks}) == 6_000
    assert len({callback["time"] for callback in callbacks}) == 6_000


def test_a_callback_announces_its_length():
    for request in Callbacks().batch(50):
        head, _, body = request.partition(b"\r\n\r\n")

        assert head.endswith(b"Content-Length: %d" % len(body))


def test_callbacks_of_one_recipient_go_to_one_partition_and_the_others_to_all():
    one, many = ({published(body).partition for body in bodies(100, recipients)} for recipients in (1, MANY))

    assert len(one) == 1
    assert many == set(range(6))


def test_our_own_records_of_the_load_are_whole_jobs():
    assert half_done([record(body) for body in bodies(len(TEXTS))]) == ""


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        ({"without_header": "ce_id"}, "headers are missing: ce_id"),
        ({"recipient": None}, "empty: recipient"),
        ({"more": "than ours"}, "other fields than ours: more"),
        ({"recipient_raw": "1"}, "its key is not the number"),
    ],
)
def test_a_record_that_lacks_something_is_no_whole_job(spoilt: dict[str, str | None], words: str):
    assert half_done([record(bodies(1)[0], **spoilt)]) == words


def test_a_repeat_is_no_other_sms_so_it_cannot_stand_for_one_that_is_lost():
    first, second = (record(body) for body in bodies(2))

    assert dishonest(2, distinct([first, second])) == ""
    assert dishonest(2, distinct([first, first])) == "2 2xx responses, 1 SMS in Kafka"


@pytest.mark.parametrize(
    ("answer", "whole"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n", False),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", True),
    ],
)
def test_an_answer_is_whole_when_its_body_is(answer: bytes, whole: bool):
    assert is_whole(answer) == whole


@pytest.mark.parametrize("seed", range(5))
def test_arrivals_come_at_their_rate_in_order_and_bunched_as_strangers_do(seed: int):
    moments = poisson(1_000.0, 20.0, random.Random(seed))
    gaps = [later - earlier for earlier, later in pairwise(moments)]

    assert moments == sorted(moments)
    assert moments[-1] < 20.0
    assert 19_500 < len(moments) < 20_500
    assert 0.35 < sum(gap > 0.001 for gap in gaps) / len(gaps) < 0.39  # 1/e of them are longer than the mean


def test_the_server_has_a_core_of_its_own_wherever_there_are_two():
    assert share([4, 5, 6, 7]) == ({4}, {5}, {6, 7})
    assert share([2, 3]) == ({2}, {3}, {3})
    assert share([0]) == ({0}, {0}, {0})


def test_the_load_spins_only_on_a_core_that_nobody_else_needs():
    assert share([0, 1, 2]).load_alone
    assert not share([0, 1]).load_alone
