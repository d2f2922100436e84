"""How the tail is kept at the end of the topics, and what is said where it is not."""

import asyncio
import itertools
from contextlib import asynccontextmanager

import pytest
import structlog

from bus.kafka.client import KafkaAway
from bus.kafka.topics import TopicsError
from inbox.cursor import named
from inbox.filters import Filter
from inbox.following import A_MOMENT, ANSWER_SECONDS, BLIND_AFTER, LOOK_EVERY, Blind
from schemas.topics import RECEIVED
from tests.inbox_records import FIRST, HOUR_MS, NOW_MS, SECOND, ids, record
from tests.simulation.inbox import topics


def kept(inbox) -> list[str]:
    tail = inbox.following.tail
    return ids(tail.items(Filter(), tail.begins()))


def events(logs) -> list[str]:
    return [log["event"] for log in logs]


def test_what_was_published_is_read_and_so_is_what_comes(world):
    world.publish(FIRST, record(FIRST, 0))
    inbox = world.started()
    world.publish(FIRST, record(FIRST, 1))
    world.pass_time(1)

    assert kept(inbox) == ["0@0", "0@1"]
    assert world.run(inbox.following.wait_filled(0))
    assert inbox.following.cluster == named("first")


def test_what_is_too_old_or_too_much_is_not_even_read(world):
    for offset in range(10):
        world.publish(FIRST, record(FIRST, offset, time_ms=NOW_MS - (HOUR_MS * 2 if offset < 3 else 0)))
    by_hours, by_events = world.started(hours=1), world.started(events=2)

    assert kept(by_hours) == [f"0@{offset}" for offset in range(3, 10)]
    assert by_events.following.tail.begins()[FIRST].offset == 8


def test_before_the_topics_were_read_nobody_is_answered(world):
    world.topics.away = True
    inbox = world.started()

    assert not world.run(inbox.following.wait_filled(3))
    world.topics.away = False
    assert world.run(inbox.following.wait_filled(5))


def test_after_an_outage_reading_goes_on_where_it_ended(world):
    world.publish(FIRST, record(FIRST, 0))
    inbox = world.started()
    world.topics.away = True
    world.pass_time(60)
    world.publish(FIRST, record(FIRST, 1))
    world.topics.away = False
    world.pass_time(5)

    assert kept(inbox) == ["0@0", "0@1"]
    assert inbox.following.tail.resets == 1


def test_a_topic_that_was_made_anew_is_read_afresh_though_nothing_is_in_it(world):
    world.publish(FIRST, record(FIRST, 0))
    inbox = world.started()
    world.topics.make_anew(RECEIVED)
    world.pass_time(5)

    assert kept(inbox) == []
    world.publish(FIRST, record(FIRST, 0, "new"))
    world.pass_time(1)
    assert kept(inbox) == ["new"]


def test_there_are_always_partitions_to_answer_from_while_a_topic_is_made_anew(world):
    for offset in range(2):
        world.publish(FIRST, record(FIRST, offset))
    inbox = world.started()
    world.topics.make_anew(RECEIVED)
    world.publish(FIRST, record(FIRST, 0, "new"))
    for _ in range(50):
        world.pass_time(0.1)
        page = world.run(inbox.newest(Filter(), 10))
        assert len(page.cursor.text()) > 40


def test_another_cluster_is_read_afresh(world):
    world.publish(FIRST, record(FIRST, 0, "old"))
    inbox = world.started()
    world.topics.be_another()
    world.publish(FIRST, record(FIRST, 0, "new"))
    world.pass_time(60)

    assert kept(inbox) == ["new"]
    assert inbox.following.cluster == named(world.topics.cluster)


def test_nobody_is_answered_from_a_tail_that_is_filled_afresh(world):
    world.publish(FIRST, record(FIRST, 0))
    inbox = world.started()
    world.topics.be_another()
    for offset in range(50):
        world.publish(FIRST, record(FIRST, offset, f"new {offset}"))
    world.weather.at_once, answered = 1, set()
    for _ in range(6_000):
        world.pass_time(0.01)
        if world.run(inbox.following.wait_filled(0)):
            answered.add(len(kept(inbox)))

    assert answered == {1, 50}


def test_what_was_deleted_unread_during_an_outage_is_not_waited_for(world):
    world.publish(FIRST, record(FIRST, 0))
    inbox = world.started()
    world.topics.away = True
    world.pass_time(30)
    world.publish(FIRST, record(FIRST, 1))
    world.topics.delete(float("inf"))
    world.topics.away = False
    world.pass_time(30)

    assert inbox.following.degraded() == ()
    assert inbox.following.tail.ends[FIRST] == 2


