"""What the tail keeps, drops, tells and refuses."""

import pytest

from bus.kafka.topics_reader import Part
from inbox.cursor import Place
from inbox.filters import Filter
from inbox.item import Item
from inbox.settings import MIB
from inbox.tail import Gone, MadeAnew, Tail
from schemas.topics import RECEIVED, REJECTED
from tests.inbox_records import FIRST, HOUR_MS, NOW_MS, NUMBER, PARTS, SECOND, THIRD, ids, junk, record, tail_of


def kept(tail: Tail) -> list[str]:
    return ids(tail.items(Filter(topics=(RECEIVED, REJECTED)), tail.begins()))


def three(time_ms: int = NOW_MS) -> Tail:
    return tail_of((FIRST, record(FIRST, offset, time_ms=time_ms)) for offset in range(3))


# ---- taking --------------------------------------------------------------------------------------------------------


def test_events_come_by_time_and_each_partition_in_its_order() -> None:
    times = [(FIRST, 0, 5), (FIRST, 1, 3), (FIRST, 2, 9), (SECOND, 0, 4), (SECOND, 1, 9), (THIRD, 0, 9)]
    tail = tail_of((part, record(part, offset, time_ms=time)) for part, offset, time in times)

    assert kept(tail) == ["1@0", "0@0", "0@1", "0@2", "1@1", "2@0"]


def test_a_repeat_is_no_news_wherever_it_stands() -> None:
    told: list[Item] = []
    tail = tail_of()
    with tail.subscribed(Filter(), told.append):
        for part, offset in ((FIRST, 0), (FIRST, 1), (SECOND, 0)):
            tail.add(part, record(part, offset, "same"))

    assert ids(told) == ["same"]
    assert kept(tail) == ["same"]
    assert len(tail) == 1
    assert (tail.ends[FIRST], tail.ends[SECOND], tail.ends[THIRD]) == (2, 1, 0)


def test_a_repeat_of_what_was_forgotten_is_an_event_again() -> None:
    tail = tail_of([(FIRST, record(FIRST, 0, "a", time_ms=0))])
    tail.expire(NOW_MS)
    tail.add(FIRST, record(FIRST, 1, "a"))

    assert kept(tail) == ["a"]


def test_junk_has_a_place_and_nothing_else() -> None:
    tail = tail_of([(FIRST, junk(FIRST, 0)), (FIRST, record(FIRST, 1)), (FIRST, junk(FIRST, 2))])

    assert kept(tail) == ["0@1"]
    assert tail.ends[FIRST] == 3
    tail.check({FIRST: Place(0)})


def test_what_kafka_deleted_unread_leaves_a_gap_that_nobody_passes_unawares() -> None:
    tail = tail_of([(FIRST, record(FIRST, 0)), (SECOND, record(SECOND, 0)), (FIRST, record(FIRST, 5))])

    assert kept(tail) == ["0@5", "1@0"]
    for offset in (0, 1, 4):
        with pytest.raises(Gone):
            tail.check({FIRST: Place(offset)})
    tail.check({FIRST: Place(5), SECOND: Place(0)})


@pytest.mark.parametrize("offset", [0, 1, 2])
def test_a_record_at_a_place_that_was_passed_is_of_another_topic(offset: int) -> None:
    with pytest.raises(MadeAnew):
        three().add(FIRST, record(FIRST, offset, "another"))


# ---- limits --------------------------------------------------------------------------------------------------------


def test_nothing_is_dropped_within_the_limits() -> None:
    tail = tail_of(((FIRST, record(FIRST, offset)) for offset in range(3)), events=3, hours=1)
    tail.expire(NOW_MS + HOUR_MS)

    assert len(tail) == 3


def test_what_is_older_than_its_hours_is_dropped() -> None:
    tail = tail_of(((FIRST, record(FIRST, offset, time_ms=NOW_MS + offset)) for offset in range(3)), hours=1)
    tail.expire(NOW_MS + HOUR_MS + 2)

    assert kept(tail) == ["0@2"]
    with pytest.raises(Gone):
        tail.check({FIRST: Place(1)})
    tail.check({FIRST: Place(2)})


def test_more_events_than_the_limit_drop_the_oldest_of_all_partitions() -> None:
    times = [(FIRST, 0, 1), (SECOND, 0, 2), (FIRST, 1, 3), (THIRD, 0, 4)]
    tail = tail_of(((part, record(part, offset, time_ms=time)) for part, offset, time in times), events=2)
    tail.expire(5)

    assert kept(tail) == ["0@1", "2@0"]


