"""What happens in a scenario: each function returns something that goes on beside the others on the town's loop."""

import asyncio
import json
from typing import TYPE_CHECKING, Final

from bus.record import partition_of
from sandbox.orders import Order
from sandbox.settings import Fault, FaultKind
from sandbox.sms import OrderKind, Provider
from tests.simulation.kafka import SHARDS
from tests.simulation.plan import Begin

if TYPE_CHECKING:
    from tests.simulation.town import Town

LIFETIMES: Final = (1200.0, 1800.0)
"""Seconds of an activation: as the providers have it, and one that our deadline comes before."""
PROVIDERS: Final[tuple[Provider, ...]] = ("grizzlysms", "smsverified", "smsman")
BAD: Final[tuple[FaultKind, ...]] = ("5xx", "html", "empty", "reset", "truncated", "slow")


# ---- orders ----------------------------------------------------------------------------------------------------------


def customers(
    *,
    per_minute: float,
    share: float = 0.6,
    providers: tuple[Provider, ...] = ("grizzlysms",),
    most_sms: int = 3,
    asks_next: bool = True,
) -> Begin:
    """New activations all the time, of which a share gets SMS; each next is asked for as soon as one is published."""

    async def begin(town: "Town") -> None:
        rng = town.random("customers")
        if asks_next:
            town.kafka.on_published.append(town.people.wants_more)
        while True:
            await asyncio.sleep(rng.expovariate(per_minute / 60))
            sms = rng.randint(1, most_sms) if rng.random() < share else 0
            provider = rng.choice(providers)
            order = town.people.buy(provider, "activation", sms=sms, lifetime=rng.choice(LIFETIMES))
            until = rng.choice((None, None, rng.uniform(300, 1200)))
            town.spawn(_watched(town, provider, "activation", order, until))

    return begin


def standing(*, activations: int, sms: int = 1, provider: Provider = "grizzlysms") -> Begin:
    """So many live activations at any time: one that ends is followed by the next."""

    async def begin(town: "Town") -> None:
        rng = town.random("standing")
        for _ in range(activations):
            town.spawn(_one_after_another(town, provider, sms, rng.uniform(0, 120)))

    return begin


async def _one_after_another(town: "Town", provider: Provider, sms: int, wait: float) -> None:
    while True:
        await asyncio.sleep(wait)
        order = town.people.buy(provider, "activation", sms=sms, lifetime=1200.0)
        await _watched(town, provider, "activation", order, 600.0)
        wait = 600.0


async def _watched(town: "Town", provider: Provider, kind: OrderKind, order: Order, until: float | None) -> None:
    await town.people.watch(provider, kind, order, until=until)


def last_moments(*, per_minute: float) -> Begin:
    """Activations whose watch is stopped while the poll is under way whose answer shows the SMS."""

    async def begin(town: "Town") -> None:
        rng = town.random("last moments")
        while True:
            await asyncio.sleep(rng.expovariate(per_minute / 60))
            order = town.people.buy("grizzlysms", "activation", sms=1, lifetime=1200.0)
            town.spawn(_stopped_at_the_last_moment(town, order))

    return begin


async def _stopped_at_the_last_moment(town: "Town", order: Order) -> None:
    case = await town.people.watch("grizzlysms", "activation", order)
    await asyncio.sleep(max(0.0, order.sms[0].at - town.world.clock.now()))
    polls = town.providers.log.of_order[case.account, case.order_key]
    before = len(polls)
    while len(polls) == before:
        await asyncio.sleep(0.02)
    await town.people.request(case, "stop")


def rents(*, number: int, sms: int, before: int = 0, provider: Provider = "grizzlysms") -> Begin:
    """So many rents from the start, each with its SMS spread over the run, in pages of ten."""

    async def begin(town: "Town") -> None:
        rng = town.random("rents")
        for _ in range(number):
            await asyncio.sleep(rng.uniform(0, 2))
            over = town.seconds * rng.uniform(0.7, 1.2)
            order = town.people.buy_rent(provider, sms=sms, over=over, before=before)
            town.spawn(_watched(town, provider, "rent", order, order.ends - order.opened))

    return begin


