"""Brokers that die, hang, or are started again: one, the one that leads the others, two of three, all."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tests.e2e.program import eventually
from tests.faults import rest
from tests.faults.history import Fault, History
from tests.faults.quorum import controller, in_sync
from tests.faults.samples import drain_rate
from tests.faults.stage import Stage
from tests.faults.waits import beyond_backlog, longest_acceptance
from tests.kafka_fixtures import TestNode

DOWN_SECONDS = 20.0
AWAY_SECONDS = 180.0
TOOK_OVER_SECONDS = 20  # for the others to elect the next controller
GO_ON_SECONDS = 5.0  # within which an SMS has its 200, whatever the brokers do
SHOWN_SECONDS = 15.0  # within which a watched SMS is seen, whatever the brokers do
ACTING_SECONDS = 10.0  # after which nobody acts: a licence of 2 s, an action of 5, and the look that tells of it
DRAINED_SECONDS = 300
LANE_SECONDS = 2.0  # of doubt, on a busy machine
BACKLOG, RATE = 20_000, 1_000  # rows, and rows a second: a fifth of the aim, on a busy machine


async def broker_killed(stage: Stage) -> None:
    """kill -9 of a broker that is not the controller; it is back twenty seconds later."""
    leader = controller(stage.kafka)
    await _die(stage, [stage.rng.choice([node for node in stage.kafka.nodes if node is not leader])])


async def controller_killed(stage: Stage) -> None:
    """kill -9 of the broker that is the active controller: the others have to elect the next one."""
    leader = controller(stage.kafka)
    await _die(stage, [leader])
    stage.met("another node became the controller", controller(stage.kafka) is not leader)


async def two_brokers_killed(stage: Stage) -> None:
    """kill -9 of two of three: no quorum, and nothing is acknowledged."""
    await _die(stage, stage.rng.sample(stage.kafka.nodes, 2))


async def all_brokers_killed(stage: Stage) -> None:
    """kill -9 of all brokers at once."""
    await _die(stage, stage.kafka.nodes)


async def broker_hangs(stage: Stage) -> None:
    """SIGSTOP of a broker, SIGCONT twenty seconds later: connections stay open, and nothing is answered."""
    sleeper = stage.rng.choice(stage.kafka.nodes)
    async with _outage(stage):
        await sleeper.pause()
        await stage.sleep(DOWN_SECONDS)
        await sleeper.resume()


async def rolling_restart(stage: Stage) -> None:
    """SIGTERM of one broker after the other; the next goes when all replicas are in sync again."""
    for node in stage.kafka.nodes:
        await in_sync(stage.reader)
        async with stage.fault("a broker is started again"):
            began = time.time()
            await node.stop()
            stage.met("callbacks came while a broker ended", _posts(stage, began))
            await stage.sleep(2)
            await node.start()
    _go_on(stage, stage.faults[0].at, stage.faults[-1].until)


async def kafka_away(stage: Stage) -> None:
    """kill -9 of all brokers, and none for three minutes; then everything is drained under load."""
    await _die(stage, stage.kafka.nodes, AWAY_SECONDS)
    away = stage.faults[-1]
    stage.met("tens of thousands of rows waited", _rows(stage, away) >= BACKLOG * stage.scale)
    await eventually(lambda: _is_drained(stage), DRAINED_SECONDS, "all journals are drained under load")
    rate = drain_rate(stage.samples.rounds, away.until)
    if rate is not None and rate < RATE:
        stage.wrong(f"the journals drained {rate:.0f} rows/s")
    history = await rest.seen(stage)
    if (beyond := beyond_backlog(history, away.until)) > LANE_SECONDS:
        stage.wrong(f"an SMS waited {beyond:.1f} s longer than for what lay in its lane")
    _nobody_acted(stage, history, away)


async def _die(stage: Stage, nodes: Sequence[TestNode], seconds: float = DOWN_SECONDS) -> None:
    async with _outage(stage):
        await asyncio.gather(*(node.kill() for node in nodes))
        await stage.sleep(seconds)
        await stage.kafka.start()


@asynccontextmanager
async def _outage(stage: Stage) -> AsyncIterator[None]:
    """Inside, brokers go and come back: it must meet lanes at work, and senders must not notice much."""
    await in_sync(stage.reader)
    async with stage.fault("brokers are away"):
        yield
    fault = stage.faults[-1]
    stage.met("rows waited in the journals", _rows(stage, fault))
    stage.met("callbacks came meanwhile", _posts(stage, fault.at) > 100 * stage.scale)
    _go_on(stage, fault.at, fault.until)


def _go_on(stage: Stage, since: float, until: float) -> None:
    longest = longest_acceptance(stage.callbacks.posts, since, until)
    if longest > GO_ON_SECONDS:
        stage.wrong(f"an SMS waited {longest:.1f} s for its 200")


def _nobody_acted(stage: Stage, history: History, away: Fault) -> None:
    """An SMS passes when somebody asked for the next one: not while Kafka was away, and of some after that."""
    shown = [sms for sms in history.shown if sms.shown and away.at < sms.shown < away.until]
    acted = [sms for sms in history.shown if sms.passed and away.at + ACTING_SECONDS < sms.passed < away.until]
    stage.met("looking went on", shown)
    stage.met("an action waited for Kafka", any(sms.passed and sms.passed > away.until for sms in shown))
    stage.wrongs += [f"somebody acted on {sms.provider} {sms.order} while Kafka was away" for sms in acted]


def _rows(stage: Stage, fault: Fault) -> float:
    """Return how many rows the journals held during it, at most."""
    return max((each.rows for each in stage.samples.rounds if fault.at <= each.at <= fault.until), default=0.0)


def _posts(stage: Stage, since: float) -> int:
    return sum(post.at >= since for post in stage.callbacks.posts)


async def _is_drained(stage: Stage) -> bool:
    latest = await stage.samples.look()
    return latest.complete and not latest.rows
