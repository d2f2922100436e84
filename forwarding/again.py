"""Sending an event that became a dead letter to its target once more: one request, and no new try if it fails."""

import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from bus.record import build
from forwarding.delivery import NoResponse, Response
from forwarding.envelope import encoded, headers_of
from forwarding.forward import Poster
from forwarding.signature import signed
from schemas.messages import SmsReceived, SmsRejected, WatchEnded
from schemas.topics import RECEIVED, WATCH_ENDED

EVENTS: Final[Mapping[str, type[SmsReceived | WatchEnded]]] = {RECEIVED: SmsReceived, WATCH_ENDED: WatchEnded}
"""What is forwarded, by topic."""


class RefusedEvent(NamedTuple):
    """An event that a target refused."""

    letter: str
    """The dead letter's id."""
    forward: str
    """The target's name."""
    id: str
    headers: Mapping[str, str]
    body: bytes


def refused_event(letter: SmsRejected, body: bytes) -> RefusedEvent | None:
    """Return the event of a dead letter of forwarding; None: this version cannot read it."""
    model = EVENTS.get(letter.facts.get("refused_topic", ""))
    if model is None:
        return None
    try:
        event = model.model_validate_json(body)
        record = build(event, topic_prefix="", instance="")
    except ValueError:
        return None
    headers = headers_of(dict(record.headers), encoded(event.event_id))
    return RefusedEvent(letter.id, letter.facts.get("forward", ""), event.event_id, headers, body)


async def send(
    refused: RefusedEvent, poster: Poster, key: bytes, now: Callable[[], float] = time.time
) -> Response | NoResponse:
    """Send it once. `now`: seconds since 1970, for the signature."""
    signature = signed(key, encoded(refused.id), refused.body, int(now()))
    return await poster.send({**refused.headers, **signature}, refused.body)
