"""Going on from a cursor without a tail: what cannot be continued without a gap is refused."""

from typing import Any

import pytest

from bus.kafka.topics_reader import Part
from inbox.asking import OtherFilter
from inbox.continuing import check
from inbox.cursor import Cursor, Place, mark_of, named, parts_of
from inbox.filters import Filter
from inbox.tail import Gone
from schemas.topics import RECEIVED
from tests.inbox_part import Topics
from tests.unit.schemas.test_messages import received

FIRST, SECOND = Part(RECEIVED, 0), Part(RECEIVED, 1)
ALL = Filter()


@pytest.fixture
def topics() -> Topics:
    """Two SMS in the first partition, junk in the second."""
    topics = Topics(now_ms=0)
    for _ in range(2):
        topics.publish(received())
    topics.put(SECOND, b"junk", 0, {})
    return topics


def cursor(places: dict[Part, Place], wanted: Filter = ALL, cluster: str = "memory") -> Cursor:
    everywhere = dict.fromkeys(parts_of((RECEIVED,)), Place(0))
    return Cursor(named(cluster), wanted.digest(), 0, everywhere | places)


MARK = mark_of(received().event_id)


@pytest.mark.parametrize("place", [Place(0), Place(1), Place(1, MARK), Place(2, MARK)])
async def test_what_follows_a_place_that_is_there_can_be_read(topics: Topics, place: Place) -> None:
    await check(topics, cursor({FIRST: place}), ALL)


@pytest.mark.parametrize(
    "places",
    [{FIRST: Place(3)}, {FIRST: Place(2, MARK + 1)}, {SECOND: Place(1, MARK)}, {SECOND: Place(2)}],
    ids=["past the end", "after another SMS", "after junk", "past another end"],
)
async def test_a_place_of_a_topic_that_was_made_anew_is_gone(topics: Topics, places: dict[Part, Place]) -> None:
    with pytest.raises(Gone):
        await check(topics, cursor(places), ALL)


async def test_a_place_before_the_oldest_record_is_gone_and_one_at_it_has_no_record_before(
    topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def begins(*_: Any) -> dict[Part, int]:
        return dict.fromkeys(await topics.ends(), 0) | {FIRST: 1}

    monkeypatch.setattr(topics, "begins", begins)
    await check(topics, cursor({FIRST: Place(1, MARK + 1)}), ALL)
    with pytest.raises(Gone):
        await check(topics, cursor({FIRST: Place(0)}), ALL)


async def test_a_cursor_of_another_cluster_is_gone(topics: Topics) -> None:
    with pytest.raises(Gone):
        await check(topics, cursor({}, cluster="other"), ALL)


async def test_a_cursor_belongs_to_its_filter_and_one_of_all_to_every_filter(topics: Topics) -> None:
    ours = Filter(recipient="1")
    await check(topics, cursor({}, ours), ours)
    await check(topics, cursor({}), ours)
    with pytest.raises(OtherFilter):
        await check(topics, cursor({}, ours), ALL)
