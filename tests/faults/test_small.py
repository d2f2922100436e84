"""The core of the matrix, small, on the session's three brokers; `make faults` runs all of it at its full size.

Long by nature: a case takes half a minute to begin. For `make test` our crash, a broker's and Kafka being away are in
`tests/e2e`, and what is asked of a history in `test_checker.py`.
"""

import pytest

from tests.faults import tools
from tests.faults.checker import violations
from tests.faults.matrix import CASES
from tests.faults.mutations import BREAKS
from tests.faults.run import run
from tests.kafka_fixtures import running_kafka

SCALE = 0.1
WITHOUT_THE_LANE = {"RECEIVER__FAST_LANE": "false"}
CORE = ["receiver_killed", "poller_killed", "provider_storm", "broker_killed", "all_brokers_killed"]

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]


@pytest.mark.parametrize("name", CORE)
async def test_nothing_that_was_promised_breaks(name, kafka3, topic_prefix, tmp_path):
    row = await _holds(name, kafka3, topic_prefix, tmp_path)

    assert row.fast_lane > 0


async def test_nothing_that_was_promised_breaks_without_the_fast_lane(kafka3, topic_prefix, tmp_path):
    row = await _holds("receiver_killed", kafka3, topic_prefix, tmp_path, settings=WITHOUT_THE_LANE)

    assert row.fast_lane == 0


@pytest.mark.skipif(tools.missing() is not None, reason=str(tools.missing()))
async def test_nothing_that_was_promised_breaks_when_the_journal_cannot_be_read(kafka_jars, topic_prefix, tmp_path):
    with running_kafka(tmp_path / "kafka", 3, proxied=True) as kafka:
        await _holds("journal_read_fails", kafka, topic_prefix, tmp_path)


async def _holds(name, kafka3, topic_prefix, tmp_path, **options):
    row, history = await run(name, CASES[name], kafka3, tmp_path / name, scale=SCALE, prefix=topic_prefix, **options)

    assert row.not_run == ""
    assert row.violations == []
    assert row.repeats <= row.accepted / 20  # the figure is under 1 %; the bound is loose, as all in tests
    assert [each for each, spoil in BREAKS.items() if not violations(spoil(history))] == []
    return row
