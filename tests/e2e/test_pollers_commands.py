"""`smsbus watch …` and `smsbus account list` beside a running poller."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.polling import SHARDS, Town, wait_until
from tests.kafka_fixtures import TestKafka


@pytest.fixture
def town(kafka: TestKafka, topic_prefix: str, tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path, kafka.bootstrap_servers, topic_prefix)
    try:
        assert town("topics", "create").returncode == 0
        poller = town.poll()
        wait_until(lambda: poller.shards() == SHARDS, 60)
        yield town
    finally:
        town.close()


def test_a_watch_from_its_opening_to_its_end_by_commands(town: Town) -> None:
    order = town.order(0.5, 1.0, 1.5)
    named = f"smsverified/{order['order']}"
    added = town("watch", "add", "smsverified", order["order"], "--number", order["number"], "--ref", "mine")
    watch_id = added.stdout.strip()
    wait_until(lambda: len(town.read("sms.received.v1")) == 1, 30)

    same = town("watch", "add", "smsverified", order["order"], "--number", order["number"], "--ref", "mine")
    other = town("watch", "add", "smsverified", order["order"], "--number", order["number"], "--ref", "yours")
    listed = town("watch", "list")
    next_ = town("watch", "next", "smsverified", order["order"])
    wait_until(lambda: len(town.read("sms.received.v1")) == 2, 40)
    finished = town("watch", "finish", watch_id)
    wait_until(lambda: town.read("sms.watch-ended.v1"), 30)
    wait_until(lambda: json.loads(town("watch", "show", named).stdout)["ended"], 20)
    again = town("watch", "stop", named)

    assert (added.returncode, same.returncode, same.stdout) == (0, 0, added.stdout)
    assert (other.returncode, "client_ref" in other.stderr) == (1, True)
    assert watch_id in listed.stdout
    assert order["number"] not in listed.stdout
    assert (next_.returncode, finished.returncode) == (0, 0)
    assert [(end["reason"], end["sms_count"]) for end in town.read("sms.watch-ended.v1")] == [("finished", 2)]
    assert (again.returncode, "ended" in again.stderr) == (1, True)
    assert (town("watch", "list").stdout, watch_id in town("watch", "list", "--all").stdout) == ("", True)


def test_stop_and_cancel_end_watches_and_what_is_not_there_is_said(town: Town) -> None:
    orders = {wish: town.order() for wish in ("stop", "cancel")}
    for wish, order in orders.items():
        town("watch", "add", "smsverified", order["order"])
        assert town("watch", wish, f"smsverified/{order['order']}").returncode == 0
    wait_until(lambda: len(town.read("sms.watch-ended.v1")) == 2, 40)

    nobody = town("watch", "show", "smsverified/1")
    unknown = town("watch", "add", "nobody", "1")
    misspelled = town("watch", "add", "smsverified", "1", "--until", "soon")
    accounts = town("account", "list")

    ends = {end["order_id"]: end["reason"] for end in town.read("sms.watch-ended.v1")}
    assert ends == {orders["stop"]["order"]: "stopped", orders["cancel"]["order"]: "cancelled"}
    assert (nobody.returncode, "there is no watch" in nobody.stderr) == (1, True)
    assert (unknown.returncode, "smsverified" in unknown.stderr) == (2, True)
    assert misspelled.returncode == 2
    assert (accounts.returncode, accounts.stdout.split()[:2]) == (0, ["smsverified", "smsverified"])
