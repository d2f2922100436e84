"""What is remembered of topics that were right."""

import pytest

from app.checks import topics
from app.checks.topics import marker, verify
from app.errors import StartupError
from app.settings.load import load
from bus.kafka.client import KafkaAway
from bus.kafka.topics import Findings


@pytest.mark.parametrize(
    "other",
    [{"SMSBUS_KAFKA__BOOTSTRAP_SERVERS": "other:9092"}, {"SMSBUS_KAFKA__TOPIC_PREFIX": "x."}],
)
def test_what_was_verified_elsewhere_says_nothing_about_here(environment, other):
    environment({"SMSBUS_BUS__JOURNAL_DIR": "/j"})
    here = marker(load(), "all")

    environment(other)

    assert marker(load(), "all") != here
    assert marker(load(), "all").parent == here.parent


@pytest.mark.parametrize("said", ["the authority did not sign it", "is it running?"])
async def test_a_first_start_without_kafka_says_why_it_needs_it_in_a_sentence_of_its_own(
    environment, tmp_path, monkeypatch, said
):
    async def away(*_):
        raise KafkaAway(said)

    environment({"SMSBUS_BUS__JOURNAL_DIR": str(tmp_path)})
    monkeypatch.setattr(topics.topics, "inspect", away)

    with pytest.raises(StartupError) as stopped:
        await verify(load(), "all")

    sentence = said.removesuffix("?") + ("?" if said.endswith("?") else ".")
    assert stopped.value.lines == [f"{sentence} The first start needs Kafka, to check the topics."]


async def test_an_inbox_keeps_nothing_and_starts_without_kafka(environment, tmp_path, monkeypatch):
    async def away(*_):
        raise KafkaAway

    async def right(*_):
        return Findings()

    environment({"SMSBUS_BUS__JOURNAL_DIR": str(tmp_path / "journal")})
    for said in (away, right):
        monkeypatch.setattr(topics.topics, "inspect", said)
        await verify(load(), "inbox")

    assert not (tmp_path / "journal").exists()


async def test_an_inbox_is_refused_topics_that_are_wrong(environment, monkeypatch):
    async def wrong(*_):
        return Findings(problems=["topic sms.received.v1 is missing"])

    environment({})
    monkeypatch.setattr(topics.topics, "inspect", wrong)

    with pytest.raises(StartupError, match=r"sms\.received\.v1 is missing"):
        await verify(load(), "inbox")
