"""An SMS that an answer shows for the first time, and the message that is made of it."""

from typing import Final, NamedTuple

from pollers import identity
from pollers.observation import SeenSms
from pollers.state import Counted, WatchState
from schemas import timestamps
from schemas.code import extract_code
from schemas.messages import SmsReceived
from schemas.normalize import NO_TIME, ProviderTime, clean, e164, provider_time, sender

AWAY_MS: Final = 10 * 60_000
"""Codes live five to ten minutes: after so long without a look, what is shown may be an old one."""


class Found(NamedTuple):
    """A new SMS. `freshness` None: live, unless nobody had looked for long."""

    sms: SeenSms
    content: identity.Content
    n: int
    freshness: str | None


def counted(state: WatchState, mark: str, at: int) -> tuple[WatchState, int]:
    """Return the state that has counted one more SMS of this content, and how many there were before."""
    n = state.counts[mark].times if mark in state.counts else 0
    return state.having(counts=state.counts | {mark: Counted(n + 1, at)}), n


def published(state: WatchState, found: Found, now_ms: int, zone: str) -> tuple[WatchState, SmsReceived]:
    """Return the message of a new SMS, and the state that has counted it."""
    freshness = found.freshness or ("recovered" if now_ms - state.looked_ms > AWAY_MS else "live")
    state = state.having(recipient=_cleaned(found.sms.recipient) or state.recipient)
    message = _message(state, found, freshness, now_ms, zone)
    return state.having(sms_count=state.sms_count + 1), message


def _message(state: WatchState, found: Found, freshness: str, now_ms: int, zone: str) -> SmsReceived:
    sms, watch = found.sms, state.watch
    recipient = state.recipient or watch.recipient
    origin = sender(sms.sender) if sms.sender is not None else None
    stated = time_of(sms, now_ms, zone)
    text = _cleaned(identity.text_of(sms))
    code, code_source = _code(sms, text)
    return SmsReceived(
        id=identity.event_id(state, found.content, found.n),
        provider=state.provider,
        account=watch.account,
        received_via="poll",
        order_kind=watch.order_kind,
        order_id=watch.order_id,
        watch_id=watch.watch_id,
        client_ref=watch.client_ref,
        sequence=state.sms_count,
        service=_cleaned(sms.service or watch.service),
        message_type=sms.message_type if sms.message_type != "sms" else watch.message_type,
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


def time_of(sms: SeenSms, now_ms: int, zone: str) -> ProviderTime:
    """Return the provider's time, read in `zone` where it states none."""
    return provider_time(sms.time_raw, now_ms=now_ms, zone=zone) if sms.time_raw is not None else NO_TIME


def _code(sms: SeenSms, text: str | None) -> tuple[str | None, str | None]:
    if code := identity.token(sms.code):
        return clean(code), "provider"
    code = extract_code(text) if text is not None else None
    return code, None if code is None else "extracted"


def _cleaned(text: str | None) -> str | None:
    return None if text is None else clean(text)
