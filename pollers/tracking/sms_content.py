"""What identifies an SMS: the same content, and so the same id, whichever request has shown it.

FROZEN like `schemas.identity`: a different content changes ids, and old SMS look new.
"""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from pollers.tracking.state import WatchState
from providers.observation import SeenSms
from schemas import identity
from schemas.identity_code import identity_code
from schemas.identity_code.forms import readable
from schemas.normalize import clean, digits

Content = tuple[str | None, ...]

LONGEST_TOKEN: Final = 12  # characters; `G-482913` has 8, a caller's number has more
LONGEST_CODE: Final = 32  # characters, including separators; anything longer is a text
REMEMBERED: Final = 2048  # characters of a text; ten concatenated SMS have 1 530
_MOMENT: Final = "%Y%m%d%H%M%S"
_ZONES_APART: Final = timedelta(hours=26)  # UTC-12 and UTC+14
_NO_CODE_CHARACTER: Final = re.compile(r"[\W_]+")


def token(code: str | None) -> str | None:
    """Return the provider's code if it is a single word of at most 12 characters; some send the whole text instead."""
    stripped = (code or "").strip()
    if len(stripped) > 2 and stripped[0] == stripped[-1] and stripped[0] in "'\"":
        stripped = stripped[1:-1].strip()
    return stripped if 0 < len(stripped) <= LONGEST_TOKEN and len(stripped.split()) == 1 else None


def text_of(sms: SeenSms) -> str | None:
    """Return the text of the SMS, even if the provider sends it as the code."""
    return sms.text if sms.text is not None else _sentence(sms)


def _sentence(sms: SeenSms) -> str | None:
    return sms.code if sms.code and sms.code.strip() and token(sms.code) is None else None


def activation_content(sms: SeenSms) -> Content | None:
    """Return the code, else the text: only these identify an activation's SMS. None: there is neither.

    Times are not part of it, nor is a text next to a code: not every request returns them. They only help to decide
    whether an SMS is new.
    """
    if code := token(sms.code):
        return (code,)
    sent = _sentence(sms) or sms.text
    return None if sent is None else (identity_code(sent) or sent.strip(),)


def rent_content(sms: SeenSms) -> Content | None:
    """Return time to the second, sender and text: a rent shows all of its SMS in every poll."""
    body = sms.text if sms.text is not None else sms.code
    return None if body is None else (moment(sms), sms.sender, body)


def content_of(state: WatchState, sms: SeenSms) -> Content | None:
    """Return what identifies this SMS of the watch; None for one without content."""
    return rent_content(sms) if state.watch.order_kind == "rent" else activation_content(sms)


def event_id(state: WatchState, content: Content, n: int) -> str:
    """Return the id of the SMS after `n` earlier SMS of the watch with the same content."""
    watch = state.watch
    return identity.event_id(state.provider, watch.account, watch.order_kind, watch.order_id, content, n)


def mark(state: WatchState, content: Content) -> str:
    """Return a hash of the content, unique within its watch: 16 hexadecimal digits."""
    return event_id(state, content, 0).replace("-", "")[16:]


def moment(sms: SeenSms) -> str | None:
    """Return the first 14 digits of the provider's time: to the second, whatever its punctuation."""
    return digits(sms.time_raw)[:14] or None if sms.time_raw else None


def order(before: str | None, now: str | None) -> int | None:
    """Return -1, 0 or 1 if `now` is earlier than, equal to or later than `before`; None if they cannot be compared."""
    if before is None or now is None or len(before) != len(now):
        return None
    return (now > before) - (now < before)


def is_other_zone(before: str | None, now: str | None) -> bool:
    """Return whether two times can be the same in two zones: they differ by whole hours, to the second.

    No activation lasts an hour, so two of its SMS never differ like that.
    """
    if before is None or now is None or before == now or len(before) != len(now) or len(now) != len("20260226120555"):
        return False
    try:
        apart = datetime.strptime(now, _MOMENT) - datetime.strptime(before, _MOMENT)  # noqa: DTZ007 - zones unknown
    except ValueError:
        return False
    return abs(apart) <= _ZONES_APART and apart % timedelta(hours=1) == timedelta(0)


def remembered(sms: SeenSms) -> str | None:
    """Return the text in the form in which texts are compared."""
    text = text_of(sms)
    return None if text is None else readable(clean(text[:REMEMBERED]))[:REMEMBERED].strip()


def contains(text: str, code: str) -> bool:
    """Return whether a text contains the code (as `123 456`, `123-456` or `123456`), not as part of a number."""
    if len(code) > LONGEST_CODE:
        return readable(code) in readable(text)
    pattern = _pattern(code)
    return pattern is not None and pattern.search(readable(text)) is not None


@lru_cache(maxsize=1024)
def _pattern(code: str) -> re.Pattern[str] | None:
    characters = _NO_CODE_CHARACTER.sub("", readable(code))
    spelled = r"[\s_.-]?".join(map(re.escape, characters))
    return re.compile(rf"(?<![0-9a-z]){spelled}(?![0-9a-z])", re.IGNORECASE) if characters else None


def with_full_text(sms: SeenSms, full: SeenSms | None) -> SeenSms:
    """Return the SMS with the text that was fetched separately, unless that is the text of another SMS."""
    content = activation_content(sms)
    if full is None or full.text is None or content is None or not contains(full.text, content[0] or ""):
        return sms
    return replace(sms, text=full.text, sender=full.sender if full.sender is not None else sms.sender)
