"""Three pollers, of which one dies or sleeps: its shards run elsewhere, and the book and the topic agree."""

import os
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.polling import SHARDS, Poller, Town, wait_until
from tests.kafka_fixtures import TestKafka

WATCHES = int(os.environ.get("POLLER_WATCHES", "1500"))
SOME = 120
MOVED_SECONDS = 60  # the aim is 15; 5-7 s are usual, more than 30 were seen once on a busy machine
IDLE = "the fault met no work"


@pytest.fixture
def town(kafka: TestKafka, topic_prefix: str, tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path, kafka.bootstrap_servers, topic_prefix)
    try:
        assert town("topics", "create").returncode == 0
        for _ in range(3):
            town.poll()
        wait_until(lambda: town.owned(town.pollers) == SHARDS and all(each.shards() for each in town.pollers), 60)
        yield town
    finally:
        town.close()


def open_watches(town: Town, count: int, *, spread: float) -> None:
    """Each with two SMS; the second shows when the first is published and the next was asked for."""
    rng, admins = random.Random(7), [poller.admin for poller in town.pollers]

    def one(number: int) -> None:
        first = rng.uniform(2, spread)
        town.watch(town.order(first, first + 1), admins[number % len(admins)], after_sms="request_next")

    with ThreadPoolExecutor(24) as pool:
        list(pool.map(one, range(count)))


def all_shown(book: list[dict[str, Any]], count: int) -> bool:
    return sum(sms["shown"] is not None for sms in book) == 2 * count


@pytest.mark.parametrize("count", [SOME, pytest.param(WATCHES, marks=pytest.mark.long)])
def test_a_killed_poller_s_shards_run_elsewhere_and_nothing_shown_is_lost(town: Town, count: int) -> None:
    began = time.monotonic()
    open_watches(town, count, spread=25)
    print(f"{count} watches opened in {time.monotonic() - began:.1f} s")
    victim, *others = town.pollers
    victim.signal(signal.SIGKILL)
    moved = wait_until(lambda: town.owned(others) == SHARDS, MOVED_SECONDS)
    third = town.poll()
    wait_until(lambda: third.shards() > 0, 60)
    others[0].signal(signal.SIGKILL)  # again, in the midst of steps and of a rebalance
    survivors = [others[1], third]
    again = wait_until(lambda: town.owned(survivors) == SHARDS, MOVED_SECONDS)

    settled = wait_until(lambda: all_shown(town.book(), count), 60 + count / 50)
    wait_until(lambda: not town.compared()[0], 60)
    time.sleep(2)  # and what would come twice
    wrong, sms, repeats = town.compared()

    print(
        f"shards moved in {moved:.1f} s and {again:.1f} s, all shown {settled:.1f} s later, {repeats} repeats of {sms}"
    )
    assert wrong == []
    assert sms == 2 * count
    assert repeats <= sms / 20  # the figure is under 1 %, measured 0-0.8 %; the bound is loose, as all in tests


@pytest.mark.long
def test_a_poller_that_slept_neither_acts_nor_takes_its_shards_back(town: Town) -> None:
    count = SOME
    open_watches(town, count, spread=30)
    sleeper, *others = town.pollers
    put_to_sleep_in_the_midst_of_a_step(town, sleeper)
    wait_until(lambda: town.owned(others) == SHARDS, MOVED_SECONDS)
    time.sleep(12)  # with the move, twenty seconds: the new owners act by now
    said, acted = len(sleeper.log), [len(other.events("acted")) for other in others]
    sleeper.signal(signal.SIGCONT)
    wait_until(lambda: town.owned(town.pollers) == SHARDS and sleeper.events("shards", after=said)[1:], 60)
    wait_until(lambda: all_shown(town.book(), count), 60)
    time.sleep(2)

    wrong, sms, repeats = town.compared()

    assert sum(acted) > 0
    assert stepped_back(town) == []
    assert [act for act in before_assignment(sleeper, said, "acted") if not was_under_way(act)] == []
    assert [other.events("shard_fenced") for other in others] == [[], []]
    assert [other.events("shard_failed") for other in town.pollers] == [[], [], []]
    assert town.owned(town.pollers) == SHARDS
    assert (wrong, sms) == ([], 2 * count)
    assert repeats <= sms / 20


def put_to_sleep_in_the_midst_of_a_step(town: Town, poller: Poller) -> None:
    """It has seen an SMS whose state is not committed, and stands still."""
    for _ in range(20):
        poller.signal(signal.SIGSTOP)
        if town.uncommitted():
            return
        poller.signal(signal.SIGCONT)  # well within its session: nobody has missed it
        time.sleep(0.2)
    raise AssertionError(IDLE)


def stepped_back(town: Town) -> list[str]:
    """The orders of which an older state was committed after a newer one."""
    revisions = {order: [state.get("revision", 0) for state in states] for order, states in town.states().items()}
    return [order for order, each in revisions.items() if each != sorted(each)]


def was_under_way(act: dict[str, Any]) -> bool:
    """Its request was sent before the sleep: who is awake never waits five seconds for the sandbox."""
    return act["result"] == "action_timeout"


def before_assignment(poller: Poller, said: int, event: str) -> list[dict[str, Any]]:
    """What it did since its `said`th line, before the group gave it shards anew."""
    lines = poller.log[said:]
    assigned = next(number for number, line in enumerate(lines) if line["event"] == "shards" and line["ours"])
    return [line for line in lines[:assigned] if line["event"] == event]
