"""Too much of something: bad answers of all providers at once, callbacks, connections, changes of the group."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from tests.e2e.program import eventually
from tests.faults import degraded_signals, topics
from tests.faults.process import Part
from tests.faults.sandbox import PROVIDERS
from tests.faults.slow import Crowd, knocks
from tests.faults.stage import SHARDS, Stage

STORMS: tuple[Mapping[str, object], ...] = (
    {"kind": "429", "retry_after": 2},
    {"kind": "html"},
    {"kind": "reset"},
    {"kind": "slow", "seconds": 30},
)
STORM_SECONDS, CALM_SECONDS = 12, 2  # the back-off counts on until there was some calm
MET_SECONDS = 30  # for each provider to be asked while it storms
OPEN_SECONDS = 60  # for the back-off to end: it doubles while a storm lasts
SHOWN_SECONDS = 60  # after a storm, for what arrived in it
BURST, BURST_SECONDS = 10, 20
CROWD, CROWD_SECONDS = 5_000, 30
USUAL_FILES = 1024  # the soft limit of what systemd or a login starts
KNOCK_SECONDS = 5.0
TURN_SECONDS, TURNS_SECONDS = 5.0, 45
OWNED_SECONDS = 60
OPEN = re.compile(r"^smsbus_account_open\{.*\} 1", re.MULTILINE)


async def provider_storm(stage: Stage) -> None:
    """All polled providers misbehave at once in one way after the other, and work again in between."""
    began = time.time()
    for day in STORMS:
        async with stage.fault(f"all providers: {day['kind']}"):
            await stage.sandbox.bad_day(**day)
            stage.met(f"every provider answered {day['kind']}", await _stormed(stage, str(day["kind"])))
            await stage.sleep(STORM_SECONDS)
        await stage.sandbox.good_day()
        await _all_open(stage)
        await asyncio.sleep(CALM_SECONDS)
    await _all_shown(stage)
    await _none_ended_early(stage)
    degraded_signals.not_noisy(stage, *stage.parts, since=began)


async def callback_burst(stage: Stage) -> None:
    """Ten times the usual number of callbacks a second, from ten times the senders; then the usual number again."""
    usual, before = stage.callbacks.rate, len(stage.callbacks.posts)
    async with stage.fault("burst"):
        stage.callbacks.rate = usual * BURST
        stage.callbacks.start(stage.case.numbers * (BURST - 1))
        await stage.sleep(BURST_SECONDS)
        stage.callbacks.rate = usual
    answered = sum(post.status == 200 for post in stage.callbacks.posts[before:])
    stage.met("five times the usual number was answered at least", answered > usual * 5 * BURST_SECONDS * stage.scale)


async def give_usual_files(stage: Stage) -> None:
    """Let the receivers begin with as many open files as a usual start gives them; they may allow themselves more."""
    for receiver in stage.receivers:
        receiver.wrapper = ("prlimit", f"--nofile={USUAL_FILES}:")


async def slow_clients(stage: Stage) -> None:
    """Thousands hold a connection to a receiver and send a byte now and then; it goes on answering everybody else."""
    receiver, began = stage.receivers[0], time.time()
    async with stage.fault("slow clients"), Crowd(receiver.url, int(CROWD * stage.scale), stage.rng) as crowd:
        answers = await knocks(receiver.url, CROWD_SECONDS * stage.scale)
    stage.met(f"{crowd.wanted} connections were open at once ({crowd.most})", crowd.most > 0.6 * crowd.wanted)
    failed = [each for each in answers if each.failure]
    if failed:
        stage.wrong(f"{len(failed)} of {len(answers)} new connections were refused, as by {failed[0].failure}")
    if (slowest := max(each.seconds for each in answers)) > KNOCK_SECONDS:
        stage.wrong(f"a new connection waited {slowest:.1f} s for its answer")
    degraded_signals.not_noisy(stage, receiver, since=began)


async def rebalance_storm(stage: Stage) -> None:
    """Every five seconds a poller comes or goes, by SIGTERM and kill -9 in turn."""
    guests, began = [await stage.add("pollers") for _ in range(2)], time.time()
    moved = 0
    for number, guest in enumerate(stage.turns(guests, TURNS_SECONDS)):
        await asyncio.sleep(TURN_SECONDS)
        moved += await stage.shards(guest)
        await (_leave(stage, guest, kill=number % 4 == 3) if guest.present else guest.start())
    stage.met("pollers had been given shards when they left", moved)
    await _all_back(stage, guests)
    await _all_shown(stage)
    degraded_signals.not_noisy(stage, *stage.pollers[:-2], since=began)


async def _leave(stage: Stage, poller: Part, *, kill: bool) -> None:
    if kill:
        await poller.kill()
    elif code := await poller.terminate():
        stage.wrong(f"{poller.label} ended with exit code {code} when it was asked to")


async def _stormed(stage: Stage, kind: str) -> bool:
    """Return when every provider has answered so; False when one did not within `MET_SECONDS`."""

    async def met() -> bool:
        days = (await stage.sandbox.book())["bad_days"]
        return {day["provider"] for day in days if day["kind"] == kind} == set(PROVIDERS)

    return await _holds(met, MET_SECONDS)


async def _all_open(stage: Stage) -> None:
    """Every account is asked again by every poller; else that is wrong."""

    async def opened() -> bool:
        answers = await asyncio.gather(*(poller.replica.get("/metrics") for poller in stage.pollers))
        return all(
            text.count("smsbus_account_open{") == len(PROVIDERS) == len(OPEN.findall(text)) for _, text in answers
        )

    if not await _holds(opened, OPEN_SECONDS):
        stage.wrong(f"an account was not asked again within {OPEN_SECONDS} s after a storm")


async def _all_shown(stage: Stage) -> None:
    """What has arrived so far for a watched order is soon seen; else that is wrong."""
    now, watched = time.time(), {order.name for order in stage.orders.opened}

    async def shown() -> bool:
        rows = (await stage.sandbox.book())["sms"]
        mine = (row for row in rows if row["at"] < now and (row["provider"], row["kind"], row["order"]) in watched)
        return all(row["shown"] is not None for row in mine)

    if not await _holds(shown, SHOWN_SECONDS):
        stage.wrong(f"an SMS of a watched order was not seen within {SHOWN_SECONDS} s after the storm")


async def _none_ended_early(stage: Stage) -> None:
    """No watch has ended but by our own finish before its order did; else that is wrong.

    A finish whose response was lost in the storm is a finish: all that can be seen of it is that the order is gone.
    """
    ends = {order.name: order.ends for order in stage.orders.opened}
    rows = (await stage.sandbox.book())["closed"]
    closed = {(row["provider"], row["kind"], row["order"]): float(row["at"]) for row in rows}
    for end in (await topics.read(stage.reader)).ended:
        name, at = (end.provider, end.order_kind, end.order), end.timestamp_ms / 1000
        is_ours = end.reason == "finished" or (end.reason == "gone" and closed.get(name, at) < at)
        if not is_ours and (left := ends.get(name, 0.0) - at) > 1:
            stage.wrong(f"the watch of {end.provider} {end.order} ended as {end.reason} {left:.0f} s before its order")


async def _all_back(stage: Stage, guests: Sequence[Part]) -> None:
    """Start who is away; every shard is soon owned."""
    for guest in guests:
        if not guest.present:
            await guest.start()
    if not await _holds(lambda: _owned(stage), OWNED_SECONDS):
        stage.wrong(f"a shard was without an owner {OWNED_SECONDS} s after the last change")


async def _owned(stage: Stage) -> bool:
    return await stage.shards() == SHARDS


async def _holds(holds: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    try:
        await eventually(holds, seconds, "")
    except AssertionError:
        return False
    return True
