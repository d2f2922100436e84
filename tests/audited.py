"""Every test that gives a `KafkaBus` something is followed by an audit of what the bus has promised."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from bus.contract import Receipt
from bus.kafka import KafkaBus
from bus.settings import BusSettings, KafkaSettings
from schemas.messages import Message
from tests.audit import Audit
from tests.kafka_fixtures import TestKafka
from tests.loop_thread import LoopThread

CLUSTERS = ("kafka", "kafka3")  # they outlive a test


class Auditor:
    """Notes the receipts that any `KafkaBus` of this test returns, and what lies in its journals when it starts."""

    def __init__(self) -> None:
        self._audits: dict[tuple[str, str, str], Audit] = {}
        self._of: dict[KafkaBus, Audit] = {}

    def made(self, bus: KafkaBus, kafka: KafkaSettings, settings: BusSettings) -> None:
        servers, prefix, directory = kafka.bootstrap_servers, kafka.topic_prefix, settings.journal_dir
        same = self._audits.setdefault((servers, prefix, str(directory)), Audit(servers, prefix, directory))
        self._of[bus] = same

    def started(self, bus: KafkaBus) -> None:
        self._of[bus].promise_what_lies_here()

    def given(self, bus: KafkaBus, message: Message, answer: asyncio.Future[Receipt]) -> None:
        """The bytes are those of the message as it was given."""
        value = message.to_json()

        def note(answer: asyncio.Future[Receipt]) -> None:
            if not answer.cancelled() and answer.exception() is None:
                self._of[bus].promise(answer.result().id, value)

        if answer.done():
            note(answer)
        else:
            answer.add_done_callback(note)

    @property
    def promises(self) -> int:
        """How many ids."""
        return sum(len(audit) for audit in self._audits.values())

    async def losses(self) -> list[str]:
        return [words for audit in self._audits.values() for words in await audit.losses()]


@pytest.fixture
def auditor(monkeypatch: pytest.MonkeyPatch) -> Auditor:
    """Follow every `KafkaBus` of this test."""
    auditor = Auditor()
    init, start, submit = KafkaBus.__init__, KafkaBus.start, KafkaBus.submit

    def noted_init(self: KafkaBus, kafka: KafkaSettings, settings: BusSettings, **more: Any) -> None:
        init(self, kafka, settings, **more)
        auditor.made(self, kafka, settings)

    async def noted_start(self: KafkaBus) -> None:
        auditor.started(self)
        await start(self)

    def noted_submit(self: KafkaBus, message: Message, *, key: str | None = None) -> asyncio.Future[Receipt]:
        answer = submit(self, message, key=key)
        auditor.given(self, message, answer)
        return answer

    monkeypatch.setattr(KafkaBus, "__init__", noted_init)
    monkeypatch.setattr(KafkaBus, "start", noted_start)
    monkeypatch.setattr(KafkaBus, "submit", noted_submit)
    return auditor


@pytest.fixture(autouse=True)
def _audited(request: pytest.FixtureRequest, auditor: Auditor, _kafka_heals: None) -> Iterator[None]:
    """When its buses have stopped and before its topics go: nothing that they promised is lost."""
    yield
    if request.node.get_closest_marker("mock_cluster") or _is_left_out(request.node):
        return
    losses = _with_healed_kafka(request, auditor)
    assert not losses, "\n".join(losses[:10])


def _is_left_out(node: pytest.Item) -> bool:
    marker = node.get_closest_marker("unaudited")
    if marker is None:
        return False
    [reason] = marker.args
    return bool(reason)


def _with_healed_kafka(request: pytest.FixtureRequest, auditor: Auditor) -> list[str]:
    if not auditor.promises:
        return []
    for name in set(CLUSTERS) & set(request.fixturenames):
        cluster: TestKafka = request.getfixturevalue(name)
        cluster.heal()
    home = LoopThread()
    try:
        losses: list[str] = home.run(auditor.losses())
        return losses
    finally:
        home.close()
