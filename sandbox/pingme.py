"""A simulated PingMe: it posts callbacks to a URL, repeats those not answered 2xx, and records everything in a book.

The document has no retry policy and no timeout. This one is as difficult as a sender may be: it repeats until it gets a
2xx, sometimes repeats although it got one, and now and then posts something that is not a callback.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

import aiohttp

from sandbox.clock import Clock, SystemClock
from sandbox.pingme_callbacks import Callback, Kind, malformed, nonce, number, sms
from sandbox.pingme_wire import TIMEOUT, CallbackResponse, post, post_callback

__all__ = ["CallbackResponse", "Clock", "Entry", "PingMe", "SystemClock", "post_callback"]

FIRST_PAUSE: Final = 0.2  # seconds before the first repeat; doubled from one to the next
LONGEST_PAUSE: Final = 5.0  # seconds; also the longest Retry-After that is honoured


@dataclass
class Entry:
    """One callback in the book, with the responses to it and to its repeats."""

    nonce: str
    number: str
    order: int
    """0, 1, 2 … among all callbacks of this number."""
    kind: Kind
    first_sent: float
    answers: list[CallbackResponse] = field(default_factory=list)

    @property
    def promised(self) -> bool:
        """Return whether the receiver has answered 2xx at least once."""
        return any(response.seen for response in self.answers)

    @property
    def ids(self) -> set[str]:
        """Return the ids in the responses; more than one is an error of the receiver."""
        return {response.id for response in self.answers if response.id is not None}


Post = Callable[[bytes], Awaitable[CallbackResponse]]


class PingMe:
    """Posts `rate` new callbacks per second, spread over `numbers` numbers; those of one number one after another.

    `duplicates` and `malformed` are shares of the new ones. `book` may be read at any time. `post` replaces HTTP.
    """

    def __init__(
        self,
        url: str,
        *,
        numbers: int,
        rate: float,
        rng: Random,
        duplicates: float = 0.05,
        malformed: float = 0.02,
        user_id: str = "xxx",
        clock: Clock | None = None,
        post: Post | None = None,
    ) -> None:
        self.book: list[Entry] = []
        self._url = url
        self._numbers = numbers
        self._interval = 1.0 / rate
        self._rng = rng
        self._duplicates = duplicates
        self._malformed = malformed
        self._user_id = user_id
        self._clock = clock or SystemClock()
        self._post = post
        self._nonces: set[str] = set()
        self._next_slot = 0.0
        self._stopped = asyncio.Event()

    async def run(self, until: asyncio.Event | float) -> None:
        """Post until the event is set, or for so many seconds; then finish the posts in progress, and return.

        An entry that is not `promised` then was still being repeated.
        """
        self._stopped = until if isinstance(until, asyncio.Event) else asyncio.Event()
        if self._post is not None:
            await self._post_all(self._post, until)
            return
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=TIMEOUT)) as session:
            await self._post_all(lambda body: post(session, self._url, body, self._clock.now), until)

    async def _post_all(self, post: Post, until: asyncio.Event | float) -> None:
        self._next_slot = self._clock.now()
        async with asyncio.TaskGroup() as tasks:
            for index in range(self._numbers):
                tasks.create_task(self._serve(post, number(index)))
            if not isinstance(until, asyncio.Event):
                await self._clock.sleep(until)
                self._stopped.set()

    async def _serve(self, post: Post, recipient: str) -> None:
        """Post the callbacks of one number, each after the response to the one before."""
        sent: list[tuple[Callback, Entry]] = []
        while await self._slot():
            callback = self._callback(recipient)
            entry = Entry(callback.nonce, recipient, len(sent), callback.kind, self._clock.now())
            self.book.append(entry)
            sent.append((callback, entry))
            await self._deliver(post, callback, entry)
            if (
                entry.promised and self._rng.random() < self._duplicates
            ):  # the sender "missed" the response, or mixed up its queue
                await _record(post, *self._rng.choice((sent[-1], self._rng.choice(sent))))

    async def _slot(self) -> bool:
        """Wait until one more callback is within the rate; False once stopped."""
        slot = max(self._next_slot, self._clock.now())
        self._next_slot = slot + self._interval
        await self._pause(slot - self._clock.now())
        return not self._stopped.is_set()

    async def _pause(self, seconds: float) -> None:
        """Wait, at most until stopped."""
        ended = asyncio.ensure_future(self._stopped.wait())
        passed = asyncio.ensure_future(self._clock.sleep(max(seconds, 0.0)))
        try:
            await asyncio.wait((ended, passed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            passed.cancel()

    def _callback(self, recipient: str) -> Callback:
        make = malformed if self._rng.random() < self._malformed else sms
        fresh = nonce(self._rng)
        while fresh in self._nonces:
            fresh = nonce(self._rng)
        self._nonces.add(fresh)
        return make(self._rng, user_id=self._user_id, recipient=recipient, nonce=fresh, now=self._clock.now())

    async def _deliver(self, post: Post, callback: Callback, entry: Entry) -> None:
        pause = FIRST_PAUSE
        while True:
            response = await _record(post, callback, entry)
            if response.seen or self._stopped.is_set():
                return
            await self._pause(min(response.retry_after or pause * self._rng.uniform(0.5, 1.0), LONGEST_PAUSE))
            pause = min(pause * 2, LONGEST_PAUSE)


async def _record(post: Post, callback: Callback, entry: Entry) -> CallbackResponse:
    response = await post(callback.body)
    entry.answers.append(response)
    return response
