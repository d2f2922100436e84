"""An event loop without I/O on a clock that it shares with other loops, and the driver that lets them run in turn.

Of the libraries on PyPI looptime (0.9) and async-solipsism (0.10) carry virtual time; each has one loop that owns its
clock and advances it in `select`, and both keep asyncio's order of ready callbacks. Replicas that stand still while
others go on need several loops on one clock, and a seed that decides who runs next: that is the loop below.
"""

import asyncio
import atexit
import gc
import heapq
import itertools
import random
import sys
from asyncio import events
from collections.abc import Callable, Container, Coroutine
from math import inf
from time import perf_counter, thread_time
from typing import Any, Final, NamedTuple

from tests.simulation.clock import EPOCH, Clock

HELD: Final = 0.020
"""Seconds that one step may hold a loop."""
MARKED: Final = 64
"""Steps between two looks at the thread's CPU time, a system call that is dearer than most steps. A step that took long
by the wall counts only if the thread was at work for as long since the last such look."""
SPINNING: Final = 300_000
"""Turns without time passing: somebody waits for something that only time can bring, without waiting."""
COLLECT_EVERY: Final = 2_000_000
"""Steps between two collections of garbage, which happen outside of steps so that none is measured with one."""

_graves: list[object] = []
"""What was killed and what a run left behind: to finalise it would run it."""


@atexit.register
def _rest() -> None:
    sys.unraisablehook = lambda _: None


class Numbered(asyncio.Task):
    """A task whose hash is its number and not its address: sets of tasks then have one order in all processes."""

    def __init__(self, coro: Any, *, number: int, **named: Any) -> None:
        self.number = number
        super().__init__(coro, **named)

    def __hash__(self) -> int:
        return self.number


class Held(NamedTuple):
    """A step that held its loop for too long. The same run has the same steps, so that it can be looked at again."""

    step: int
    seconds: float
    what: str


class Loop(asyncio.BaseEventLoop):
    """One process's loop. A `Driver` makes it. Sockets, signals and threads are errors: there is no selector."""

    def __init__(self, name: str, clock: Clock, driver: "Driver") -> None:
        super().__init__()
        self.name = name
        self.asleep = False
        """It was sent SIGSTOP: nothing of it runs, while the clock goes on."""
        self.wrong_by = 0.0
        """Seconds by which its wall clock is ahead; may be changed at any time, as by ntpd."""
        self.is_judged = True
        """Its steps must be short; not those of whoever watches the run."""
        self._clock = clock
        self._driver = driver
        self.set_debug(False)
        self.set_task_factory(
            lambda loop, coro, **named: Numbered(coro, number=next(driver.numbers), loop=loop, **named)
        )
        self.set_exception_handler(driver.heard)

    def time(self) -> float:
        """Return the monotonic clock, the same on all loops."""
        return self._clock.now

    def wall(self) -> float:
        """Return seconds since 1970 as this process believes."""
        return EPOCH + self._clock.elapsed + self.wrong_by

    def wall_ms(self) -> int:
        """Return the wall clock in milliseconds."""
        return int(self.wall() * 1000)

    def __del__(self) -> None:
        """It was never closed: a killed process closes nothing."""

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
        """There is one thread."""
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Do it now; who waits hears of it in a later step."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whoever waits hears of it
            future.set_exception(error)
        return future

    def next_at(self) -> float:
        """Return when something is to be done here: the past, now, later, or never."""
        if self.asleep:
            return inf
        if self._ready:
            return self._clock.now
        timers = self._scheduled
        while timers and timers[0]._cancelled:
            heapq.heappop(timers)._scheduled = False
            self._timer_cancelled_count -= 1
        return timers[0]._when if timers else inf

    def turn(self, rng: random.Random) -> None:
        """Run everything that is ready, in an order that `rng` decides; what becomes ready meanwhile waits."""
        now, timers, ready = self._clock.now, self._scheduled, self._ready
        while timers and timers[0]._when <= now:
            timer = heapq.heappop(timers)
            timer._scheduled = False
            ready.append(timer)
        if self._timer_cancelled_count > 100 and self._timer_cancelled_count * 2 > len(timers):
            self._scheduled = [timer for timer in timers if not timer._cancelled]
            heapq.heapify(self._scheduled)
            self._timer_cancelled_count = 0
        batch = list(ready)
        ready.clear()
        if len(batch) > 1:
            rng.shuffle(batch)
        events._set_running_loop(self)
        try:
            self._run(batch)
        finally:
            events._set_running_loop(None)

    def _run(self, batch: list[asyncio.Handle]) -> None:
        driver = self._driver
        for handle in batch:
            if handle._cancelled:
                continue
            if driver.steps % MARKED == 0:
                driver.worked = thread_time()
            driver.steps += 1
            clock = thread_time if driver.steps in driver.watched else perf_counter
            began = clock()
            handle._run()
            took = clock() - began
            if took > HELD and self.is_judged and thread_time() - driver.worked > HELD:
                driver.held.append(Held(driver.steps, took, f"{self.name}: {_told(handle)}"))


