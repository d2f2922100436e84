"""What targets of forwarding refused, and sending it to them again."""

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, aclosing
from hashlib import sha256
from typing import Final, NamedTuple

from yarl import URL

from app.forwards import Target, configured, kept_target
from app.rejected.letters import Letter
from app.settings.load import Settings
from bus.kafka import reader
from bus.settings import KafkaSettings
from forwarding.again import EVENTS, RefusedEvent, refused_event, send
from forwarding.delivery import GONE, NoResponse, Response
from forwarding.letters import STAGE
from forwarding.sender import Sender
from forwarding.signature import key_of

_PLACE: Final = re.compile(r"([0-9]{1,4})@([0-9]{1,18})")


class ToSend(NamedTuple):
    """An event, and who is to get it."""

    event: RefusedEvent
    target: Target


class Targets:
    """Who refused it: the configured targets, and one at a URL that a person types."""

    def __init__(self, settings: Settings, url: URL | None) -> None:
        """`url`: of targets that are not configured, but were once started on this machine."""
        self._data_dir = settings.data_dir
        self._url = url
        self._configured = {target.name: target for target in configured(settings)}

    def of(self, name: str) -> Target | str:
        """Return the target of this name, or why it gets nothing: nobody says where it is, or what signs for it."""
        if self._url is None:
            return self._configured.get(name, "unknown_target")
        if name in self._configured:
            return "configured_target"
        return kept_target(self._data_dir, name, self._url) or "unknown_target"

    def at_the_url(self, again: Iterable[ToSend]) -> list[str]:
        """Return the names of those that are to be sent to the URL: it cannot be right for several."""
        return sorted({each.target.name for each in again} - set(self._configured))


async def to_send(letter: Letter, targets: Targets, kafka: KafkaSettings) -> ToSend | str:
    """Return what is to be sent, or the reason why it cannot be. Raises `TopicsError` and `KafkaAway`."""
    body = letter.body if letter.body_complete else await _on_its_topic(letter, kafka)
    if body is None:
        return "event_deleted"
    event = refused_event(letter, body)
    if event is None:
        return "event_unreadable"
    target = targets.of(event.forward)
    return target if isinstance(target, str) else ToSend(event, target)


async def _on_its_topic(letter: Letter, kafka: KafkaSettings) -> bytes | None:
    """Return an event that is too large for a dead letter, as its topic has it; None: Kafka has deleted it."""
    topic, found = letter.facts.get("refused_topic", ""), _PLACE.fullmatch(letter.facts.get("place", ""))
    if topic not in EVENTS or found is None:
        return None
    partition, offset = map(int, found.groups())
    records = reader.read(kafka, topic, start=reader.at({partition: offset}), follow=False, only={partition})
    async with aclosing(records):
        async for record in records:
            body = record.value or b""
            return body if sha256(body).hexdigest() == letter.body_sha256 else None
    return None


def is_of_forwarding(letter: Letter) -> bool:
    """Tell whether a target refused it."""
    return letter.stage == STAGE


async def sent(events: Sequence[ToSend]) -> AsyncIterator[tuple[ToSend, Response | NoResponse]]:
    """Send each once, one after the other; yield what came of it. A target that says that it is gone gets no more."""
    async with AsyncExitStack() as stack:
        senders: dict[str, Sender] = {}
        outcome: Response | NoResponse
        gone = set[str]()
        for each in events:
            target = each.target
            if target.name not in senders:
                senders[target.name] = Sender(target.url, private=target.private)
                stack.push_async_callback(senders[target.name].close)
            if target.name in gone:
                outcome = NoResponse("target_gone")
            else:
                outcome = await send(each.event, senders[target.name], key_of(target.secret))
            if isinstance(outcome, Response) and outcome.status == GONE:
                gone.add(target.name)
            yield each, outcome
