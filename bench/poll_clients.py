"""Polls without a schedule: a bare aiohttp client and the pollers' own client, with the same requests."""

import asyncio
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final, NamedTuple

import aiohttp
from pydantic import SecretStr
from yarl import URL

from pollers.scheduling.account import Account
from providers import PROVIDERS
from providers.http_client import HttpClient

ORDERS: Final = [str(10**15 + number) for number in range(2000)]
IN_FLIGHT: Final = 32
A_SECOND: Final = 500.0  # polls, if they are paced; also the budget of an account
KEY: Final = "0123456789abcdef0123456789abcdef"
HANDLER: Final = "/stubs/handler_api.php"

WARM_UP: Final = 0.5

Measured = dict[str, list[float]]
Ask = Callable[[str], Awaitable[object]]


class Turn(NamedTuple):
    """Runs for so many seconds and returns the number of responses; what precedes it is not measured."""

    go: Callable[[float], Awaitable[int]]
    before: Callable[[], None] = lambda: None


class Poll(NamedTuple):
    """One kind of poll, with its path and query."""

    provider: str
    action: str
    asked: str

    @property
    def name(self) -> str:
        return f"{self.provider} {self.action}"

    def base_url(self, root: str) -> str:
        return root if self.provider == "smsman" else root + HANDLER


POLLS: Final = (
    Poll("smsverified", "getStatus", f"{HANDLER}?api_key={KEY}&action=getStatus&id="),
    Poll("grizzlysms", "getStatusV2", f"{HANDLER}?api_key={KEY}&action=getStatusV2&id="),
    Poll("smsman", "get-sms", f"/control/get-sms?token={KEY}&request_id="),
)


async def bare(root: str, poll: Poll, stack: AsyncExitStack) -> Ask:
    """Return a plain aiohttp client with prepared URLs."""
    urls = {order: URL(f"{root}{poll.asked}{order}", encoded=True) for order in ORDERS}
    session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))

    async def ask(order: str) -> None:
        async with session.get(urls[order]) as response:
            await response.read()

    return ask


async def account(name: str, base_url: str, poll: Poll, stack: AsyncExitStack) -> Account:
    """Return an account as `smsbus serve` creates it."""
    fetcher = await stack.enter_async_context(HttpClient())
    client = PROVIDERS[poll.provider](
        api_key=SecretStr(KEY), base_url=base_url, fetcher=fetcher, status_action=poll.action
    )
    return Account(name, poll.provider, client, requests_per_second=A_SECOND, rng=random.Random(1))


async def ours(root: str, poll: Poll, stack: AsyncExitStack) -> Ask:
    asked = await account(poll.provider, poll.base_url(root), poll, stack)
    return lambda order: asked.poll("activation", order)


def in_flight(ask: Ask, number: int = IN_FLIGHT) -> Turn:
    """Poll with so many requests in flight; the next begins when one has ended."""

    async def go(seconds: float) -> int:
        until = time.monotonic() + seconds
        return sum(await asyncio.gather(*(_one_after_the_other(ask, ORDERS[n::number], until) for n in range(number))))

    return Turn(go)


async def _one_after_the_other(ask: Ask, orders: Sequence[str], until: float) -> int:
    for answers, order in enumerate(itertools.cycle(orders)):
        if time.monotonic() >= until:
            return answers
        await ask(order)
    return 0


def paced(ask: Ask) -> Turn:
    """Poll so often per second, without waiting for the last response."""

    async def go(seconds: float) -> int:
        began, count = time.monotonic(), int(seconds * A_SECOND)
        async with asyncio.TaskGroup() as polls:
            for number, order in zip(range(count), itertools.cycle(ORDERS), strict=False):
                polls.create_task(_as_task(ask, order))
                await asyncio.sleep(max(0.0, began + number / A_SECOND - time.monotonic()))
        return count

    return Turn(go)


async def _as_task(ask: Ask, order: str) -> None:
    await ask(order)


def cpu_us() -> float:
    """Return the CPU time of all threads of this process so far, microseconds."""
    return time.process_time_ns() / 1000


async def take(turns: Mapping[str, Turn], rounds: int, seconds: float) -> Measured:
    """Run them in turns; return the CPU per response, by rounds. The first round warms up."""
    measured: Measured = {name: [] for name in turns}
    for number in range(-1, rounds):
        for name, turn in turns.items():
            turn.before()
            before = cpu_us()
            answers = await turn.go(seconds if number >= 0 else WARM_UP)
            if number >= 0:
                measured[name].append((cpu_us() - before) / answers)
    return measured
