"""`smsbus dev` and `smsbus demo`: the service on a real Kafka, and the simulated providers that send it SMS.

At the end of a demo the topics are compared with what the simulators posted and showed, and the ledger is printed in
one line for scripts.
"""

import asyncio
import os
import secrets
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import cycle
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import aiohttp
from pydantic_settings import PydanticBaseSettingsSource

from app.admin.token import admin_header, with_admin_token
from app.demo.reconcile import Verdict, reconcile
from app.lifecycle import Running
from app.local_kafka import local_kafka
from app.local_kafka.layout import is_free
from app.serve import serve
from app.service import Address
from app.settings.load import Settings
from app.settings.sections import POLLED, AdminSettings
from app.stopping import Stop
from bus.contract import Ledger
from bus.kafka import topics
from bus.kafka.reader import BEGINNING, ReadRecord, follow, read
from bus.settings import KafkaSettings
from sandbox.orders import Order
from sandbox.scenario import load
from sandbox.server import Sandbox
from sandbox.settings import OrderRequest
from schemas.messages import SmsReceived, SmsRejected

ORDERS: Final = (
    OrderRequest(provider="smsverified"),
    OrderRequest(provider="grizzlysms"),
    OrderRequest(provider="smsman"),
    OrderRequest(provider="grizzlysms", kind="rent"),
    OrderRequest(provider="smsman", kind="rent"),
)
REQUESTS_PER_SECOND: Final = 10  # of each polled account: a demo's SMS come quicker than a day's
SETTLE: Final = 4.0  # seconds for what was shown last to be published
Show = Callable[[ReadRecord], None]
Say = Callable[[str], None]


class Pace(NamedTuple):
    """How much comes."""

    callbacks_per_second: float
    order_every: float
    """Seconds between two new orders."""


BUSY: Final = Pace(callbacks_per_second=10.0, order_every=0.7)
CALM: Final = Pace(callbacks_per_second=0.5, order_every=4.0)
SILENT: Final = None
"""Nothing comes by itself."""


class Wanted(NamedTuple):
    """What to run."""

    seconds: float | None
    """None: until Ctrl-C."""
    kafka: str | None
    """HOST:PORT; None: start one."""
    seed: int | None
    bad_day: str
    pace: Pace | None
    verify: bool
    """Compare the topics with what was sent, in the end."""
    ports: tuple[int, int] = (0, 0)
    """Of the receiver and of the admin listener; another one is used if it is taken."""
    admin: AdminSettings = AdminSettings()
    """Tokens; the rest of it is not used."""


class Ready(NamedTuple):
    """Where everything is."""

    url: str
    """Of the admin listener."""
    token: str
    page: str
    callback_url: str
    sandbox_url: str
    sandbox_token: str
    pid: int
    kafka: str
    """HOST:PORT"""
    topic_prefix: str

    def exports(self) -> str:
        """Return the line for a shell in which other commands are to find all this."""
        found = {
            "SMSBUS_URL": self.url,
            "SMSBUS_TOKEN": self.token,
            "SMSBUS_KAFKA__BOOTSTRAP_SERVERS": self.kafka,
            "SMSBUS_KAFKA__TOPIC_PREFIX": self.topic_prefix,
        }
        return " ".join(["export", *(f"{name}={shlex.quote(value)}" for name, value in found.items() if value)])


