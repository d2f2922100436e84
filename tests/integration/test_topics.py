"""The topics on real brokers: made as the contract says, and every way of being wrong is found and named."""

import asyncio
import shlex
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bus.kafka import brokers, topics
from bus.kafka.client import KafkaAway
from bus.kafka.topics import TopicsError
from bus.settings import KafkaSettings
from schemas.topics import TOPICS

INTERNAL = {"sms.watches.v1", "sms.watch-states.v1"}


@pytest.fixture
def one(kafka, topic_prefix):
    return KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=topic_prefix)


@pytest.fixture
def three(kafka3, topic_prefix):
    return KafkaSettings(bootstrap_servers=kafka3.bootstrap_servers, topic_prefix=topic_prefix)


async def existing(kafka):
    names = frozenset(kafka.topic(topic.name) for topic in TOPICS)
    async with brokers.admin(kafka) as client:
        there = await brokers.existing(client, configs_of=names)
    return {name.removeprefix(kafka.topic_prefix): there[name] for name in names & there.keys()}


async def all_existing(kafka):
    """A broker may hear of new topics a moment later than the one that `create` asked."""
    async with asyncio.timeout(10):
        while len(there := await existing(kafka)) < len(TOPICS):
            await asyncio.sleep(0.1)
    return there


async def found(kafka, *, problems, warnings):
    """Whichever of the brokers is asked: it may have heard of the topics or of another broker a moment later."""
    async with asyncio.timeout(60):
        while True:
            findings = await topics.inspect(kafka)
            if (len(findings.problems), len(findings.warnings)) == (problems, warnings):
                return findings
            await asyncio.sleep(0.1)


async def make(kafka, name, partitions, replication=1, **configs):
    client = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await client.start()
    try:
        topic = NewTopic(kafka.topic(name), partitions, replication, topic_configs=configs)
        answer = await client.create_topics([topic])
        assert [code for _, code, _ in answer.topic_errors] == [0]
    finally:
        await client.close()


async def test_created_topics_are_those_of_the_contract(one):
    created = await topics.create(one)

    assert created == [one.topic(topic.name) for topic in TOPICS]
    there = await existing(one)
    assert {name: len(topic.partitions) for name, topic in there.items()} == {
        "sms.received.v1": 6,
        "sms.rejected.v1": 6,
        "sms.watch-ended.v1": 6,
        "sms.watches.v1": 12,
        "sms.watch-states.v1": 12,
    }
    day = 24 * 60 * 60 * 1000
    assert there["sms.received.v1"].configs["retention.ms"] == str(7 * day)
    assert there["sms.rejected.v1"].configs["retention.ms"] == str(14 * day)
    assert {there[name].configs["segment.ms"] for name in there if name not in INTERNAL} == {str(day)}
    dead_letters = there["sms.rejected.v1"].configs
    assert (dead_letters["retention.bytes"], dead_letters["segment.bytes"]) == (str(160 * 2**20), str(32 * 2**20))
    assert there["sms.received.v1"].configs["retention.bytes"] == "-1"
    assert there["sms.watches.v1"].configs["cleanup.policy"] == "compact"
    states = there["sms.watch-states.v1"].configs
    assert (states["segment.ms"], states["min.cleanable.dirty.ratio"]) == ("600000", "0.1")
    assert await topics.check(one) == []


async def test_creating_twice_creates_nothing_the_second_time(one):
    await topics.create(one)

    assert await topics.create(one) == []


async def test_one_missing_topic_is_created_beside_the_others(one):
    await make(one, "sms.received.v1", 6)

    created = await topics.create(one)

    assert one.topic("sms.received.v1") not in created
    assert len(created) == len(TOPICS) - 1


async def test_three_brokers_get_three_replicas_of_which_two_must_be_in_sync(three):
    await topics.create(three)

    there = await all_existing(three)
    assert {topic.replication for topic in there.values()} == {3}
    assert {topic.configs["min.insync.replicas"] for topic in there.values()} == {"2"}
    assert await found(three, problems=0, warnings=0) == topics.Findings()


async def test_a_broker_that_is_just_starting_gets_its_replica(three, monkeypatch):
    seen = iter([[1], [1, 2], [1, 2, 3], [1, 2, 3]])

    async def nodes(client):
        return next(seen)

    monkeypatch.setattr(topics, "nodes", nodes)
    monkeypatch.setattr(topics, "WAIT_SECONDS", 0)

    await topics.create(three)

    assert {topic.replication for topic in (await all_existing(three)).values()} == {3}


async def test_a_broker_that_does_not_come_is_not_waited_for_any_longer(one, monkeypatch):
    monkeypatch.setattr(topics, "WAIT_SECONDS", 0)
    twice = one.model_copy(update={"bootstrap_servers": f"{one.bootstrap_servers},{one.bootstrap_servers}"})

    await topics.create(twice)

    assert {topic.replication for topic in (await existing(one)).values()} == {1}


async def test_a_missing_topic_is_named_with_the_command_that_makes_it(one):
    problems = await topics.check(one)

    full = one.topic("sms.received.v1")
    assert f"topic {full} is missing: run `smsbus topics create`" in problems
    assert len(problems) == len(TOPICS)


