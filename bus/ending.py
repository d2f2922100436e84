"""Ending tasks."""

import asyncio
from typing import Any, Final

AGAIN: Final = 0.5  # seconds after which a task that goes on is cancelled once more


async def end(task: "asyncio.Task[Any] | None", *, again: float | None = None) -> None:
    """Cancel a task until it has ended: a client of Kafka may swallow a cancellation. `again`: seconds between two."""
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=again or AGAIN)
