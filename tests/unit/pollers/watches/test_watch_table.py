"""What a replica knows of all watches: from records as the topics bring them, in any order and from any version."""

import asyncio
import json

import pytest

from bus.kafka.client import KafkaAway
from bus.kafka.reader import ReadRecord
from bus.record import partition_of
from bus.settings import KafkaSettings
from pollers.tracking.state import Newest, WatchState
from pollers.watch_commands import WatchRequest, with_request
from pollers.watches import watch_table
from pollers.watches.open_watches import BY_AGE, MOST, OLDER, RENT, WITH_SMS, Open, weights
from pollers.watches.watch_entry import Progress
from pollers.watches.watch_listing import Filters
from pollers.watches.watch_table import WatchTable
from schemas.messages import Watch, WatchRecord
from schemas.topics import STATES, WATCH_PARTITIONS, WATCHES
from tests.virtual_time import virtual

NOW_MS = 1_795_000_000_000
FRESH = BY_AGE[0][1]
NOBODY: frozenset[int] = frozenset()


class Topics:
    """A table, and records for it in the order of their offsets."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS
        self.table = WatchTable(KafkaSettings(), now_ms=lambda: self.now_ms)
        self.offset = 0

    def take(self, topic: str, watch_id: str, value: bytes | None) -> ReadRecord:
        partition = partition_of(watch_id.encode(), WATCH_PARTITIONS)
        record = ReadRecord(partition, self.offset, self.now_ms, watch_id.encode(), value, {})
        self.offset += 1
        self.table.take(topic, record)
        return record

    def request(self, watch: Watch) -> ReadRecord:
        return self.take(WATCHES, watch.watch_id, watch.to_json())

    def commit(self, watch: Watch, **values) -> ReadRecord:
        return self.take(STATES, watch.watch_id, state(watch, **values).to_json())


@pytest.fixture
def topics():
    return Topics()


def order(number, *, request_id="r1", at_ms=NOW_MS, **wanted) -> WatchRecord:
    asked = WatchRequest(account="main", order_id=str(number), **wanted).watch(at_ms, request_id)
    return WatchRecord.model_validate(asked.model_dump())


def state(watch, *, applied="r1", **values) -> WatchState:
    live = watch.model_copy(update={"expires_at": "2026-11-18T11:31:40.000Z", "request_id": None})
    return WatchState(watch=live, provider="smsman", key="1", looked_ms=NOW_MS, applied=applied, **values)


def test_a_watch_is_known_once_it_was_asked_for_and_its_state_says_how_far_it_has_come(topics):
    watch = order(1)
    topics.request(watch)
    asked = topics.table.get(watch.watch_id)
    topics.commit(watch, sms_count=2)
    opened = topics.table.get(watch.watch_id)

    assert (asked.watch, asked.progress, asked.sms_count) == (watch, None, 0)
    assert (opened.sms_count, opened.ended, opened.unreadable) == (2, None, False)
    assert topics.table.state(watch.watch_id) == opened.state


def test_the_end_of_a_watch_stated_by_nobody_is_its_lifetime_and_the_shard_s_word_counts(topics):
    watch = order(1)
    topics.request(watch)
    before = topics.table.get(watch.watch_id).expires_at
    topics.take(STATES, watch.watch_id, state(watch).to_json().replace(b"11:31:40", b"12:00:00"))

    assert before == "2026-11-18T11:31:40.000Z"
    assert topics.table.get(watch.watch_id).expires_at == "2026-11-18T12:00:00.000Z"


@pytest.mark.parametrize("state_first", [True, False])
def test_an_ended_watch_is_ended_whichever_topic_is_read_first(topics, state_first):
    watch = order(1)
    if state_first:
        topics.commit(watch, ended="expired")
        assert topics.table.get(watch.watch_id) is None
        topics.request(watch)
    else:
        topics.request(watch)
        topics.commit(watch, ended="expired")

    known = topics.table.get(watch.watch_id)
    assert (known.ended, known.watch.order_id, known.state.ended) == ("expired", "1", "expired")
    assert (topics.table.state(watch.watch_id), topics.table.others("main", NOBODY)) == (None, 0)


def test_an_ended_watch_keeps_its_last_state_until_it_is_forgotten_or_opened_again(topics):
    watch = order(1)
    topics.request(watch)
    topics.commit(watch, ended="finished", performed="finish", performed_ms=NOW_MS, answer="over", opening=2)
    ended = topics.table.get(watch.watch_id).state
    topics.request(order(1, request_id="r2"))
    asked = topics.table.get(watch.watch_id)
    topics.commit(watch, applied="r2")
    again = topics.table.get(watch.watch_id).state

    assert (ended.performed, ended.performed_ms, ended.answer, ended.opening) == ("finish", NOW_MS, "over", 2)
    assert (asked.state, asked.ended) == (None, None)
    assert (again.ended, again.performed) == (None, None)


def test_an_ended_watch_that_is_asked_for_again_is_no_longer_ended(topics):
    watch = order(1)
    topics.request(watch)
    topics.commit(watch, sms_count=3, ended="gone")
    topics.request(order(1, request_id="r2"))
    again = topics.table.get(watch.watch_id)
    topics.commit(watch, applied="r2", sms_count=3)

    assert (again.ended, again.sms_count) == (None, 3)
    assert topics.table.get(watch.watch_id).ended is None


def test_another_request_does_not_open_an_ended_watch_again(topics):
    watch = order(1)
    topics.request(watch)
    topics.commit(watch, ended="gone")
    topics.request(with_request(watch, "finish", request_id="r2"))

    assert topics.table.get(watch.watch_id).ended == "gone"


def test_what_was_forgotten_is_not_there(topics):
    watch = order(1)
    topics.request(watch)
    topics.commit(watch, ended="expired")
    topics.take(WATCHES, watch.watch_id, None)
    topics.take(STATES, watch.watch_id, None)

    assert topics.table.get(watch.watch_id) is None
    assert topics.table._entries == {}


def test_a_record_that_is_read_twice_changes_nothing(topics):
    watch = order(1)
    old = topics.request(watch)
    topics.request(with_request(watch, "finish", request_id="r2"))
    topics.table.take(WATCHES, old)

    assert topics.table.get(watch.watch_id).watch.desired == "finish"


def test_a_state_of_a_newer_format_is_shown_as_unreadable(topics):
    watch = order(1)
    topics.commit(watch)
    topics.take(STATES, watch.watch_id, json.dumps(json.loads(state(watch).to_json()) | {"format": 2}).encode())

    known = topics.table.get(watch.watch_id)
    assert (known.unreadable, known.stuck, known.ended) == (True, True, None)


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"watch": 1}', b'{"sms_count": -1, "watch": {}}'])
def test_a_state_that_cannot_be_read_is_shown_as_such_and_breaks_nothing(topics, broken):
    watch = order(1)
    topics.request(watch)
    topics.take(STATES, watch.watch_id, broken)

    known = topics.table.get(watch.watch_id)
    assert (known.unreadable, known.stuck, known.watch, known.ended) == (True, True, watch, None)
    assert topics.table.others("main", NOBODY) == 0


def test_a_command_that_cannot_be_read_is_shown_as_such_and_its_live_watch_goes_on(topics):
    topics.take(WATCHES, "nobody-s", b"{")
    watch = order(1)
    topics.commit(watch)
    topics.take(WATCHES, watch.watch_id, b"{")

    alone, live = topics.table.get("nobody-s"), topics.table.get(watch.watch_id)
    assert (alone.watch, alone.unreadable, alone.stuck) == (None, True, False)
    assert (live.watch.order_id, live.unreadable) == ("1", False)


def test_the_weight_of_others_is_that_of_the_account_s_open_watches_on_their_partitions(topics):
    fresh, aged, seen, rent = order(1), order(2, at_ms=NOW_MS - 600_000), order(3), order(4, order_kind="rent")
    for watch in (fresh, aged, seen, rent, order(5)):
        topics.request(watch)
    topics.commit(seen, sms_count=1)
    topics.commit(order(5), ended="expired")

    mine = partition_of(fresh.watch_id.encode(), WATCH_PARTITIONS)
    assert topics.table.others("main", NOBODY) == pytest.approx(FRESH + OLDER + WITH_SMS + RENT)
    assert topics.table.others("main", frozenset(range(12))) == 0
    assert topics.table.others("main", frozenset({mine})) <= OLDER + WITH_SMS + RENT + 1e-9
    assert topics.table.others("other", NOBODY) == 0


def test_a_watch_whose_next_sms_was_asked_for_weighs_like_one_that_was_opened_then(topics):
    old = order(1, at_ms=NOW_MS - 900_000)
    topics.request(old)
    newest = Newest(mark="0" * 16, text=None, time=None, came_ms=NOW_MS, boundary="requested", boundary_ms=NOW_MS)
    topics.commit(old, sms_count=1, newest=newest)

    assert topics.table.others("main", NOBODY) == pytest.approx(FRESH)


def test_weights_are_two_seconds_old_at_most(topics):
    topics.request(order(1))
    first = topics.table.others("main", NOBODY)
    topics.request(order(2))
    at_once = topics.table.others("main", NOBODY)
    topics.now_ms += 2_000

    assert (first, at_once) == (FRESH, FRESH)
    assert topics.table.others("main", NOBODY) == pytest.approx(2 * FRESH)


def test_of_very_many_watches_a_part_is_weighed_for_all():
    shard = {str(number): Open(is_rent=True, since_ms=0, rests=False) for number in range(MOST)}

    assert weights({0: shard, 1: shard}, NOW_MS) == pytest.approx({0: MOST * RENT, 1: MOST * RENT})


async def test_topics_that_were_made_anew_are_read_anew(topics, monkeypatch):
    old, new = order(1), order(2)
    records: list[ReadRecord] = []

    async def read(_, topic, **__):
        for record in records if topic == WATCHES else ():
            yield record

    monkeypatch.setattr(watch_table, "read", read)
    records = [ReadRecord(0, 7, NOW_MS, old.watch_id.encode(), old.to_json(), {})]
    await topics.table.fill()
    records = [ReadRecord(0, 0, NOW_MS, new.watch_id.encode(), new.to_json(), {})]
    await topics.table.fill()

    assert topics.table.get(old.watch_id) is None
    assert topics.table.get(new.watch_id).watch == new
    assert topics.table.others("main", NOBODY) == FRESH


async def test_the_outcome_of_a_request_is_there_as_soon_as_its_shard_has_committed_it(topics):
    watch = order(1)
    topics.request(watch)
    asking = asyncio.ensure_future(topics.table.applied(watch.watch_id, "r2", 5))
    await asyncio.sleep(0)
    topics.commit(watch, applied="r1", outcome="accepted")
    topics.commit(watch, applied="r2", outcome="already")

    assert await asking == Progress(0, None, "already")
    assert await topics.table.applied(watch.watch_id, "r2", 5) == Progress(0, None, "already")
    assert await topics.table.applied(watch.watch_id, "r3", 0.01) is None
    assert topics.table._asking == {}


async def test_watches_are_listed_newest_first_and_page_by_page(topics):
    for number in (2, 1, 3, 5, 4):
        topics.request(order(number, at_ms=NOW_MS + number))

    first = await topics.table.listing(limit=2)
    second = await topics.table.listing(limit=2, after=first.next)
    third = await topics.table.listing(limit=2, after=second.next)

    pages = [[known.watch.order_id for known in page.watches] for page in (first, second, third)]
    assert pages == [["5", "4"], ["3", "2"], ["1"]]
    assert third.next is None
    assert [page.total for page in (first, second, third)] == [5, 5, 5]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(), ["4", "3", "2", "1"]),
        (Filters(account="main"), ["4", "3", "2", "1"]),
        (Filters(account="other"), []),
        (Filters(state="open"), ["3", "2", "1"]),
        (Filters(state="ended"), ["4"]),
        (Filters(state="gone"), ["4"]),
        (Filters(state="expired"), []),
        (Filters(client_ref="mine"), ["2"]),
        (Filters(recipient="+33 774 545 375"), ["3"]),
        (Filters(recipient="33774545376"), ["1"]),
        (Filters(recipient="33774545377"), ["4"]),
    ],
)
async def test_a_filter_lists_what_has_it(topics, filters, found):
    watches = [
        order(1, at_ms=NOW_MS + 1),
        order(2, at_ms=NOW_MS + 2, client_ref="mine"),
        order(3, at_ms=NOW_MS + 3, recipient="33774545375"),
        order(4, at_ms=NOW_MS + 4),
    ]
    for watch in watches:
        topics.request(watch)
    topics.commit(watches[0], recipient="+33774545376")
    topics.commit(watches[3], ended="gone", recipient="+33774545377")  # its command names none

    listing = await topics.table.listing(filters)

    assert [known.watch.order_id for known in listing.watches] == found
    assert listing.total == len(found)


async def test_what_cannot_be_read_is_listed_too(topics):
    topics.take(WATCHES, "odd", json.dumps({"order_id": 7}).encode())

    listing = await topics.table.listing(Filters(state="unreadable"))

    assert [known.watch_id for known in listing.watches] == ["odd"]


async def test_a_place_that_no_page_gave_is_refused(topics):
    for odd in ("", "x", "äö", "bm90OmFwbGFjZQ"):
        with pytest.raises(ValueError, match="not a place"):
            await topics.table.listing(after=odd)


class Commands:
    """A reading that is at the end when a test says so."""

    def __init__(self) -> None:
        self.asked = 0
        self.at_end = asyncio.Event()

    async def to_end(self) -> None:
        self.asked += 1
        await self.at_end.wait()
        self.at_end.clear()


@virtual
async def test_who_asks_whether_it_is_up_to_date_shares_a_question_that_comes_later():
    table, commands = WatchTable(KafkaSettings()), Commands()
    table._commands = commands
    tasks = [asyncio.create_task(table.catch_up())]
    await asyncio.sleep(1)
    tasks += [asyncio.create_task(table.catch_up()) for _ in range(100)]
    await asyncio.sleep(1)
    commands.at_end.set()
    await asyncio.sleep(1)
    after_the_first = [task.done() for task in tasks]
    commands.at_end.set()
    await asyncio.gather(*tasks)

    assert after_the_first == [True] + [False] * 100
    assert commands.asked == 2


@virtual
async def test_who_asks_and_goes_leaves_the_others_a_question_of_their_own():
    table, commands = WatchTable(KafkaSettings()), Commands()
    table._commands = commands
    goes, stays = asyncio.create_task(table.catch_up()), asyncio.create_task(table.catch_up())
    await asyncio.sleep(1)
    goes.cancel()
    await asyncio.sleep(1)
    commands.at_end.set()
    await stays

    assert commands.asked == 2


@pytest.mark.parametrize("breaks", [asyncio.CancelledError, ValueError, KafkaAway])
async def test_whatever_ends_the_reading_it_is_read_again(monkeypatch, breaks):
    """Over TLS a stray `CancelledError` ended the following for good: /v1/watches answered 503 for ever."""
    monkeypatch.setattr(watch_table, "RETRY", 0)
    table, read = WatchTable(KafkaSettings()), asyncio.Event()
    outcomes = [breaks("broken"), None]

    async def read_all():
        if outcome := outcomes.pop(0):
            raise outcome

    async def stay(*_, **__):
        read.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(table, "_read_all", read_all)
    monkeypatch.setattr(table, "_read_both", stay)
    following = asyncio.create_task(table.follow())
    await asyncio.wait([asyncio.create_task(read.wait()), following], return_when=asyncio.FIRST_COMPLETED)
    still = not following.done()
    following.cancel()
    await asyncio.wait([following])

    assert (still, table.behind, table.filled) == (True, False, True)
    assert following.cancelled()
