"""The demo: the service on a real Kafka against the simulated providers, with a comparison at the end.

At the end it reads the topics, compares them with what the simulators posted and showed, and prints the ledger in one
line for scripts.
"""

import asyncio
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import cycle
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

import aiohttp
from pydantic_settings import PydanticBaseSettingsSource

from app.admin.token import admin_header, with_admin_token
from app.demo.reconcile import Verdict, reconcile
from app.lifecycle import Running
from app.local_kafka import local_kafka
from app.serve import serve
from app.settings.load import Settings
from app.settings.sections import POLLED
from app.stopping import Stop
from bus.contract import Ledger
from bus.kafka import topics
from bus.kafka.reader import BEGINNING, ReadRecord, read
from bus.settings import KafkaSettings
from sandbox.orders import Order
from sandbox.scenario import load
from sandbox.server import Sandbox
from sandbox.settings import OrderRequest
from schemas.messages import SmsReceived, SmsRejected

ORDER_EVERY: Final = 0.7  # seconds between two new orders
ORDERS: Final = (
    OrderRequest(provider="smsverified"),
    OrderRequest(provider="grizzlysms"),
    OrderRequest(provider="smsman"),
    OrderRequest(provider="grizzlysms", kind="rent"),
    OrderRequest(provider="smsman", kind="rent"),
)
REQUESTS_PER_SECOND: Final = 10  # of each polled account: a demo's SMS come quicker than a day's
SETTLE: Final = 4.0  # seconds for what was shown last to be published
CALLBACKS_PER_SECOND: Final = 10.0
Show = Callable[[ReadRecord], None]
Say = Callable[[str], None]


