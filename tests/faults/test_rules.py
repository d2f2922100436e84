"""Where a promise ends: what looks like a violation and is none, and what looks like a limit and is a violation."""

import pytest

from tests.faults.checker import violations
from tests.faults.history import Act, DeadLetter, Ended, Fault, History, Post, Record, Shown

ONE, TWO = "12015550001", "12015550002"
REASON = '{"reason":"not_durable"}'
POLLER_DIES = Fault("kill", 10.0, 20.0, parts=("poller-1",))


def _post(index: int, receiver: str = "receiver-1#1", **answer: object) -> Post:
    post = Post(f"n{index}", ONE, index, receiver, float(index), 0.1, 200, f"id-n{index}")
    return post._replace(**answer)


def _record(nonce: str, offset: int, **fields: object) -> Record:
    where = ("sms.received.v1", 0, offset, 1000 * offset, ONE)
    return Record(*where, f"id-{nonce}", nonce, ONE, "pingme", "", "", None, "kafka", "a")._replace(**fields)


def _shown(index: int, code: str, **fields: object) -> Shown:
    at = 10.0 * index
    return Shown("smsman", "activation", "7", TWO, index, code, code, "", at, at + 1, 3, None)._replace(**fields)


def _polled(code: str, sequence: int, offset: int, **fields: object) -> Record:
    order = {"provider": "smsman", "order_kind": "activation", "order": "7", "sequence": sequence, "number": TWO}
    named = {"id": f"id-{code}-{sequence}", "timestamp_ms": 1_100}
    return _record(code, offset, **named | order | fields)


def _rules(*posts: Post, records: tuple[Record, ...] = (), **rest: tuple) -> list[str]:
    return [violation.rule for violation in violations(History(posts=posts, records=records, **rest))]


# ---- callbacks -----------------------------------------------------------------------------------------------------


def test_an_sms_that_was_never_answered_200_may_be_missing_and_may_be_there():
    refused = _post(0, status=503, id=None, retry_after="1", body=REASON)

    assert _rules(refused) == []
    assert _rules(refused, records=(_record("n0", 0),)) == []


@pytest.mark.parametrize(
    "letter",
    [
        DeadLetter("dead", "unknown", "", "", "", "id-n0", "publish", "refused_by_broker"),
        DeadLetter("dead", "pingme", "", "", "n0", "", "parse", "not_json"),
    ],
)
def test_a_dead_letter_keeps_the_promise(letter):
    assert _rules(_post(0), rejected=(letter,)) == []
    assert _rules(_post(1), rejected=(letter,)) == ["lost"]


def test_a_200_without_an_id_is_no_answer_for_an_sms_that_is_in_the_topic():
    assert _rules(_post(0, id=None), records=(_record("n0", 0),)) == ["ids"]


def test_a_200_with_another_id_is_found_though_the_first_one_is_in_the_topic():
    assert _rules(_post(0), _post(0, id="other"), records=(_record("n0", 0),)) == ["ids"]


def test_an_id_that_two_were_answered_with_is_found_before_one_of_them_is_missed():
    assert _rules(_post(0), _post(1, id="id-n0"), records=(_record("n0", 0),)) == ["lost", "shared_id"]


def test_order_is_promised_for_what_one_process_alone_met():
    records = (_record("n1", 0), _record("n0", 1))
    elsewhere = _post(1, "receiver-1#2")
    first_elsewhere = _post(1, "receiver-1#2", at=0.5, status=None, id=None, failure="TimeoutError")
    then_elsewhere = [first_elsewhere._replace(receiver="receiver-1#1", at=1.0), _post(1, "receiver-1#2", at=2.0)]
    refused = first_elsewhere._replace(failure="ClientConnectorError")
    away = (Fault("kill", 0.0, 2.0, parts=("receiver-1",)),)

    assert _rules(_post(0), _post(1), records=records) == ["order"]
    assert _rules(_post(0), elsewhere, records=records) == []
    assert _rules(_post(0), first_elsewhere, _post(1), records=records, faults=away) == []
    assert _rules(_post(0), *then_elsewhere, records=records, faults=away) == []
    assert _rules(_post(0), refused, _post(1), records=records, faults=away) == ["order"]


def test_what_was_refused_has_no_place_in_the_order():
    refused = _post(0, status=503, id=None, retry_after="1", body=REASON)

    assert _rules(refused, _post(1), records=(_record("n1", 0), _record("n0", 1))) == []


