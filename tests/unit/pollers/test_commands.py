"""A record of the watches topic is a request about a watch, or nothing that a shard may meet."""

import json

import pytest

from pollers.watch_commands import WatchRequest, conflicts, dead_letter, read_command

WATCH = WatchRequest(account="main", order_id="7").watch(1_795_000_000_000)


def written(**changes: object) -> bytes:
    return json.dumps(json.loads(WATCH.to_json()) | changes).encode()


def test_a_watch_is_read_under_its_own_key() -> None:
    read = read_command(WATCH.watch_id, WATCH.to_json())

    assert read is not None
    assert read.model_dump() == WATCH.model_dump()


def test_keys_of_tomorrow_are_kept_and_written_again() -> None:
    value = written(of_tomorrow={"deep": [1, {"a": None}]}, other=None)

    read = read_command(WATCH.watch_id, value)

    assert read is not None
    assert json.loads(read.to_json()) == json.loads(value)


def test_a_request_says_when_to_end_only_if_it_was_asked_to() -> None:
    asked = WatchRequest(account="main", order_id="7", expires_at="2026-11-22T18:20:00.000Z")

    assert WATCH.expires_at is None
    assert asked.watch(1_795_000_000_000, "r").expires_at == "2026-11-22T18:20:00.000Z"
    assert asked.watch(1_795_000_000_000, "r").request_id == "r"


@pytest.mark.parametrize("message_type", ["call", "voice"])
def test_what_kind_of_message_is_expected_can_be_asked_for_and_not_otherwise_the_next_time(message_type: str) -> None:
    asked = WatchRequest(account="main", order_id="7", message_type=message_type)

    assert asked.watch(1_795_000_000_000).message_type == message_type
    assert conflicts(WATCH, asked) == ["message_type"]


def test_only_what_a_request_states_can_be_in_conflict_and_the_rest_is_as_it_was() -> None:
    there = WatchRequest(
        account="main", order_id="7", recipient="33774545375", client_ref="mine", after_sms="finish", history="skip"
    ).watch(1_795_000_000_000, "r")
    asked = WatchRequest(account="main", order_id="7", recipient="+33 774 545 375")

    again = asked.watch(1_795_000_001_000, "s", there=there)

    assert conflicts(there, asked) == []
    assert (again.client_ref, again.after_sms, again.history) == ("mine", "finish", "skip")
    assert (again.recipient, again.request_id, again.expires_at) == ("+33 774 545 375", "s", None)
    assert again.opened_at == "2026-11-18T11:06:41.000Z"
    other = WatchRequest(account="main", order_id="7", recipient="33774545376", client_ref=None, after_sms="finish")
    assert conflicts(there, other) == ["recipient", "client_ref"]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff",
        b"{}",
        written(expires_at="2026-02-30T00:00:00.000Z"),
        written(opened_at="2026-99-99T99:99:99.999Z"),
        written(opened_at="0000-01-01T00:00:00.000Z"),
        written(desired="everything"),
        written(order_kind="subscription"),
        written(history="some"),
        written(request_id=""),
        written(request_id="r" * 65),
        written(next_after=-1),
        written(opened_at=None),
    ],
)
def test_what_no_shard_could_follow_is_no_watch(value: bytes) -> None:
    assert read_command(WATCH.watch_id, value) is None


def test_a_watch_under_another_key_is_none() -> None:
    assert read_command("another", WATCH.to_json()) is None


@pytest.mark.parametrize("size", [10, 800_000])
def test_the_dead_letter_of_a_broken_command_fits_its_topic_whatever_the_size(size: int) -> None:
    letter = dead_letter(b"x" * size, 3, 1_795_000_000_000)

    assert (letter.body_bytes, letter.body_complete) == (size, size < 1_000)
    assert len(letter.to_json()) < 512 * 1024
