"""When the topics are checked while a service runs, and how long what was found is said. Time is virtual."""

import asyncio

from bus.health import ASK_EVERY, LOOK_EVERY, TopicsAlarm
from tests.virtual_time import virtual

NO_TOPIC = "UnknownTopicOrPartitionError"


class Topics:
    """Checked, and looked at each second; `problems` are what a check finds."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.checks = 0
        self.alarm = TopicsAlarm(self._check)

    async def _check(self) -> list[str]:
        self.checks += 1
        return self.problems

    async def after(self, seconds: float, error: str | None = None) -> bool:
        """Let so many seconds pass; return whether something is wrong."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until:
            self.alarm.update(error, {}, loop.time())
            await asyncio.sleep(1)
        return self.alarm.alarm.holds


@virtual
async def test_what_was_changed_while_all_goes_well_is_said_within_minutes_until_it_is_mended() -> None:
    topics = Topics()
    well = await topics.after(LOOK_EVERY - 1)
    at_once = topics.checks
    topics.problems = ["sms.received.v1 has 8 partitions instead of 6"]
    changed = await topics.after(LOOK_EVERY + 2)
    still = await topics.after(3600)
    topics.problems = []
    mended = await topics.after(2 * ASK_EVERY)

    assert (well, at_once) == (False, 0)
    assert (changed, still, mended) == (True, True, False)


@virtual
async def test_well_configured_topics_are_looked_at_now_and_then() -> None:
    topics = Topics()

    assert not await topics.after(10 * LOOK_EVERY + 5)
    assert topics.checks == 10


@virtual
async def test_topics_are_checked_at_once_where_nothing_is_acknowledged() -> None:
    topics = Topics()
    await topics.after(60)
    topics.problems = ["sms.received.v1 is missing"]

    assert await topics.after(2, NO_TOPIC)
    assert not await topics.after(2), "all is accepted again"
