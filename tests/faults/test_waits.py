"""Waits are counted where somebody waits."""

import pytest

from tests.faults.history import History, Post, Record
from tests.faults.waits import beyond_backlog, longest_acceptance

BACK = 100.0


def _post(nonce: str, at: float, seconds: float = 0.5, status: int | None = 200) -> Post:
    return Post(nonce, "1201", 0, "receiver-1#1", at, seconds, status)


def _record(nonce: str, published: float, partition: int = 0, instance: str = "a") -> Record:
    at = ("sms.received.v1", partition, 0, int(published * 1000), "1201")
    return Record(*at, f"id-{nonce}", nonce, "1201", "pingme", "", "", None, "journal", instance)


def test_a_sender_waits_through_all_its_tries():
    posts = [_post("a", 10, status=503), _post("b", 10, seconds=1), _post("a", 12, status=None), _post("a", 14)]

    assert longest_acceptance(posts, 9, 20) == 4.5
    assert longest_acceptance(posts, 9, 11) == 1
    assert longest_acceptance(posts, 14.6, 20) == 0


@pytest.mark.parametrize(
    ("published", "partition", "instance", "beyond"),
    [
        (106, 0, "a", 0),  # the backlog of its lane goes before it
        (109, 0, "a", 3),  # which was gone by then
        (109, 1, "a", 7.5),  # another partition has none
        (109, 0, "b", 7.5),  # nor has another process
    ],
)
def test_a_new_sms_waits_for_the_backlog_of_its_own_lane_alone(published, partition, instance, beyond):
    posts = (_post("old", 99), _post("new", 101), _post("new", 110))
    records = (_record("old", 106), _record("new", published, partition, instance), _record("new", 120))

    assert beyond_backlog(History(posts, records=records), BACK) == beyond


def test_what_was_accepted_before_waits_for_kafka_and_counts_not():
    assert beyond_backlog(History((_post("old", 50),), records=(_record("old", 106),)), BACK) == 0
