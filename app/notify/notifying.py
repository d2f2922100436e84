"""Look at the health of this process, and tell people outside. One task; while a service outside hangs, it waits.

With `--workers` the supervisor does this, once for all of them.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Literal, Protocol

from prometheus_client import CollectorRegistry

from app.admin.listener import Health
from app.notify import words
from app.notify.channel import MOST_BYTES, TOTAL_SECONDS, Channel, ChannelMetrics
from app.notify.lasting import LastingReasons
from app.settings.load import Settings
from app.settings.sections import NotifySettings
from providers.http_client import HttpClient, Requester

LOOK_EVERY: Final = 5.0  # seconds
AGAIN: Final = 60.0  # seconds until a notification that failed is tried again, with what holds then
BEAT_EVERY: Final = 60.0  # seconds
DEAD: Final = "dead"


class Watched(Protocol):
    """Whose health it is: an `app.admin.listener.Listener`."""

    async def health(self) -> Health:
        """Return what /readyz says."""

    async def lives(self) -> bool:
        """Return what /livez says."""


class Notifier:
    """Tells each lasting reason once, and its end once; what could not be told is tried again, together."""

    def __init__(self, channel: Channel, form: words.Format, host: str) -> None:
        self._channel = channel
        self._form = form
        self._host = host
        self._told: list[str] = []
        self._not_before = 0.0

    async def tell(self, reasons: LastingReasons, now: float) -> None:
        """Send what people do not know yet: at most two requests, and none for a minute after one that failed."""
        lasts = any(reason not in self._told for reason in reasons.lasting(now))
        begun = [reason for reason in reasons.together(now) if lasts and reason not in self._told]
        over = [reason for reason in self._told if reasons.is_over(reason)]
        if now < self._not_before:
            return
        if over and await self._sent(words.over(over, self._host), now):
            self._told = [reason for reason in self._told if reason not in over]
        if begun and await self._sent(words.begun(begun, self._host), now):
            self._told += begun

    async def _sent(self, said: words.Notification, now: float) -> bool:
        headers, body = words.request_of(said, self._form)
        is_sent = await self._channel.send("POST", headers, body)
        if not is_sent:
            self._not_before = now + AGAIN
        return is_sent


class Heartbeat:
    """Calls a URL every minute while all is well: when the calls cease, its service tells people."""

    def __init__(self, channel: Channel, now: float) -> None:
        self._channel = channel
        self._next = now

    async def beat(self, now: float) -> None:
        """Call it, if it is time."""
        if now >= self._next:
            self._next = now - (now - self._next) % BEAT_EVERY + BEAT_EVERY  # a late one delays no other
            await self._channel.send("GET")


@asynccontextmanager
async def notifying(settings: Settings, watched: Watched, registry: CollectorRegistry) -> AsyncIterator[None]:
    """Tell people of what `watched` says, for as long as the context lasts; do nothing if no URL is set."""
    if settings.notify.url is None and settings.heartbeat.url is None:
        yield
        return
    async with HttpClient(total_seconds=TOTAL_SECONDS, limit=MOST_BYTES) as client:
        task = asyncio.create_task(follow(settings, watched, registry, client))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])


async def follow(settings: Settings, watched: Watched, registry: CollectorRegistry, client: Requester) -> None:
    """Look every few seconds, without end. Well is: alive, ready, and no reason that people would be told of."""
    loop, reasons = asyncio.get_running_loop(), LastingReasons()
    notify, beats = (_channel(kind, settings, client) for kind in ("notify", "heartbeat"))
    ChannelMetrics(notify, beats, registry)
    notifier = Notifier(notify, _format(settings.notify), socket.gethostname()) if notify else None
    heartbeat = Heartbeat(beats, loop.time()) if beats else None
    while True:
        now, health = loop.time(), await _health(watched)
        if health is not None:
            reasons.look(health.degraded, now)
            if heartbeat is not None and health.status == "ready" and not reasons.lasting(now):
                await heartbeat.beat(now)
            if notifier is not None:
                await notifier.tell(reasons, now)
        await asyncio.sleep(LOOK_EVERY)


async def _health(watched: Watched) -> Health | None:
    """Return its health, `dead` where it should be restarted; None: it cannot say, so nothing is over or well."""
    try:
        health = await watched.health()
        return health if await watched.lives() else health._replace(status=DEAD)
    except Exception:  # noqa: BLE001 - a worker's listener that fails; the next look may be better
        return None


def _channel(kind: Literal["notify", "heartbeat"], settings: Settings, client: Requester) -> Channel | None:
    url = (settings.notify if kind == "notify" else settings.heartbeat).url
    return Channel(kind, url, client) if url is not None else None


def _format(notify: NotifySettings) -> words.Format:
    if notify.format == "auto":
        return words.format_of(notify.url.get_secret_value()) if notify.url else "ntfy"
    return notify.format