def test_two_sms_that_were_under_way_at_once_have_no_order():
    records = (_record("n1", 0), _record("n0", 1))

    assert _rules(_post(0, seconds=1.5), _post(1), records=records) == []


def test_an_sms_is_overtaken_even_where_one_that_was_accepted_since_was_not():
    records = (_record("n1", 0), _record("n2", 1), _record("n0", 2))

    assert _rules(_post(0, seconds=1.05), _post(1), _post(2), records=records) == ["order"]


def test_a_number_in_two_partitions_has_no_order_to_promise():
    assert _rules(_post(0), _post(1), records=(_record("n0", 0), _record("n1", 1, partition=3))) == ["order"]


@pytest.mark.parametrize(
    ("answer", "faults", "rules"),
    [
        ({"failure": "TimeoutError"}, [], ["honest"]),
        ({"failure": "TimeoutError"}, [Fault("pause", 0.05, 9.0, parts=("receiver-1",))], []),
        ({"failure": "TimeoutError"}, [Fault("pause", 0.05, 9.0, parts=("receiver-2",))], ["honest"]),
        ({"failure": "TimeoutError"}, [Fault("pause", 0.2, 9.0, parts=("receiver-1",))], ["honest"]),
        ({"failure": "TimeoutError"}, [Fault("broker", 0.0, 9.0)], ["honest"]),
        ({"failure": "ClientConnectorError"}, [Fault("deploy", 0.0, 9.0, ("receiver-1",), ending=True)], []),
        ({"failure": "ServerDisconnectedError"}, [Fault("deploy", 0.0, 9.0, ("receiver-1",), ending=True)], ["honest"]),
        ({"status": 503, "retry_after": "1", "body": REASON}, [], []),
        ({"status": 503, "retry_after": "1", "body": "sorry"}, [], ["honest"]),
        ({"status": 503, "retry_after": "soon", "body": REASON}, [], ["honest"]),
        ({"status": 429, "retry_after": "1", "body": REASON}, [], ["honest"]),
    ],
)
def test_who_gets_no_200_is_told_so_or_asked_somebody_who_was_not_there(answer, faults, rules):
    assert _rules(_post(0, **{"status": None, "id": None} | answer), faults=tuple(faults)) == rules


# ---- polled SMS ----------------------------------------------------------------------------------------------------


def test_what_no_answer_showed_may_be_missing():
    assert _rules(shown=(_shown(0, "1111", shown=None, shows=0),)) == []
    assert _rules(shown=(_shown(0, "1111"),)) == ["lost"]


def test_a_polled_sms_may_end_as_a_dead_letter():
    letter = DeadLetter("dead", "smsman", "activation", "7", "1111", "", "publish", "refused_by_broker")

    assert _rules(shown=(_shown(0, "1111"),), rejected=(letter,)) == []


def test_two_polled_sms_with_one_id_are_found():
    records = (_polled("1111", 0, 0, id="same"), _polled("2222", 1, 1, id="same"))

    assert _rules(records=records, shown=(_shown(0, "1111"), _shown(1, "2222"))) == ["shared_id"]


def test_equal_codes_are_two_sms_only_where_something_between_them_was_visible():
    rows = (_shown(0, "1111"), _shown(1, "1111"))
    told_apart = (rows[0]._replace(passed=5.0), rows[1])
    one, two = (_polled("1111", 0, 0),), (_polled("1111", 0, 0), _polled("1111", 1, 1))

    assert _rules(records=one, shown=rows) == _rules(records=two, shown=rows) == []
    assert _rules(records=two, shown=told_apart) == []
    assert _rules(records=one, shown=told_apart) == _rules(records=one, shown=told_apart[::-1]) == ["lost"]
    assert _rules(records=one, shown=told_apart, faults=(POLLER_DIES,)) == []  # it alone may have seen what was between
    assert _rules(records=one, shown=(rows[0]._replace(passed=15.0), rows[1])) == []  # a stale answer
    assert _rules(records=(*two, _polled("1111", 2, 2)), shown=told_apart) == ["ids"]


