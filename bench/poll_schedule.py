"""The delay until an SMS is seen: our schedule and a fixed interval with the same number of requests.

A simulation of one account with the real timers, queue, throttle, curve and schedule, in virtual time.
`python -m bench.poll_schedule` prints the tables of poll_schedule.md; the same numbers every time, except the last.
"""

import gc
import math
import random
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from pollers.scheduling.arrival_curve import Curve
from pollers.scheduling.intervals import PollContext, demand, first_poll, next_poll, usual_interval
from pollers.scheduling.throttle import AccountThrottle
from pollers.scheduling.timer_wheel import TimerQueue, WaitQueue
from pollers.settings import PollersSettings

SEEDS = range(5)
LIFETIME = 25 * 60.0
HOURS = 6
NEVER = 0.25  # of the orders get no SMS and are watched to their end
TICK = 1 / 16
SETTINGS = PollersSettings()

Draw = Callable[[random.Random], float]
CURVES: dict[str, Draw] = {
    "early peak": lambda rng: rng.lognormvariate(math.log(25), 0.5),
    "long tail": lambda rng: rng.lognormvariate(math.log(150), 1.3),
    "mixture": lambda rng: rng.lognormvariate(math.log(20), 0.4) if rng.random() < 0.6 else rng.uniform(60, 1200),
}
LATE_PEAK: Draw = lambda rng: rng.lognormvariate(math.log(240), 0.35)  # noqa: E731 - beside its siblings
MOVES = "the peak moves"
"""Half of the time an early peak, then one at four minutes: what was learned is wrong, and must be unlearned."""
BUDGETS = {"ample": 1, "tight": 20}  # orders a minute on an account with the default budget of 2 requests/s


@dataclass
class Order:
    key: str
    opened: float
    arrives: float  # the SMS's age, or infinity
    polled: float = 0.0  # the age at the last poll
    seen: bool = False

    def remaining(self, now: float) -> float:
        return self.opened + LIFETIME - now


@dataclass(frozen=True)
class Load:
    """The use of the account."""

    curve: str
    per_minute: float
    keeps: bool  # watch until the deadline, as `after_sms: keep` does; otherwise a watch ends with its SMS

    def draw(self, opened: float) -> Draw:
        if self.curve != MOVES:
            return CURVES[self.curve]
        return CURVES["early peak"] if opened < HOURS * 3600 / 2 else LATE_PEAK

    def orders(self, seed: int) -> list[Order]:
        rng, opened, made = random.Random(seed), 0.0, list[Order]()
        while (opened := opened + rng.expovariate(self.per_minute / 60)) < HOURS * 3600:
            arrives = math.inf if rng.random() < NEVER else self.draw(opened)(rng)
            made.append(Order(str(len(made)), opened, arrives))
        return made


@dataclass
class Run:
    delays: list[float] = field(default_factory=list)
    requests: int = 0

    @property
    def mean(self) -> float:
        return statistics.fmean(self.delays)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.delays, n=20)[-1]


class Ours:
    """The real schedule, starting with the prior curve."""

    def __init__(self, gate: AccountThrottle, rng: random.Random, *, learns: bool = True) -> None:
        self.throttle, self.rng, self.curve, self.learns = gate, rng, Curve(), learns

    def plan(self, order: Order, now: float, *, first: bool) -> float:
        stretch = self.throttle.stretch()
        context = PollContext("idle" if order.seen else "first", now - order.opened, order.remaining(now))
        usual = usual_interval(context, self.curve, SETTINGS, stretch=stretch)
        self.throttle.demand.set(order.key, demand(usual, stretch=stretch))
        poll = first_poll if first else next_poll
        return poll(usual, context, SETTINGS, chance=self.rng.random())

    def saw(self, order: Order, age: float, *, arrived: bool) -> None:
        if self.learns:
            self.curve.polled(order.polled, age, arrived=arrived)


class Fixed:
    """A fixed interval from a random phase on; `later` after five minutes."""

    def __init__(self, rng: random.Random, interval: float, later: float | None = None) -> None:
        self.rng, self.interval, self.later = rng, interval, later or interval

    def plan(self, order: Order, now: float, *, first: bool) -> float:
        interval = self.interval if now - order.opened < 300 else self.later
        return min(interval * (self.rng.random() if first else 1), max(0.0, order.remaining(now)))

    def saw(self, order: Order, age: float, *, arrived: bool) -> None:
        pass


