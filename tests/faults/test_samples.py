"""How a backlog drains, from what the parts said."""

from tests.faults.history import Ledger
from tests.faults.samples import Round, drain_rate, drained_in, in_fast_lane, ledgers

COUNTS = {"accepted": 9.0, "adopted": 1.0, "published": 8.0, "pending": 2.0, "rejected": 0.0, "skipped": 0.0}


def _round(
    at: float, rows: float, published: float = 0.0, *, part: str = "receiver-1#1", complete: bool = True
) -> Round:
    return Round(at, {part: COUNTS | {"journal_rows": rows, "published": published}}, complete)


def test_a_run_is_drained_when_no_journal_holds_anything_and_every_part_says_so():
    rounds = [_round(9, 0), _round(11, 5), _round(12, 0, complete=False), _round(13, 0)]

    assert drained_in(rounds, since=10) == 3


def test_a_run_whose_journals_hold_something_to_the_end_was_never_drained():
    assert drained_in([_round(9, 0), _round(11, 5)], since=10) is None


def test_the_rate_counts_what_was_published_while_the_backlog_was_large():
    rounds = [
        _round(9, 90000, 0),
        _round(11, 90000, 100),
        _round(12, 50000, 4100),
        _round(13, 20000, 7100),
        _round(20, 0),
    ]

    assert drain_rate(rounds, since=10) == 3500


def test_a_process_that_was_started_again_counts_from_zero():
    rounds = [
        _round(11, 90000, 5000),
        _round(12, 90000, 100, part="receiver-1#2"),
        _round(13, 90000, 1100, part="receiver-1#2"),
    ]

    assert drain_rate(rounds, since=10) == 500


def test_a_small_backlog_has_no_rate():
    assert drain_rate([_round(11, 9000, 0), _round(12, 100, 800)], since=10) is None


def test_what_each_process_answered_in_the_fast_lane_is_added_up():
    said = [("receiver-1#1", 5.0), ("receiver-1#1", 9.0), ("receiver-1#2", 3.0)]
    rounds = [Round(at, {part: {"callbacks_fast_lane": count}}, True) for at, (part, count) in enumerate(said)]

    assert in_fast_lane(rounds) == 12


def test_every_ledger_that_was_read_is_kept():
    assert list(ledgers([_round(11, 0, 8), _round(12, 0, 8)])) == [Ledger("receiver-1#1", 9, 1, 8, 2, 0)] * 2
