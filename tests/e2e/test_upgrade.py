"""From 0.1.0 to this version and back, under load: nothing is lost, and nobody stops.

Meanwhile receivers of both versions share topics and journals, and pollers of both versions share a group.
"""

import asyncio
import random
import re
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.balancer import Backend, balancing
from tests.e2e.load import Load
from tests.e2e.older import FIND, file_of_app, older_tree
from tests.e2e.polling import SHARDS, Poller, Town, wait_until
from tests.e2e.program import ROOT, TOKEN, Installation, Replica, free_port
from tests.e2e.topic import events, problems
from tests.faults.history import Post
from tests.faults.rules import imbalance
from tests.kafka_fixtures import TestKafka

WATCHES = 60
SPREAD = 60  # seconds, over which their SMS come: about as long as all is replaced, there and back
LAME_DUCK = "2"


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of 0.1.0."""
    tree = older_tree(tmp_path_factory.mktemp("older"))
    assert file_of_app(tree).is_relative_to(tree)
    return tree


@pytest.fixture
async def installed(fresh: Installation, older: Path) -> Installation:
    """An installation of 0.1.0, with its topics."""
    fresh.tree = older
    assert (await fresh.run("topics", "create")).code == 0
    return fresh


@pytest.fixture
def town(kafka: TestKafka, topic_prefix: str, older: Path, tmp_path: Path) -> Iterator[Town]:
    """Polled orders on topics of their own; its pollers are of 0.1.0."""
    (tmp_path / "town").mkdir()
    town = Town(tmp_path / "town", kafka.bootstrap_servers, f"{topic_prefix}polled.")
    try:
        town.environ["PYTHONPATH"] = str(older)
        assert town("topics", "create").returncode == 0
        yield town
    finally:
        town.close()


def test_the_page_prints_the_commit_that_is_upgraded_from() -> None:
    page = (ROOT / "docs" / "upgrading.md").read_text()
    [command] = re.findall(r"^\$ (git log .*) \| head -n 1$", page, re.MULTILINE)

    assert shlex.split(command) == FIND


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_an_upgrade_and_the_way_back_lose_nothing_and_refuse_nobody(
    installed: Installation, older: Path, town: Town
) -> None:
    pollers = [await asyncio.to_thread(town.poll) for _ in range(3)]
    places = [(free_port(), free_port()) for _ in range(2)]
    replicas = [await _receiver(installed, place) for place in places]
    await asyncio.to_thread(wait_until, lambda: town.owned(pollers) == SHARDS, 60)
    await asyncio.to_thread(_open_watches, town, pollers)
    backends = [Backend(receiver, f"http://127.0.0.1:{admin}") for receiver, admin in places]
    async with balancing(*backends) as balancer:
        url = f"http://127.0.0.1:{balancer.port}/v1/pingme/{TOKEN}"
        async with Load(url, numbers=12, pause=0.03) as load:
            for tree in (ROOT, older):
                installed.tree = tree
                town.environ["PYTHONPATH"] = str(tree)
                replacing = asyncio.to_thread(_replace_pollers, town, pollers)
                await asyncio.gather(_replace_receivers(installed, places, replicas, backends), replacing)
            await asyncio.to_thread(wait_until, lambda: _shown(town) == 2 * WATCHES, 120)
    await asyncio.sleep(2)
    wrong, sms, repeats = await asyncio.to_thread(town.compared)
    print(f"{len(load.answered())} callbacks answered; {sms} SMS polled, {repeats} repeats")

    assert ([post.status for post in load.refused()], balancer.lost) == ([], 0)
    assert len(load.answered()) > 1_000
    assert problems(load.posts, await events(installed), one_process=False) == []
    assert (wrong, sms) == ([], 2 * WATCHES)
    assert repeats <= sms / 20
    assert [line for poller in town.pollers for line in poller.events("state_unreadable")] == []
    assert [line for replica in installed.replicas for line in replica.said("journal_quarantined")] == []


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_each_version_publishes_what_the_other_left_in_the_journal(
    installed: Installation, older: Path, kafka: TestKafka
) -> None:
    replica = await installed.serve("--role", "receiver")
    await kafka.kill()
    posts = []
    for tree in (ROOT, older, ROOT):
        posts += await _some(replica)
        await replica.kill()
        installed.tree = tree
        replica = await installed.serve("--role", "receiver")
    await kafka.start()
    metrics = await replica.drained()

    assert metrics["adopted"] == metrics["published"] == len(posts) > 300
    assert imbalance(metrics) == 0
    assert problems(posts, await events(installed)) == []


async def _receiver(installed: Installation, place: tuple[int, int]) -> Replica:
    receiver, admin = map(str, place)
    ports = {"RECEIVER__PORT": receiver, "ADMIN__PORT": admin}
    return await installed.serve("--role", "receiver", RECEIVER__LAME_DUCK=LAME_DUCK, **ports)


async def _replace_receivers(
    installed: Installation, places: list[tuple[int, int]], replicas: list[Replica], backends: list[Backend]
) -> None:
    """Replace one after the other, each when the balancer has seen that the one before is ready."""
    for number, place in enumerate(places):
        assert await replicas[number].terminate() == 0
        replicas[number] = await _receiver(installed, place)
        while not backends[number].ready:
            await asyncio.sleep(0.1)


def _replace_pollers(town: Town, pollers: list[Poller]) -> None:
    """Replace one after the other; all shards run somewhere before the next."""
    for number, leaving in enumerate(list(pollers)):
        leaving.signal(signal.SIGTERM)
        wait_until(lambda leaving=leaving: not leaving.runs, 60)
        pollers[number] = town.poll()
        wait_until(lambda number=number: pollers[number].shards() > 0 and town.owned(pollers) == SHARDS, 60)


def _open_watches(town: Town, pollers: list[Poller]) -> None:
    """Each with two SMS; the second shows when the first is published and the next was asked for."""
    rng = random.Random(7)
    for number in range(WATCHES):
        first = rng.uniform(2, SPREAD)
        town.watch(town.order(first, first + 1), pollers[number % len(pollers)].admin, after_sms="request_next")


def _shown(town: Town) -> int:
    return sum(sms["shown"] is not None for sms in town.book())


async def _some(replica: Replica) -> list[Post]:
    """Post some SMS; return every try."""
    async with Load(replica.url, numbers=10) as load, asyncio.timeout(60):
        await load.until_answered(100)
    return load.posts