class Account:
    """One account's orders, opened at their times, each polled until it is over."""

    def __init__(self, load: Load, seed: int) -> None:
        self.rng = random.Random(seed)
        self.throttle = AccountThrottle(requests_per_second=SETTINGS.requests_per_second, rng=self.rng)
        self.load, self.orders, self.run = load, load.orders(seed), Run()
        self.wheel, self.queue = TimerQueue(now=0.0, tick=TICK), WaitQueue()

    def simulate(self, policy: Ours | Fixed) -> Run:
        opened = tick = 0
        while opened < len(self.orders) or len(self.wheel) or len(self.queue):
            tick += 1
            now = tick * TICK
            while opened < len(self.orders) and self.orders[opened].opened <= now:
                self.wheel.schedule(str(opened), now + policy.plan(self.orders[opened], now, first=True))
                opened += 1
            for key in self.wheel.due(now):
                self.queue.join(key, now)
            while self.queue and self.throttle.admit(now) == 0.0:
                self.look(self.queue.pop() or "", now, policy)
        return self.run

    def look(self, key: str, now: float, policy: Ours | Fixed) -> None:
        order = self.orders[int(key)]
        age = now - order.opened
        arrived = order.arrives <= age
        self.run.requests += 1
        self.throttle.report(None, started=now, now=now)
        if not order.seen:
            policy.saw(order, age, arrived=arrived)
            if arrived:
                self.run.delays.append(age - order.arrives)
        order.polled, order.seen = age, arrived
        if (arrived and not self.load.keeps) or order.remaining(now) <= 0:
            self.throttle.demand.release(key)
        else:
            self.wheel.schedule(key, now + policy.plan(order, now, first=False))


def ours(load: Load, seed: int, *, learns: bool = True) -> Run:
    account = Account(load, seed)
    return account.simulate(Ours(account.throttle, account.rng, learns=learns))


def fixed(load: Load, seed: int, interval: float, later: float | None = None) -> Run:
    account = Account(load, seed)
    return account.simulate(Fixed(account.rng, interval, later))


@dataclass(frozen=True)
class Pair:
    """Our schedule, and the fixed interval with as many requests, within half a percent."""

    ours: Run
    interval: float
    fixed: Run


def pair(load: Load, seed: int) -> Pair:
    mine, shortest, longest = ours(load, seed), 1.0, LIFETIME
    for _ in range(14):
        interval = math.sqrt(shortest * longest)
        theirs = fixed(load, seed, interval)
        if abs(theirs.requests / mine.requests - 1) < 0.005:
            break
        shortest, longest = (interval, longest) if theirs.requests > mine.requests else (shortest, interval)
    return Pair(mine, interval, theirs)


def best_possible(curve: str) -> float:
    """Return fixed ÷ best, if all requests are equal, intervals are unlimited and the true curve is known.

    (∫S · ∫f) / (∫√(f·S))²: f the density of arrivals, S the orders that still wait. A watch ends with its SMS.
    """
    rng, counts, draws = random.Random(0), [0] * int(LIFETIME), 400_000
    for _ in range(draws):
        if rng.random() >= NEVER and (age := CURVES[curve](rng)) < LIFETIME:
            counts[int(age)] += 1
    waiting, waited, attention = 1.0, 0.0, 0.0
    for count in counts:
        share = count / draws
        waited += waiting - share / 2
        attention += math.sqrt(share * (waiting - share / 2))
        waiting -= share
    return waited * (1 - waiting) / attention**2


def spread(values: Sequence[float], digits: int = 1) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def compared(pairs: Sequence[Pair]) -> list[str]:
    """Return the cells of one row: median (min–max) of the seeds."""
    return [
        f"{statistics.median(each.ours.requests for each in pairs):.0f}",
        f"{max((each.fixed.requests / each.ours.requests - 1 for each in pairs), key=abs):+.1%}",
        spread([each.interval for each in pairs]),
        spread([each.fixed.mean for each in pairs]),
        spread([each.ours.mean for each in pairs]),
        "**" + spread([each.fixed.mean / each.ours.mean for each in pairs]) + "**",
        spread([each.fixed.p95 for each in pairs], 0),
        spread([each.ours.p95 for each in pairs], 0),
    ]