class DemoSettings(Settings):
    """Settings that only the demo sets."""

    @classmethod
    def settings_customise_sources(  # type: ignore[override] # of the parameters only one is needed
        cls, *_: object, init_settings: PydanticBaseSettingsSource, **__: object
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the arguments only; no variable, no file."""
        return (init_settings,)


async def play(
    wanted: Wanted, show: Show, say: Say, on_ready: Callable[[Ready], None]
) -> tuple[Ledger, Verdict | None]:
    """Run it; return the ledger and the result of the comparison. `on_ready` is called once SMS can come."""
    ended = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, ended.set)
    world = Sandbox(_scenario(wanted), rng=Random(wanted.seed))  # noqa: S311 - made-up SMS
    with TemporaryDirectory(prefix="smsbus-demo-") as directory:
        async with _kafka(wanted.kafka, Path(directory), say) as brokers:
            await world.start()
            settings = _settings(brokers, Path(directory), world, _free(wanted.ports, say), wanted.admin)
            ledger = await _run(settings, world, wanted, ended, show, say, on_ready)
            await world.stop()
            return ledger, await _compared(brokers, world, say) if wanted.verify else None


async def _compared(kafka: KafkaSettings, world: Sandbox, say: Say) -> Verdict:
    say("reading the topics back …")
    received = [each.value async for each in read(kafka, SmsReceived.TOPIC, start=BEGINNING, follow=False)]
    rejected = [each.value async for each in read(kafka, SmsRejected.TOPIC, start=BEGINNING, follow=False)]
    shown = [sms for sms in world.book.arrived(world.clock.now()) if sms.shown is not None]
    return reconcile(world.book.callbacks, shown, filter(None, received), filter(None, rejected))


def _free(ports: tuple[int, int], say: Say) -> tuple[int, int]:
    """Return these ports, 0 for each that is taken."""
    taken = [port for port in ports if port and not is_free(port)]
    for port in taken:
        say(f"port {port} is taken by another program (another smsbus?): a free one is used instead")
    receiver, admin = (0 if port in taken else port for port in ports)
    return receiver, admin


def _scenario(wanted: Wanted) -> Any:  # noqa: ANN401 - the sandbox's own type
    scenario = load(wanted.bad_day)
    quick = {provider: getattr(scenario, provider).model_copy(update={"pace": 0.3}) for provider in POLLED}
    posting = scenario.pingme.model_copy(update={"rate": (wanted.pace or CALM).callbacks_per_second})
    return scenario.model_copy(update={**quick, "pingme": posting, "orders": ()})


@asynccontextmanager
async def _kafka(address: str | None, directory: Path, say: Say) -> AsyncIterator[KafkaSettings]:
    """Yield a Kafka with our topics: a local one, or a given one with topics under a prefix of the demo."""
    if address is not None:
        kafka = KafkaSettings(bootstrap_servers=address, topic_prefix=f"smsbus-demo-{secrets.token_hex(3)}.")
        await topics.create(kafka)
        say(f"Kafka at {address}, topics {kafka.topic_prefix}…")
        try:
            yield kafka
        finally:
            await topics.delete(kafka)
        return
    say("starting Apache Kafka …")
    async with local_kafka(directory / "kafka") as cluster:
        kafka = KafkaSettings(bootstrap_servers=cluster.bootstrap_servers)
        await topics.create(kafka)
        say(f"Kafka at {cluster.bootstrap_servers}")
        yield kafka


def _settings(
    kafka: KafkaSettings, directory: Path, world: Sandbox, ports: tuple[int, int], admin: AdminSettings
) -> Settings:
    shop = {
        "provider": "pingme",
        "callback_tokens": secrets.token_urlsafe(24),
    }
    polled = {
        provider: {
            "provider": provider,
            "api_key": getattr(world.scenario, provider).key,
            "base_url": world.base_url(provider),
            "max_requests_per_second": REQUESTS_PER_SECOND,
        }
        for provider in POLLED
    }
    values: dict[str, Any] = {
        "data_dir": directory,
        "kafka": kafka,
        "receiver": {"host": "127.0.0.1", "port": ports[0]},
        "admin": admin.model_copy(update={"host": "127.0.0.1", "port": ports[1]}),
        "log": {"format": "console", "level": "error"},
        "accounts": {"shop": shop, **polled},
    }
    return DemoSettings(**values)


async def _run(
    settings: Settings,
    world: Sandbox,
    wanted: Wanted,
    ended: asyncio.Event,
    show: Show,
    say: Say,
    on_ready: Callable[[Ready], None],
) -> Ledger:
    settings = with_admin_token(settings)
    stop, ready = Stop(), asyncio.get_running_loop().create_future()
    service = asyncio.create_task(serve(settings, stop=stop, on_ready=ready.set_result))
    await asyncio.wait({service, ready}, return_when=asyncio.FIRST_COMPLETED)
    if service.done():
        await service
    stream = asyncio.create_task(_stream(settings.kafka, show, say))
    on_ready(_ready(settings, world, ready.result()))
    await _play(settings, world, ready.result(), wanted, ended, say)
    await asyncio.sleep(SETTLE if wanted.verify else 0)
    stop.ask()
    ledger = await service
    stream.cancel()
    with suppress(asyncio.CancelledError):
        await stream
    return ledger


def _ready(settings: Settings, world: Sandbox, running: Running) -> Ready:
    token = settings.admin.token.get_secret_value() if settings.admin.token else ""
    address = Address(f"http://127.0.0.1:{running.admin_port}", token)
    callback = settings.callback_url(_callback_token(settings), running.receiver_port)
    kafka = settings.kafka
    where = (address.url, token, address.page, callback, world.url, world.token)
    return Ready(*where, os.getpid(), kafka.bootstrap_servers, kafka.topic_prefix)


def _callback_token(settings: Settings) -> str:
    return settings.accounts["shop"].callback_tokens[0].get_secret_value()


async def _play(
    settings: Settings, world: Sandbox, running: Running, wanted: Wanted, ended: asyncio.Event, say: Say
) -> None:
    """Produce SMS, by callback and for watched orders, until the end."""
    token = _callback_token(settings)
    url = settings.callback_url(token, running.receiver_port)
    say(f"PingMe posts to {url}; SMSVerified, GrizzlySMS and SMS-Man are polled at {world.url}")
    say(f"your own SMS: smsbus trigger pingme --url {url} --to 16470000000 --text 'your code is 4711'")
    if wanted.seconds is None:
        say("Ctrl-C ends")
    else:
        asyncio.get_running_loop().call_later(wanted.seconds, ended.set)
    if wanted.pace is None:
        await ended.wait()
        return
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(world.post_callbacks(url, ended))
        tasks.create_task(_open_orders(settings, world, running.admin_port, wanted.pace.order_every, ended))


async def _open_orders(settings: Settings, world: Sandbox, admin_port: int, every: float, ended: asyncio.Event) -> None:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{admin_port}", headers=admin_header(settings)) as session:
        for number, request in enumerate(cycle(ORDERS), start=1):
            await _watch(session, request, world.open(request), f"order-{number}", ended)
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), every)
            if ended.is_set():
                return


async def _watch(
    session: aiohttp.ClientSession, wanted: OrderRequest, order: Order, name: str, ended: asyncio.Event
) -> None:
    """Watch an order as a consumer would: over HTTP, retrying while the response is 503."""
    asked = {
        "account": wanted.provider,
        "order_kind": wanted.kind,
        "order_id": order.id,
        "recipient": order.number,
        "service": wanted.service,
        "client_ref": name,
        "after_sms": "request_next" if wanted.kind == "activation" else "keep",
    }
    while not ended.is_set():
        async with session.post("/v1/watches", json=asked) as answer:
            if answer.status != 503:
                answer.raise_for_status()
                return
        await asyncio.sleep(0.5)


async def _stream(kafka: KafkaSettings, show: Show, say: Say) -> None:
    async for record in follow(kafka, SmsReceived.TOPIC, start=BEGINNING, say=say):
        show(record)


def ending(ledger: Ledger, verdict: Verdict) -> bool:
    """Print delays and the ledger to stdout, the comparison to stderr; return whether everything agrees."""
    for sentence in verdict.disagreements[:10]:
        sys.stderr.write(f"  {sentence}\n")
    samples = f"{verdict.samples} samples of unknown shapes, " if verdict.samples else ""
    agrees = verdict.agrees and ledger.balanced and ledger.pending == 0
    sys.stderr.write(
        f"{'the topics agree' if agrees else 'THE TOPICS DO NOT AGREE'} with what the simulators sent: "
        f"{verdict.sms} SMS, {verdict.dead_letters} dead letters, {samples}{verdict.repeats} repeats, "
        f"{len(verdict.disagreements)} disagreements\n"
    )
    sys.stderr.flush()
    sys.stdout.write("\n".join([*verdict.delay_lines(), ledger.line()]) + "\n")
    return agrees
