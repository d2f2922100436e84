"""Every test that gives a `KafkaBus` something is followed by an audit of what the bus has promised."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from bus.contract import Receipt
from bus.kafka_bus import KafkaBus
from bus.settings import BusSettings, KafkaSettings
from schemas.messages import Message
from tests.audit import Audit
from tests.kafka_fixtures import TestKafka
from tests.loop_thread import LoopThread

CLUSTERS = {"kafka", "kafka3"}  # they outlive a test


def _note(audit: Audit, message: Message, answer: asyncio.Future[Receipt]) -> None:
    """A receipt promises the bytes of the message as it was given."""
    value = message.to_json()

    def note(answer: asyncio.Future[Receipt]) -> None:
        if not answer.cancelled() and answer.exception() is None:
            audit.promise(answer.result().id, value)

    if answer.done():
        note(answer)
    else:
        answer.add_done_callback(note)


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch) -> Audit:
    """Of all receipts that any `KafkaBus` of this test returns, and of what lies in its journals when it starts."""
    audit = Audit()
    init, start, submit = KafkaBus.__init__, KafkaBus.start, KafkaBus.submit

    def noted_init(self: KafkaBus, kafka: KafkaSettings, settings: BusSettings, **more: Any) -> None:
        init(self, kafka, settings, **more)
        audit.look_at(kafka.bootstrap_servers, kafka.topic_prefix, settings.journal_dir)

    async def noted_start(self: KafkaBus) -> None:
        await asyncio.to_thread(audit.promise_what_lies_in, self._settings.journal_dir)
        await start(self)

    def noted_submit(self: KafkaBus, message: Message, *, key: str | None = None) -> asyncio.Future[Receipt]:
        answer = submit(self, message, key=key)
        _note(audit, message, answer)
        return answer

    monkeypatch.setattr(KafkaBus, "__init__", noted_init)
    monkeypatch.setattr(KafkaBus, "start", noted_start)
    monkeypatch.setattr(KafkaBus, "submit", noted_submit)
    return audit


@pytest.fixture(autouse=True)
def _audited(request: pytest.FixtureRequest, audit: Audit, _kafka_heals: None) -> Iterator[None]:
    """When its buses have stopped and before its topics go: nothing that they promised is lost."""
    yield
    if not len(audit) or _is_left_out(request.node):
        return
    for name in CLUSTERS & set(request.fixturenames):
        cluster: TestKafka = request.getfixturevalue(name)
        cluster.heal()
    losses = _losses(audit)
    assert not losses, "\n".join(losses[:10])


def _is_left_out(node: pytest.Item) -> bool:
    """A mock cluster keeps nothing; every other test says its reason."""
    marker = node.get_closest_marker("unaudited")
    if marker is not None:
        [reason] = marker.args
        assert reason
    return marker is not None or node.get_closest_marker("mock_cluster") is not None


def _losses(audit: Audit) -> list[str]:
    """On a loop of its own: that of the test may have ended."""
    home = LoopThread()
    try:
        losses: list[str] = home.run(audit.losses())
        return losses
    finally:
        home.close()
