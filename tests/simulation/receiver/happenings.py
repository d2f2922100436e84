"""What happens in a scenario of the receiver: each function returns something that goes on beside the others."""

import asyncio
import json
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Final

from app.admin import callbacks
from app.settings import retirement, rotation
from receiver.auth import fingerprint
from tests.simulation.clock import EPOCH
from tests.simulation.receiver.plan import KIB, Begin
from tests.simulation.receiver.senders import Sender

if TYPE_CHECKING:
    from tests.simulation.receiver.town import ReceiverTown

HEARD: Final = 2.0  # seconds until a SIGHUP was obeyed
BROKEN: Final = ("[accounts.shop\n", "nothing = 1\n", '[accounts.shop]\nprovider = "pingme"\n')
"""What an editor may leave in smsbus.toml: none of it can be used."""


# ---- senders ---------------------------------------------------------------------------------------------------------


def traffic(
    account: str = "shop", *, per_minute: float = 20, numbers: int = 200, repeats: float = 0.1, at_once: int = 1
) -> Begin:
    """An account's SMS, to so many numbers, and a share of them repeated, hours later too; now and then several."""

    async def begin(town: "ReceiverTown") -> None:
        rng, sender = town.random(f"traffic {account}"), town.senders[account]
        while not town.over:
            await asyncio.sleep(rng.expovariate(per_minute / 60))
            number, length = f"1647{rng.randrange(numbers):07d}", rng.choice((20, 100, 600))
            several = [sender.sms(number, length=length) for _ in range(rng.choice((1, 1, 1, at_once)))]
            town.spawn(sender.deliver(*several, repeats=repeats))

    return begin


def leaked(account: str = "leaky", *, after: float = 300.0, every: float = 3600.0, lasts: float = 1500.0) -> Begin:
    """Who has found the account's URL posts what costs most, for a while, stops, and comes again."""

    async def begin(town: "ReceiverTown") -> None:
        rng, thief = town.random("leaked"), Sender(town, account, town.tokens[account][0], name="thief")
        await asyncio.sleep(after)
        while not town.over:
            until = town.loop.time() + lasts * rng.uniform(0.5, 1.0)
            while town.loop.time() < until and not town.over:
                for _ in range(rng.choice((1,) * 50 + (150,))):
                    town.spawn(_something_dear(thief, rng.choice(("junk", "array", "packed", "large", "plain"))))
                await asyncio.sleep(rng.expovariate(1.0))
            await asyncio.sleep(every - lasts)

    return begin


