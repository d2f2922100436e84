"""`smsbus journal drain` that is interrupted."""

import asyncio
from pathlib import Path

import pytest
import typer

from app.cli import journal
from app.settings.load import Settings
from bus import kafka_bus
from bus.contract import Ledger
from bus.kafka import topics
from bus.settings import BusSettings, KafkaSettings


class Bus:
    """Publishes nothing."""

    def __init__(self, *_: object, instance: str) -> None:
        del instance
        self.ledger = Ledger()
        self.stopped = asyncio.Event()
        Bus.newest = self

    newest: "Bus"

    async def start(self) -> None:
        pass

    async def stop(self, deadline: float) -> None:
        assert deadline > 0
        self.stopped.set()


async def test_the_bus_is_stopped_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_bus, "KafkaBus", Bus)
    draining = asyncio.create_task(journal._drain(KafkaSettings(), BusSettings(), 1, 60))
    await asyncio.sleep(0)
    draining.cancel()
    await asyncio.wait([draining])

    assert Bus.newest.stopped.is_set()


@pytest.mark.usefixtures("process_is_restored")
def test_it_says_what_becomes_of_the_rest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def right(*_: object) -> list[str]:
        return []

    async def interrupted(*_: object) -> Ledger:
        raise KeyboardInterrupt

    monkeypatch.setattr(topics, "check", right)
    monkeypatch.setattr(journal, "_drain", interrupted)

    with pytest.raises(typer.Exit) as ended:
        journal._publish(Settings(), tmp_path, {tmp_path / "one": 1}, 60)

    assert ended.value.exit_code == 130
    assert "what is not published stays in the journal" in capsys.readouterr().err
