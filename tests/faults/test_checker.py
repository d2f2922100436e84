"""The checker itself: it must see what it is there for, and nothing else."""

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faults.checker import figures, lateness, percentile, violations
from tests.faults.evidence import Evidence
from tests.faults.history import Fault, History, Post, Record, load
from tests.faults.mutations import BREAKS, swapped
from tests.faults.rules import REFUSED, RULES, imbalance
from tests.faults.synthetic_history import run

RUN = run()
RECORDS = st.sampled_from(RUN.records)


def test_a_history_in_which_all_was_kept_has_no_violations():
    assert violations(RUN) == []


def test_the_made_up_history_has_everything_that_makes_a_real_one_hard():
    providers = {record.provider for record in RUN.records}
    nonces = [row.sms for row in RUN.shown]

    assert providers == {"pingme", "smsverified", "grizzlysms", "smsman"}
    assert figures(RUN).repeats > 5
    assert {post.status for post in RUN.posts} == {200, 503, None}
    assert {post.receiver for post in RUN.posts} == {"receiver-1#1", "receiver-1#2", "receiver-2#1"}
    assert RUN.rejected
    assert len(nonces) > len(set(nonces)), "no equal codes"
    assert figures(RUN).unseen == 1


@pytest.mark.parametrize("name", BREAKS)
def test_each_break_violates_exactly_its_rule(name):
    broken = BREAKS[name](RUN)

    assert {violation.rule for violation in violations(broken)} == {BREAKS[name].rule}


@pytest.mark.parametrize("name", ["delete_promised", "delete_orphan"])
def test_what_a_journal_lost_is_found_though_every_ledger_adds_up(name):
    broken = BREAKS[name](RUN)

    gone = len({record.sms for record in RUN.records} - {record.sms for record in broken.records})
    assert gone > 1
    assert figures(broken).lost == gone
    assert [imbalance({**each._asdict(), "part": 0}) for each in broken.ledgers] == [0] * len(broken.ledgers)


def test_every_rule_has_a_break():
    assert {each.rule for each in BREAKS.values()} == set(RULES)


@pytest.mark.parametrize("name", BREAKS)
def test_a_history_without_anything_to_break_is_refused(name):
    with pytest.raises(LookupError, match="this history has no"):
        BREAKS[name](History())


@given(RECORDS.filter(lambda record: len({each for each in RUN.records if each.id == record.id}) == 1))
def test_the_loss_of_any_sms_is_found(record: Record):
    rest = RUN._replace(records=tuple(each for each in RUN.records if each is not record))

    assert [violation.rule for violation in violations(rest, ["lost"])] == ["lost"]


@given(RECORDS)
def test_the_loss_of_any_repeat_is_none(record: Record):
    repeated = RUN._replace(records=(*RUN.records, record._replace(offset=10_000)))

    assert violations(repeated) == []


def _met_by_one(record: Record) -> str | None:
    """The process that alone met a callback."""
    posts = Evidence(RUN).posts.get(record.sms, ())
    processes = {post.receiver for post in posts if post.failure not in REFUSED}
    return processes.pop() if len(processes) == 1 else None


@given(st.data())
def test_any_transposition_of_two_sms_of_one_number_at_one_process_is_found(data: st.DataObject):
    one = data.draw(RECORDS.filter(_met_by_one))
    alike = [each for each in RUN.records if each.number == one.number and _met_by_one(each) == _met_by_one(one)]
    other = data.draw(st.sampled_from(alike).filter(lambda each: each is not one))

    assert {violation.rule for violation in violations(swapped(RUN, one, other))} == {"order"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # each example writes the file anew
@given(text=st.text(), number=st.floats(allow_nan=False), retry_after=st.none() | st.text())
def test_what_was_saved_is_loaded_as_it_was(tmp_path: Path, text: str, number: float, retry_after: str | None):
    path = tmp_path / "history.jsonl"
    odd = Post(text, text, 0, "receiver-1#1", number, 0.1, body=text, retry_after=retry_after)
    history = RUN._replace(posts=(*RUN.posts, odd))

    history.save(path)

    assert load(path) == history


def test_the_figures_of_the_made_up_run():
    found = figures(RUN)

    assert found.accepted == len({post.nonce for post in RUN.posts if post.status == 200}) + 20
    assert (found.lost, found.ids, found.shared, found.disordered, found.other) == (0, 0, 0, 0, 0)
    assert found.answered_200 + found.refused_503 + found.unanswered == len(RUN.posts)
    assert found.unanswered == 6


@pytest.mark.parametrize(
    ("name", "figure"),
    [("lose", "lost"), ("lose_shown", "lost"), ("change_id", "ids"), ("share_id", "shared"), ("answer_500", "other")],
)
def test_what_is_broken_once_is_counted_once(name, figure):
    found = figures(BREAKS[name](RUN))

    assert getattr(found, figure) == found.unseen == 1


def test_the_figures_of_answers_are_those_of_the_faults_and_the_p99_leaves_out_their_first_second():
    windows = [(10.0, 20.0), (15.0, 30.0), (16.0, 17.0), (40.0, 40.9)]
    faults = tuple(Fault("fault", *window) for window in windows)
    seconds = {5.0: 9.0, 9.5: 0.6, 10.5: 0.5, 11.5: 0.1, 25.0: 0.2, 31.0: 8.0, 40.5: 0.7}  # by when they were asked for
    posts = tuple(Post("x", "1", 0, "r#1", at, took, 200) for at, took in seconds.items())
    nothing = Post("x", "1", 0, "r#1", 25.0, 30.0)

    found = figures(History(posts=(*posts[1:], nothing), faults=faults))

    assert (found.slowest, found.p99) == (0.7, 0.2)
    assert figures(History(posts=posts, faults=faults)).slowest == 9.0
    assert (figures(RUN._replace(faults=())).slowest, figures(History()).p99) == (None, None)


def test_a_run_of_fifty_thousand_callbacks_is_checked_in_seconds():
    large = run(numbers=100, each=500)

    began = time.process_time()
    found = violations(large)

    assert found == []
    assert len(large.posts) > 50_000
    assert time.process_time() - began < 10  # of processor time, however busy the machine is


def test_a_ledger_that_does_not_add_up_is_found():
    ledger = {"accepted": 5.0, "adopted": 2.0, "published": 4.0, "pending": 2.0, "rejected": 1.0}

    assert imbalance(ledger) == 0
    assert imbalance({**ledger, "published": 3.0}) == 1


def test_a_percentile_is_one_of_the_values():
    assert percentile(0.99, range(100)) == 99
    assert percentile(0.5, [3.0, 1.0, 2.0]) == 2.0


@pytest.mark.parametrize(
    ("seen", "late"),
    [
        ([], 0.0),
        ([("a", 0, 5.0), ("b", 0, 7.0)], 0.0),
        ([("a", 0, 50.0), ("b", 0, 7.5), ("c", 0, 45.0)], 42.5),
        ([("a", 0, 50.0), ("b", 1, 7.0)], 0.0),
        ([("a", 0, 5.0), ("b", 0, 50.0), ("a", 0, 5.0)], 0.0),
    ],
    ids=["nothing", "in order", "one that waited", "other partitions do not count", "repeats do not count"],
)
def test_how_late_an_sms_is_counts_from_the_newest_in_front_of_it(seen, late):
    records = [
        RUN.records[0]._replace(id=name, partition=partition, offset=offset, observed=at)
        for offset, (name, partition, at) in enumerate(seen)
    ]

    assert lateness(records) == late
