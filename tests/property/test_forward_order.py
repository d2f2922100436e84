"""Whatever targets say and whenever the process dies: no event is lost, and first occurrences are in order."""

import asyncio
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from forwarding.delivery import NoResponse, Response
from tests.forwarding_part import Letters, Partition, Reader, Target, forward_of
from tests.virtual_time import VirtualLoop

OUTCOMES = [
    *[Response(200)] * 4,
    Response(500),
    Response(429, 5.0),
    Response(422),
    Response(404),
    NoResponse("timeout"),
]


class Life(NamedTuple):
    """Of a process: how long it lives, how often it commits, and whether it is stopped or killed."""

    seconds: float
    commits_every: float
    is_killed: bool


lives = st.builds(Life, st.floats(0.01, 60), st.floats(0.1, 30), st.booleans())


@given(
    st.lists(st.sampled_from(OUTCOMES), max_size=60),
    st.lists(lives, max_size=6),
    st.sampled_from([0.0, 0.01, 0.7, 3.0]),
    st.integers(1, 20),
    st.integers(0, 5),
)
def test_nothing_is_lost_and_the_order_is_kept(outcomes, lives, seconds: float, events: int, away: int):
    left = list(outcomes)
    partition, letters = Partition(), Letters(away)
    target = Target(lambda _: left.pop() if left else Response(200), seconds)
    ids = partition.publish(events)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        for life in [*lives, Life(10_000, 10_000, is_killed=False)]:
            runner.run(live(life, partition, target, letters))

    refused = {letter.facts["refused_id"] for letter in letters.put_there}
    first_taken = list(dict.fromkeys(target.taken))
    assert first_taken == [event_id for event_id in ids if event_id in first_taken]
    assert set(first_taken) | refused == set(ids)
    assert partition.committed == events


async def live(life: Life, partition: Partition, target: Target, letters: Letters) -> None:
    partition.more = asyncio.Event()  # of this loop
    reader = Reader(partition)
    running = asyncio.ensure_future(forward_of(reader, target, letters).run())
    committing = asyncio.ensure_future(commit(reader, life.commits_every))
    await asyncio.sleep(life.seconds)
    committing.cancel()
    committed = partition.committed
    running.cancel()
    await asyncio.wait([running, committing])
    for left in asyncio.all_tasks() - {asyncio.current_task()}:
        left.cancel()  # nothing survives its process
    if life.is_killed:
        partition.committed = committed


async def commit(reader: Reader, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        reader.commit()
