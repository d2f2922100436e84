"""A loop that is late: measured, and said once it stays so."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from app import loop_lag
from app.loop_lag import BOUND, SAMPLES, LoopLag

NAME = "smsbus_event_loop_lag_seconds"
ON_TIME, LATE = 0.001, BOUND + 0.1


class Clock:
    """A loop whose timers come late by these seconds, one after the other; then it stands."""

    def __init__(self, *lags: float) -> None:
        self.now = 1000.0
        self.lags = [*lags]
        self.done = asyncio.Event()

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if not self.lags:
            self.done.set()
            await asyncio.Event().wait()
        self.now += seconds + self.lags.pop(0)


async def measured(*lags: float) -> tuple[CollectorRegistry, tuple[str, ...], list]:
    """Measure these; return the metrics, the words of the end, and what was said."""
    registry, clock = CollectorRegistry(), Clock(*lags)
    lag = LoopLag(registry, now=clock, sleep=clock.sleep)
    with capture_logs() as said:
        async with asyncio.timeout(5), lag.measured():
            await clock.done.wait()
            words = lag.degraded()
    return registry, words, said


async def test_each_lag_is_in_the_histogram():
    registry, words, said = await measured(0.0, 0.02, 3.0)

    assert registry.get_sample_value(f"{NAME}_count") == 3
    assert registry.get_sample_value(f"{NAME}_sum") == pytest.approx(3.02)
    assert registry.get_sample_value(f"{NAME}_bucket", {"le": "0.1"}) == 2
    assert (words, said) == ((), [])


async def test_a_loop_that_is_late_most_of_the_time_is_degraded_and_said_once():
    _, words, said = await measured(*[LATE, LATE, ON_TIME] * SAMPLES)

    assert words == ("event_loop_late",)
    [line] = said
    assert (line["event"], line["log_level"]) == ("event_loop_late", "error")
    assert line["lag_seconds"] == pytest.approx(LATE)
    assert "--workers" in line["hint"]


@pytest.mark.parametrize(
    "lags",
    [
        pytest.param([LATE] * (SAMPLES - 1), id="for a moment"),
        pytest.param([LATE, ON_TIME] * SAMPLES, id="every other time"),
        pytest.param([ON_TIME] * SAMPLES + [60.0], id="once, and long: the process was stopped"),
    ],
)
async def test_a_loop_that_is_late_now_and_then_is_not_degraded(lags):
    _, words, said = await measured(*lags)

    assert (words, said) == ((), [])


async def test_it_is_over_once_nothing_was_late_for_as_long_as_it_took_to_begin():
    late, over = [LATE] * SAMPLES, [ON_TIME] * SAMPLES
    _, before, _ = await measured(*late, *over[:-1])
    _, words, said = await measured(*late, *over)

    assert (before, words) == (("event_loop_late",), ())
    assert [line["event"] for line in said] == ["event_loop_late", "event_loop_late_no_more"]


async def test_a_loop_that_is_blocked_is_measured(monkeypatch):
    monkeypatch.setattr(loop_lag, "EVERY", 0.0)
    registry, clock = CollectorRegistry(), Clock()

    async with LoopLag(registry, now=clock).measured():
        await asyncio.sleep(0)
        clock.now += 7.0  # as if a callback took so long
        while not registry.get_sample_value(f"{NAME}_count"):
            await asyncio.sleep(0)

    assert registry.get_sample_value(f"{NAME}_sum") == 7.0
