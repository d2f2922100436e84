"""What a process is made of: whose messages it takes, and whether it lives."""

import asyncio
from types import SimpleNamespace

import pytest
from aiohttp.test_utils import make_mocked_request
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from app import wiring
from app.settings.load import Settings
from app.settings.sections import Account

TOKEN, KEY = [SecretStr("t" * 30)], SecretStr("k" * 30)
ACCOUNTS = {
    "shop": Account(provider="pingme", callback_tokens=TOKEN),
    "market": Account(provider="grizzlysms", api_key=KEY),
}


@pytest.mark.parametrize(
    ("role", "names"), [("all", {"shop", "market"}), ("receiver", {"shop"}), ("pollers", {"market"})]
)
def test_the_journal_is_shared_by_the_accounts_of_the_role(role, names):
    assert wiring.accounts_of(Settings(accounts=ACCOUNTS), role) == names


# ---- whether the pollers live ----------------------------------------------------------------------------------------


class Followed:
    """A table that is followed until a test ends that."""

    filled = behind = False

    def __init__(self) -> None:
        self.end = asyncio.Event()
        self.fails = False

    async def follow(self) -> None:
        await self.end.wait()
        if self.fails:
            raise OSError


class Poller:
    """A poller that says of itself what a test wants."""

    lives = True
    scheduler = SimpleNamespace(live=None)
    now_ms = expected_delay = paused = None

    def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    def alive(self) -> bool:
        return self.lives

    def degraded(self) -> tuple[str, ...]:
        return ()


@pytest.fixture
async def polling():
    some = wiring.Polling(Settings(accounts=ACCOUNTS), Poller(), Followed(), {})
    yield some
    await some.stop()


async def test_pollers_live_from_their_start_on(polling):
    before = polling.alive()
    polling.start()

    assert (before, polling.alive()) == (False, True)


async def test_pollers_whose_group_or_heartbeat_ended_are_dead(polling):
    polling.start()
    polling.poller.lives = False

    assert not polling.alive()


@pytest.mark.parametrize("end", ["it returned", "it failed", "it was cancelled"])
async def test_pollers_that_follow_no_watches_any_longer_are_dead_however_that_ended(polling, end):
    polling.start()
    await asyncio.sleep(0)
    following = polling._following
    polling.table.fails = end == "it failed"
    following.cancel() if end == "it was cancelled" else polling.table.end.set()

    await asyncio.wait([following])

    assert not polling.alive()


@pytest.mark.parametrize(("bus", "pollers", "status"), [(True, True, 200), (False, True, 503), (True, False, 503)])
async def test_a_process_lives_while_its_bus_and_its_pollers_do(polling, bus, pollers, status):
    polling.start()
    polling.poller.lives = pollers
    some_bus = SimpleNamespace(alive=lambda: bus)
    admin = wiring.admin(polling._settings, some_bus, CollectorRegistry(), polling, None, None, degraded=tuple)

    answer = await admin._livez(make_mocked_request("GET", "/livez"))

    assert answer.status == status