async def test_a_wrong_partition_count_is_a_problem(one):
    await make(one, "sms.watches.v1", 6, **{"cleanup.policy": "compact"})
    await topics.create(one)

    [problem] = await topics.check(one)

    assert f"topic {one.topic('sms.watches.v1')} has 6 partitions and needs 12" in problem
    assert "`smsbus topics create`" in problem


async def test_a_wrong_cleanup_policy_is_a_problem_with_its_remedy(one):
    await make(one, "sms.watch-states.v1", 12, **{"cleanup.policy": "delete"})
    await topics.create(one)

    [problem] = await topics.check(one)
    _, command, _ = problem.split("`")
    done = await asyncio.create_subprocess_exec(sys.executable, "-m", "app", *shlex.split(command)[1:])

    full = one.topic("sms.watch-states.v1")
    assert f"topic {full} has cleanup.policy=delete and needs compact" in problem
    assert f"--entity-name {full} --add-config cleanup.policy=compact" in problem
    assert await done.wait() == 0
    assert await topics.check(one) == []


async def test_room_for_less_than_a_dead_letter_is_a_problem(one):
    await make(one, "sms.rejected.v1", 6, **{"max.message.bytes": "100000"})
    await topics.create(one)

    [problem] = await topics.check(one)

    assert "max.message.bytes=100000" in problem


async def test_too_few_replicas_in_sync_are_a_problem_and_too_few_replicas_a_warning(three):
    await make(three, "sms.received.v1", 6, replication=3, **{"min.insync.replicas": "1"})
    await make(three, "sms.rejected.v1", 6, replication=1)
    await topics.create(three)

    findings = await found(three, problems=1, warnings=2)

    [problem], [warning, unbounded] = findings.problems, findings.warnings
    assert f"topic {three.topic('sms.received.v1')} has min.insync.replicas=1 and needs 2" in problem
    assert f"topic {three.topic('sms.rejected.v1')} has 1 of 3 possible replicas" in warning
    assert f"topic {three.topic('sms.rejected.v1')} has no retention.bytes" in unbounded


async def test_looking_for_topics_creates_none(one):
    with pytest.raises(TopicsError, match="is missing: run `smsbus topics create`"):
        await topics.partitions(one, "sms.received.v1")

    assert await existing(one) == {}


async def test_a_refusal_of_kafka_is_an_error_that_names_the_topic(one, topic_prefix):
    await topics.create(one)
    colliding = one.model_copy(update={"topic_prefix": topic_prefix.replace(".", "_")})

    with pytest.raises(TopicsError) as refused:
        await topics.create(colliding)

    assert len(refused.value.lines) == len(TOPICS)
    assert refused.value.lines[0].startswith(f"Kafka did not create topic {colliding.topic('sms.received.v1')}: ")


@pytest.mark.parametrize("ask", [topics.create, topics.check, brokers.addresses])
async def test_nobody_answering_is_one_sentence_with_address_and_variable(ask, unused_tcp_port):
    nowhere = KafkaSettings(bootstrap_servers=f"127.0.0.1:{unused_tcp_port}")
    began = time.monotonic()

    with pytest.raises(KafkaAway) as away:
        await ask(nowhere)

    assert f"127.0.0.1:{unused_tcp_port} (SMSBUS_KAFKA__BOOTSTRAP_SERVERS)" in str(away.value)
    assert "\n" not in str(away.value)
    assert time.monotonic() - began < 15


async def test_a_broker_that_accepts_and_then_says_nothing_is_away_within_the_deadline(monkeypatch, silent_server):
    monkeypatch.setattr(brokers, "DEADLINE", 1.0)
    began = time.monotonic()

    with pytest.raises(KafkaAway):
        await topics.check(KafkaSettings(bootstrap_servers=silent_server))

    assert time.monotonic() - began < 6


async def test_topics_that_get_no_leader_are_named(one, monkeypatch):
    await topics.create(one)
    led_ones = brokers.existing

    async def one_is_not_led(client):
        there = await led_ones(client)
        return {name: replace(found, led="received" not in name) for name, found in there.items()}

    monkeypatch.setattr(topics, "existing", one_is_not_led)
    monkeypatch.setattr(topics, "LED_SECONDS", 0)

    with pytest.raises(TopicsError) as caught:
        await topics.create(one)

    (line,) = caught.value.lines
    assert line.startswith(f"topic {one.topic('sms.received.v1')} exists, but Kafka gave it no leader")


async def test_the_advertised_addresses_are_those_of_the_brokers(kafka3):
    found = await brokers.addresses(KafkaSettings(bootstrap_servers=kafka3.bootstrap_servers))

    assert sorted(f"{host}:{port}" for host, port in found) == sorted(kafka3.bootstrap_servers.split(","))


@pytest.fixture
async def silent_server():
    async def listen(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


@pytest.mark.parametrize(("value", "freely"), [("true", True), ("false", False)])
async def test_brokers_that_create_topics_freely_are_found_out(value, freely):
    async def describe_cluster():
        return {"brokers": [{"node_id": 7}]}

    async def describe_configs(resources):
        [resource] = resources
        entry = ("auto.create.topics.enable", value, True, 5, False, [])
        return [SimpleNamespace(resources=[(0, None, 4, resource.name, [entry])])]

    client = SimpleNamespace(describe_cluster=describe_cluster, describe_configs=describe_configs)

    assert await brokers.creates_topics_freely(client) is freely
