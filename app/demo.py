"""The demo: a simulated PingMe, the service and a Kafka, all real, and then the sum.

It ends with the ledger in one line that a script can read, after reading the topics back and comparing them with what
the simulator sent.
"""

import asyncio
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

from pydantic_settings import PydanticBaseSettingsSource

from app import lifecycle
from app.local_kafka import local_kafka
from app.reconcile import Verdict, reconcile
from app.settings import Settings
from bus import topics
from bus.contract import Ledger
from bus.reader import BEGINNING, ReadRecord, read
from bus.settings import KafkaSettings
from sandbox.pingme import PingMe
from schemas.messages import SmsReceived, SmsRejected

RATE: Final = 20.0  # callbacks a second: quick enough to watch, slow enough to read
NUMBERS: Final = 12
Show = Callable[[ReadRecord], None]
Say = Callable[[str], None]


class DemoSettings(Settings):
    """Settings of which nothing outside the demo decides."""

    @classmethod
    def settings_customise_sources(  # type: ignore[override] # of the parameters only one is needed
        cls, *_: object, init_settings: PydanticBaseSettingsSource, **__: object
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what the demo says; no variable, no file."""
        return (init_settings,)


async def demo(
    *, seconds: float | None, kafka: str | None, seed: int | None, show: Show, say: Say
) -> tuple[Ledger, Verdict]:
    """Run for so many seconds, or until Ctrl-C; then return the ledger and what the comparison found."""
    ended = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, ended.set)
    with TemporaryDirectory(prefix="smsbus-demo-") as directory:
        async with _kafka(kafka, Path(directory), say) as brokers:
            settings = _settings(brokers, Path(directory))
            pingme, ledger = await _run(settings, seconds, ended, Random(seed), show, say)  # noqa: S311 - made-up SMS
            say("reading the topics back …")
            received = [
                record.value async for record in read(brokers, SmsReceived.TOPIC, start=BEGINNING, follow=False)
            ]
            rejected = [
                record.value async for record in read(brokers, SmsRejected.TOPIC, start=BEGINNING, follow=False)
            ]
            return ledger, reconcile(pingme.book, filter(None, received), filter(None, rejected))


@asynccontextmanager
async def _kafka(address: str | None, directory: Path, say: Say) -> AsyncIterator[KafkaSettings]:
    """Yield a Kafka with our topics: one of our own, or topics of the demo's own on somebody else's brokers."""
    if address is not None:
        kafka = KafkaSettings(bootstrap_servers=address, topic_prefix=f"smsbus-demo-{secrets.token_hex(3)}.")
        await topics.create(kafka)
        say(f"Kafka at {address}, topics {kafka.topic_prefix}…")
        try:
            yield kafka
        finally:
            await topics.delete(kafka)
        return
    say("starting Apache Kafka (the first time its jars are fetched, about 45 MB) …")
    async with local_kafka(directory / "kafka") as cluster:
        kafka = KafkaSettings(bootstrap_servers=cluster.bootstrap_servers)
        await topics.create(kafka)
        say(f"Kafka at {cluster.bootstrap_servers}")
        yield kafka


def _settings(kafka: KafkaSettings, directory: Path) -> Settings:
    account = {"provider": "pingme", "callback_tokens": secrets.token_urlsafe(24), "user_id": "xxx"}
    values: dict[str, Any] = {
        "data_dir": directory,
        "kafka": kafka,
        "receiver": {"host": "127.0.0.1", "port": 0},
        "admin": {"port": 0},
        "log": {"format": "console", "level": "error"},
        "accounts": {"shop": account},
    }
    return DemoSettings(**values)


async def _run(
    settings: Settings, seconds: float | None, ended: asyncio.Event, rng: Random, show: Show, say: Say
) -> tuple[PingMe, Ledger]:
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    service = asyncio.create_task(lifecycle.serve(settings, stop=stop, on_ready=ready.set_result))
    await asyncio.wait({service, ready}, return_when=asyncio.FIRST_COMPLETED)
    if service.done():
        await service
    token = settings.accounts["shop"].callback_tokens[0].get_secret_value()
    url = settings.callback_url(token, ready.result().receiver_port)
    pingme = PingMe(url, numbers=NUMBERS, rate=RATE, rng=rng)
    say(f"PingMe posts to {url.replace(token, '…')}" + ("; Ctrl-C ends" if seconds is None else ""))
    stream = asyncio.create_task(_stream(settings.kafka, show))
    await _post(pingme, seconds, ended)
    stop.set()
    ledger = await service
    await asyncio.sleep(1)  # for the stream on the screen to catch up
    stream.cancel()
    with suppress(asyncio.CancelledError):
        await stream
    return pingme, ledger


async def _post(pingme: PingMe, seconds: float | None, ended: asyncio.Event) -> None:
    if seconds is not None:
        asyncio.get_running_loop().call_later(seconds, ended.set)
    await pingme.run(ended)


async def _stream(kafka: KafkaSettings, show: Show) -> None:
    async for record in read(kafka, SmsReceived.TOPIC, start=BEGINNING, follow=True):
        show(record)


def ending(ledger: Ledger, verdict: Verdict) -> bool:
    """Print the ledger line to stdout and what was compared to stderr; return whether everything agrees."""
    for sentence in verdict.disagreements[:10]:
        sys.stderr.write(f"  {sentence}\n")
    agrees = verdict.agrees and ledger.balanced and ledger.pending == 0
    sys.stderr.write(
        f"{'the topic agrees' if agrees else 'THE TOPIC DOES NOT AGREE'} with what the simulator sent: "
        f"{verdict.sms} SMS, {verdict.dead_letters} dead letters, {verdict.repeats} repeats, "
        f"{len(verdict.disagreements)} disagreements\n"
    )
    sys.stderr.flush()
    sys.stdout.write(ledger.line() + "\n")
    return agrees
