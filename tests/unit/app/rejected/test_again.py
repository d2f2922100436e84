"""Sending what targets refused to them again."""

from app.forwards import Target
from app.rejected import again
from app.rejected.again import ToSend, sent
from forwarding.address import target_url
from forwarding.again import RefusedEvent, refused_event
from forwarding.delivery import NoResponse, Response
from inbox.filters import Filter
from schemas.dead_letter import rejected
from schemas.topics import RECEIVED
from tests.messages import sms

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