def broken_rents(*, number: int, says: str = '{"status":"error","error":"SERVER_ERROR"}') -> Begin:
    """Rents that answer so for ever, in a 200."""

    async def begin(town: "Town") -> None:
        for _ in range(number):
            order = town.people.buy_rent("grizzlysms", sms=0, over=town.seconds + 600)
            town.providers.broken[f"rent/{order.id}"] = says
            await _watched(town, "grizzlysms", "rent", order, None)

    return begin


# ---- providers -------------------------------------------------------------------------------------------------------


def failing(*, share: float) -> Begin:
    """A share of all answers fails, each in one of the ways in which answers do, and independently."""

    async def begin(town: "Town") -> None:
        for kind in BAD[:-1]:
            town.world.add_fault(Fault(kind=kind, share=1 - (1 - share) ** (1 / (len(BAD) - 1))))

    return begin


def throttled(*, every: float = 120.0, retry_after: int = 30) -> Begin:
    """Now and then one request is too many, and is told for how long."""

    async def begin(town: "Town") -> None:
        rng = town.random("throttled")
        while True:
            await asyncio.sleep(rng.expovariate(1 / every))
            town.world.add_fault(Fault(kind="429", retry_after=retry_after))
            await asyncio.sleep(1.0)
            town.world.clear_faults()

    return begin


def outage(*, after: float = 300.0) -> Begin:
    """From then on the provider answers nothing but 502."""

    async def begin(town: "Town") -> None:
        await asyncio.sleep(after)
        town.note("bad", "5xx")
        town.world.add_fault(Fault(kind="5xx"))

    return begin


def bad_hours() -> Begin:
    """Now and then a provider has a bad time: a throttle with Retry-After, an outage, a wrong key, slow answers."""

    async def begin(town: "Town") -> None:
        rng = town.random("bad hours")
        while True:
            await asyncio.sleep(rng.expovariate(1 / 1500))
            kind = rng.choice((*BAD, "429", "wrong_key"))
            share, retry_after = rng.choice((0.1, 0.5, 1.0)), rng.choice((None, 7, 60)) if kind == "429" else None
            town.note("bad", kind)
            town.world.add_fault(Fault(kind=kind, share=share, retry_after=retry_after))
            await asyncio.sleep(rng.uniform(5, 120))
            town.world.clear_faults()
            town.note("good", kind)

    return begin


# ---- replicas and Kafka ----------------------------------------------------------------------------------------------


def replicas_change(*, every: float = 400.0) -> Begin:
    """Replicas are killed, stopped, put to sleep and cut off, one at a time, and come back."""

    async def begin(town: "Town") -> None:
        rng = town.random("replicas")
        while True:
            await asyncio.sleep(rng.expovariate(1 / every))
            replica, seconds = rng.choice(town.replicas), rng.choice((2.0, 8.0, 30.0, 90.0))
            match rng.choice(("kill", "stop", "sleep", "cut")):
                case "kill":
                    replica.kill()
                    await asyncio.sleep(seconds)
                    replica.start()
                case "stop":
                    await replica.stop()
                    await asyncio.sleep(seconds)
                    replica.start()
                case "sleep":
                    await replica.sleep(seconds)
                case _:
                    town.kafka.leave(replica.name)
                    await asyncio.sleep(seconds)
                    town.kafka.come_back(replica.name)

    return begin


def restarts(*, every: float = 300.0) -> Begin:
    """Each replica is stopped and started again, as in a deployment."""

    async def begin(town: "Town") -> None:
        while True:
            for replica in town.replicas:
                await asyncio.sleep(every)
                await replica.stop()
                replica.start()

    return begin


