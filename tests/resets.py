"""A connection that is reset right behind a request, before the server has begun with it."""

import asyncio
import gc
from collections.abc import Callable, Sequence
from typing import Any

from aiohttp.web import RequestHandler


async def complaints_of_a_reset(made: Callable[[], Sequence[RequestHandler]], sent: bytes) -> list[dict[str, Any]]:
    """Have the one connection of `made` read this and be reset at once; return what the loop was left with."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    async with asyncio.timeout(5):
        while not made() or made()[0]._waiter is None:
            await asyncio.sleep(0)
    (connection,) = made()
    connection.data_received(sent)
    connection.connection_lost(ConnectionResetError())
    for _ in range(5):
        await asyncio.sleep(0)
    gc.collect()  # an exception that nobody has asked for is told of by its task's end
    return complaints
