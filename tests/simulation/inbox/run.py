"""Hours and days of two replicas of the inbox, with everything looked at that they say."""

import asyncio
import random
from typing import Final

import structlog

from inbox.asking import Inbox
from inbox.cursor import named
from inbox.filters import Filter
from inbox.following import Following
from inbox.settings import MIB, InboxSettings
from inbox.tail import Tail
from tests.inbox_records import PARTS
from tests.simulation.inbox.clients import Clients, Missed, check, tasks_of
from tests.simulation.inbox.scenarios import SCENARIOS, InboxPlan
from tests.simulation.inbox.topics import open_reader
from tests.simulation.inbox.town import Town
from tests.simulation.loop import Driver

LATE_IN_CALM: Final = 4.0  # seconds until it is said that something published is not here
LATE: Final = 16.0  # the same in the worst of trouble
SOON: Final = 45.0  # seconds after trouble in which all is well again


class Replicas(dict[Inbox, float]):
    """The inboxes that run now, and since when. Now and then one is started again."""

    def __init__(self, town: Town) -> None:
        super().__init__()
        self._town = town

    def start(self, number: int) -> None:
        """Start one; called in its loop."""
        plan = self._town.plan
        settings = InboxSettings.model_validate(plan.wide if self._town.keeps_all else plan.narrow[number])
        following = Following(
            Tail(settings),
            settings,
            lambda: open_reader(self._town.topics, self._town.weather),
            now_ms=self._town.now_ms,
            clock=self._town.loop.time,
        )
        inbox = Inbox(following, now_ms=self._town.now_ms)
        self[inbox] = self._town.loop.time()
        following.start()

    async def restart(self) -> None:
        """Start the two again without end, one after the other."""
        number = 0
        while True:
            await asyncio.sleep(self._town.rng.expovariate(2 / self._town.plan.lives))
            oldest = next(iter(self))
            del self[oldest]
            await oldest.stop()
            await asyncio.sleep(self._town.rng.uniform(0, 20))
            self.start(number)
            number = 1 - number


class Truth:
    """Looks again and again at what the inboxes say and have."""

    def __init__(self, town: Town, replicas: Replicas) -> None:
        self.town = town
        self.replicas = replicas
        self._away_since: float | None = None
        self._looks = 0

    async def look(self) -> None:
        """Look without end."""
        while True:
            await asyncio.sleep(self.town.plan.looks)
            self._looks += 1
            topics, now = self.town.topics, self.town.loop.time()
            self._away_since = (self._away_since or now) if topics.away or topics.unreadable else None
            for inbox, since in self.replicas.items():
                self._look_at(inbox.following, now - since)

    def _look_at(self, following: Following, age: float) -> None:
        town, said = self.town, following.degraded()
        calm, filled = min(town.calm_for(), age), following._filled.is_set()
        away = min(town.loop.time() - self._away_since, age) if self._away_since else 0.0
        check(holds=away < 8 or said == ("inbox_blind",), said="it is blind and does not say so", away=away, of=said)
        if calm > SOON:
            check(holds=said == () and filled, said="it says that it is not well", calm=calm, of=said, filled=filled)
            self._look_for_limits(following)
        if filled and said == () and following.cluster == named(town.topics.cluster):
            self._look_for_all(following, LATE_IN_CALM if calm > SOON else LATE)
        if calm > SOON and self._looks % 40 == 0:
            self._look_for_each(following, town.loop.time() - LATE_IN_CALM)

    def _look_for_limits(self, following: Following) -> None:
        tail, limits = following.tail, following.settings
        oldest_ms = self.town.now_ms() - int((limits.hours * 3600 + 5) * 1000)
        heads = [kept.items[0].time_ms for kept in tail._kept.values() if kept.items]
        size = sum(item.size for kept in tail._kept.values() for item in kept.items) if self._looks % 40 == 0 else 0
        keeps = len(tail) <= limits.events and max(size, tail.bytes) <= limits.megabytes * MIB
        check(holds=keeps, said="it keeps too much", events=len(tail), bytes=tail.bytes, size=size)
        check(holds=min(heads, default=oldest_ms) >= oldest_ms, said="it keeps what is too old", of=limits)

    def _look_for_all(self, following: Following, late: float) -> None:
        until, tail = self.town.loop.time() - late, following.tail
        for part in PARTS:
            log = self.town.topics.logs[part]
            position = tail.ends[part]
            unread = log.written[max(position, log.begin)] if max(position, log.begin) < log.end else None
            check(
                holds=unread is None or unread.at > until, said="it is behind and does not say so", part=part, late=late
            )

    def _look_for_each(self, following: Following, until: float) -> None:
        tail, kept_for = following.tail, following.settings.hours * 3600
        since_ms = self.town.now_ms() - int((kept_for - 5) * 1000)
        kept = {item.id for item in tail.items(Filter(topics=self.town.topics_of_all), tail.begins())}
        for part in PARTS:
            log, begin = self.town.topics.logs[part], tail.begins()[part].offset
            first = max(log.begin, log.since(until - kept_for) if self.town.keeps_all else begin)
            for event, each in self.town.firsts(part, first, log.end):
                if each.at < until and each.record.timestamp_ms > since_ms:
                    check(holds=event["id"] in kept, said="it is not in the tail", part=part, record=each)


def run(seed: int, hours: float, plan: InboxPlan = SCENARIOS["inbox_hours"]) -> dict[str, int]:
    """Let hours pass. Return what happened how often; raises `Missed`, with the seed."""
    rng, driver = random.Random(seed), Driver(random.Random(seed))
    loop = driver.loop("inbox")
    loop.is_judged = False
    town = Town(plan, loop, rng, keeps_all=rng.random() < 0.6, changes=rng.random() < 0.6)
    replicas = Replicas(town)
    clients = Clients(town, replicas.keys(), rng)
    tasks: list[asyncio.Task[None]] = []

    def start() -> None:
        for number in range(2):
            replicas.start(number)
        works = (town.publish(), town.trouble(), Truth(town, replicas).look(), replicas.restart())
        tasks.extend([*(loop.create_task(work) for work in works), *tasks_of(clients)])

    loop.call_soon(start)
    try:
        with structlog.testing.capture_logs():
            _pass(driver, tasks, hours, seed)
        for error in driver.errors:
            raise Missed(error, driver.clock.elapsed)
    finally:
        driver.end()
    for inbox in replicas:
        assert inbox.following.alive()
    return clients.counts


def _pass(driver: Driver, tasks: list[asyncio.Task[None]], hours: float, seed: int) -> None:
    until = driver.clock.now + hours * 3600
    while driver.clock.now < until:
        driver.run(driver.clock.now + 5)
        for task in tasks:
            if task.done():
                raise Missed(f"seed {seed}: {task.exception()}", driver.clock.elapsed) from task.exception()
