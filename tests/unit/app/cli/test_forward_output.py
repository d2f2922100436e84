"""What `smsbus forward` prints, and what it means that nobody can read it."""

import asyncio
import errno
from collections.abc import Callable
from typing import Any

import pytest
import typer

from app import forwards
from app.cli import forward as command
from app.forwards import Target
from app.settings.load import Settings
from bus.kafka import topics
from bus.kafka.group_reader import Place
from bus.kafka.topics_reader import Part
from forwarding.address import target_url
from forwarding.delivery import Pause, Sent
from inbox.filters import Filter
from inbox.item import Item
from schemas.topics import RECEIVED
from tests.inbox_records import record

pytestmark = pytest.mark.usefixtures("process_is_restored")
PART = Part(RECEIVED, 0)
TARGET = Target("hook", target_url("localhost:3000"), "whsec_x", Filter(), private=True)


class Forward:
    """It says what it did, and goes on."""

    stopped = False

    def __init__(self, on_placed: Callable[..., None], on_step: Callable[..., None]) -> None:
        self.on_placed, self.on_step = on_placed, on_step
        self.handled: list[str] = []

    async def run(self) -> None:
        self.on_placed({})
        for at, step in enumerate((Pause(1.0, "http_500"), Sent(200))):
            item = Item.of(PART, record(PART, at))
            assert item is not None
            self.on_step(item, step)
            self.handled.append(item.id)
        await asyncio.Event().wait()


@pytest.fixture
def made(monkeypatch) -> list[Forward]:
    made: list[Forward] = []

    def forwarding(*_: object, on_placed: Any, on_step: Any) -> Forward:
        made.append(Forward(on_placed, on_step))
        return made[-1]

    async def partitions(*_: object) -> list[int]:
        return [0]

    monkeypatch.setattr(forwards, "forwarding", forwarding)
    monkeypatch.setattr(topics, "partitions", partitions)
    return made


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ENOSPC], ids=["its reader has exited", "the disk is full"])
async def test_output_that_cannot_be_written_ends_it_and_no_event_is_sent_again_for_that(monkeypatch, made, number):
    def echo(*_: object, **__: object) -> None:
        raise OSError(number, "cannot be written")

    monkeypatch.setattr(typer, "echo", echo)

    with pytest.raises(OSError, match="cannot be written") as raised:
        async with asyncio.timeout(5):
            await command._forward(Settings(), TARGET)

    assert raised.value.errno == number
    assert made[0].handled == ["0@0", "0@1"]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (Place(9), ""),
        (Place(9, is_new=True), "hook has no progress in Kafka yet, or no longer: it begins now"),
        (Place(9, lost=3), "3 records were deleted by Kafka before they could be sent"),
        (
            Place(9, is_anew=True),
            "the topic was made anew, and what waited on the former one is gone: it begins at the oldest record",
        ),
    ],
    ids=["goes on", "new", "lost", "made anew"],
)
async def test_it_says_where_it_begins(monkeypatch, made, capsys, place, said):
    async def run(self: Forward) -> None:
        self.on_placed({PART: place})

    monkeypatch.setattr(Forward, "run", run)

    await command._forward(Settings(), TARGET)

    assert capsys.readouterr().err.strip() == said
