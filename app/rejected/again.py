"""What targets of forwarding refused, and sending it to them again."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack
from typing import NamedTuple

from yarl import URL

from app.forwards import Target, configured, kept_target
from app.rejected.letters import Letter
from app.settings.load import Settings
from forwarding.again import RefusedEvent, refused_event, send
from forwarding.delivery import GONE, NoResponse, Response
from forwarding.letters import STAGE
from forwarding.sender import Sender
from forwarding.signature import key_of


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


def to_send(letter: Letter, targets: Targets) -> ToSend | str:
    """Return what is to be sent, or the reason why it cannot be."""
    if not letter.body_complete:
        return "body_incomplete"
    event = refused_event(letter, letter.body)
    if event is None:
        return "event_unreadable"
    target = targets.of(event.forward)
    return target if isinstance(target, str) else ToSend(event, target)


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
