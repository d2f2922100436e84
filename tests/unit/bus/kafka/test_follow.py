"""Following a topic goes on after an outage, from where it was."""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import suppress

import pytest

from bus.kafka import reader
from bus.kafka.client import KafkaAway
from bus.kafka.reader import END, ReadRecord, Start, at, follow
from bus.settings import KafkaSettings

Step = Mapping[int, int] | tuple[int, int] | KafkaAway
"""Where the reading begins, a record (partition and offset), or an outage."""
AWAY = KafkaAway("no Kafka broker answers")
KAFKA = KafkaSettings(bootstrap_servers="kafka:9092")


class Ended(Exception):
    """The script is over."""


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Start]]:
    def scripted(*steps: Step) -> list[Start]:
        begun: list[Start] = []
        left: Iterator[Step] = iter(steps)

        async def read(
            _: KafkaSettings, __: str, *, start: Start, follow: bool, placed: Callable[[Mapping[int, int]], None]
        ) -> AsyncGenerator[ReadRecord, None]:
            assert follow
            begun.append(start)
            for step in left:
                if isinstance(step, KafkaAway):
                    raise step
                if isinstance(step, Mapping):
                    placed(step)
                else:
                    yield ReadRecord(*step, 0, None, None, {})
            raise Ended

        monkeypatch.setattr(reader, "read", read)
        monkeypatch.setattr(reader, "RETRY", 0)
        return begun

    return scripted


async def followed(said: list[str]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    with suppress(Ended):
        async for record in follow(KAFKA, "t", start=END, say=said.append):
            found += [(record.partition, record.offset)]
    return found


async def test_after_an_outage_each_partition_goes_on_where_it_was(script: Callable[..., list[Start]]) -> None:
    begun = script({0: 5, 1: 9}, (0, 5), (0, 6), AWAY, AWAY, {0: 7, 1: 9}, (1, 9), (0, 7))
    said: list[str] = []

    assert await followed(said) == [(0, 5), (0, 6), (1, 9), (0, 7)]
    assert begun == [END, at({0: 7, 1: 9}), at({0: 7, 1: 9})]
    assert len(said) == 1
    assert said[0].startswith("Kafka away: kafka:9092 does not answer")


async def test_each_outage_is_said_once(script: Callable[..., list[Start]]) -> None:
    script({0: 5}, AWAY, AWAY, {0: 5}, AWAY, {0: 5})
    said: list[str] = []

    assert await followed(said) == []
    assert len(said) == 2


async def test_brokers_that_never_answered_are_an_error(script: Callable[..., list[Start]]) -> None:
    script(AWAY)
    with pytest.raises(KafkaAway):
        await anext(follow(KAFKA, "t", start=END, say=lambda _: None))
