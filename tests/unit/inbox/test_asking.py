"""Pages, waits and streams: what each returns, and when it refuses."""

import asyncio
from contextlib import aclosing

import pytest
from prometheus_client.core import HistogramMetricFamily

from inbox.asking import CLOCKS_MS, Ended, Inbox, OtherFilter, Page, WatchEnded
from inbox.cursor import Cursor, Place
from inbox.filters import Filter
from inbox.following import ANSWER_SECONDS, Blind
from inbox.tail import Gone
from schemas.topics import RECEIVED, REJECTED
from tests.inbox_records import FIRST, NOW_MS, NUMBER, PARTS, SECOND, ids, record

ALL = Filter()
OURS = Filter(recipient=NUMBER)
WATCH = Filter(watch_id="w")


@pytest.fixture
def inbox(world) -> Inbox:
    """It reads only what a test adds to its tail; the brokers have as much."""
    return world.idle()


def add(world, inbox, part, offset, event_id=None, **more):
    each = record(part, offset, event_id, **{"time_ms": world.now_ms(), **more})
    world.publish(part, each)
    inbox.following.tail.add(part, each)


def read_back(cursor: Cursor) -> Cursor:
    return Cursor.of(cursor.text(), (RECEIVED,))


def soon(world, seconds, *given, **more):
    world.later(seconds, lambda: add(world, *given, **more))


# ---- cursors -------------------------------------------------------------------------------------------------------


def test_a_cursor_belongs_to_its_filter_and_one_of_all_to_every_filter(world, inbox):
    world.run(inbox.check(read_back(inbox.here(OURS)), OURS))
    world.run(inbox.check(read_back(inbox.here(ALL)), OURS))
    for other in (ALL, Filter(recipient="1"), OURS._replace(has_code=True)):
        with pytest.raises(OtherFilter):
            world.run(inbox.check(inbox.here(OURS), other))


def test_a_cursor_of_other_topics_belongs_to_none_of_ours(world, inbox):
    with pytest.raises(OtherFilter):
        world.run(inbox.check(inbox.here(Filter(topics=(RECEIVED, REJECTED))), ALL))


def test_a_cursor_of_another_cluster_is_gone(world, inbox):
    cursor = inbox.here(ALL)
    inbox.following.cluster += 1
    with pytest.raises(Gone):
        world.run(inbox.check(cursor, ALL))


def test_a_cursor_before_what_was_forgotten_is_gone(world, inbox):
    cursor = inbox.here(ALL)
    add(world, inbox, FIRST, 0)
    world.run(inbox.check(cursor, ALL))
    inbox.following.tail.expire(NOW_MS + 10**9)
    with pytest.raises(Gone):
        world.run(inbox.check(cursor, ALL))
    world.run(inbox.check(inbox.here(ALL), ALL))


def test_a_cursor_of_a_replica_that_has_read_further_is_right(world, inbox):
    cursor = inbox.here(ALL).moved(FIRST, Place(1, 7))
    with pytest.raises(Gone):
        world.run(inbox.check(cursor, ALL))  # the brokers do not have it either: another topic
    world.publish(FIRST, record(FIRST, 0))
    world.run(inbox.check(cursor, ALL))
    world.topics.away = True
    with pytest.raises(Blind):
        world.run(inbox.check(cursor, ALL))


def test_a_cluster_that_changes_while_brokers_are_asked_is_noticed(world, inbox):
    world.publish(FIRST, record(FIRST, 0))
    world.weather.slow = 1.0
    cursor = inbox.here(ALL).moved(FIRST, Place(1))
    world.later(0.05, lambda: setattr(inbox.following, "cluster", 0))
    with pytest.raises(Gone):
        world.run(inbox.check(cursor, ALL))


def test_now_is_when_the_brokers_were_asked(world, inbox):
    """An SMS that comes while they think about it, and is published a little later, is news."""
    world.weather.slow = 2.0
    asked_ms = world.now_ms()

    cursor = world.run(inbox.now(OURS))

    assert world.now_ms() > asked_ms + 500
    assert cursor.since_ms == asked_ms


# ---- pages ---------------------------------------------------------------------------------------------------------


