"""The alerts of deploy/, in a real Prometheus: Kafka stops and comes back, and then the service ends."""

import asyncio
import re

import pytest

from tests.e2e.load import Load
from tests.e2e.program import ROOT
from tests.e2e.prometheus_server import PROGRAM, RULES, prometheus, rendered

FACTOR = 60
"""So many times as quick are the rules: their minutes are seconds here, for `for`, ranges and thresholds alike."""
AWAY = {"SmsbusSmsWaiting", "SmsbusNothingPublished", "SmsbusDegraded"}
FIRE_SECONDS, WELL_SECONDS, QUIET_SECONDS = 60, 90, 8

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs prometheus, of Debian's package of this name")


def test_what_takes_time_is_shorter_and_nothing_else_changes():
    rules, shorter = RULES.read_text(), rendered(RULES.read_text(), FACTOR)
    taking_time = re.compile(r"(?:for: |offset )\w+|\[\w+\]|_seconds\) [<>] [\d.]+")

    assert taking_time.split(rules) == taking_time.split(shorter)
    assert {"for: 5000ms", "[10000ms]", "_seconds) > 5.0"} <= set(taking_time.findall(shorter))


@pytest.mark.long
@pytest.mark.timeout(280)
async def test_while_kafka_is_away_the_right_alerts_fire_and_no_other(smsbus, kafka, tmp_path):
    replica = await smsbus.serve()
    async with prometheus(tmp_path, replica.admin.removeprefix("http://"), factor=FACTOR) as server:
        async with Load(replica.url, numbers=3, pause=0.3) as load:
            await asyncio.sleep(QUIET_SECONDS)
            assert await server.firing() == set()

            await kafka.stop()
            await server.fires(AWAY, FIRE_SECONDS)
            await kafka.start()
            await server.fires(set(), WELL_SECONDS)

            assert server.fired == AWAY
        await replica.drained()
        _, exported = await replica.get("/metrics")
        await replica.terminate()
        await server.fires({"SmsbusTargetAbsent"}, FIRE_SECONDS)

    assert server.fired == AWAY | {"SmsbusTargetAbsent"}
    assert load.refused() == []
    page = (ROOT / "docs" / "operations.md").read_text("utf-8").partition("\n## Metrics\n")[2].partition("\n## ")[0]
    explained = set(re.findall(r"`(smsbus_\w+)`", page))
    assert set(re.findall(r"^# TYPE (smsbus_\w+)", exported, re.MULTILINE)) - explained == set()
    assert float(re.search(r"^smsbus_kafka_ack_seconds_count (\S+)$", exported, re.MULTILINE)[1]) > 0