async def _something_dear(thief: Sender, kind: str) -> None:
    size = thief.rng.choice((2, 10, 60)) * KIB
    match kind:
        case "junk":
            await thief.throw(f"{thief.rng.random()}".encode() + b"j" * size)
        case "array":
            await thief.throw(b"[" + b"{}," * (size // 1000) + b'{"n":%d}]' % thief.rng.randrange(10**9))
        case "packed":
            await thief.throw(f"{thief.rng.random()}".encode() + b"p" * size, packed=True)
        case "large":
            await thief.post(thief.sms("16470000001", length=size))
        case _:
            await thief.post(thief.sms("16470000001"))


def flooded(account: str = "leaky", *, per_minute: float = 60, length: int = 600, numbers: int = 30) -> Begin:
    """Who has found the account's URL posts valid SMS, one after the other, and repeats none that is refused."""

    async def begin(town: "ReceiverTown") -> None:
        rng, thief = town.random("flooded"), Sender(town, account, town.tokens[account][0], name="thief")
        while not town.over:
            await asyncio.sleep(rng.expovariate(per_minute / 60))
            town.spawn(_once(thief, f"1778{rng.randrange(numbers):07d}", length))

    return begin


async def _once(thief: Sender, number: str, length: int) -> None:
    await thief.post(thief.sms(number, length=length))


def large_ones(account: str = "shop", *, every: float = 120.0) -> Begin:
    """SMS that no record of the topic takes."""

    async def begin(town: "ReceiverTown") -> None:
        rng, sender = town.random("large"), Sender(town, account, town.tokens[account][0], name="large")
        while not town.over:
            await asyncio.sleep(rng.expovariate(1 / every))
            await sender.deliver(sender.sms(f"1647{rng.randrange(20):07d}", length=210_000))

    return begin


def strangers(*, every: float = 1.0) -> Begin:
    """Who has no token tries some."""

    async def begin(town: "ReceiverTown") -> None:
        rng = town.random("strangers")
        stranger = Sender(town, "", "", name="stranger")
        while not town.over:
            await asyncio.sleep(rng.expovariate(1 / every))
            await stranger.throw(b'{"text":"1"}', token=f"guess-{rng.randrange(10**9)}")

    return begin


def idlers(*, every: float = 5.0) -> Begin:
    """Who connects, and says nothing, half a head or half a body, and hangs up much later or never."""

    async def begin(town: "ReceiverTown") -> None:
        rng = town.random("idlers")
        while not town.over:
            await asyncio.sleep(rng.expovariate(1 / every))
            if listening := [each for each in town.receivers if each.is_open]:
                line = rng.choice(listening).connect()
                half = b"POST /v1/pingme/%b HTTP/1.1\r\nHost: a\r\n" % town.tokens["shop"][0].encode()
                line.say(
                    rng.choice(
                        (b"", half, half + b"Content-Length: 9\r\n\r\n{", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03")
                    )
                )
                if rng.random() < 0.5:
                    town.loop.call_later(rng.uniform(0, 300), line.hang_up)

    return begin


# ---- Kafka and disks -------------------------------------------------------------------------------------------------


def kafka_goes_away(
    *, every: float = 1200.0, lasts: tuple[float, ...] = (0.5, 3.0, 20.0, 60.0, 300.0), first: float = 0.0
) -> Begin:
    """Kafka is away for moments, minutes or hours, now and then."""

    async def begin(town: "ReceiverTown") -> None:
        rng = town.random("kafka")
        await asyncio.sleep(first)
        while not town.over:
            if not first:
                await asyncio.sleep(rng.expovariate(1 / every))
            if town.over:
                return
            town.kafka.leave()
            await asyncio.sleep(rng.choice(lasts))
            if town.kafka.away:
                town.kafka.come_back()
            await asyncio.sleep(every if first else 0.0)

    return begin


def brokers_fail(*, refused: float = 0.01, unknown: float = 0.01, slow: float = 0.02) -> Begin:
    """Shares of batches fail, or hold although they failed; shares of requests are slow."""

    async def begin(town: "ReceiverTown") -> None:
        town.faults.refused, town.faults.unknown, town.faults.slow = refused, unknown, slow
        town.note("slow", "Kafka")

    return begin


def disk_is_full(*, every: float = 900.0, lasts: float = 120.0) -> Begin:
    """The disk takes nothing, now and then."""

    async def begin(town: "ReceiverTown") -> None:
        rng = town.random("disk")
        while not town.over:
            await asyncio.sleep(rng.expovariate(1 / every))
            if town.over:
                return
            town.disk_is_full(not town.over)
            await asyncio.sleep(lasts)
            town.disk_is_full(False)

    return begin


# ---- receivers -------------------------------------------------------------------------------------------------------


def receivers_change(*, every: float = 600.0) -> Begin:
    """Receivers are killed, stopped and put to sleep, one at a time, and come back."""

    async def begin(town: "ReceiverTown") -> None:
        rng = town.random("receivers")
        while not town.over:
            await asyncio.sleep(rng.expovariate(1 / every))
            receiver, seconds = rng.choice(town.receivers), rng.choice((1.0, 8.0, 30.0, 90.0, 1200.0))
            if town.over or not receiver.is_open:
                continue
            match rng.choice(("kill", "stop", "sleep")):
                case "kill":
                    receiver.kill()
                case "stop":
                    await receiver.stop()
                case _:
                    await receiver.sleep(min(seconds, 90.0))
                    continue
            await asyncio.sleep(seconds)
            if not receiver.up:  # else the run is over, and it was started for that
                receiver.start()

    return begin


def one_dies(*, seconds: float = 1500.0) -> Begin:
    """The last receiver is killed while Kafka is away, and stays away for long after that is back."""

    async def begin(town: "ReceiverTown") -> None:
        receiver = town.receivers[-1]
        while not town.over:
            await asyncio.sleep(30.0)
            if not town.kafka.away:
                continue
            await asyncio.sleep(55.0)  # something lies in its journal by then
            if receiver.is_open and not town.over:
                receiver.kill()
                await asyncio.sleep(seconds)
                if not receiver.up:
                    receiver.start()

    return begin


def clocks_step(*, every: float = 900.0, most: float = 3 * 86400.0) -> Begin:
    """The machine's clock is set, by days too, forth and back."""

    async def begin(town: "ReceiverTown") -> None:
        rng = town.random("clocks")
        while not town.over:
            await asyncio.sleep(rng.expovariate(1 / every))
            seconds = rng.choice((most, 3600.0, 1.0)) * rng.uniform(-1, 1)
            for receiver in town.receivers:
                receiver.step_clock(seconds)

    return begin


# ---- settings --------------------------------------------------------------------------------------------------------


def rotates(account: str = "shop", *, every: float = 1800.0, slowness: float = 900.0) -> Begin:
    """A person rotates the token, tells PingMe some time later, and removes the old one once nobody uses it."""

    async def begin(town: "ReceiverTown") -> None:
        rng = town.random(f"rotates {account}")
        for number in count(1):
            await asyncio.sleep(rng.uniform(0.5, 1.5) * every)
            if town.over:
                return
            token = f"{account}-token-{number}-{rng.randrange(10**12)}"
            async with town.editing:
                rotation.put_first(town.config, account, token)
                town.tokens[account].insert(0, token)
                town.hang_up()
            town.spawn(_told(town.senders[account], token, rng.uniform(0, slowness)))
            while not town.over and not await _retired(town, account):
                await asyncio.sleep(120.0)

    return begin


async def _told(sender: Sender, token: str, after: float) -> None:
    await asyncio.sleep(after)
    sender.token = token


def tries_old_tokens(account: str = "shop", *, every: float = 60.0) -> Begin:
    """Who has found a token tries it from then on whenever it was removed."""

    async def begin(town: "ReceiverTown") -> None:
        rng, thief = town.random("old tokens"), Sender(town, account, "", name="thief")
        while not town.over:
            await asyncio.sleep(rng.expovariate(1 / every))
            known = {token for _, tokens in town.valid for token in tokens if token.startswith(account)}
            for token in sorted(known - set(town.tokens[account])):
                await thief.post(thief.sms("16470000001"), token=token)

    return begin


async def _retired(town: "ReceiverTown", account: str) -> bool:
    """`smsbus callback rotate NAME --retire`: the running receivers say whether they saw the old tokens."""
    if not all(receiver.is_open and not receiver.asleep for receiver in town.receivers):
        return False
    said = callbacks.together([json.dumps(receiver.callbacks()) for receiver in town.receivers])
    tokens = [fingerprint(token) for token in town.tokens[account]]
    now = datetime.fromtimestamp(EPOCH + town.clock.elapsed, UTC)
    if [*retirement.found(said, account, tokens, now)]:
        return False
    async with town.editing:
        rotation.keep_first(town.config, account, town.tokens[account])
        del town.tokens[account][1:]
        town.hang_up()
    return True


def hangs_up(*, every: float = 60.0) -> Begin:
    """SIGHUP comes again and again: nothing has changed, an account comes or goes, or the file cannot be used."""

    async def begin(town: "ReceiverTown") -> None:
        rng, extra = (
            town.random("hangs up"),
            '\n[accounts.guest]\nprovider = "pingme"\ncallback_tokens = "guest-token-of-22-letters"\n',
        )
        while not town.over:
            await asyncio.sleep(rng.expovariate(1 / every))
            async with town.editing:
                text = town.config.read_text().replace(extra, "")
                text, broken = rng.choice(((text, ""), (text + extra, ""), (text, rng.choice(BROKEN))))
                town.config.write_text(broken or text)
                town.hang_up()
                await asyncio.sleep(HEARD)
                town.config.write_text(text)

    return begin