def test_what_a_dying_poller_alone_was_shown_is_lost_unless_its_order_was_over_before_another_looked():
    row = _shown(0, "1111", at=9.0, shown=9.5, shows=1, ends=30.0)

    assert _rules(shown=(row,), faults=(POLLER_DIES,)) == []
    assert _rules(shown=(row._replace(ends=60.0),), faults=(POLLER_DIES,)) == ["lost"]
    assert _rules(shown=(row._replace(ends=None),), faults=(POLLER_DIES,)) == ["lost"]
    assert _rules(shown=(row._replace(shows=2),), faults=(POLLER_DIES,)) == ["lost"]
    assert _rules(shown=(row._replace(shown=2.0),), faults=(POLLER_DIES,)) == ["lost"]
    assert _rules(shown=(row,), faults=(POLLER_DIES._replace(parts=("receiver-1",)),)) == ["lost"]


def test_the_order_of_polled_sms_is_promised_for_what_one_process_accepted():
    rows = (_shown(0, "1111"), _shown(1, "2222"))
    first, second = _polled("1111", 0, 1), _polled("2222", 1, 0)

    assert _rules(records=(second, first), shown=rows) == ["order"]
    assert _rules(records=(second._replace(instance="b"), first), shown=rows) == []
    assert _rules(records=(first, second._replace(offset=2, partition=3)), shown=rows) == ["order"]


def test_equal_codes_that_two_processes_accepted_may_lie_in_either_order():
    rows = (_shown(0, "1111", passed=5.0), _shown(1, "1111"))
    second, first = _polled("1111", 1, 0, instance="b"), _polled("1111", 0, 1)

    assert _rules(records=(second, first), shown=rows) == _rules(records=(second, first), shown=rows[::-1]) == []
    assert _rules(records=(second._replace(instance="a"), first), shown=rows) == ["order"]


def test_sequences_are_those_of_the_order_in_which_the_sms_came():
    rows = (_shown(0, "1111"), _shown(1, "2222"))
    exchanged = (_polled("1111", 1, 0), _polled("2222", 0, 1))

    assert _rules(records=exchanged, shown=rows) == ["sequence"]
    assert _rules(records=(_polled("1111", 1, 0),), shown=rows[:1]) == ["sequence"]


@pytest.mark.parametrize(("count", "at_ms", "rules"), [(1, 1_100, []), (2, 1_100, ["ended"]), (1, 1_099, ["ended"])])
def test_the_end_of_a_watch_counts_its_sms_and_comes_after_them(count, at_ms, rules):
    end = Ended("w", "smsman", "activation", "7", count, "finished", at_ms)

    assert _rules(records=(_polled("1111", 0, 0),), shown=(_shown(0, "1111"),), ended=(end,)) == rules


def test_a_clock_that_was_wrong_makes_times_say_less():
    wrong = Fault("clock", 0.0, 1.0, clock=3600.0)
    end = Ended("w", "smsman", "activation", "7", 1, "finished", 1_000)
    seen = {"records": (_polled("1111", 0, 0),), "shown": (_shown(0, "1111", passed=1.05),), "ended": (end,)}

    assert _rules(**seen) == ["ended", "acted"]
    assert _rules(**seen, faults=(wrong,)) == []


@pytest.mark.parametrize(
    "rows",
    [
        (_shown(0, "1111", passed=1.05),),
        (_shown(0, "1111"), _shown(1, "2222", at=1.0, shown=1.05)),
    ],
)
def test_what_shows_that_the_next_one_was_asked_for_comes_after_the_first_is_in_the_topic(rows):
    later = (_polled("2222", 1, 1),) if len(rows) > 1 else ()
    on_time, too_late = _polled("1111", 0, 0, timestamp_ms=1_050), _polled("1111", 0, 0)

    assert _rules(records=(on_time, *later), shown=rows) == []
    assert _rules(records=(too_late, *later), shown=rows) == ["acted"]


def test_what_was_asked_before_an_sms_was_shown_was_not_asked_because_of_it():
    early, late = (Act("smsman", "activation", "7", "next", at) for at in (0.9, 1.05))
    seen = {"records": (_polled("1111", 0, 0),), "shown": (_shown(0, "1111"),)}

    assert _rules(**seen, acts=(early,)) == []
    assert _rules(**seen, acts=(early, late)) == ["acted"]


def test_the_sms_of_a_rent_follow_each_other_unasked():
    rows = tuple(_shown(index, code, kind="rent", shown=1.0) for index, code in enumerate(("1111", "2222")))
    records = tuple(_polled(row.nonce, row.index, row.index, order_kind="rent") for row in rows)

    assert _rules(records=records, shown=rows) == []