class DemoSettings(Settings):
    """Settings that only the demo sets."""

    @classmethod
    def settings_customise_sources(  # type: ignore[override] # of the parameters only one is needed
        cls, *_: object, init_settings: PydanticBaseSettingsSource, **__: object
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the arguments only; no variable, no file."""
        return (init_settings,)


async def demo(
    *, seconds: float | None, kafka: str | None, seed: int | None, bad_day: str, show: Show, say: Say
) -> tuple[Ledger, Verdict]:
    """Run for so many seconds, or until Ctrl-C; then return the ledger and the result of the comparison."""
    ended = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, ended.set)
    world = Sandbox(_scenario(bad_day), rng=Random(seed))  # noqa: S311 - made-up SMS
    with TemporaryDirectory(prefix="smsbus-demo-") as directory:
        async with _kafka(kafka, Path(directory), say) as brokers:
            await world.start()
            settings = _settings(brokers, Path(directory), world)
            ledger = await _run(settings, world, seconds, ended, show, say)
            await world.stop()
            say("reading the topics back …")
            received = [each.value async for each in read(brokers, SmsReceived.TOPIC, start=BEGINNING, follow=False)]
            rejected = [each.value async for each in read(brokers, SmsRejected.TOPIC, start=BEGINNING, follow=False)]
            shown = [sms for sms in world.book.arrived(world.clock.now()) if sms.shown is not None]
            return ledger, reconcile(world.book.callbacks, shown, filter(None, received), filter(None, rejected))


def _scenario(name: str) -> Any:  # noqa: ANN401 - the sandbox's own type
    scenario = load(name)
    quick = {provider: getattr(scenario, provider).model_copy(update={"pace": 0.3}) for provider in POLLED}
    posting = scenario.pingme.model_copy(update={"rate": CALLBACKS_PER_SECOND})
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
    say("starting Apache Kafka (the first start downloads about 45 MB) …")
    async with local_kafka(directory / "kafka") as cluster:
        kafka = KafkaSettings(bootstrap_servers=cluster.bootstrap_servers)
        await topics.create(kafka)
        say(f"Kafka at {cluster.bootstrap_servers}")
        yield kafka


def _settings(kafka: KafkaSettings, directory: Path, world: Sandbox) -> Settings:
    shop = {
        "provider": "pingme",
        "callback_tokens": secrets.token_urlsafe(24),
        "user_id": world.scenario.pingme.user_id,
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
        "receiver": {"host": "127.0.0.1", "port": 0},
        "admin": {"port": 0},
        "log": {"format": "console", "level": "error"},
        "accounts": {"shop": shop, **polled},
    }
    return DemoSettings(**values)


async def _run(
    settings: Settings, world: Sandbox, seconds: float | None, ended: asyncio.Event, show: Show, say: Say
) -> Ledger:
    settings = with_admin_token(settings)
    stop, ready = Stop(), asyncio.get_running_loop().create_future()
    service = asyncio.create_task(serve(settings, stop=stop, on_ready=ready.set_result))
    await asyncio.wait({service, ready}, return_when=asyncio.FIRST_COMPLETED)
    if service.done():
        await service
    stream = asyncio.create_task(_stream(settings.kafka, show))
    await _play(settings, world, ready.result(), seconds, ended, say)
    await asyncio.sleep(SETTLE)
    stop.ask()
    ledger = await service
    stream.cancel()
    with suppress(asyncio.CancelledError):
        await stream
    return ledger


async def _play(
    settings: Settings, world: Sandbox, running: Running, seconds: float | None, ended: asyncio.Event, say: Say
) -> None:
    """Produce SMS, by callback and for watched orders, until the end."""
    token = settings.accounts["shop"].callback_tokens[0].get_secret_value()
    url = settings.callback_url(token, running.receiver_port)
    say(f"PingMe posts to {url.replace(token, '…')}; SMSVerified, GrizzlySMS and SMS-Man are polled at {world.url}")
    if seconds is None:
        say("Ctrl-C ends")
    else:
        asyncio.get_running_loop().call_later(seconds, ended.set)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(world.post_callbacks(url, ended))
        tasks.create_task(_open_orders(settings, world, running.admin_port, ended))


async def _open_orders(settings: Settings, world: Sandbox, admin_port: int, ended: asyncio.Event) -> None:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{admin_port}", headers=admin_header(settings)) as session:
        for wanted in cycle(ORDERS):
            await _watch(session, wanted, world.open(wanted), ended)
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), ORDER_EVERY)
            if ended.is_set():
                return


async def _watch(session: aiohttp.ClientSession, wanted: OrderRequest, order: Order, ended: asyncio.Event) -> None:
    """Watch an order as a consumer would: over HTTP, retrying while the response is 503."""
    asked = {
        "account": wanted.provider,
        "order_kind": wanted.kind,
        "order_id": order.id,
        "recipient": order.number,
        "service": wanted.service,
        "after_sms": "request_next" if wanted.kind == "activation" else "keep",
    }
    while not ended.is_set():
        async with session.post("/v1/watches", json=asked) as answer:
            if answer.status != 503:
                answer.raise_for_status()
                return
        await asyncio.sleep(0.5)


async def _stream(kafka: KafkaSettings, show: Show) -> None:
    async for record in read(kafka, SmsReceived.TOPIC, start=BEGINNING, follow=True):
        show(record)


def ending(ledger: Ledger, verdict: Verdict) -> bool:
    """Print delays and the ledger to stdout, the comparison to stderr; return whether everything agrees."""
    for sentence in verdict.disagreements[:10]:
        sys.stderr.write(f"  {sentence}\n")
    agrees = verdict.agrees and ledger.balanced and ledger.pending == 0
    sys.stderr.write(
        f"{'the topics agree' if agrees else 'THE TOPICS DO NOT AGREE'} with what the simulators sent: "
        f"{verdict.sms} SMS, {verdict.dead_letters} dead letters, {verdict.repeats} repeats, "
        f"{len(verdict.disagreements)} disagreements\n"
    )
    sys.stderr.flush()
    sys.stdout.write("\n".join([*verdict.delay_lines(), ledger.line()]) + "\n")
    return agrees