def test_the_newest_are_listed_oldest_first_and_the_cursor_is_after_them(world, inbox):
    for offset in range(5):
        add(world, inbox, FIRST, offset, time_ms=NOW_MS + offset)
    add(world, inbox, SECOND, 0, recipient="1", time_ms=NOW_MS)

    page = world.run(inbox.newest(OURS, 2))

    assert ids(page.items) == ["0@3", "0@4"]
    assert world.run(inbox.after(OURS, page.cursor, 9)).items == []


def test_the_newest_are_fewer_where_they_are_large_but_always_one(world, inbox):
    for offset in range(5):
        add(world, inbox, FIRST, offset, time_ms=NOW_MS + offset)
    size = len(record(FIRST, 0).value or b"")

    found = [ids(world.run(inbox.newest(ALL, 4, most)).items) for most in (1, 2 * size, 3 * size - 1, 9 * size)]

    assert found == [["0@4"], ["0@3", "0@4"], ["0@3", "0@4"], ["0@1", "0@2", "0@3", "0@4"]]


@pytest.mark.parametrize("most_bytes", [1, 700, 2_000, 10**9])
def test_pages_of_so_many_bytes_have_everything_once(world, inbox, most_bytes):
    for offset in range(10):
        add(world, inbox, FIRST, offset, time_ms=NOW_MS + offset)
        add(world, inbox, SECOND, offset, time_ms=NOW_MS + 9 - offset)
    cursor, found, pages = inbox.since(ALL, 0), [], list[Page]()
    while not pages or pages[-1].items:
        pages.append(world.run(inbox.after(ALL, cursor, 100, most_bytes)))
        cursor, found = read_back(pages[-1].cursor), found + ids(pages[-1].items)

    assert sorted(found) == sorted(f"{part}@{offset}" for part in (0, 1) for offset in range(10))
    assert all(sum(len(item.value) for item in page.items[:-1]) < most_bytes for page in pages)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_have_everything_once(world, inbox, limit):
    for offset in range(10):
        add(world, inbox, FIRST, offset, time_ms=NOW_MS + offset)
        add(world, inbox, SECOND, offset, time_ms=NOW_MS + 9 - offset, recipient="1" if offset % 3 else NUMBER)
    cursor, found = inbox.since(OURS, 0), []
    for _ in range(20):
        page = world.run(inbox.after(OURS, cursor, limit))
        cursor, found = read_back(page.cursor), found + ids(page.items)

    assert sorted(found) == sorted([f"0@{n}" for n in range(10)] + [f"1@{n}" for n in (0, 3, 6, 9)])


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_since_a_moment_have_nothing_older_on_any_page(world, inbox, limit):
    for part in (FIRST, SECOND):
        for offset in range(10):
            add(world, inbox, part, offset, time_ms=NOW_MS + offset)
    cursor, found = inbox.since(ALL, NOW_MS + 5), []
    page = world.run(inbox.after(ALL, cursor, limit, since_ms=NOW_MS + 5))
    for _ in range(30):
        found += page.items
        page = world.run(inbox.after(ALL, read_back(page.cursor), limit))

    assert sorted(ids(found)) == sorted(f"{part}@{offset}" for part in (0, 1) for offset in range(5, 10))


def test_a_page_moves_only_the_partitions_of_what_it_has(world, inbox):
    add(world, inbox, FIRST, 0, time_ms=NOW_MS)
    add(world, inbox, SECOND, 0, time_ms=NOW_MS + 1)

    cursor = world.run(inbox.after(ALL, inbox.since(ALL, 0), 1)).cursor

    assert (cursor.places[FIRST].offset, cursor.places[SECOND].offset) == (1, 0)


def test_the_last_page_moves_past_what_does_not_match(world, inbox):
    """Else a quiet number's cursor would be gone as soon as other numbers' events are."""
    add(world, inbox, FIRST, 0, recipient="1")

    cursor = world.run(inbox.after(OURS, inbox.since(OURS, 0), 5)).cursor

    assert cursor.places[FIRST].offset == 1


def test_a_page_leaves_a_cursor_that_is_ahead_where_it_is(world, inbox):
    add(world, inbox, FIRST, 0)
    ahead = inbox.here(ALL).moved(FIRST, Place(5, 9))

    assert world.run(inbox.after(ALL, ahead, 5)) == Page([], ahead)


