"""Kafka as it is run elsewhere: behind an address that stays while brokers move, and over TLS with certificates."""

import asyncio
import time

from tests.e2e.program import eventually
from tests.faults import degraded_signals
from tests.faults.degraded_signals import Sign
from tests.faults.process import Part
from tests.faults.proxy import Proxy
from tests.faults.quorum import in_sync
from tests.faults.stage import Stage
from tests.loop_thread import LoopThread
from tests.secure_kafka import renew

AWAY = Sign("kafka_away")
FOUND_SECONDS = 120  # a minute until nobody is known any longer, a try, and a busy machine
SHARDS_SECONDS = 90
TLS_SECONDS = 60.0
BROKEN = ("shard_ended", "shard_not_restored", "loop_error")


class BrokersMoved:
    """All brokers come back under new addresses; only the address that parts were configured with stays."""

    async def prepare(self, stage: Stage) -> None:
        """Give the parts one address, as a name in front of all brokers would be."""
        home, first = LoopThread(), stage.kafka.proxies[0]
        stage.stack.callback(home.close)
        self._front = Proxy(first.target, home)
        stage.stack.callback(self._front.close)
        stage.settings["KAFKA__BOOTSTRAP_SERVERS"] = f"127.0.0.1:{self._front.port}"

    async def run(self, stage: Stage) -> None:
        began, old = time.time(), [proxy.port for proxy in stage.kafka.proxies]
        await in_sync(stage.reader)
        async with stage.fault("brokers move"):
            await stage.kafka.move()
            stage.met("no address is an old one", not set(old) & {proxy.port for proxy in stage.kafka.proxies})
            await _found_again(stage, began)
            stage.met("clients came to the new addresses", all(proxy.connections for proxy in stage.kafka.proxies))
        await _goes_on(stage, began)


async def tls(stage: Stage) -> None:
    """Usual load over SASL_SSL; a poller leaves and comes back, so that connections are closed and shards move."""
    began, leaver = time.time(), stage.pollers[-1]
    async with stage.fault("over SASL_SSL"):
        await stage.sleep(TLS_SECONDS / 2)
        code = await leaver.terminate()
        if code:
            stage.wrong(f"{leaver.name} ended with exit code {code} when it was asked to")
        await leaver.start()
        await stage.sleep(TLS_SECONDS / 2)
    await _goes_on(stage, began)


async def tls_rotation(stage: Stage) -> None:
    """A new authority and new certificates, of brokers and of clients: in the same files, and nobody of ours restarts.

    The brokers are started again one after the other. What is trusted from then on was never heard of before.
    """
    began = time.time()
    await in_sync(stage.reader)
    async with stage.fault("certificates renewed"):
        await asyncio.to_thread(renew, stage.settings)
        for node in stage.kafka.nodes:
            await node.stop()
            await node.start()
        await _found_again(stage, began)
    await _goes_on(stage, began)


async def _found_again(stage: Stage, since: float) -> None:
    """Return when Kafka is no longer away for anybody, and nothing waits; that must not take long."""
    await degraded_signals.appear(stage, AWAY, *stage.receivers, since=since)
    stage.met("SMS waited in journals", (await stage.samples.look()).rows)
    await degraded_signals.disappear(stage, AWAY, *stage.parts, seconds=FOUND_SECONDS)

    async def empty() -> bool:
        latest = await stage.samples.look()
        return latest.complete and not latest.rows

    try:
        await eventually(empty, FOUND_SECONDS, "all journals are drained under load")
    except AssertionError as error:
        stage.wrong(str(error))


async def _goes_on(stage: Stage, since: float) -> None:
    """Every shard has an owner, none ended, and nobody complains again and again."""
    await stage.all_shards_owned(seconds=SHARDS_SECONDS)
    for part in stage.parts:
        stage.wrongs += [f"{part.label} said {event}" for event in BROKEN if _said(part, event)]
    degraded_signals.not_noisy(stage, *stage.parts, since=since)


def _said(part: Part, event: str) -> bool:
    return bool(part.replica.said(event))
