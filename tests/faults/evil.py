"""`python -m tests.faults.evil URL`: who holds one account's callback URL and means harm.

Sends as fast as the processor, niced, and so many Mbit/s allow, whatever is answered. At its end, or when it is asked
to end, one JSON object comes out: `statuses` by kind, the `ids` of what was answered 200, and how many such answers
`rejected` something.
"""

import argparse
import asyncio
import gzip
import json
import os
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import cycle
from random import Random
from typing import NamedTuple
from urllib.parse import urlsplit

NICE = 10
CONNECTIONS = 48  # four of each kind
HOLD_SECONDS, ANSWER_SECONDS, AGAIN_SECONDS = 5.0, 30.0, 0.05
MOST = 256 * 1024  # bytes of a body that a receiver takes
GZIP, FORM, PLAIN = "Content-Encoding: gzip\r\n", "Content-Type: application/x-www-form-urlencoded\r\n", ""
LIGATURE = "\ufdfa"  # eighteen letters when it is normalized


class Body(NamedTuple):
    """What one request carries, and its header lines besides the usual."""

    content: bytes
    head: str = PLAIN


def _number(rng: Random) -> str:
    return f"1647{rng.randrange(10**7):07}"


def _sms(rng: Random, text: str) -> dict[str, str]:
    return {"userId": "u", "app": "x", "from": "1", "to": _number(rng), "text": f"{_salt(rng)} {text}"}


def _salt(rng: Random) -> str:
    return f"{rng.getrandbits(64):016x}"


def _json(value: object, head: str = PLAIN) -> Body:
    content = json.dumps(value).encode()
    return Body(gzip.compress(content, 6) if head == GZIP else content, head)