def test_what_comes_while_a_page_is_made_is_on_the_next_one(world, inbox):
    for offset in range(2_000):
        add(world, inbox, FIRST, offset, time_ms=NOW_MS)
    world.later(0, lambda: add(world, inbox, FIRST, 2_000))
    world.later(0, lambda: add(world, inbox, SECOND, 0))

    first = world.run(inbox.after(ALL, inbox.since(ALL, 0), 5_000))
    second = world.run(inbox.after(ALL, first.cursor, 5_000))

    assert len(first.items) + len(second.items) == 2_002
    assert len({item.id for item in first.items + second.items}) == 2_002


# ---- waiting for news ----------------------------------------------------------------------------------------------


def wait(world, inbox, wanted=OURS, seconds=3):
    return world.run(inbox.wait(wanted, inbox.here(wanted), seconds))


def test_a_wait_returns_what_comes_and_goes_on_after_it(world, inbox):
    soon(world, 1, inbox, FIRST, 0, "other", recipient="1")
    soon(world, 2, inbox, FIRST, 1, "ours")
    began = world.loop.time()

    page = wait(world, inbox)

    assert ids(page.items) == ["ours"]
    assert world.loop.time() - began < 3
    assert page.cursor.places[FIRST].offset == 2
    assert world.run(inbox.after(OURS, page.cursor, 5)).items == []


def test_only_a_wait_that_ends_with_an_sms_is_timed(world, inbox):
    soon(world, 2, inbox, FIRST, 0, "ours")
    wait(world, inbox)
    world.run(inbox.wait(OURS, inbox.here(OURS), 1))

    family = HistogramMetricFamily("waits", "Waits.", labels=[])
    inbox.waits.add_to(family)
    counted = {sample.labels.get("le", sample.name): sample.value for sample in family.samples}
    assert (counted["1.0"], counted["2.5"], counted["waits_count"]) == (0, 1, 1)


def test_a_wait_returns_what_came_since_its_cursor(world, inbox):
    add(world, inbox, FIRST, 0, "before")
    cursor = inbox.here(OURS)
    add(world, inbox, FIRST, 1, "after")

    assert ids(world.run(inbox.wait(OURS, cursor, 0)).items) == ["after"]


def test_a_wait_in_which_nothing_comes_is_empty_and_can_be_repeated(world, inbox):
    add(world, inbox, FIRST, 0)
    cursor = inbox.here(OURS)
    began = world.loop.time()

    assert world.run(inbox.wait(OURS, cursor, 3)) == Page([], cursor)
    assert 3 <= world.loop.time() - began < 3.1


def test_a_wait_in_which_nothing_comes_moves_past_what_was_not_waited_for(world, inbox):
    """Else who waits for a quiet number beside busy ones would be told that its place is gone."""
    cursor = inbox.here(OURS)
    soon(world, 1, inbox, FIRST, 0, recipient="1")

    page = world.run(inbox.wait(OURS, cursor, 3))

    assert (page.items, page.cursor.places[FIRST].offset, page.cursor.since_ms) == ([], 1, cursor.since_ms)


@pytest.mark.parametrize(
    ("freshness", "wanted", "satisfies"),
    [
        ("live", None, True),
        ("recovered", None, False),
        ("history", None, False),
        ("replayed", None, False),
        (None, None, False),
        ("recovered", "recovered", True),
        ("live", "recovered", False),
        ("replayed", "replayed", True),
    ],
)
def test_only_what_is_live_is_news_unless_the_client_says_what(world, inbox, freshness, wanted, satisfies):
    soon(world, 1, inbox, FIRST, 0, freshness=freshness)

    assert bool(wait(world, inbox, OURS._replace(freshness=wanted)).items) is satisfies


@pytest.mark.parametrize(
    ("older_ms", "satisfies"), [(0, True), (CLOCKS_MS, True), (CLOCKS_MS + 1, False), (-999, True)]
)
def test_what_was_observed_long_before_is_no_news(world, inbox, older_ms, satisfies):
    """An outage's journal must not satisfy a wait."""
    soon(world, 1, inbox, FIRST, 0, time_ms=world.now_ms() - older_ms)

    assert bool(wait(world, inbox).items) is satisfies


def test_what_the_tail_had_not_read_when_the_wait_began_is_no_news(world, inbox):
    world.publish(FIRST, record(FIRST, 0, "before"))
    cursor = world.run(inbox.now(OURS))
    soon(world, 1.5, inbox, FIRST, 1, "after")
    world.later(1, lambda: inbox.following.tail.add(FIRST, record(FIRST, 0, "before", time_ms=world.now_ms())))

    assert ids(world.run(inbox.wait(OURS, cursor, 10)).items) == ["after"]