def row(*cells: str) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)


def same_number_of_requests(pool: ProcessPoolExecutor, *, keeps: bool) -> None:
    row("SMS arrive", "budget", "requests", "fixed makes", "fixed: every s", "fixed: mean delay s",
        "ours: mean delay s", "fixed ÷ ours", "fixed: p95 s", "ours: p95 s")  # fmt: skip
    row(*["---"] * 10)
    for budget, per_minute in BUDGETS.items():
        for curve in (*CURVES, MOVES):
            row(curve, budget, *compared(list(pool.map(partial(pair, Load(curve, per_minute, keeps)), SEEDS))))


def what_clients_do(pool: ProcessPoolExecutor) -> None:
    row("SMS arrive", "best possible: fixed ÷ best", "5 s, after 5 min 10 s: requests", "mean delay s",
        "ours, prior only: requests", "mean delay s", "ours, learning: requests", "mean delay s")  # fmt: skip
    row(*["---"] * 8)
    for curve in CURVES:
        load = Load(curve, BUDGETS["ample"], keeps=False)
        contenders = (
            partial(fixed, load, interval=5.0, later=10.0),
            partial(ours, load, learns=False),
            partial(ours, load),
        )
        cells = []
        for contender in contenders:
            runs = list(pool.map(contender, SEEDS))
            cells += [f"{statistics.median(r.requests for r in runs):.0f}", spread([r.mean for r in runs])]
        row(curve, f"{best_possible(curve):.1f}", *cells)


def wheel_costs(watches: int = 100_000, ticks: int = 2_000) -> tuple[float, float, float]:
    """Return bytes per watch without its id, µs of a tick without due watches, µs to fire and reschedule one watch."""
    rng, ids = random.Random(0), [f"watch-{number:032d}" for number in range(watches)]
    gc.collect()
    tracemalloc.start()
    wheel = TimerQueue(now=0.0)
    for watch_id in ids:
        wheel.schedule(watch_id, rng.uniform(1_000, 4_000))
    size = tracemalloc.get_traced_memory()[0] / watches
    tracemalloc.stop()
    began = time.perf_counter()
    for tick in range(ticks):
        wheel.due(tick * TICK)
    quiet = (time.perf_counter() - began) / ticks
    now, fired, began = ticks * TICK, 0, time.perf_counter()
    for watch_id in ids:
        wheel.schedule(watch_id, now + rng.uniform(0, 30))
    for tick in range(ticks, 2 * ticks):
        for watch_id in wheel.due(tick * TICK):
            wheel.schedule(watch_id, tick * TICK + 30)
            fired += 1
    return size, quiet * 1e6, (time.perf_counter() - began) / fired * 1e6


def schedule_cost(calls: int = 50_000) -> float:
    """Return µs of planning one poll and learning from it."""
    rng, curve = random.Random(0), Curve()
    began = time.perf_counter()
    for _ in range(calls):
        age = rng.uniform(0, 1500)
        context = PollContext("first", age, 1500 - age)
        usual = usual_interval(context, curve, SETTINGS, stretch=1.0)
        seconds = next_poll(usual, context, SETTINGS, chance=rng.random())
        curve.polled(age, age + seconds, arrived=rng.random() < 0.02)
    return (time.perf_counter() - began) / calls * 1e6


def costs() -> None:
    runs = [(*wheel_costs(), schedule_cost()) for _ in SEEDS]
    for what, values in zip(
        ("wheel: bytes a watch", "wheel: µs a tick, 100 000 watches, none due", "wheel: µs to fire and schedule again",
         "schedule and curve: µs a look"), zip(*runs, strict=True), strict=True):  # fmt: skip
        row(what, spread(values))


def main() -> None:
    with ProcessPoolExecutor(max_workers=2) as pool:
        for keeps in (False, True):
            print("Watched to the deadline:" if keeps else "A watch ends with its SMS:", end="\n\n")
            same_number_of_requests(pool, keeps=keeps)
            print()
        what_clients_do(pool)
    print()
    costs()


if __name__ == "__main__":
    main()
