"""Sending what targets refused to them again."""

import pytest

from app.forwards import Target
from app.rejected import again
from app.rejected.again import Targets, ToSend, sent, to_send
from app.rejected.letters import Letter
from app.settings.load import Settings
from bus.kafka import reader
from bus.kafka.reader import ReadRecord
from bus.kafka.topics_reader import Part
from bus.settings import KafkaSettings
from forwarding.address import target_url
from forwarding.again import RefusedEvent, refused_event
from forwarding.delivery import NoResponse, Response
from forwarding.letters import MOST_BYTES, letter_of
from inbox.filters import Filter
from inbox.item import Item
from schemas.dead_letter import rejected
from schemas.topics import RECEIVED
from tests.messages import sms
from tests.unit.app.trace.trace_records import NOW_MS, Topics, record

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def event(number: int, name: str) -> ToSend:
    refused = RefusedEvent(f"letter {number}", name, str(number), {}, b"{}")
    return ToSend(refused, Target(name, target_url(f"https://{name}.example"), SECRET, Filter(), private=False))


async def test_a_target_that_is_gone_gets_no_more_and_others_get_theirs(monkeypatch) -> None:
    asked: list[str] = []

    class Sender:
        def __init__(self, url: object, *, private: bool) -> None:
            self.status = 410 if "gone" in str(url) else 422

        async def send(self, headers: dict[str, str], _: bytes) -> Response:
            asked.append(headers["webhook-id"])
            return Response(self.status)

        async def close(self) -> None: ...

    monkeypatch.setattr(again, "Sender", Sender)
    events = [event(number, name) for number, name in enumerate(("gone", "hook", "gone", "hook", "gone"))]

    outcomes = [outcome async for _, outcome in sent(events)]

    assert asked == ["0", "1", "3"]
    gone = NoResponse("target_gone")
    assert outcomes == [Response(410), Response(422), gone, Response(422), gone]


def test_an_event_of_a_day_that_never_was_is_unreadable() -> None:
    event = sms().model_copy(update={"observed_at": "2026-02-30T00:00:00.000Z"})
    facts = {"forward": "hook", "refused_topic": RECEIVED}
    letter = rejected(event.to_json(), stage="forward", reason="http_422", facts=facts, observed_ms=0)

    assert refused_event(letter, event.to_json()) is None
    assert refused_event(letter, sms().to_json()) is not None


TARGETS = Targets(
    Settings(forwards={"hook": {"url": "https://hook.example", "secret": SECRET}}),  # type: ignore[arg-type]
    None,
)


def on_topic(size: int, offset: int = 7) -> ReadRecord:
    """An SMS of so many bytes on its topic."""
    spare = size - len(sms(text="").to_json())
    return record(sms(text="x" * spare), offset)


def letter_about(event: ReadRecord) -> Letter:
    item = Item.of(Part(RECEIVED, event.partition), event)
    assert item is not None
    letter = letter_of(item, forward="hook", status=422, now_ms=NOW_MS)
    return Letter.model_validate_json(letter.to_json())


@pytest.mark.parametrize(("size", "is_read"), [(MOST_BYTES, False), (MOST_BYTES + 1, True), (500_000, True)])
async def test_an_event_that_is_too_large_for_its_dead_letter_is_read_from_its_topic(monkeypatch, size, is_read):
    event = on_topic(size)
    topics = Topics({RECEIVED: [event, on_topic(300, 8)]})
    monkeypatch.setattr(reader, "read", topics.read)

    found = await to_send(letter_about(event), TARGETS, KafkaSettings())

    assert isinstance(found, ToSend)
    assert (found.event.body, found.event.id) == (event.value, sms().id)
    assert len(found.event.body) == size
    place = reader.at({event.partition: 7})
    assert topics.asked == ([(RECEIVED, place)] if is_read else [])


@pytest.mark.parametrize("there", [[], [on_topic(300, 9)]], ids=["all is deleted", "another event is there"])
async def test_an_event_that_its_topic_has_no_longer_is_said_to_be_deleted(monkeypatch, there):
    monkeypatch.setattr(reader, "read", Topics({RECEIVED: there}).read)

    assert await to_send(letter_about(on_topic(300_000)), TARGETS, KafkaSettings()) == "event_deleted"
    odd = letter_about(on_topic(300_000)).model_copy(update={"facts": {"forward": "hook", "place": "all"}})
    assert await to_send(odd, TARGETS, KafkaSettings()) == "event_deleted"