def test_the_first_of_several_is_returned_though_more_come_while_it_looks(world, inbox):
    cursor = inbox.here(OURS)
    for offset in range(1_000):
        add(world, inbox, FIRST, offset, recipient="1")
    add(world, inbox, FIRST, 1_000, "first")
    world.later(0, lambda: add(world, inbox, FIRST, 1_001, "second"))

    assert ids(world.run(inbox.wait(OURS, cursor, 10)).items) == ["first"]


def test_a_wait_while_kafka_is_away_says_that_nobody_knows(world, inbox):
    with pytest.raises(Blind):  # this inbox does not read
        wait(world, inbox, seconds=10)


def test_a_wait_that_begins_while_kafka_hangs_says_so_within_two_seconds(world, inbox):
    inbox.following._reader.ends = lambda: asyncio.sleep(1e9)  # type: ignore[method-assign]
    began = world.loop.time()
    with pytest.raises(Blind):
        world.run(inbox.now(ALL))
    assert world.loop.time() - began <= ANSWER_SECONDS + 0.1


def test_a_wait_that_is_over_just_after_kafka_went_away_says_so_too(world, inbox):
    world.later(0.5, lambda: setattr(world.topics, "away", True))
    with pytest.raises(Blind):
        wait(world, inbox, seconds=1)


def test_an_sms_that_comes_while_the_brokers_are_asked_whether_there_is_none_is_returned(world, inbox):
    world.weather.slow = 0.5
    world.later(1.05, lambda: add(world, inbox, FIRST, 0, "late"))

    assert ids(wait(world, inbox, seconds=1).items) == ["late"]


def test_a_wait_ends_when_the_topics_were_made_anew(world, inbox):
    world.later(1, lambda: inbox.following.tail.reset(dict.fromkeys(PARTS, 0)))
    with pytest.raises(Gone):
        wait(world, inbox, seconds=3)


def test_a_thousand_waits_each_get_theirs_and_leave_nothing(world, inbox):
    async def one(number):
        wanted = Filter(recipient=str(number))
        return ids((await inbox.wait(wanted, inbox.here(wanted), 50)).items)

    async def all_of_them():
        waits = [asyncio.create_task(one(number)) for number in range(1000)]
        await asyncio.sleep(1)
        for number in range(1000):
            part = PARTS[number % 6]
            add(world, inbox, part, number // 6, f"for {number}", recipient=str(number))
        return await asyncio.gather(*waits)

    assert world.run(all_of_them()) == [[f"for {number}"] for number in range(1000)]
    assert inbox.following.tail.subscribers == 0


def test_a_wait_that_is_cancelled_anywhere_leaves_nothing(world, inbox):
    for offset in range(1_200):
        add(world, inbox, FIRST, offset, recipient="1")

    async def cancelled(after):
        waiting = asyncio.create_task(inbox.wait(OURS, inbox.since(OURS, 0), 50))
        for _ in range(after):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])

    for after in range(6):
        world.run(cancelled(after))
        assert inbox.following.tail.subscribers == 0


# ---- waiting in order ----------------------------------------------------------------------------------------------


class Paused(Exception):
    """What a look may raise."""


async def nothing_new():
    pass


def wait_in_order(
    world, inbox, sequence, ended=lambda: None, seconds=4, catch_up=nothing_new, look=lambda: None, wanted=WATCH
):
    page = world.run(inbox.wait_in_order(wanted, sequence, ended, seconds, catch_up=catch_up, look=look))
    return [item.sequence for item in page.items]


def of_watch(world, inbox, *sequences, begin=0, **more):
    for offset, sequence in enumerate(sequences, start=begin):
        add(world, inbox, FIRST, offset, **{"watch_id": "w", "sequence": sequence, **more})


@pytest.mark.parametrize(("sequence", "found"), [(0, 0), (1, 1), (2, 2), (3, None)])
def test_a_sequence_is_found_where_it_is_already(world, sequence, found):
    inbox = world.started()
    for offset in range(3):
        world.publish(FIRST, record(FIRST, offset, watch_id="w", sequence=offset))
        world.publish(FIRST, record(FIRST, offset, f"other {offset}", watch_id="x", sequence=offset + 5))
    world.pass_time(1)

    assert wait_in_order(world, inbox, sequence) == ([] if found is None else [found])


