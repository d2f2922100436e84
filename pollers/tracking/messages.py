"""New SMS: counting them, and building their messages."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final, NamedTuple, overload

from pollers.tracking import ages, sms_content
from pollers.tracking.state import Counted, WatchState
from providers.observation import SeenSms
from schemas import timestamps
from schemas.code import extract_code
from schemas.messages import SmsReceived
from schemas.normalize import clean, digits, e164, sender

LONGEST_NUMBER: Final = 15
"""Digits of a phone number, by E.164."""


class NewSms(NamedTuple):
    """A new SMS, the n-th with this content. `freshness` None: it depends on the age."""

    sms: SeenSms
    content: sms_content.Content
    n: int
    freshness: str | None = None


def counted(state: WatchState, mark: str, at: int) -> tuple[WatchState, int]:
    """Return the state with one more SMS of this content, and how many there were before."""
    n = state.counts[mark].times if mark in state.counts else 0
    return state.having(counts=state.counts | {mark: Counted(n + 1, at)}), n


Maker = Callable[[], SmsReceived]


class Messages(Sequence[SmsReceived]):
    """Messages that are built on access: two hundred at once would block the event loop for 40 ms."""

    def __init__(self, makers: Iterable[Maker]) -> None:
        self._made: list[SmsReceived | Maker] = list(makers)

    def __len__(self) -> int:
        return len(self._made)

    @overload
    def __getitem__(self, place: int) -> SmsReceived: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[SmsReceived]: ...
    def __getitem__(self, place: int | slice) -> SmsReceived | Sequence[SmsReceived]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        made = self._made[place]
        if not isinstance(made, SmsReceived):
            made = self._made[place] = made()
        return made


def published(
    before: WatchState, state: WatchState, found: NewSms, now_ms: int, zone: str
) -> tuple[WatchState, str, Maker]:
    """Return the state with a new SMS counted, its freshness, and the function that builds its message.

    `before`: the state before this observation.
    """
    freshness = found.freshness or ages.freshness(before, found.sms, now_ms, zone)
    state = state.having(recipient=_cleaned(found.sms.recipient) or state.recipient)
    maker = partial(_message, state, found, freshness, now_ms, zone)
    return state.having(sms_count=state.sms_count + 1), freshness, maker


def _message(state: WatchState, found: NewSms, freshness: str, now_ms: int, zone: str) -> SmsReceived:
    sms, watch = found.sms, state.watch
    recipient = state.recipient or watch.recipient
    origin = sender(sms.sender) if sms.sender is not None else None
    stated = ages.time_of(sms, now_ms, zone)
    message_type = sms.message_type if sms.message_type != "sms" else watch.message_type
    text, code, code_source = _said(sms, message_type)
    return SmsReceived(
        id=sms_content.event_id(state, found.content, found.n),
        provider=state.provider,
        account=watch.account,
        received_via="poll",
        order_kind=watch.order_kind,
        order_id=watch.order_id,
        watch_id=watch.watch_id,
        client_ref=watch.client_ref,
        sequence=state.sms_count,
        service=_cleaned(sms.service or watch.service),
        message_type=message_type,
        recipient=e164(recipient) if recipient is not None else None,
        recipient_raw=recipient,
        sender=origin.value if origin else None,
        sender_raw=_cleaned(sms.sender),
        sender_kind=origin.kind if origin else None,
        text=text,
        code=code,
        code_source=code_source,
        provider_time=stated.time,
        provider_time_raw=_cleaned(sms.time_raw),
        provider_time_basis=stated.basis,
        observed_at=timestamps.to_text(now_ms),
        freshness=freshness,
    )


def _said(sms: SeenSms, message_type: str) -> tuple[str | None, str | None, str | None]:
    """Return the text, the code, and the source of the code."""
    text = _cleaned(sms_content.text_of(sms))
    if code := sms_content.token(sms.code):
        return text, clean(code), "provider"
    if sms.text is None and message_type != "sms" and _is_number(sms.code):
        return None, clean((sms.code or "").strip()), "provider"
    code = extract_code(text) if text is not None else None
    return text, code, None if code is None else "extracted"


def _is_number(code: str | None) -> bool:
    """Return whether the code is a caller's number: for a call, that is the code, however long."""
    number = (code or "").strip().removeprefix("+")
    return number.isdecimal() and number == digits(number) and len(number) <= LONGEST_NUMBER


def _cleaned(text: str | None) -> str | None:
    return None if text is None else clean(text)
