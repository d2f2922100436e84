"""SIGHUP on a process that polls: a new key is used at the next request, and no shard moves."""

import json
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.polling import SHARDS, Poller, Town, wait_until
from tests.kafka_fixtures import TestKafka

KEY = "SMSBUS_ACCOUNTS__SMSVERIFIED__API_KEY"
PROBE_EVERY = 60  # seconds between two looks at an account with a wrong key


@pytest.fixture
def town(kafka: TestKafka, topic_prefix: str, tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path, kafka.bootstrap_servers, topic_prefix)
    try:
        assert town("topics", "create").returncode == 0
        yield town
    finally:
        town.close()


def degraded(poller: Poller) -> list[str]:
    with urllib.request.urlopen(f"{poller.admin}/readyz", timeout=5) as answer:
        words: list[str] = json.load(answer)["degraded"]
    return words


def shown(town: Town, count: int) -> bool:
    return sum(sms["shown"] is not None for sms in town.book()) == count


def test_a_new_key_from_a_file_is_used_at_the_next_request_and_no_shard_moves(town: Town) -> None:
    key = town.directory / "key"
    key.write_text("not-the-key")
    right = town.environ.pop(KEY)
    town.environ[f"{KEY}_FILE"] = str(key)
    poller = town.poll()
    wait_until(lambda: poller.serving and town.owned([poller]) == SHARDS, 60)
    town.watch(town.order(0.1), poller.admin)
    wait_until(lambda: degraded(poller) == ["account_paused:smsverified"], 30)
    before = len(poller.log)

    key.write_text(right)
    poller.signal(signal.SIGHUP)
    waited = wait_until(lambda: shown(town, 1), PROBE_EVERY)
    for number in range(10):  # and while polls are on their way
        town.watch(town.order(0.5 + number / 4), poller.admin)
        poller.signal(signal.SIGHUP)
    wait_until(lambda: shown(town, 11), 60)
    wait_until(lambda: len(town.read("sms.received.v1")) == 11, 20)

    assert waited < PROBE_EVERY / 3
    assert poller.events("reloaded")[0]["changed"] == ["accounts.smsverified.api_key"]
    wait_until(lambda: degraded(poller) == [], 60)
    assert [poller.events(name, after=before) for name in ("shards", "shard_ended", "group_left")] == [[], [], []]
    assert town.owned([poller]) == SHARDS
    assert right not in poller.said.read_text()
