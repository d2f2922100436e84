"""Who posts to the receiver: PingMe for an account of ours, which comes again until it is answered 200, and others."""

import asyncio
import gzip
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.receiver.wire import GONE, Line, Response

if TYPE_CHECKING:
    from tests.simulation.receiver.process import ReceiverProcess
    from tests.simulation.receiver.town import ReceiverTown

PATIENCE: Final = 20.0  # seconds that a sender waits for an answer
PAUSES: Final = (5.0, 30.0, 120.0, 600.0)  # seconds until it comes again, then always the last
AGAIN: Final = (1.0, 60.0, 3600.0, 3 * 3600.0)  # seconds until it repeats what was answered 200, as PingMe may
KEPT: Final = 8  # idle connections of a sender
USER: Final = "u1"
PINGME: Final = "PingMe"


@dataclass(frozen=True)
class Sms:
    """One SMS. These fields, the account and USER are what makes it this one."""

    account: str
    number: str
    sender: str
    text: str
    time: str | None

    def fields(self) -> dict[str, Any]:
        """Return the callback."""
        said = {"userId": USER, "app": "jd", "from": self.sender, "to": self.number, "text": self.text}
        return said if self.time is None else {**said, "time": self.time}


@dataclass
class Post:
    """One request, and what came of it."""

    by: str
    account: str
    token: str
    kind: str
    """`plain`: one small SMS, not packed; `sms`: SMS otherwise; `bad`: no SMS."""
    body: bytes
    sms: tuple[Sms, ...]
    life: str
    """Of the process that was asked; empty: nobody listened."""
    sent: float
    packed: bool = False
    answered: float = 0.0
    response: Response = field(default=GONE)

    @property
    def ok(self) -> bool:
        """It was promised."""
        return self.response.status == 200

    @property
    def results(self) -> list[dict[str, str]]:
        """What was said of each of its SMS, or of it all."""
        return self.response.said.get("results", [self.response.said]) if self.ok else []


class Sender:
    """Posts for one account, with whichever token it was last given."""

    def __init__(self, town: "ReceiverTown", account: str, token: str, *, name: str = PINGME) -> None:
        self.town = town
        self.account = account
        self.token = token
        self.rng = town.random(f"{name} of {account}")
        self._lines: list[tuple[ReceiverProcess, Line]] = []
        self._made = 0
        self._name = name

    def sms(self, number: str, *, length: int = 20) -> Sms:
        """Return a new SMS."""
        self._made += 1
        text = f"[jd] code is {self._made % 9000 + 1000} ({self._name} {self.account} {self._made}) ".ljust(length, "x")
        stated = self.rng.random() < 0.8
        time = f"2027-01-15T{self._made // 60000 % 24:02d}:{self._made // 1000 % 60:02d}:{self._made % 60:02d}.050Z"
        return Sms(self.account, number, f"1416{self._made % 50:07d}", text, time if stated else None)

    async def deliver(self, *several: Sms, repeats: float = 0.0) -> None:
        """Post until it is answered 200; a share of them once more, later."""
        tries = 0
        while not (post := await self.post(*several)).ok:
            pause = PAUSES[min(tries, len(PAUSES) - 1)] * self.rng.uniform(0.9, 1.1)
            await asyncio.sleep(max(pause, post.response.retry_after))
            tries += 1
        if self.rng.random() < repeats:
            await asyncio.sleep(self.rng.choice(AGAIN) * self.rng.uniform(0.5, 1.0))
            await self.deliver(*several)

    async def post(self, *several: Sms, packed: bool = False, token: str | None = None) -> Post:
        """Post SMS, several as an array, and return what came of it."""
        found: Any = [each.fields() for each in several]
        body = json.dumps(found if len(several) > 1 else found[0]).encode()
        kind = "plain" if len(several) == 1 and len(body) <= 4096 and not packed else "sms"
        return await self.throw(body, kind, several, packed=packed, token=token)

    async def throw(
        self,
        body: bytes,
        kind: str = "bad",
        sms: tuple[Sms, ...] = (),
        *,
        packed: bool = False,
        token: str | None = None,
    ) -> Post:
        """Post bytes."""
        token = token or self.token
        post = Post(self._name, self.account, token, kind, body, sms, "", self.town.loop.time(), packed)
        self.town.posts.append(post)
        if connection := self._connection():
            process, line = connection
            post.life = process.life
            segments = self._segments(token, body, packed)
            post.response = await line.ask(segments, PATIENCE)
            if post.response.status == 503 and process.life == post.life and process.is_open:
                self.town.snapshot(process)
            is_unread = not post.ok and len(segments) > 1  # the receiver ends a connection whose body stays on its way
            if line.is_free and not is_unread and len(self._lines) < KEPT:
                self._lines.append(connection)
            else:
                line.hang_up()
        post.answered = self.town.loop.time()
        return post

    def _segments(self, token: str, body: bytes, packed: bool) -> tuple[bytes, ...]:
        body = gzip.compress(body, mtime=0) if packed else body
        lines = f"Content-Length: {len(body)}\r\n" + ("Content-Encoding: gzip\r\n" if packed else "")
        head = f"POST /v1/pingme/{token} HTTP/1.1\r\nHost: sms.example.org\r\n{lines}\r\n".encode()
        if self.rng.random() < 0.1:
            at = self.rng.randrange(len(body))
            return head + body[:at], body[at:]
        return (head + body,)

    def _connection(self) -> "tuple[ReceiverProcess, Line] | None":
        """Return one that is kept, or a new one to a process that listens; None: nobody does."""
        self._lines = [each for each in self._lines if each[1].is_free]
        if self._lines and self.rng.random() < 0.9:
            return self._lines.pop(self.rng.randrange(len(self._lines)))
        if listening := [each for each in self.town.receivers if each.is_open]:
            process = self.rng.choice(listening)
            return process, process.connect()
        return None
