"""How far back a trace reads, and that its time is limited."""

from collections.abc import Callable

import pytest

from app.progress import Progress
from app.trace.searching import HOUR_MS, SPANS_MS, Round, Search
from app.trace.target import Target
from bus.kafka import reader
from bus.settings import KafkaSettings
from schemas.topics import RECEIVED, REJECTED, WATCH_ENDED
from tests.messages import rejected, sms
from tests.unit.app.trace.trace_records import NOW_MS, Topics, end_of, record

NUMBER = "16470000000"
MINUTE_MS = 60_000
Find = Callable[..., Search]


@pytest.fixture
def search(monkeypatch: pytest.MonkeyPatch) -> Find:
    def over(topics: Topics, target: Target, *, seconds: float = 60, clock=lambda: 0.0) -> Search:
        monkeypatch.setattr(reader, "read", topics.read)
        return Search(KafkaSettings(), target, Progress(print, clock=clock), seconds=seconds, clock=clock)

    return over


def spans(topics: Topics) -> list[int | None]:
    """How long before now each round began; None: at the beginning."""
    starts = [start for topic, start in topics.asked if topic == RECEIVED]
    return [NOW_MS - start.value if start.where == "time" else None for start in starts]


def aged(n: int, age_ms: int, offset: int = 0):
    return record(sms(NUMBER, n), offset, time_ms=NOW_MS - age_ms)


@pytest.mark.parametrize(
    ("ages_ms", "expected"),
    [
        ([MINUTE_MS], SPANS_MS[:1]),
        ([90 * MINUTE_MS], SPANS_MS[:2]),
        ([10 * HOUR_MS], SPANS_MS[:2]),
        ([100 * HOUR_MS], (*SPANS_MS, None)),
        ([], (*SPANS_MS, None)),
    ],
    ids=["a minute", "less than an hour from where reading began", "hours", "days", "nowhere"],
)
async def test_an_id_is_looked_for_until_an_hour_before_it_was_read(search: Find, ages_ms, expected) -> None:
    topics = Topics({RECEIVED: [aged(0, age_ms) for age_ms in ages_ms]})

    found = await search(topics, Target(id=sms(NUMBER).id)).newest(NOW_MS, 20)

    assert spans(topics) == [*expected]
    assert len(found.events) == len(ages_ms)
    assert found.whole


async def test_of_a_number_it_reads_until_there_are_enough(search: Find) -> None:
    records = [aged(2, 80 * HOUR_MS), aged(1, 10 * HOUR_MS, 1), aged(0, MINUTE_MS, 2)]
    target = Target(number=NUMBER)

    one, two, three = [Topics({RECEIVED: records}) for _ in range(3)]
    await search(one, target).newest(NOW_MS, 1)
    await search(two, target).newest(NOW_MS, 2)
    found = await search(three, target).newest(NOW_MS, 3)

    assert (spans(one), spans(two), spans(three)) == ([*SPANS_MS[:1]], [*SPANS_MS[:2]], [*SPANS_MS, None])
    assert [event.places[0].offset for event in found.of(RECEIVED)] == [0, 1, 2]


async def test_a_repeat_is_one_more_place_of_its_event(search: Find) -> None:
    first, again = record(sms(NUMBER), 4), record(sms(NUMBER), 9, via="journal", instance="two")

    found = await search(Topics({RECEIVED: [first, again]}), Target(id=sms(NUMBER).id)).since(0)

    [event] = found.events.values()
    assert [(place.offset, place.via, place.instance) for place in event.places] == [
        (4, "kafka", "one"),
        (9, "journal", "two"),
    ]


async def test_the_end_of_its_watch_belongs_to_an_sms(search: Find) -> None:
    watched = sms(NUMBER).model_copy(update={"watch_id": "w"})
    topics = Topics({RECEIVED: [record(watched, 0)], WATCH_ENDED: [record(end_of("w"), 0), record(end_of("x"), 1)]})

    found = await search(topics, Target(id=watched.id)).since(0)

    assert [event.item.watch_id for event in found.of(WATCH_ENDED)] == ["w"]


async def test_letters_with_the_number_in_them_are_found(search: Find) -> None:
    letters = [rejected(b'{"to": 16470000000'), rejected(b"hello")]
    topics = Topics({REJECTED: [record(letter, offset) for offset, letter in enumerate(letters)]})

    found = await search(topics, Target(number=NUMBER)).since(0)

    assert [event.item.id for event in found.of(REJECTED)] == [letters[0].id]


def ticking(step: float) -> Callable[[], float]:
    times = iter(range(10**9))
    return lambda: next(times) * step


async def test_when_time_runs_out_the_last_whole_round_counts(search: Find) -> None:
    records = [*(aged(n, 10 * HOUR_MS, n) for n in range(1, 50)), aged(0, MINUTE_MS, 50)]
    topics = Topics({RECEIVED: records})

    found = await search(topics, Target(number=NUMBER), seconds=20, clock=ticking(1.0)).newest(NOW_MS, 20)

    assert spans(topics) == [*SPANS_MS[:2]]
    assert (found.since_ms, found.whole, len(found.events)) == (NOW_MS - SPANS_MS[0], True, 1)


async def test_when_time_runs_out_in_the_first_round_what_was_found_is_returned_as_a_part(search: Find) -> None:
    topics = Topics({RECEIVED: [aged(n, MINUTE_MS, n) for n in range(50)]})

    found = await search(topics, Target(number=NUMBER), seconds=20, clock=ticking(1.0)).newest(NOW_MS, 20)

    assert isinstance(found, Round)
    assert not found.whole
    assert 0 < len(found.events) < 50
    assert len(topics.asked) == 1
