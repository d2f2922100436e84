"""When looks are started: one timer for the next that may go."""

import random
from collections.abc import Callable
from typing import cast

import pytest

from pollers.account import Account
from pollers.providers.client import Client
from pollers.scheduler import Scheduler
from pollers.settings import PollersSettings


class Timers:
    """A clock that stands still, and the delays that were asked of it."""

    def __init__(self) -> None:
        self.delays: list[float] = []

    def time(self) -> float:
        return 100.0

    def call_later(self, delay: float, callback: Callable[..., None], *args: object) -> None:
        self.delays.append(delay)


async def test_a_look_that_may_not_go_yet_is_tried_again_at_the_next_whole_millisecond():
    account = Account("main", "smsverified", cast("Client", None), requests_per_second=50.0, rng=random.Random(1))
    looks = Scheduler({"main": account}, PollersSettings(), spawn=print, now_ms=lambda: 0, rng=random.Random(1))
    looks._loop = timers = Timers()
    account.throttle.admit(timers.time())
    account.queue.join("watch")

    looks.tick()
    looks.tick()

    wait = account.throttle.wait(timers.time())
    (delay,) = timers.delays  # uvloop would round 20.5 ms to 20, and 0.5 to none: tried in vain until the clock moves
    assert wait < delay < wait + 0.001
    assert delay * 1000 == pytest.approx(round(delay * 1000))
