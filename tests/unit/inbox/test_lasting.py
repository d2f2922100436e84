"""Waits and streams: how many may be open, and how a stop ends them."""

import asyncio

import pytest

from inbox.lasting import Closing, Lasting, TooMany


async def hold(lasting: Lasting) -> None:
    async with lasting.one():
        await asyncio.Event().wait()


async def held(lasting: Lasting, count: int) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(hold(lasting)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_as_many_are_open_as_may_be_and_one_more_is_refused():
    lasting = Lasting(3)
    tasks = await held(lasting, 3)

    assert len(lasting) == 3
    with pytest.raises(TooMany):
        await hold(lasting)
    tasks[0].cancel()
    await asyncio.wait([tasks[0]])
    async with lasting.one():
        assert len(lasting) == 3
    lasting.close()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_stop_ends_all_that_are_open_and_all_that_come_later():
    lasting = Lasting()
    tasks = await held(lasting, 3)

    lasting.close()
    done, _ = await asyncio.wait(tasks)

    assert [type(each.exception()) for each in done] == [Closing] * 3
    assert len(lasting) == 0
    with pytest.raises(Closing):
        await hold(lasting)


async def test_what_takes_too_long_inside_is_not_a_stop():
    with pytest.raises(TimeoutError):
        async with Lasting().one():
            raise TimeoutError