# ---- behind, blind -------------------------------------------------------------------------------------------------


def test_whoever_keeps_up_is_not_degraded(world):
    inbox = world.started()
    for offset in range(100):
        world.publish(FIRST, record(FIRST, offset))
        world.pass_time(0.3)
        assert inbox.following.degraded() == ()
        assert inbox.following.behind_seconds == 0


def test_kafka_that_is_away_is_said_within_seconds_and_taken_back(world):
    inbox = world.started()
    world.topics.away = True
    world.pass_time(BLIND_AFTER + 2)
    assert inbox.following.degraded() == ("inbox_blind",)
    world.topics.away = False
    world.pass_time(30)
    assert inbox.following.degraded() == ()


def test_topics_that_cannot_be_read_are_said_at_once_and_until_they_can_be_though_brokers_answer(world):
    inbox = world.started()
    world.topics.unreadable = True
    world.publish(FIRST, record(FIRST, 0))
    with structlog.testing.capture_logs() as logs:
        world.pass_time(1)
        said = set()
        for _ in range(600):
            world.pass_time(0.1)
            said.add(inbox.following.degraded())
        world.topics.unreadable = False
        world.pass_time(3)

    assert said == {("inbox_blind",)}
    assert events(logs) == ["inbox_blind", "inbox_blind_no_more"]
    assert (logs[0]["error"], logs[0]["reason"]) == ("TopicsError", "no")
    assert inbox.following.degraded() == ()
    assert kept(inbox) == ["0@0"]


def test_who_may_not_read_from_the_start_is_blind_and_not_behind(world):
    world.topics.unreadable = True
    for offset in range(10):
        world.publish(FIRST, record(FIRST, offset))
    with structlog.testing.capture_logs() as logs:
        inbox = world.started()
        said = set()
        for _ in range(600):
            world.pass_time(0.1)
            said.add((inbox.following.degraded(), inbox.following.is_starting()))

    assert said == {(("inbox_blind",), False)}
    assert events(logs) == ["inbox_blind"]


def test_another_topic_that_may_not_be_read_is_named_once_too(world, monkeypatch):
    world.started()
    world.topics.unreadable, refusals = True, itertools.cycle(["one", "other"])
    monkeypatch.setattr(topics, "TopicsError", lambda _: TopicsError([next(refusals)]))
    with structlog.testing.capture_logs() as logs:
        world.pass_time(60)

    assert [log["reason"] for log in logs] == ["one", "other"]


def test_every_outage_is_logged_once(world):
    world.started()
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            world.topics.away = True
            world.pass_time(120)
            world.topics.away = False
            world.pass_time(30)

    assert events(logs) == ["inbox_blind", "inbox_blind_no_more"] * 3
    assert [log["error"] for log in logs if log["event"] == "inbox_blind"] == ["KafkaAway"] * 3


def test_an_outage_is_logged_before_the_brokers_silence_is_an_error(world):
    inbox = world.started()
    inbox.following._reader.ends = lambda: asyncio.sleep(1e9)  # type: ignore[method-assign]
    with structlog.testing.capture_logs() as logs:
        world.pass_time(BLIND_AFTER + 2)

    assert [(log["event"], log["error"]) for log in logs] == [("inbox_blind", "KafkaAway")]
    assert "2 seconds" in logs[0]["reason"]


def test_brokers_that_hang_are_said_within_some_three_seconds(world):
    inbox = world.started()
    inbox.following._reader.ends = lambda: asyncio.sleep(1e9)  # type: ignore[method-assign]
    world.pass_time(LOOK_EVERY + ANSWER_SECONDS + A_MOMENT + 0.1)
    assert inbox.following.degraded() == ("inbox_blind",)


def test_brokers_that_take_their_time_are_not_said_to_be_away(world):
    inbox = world.started()
    answer = inbox.following._reader.ends

    async def late():
        await asyncio.sleep(ANSWER_SECONDS + A_MOMENT / 2)
        return await answer()

    inbox.following._reader.ends = late  # type: ignore[method-assign]
    for _ in range(100):
        world.pass_time(0.1)
        assert "inbox_blind" not in inbox.following.degraded()


