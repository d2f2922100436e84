"""The installed program on a real Apache Kafka. Nothing here or in the tests imports anything of ours."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from tests.e2e.program import Installation
from tests.e2e.topics_made import make_topics
from tests.secure_kafka import MECHANISMS, Mechanism, SecureKafka, secure_kafka


@pytest.fixture(
    scope="session",
    params=["mtls", "PLAIN", *(pytest.param(each, marks=pytest.mark.long) for each in MECHANISMS[2:])],
)
def secure(request, kafka_jars, tmp_path_factory) -> Iterator[SecureKafka]:
    """A broker with ACLs that is reached over TLS only, in each of the ways in which a client can prove who it is."""
    mechanism: Mechanism = request.param
    with secure_kafka(tmp_path_factory.mktemp("secure"), mechanism) as kafka:
        yield kafka


@pytest.fixture
async def fresh(kafka, topic_prefix, tmp_path) -> AsyncIterator[Installation]:
    """An installation on the one broker, without topics."""
    async with _installed(Installation(tmp_path, kafka.bootstrap_servers, topic_prefix)) as installation:
        yield installation


@pytest.fixture
async def smsbus(fresh) -> Installation:
    """The same with its topics."""
    await make_topics(fresh)
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