def _form(rng: Random, filling: bytes) -> Body:
    start = f"text={_salt(rng)}&to={_number(rng)}&x=".encode()
    return Body(start + filling * ((MOST - len(start)) // len(filling)), FORM)


def _one_bad(rng: Random) -> Body:
    return _json([*(_sms(rng, "code 5611") for _ in range(99)), _salt(rng)], GZIP)


def _all_bad(rng: Random) -> Body:
    elements = json.dumps([*[1] * 99, _salt(rng)]).encode()
    return Body(gzip.compress(elements[:-1] + b" " * (MOST - len(elements)) + b"]", 6), GZIP)


def _inflating(rng: Random) -> Body:
    return Body(gzip.compress(_salt(rng).encode() + b"x" * (MOST - 100), 9), GZIP)


def _groups(rng: Random) -> Body:
    return _json(_sms(rng, " ".join(f"{rng.randrange(10**6):06}" for _ in range(500))))


def _words(rng: Random) -> Body:
    texts = [f"{rng.randrange(10**6):06}" for _ in range(32)] + ["code"] * 640
    return _json(_sms(rng, " ".join(rng.sample(texts, len(texts)))))


def _swelling(rng: Random) -> Body:
    """Control characters as they are: each is six bytes in JSON, and twelve where the sender is."""
    start = f'{{"to":"{_number(rng)}","text":"{_salt(rng)}","from":"a'.encode()
    return Body(start + b"\x01" * 4000 + b'"}')


KINDS: Mapping[str, Callable[[Random], Body]] = {
    "array_one_bad": _one_bad,
    "array_all_bad": _all_bad,
    "code_groups": _groups,
    "code_words": _words,
    "ligatures": lambda rng: _json(_sms(rng, LIGATURE * 600)),
    "inflating": _inflating,
    "swelling": _swelling,
    "empty_fields": lambda rng: _form(rng, b"&a"),
    "percents": lambda rng: _form(rng, b"%"),
    "plain_sms": lambda rng: _json(_sms(rng, "code 5611")),
    "half": lambda rng: Body(_salt(rng).encode().ljust(MOST // 2, b"x")),
    "junk": lambda rng: Body(_salt(rng).encode() + rng.randbytes(200 * 1024)),
}


class Evil:
    """Requests of these kinds, each over connections of its own and with the same share of the line.

    Small ones do more harm by the byte: they must not wait for large ones.
    """

    def __init__(self, url: str, kinds: Sequence[str], megabits: float, seed: int) -> None:
        self.statuses: dict[str, Counter[str]] = defaultdict(Counter)
        self.ids: list[str] = []
        self.rejected = 0
        self.bytes = 0
        self._url = urlsplit(url)
        self._kinds = kinds
        self._rate = megabits * 1e6 / 8 / len(kinds)
        self._free = dict.fromkeys(kinds, time.monotonic())
        self._rng = Random(seed)

    async def run(self, seconds: float) -> None:
        """Return after so many seconds, or when this is cancelled."""
        with suppress(TimeoutError, asyncio.CancelledError):
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                for kind, _ in zip(cycle(self._kinds), range(CONNECTIONS), strict=False):
                    group.create_task(self._connection(kind))

    def told(self) -> dict[str, object]:
        own = {"ids": self.ids, "rejected": self.rejected, "bytes": self.bytes}
        return {"statuses": {kind: dict(each) for kind, each in self.statuses.items()}, **own}

    async def _connection(self, kind: str) -> None:
        while True:
            writer = None
            try:
                reader, writer = await asyncio.open_connection(self._url.hostname, self._url.port)
                while True:
                    await self._one(kind, reader, writer)
            except (OSError, EOFError, TimeoutError, ValueError) as error:
                self.statuses["connections"][type(error).__name__] += 1
            finally:
                if writer:
                    writer.close()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _one(self, kind: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = KINDS[kind](self._rng)
        length = MOST if kind == "half" else len(body.content)
        head = f"POST {self._url.path} HTTP/1.1\r\nHost: a\r\n{body.head}Content-Length: {length}\r\n\r\n".encode()
        await self._send(kind, writer, head + body.content)
        if kind == "half":
            await self._hold(reader)
        async with asyncio.timeout(ANSWER_SECONDS):
            self._note(kind, *await _answer(reader))

    async def _send(self, kind: str, writer: asyncio.StreamWriter, content: bytes) -> None:
        """Write it when the line is free: so many bytes a second, of all connections of this kind."""
        self._free[kind] = max(self._free[kind], time.monotonic()) + len(content) / self._rate
        await asyncio.sleep(self._free[kind] - time.monotonic())
        writer.write(content)
        await writer.drain()
        self.bytes += len(content)

    async def _hold(self, reader: asyncio.StreamReader) -> None:
        """Let half a body lie, and break off; an answer that comes meanwhile is none."""
        with suppress(TimeoutError):
            async with asyncio.timeout(HOLD_SECONDS):
                await reader.read(1)
        raise ConnectionAbortedError

    def _note(self, kind: str, status: int, content: bytes) -> None:
        self.statuses[kind][str(status)] += 1
        if status == 200:
            said = json.loads(content)
            results = said.get("results", [said])
            self.ids += [each["id"] for each in results if "id" in each]
            self.rejected += any(each["status"] == "rejected" for each in results)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    return int(head[9:12]), await reader.readexactly(length)


async def _main(asked: argparse.Namespace) -> None:
    evil = Evil(asked.url, asked.kinds.split(","), asked.megabits, asked.seed)
    running = asyncio.ensure_future(evil.run(asked.seconds))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    with suppress(asyncio.CancelledError):
        await running
    json.dump(evil.told(), sys.stdout)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.faults.evil", description=__doc__)
    parser.add_argument("url", help="of the callbacks of one account")
    parser.add_argument("--kinds", default=",".join(KINDS), help="none: all")
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--megabits", type=float, default=10.0, help="a second, at most")
    parser.add_argument("--seed", type=int, default=1)
    os.nice(NICE)
    asyncio.run(_main(parser.parse_args()))
