"""A watch to advance, and what a test asks of it."""

from typing import Any

from pollers.tracking.advance import Step, advance, opened, requested
from pollers.tracking.state import WatchState
from providers.observation import Observation, ProviderError, SeenSms
from schemas.identity import watch_id
from schemas.messages import SmsReceived, Watch
from schemas.timestamps import to_text

OPENED_MS = 1_795_368_000_000  # 2026-11-22T17:20:00Z
MINUTE_MS = 60_000
REFUSED = ProviderError("denied", "status_already_changed")


def watch(kind: str = "activation", **fields: Any) -> Watch:
    values = {
        "watch_id": watch_id("shop", kind, "860"),
        "account": "shop",
        "order_kind": kind,
        "order_id": "860",
        "recipient": "16470000000",
        "opened_at": to_text(OPENED_MS),
        "expires_at": to_text(OPENED_MS + 25 * MINUTE_MS),
    }
    return Watch(**values | fields)


def watching(kind: str = "activation", provider: str = "smsverified", **fields: Any) -> WatchState:
    return opened(watch(kind, **fields), provider, OPENED_MS)


def at(seconds: float) -> int:
    return OPENED_MS + int(seconds * 1000)


def after(state: WatchState, *observations: Observation, start: float = 5) -> WatchState:
    """The state after these answers, five seconds apart."""
    for place, observation in enumerate(observations):
        state = advance(state, observation, at(start + 5 * place)).state
    return state


def asked(state: WatchState, desired: str, **fields: Any) -> Step:
    """A new request, at twenty seconds."""
    request = watch(state.watch.order_kind, desired=desired, request_id=f"after {state.revision}", **fields)
    return requested(state, request, at(20))


def message(step: Step) -> SmsReceived:
    """The one SMS of a step."""
    (only,) = step.messages
    assert isinstance(only, SmsReceived)
    return only


def sms(code: str | None = "1111", **fields: Any) -> SeenSms:
    return SeenSms(code=code, **fields)