def test_more_memory_than_the_limit_drops_the_oldest() -> None:
    large = "x" * (MIB // 4)
    tail = tail_of(((FIRST, record(FIRST, offset, other=large)) for offset in range(5)), megabytes=1)
    assert tail.bytes > MIB
    tail.expire(NOW_MS)

    assert kept(tail) == ["0@2", "0@3", "0@4"]
    assert 3 * MIB // 4 < tail.bytes <= MIB


def test_the_limit_that_is_reached_first_decides() -> None:
    records = [(FIRST, record(FIRST, offset, time_ms=NOW_MS + offset)) for offset in range(10)]
    by_hours = tail_of(records, hours=1, events=8)
    by_events = tail_of(records, hours=1, events=2)
    for tail in (by_hours, by_events):
        tail.expire(NOW_MS + HOUR_MS + 5)

    assert (len(by_hours), len(by_events)) == (5, 2)


def test_what_is_dropped_takes_no_memory_and_has_no_id() -> None:
    tail = three(time_ms=0)
    tail.expire(NOW_MS)

    assert (len(tail), tail.bytes, tail.get("0@0")) == (0, 0, None)
    assert tail.ends[FIRST] == 3


# ---- places --------------------------------------------------------------------------------------------------------


def test_a_place_knows_the_record_before_it_if_that_is_here() -> None:
    tail = three()

    assert tail.place(FIRST, 0) == Place(0, 0)
    assert tail.place(FIRST, 3).mark != 0
    assert tail.place(FIRST, 9) == Place(9, 0)
    assert tail.place(FIRST, 2).mark != tail.place(FIRST, 3).mark


def test_where_another_record_stands_before_a_place_the_topic_was_made_anew() -> None:
    tail, anew = three(), tail_of((FIRST, record(FIRST, offset, f"new {offset}")) for offset in range(3))
    place = tail.place(FIRST, 2)

    tail.check({FIRST: place})
    with pytest.raises(Gone):
        anew.check({FIRST: place})
    anew.check({FIRST: Place(2, 0)})  # not known


def test_a_place_that_is_not_reached_yet_is_right() -> None:
    three().check({FIRST: Place(100, 7)})


def test_a_moment_begins_at_the_first_event_that_is_not_older() -> None:
    times = [(FIRST, 0, 5), (FIRST, 1, 9), (FIRST, 2, 3), (SECOND, 0, 4)]
    tail = tail_of((part, record(part, offset, time_ms=time)) for part, offset, time in times)

    assert {part: tail.begins(6)[part].offset for part in (FIRST, SECOND, THIRD)} == {FIRST: 1, SECOND: 1, THIRD: 0}
    assert tail.begins(6)[FIRST] == tail.place(FIRST, 1)
    assert {place.offset for place in tail.begins().values()} == {0}


def test_reading_afresh_forgets_everything_and_says_so() -> None:
    tail = three()
    before = tail.resets
    tail.reset(dict.fromkeys(PARTS, 10))

    assert (len(tail), tail.bytes, kept(tail), tail.resets) == (0, 0, [], before + 1)
    assert tail.ends == dict.fromkeys(PARTS, 10)
    with pytest.raises(Gone):
        tail.check({FIRST: Place(3)})


@pytest.mark.parametrize("wanted", [Filter(recipient=NUMBER), Filter(watch_id="w")], ids=["number", "watch"])
def test_who_names_a_number_or_a_watch_looks_at_its_events_alone(wanted: Filter) -> None:
    """Somebody who polls a number each second must not look at 20,000 events each time."""
    others = [(SECOND, record(SECOND, offset, recipient="1", time_ms=NOW_MS + offset)) for offset in range(3)]
    ours = [(FIRST, record(FIRST, offset, watch_id="w", time_ms=NOW_MS + offset)) for offset in range(4)]
    tail = tail_of([*others, *ours], events=5)
    tail.expire(NOW_MS)

    found = list(tail.items(wanted, tail.begins()))
    later = list(tail.items(wanted, {**tail.begins(), FIRST: Place(3)}))

    assert ids(found) == [item.id for item in tail.items(Filter(), tail.begins()) if wanted.matches(item)]
    assert ids(found) == ["0@1", "0@2", "0@3"]
    assert ids(later) == ["0@3"]
    assert list(tail.items(wanted._replace(topics=(REJECTED,)), tail.begins())) == []


def test_what_is_added_or_dropped_meanwhile_changes_no_list() -> None:
    tail = three()
    listed = tail.items(Filter(), tail.begins())
    tail.add(FIRST, record(FIRST, 3))
    tail.expire(NOW_MS + 25 * HOUR_MS)

    assert ids(listed) == ["0@0", "0@1", "0@2"]


# ---- subscriptions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Filter(), ["a", "b", "c"]),
        (Filter(recipient=NUMBER), ["a"]),
        (Filter(recipient="1647000000"), []),
        (Filter(watch_id="w"), ["a", "b"]),
        (Filter(recipient=NUMBER, watch_id="w"), ["a"]),
        (Filter(recipient="1", watch_id="w"), ["b"]),
        (Filter(order_id="860"), ["b"]),
        (Filter(topics=(REJECTED,)), ["d"]),
    ],
)
def test_whoever_subscribed_is_told_once_of_each_event_that_matches(wanted: Filter, told: list[str]) -> None:
    tail, heard = tail_of(), list[Item]()
    with tail.subscribed(wanted, heard.append):
        tail.add(FIRST, record(FIRST, 0, "a", watch_id="w"))
        tail.add(FIRST, record(FIRST, 1, "b", recipient="1", watch_id="w", order_id="860"))
        tail.add(FIRST, record(FIRST, 2, "c", recipient=None))
        tail.add(Part(REJECTED, 0), record(Part(REJECTED, 0), 0, "d"))
    tail.add(FIRST, record(FIRST, 3, "late", watch_id="w", order_id="860"))

    assert ids(heard) == told
    assert tail.subscribers == 0


def test_subscribers_leave_in_any_order_and_nothing_of_them_stays() -> None:
    tail, heard = tail_of(), list[str]()
    contexts = [tail.subscribed(Filter(recipient=NUMBER), lambda _, n=n: heard.append(str(n))) for n in range(4)]
    for each in contexts:
        each.__enter__()
    for number in (2, 0, 3):
        contexts[number].__exit__(None, None, None)
    tail.add(FIRST, record(FIRST, 0))
    contexts[1].__exit__(None, None, None)
    tail.add(FIRST, record(FIRST, 1))

    assert heard == ["1"]
    assert tail._subscribed == {}
