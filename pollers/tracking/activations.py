"""Orders that show only their newest SMS (activations): which of these are new.

The state machines of docs/providers.md 5.1, 5.2 and 5.4. A provider shows `STATUS_OK:1111` until something else
happens, so equal codes are one SMS, with these exceptions:

- the provider has shown that it waits for the next SMS (`WaitingNext`, or any wait after our own request for it);
- there were two plain waits in a row, and the code was not shown for a minute: one wait may be a lagging replica;
- the provider's times differ, or the texts. Times that differ by whole hours are one time, in two zones.

A code that returns within half a minute without a later time (1111, 2222, 1111) is a lagging replica too; if it stays,
it is new after that half minute. Where times are known, an older SMS that was counted is never new.
"""

import math
from typing import Final

from pollers.tracking import sms_content
from pollers.tracking.messages import NewSms, counted
from pollers.tracking.state import Newest, WatchState
from providers.observation import Last, Observation, SeenSms, Waiting, WaitingNext

UNSEEN_MS: Final = 60_000
FLAPPING_MS: Final = 30_000
WAIT_IS_BOUNDARY: Final = frozenset({"smsman"})
"""SMS-Man has no own response for waiting for the *next* SMS: it is `wait_sms` after an SMS (docs/providers.md 5.4)."""

WithNewSms = tuple[WatchState, tuple[NewSms, ...]]


def new_sms(state: WatchState, observation: Observation, now_ms: int) -> WithNewSms:
    """Return the state after an observation, and the SMS in it if it is new."""
    match observation:
        case Last(sms):
            return _last(state, sms, now_ms)
        case WaitingNext(code):
            return _waiting_next(state, code, now_ms)
        case Waiting():
            return _waiting(state, now_ms), ()
        case _:
            return state, ()


def shows_new_sms(state: WatchState, sms: SeenSms) -> bool:
    """Return whether an SMS is new, or may be new depending on its full text or on time that has yet to pass."""
    if (content := sms_content.content_of(state, sms)) is None:
        return False
    newest = state.newest
    mark = sms_content.mark(state, content)
    only_text_tells = newest is not None and newest.boundary == "requested" and sms.text is None
    return only_text_tells or _is_new(state, sms, content, mark, math.inf)


def arrived(
    state: WatchState, sms: SeenSms, content: sms_content.Content, now_ms: int, *, missed: bool = False
) -> WithNewSms:
    """Return the state in which this SMS is the newest, and the SMS. `missed`: the provider already awaits the next."""
    mark = sms_content.mark(state, content)
    newest = Newest(
        mark=mark,
        text=sms_content.remembered(sms),
        time=sms_content.moment(sms),
        came_ms=now_ms,
        previous=state.newest.mark if state.newest else None,
        boundary="seen" if missed else "none",
        boundary_ms=now_ms if missed else 0,
    )
    state, n = counted(state, mark, now_ms // 1000)
    return state.having(newest=newest), (NewSms(sms, content, n, "recovered" if missed else None),)


def with_boundary(state: WatchState, boundary: str, now_ms: int) -> WatchState:
    """Return the state in which the next SMS was requested (`requested`), or the provider waits for it (`seen`)."""
    newest = state.newest
    if newest is None or newest.boundary in {boundary, "seen"}:
        return state
    since_ms = now_ms if newest.boundary == "none" else newest.boundary_ms
    return state.having(newest=newest.model_copy(update={"boundary": boundary, "boundary_ms": since_ms, "waits": 0}))


def _last(state: WatchState, sms: SeenSms, now_ms: int) -> WithNewSms:
    content = sms_content.content_of(state, sms)
    if content is None:
        return state, ()
    mark = sms_content.mark(state, content)
    if _is_new(state, sms, content, mark, now_ms):
        return arrived(state, sms, content, now_ms)
    if state.newest is not None and _is_same(state.newest, content, mark):
        return state.having(newest=_learned(state.newest, sms)), ()
    return state, ()


def _waiting_next(state: WatchState, code: str | None, now_ms: int) -> WithNewSms:
    sms = SeenSms(code=code)
    if content := sms_content.content_of(state, sms):
        mark = sms_content.mark(state, content)
        if not _is_same(state.newest, content, mark):
            if mark not in state.counts:
                return arrived(state, sms, content, now_ms, missed=True)
            if _is_flapping(state.newest, mark, now_ms):
                return state, ()
    return with_boundary(state, "seen", now_ms), ()


def _waiting(state: WatchState, now_ms: int) -> WatchState:
    newest = state.newest
    if newest is None or newest.boundary == "seen":
        return state
    if newest.boundary == "requested" or state.provider in WAIT_IS_BOUNDARY:
        return with_boundary(state, "seen", now_ms)
    if newest.waits == 2:
        return state
    since_ms = newest.waiting_ms if newest.waits else now_ms
    return state.having(newest=newest.model_copy(update={"waits": newest.waits + 1, "waiting_ms": since_ms}))


def _is_new(state: WatchState, sms: SeenSms, content: sms_content.Content, mark: str, now_ms: float) -> bool:
    newest = state.newest
    if newest is None:
        return True
    is_same, time = _is_same(newest, content, mark), sms_content.moment(sms)
    if is_same and sms_content.is_other_zone(newest.time, time) and not _is_another_text(newest, sms):
        return False
    order = sms_content.order(newest.time, time)
    if order is not None and order != 0:
        return order > 0 or not (is_same or mark in state.counts)
    return _is_new_untimed(newest, sms, mark, now_ms, is_same=is_same, is_timed=order == 0)


def _is_new_untimed(newest: Newest, sms: SeenSms, mark: str, now_ms: float, *, is_same: bool, is_timed: bool) -> bool:
    """Return whether an SMS is new where the times do not decide it; `is_timed`: they are equal."""
    if _is_flapping(newest, mark, now_ms):
        return False
    if not is_same or _is_another_text(newest, sms):
        return True
    if is_timed:
        return False
    return newest.boundary == "seen" or (newest.waits == 2 and now_ms - newest.waiting_ms >= UNSEEN_MS)


def _is_same(newest: Newest | None, content: sms_content.Content, mark: str) -> bool:
    """Return whether the newest SMS has this content, or its published text contains this code."""
    if newest is None:
        return False
    return mark == newest.mark or (newest.text is not None and sms_content.contains(newest.text, content[0] or ""))


def _is_flapping(newest: Newest | None, mark: str, now_ms: float) -> bool:
    if newest is None or newest.boundary == "seen":
        return False
    return mark == newest.previous and 0 <= now_ms - newest.came_ms < FLAPPING_MS


def _is_another_text(newest: Newest, sms: SeenSms) -> bool:
    """Return whether the texts are of two SMS; a text may lack its beginning or its end."""
    text = sms_content.remembered(sms)
    return newest.text is not None and text is not None and text not in newest.text and newest.text not in text


def _learned(newest: Newest, sms: SeenSms) -> Newest:
    """Return the newest SMS, completed with what this observation adds to it."""
    learned = {
        "time": newest.time if newest.time is not None else sms_content.moment(sms),
        "text": newest.text if newest.text is not None else sms_content.remembered(sms),
        "waits": 0,
    }
    return newest.model_copy(update=learned)