def test_a_sequence_that_comes_later_is_waited_for(world, inbox):
    of_watch(world, inbox, 0, 1)
    world.later(2.5, lambda: of_watch(world, inbox, 2, begin=2))
    began = world.loop.time()

    assert wait_in_order(world, inbox, 2) == [2]
    assert world.loop.time() - began < 2.6


@pytest.mark.parametrize(
    ("freshness", "counts"), [("live", True), ("recovered", True), ("history", True), ("replayed", False), (None, True)]
)
def test_an_sms_of_an_activation_counts_unless_it_is_a_replay(world, inbox, freshness, counts):
    world.later(1, lambda: of_watch(world, inbox, 0, freshness=freshness))

    if counts:
        assert wait_in_order(world, inbox, 0) == [0]
    else:
        with pytest.raises(Blind):  # this inbox does not read
            wait_in_order(world, inbox, 0, seconds=10)


def test_an_order_s_wait_that_is_over_just_after_kafka_went_away_says_so_too(world, inbox):
    world.later(0.5, lambda: setattr(world.topics, "away", True))
    with pytest.raises(Blind):
        wait_in_order(world, inbox, 0, seconds=1)


def test_an_old_sms_satisfies_it(world, inbox):
    of_watch(world, inbox, 0, time_ms=NOW_MS - 10**7)

    assert wait_in_order(world, inbox, 0) == [0]


@pytest.mark.parametrize(("count", "sequence", "raises"), [(0, 0, True), (1, 0, False), (2, 2, True), (3, 2, False)])
def test_a_watch_that_ended_without_it_ends_the_wait(world, count, sequence, raises):
    inbox = world.started()
    ended = [None]
    world.later(1.5, lambda: ended.__setitem__(0, Ended("expired", count)))
    began = world.loop.time()

    if raises:
        with pytest.raises(WatchEnded, match="expired"):
            wait_in_order(world, inbox, sequence, lambda: ended[0])
        assert world.loop.time() - began < 3
    else:
        assert wait_in_order(world, inbox, sequence, lambda: ended[0]) == []


def test_a_watch_that_ended_with_other_sms_ends_the_wait_once_they_must_be_here(world):
    """Its only SMS has no code, or was forgotten: a wait for a code would last to its end each time."""
    inbox = world.started()
    world.publish(FIRST, record(FIRST, 0, watch_id="w", sequence=0, code=None))
    began = world.loop.time()

    with pytest.raises(WatchEnded, match="finished"):
        wait_in_order(world, inbox, 0, lambda: Ended("finished", 1), 30, wanted=WATCH._replace(has_code=True))
    assert 2 < world.loop.time() - began < 6


def test_a_look_without_a_wait_says_that_the_watch_ended(world, inbox):
    with pytest.raises(WatchEnded, match="expired"):
        wait_in_order(world, inbox, 0, lambda: Ended("expired", 0), seconds=0)


@pytest.mark.parametrize("seconds", [0, 4])
def test_an_end_is_said_only_once_every_opening_is_known(world, seconds):
    inbox, ended, asked = world.started(), [Ended("expired", 0)], []

    async def catch_up():
        asked.append(1)
        await asyncio.sleep(0.1)
        ended[:] = [None]

    assert wait_in_order(world, inbox, 0, lambda: ended[0], seconds, catch_up) == []
    assert len(asked) == 1


def test_what_comes_while_it_catches_up_is_returned(world, inbox):
    async def catch_up():
        of_watch(world, inbox, 0)

    assert wait_in_order(world, inbox, 0, lambda: Ended("expired", 0), 4, catch_up) == [0]


def test_a_wait_whose_watch_is_open_asks_nobody(world):
    async def catch_up():
        pytest.fail("it asked")

    assert wait_in_order(world, world.started(), 0, lambda: None, 4, catch_up) == []


@pytest.mark.parametrize("in_order", [True, False])
def test_what_a_look_raises_ends_a_wait_within_a_second_and_what_is_here_is_returned(world, in_order):
    inbox, paused = world.started(), []

    def look():
        if paused:
            raise Paused

    def wait_here():
        if in_order:
            return wait_in_order(world, inbox, 0, seconds=30, look=look)
        return [item.sequence for item in world.run(inbox.wait(WATCH, inbox.since(WATCH, 0), 30, look=look)).items]

    world.later(5, lambda: paused.append(1))
    began = world.loop.time()
    with pytest.raises(Paused):
        wait_here()
    assert 5 <= world.loop.time() - began <= 6
    world.publish(FIRST, record(FIRST, 0, time_ms=world.now_ms(), watch_id="w", sequence=0))
    world.pass_time(1)
    assert wait_here() == [0]