def kafka_goes_away(*, every: float = 1200.0) -> Begin:
    """Kafka is away for seconds or minutes, now and then."""

    async def begin(town: "Town") -> None:
        rng = town.random("kafka")
        while True:
            await asyncio.sleep(rng.expovariate(1 / every))
            town.note("kafka", "away")
            town.kafka.leave()
            await asyncio.sleep(rng.choice((3.0, 20.0, 60.0, 300.0)))
            town.kafka.come_back()
            town.note("kafka", "back")

    return begin


def commits_fail(*, refused: float = 0.02, unknown: float = 0.02, full: float = 0.0, slow: float = 0.0) -> Begin:
    """Shares of commits are refused or unknown, of messages not taken, of requests slow."""

    async def begin(town: "Town") -> None:
        faults = town.faults
        faults.refused, faults.unknown, faults.full, faults.slow = refused, unknown, full, slow

    return begin


def compaction(*, every: float = 1800.0) -> Begin:
    """The commands topic is compacted now and then."""

    async def begin(town: "Town") -> None:
        while True:
            await asyncio.sleep(every)
            town.kafka.compact()

    return begin


def wrong_clocks(*, most: float) -> Begin:
    """Each replica's wall clock is wrong, and is set anew now and then."""

    async def begin(town: "Town") -> None:
        rng = town.random("clocks")
        while True:
            for replica in town.replicas:
                replica.step_clock(rng.uniform(-most, most))
            await asyncio.sleep(rng.expovariate(1 / 1800))

    return begin


# ---- requests --------------------------------------------------------------------------------------------------------


def requests(*, every: float = 20.0) -> Begin:
    """People ask for all there is to be asked, of watches that are open or over."""

    async def begin(town: "Town") -> None:
        rng = town.random("requests")
        words = ("next", "next", "impatient", "finish", "cancel", "stop", "hesitate", "reopen", "prolong")
        while True:
            await asyncio.sleep(rng.expovariate(1 / every))
            if cases := list(town.people.cases.values())[-200:]:
                town.spawn(_request(town, cases[rng.randrange(len(cases))].watch_id, rng.choice(words)))

    return begin


async def _request(town: "Town", watch_id: str, request: str) -> None:
    case, now = town.people.cases[watch_id], town.loop.time()
    ended = bool(town.people.state(case).get("ended")) or case.ends < now
    if request == "reopen" and ended and case.asked:
        case.ends = max(case.ends, now + 300.0)
        await town.people.request(case, "watch", states_end=True)
    elif request == "prolong" and not ended:
        case.ends += 300.0
        await town.people.request(case, "watch", states_end=True)
    elif request == "impatient" and not ended and case.asked:
        await town.people.request(case, "next")
        await asyncio.sleep(8.0)
        await town.people.request(case, "next")
    elif request == "hesitate" and not ended and case.asked:
        await town.people.request(case, "stop")
        await asyncio.sleep(1.0)
        case.ends = max(case.ends, town.loop.time() + 300.0)
        await town.people.request(case, "watch", states_end=True)
    elif request not in {"reopen", "prolong", "impatient", "hesitate"} and not ended and case.asked:
        await town.people.request(case, request)


def records_of_tomorrow(*, every: float = 600.0) -> Begin:
    """A state and a command that only a newer program can read, beside those of today."""

    async def begin(town: "Town") -> None:
        rng = town.random("tomorrow")
        while True:
            await asyncio.sleep(rng.expovariate(1 / every))
            order = town.people.buy("grizzlysms", "activation", sms=1, lifetime=1200.0)
            case = await town.people.watch("grizzlysms", "activation", order)
            case.readable = False
            value = json.loads(case.record("watch", "tomorrow"))
            town.kafka.append(case.watch_id, json.dumps(value | {"desired": "from tomorrow"}).encode())
            state = {"watch": value, "provider": "grizzlysms", "key": "1", "looked_ms": "never"}
            partition = partition_of(case.watch_id.encode(), SHARDS)
            if rng.random() < 0.5:
                town.kafka.states[partition][case.watch_id] = json.dumps(state).encode()
                town.replicas[0].kill()
                town.replicas[0].start()

    return begin
