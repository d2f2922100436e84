"""The requests that last: waits and streams. At most so many are open, and a stop ends them all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

MOST: Final = 1_200
"""1,000 waits and 200 streams; each keeps a connection, and about 20 kB."""


class TooMany(Exception):
    """So many are open that one more is refused."""


class Closing(Exception):
    """This process is about to end."""


class Lasting:
    """The waits and streams of a process."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._open: dict[asyncio.Timeout, None] = {}  # in the order in which they came
        self.is_closed = False

    def __len__(self) -> int:
        return len(self._open)

    def close(self) -> None:
        """End all that are open, and every later one at once."""
        self.is_closed = True
        for one in self._open:
            one.reschedule(0)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Be open for as long as the context lasts. Raises `TooMany` at its begin, and `Closing` at any moment."""
        if self.is_closed:
            raise Closing
        if len(self._open) >= self.most:
            raise TooMany
        try:
            async with asyncio.timeout(None) as until:
                self._open[until] = None
                try:
                    yield
                finally:
                    del self._open[until]
        except TimeoutError:
            if until.expired():
                raise Closing from None
            raise
