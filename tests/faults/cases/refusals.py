"""What Kafka or a provider refuses: a topic that is gone or takes nothing, a record of its own, a key."""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import Collection, Mapping
from itertools import cycle
from typing import Any

from tests.e2e.topic import records
from tests.e2e.topics_made import admin
from tests.faults import degraded_signals, reading, topics
from tests.faults.degraded_signals import Sign
from tests.faults.history import Record
from tests.faults.load import number_of
from tests.faults.sandbox import PROVIDERS
from tests.faults.stage import Stage

MISSING, READ_ONLY, REFUSED = Sign("topics_misconfigured"), Sign("kafka_away"), Sign("records_refused")
PAUSED = Sign("account_paused", lines=len(PROVIDERS))

GONE_SECONDS, AGAIN_SECONDS = 15, 60
OVER_SECONDS = 90  # the last refused record is remembered for a minute
STILL_SECONDS = 0.5  # for what is on its way to the brokers to arrive
LEAST_BYTES = 32 * 1024
LONG_TEXTS = (40 * 1024, 100 * 1024)  # a dead letter keeps 64 KiB of a record
LONG, LEAST_LONG, REFUSED_SECONDS = 60, 8, 20
LONG_FROM = 1_000_000  # their indices
KEY_SECONDS, PROBE_SECONDS = 15, 90  # a paused account is tried once a minute


async def topic_deleted(stage: Stage) -> None:
    """The topic of received SMS is deleted by somebody else, and made again by the command that makes topics."""
    began = time.time()
    async with stage.fault("topic deleted"):
        await _delete(stage)
        await _endure(stage, MISSING, began)
        await topics.create(stage.reader)
        await degraded_signals.disappear(stage, MISSING, *stage.parts, seconds=AGAIN_SECONDS)
    degraded_signals.said_once(stage, MISSING, *stage.parts, since=began)


async def topic_read_only(stage: Stage) -> None:
    """One broker is dead, and of this one topic all replicas must be in sync: it is refused what needs all of them."""
    began, victim = time.time(), stage.rng.choice(stage.kafka.nodes)
    async with stage.fault("topic read-only"):
        before = await topics.alter(stage.reader, topics.RECEIVED, {"min.insync.replicas": str(len(stage.kafka.nodes))})
        await victim.kill()
        await _endure(stage, READ_ONLY, began)
        await topics.alter(stage.reader, topics.RECEIVED, before)
        await degraded_signals.disappear(stage, READ_ONLY, *stage.parts, seconds=AGAIN_SECONDS)
    degraded_signals.said_once(stage, READ_ONLY, *stage.parts, since=began)
    await victim.start()


async def record_refused(stage: Stage) -> None:
    """The topic takes no long records any more: long SMS become dead letters, all others go on in their order."""
    began = time.time()
    async with stage.fault("long records refused"):
        before = await topics.alter(stage.reader, topics.RECEIVED, {"max.message.bytes": str(LEAST_BYTES)})
        await asyncio.sleep(STILL_SECONDS)
        long = await _long_sms(stage)
        await degraded_signals.appear(stage, REFUSED, *stage.receivers, since=began)
        await topics.alter(stage.reader, topics.RECEIVED, before)
        await degraded_signals.disappear(stage, REFUSED, *stage.receivers, seconds=OVER_SECONDS)
    await _are_dead_letters(stage, long)
    degraded_signals.said_once(stage, REFUSED, *stage.receivers, since=began)


async def wrong_key(stage: Stage) -> None:
    """All providers say that our key is wrong, and a while later that it is right."""
    began = time.time()
    async with stage.fault("wrong key"):
        await stage.sandbox.bad_day(kind="wrong_key")
        await degraded_signals.appear(stage, PAUSED, *stage.pollers, since=began)
        await stage.sleep(KEY_SECONDS)
        await stage.sandbox.good_day()
        await degraded_signals.disappear(stage, PAUSED, *stage.pollers, seconds=PROBE_SECONDS)
    days = (await stage.sandbox.book())["bad_days"]
    stage.met("every provider said so", {day["provider"] for day in days} == set(PROVIDERS))
    degraded_signals.said_once(stage, PAUSED, *stage.pollers, since=began)


async def _delete(stage: Stage) -> None:
    """Delete the topic while everybody stands still, so that all that it ever had is known."""
    for part in stage.parts:
        part.pause()
    stage.gone = await _all_records(stage)
    async with admin(stage.reader) as client:
        await client.delete_topics([stage.prefix + topics.RECEIVED])
    for part in stage.parts:
        part.resume()
    stage.met("the topic had something", stage.gone)


async def _all_records(stage: Stage) -> tuple[Record, ...]:
    """Read them until nothing more arrives."""
    before, found = None, ()
    while before is None or len(found) > before:
        before = len(found)
        await asyncio.sleep(STILL_SECONDS)
        found = (await topics.read(stage.reader)).records
    return found


async def _endure(stage: Stage, sign: Sign, since: float) -> None:
    """The topic takes nothing: what comes is kept."""
    await stage.sleep(GONE_SECONDS)
    await degraded_signals.appear(stage, sign, *stage.parts, since=since)
    stage.met("SMS waited in journals", (await stage.samples.look()).rows > 100 * stage.scale)


async def _long_sms(stage: Stage) -> set[str]:
    """Post long SMS among the others, of the same numbers to the same receivers; return their nonces."""
    count, nonces = max(LEAST_LONG, int(LONG * stage.scale)), set()
    for number, receiver in zip(range(count), cycle(stage.receivers), strict=False):
        more = "x" * LONG_TEXTS[number // len(stage.receivers) % len(LONG_TEXTS)]
        nonces.add(await stage.callbacks.deliver(receiver, number_of(number), LONG_FROM + number, more))
        await stage.sleep(REFUSED_SECONDS / LONG)
    return nonces


async def _are_dead_letters(stage: Stage, nonces: Collection[str]) -> None:
    """Each is one, with its length and its hash; else that is wrong."""
    letters = {}
    for record in await records(stage.reader, topics.REJECTED):
        letters[reading.dead_letter(record).nonce] = json.loads(record.value)
    for nonce in nonces:
        if nonce not in letters:
            stage.wrong(f"{nonce} is too long for the topic, was answered 200, and is no dead letter")
        elif not _is_whole(letters[nonce]):
            stage.wrong(f"the dead letter of {nonce} does not say what it was")


def _is_whole(letter: Mapping[str, Any]) -> bool:
    kept = base64.b64decode(letter["body_base64"])
    if not letter["body_complete"]:
        return LEAST_BYTES < len(kept) < letter["body_bytes"] and len(letter["body_sha256"]) == 64
    return len(kept) == letter["body_bytes"] and hashlib.sha256(kept).hexdigest() == letter["body_sha256"]
