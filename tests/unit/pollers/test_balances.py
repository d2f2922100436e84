"""The balance of an account: asked rarely, by one process, within the budget; unknown is no number."""

import asyncio
import random
from typing import Any

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from pollers.balances import FIRST, Balances
from pollers.scheduling.account import WAITS, Account
from providers.observation import Gone, ProviderError
from providers.results import Balance
from tests.virtual_time import virtual

HOUR = 3600.0
MONEY, NAN = Balance("44.60"), Balance("nan")
WRONG_KEY = ProviderError("auth", "bad_key", answered=True)
THROTTLED = ProviderError("throttled", "http_429", answered=True)


class Provider:
    """A client that knows its balance, and notes when it was asked."""

    def __init__(self) -> None:
        self.answer: Any = MONEY
        self.asked: list[float] = []

    async def balance(self) -> Any:
        self.asked.append(asyncio.get_running_loop().time())
        return self.answer


class Bench:
    def __init__(self) -> None:
        self.provider, self.registry = Provider(), CollectorRegistry()
        client: Any = self.provider
        self.account = Account("market", "grizzlysms", client, requests_per_second=2, rng=random.Random(1))
        self.is_ours = True
        balances = Balances({"market": self.account}, self.registry, every=HOUR, is_ours=lambda: self.is_ours)
        self.task = asyncio.create_task(balances.run())

    def known(self) -> float | None:
        return self.registry.get_sample_value("smsbus_account_balance", {"account": "market"})


@virtual
async def test_it_is_asked_for_after_the_start_and_then_once_an_interval() -> None:
    bench, began = Bench(), asyncio.get_running_loop().time()
    assert bench.known() is None

    await asyncio.sleep(FIRST + 2 * HOUR + 10)

    assert [round(at - began) for at in bench.provider.asked] == [round(FIRST + n * HOUR) for n in range(3)]
    assert bench.known() == 44.6
    assert bench.account.outcomes == {"balance": 3}


@virtual
async def test_what_is_not_known_has_no_sample_and_stops_no_poll() -> None:
    bench = Bench()
    await asyncio.sleep(FIRST + 10)
    for answer, known in ((WRONG_KEY, None), (MONEY, 44.6), (Gone(), None), (Balance("a lot"), None), (NAN, None)):
        bench.provider.answer = answer

        await asyncio.sleep(HOUR)

        assert bench.known() == known
        assert bench.account.throttle.state == "open"


@virtual
async def test_a_key_that_is_refused_is_said_before_there_is_an_order() -> None:
    bench = Bench()
    bench.provider.answer = WRONG_KEY

    with capture_logs() as lines:
        await asyncio.sleep(FIRST + 10)
        bench.provider.answer = MONEY
        await asyncio.sleep(HOUR)

    assert [(line["event"], line["account"]) for line in lines] == [("key_refused", "market")]


@virtual
async def test_too_many_requests_make_the_account_back_off_and_then_nothing_is_asked() -> None:
    bench = Bench()
    bench.provider.answer = THROTTLED

    await asyncio.sleep(FIRST + 0.5)

    assert bench.account.throttle.state == "backing_off"
    assert await bench.account.balance() == WAITS
    assert len(bench.provider.asked) == 1


@virtual
async def test_only_one_process_asks() -> None:
    bench = Bench()
    await asyncio.sleep(FIRST + 10)
    bench.is_ours = False

    await asyncio.sleep(2 * HOUR)

    assert (len(bench.provider.asked), bench.known()) == (1, None)
