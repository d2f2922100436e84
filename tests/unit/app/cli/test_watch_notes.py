"""Why `smsbus watch show` has nulls: each is explained with what helps."""

import pytest

from app.cli.watch_notes import notes
from pollers.tracking.state import WatchState
from pollers.watch_commands import WatchRequest
from pollers.watches.watch_entry import Progress
from pollers.watches.watch_table import Known

NOW_MS = 1_795_000_000_000
END = "2026-11-18T11:31:40.000Z"
WATCH = WatchRequest(account="pool", order_id="7", order_kind="activation", expires_at=END).watch(NOW_MS, "r")
NEXT = "next_poll_in is known to the process that polls it only"


def known(**values: object) -> Known:
    state = WatchState(watch=WATCH, provider="smsman", key="1", looked_ms=NOW_MS, **values)
    return Known(WATCH.watch_id, WATCH, state, Progress(0, state.ended), state.ended, stuck=False)


def test_a_watch_that_no_poller_has_taken_asks_for_a_service_with_its_account_on_this_kafka() -> None:
    [line] = notes(Known(WATCH.watch_id, WATCH, None, None, None, stuck=False), "one:9092")

    assert "no poller has taken this watch" in line
    assert "with the account pool, on the Kafka at one:9092" in line
    assert "`smsbus check --role pollers`" in line


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "no answer about the order is recorded: it was just opened, or its account is not polled"),
        ({"answer": "bad_key"}, "the last answer was an error, bad_key: the key is wrong"),
        ({"answer": "timeout", "first_look": False}, "the last answer was an error, timeout: no response in time"),
    ],
)
def test_a_watch_without_a_good_answer_says_what_is_wrong(values: dict[str, object], said: str) -> None:
    why, next_poll = notes(known(**values), "one:9092")

    assert why.startswith(said)
    assert next_poll.startswith(NEXT)


def test_a_watch_that_is_polled_well_lacks_only_what_its_process_knows() -> None:
    [line] = notes(known(answer="waiting", first_look=False), "one:9092")

    assert line.startswith(NEXT)


def test_of_a_watch_that_has_ended_nothing_more_is_to_be_known() -> None:
    assert list(notes(known(ended="gone", answer="bad_key"), "one:9092")) == []


def test_a_watch_that_cannot_be_read_is_said_to_be_left_alone() -> None:
    [line] = notes(known()._replace(stuck=True), "one:9092")

    assert "cannot read its records" in line
