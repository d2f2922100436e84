"""What a process is made of: whose messages it takes, and whether it lives."""

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from types import SimpleNamespace

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from app import wiring
from app.settings.load import Settings
from app.settings.sections import Account
from bus.health import Condition
from bus.memory import MemoryBus
from bus.unknown_shapes import UnknownShapes
from inbox.asking import Inbox
from inbox.following import BLIND_AFTER, Following
from inbox.settings import InboxSettings
from inbox.tail import Tail
from providers.handler_api import GET_STATUS
from providers.http_client import RawResponse
from providers.noticing import NoticingFetcher
from receiver.auth import Caller
from schemas.messages import SmsRejected

TOKEN, KEY = [SecretStr("t" * 30)], SecretStr("k" * 30)
ACCOUNTS = {
    "shop": Account(provider="pingme", callback_tokens=TOKEN),
    "market": Account(provider="grizzlysms", api_key=KEY),
}


@pytest.mark.parametrize(
    ("role", "names"), [("all", {"shop", "market"}), ("receiver", {"shop"}), ("pollers", {"market"}), ("inbox", set())]
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


@pytest.mark.parametrize(("dead", "status"), [(None, 200), ("bus", 503), ("pollers", 503), ("inbox", 503)], ids=str)
async def test_a_process_lives_while_its_bus_its_pollers_and_its_inbox_do(polling, inbox, dead, status):
    polling.start()
    polling.poller.lives = dead != "pollers"
    if dead == "inbox":
        await inbox.following.stop()
    bus = SimpleNamespace(alive=lambda: dead != "bus")
    admin = wiring.admin(
        polling._settings, bus, CollectorRegistry(), polling, None, inbox, degraded=tuple, present=Settings
    )

    answer = await admin._livez(make_mocked_request("GET", "/livez"))

    assert answer.status == status


async def test_a_process_is_ready_once_its_watches_were_read_and_waits_for_no_inbox(polling, inbox):
    """Callbacks must be accepted also where Kafka cannot be read."""
    bus = SimpleNamespace(alive=None, condition=lambda: Condition(True, True, 0, 0, 0.0))
    admin = wiring.admin(
        polling._settings, bus, CollectorRegistry(), polling, None, inbox, degraded=tuple, present=Settings
    )
    admin.ready = True
    answers = [await readyz(admin)]
    polling.table.filled = True
    answers.append(await readyz(admin))
    inbox.clock.append(BLIND_AFTER + 1)
    answers.append(await readyz(admin))

    assert answers == [("starting", []), ("ready", []), ("ready", ["inbox_blind"])]


# ---- an inbox alone --------------------------------------------------------------------------------------------------


async def readyz(admin):
    told = json.loads((await admin._readyz(make_mocked_request("GET", "/readyz"))).text)
    return told["status"], told["degraded"]


async def never_answers():
    await asyncio.Event().wait()


@pytest.fixture
async def inbox():
    """An inbox whose brokers say nothing; what `clock` has last is the time."""
    reader = SimpleNamespace(cluster="c", ends=never_answers)
    clock = [0.0]

    @asynccontextmanager
    async def open_reader():
        yield reader

    settings = InboxSettings()
    following = Following(Tail(settings), settings, open_reader, now_ms=int, clock=lambda: clock[-1])
    some = Inbox(following, now_ms=int)
    some.clock = clock
    following.start()
    yield some
    await following.stop()


@pytest.fixture
async def watching():
    some = wiring.Watching(Settings().kafka, Followed())
    some.start()
    yield some
    await some.stop()


def inbox_admin(inbox, watching, accounts=ACCOUNTS, registry=None):
    settings = Settings(accounts=accounts)
    admin = wiring.inbox_admin(
        settings, registry or CollectorRegistry(), inbox, watching, degraded=lambda: ("x",), present=Settings
    )
    admin.ready = True
    return admin


async def test_an_inbox_alone_is_ready_once_it_is_filled_or_blind(inbox, watching):
    admin = inbox_admin(inbox, watching)
    answers = [await readyz(admin)]
    watching.table.behind = True
    inbox.clock.append(BLIND_AFTER + 1)
    answers.append(await readyz(admin))

    assert answers == [("starting", ["x"]), ("ready", ["inbox_blind", "x"])]


@pytest.mark.parametrize("dead", [None, "following", "watches"])
async def test_an_inbox_alone_lives_while_it_follows_what_came_and_the_watches(inbox, watching, dead):
    if dead == "following":
        await inbox.following.stop()
    if dead == "watches":
        await watching.stop()

    answer = await inbox_admin(inbox, watching)._livez(make_mocked_request("GET", "/livez"))

    assert answer.status == (503 if dead else 200)


@pytest.mark.parametrize(("accounts", "status"), [(ACCOUNTS, 503), ({}, 400)], ids=["polled accounts", "none"])
async def test_an_inbox_alone_takes_commands_only_where_it_knows_polled_accounts(inbox, watching, accounts, status):
    watching.table.wait_filled = lambda _: asyncio.sleep(0, result=False)
    application = inbox_admin(inbox, watching, accounts)._runner.app

    async def answered(method):
        request = make_mocked_request(method, "/v1/watches", app=application)
        matched = await application.router.resolve(request)
        try:
            return (await matched.handler(request)).status
        except web.HTTPException as refused:
            return refused.status

    assert (await answered("GET"), await answered("POST")) == (503, status)


# ---- unknown shapes --------------------------------------------------------------------------------------------------


async def test_an_answer_and_a_callback_that_nobody_knew_become_samples_of_their_accounts():
    bus, registry = MemoryBus(), CollectorRegistry()
    shapes = UnknownShapes(bus, registry, now_ms=lambda: 1_795_867_200_000)
    settings = Settings(accounts=ACCOUNTS)
    async with AsyncExitStack() as stack:
        fetcher = wiring._fetcher(settings, "market", shapes, stack)
        answer = RawResponse(200, {}, b"STATUS_ON_HOLD:5611")
        assert isinstance(fetcher, NoticingFetcher)
        fetcher.parsed(GET_STATUS.name, answer, GET_STATUS.parse(answer))
    server = wiring.callback_server(settings, bus, registry, shapes, shared=False)
    caller, body = Caller("shop", None, "f"), b'{"text":"hello","mood":"good"}'
    server.intake.callbacks(server.intake.allowances["shop"], caller, "application/json", body)

    letters = [each for each in bus.messages if isinstance(each, SmsRejected)]
    assert [(each.account, each.provider, each.received_via) for each in letters] == [
        ("market", "grizzlysms", "poll"),
        ("shop", "pingme", "callback"),
    ]