def test_a_fetch_that_never_returns_is_given_up(world):
    readers = []

    @asynccontextmanager
    async def opened():
        from tests.simulation.inbox.topics import open_reader

        async with open_reader(world.topics, world.weather) as reader:
            readers.append(reader)
            if len(readers) == 1:
                reader.fetch = lambda: asyncio.sleep(1e9)  # type: ignore[method-assign]
            yield reader

    inbox = world.inbox(opened=opened)
    world.loop.call_soon(inbox.following.start)
    world.publish(FIRST, record(FIRST, 0))
    world.pass_time(20)

    assert kept(inbox) == ["0@0"]


def test_a_reader_that_is_slower_than_what_comes_is_behind_until_it_is_not(world):
    inbox = world.started()
    world.weather.at_once, world.weather.slow = 1, 1.0
    with structlog.testing.capture_logs() as logs:
        for offset in range(100):
            world.publish(FIRST, record(FIRST, offset))
            world.pass_time(0.1)
    assert events(logs) == ["inbox_behind"]
    said = set()
    for _ in range(50):
        world.pass_time(0.1)
        said.add(inbox.following.degraded())
    assert said == {("inbox_behind",)}
    assert inbox.following.behind_seconds > 4
    assert 40 < inbox.following.behind_records < 100
    world.weather.at_once, world.weather.slow = 1000, 0
    with structlog.testing.capture_logs() as logs:
        world.pass_time(4)
    assert events(logs) == ["inbox_behind_no_more"]
    assert (inbox.following.degraded(), inbox.following.behind_seconds) == ((), 0)
    assert inbox.following.behind_records == 0


# ---- questions -----------------------------------------------------------------------------------------------------


def test_no_answer_is_older_than_its_question(world):
    inbox = world.started()
    world.weather.slow = 2.0
    answers = []

    async def ask():
        asked_at = world.loop.time()
        answers.append((await inbox.following.ends()).asked_at - asked_at)

    for _ in range(200):
        world.loop.create_task(ask())
        world.pass_time(0.1)
    world.pass_time(10)

    assert len(answers) == 200
    assert min(answers) >= 0


def test_a_thousand_who_ask_at_once_share_a_question(world):
    inbox, asked = world.started(), []
    reader = inbox.following._reader
    ends = reader.ends

    async def counted():
        asked.append(1)
        return await ends()

    reader.ends = counted  # type: ignore[method-assign]

    async def ask():
        await asyncio.gather(*(inbox.following.ends() for _ in range(1000)))

    world.run(ask())
    assert len(asked) <= 3


def test_an_answer_of_another_cluster_is_none(world):
    inbox, gate = world.idle(), asyncio.Event()
    world.topics.write(FIRST, {}, NOW_MS, 0)

    async def late():
        await gate.wait()
        return world.topics.ends()

    inbox.following._reader.ends = late  # type: ignore[method-assign]

    async def ask():
        asking = asyncio.create_task(inbox.following.ends())
        await asyncio.sleep(0.1)
        inbox.following._reader = object()
        gate.set()
        await asking

    with pytest.raises(Blind):
        world.run(ask())


@pytest.mark.parametrize(
    "end",
    [KafkaAway, TopicsError(["no"]), asyncio.CancelledError, "hangs"],
    ids=["away", "not shown", "cancelled", "hangs"],
)
def test_a_question_without_an_answer_ends_and_so_does_the_next(world, end):
    inbox = world.idle()

    async def no_answer():
        if end == "hangs":
            await asyncio.sleep(1e9)
        raise end

    inbox.following._reader.ends = no_answer  # type: ignore[method-assign]
    for _ in range(2):
        began = world.loop.time()
        with pytest.raises(Blind):
            world.run(inbox.following.ends())
        assert world.loop.time() - began < 2 * BLIND_AFTER + 1
    world.topics.write(SECOND, {}, NOW_MS, 0)
    del inbox.following._reader.ends
    assert world.run(inbox.following.ends())[SECOND] == 1


def test_whoever_asks_and_goes_leaves_the_question_to_the_others(world):
    inbox = world.idle()
    world.weather.slow = 1.0

    async def ask():
        one, other = (asyncio.create_task(inbox.following.ends()) for _ in range(2))
        await asyncio.sleep(0.01)
        one.cancel()
        assert await other == world.topics.ends()

    world.run(ask())


def test_it_stops_at_once_wherever_it_is(world):
    world.weather.slow = 5.0
    for pause in range(20):
        inbox = world.inbox()

        async def stop(inbox=inbox, pause=pause):
            inbox.following.start()
            await asyncio.sleep(pause / 3)
            world.weather.slow = 0
            await inbox.following.stop()
            assert not inbox.following.alive()

        world.run(stop())
        world.weather.slow = 5.0
