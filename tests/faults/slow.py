"""Senders that take their time, and whoever wants something beside them."""

import asyncio
import resource
import time
from collections.abc import Iterator
from itertools import chain, repeat
from random import Random
from typing import NamedTuple, Self
from urllib.parse import urlsplit

import aiohttp

AT_ONCE_SECONDS = 5.0  # in which all of them come
PAUSE = (2.0, 4.0)  # seconds between two bytes
KNOCK_EVERY, ANSWER_SECONDS = 0.25, 30
SPARE_FILES = 2_000  # of this process, for everything else


class Crowd:
    """Holds so many connections from `async with` to its end; one that the other side closes is opened again.

    Half of them never come to the end of the request's head, the others not to that of its body.
    """

    def __init__(self, url: str, wanted: int, rng: Random) -> None:
        self.wanted = wanted
        self.held = 0
        """How many are open now."""
        self.most = 0
        """How many were open at once."""
        self._where = urlsplit(url)
        self._rng = rng

    async def __aenter__(self) -> Self:
        _allow_files(self.wanted + SPARE_FILES)
        self._tasks = [asyncio.create_task(self._stay(whole_head=i % 2 == 0)) for i in range(self.wanted)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    async def _stay(self, *, whole_head: bool) -> None:
        await asyncio.sleep(self._rng.uniform(0, AT_ONCE_SECONDS))
        while True:
            try:
                await self._hold(whole_head=whole_head)
            except OSError:  # refused, or closed on us
                await asyncio.sleep(self._rng.uniform(*PAUSE))

    async def _hold(self, *, whole_head: bool) -> None:
        _, writer = await asyncio.open_connection(self._where.hostname, self._where.port)
        self.held += 1
        self.most = max(self.most, self.held)
        try:
            for some in _trickle(self._where.path, whole_head=whole_head):
                writer.write(some)
                await asyncio.sleep(self._rng.uniform(*PAUSE))
                await writer.drain()
        finally:
            self.held -= 1
            writer.transport.abort()


class Knock(NamedTuple):
    """One question on a connection of its own."""

    seconds: float
    failure: str


async def knocks(url: str, seconds: float) -> list[Knock]:
    """Ask the receiver whether it is ready for so many seconds, each time on a new connection."""
    until, answers = time.monotonic() + seconds, []
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True), timeout=timeout) as session:
        while time.monotonic() < until:
            began, failure = time.monotonic(), ""
            try:
                async with session.get(url) as answer:
                    failure = "" if answer.status == 200 else str(answer.status)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                failure = type(error).__name__
            answers.append(Knock(time.monotonic() - began, failure))
            await asyncio.sleep(KNOCK_EVERY)
    return answers


def _trickle(path: str, *, whole_head: bool) -> Iterator[bytes]:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n".encode()
    if whole_head:
        return chain([head + b"\r\n"], repeat(b"{"))
    return chain([head], repeat(b"X"))


def _allow_files(wanted: int) -> None:
    """Raise this process's own limit, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, wanted), hard), hard))