def test_what_came_before_the_end_is_returned_though_the_watch_ended(world, inbox):
    of_watch(world, inbox, 0)

    assert wait_in_order(world, inbox, 0, lambda: Ended("finished", 1)) == [0]


def test_what_comes_after_the_topics_were_made_anew_is_returned(world, inbox):
    of_watch(world, inbox, 0, 1, 2)
    inbox.following.tail.expire(NOW_MS + 10**9)
    world.later(1, lambda: inbox.following.tail.reset(dict.fromkeys(PARTS, 0)))
    world.later(3.9, lambda: inbox.following.tail.add(FIRST, record(FIRST, 0, "new", watch_id="w", sequence=3)))

    assert wait_in_order(world, inbox, 3) == [3]


def test_a_wait_looks_through_the_tail_once(world):
    """A thousand waits that look at 20,000 events each second would stop the process."""
    inbox, looked = world.started(), []
    items = inbox.following.tail.items
    inbox.following.tail.items = lambda *given: looked.append(1) or items(*given)

    assert wait_in_order(world, inbox, 0, seconds=30) == []
    assert len(looked) == 1


# ---- streams -------------------------------------------------------------------------------------------------------


def test_a_stream_has_what_comes_in_order_and_pings_when_nothing_does(world, inbox):
    for number in range(5):
        soon(world, 0.2 + number / 100, inbox, FIRST, number)

    async def read():
        found, pings = [], 0
        async with aclosing(inbox.stream(ALL, inbox.here(ALL), idle=15.0)) as pages:
            async for page in pages:
                found += ids(page.items)
                pings += not page.items
                if pings == 2:
                    return found
        raise AssertionError

    began = world.loop.time()
    assert world.run(read()) == [f"0@{number}" for number in range(5)]
    assert 30 <= world.loop.time() - began < 32
    assert inbox.following.tail.subscribers == 0


def test_a_quiet_stream_of_a_busy_topic_keeps_a_cursor_that_is_not_forgotten(world):
    inbox = world.idle(events=10)
    for number in range(400):
        soon(world, number / 10, inbox, FIRST, number)
        world.later(number / 10, inbox.following.tail.expire, NOW_MS)

    async def read():
        async with aclosing(inbox.stream(Filter(recipient="19990000000"), inbox.here(ALL), idle=0.5)) as pages:
            async for page in pages:
                assert page.items == []
                cursor = read_back(page.cursor)
                if cursor.places[FIRST].offset > 300:
                    return cursor, inbox.here(ALL).places[FIRST].offset
        raise AssertionError

    cursor, read_to = world.run(read())
    assert cursor.places[FIRST].offset == read_to


@pytest.mark.parametrize("change", ["made anew", "another cluster", "trimmed"])
def test_a_stream_ends_where_it_would_skip_something(world, inbox, change):
    add(world, inbox, FIRST, 0)
    tail = inbox.following.tail

    def changes():
        if change == "trimmed":
            add(world, inbox, FIRST, 1)
            tail.expire(NOW_MS + 10**9)
        else:
            tail.reset(dict.fromkeys(PARTS, 0))
        if change == "another cluster":
            inbox.following.cluster += 1

    world.later(1, changes)

    async def read():
        async with aclosing(inbox.stream(ALL, inbox.here(ALL), idle=15.0)) as pages:
            async for page in pages:
                assert not page.items

    with pytest.raises(Gone):
        world.run(read())


def test_a_reader_of_a_stream_that_is_too_slow_is_told(world, inbox):
    async def read():
        async with aclosing(inbox.stream(ALL, inbox.since(ALL, 0), idle=15.0)) as pages:
            add(world, inbox, FIRST, 0)
            assert ids((await anext(pages)).items) == ["0@0"]
            add(world, inbox, FIRST, 1)
            inbox.following.tail.expire(NOW_MS + 10**9)
            await anext(pages)

    with pytest.raises(Gone):
        world.run(read())
