"""What `smsbus forward` prints, and what it means that nobody can read it."""

import asyncio
import errno
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
import structlog
import typer

from app import forwards, logs
from app.cli import forward as command
from app.cli.exit import Code
from app.forwards import Target
from app.settings.load import Settings
from app.settings.sections import LogSettings
from bus.kafka import topics
from bus.kafka.group_reader import Place
from bus.kafka.topics_reader import Part
from forwarding.address import target_url
from forwarding.delivery import Pause, Refuse, Sent, Stop
from inbox.filters import Filter
from inbox.item import Item
from schemas.topics import RECEIVED
from tests.inbox_records import record

pytestmark = pytest.mark.usefixtures("process_is_restored")
PART = Part(RECEIVED, 0)
AGAIN = "the target takes them again"
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
    ("steps", "said"),
    [
        ([Pause(1, "http_503"), Sent(200)], ["http_503 0@0: it is tried again until the target takes it", AGAIN]),
        (
            [*[Pause(1, "http_422", is_refusal=True)] * 4, Refuse(422, "L")],
            ["http_422 0@0: it is tried five times", "422 0@0: refused five times, it is dead letter L now"],
        ),
        ([Pause(1, "http_422", is_refusal=True), Sent(200)], ["http_422 0@0: it is tried five times", AGAIN]),
        ([Sent(200)], []),
    ],
    ids=["trouble", "refused", "taken at last", "taken"],
)
async def test_trouble_is_one_line_and_so_is_its_end(monkeypatch, made, capsys, steps, said):
    async def run(self: Forward) -> None:
        item = Item.of(PART, record(PART, 0))
        for step in steps:
            self.on_step(item, step)

    monkeypatch.setattr(Forward, "run", run)

    await command._forward(Settings(), TARGET)

    assert capsys.readouterr().err.splitlines() == said


async def test_while_another_number_s_sms_wait_the_target_does_not_take_them_again(monkeypatch, made, capsys):
    async def run(self: Forward) -> None:
        one, other = (Item.of(part, record(part, 0)) for part in (PART, Part(RECEIVED, 1)))
        for item, step in ((one, Pause(1, "connect")), (other, Pause(1, "connect")), (one, Sent(200))):
            self.on_step(item, step)

    monkeypatch.setattr(Forward, "run", run)

    await command._forward(Settings(), TARGET)

    assert AGAIN not in capsys.readouterr().err


async def test_a_target_that_is_gone_ends_it(monkeypatch, made, capsys):
    async def run(self: Forward) -> None:
        self.stopped = True
        self.on_step(Item.of(PART, record(PART, 0)), Stop())
        await asyncio.Event().wait()

    monkeypatch.setattr(Forward, "run", run)

    with pytest.raises(typer.Exit) as ended:
        async with asyncio.timeout(5):
            await command._forward(Settings(), TARGET)

    assert ended.value.exit_code == Code.FAILED
    assert "the target answered 410" in capsys.readouterr().err


async def test_what_it_says_itself_the_log_does_not_say_again(monkeypatch, made, capsys):
    async def run(self: Forward) -> None:
        for event in ("forward_refused", "forward_stopped", "forward_waiting", "forward_lost", "forward_letter_waits"):
            structlog.get_logger("forward").warning(event)

    logs.configure(LogSettings(), (), sys.stderr)
    monkeypatch.setattr(Forward, "run", run)

    await command._forward(Settings(), TARGET)

    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["forward_letter_waits"]


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
