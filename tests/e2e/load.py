"""A small load: senders that each post one SMS after the other, and repeat what was not answered with 200."""

import asyncio
import json
import time
import uuid
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import aiohttp

from tests.faults.history import Post

RETRY_SECONDS = 0.1  # before the same body is posted again
ANSWER_SECONDS = 20  # as a provider waits


class Load:
    """Posts from `async with` to its end, which returns when every SMS that was begun has got its 200."""

    def __init__(
        self,
        url: str,
        *,
        numbers: int = 10,
        pause: float = 0.05,
        padding: int = 0,
        trace: aiohttp.TraceConfig | None = None,
    ) -> None:
        """`trace` sees its connections."""
        self.posts: list[Post] = []
        self.in_flight = 0
        self._url = url
        self._numbers = numbers
        self._pause = pause
        self._padding = "x" * padding
        self._traces = [trace] if trace else []
        self._enough = False
        self._senders: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=connector, trace_configs=self._traces)
        self._senders = [asyncio.create_task(self._send(f"1201555{i:04}")) for i in range(self._numbers)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._enough = True
        if error:
            self.abandon()
        await asyncio.gather(*self._senders, return_exceptions=error is not None)
        await self._session.close()

    def abandon(self) -> None:
        """Stop at once: nobody will answer any more."""
        for sender in self._senders:
            sender.cancel()
        self._senders = []

    def answered(self, since: float = 0.0) -> list[Post]:
        """The tries that began since then and were answered 200."""
        return [post for post in self.posts if post.status == 200 and post.at >= since]

    def refused(self, since: float = 0.0) -> list[Post]:
        """The tries that ended since then with anything else, or without an answer."""
        return [post for post in self.posts if post.status != 200 and post.ended >= since]

    async def until_answered(self, count: int) -> None:
        """Return when more than so many have been answered."""
        while len(self.answered()) <= count:
            await asyncio.sleep(0.05)

    async def until_in_flight(self, count: int) -> None:
        """Return in the moment in which so many posts wait for their answer."""
        while self.in_flight < count:
            await asyncio.sleep(0)

    async def _send(self, number: str) -> None:
        index = 0
        while not self._enough:
            nonce = uuid.uuid4().hex
            body = self._body(number, nonce)
            while await self._try(body, nonce, number, index) != 200:
                await asyncio.sleep(RETRY_SECONDS)
            index += 1
            await asyncio.sleep(self._pause)

    async def _try(self, body: bytes, nonce: str, number: str, index: int) -> int | None:
        post = Post(nonce, number, index, self._url, time.monotonic(), 0.0)
        self.in_flight += 1
        try:
            async with self._session.post(self._url, data=body) as answer:
                text = await answer.text()
                post = post._replace(status=answer.status, **_read(answer, text))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            post = post._replace(failure=type(error).__name__)
        finally:
            self.in_flight -= 1
        self.posts.append(post._replace(seconds=time.monotonic() - post.at))
        return post.status

    def _body(self, number: str, nonce: str) -> bytes:
        sms = {
            "app": "jd",
            "from": "14165550123",
            "to": number,
            "userId": "e2e",
            "text": f"[{nonce}] your code is 5611{self._padding}",
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        return json.dumps(sms).encode()


def firsts_and_rest(posts: list[Post], since: float) -> tuple[list[float], list[float]]:
    """The latencies of each number's first try that ended since then, and of all later ones."""
    firsts: dict[str, Post] = {}
    for post in posts:
        if post.ended >= since:
            firsts.setdefault(post.number, post)
    rest = [post.seconds for post in posts if post.number in firsts and post.at > firsts[post.number].at]
    return [post.seconds for post in firsts.values()], rest


def _read(answer: aiohttp.ClientResponse, text: str) -> dict[str, str | None]:
    if answer.status == 200:
        return {"id": json.loads(text).get("id")}
    return {"retry_after": answer.headers.get("Retry-After"), "body": text}