def _told(handle: asyncio.Handle) -> str:
    owner = getattr(handle._callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return getattr(owner.get_coro(), "__qualname__", repr(owner))
    return getattr(handle._callback, "__qualname__", repr(handle._callback))


class Spinning(Exception):
    """Time does not pass any more."""


class Driver:
    """Lets the loops of a run have their turns, and time pass when none of them has anything to do."""

    def __init__(self, rng: random.Random) -> None:
        self.clock = Clock()
        self.steps = 0
        self.worked = thread_time()
        self.held: list[Held] = []
        self.watched: Container[int] = ()
        """Steps of which the CPU time counts: by the wall another process may have had part of it."""
        self.errors: list[str] = []
        """What reached an exception handler of a loop: nobody else heard of it."""
        self.numbers = itertools.count()
        self._loops: list[Loop] = []
        self._rng = rng

    def loop(self, name: str, kind: type[Loop] = Loop) -> Loop:
        """Return a new loop on the common clock."""
        loop = kind(name, self.clock, self)
        self._loops.append(loop)
        return loop

    def kill(self, loop: Loop) -> None:
        """Let nothing of it run any more, not even what stands in a `finally`."""
        self._loops.remove(loop)
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task._log_destroy_pending = False
        _graves.append((loop, tasks))

    def end(self) -> None:
        """Kill whatever is left."""
        for loop in list(self._loops):
            self.kill(loop)

    def run(self, until: float) -> None:
        """Let time pass up to this moment of the clock."""
        collected = gc.isenabled()
        gc.disable()
        try:
            self._run(until)
        finally:
            if collected:
                gc.enable()

    def complete(self, work: Coroutine[Any, Any, Any], loop: Loop, *, within: float = 600.0) -> Any:
        """Run this on a loop, and everything else beside it, until it has ended."""
        task = loop.create_task(work)
        until = self.clock.now + within
        while not task.done() and self.clock.now < until:
            self.run(min(until, self.clock.now + 0.05))
        return task.result()

    def heard(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Note what nobody handled; it is a loop's exception handler."""
        error = context.get("exception")
        self.errors.append(f"{getattr(loop, 'name', '')}: {context.get('message')}: {error!r}")

    def _run(self, until: float) -> None:
        clock, rng, still, collect_at = self.clock, self._rng, 0, self.steps + COLLECT_EVERY
        while True:
            times = [loop.next_at() for loop in self._loops]
            first = min(times, default=inf)
            if first > until:
                clock.now = until
                return
            if first > clock.now:
                clock.now, still = first, 0
            due = [loop for loop, at in zip(self._loops, times, strict=True) if at <= clock.now]
            (due[0] if len(due) == 1 else rng.choice(due)).turn(rng)
            still += 1
            if still > SPINNING:
                raise Spinning(", ".join(loop.name for loop in due))
            if self.steps > collect_at:
                collect_at = self.steps + COLLECT_EVERY
                gc.collect()
