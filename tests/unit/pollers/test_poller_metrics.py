"""What is measured of polls, responses and commits."""

import asyncio
from collections.abc import Mapping

import pytest
from prometheus_client.core import HistogramMetricFamily

from bus.durations import Durations
from bus.sharding.state_log import NotCommitted
from pollers.timed_state_log import TimedStateLog
from tests.unit.pollers.scheduling.test_scheduler import SERVER_ERROR, Bench, Provider, sms
from tests.virtual_time import virtual


def counts(durations: Durations) -> dict[str, float]:
    family = HistogramMetricFamily("some", "Some.", labels=["account"])
    durations.add_to(family, "main")
    return {sample.labels.get("le", sample.name): sample.value for sample in family.samples}


@virtual
async def test_every_request_to_a_provider_counts_also_one_that_failed() -> None:
    bench = Bench(Provider(lambda _: SERVER_ERROR))
    bench.provider.latency = 0.2
    bench.open("1")

    await asyncio.sleep(20)

    found = counts(bench.account.responses)
    assert found["some_count"] == len(bench.provider.asked) > 1
    assert (found["0.1"], found["0.25"]) == (0, found["some_count"])


@virtual
async def test_a_poll_counts_by_how_long_it_waited_for_the_budget() -> None:
    enough, scarce = Bench(Provider()), Bench(Provider(), rate=0.05)
    for bench in (enough, scarce):
        for number in range(20):
            bench.open(str(number))

    await asyncio.sleep(300)

    prompt, late = counts(enough.account.delays), counts(scarce.account.delays)
    assert prompt["some_count"] == len(enough.provider.asked)
    assert prompt["30.0"] == prompt["some_count"]
    assert late["30.0"] < late["some_count"] == len(scarce.provider.asked)


@virtual
async def test_polls_are_overdue_only_while_the_account_may_be_called() -> None:
    account = Bench(Provider()).account
    account.queue.join("1", asyncio.get_running_loop().time())
    await asyncio.sleep(61)
    account.queue.join("2", asyncio.get_running_loop().time())

    assert (account.overdue(60), account.overdue(90)) == (1, 0)

    account.throttle.state = "paused"

    assert account.overdue(60) == 0


@virtual
async def test_the_moment_of_the_newest_sms_is_known_once_there_is_one() -> None:
    bench = Bench(Provider())
    bench.open("1")
    await asyncio.sleep(30)
    assert bench.account.found_at is None

    bench.provider.show = lambda _: sms("5611")
    await asyncio.sleep(60)

    assert bench.account.found_at is not None
    assert bench.now_ms() / 1000 - 60 <= bench.account.found_at <= bench.now_ms() / 1000


class Log:
    """A state log that a test lets fail."""

    fails = False

    async def open(self) -> dict[str, bytes]:
        return {"watch": b"state"}

    async def commit(self, _: Mapping[str, bytes | None]) -> None:
        if self.fails:
            raise NotCommitted

    async def close(self) -> None:
        self.fails = True


async def test_commits_are_timed_and_those_that_failed_are_not() -> None:
    inner, commits = Log(), Durations((1.0,))
    log = TimedStateLog(inner, commits)

    assert await log.open() == {"watch": b"state"}
    await log.commit({})
    await log.close()
    with pytest.raises(NotCommitted):
        await log.commit({})

    assert counts(commits)["some_count"] == 1
