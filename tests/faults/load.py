"""What the receivers are loaded with: callbacks, each repeated until its 200."""

import asyncio
import itertools
import json
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from random import Random

import aiohttp

from tests.faults.history import Post
from tests.faults.process import Part

ANSWER_SECONDS = 30  # as a provider waits
RETRY_SECONDS = 0.2  # before the same body is posted again
REFUSED = "ClientConnectorError"
FAILURES = (aiohttp.ClientError, OSError, TimeoutError)


class Callbacks:
    """Senders, one a number: each posts its SMS one after the other to one receiver, and each SMS until its 200."""

    def __init__(self, receivers: Sequence[Part], *, rate: float, rng: Random) -> None:
        self.posts: list[Post] = []
        self.in_flight: Counter[str] = Counter()
        """Posts that wait for their answer, by the name of the part."""
        self.rate = rate
        """SMS a second, of all senders together; may be changed while they send."""
        self._receivers = receivers
        self._rng = rng
        self._senders: list[asyncio.Task[None]] = []
        self._enough = False

    def start(self, numbers: int) -> None:
        """Add so many senders, each with a number of its own."""
        if not self._senders:
            timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0))
        for i in range(len(self._senders), len(self._senders) + numbers):
            receiver = self._receivers[i % len(self._receivers)]
            self._senders.append(asyncio.create_task(self._send(number_of(i), receiver)))

    async def stop(self, seconds: float) -> int:
        """Begin no more; return how many SMS got no 200 within so many seconds, which ends their senders."""
        self._enough = True
        done, late = await asyncio.wait(self._senders, timeout=seconds) if self._senders else (set(), set())
        await self.close()
        raise_first(done)
        return len(late)

    async def close(self) -> None:
        """End all senders at once."""
        for sender in self._senders:
            sender.cancel()
        if self._senders:
            await asyncio.wait(self._senders)
            await self._session.close()

    async def until_in_flight(self, part: Part, count: int, seconds: float) -> bool:
        """Return in the moment in which so many posts wait for the part; False when there was none in time."""
        deadline = time.monotonic() + seconds
        while self.in_flight[part.name] < count and time.monotonic() < deadline:
            await asyncio.sleep(0)
        return self.in_flight[part.name] >= count

    def cut(self, label: str) -> int:
        """How many posts a process left without an answer that it had taken."""
        cut = [post for post in self.posts if post.receiver == label and post.status is None]
        return sum(post.failure != REFUSED for post in cut)

    async def _send(self, number: str, receiver: Part) -> None:
        due = time.monotonic() + self._rng.random() * self._pace
        for index in itertools.count():
            await asyncio.sleep(due - time.monotonic())
            if self._enough:
                return
            due = max(due + self._pace, time.monotonic())
            await self.deliver(receiver, number, index)

    async def deliver(self, receiver: Part, number: str, index: int, more: str = "") -> str:
        """Post one SMS until its 200, and return its nonce; `more` makes its text longer."""
        nonce = uuid.UUID(int=self._rng.getrandbits(128)).hex
        body = _body(number, nonce, more)
        while await self._try(receiver, body, Post(nonce, number, index, receiver.label, time.time(), 0.0)) != 200:
            await asyncio.sleep(RETRY_SECONDS)
        return nonce

    @property
    def _pace(self) -> float:
        return len(self._senders) / self.rate

    async def _try(self, receiver: Part, body: bytes, post: Post) -> int | None:
        began = time.monotonic()
        self.in_flight[receiver.name] += 1
        try:
            async with self._session.post(receiver.url, data=body) as answer:
                post = post._replace(status=answer.status, **_read(answer, await answer.text()))
        except FAILURES as error:
            post = post._replace(failure=type(error).__name__)
        finally:
            self.in_flight[receiver.name] -= 1
        self.posts.append(post._replace(seconds=time.monotonic() - began))
        return post.status


def raise_first(tasks: Iterable[asyncio.Task[None]]) -> None:
    """A load that broke must not pass for a quiet one."""
    for task in tasks:
        if not task.cancelled():
            task.result()


def number_of(sender: int) -> str:
    """Return the number of the sender that was started so many before."""
    return f"1201{sender:07}"


def _body(number: str, nonce: str, more: str) -> bytes:
    sms = {
        "app": "jd",
        "from": "14165550123",
        "to": number,
        "userId": "e2e",
        "text": f"[{nonce}] your code is 5611{more}",
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
    return json.dumps(sms).encode()


def _read(answer: aiohttp.ClientResponse, text: str) -> dict[str, str | None]:
    if answer.status == 200:
        return {"id": json.loads(text).get("id")}
    return {"retry_after": answer.headers.get("Retry-After"), "body": text}
