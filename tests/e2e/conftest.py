"""The installed program on a real Apache Kafka. Nothing here or in the tests imports anything of ours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.e2e.program import Installation


@pytest.fixture
async def fresh(kafka, topic_prefix, tmp_path) -> AsyncIterator[Installation]:
    """An installation on the one broker, without topics."""
    async with _installed(Installation(tmp_path, kafka.bootstrap_servers, topic_prefix)) as installation:
        yield installation


@pytest.fixture
async def smsbus(fresh) -> Installation:
    """The same with its topics."""
    assert (await fresh.run("topics", "create")).code == 0
    return fresh


@pytest.fixture
async def smsbus3(kafka3, topic_prefix, tmp_path) -> AsyncIterator[Installation]:
    """An installation on three brokers, with its topics."""
    async with _installed(Installation(tmp_path, kafka3.bootstrap_servers, topic_prefix)) as installation:
        assert (await installation.run("topics", "create")).code == 0
        yield installation


@asynccontextmanager
async def _installed(installation: Installation) -> AsyncIterator[Installation]:
    try:
        yield installation
    finally:
        for replica in installation.replicas:
            await replica.kill()
