"""One byte of a stored row is not what was written: what a bus says of it, and where its bytes are."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bus.contract import Ledger
from bus.journal.journal import FILE_NAME
from schemas.messages import Message
from tests.messages import rejected, sms
from tests.stuck_bus import StuckBus

pytestmark = pytest.mark.unaudited("its Kafka is played")


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.02)


async def left_damaged(parent: Path, message: Message) -> str:
    """Leave a journal with this message, one byte of it flipped, and another behind it; return the first one's id."""
    before = StuckBus(parent)
    await before.bus.start()
    receipt = await before.bus.accept(message)
    await before.bus.accept(sms("16470000000", n=2))
    [directory] = before.bus.journals
    await before.bus.stop(0)
    with closing(sqlite3.connect(parent / directory / FILE_NAME)) as connection:
        connection.execute("UPDATE rows SET value = replace(value, '\"', '''') WHERE id = ?", (receipt.id,))
        connection.commit()
    return receipt.id


@pytest.mark.parametrize("message", [sms("16470000000"), rejected(b"junk")], ids=["an SMS", "a dead letter"])
async def test_it_becomes_a_dead_letter_under_a_name_of_its_own_and_nobody_is_said_to_have_refused_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: Message
) -> None:
    monkeypatch.setattr("bus.health.QUIET", 0.5)
    damaged = await left_damaged(tmp_path, message)
    again = StuckBus(tmp_path)
    again.hangs.set()
    with capture_logs() as logs:
        await again.bus.start()
        await until(lambda: "journal_row_damaged" in again.bus.condition().degraded)
        degraded = again.bus.condition().degraded
        again.is_open = True
        await until(lambda: "journal_row_damaged" not in again.bus.condition().degraded)
        await again.bus.drained()
    await again.bus.stop(0)

    began, ended = [line for line in logs if line["event"].startswith("journal_row_damaged")]
    assert {"records_refused", "dead_letter_refused"}.isdisjoint(degraded)
    assert (began["id"], began["log_level"]) == (damaged, "error")
    assert "no broker refused it" in began["hint"]
    assert ended["event"] == "journal_row_damaged_no_more"
    assert damaged not in again.topic
    assert again.bus.ledger == Ledger(adopted=2, published=1, rejected=1)
