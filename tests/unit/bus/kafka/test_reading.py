"""How far a reading has come: whoever asks is answered once all is processed that was published before."""

import asyncio
from collections.abc import Callable

from aiokafka import TopicPartition

from bus.kafka.reader import Offsets, Reading
from tests.virtual_time import virtual

FIRST, SECOND = TopicPartition("t", 0), TopicPartition("t", 1)


async def is_done(task: "asyncio.Task[None]") -> bool:
    await asyncio.sleep(1)
    return task.done()


def published(ends: Offsets) -> "Callable[[], asyncio.Future[Offsets]]":
    def ask() -> "asyncio.Future[Offsets]":
        answer: asyncio.Future[Offsets] = asyncio.get_running_loop().create_future()
        answer.set_result({**ends})
        return answer

    return ask


@virtual
async def test_the_end_is_reached_when_every_partition_is_where_it_ended_when_it_was_asked() -> None:
    reading, ends = Reading(), {FIRST: 2, SECOND: 1}
    with reading.of(published(ends)):
        reached = asyncio.create_task(reading.to_end())
        seen = [await is_done(reached)]
        ends[FIRST] = 9  # published later
        for positions in ({FIRST: 2, SECOND: 0}, {FIRST: 2, SECOND: 1}):
            reading.moved(positions)
            seen.append(await is_done(reached))
        later = asyncio.create_task(reading.to_end())
        seen.append(await is_done(later))

    assert seen == [False, False, True, False]


@virtual
async def test_where_nothing_reads_yet_or_any_more_the_next_reading_is_asked() -> None:
    reading = Reading()
    reached = asyncio.create_task(reading.to_end())
    seen = [await is_done(reached)]
    with reading.of(published({FIRST: 0})):
        seen.append(await is_done(reached))
    again = asyncio.create_task(reading.to_end())
    seen.append(await is_done(again))
    with reading.of(published({FIRST: 0})):
        seen.append(await is_done(again))

    assert seen == [False, True, False, True]
