"""After a fault: wait until the stage has come to rest, and note everything that was seen."""

import asyncio
import time
from collections.abc import Iterable, Sequence

from tests.e2e.program import eventually
from tests.faults import reading, topics
from tests.faults.checker import violations
from tests.faults.history import History, Record, Shown
from tests.faults.orders import LIFETIME
from tests.faults.samples import ledgers
from tests.faults.stage import Stage

STOP_SECONDS = 60  # for the last callbacks to get their 200 and the last orders their watch
QUIET_SECONDS = 180
PUBLISHED_SECONDS = 30  # for what was shown to a process that died before it read it: its successor is shown it again
AFTER_SECONDS = 3.0  # of load after a fault


async def heal(stage: Stage) -> None:
    """Let Kafka and all parts serve again, whatever the case has left behind, and go on a moment under load."""
    for part in stage.parts:
        if part.crashed:
            stage.wrong(f"{part.label} ended by itself")
    await asyncio.to_thread(stage.kafka.heal)
    await asyncio.gather(*(part.come_back() for part in stage.parts if not part.present))
    await asyncio.sleep(AFTER_SECONDS)


async def come_to_rest(stage: Stage) -> list[str]:
    """End the load and return when all that was promised has arrived; what did not in time, one sentence each."""
    late = []
    if unanswered := await stage.callbacks.stop(STOP_SECONDS):
        late.append(f"{unanswered} callbacks got no 200 within {STOP_SECONDS} s after the end of the load")
    if unwatched := await stage.orders.stop(STOP_SECONDS):
        late.append(f"{unwatched} orders got no watch within {STOP_SECONDS} s after the end of the load")
    for holds, seconds, words in (
        (lambda: _is_drained(stage), QUIET_SECONDS, "every process is drained"),
        (lambda: _is_shown(stage), LIFETIME + QUIET_SECONDS, "every SMS was shown or its order is over"),
        (lambda: _is_published(stage), PUBLISHED_SECONDS, "everything that was promised is in the topic"),
        (lambda: _is_drained(stage), QUIET_SECONDS, "every process is drained in the end"),
    ):
        try:
            await eventually(holds, seconds, words)
        except AssertionError as error:
            late.append(str(error))
    return late


async def seen(stage: Stage) -> History:
    """Return everything that was seen until now."""
    lie = await topics.read(stage.reader)
    lie = lie._replace(records=tuple(record for record in lie.records if record.account not in stage.apart))
    return lie._replace(
        records=_after(stage.gone, lie.records),
        posts=tuple(stage.callbacks.posts),
        shown=await _book(stage),
        faults=(*stage.faults, *(absence for part in stage.parts for absence in part.absences)),
        ledgers=tuple(ledgers(stage.samples.rounds)),
    )


def longest_wait(stage: Stage, shown: Iterable[Shown]) -> float:
    """Return the seconds that an SMS waited at its provider until a poll showed it, though it was watched, at most.

    Only those are counted that nothing but a poll was missing for: the first of an activation, any of a rent.
    """
    watched = {order.name: order.watched for order in stage.orders.opened}
    waits = [
        sms.shown - max(sms.at, watched[sms.sms[:3]])
        for sms in shown
        if sms.shown is not None and sms.sms[:3] in watched and (sms.index == 0 or sms.kind == "rent")
    ]
    return max(waits, default=0.0)


def _after(gone: Sequence[Record], lie: Sequence[Record]) -> tuple[Record, ...]:
    """Return both: those of a topic that is gone lay before those of the one that has its name now."""
    behind = max((record.offset for record in gone), default=-1) + 1
    return (*gone, *(record._replace(offset=record.offset + behind) for record in lie))


async def _book(stage: Stage) -> tuple[Shown, ...]:
    ends = {order.name: order.ends for order in stage.orders.opened}
    rows = (await stage.sandbox.book())["sms"]
    return tuple(reading.shown(row, ends.get((row["provider"], row["kind"], row["order"]))) for row in rows)


async def _is_drained(stage: Stage) -> bool:
    latest = await stage.samples.look()
    return latest.complete and not any(each["pending"] or each["journal_rows"] for each in latest.metrics.values())


async def _is_shown(stage: Stage) -> bool:
    now = time.time()
    arrived = all(order.arrives < now for order in stage.orders.opened)
    hidden = (sms for sms in await _book(stage) if sms.shown is None)
    return arrived and all(sms.ends is not None and sms.ends < now for sms in hidden)


async def _is_published(stage: Stage) -> bool:
    return not violations(await seen(stage), ["lost"])
