"""Hours of two replicas of the inbox, with everything looked at that they say."""

import asyncio
import random
from collections.abc import Callable
from typing import Final

import structlog

from inbox.asking import Inbox
from inbox.cursor import named
from inbox.filters import Filter
from inbox.following import Following
from inbox.settings import InboxSettings
from inbox.tail import Tail
from tests.inbox_records import PARTS
from tests.simulation.inbox.clients import Clients, Missed, check, tasks_of
from tests.simulation.inbox.topics import open_reader
from tests.simulation.inbox.town import Town
from tests.simulation.loop import Driver

LATE_IN_CALM: Final = 4.0  # seconds until it is said that something published is not here
LATE: Final = 16.0  # the same in the worst of trouble
SOON: Final = 45.0  # seconds after trouble in which all is well again


class Truth:
    """Looks several times a second at what the inboxes say and have."""

    def __init__(self, town: Town, inboxes: list[Inbox]) -> None:
        self.town = town
        self.inboxes = inboxes
        self._away_since: float | None = None
        self._looks = 0

    async def look(self) -> None:
        """Look without end."""
        while True:
            await asyncio.sleep(0.25)
            self._looks += 1
            for inbox in self.inboxes:
                self._look_at(inbox.following)

    def _look_at(self, following: Following) -> None:
        town, said = self.town, following.degraded()
        now, calm = town.loop.time(), town.calm_for()
        filled = following._filled.is_set()
        unwell = town.topics.away or town.topics.unreadable
        self._away_since = (self._away_since or now) if unwell else None
        away = now - self._away_since if self._away_since else 0.0
        check(holds=away < 8 or said == ("inbox_blind",), said="it is blind and does not say so", away=away, of=said)
        if calm > SOON:
            check(holds=said == () and filled, said="it says that it is not well", calm=calm, of=said, filled=filled)
        if filled and said == () and following.cluster == named(town.topics.cluster):
            self._look_for_all(following, LATE_IN_CALM if calm > SOON else LATE)

    def _look_for_all(self, following: Following, late: float) -> None:
        until, tail = self.town.loop.time() - late, following.tail
        for part in PARTS:
            log = self.town.topics.logs[part]
            position = tail.ends[part]
            unread = log.written[max(position, log.begin)] if max(position, log.begin) < log.end else None
            check(
                holds=unread is None or unread.at > until, said="it is behind and does not say so", part=part, late=late
            )
        if self.town.calm_for() > SOON and self._looks % 40 == 0:
            self._look_for_each(following, until)

    def _look_for_each(self, following: Following, until: float) -> None:
        tail, since_ms = following.tail, self.town.now_ms() - int(following.settings.hours * 3_600_000) + 5_000
        kept = {item.id for item in tail.items(Filter(topics=self.town.topics_of_all), tail.begins())}
        for part in PARTS:
            log, begin = self.town.topics.logs[part], tail.begins()[part].offset
            first = max(log.begin, 0 if self.town.keeps_all else begin)
            for event, each in self.town.firsts(part, first, log.end):
                if each.at < until and each.record.timestamp_ms > since_ms:
                    check(holds=event["id"] in kept, said="it is not in the tail", part=part, record=each)


def run(seed: int, hours: float, *, break_: Callable[[list[Inbox]], None] = lambda _: None) -> dict[str, int]:
    """Let hours pass. Return what happened how often; raises `Missed`, with the seed."""
    rng, driver = random.Random(seed), Driver(random.Random(seed))
    loop = driver.loop("inbox")
    loop.is_judged = False
    town = Town(loop, rng, keeps_all=rng.random() < 0.6, changes=rng.random() < 0.6)
    inboxes = [_inbox(town, number) for number in range(2)]
    break_(inboxes)
    clients = Clients(town, inboxes, rng)
    tasks: list[asyncio.Task[None]] = []

    def start() -> None:
        for inbox in inboxes:
            inbox.following.start()
        works = (town.publish(), town.trouble(), Truth(town, inboxes).look())
        tasks.extend([*(loop.create_task(work) for work in works), *tasks_of(clients)])

    loop.call_soon(start)
    try:
        with structlog.testing.capture_logs():
            _pass(driver, tasks, hours, seed)
        for error in driver.errors:
            raise Missed(error)
    finally:
        driver.end()
    for inbox in inboxes:
        assert inbox.following.alive()
    return clients.counts


def _pass(driver: Driver, tasks: list[asyncio.Task[None]], hours: float, seed: int) -> None:
    until = driver.clock.now + hours * 3600
    while driver.clock.now < until:
        driver.run(driver.clock.now + 5)
        for task in tasks:
            if task.done():
                raise Missed(f"seed {seed}, at {driver.clock.elapsed:.2f} s: {task.exception()}") from task.exception()


def _inbox(town: Town, number: int) -> Inbox:
    wide = {"hours": 0.2, "events": 50_000}
    narrow = {"hours": 0.2, "events": 150} if number else {"hours": 0.05, "events": 1_000}
    settings = InboxSettings.model_validate(wide if town.keeps_all else narrow)
    following = Following(
        Tail(settings),
        settings,
        lambda: open_reader(town.topics, town.weather),
        now_ms=town.now_ms,
        clock=town.loop.time,
    )
    return Inbox(following, now_ms=town.now_ms)
