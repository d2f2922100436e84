"""Which SMS an answer shows: the same content, and so the same id, on every path that shows it.

FROZEN like `schemas.identity`: what changes a content changes ids, and old SMS look new.
"""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from pollers.tracking.state import WatchState
from providers.observation import SeenSms
from schemas import identity
from schemas.code import extract_code
from schemas.code.forms import readable
from schemas.normalize import clean, digits

Content = tuple[str | None, ...]

LONGEST_TOKEN: Final = 12  # characters; `G-482913` has 8, a phone number that calls has more
LONGEST_CODE: Final = 32  # characters, with what stands between them; what is longer is a text
REMEMBERED: Final = 2048  # characters of a text; ten concatenated SMS have 1 530
_MOMENT: Final = "%Y%m%d%H%M%S"
_ZONES_APART: Final = timedelta(hours=26)  # UTC-12 and UTC+14
_NO_CODE_CHARACTER: Final = re.compile(r"[\W_]+")


def token(code: str | None) -> str | None:
    """Return the provider's code if it is one word of at most 12 characters; some send the whole text instead."""
    stripped = (code or "").strip()
    if len(stripped) > 2 and stripped[0] == stripped[-1] and stripped[0] in "'\"":
        stripped = stripped[1:-1].strip()
    return stripped if 0 < len(stripped) <= LONGEST_TOKEN and len(stripped.split()) == 1 else None


def text_of(sms: SeenSms) -> str | None:
    """Return the text that was sent, be it in the place of the code."""
    return sms.text if sms.text is not None else _sentence(sms)


def _sentence(sms: SeenSms) -> str | None:
    return sms.code if sms.code and sms.code.strip() and token(sms.code) is None else None


def activation_content(sms: SeenSms) -> Content | None:
    """Return the code, else the text: an activation's SMS is known by them alone. None: there is neither.

    Times decide whether an SMS is new, never what it is, nor does a text beside what stands in the place of the code:
    not every path has them.
    """
    if code := token(sms.code):
        return (code,)
    sent = _sentence(sms) or sms.text
    return None if sent is None else (extract_code(sent) or sent.strip(),)


def rent_content(sms: SeenSms) -> Content | None:
    """Return time to the second, sender and text: a rent shows all of its SMS again and again."""
    body = sms.text if sms.text is not None else sms.code
    return None if body is None else (moment(sms), sms.sender, body)


def content_of(state: WatchState, sms: SeenSms) -> Content | None:
    """Return what makes this SMS of the watch the one that it is; None for one without content."""
    return rent_content(sms) if state.watch.order_kind == "rent" else activation_content(sms)


def event_id(state: WatchState, content: Content, n: int) -> str:
    """Return the id of the SMS before which `n` SMS of the watch had the same content."""
    watch = state.watch
    return identity.event_id(state.provider, watch.account, watch.order_kind, watch.order_id, content, n)


def mark(state: WatchState, content: Content) -> str:
    """Return 16 hexadecimal digits that stand for a content within its watch."""
    return event_id(state, content, 0).replace("-", "")[16:]


def moment(sms: SeenSms) -> str | None:
    """Return the first 14 digits of the provider's time: to the second, however it is punctuated."""
    return digits(sms.time_raw)[:14] or None if sms.time_raw else None


def order(before: str | None, now: str | None) -> int | None:
    """Return -1, 0 or 1: a moment is earlier, equal or later than one before; None where nothing tells."""
    if before is None or now is None or len(before) != len(now):
        return None
    return (now > before) - (now < before)


def is_other_zone(before: str | None, now: str | None) -> bool:
    """Tell whether two moments can be one in two zones: they differ by whole hours, to the second.

    No activation lives for an hour, so that two of its SMS never do.
    """
    if before is None or now is None or before == now or len(before) != len(now) or len(now) != len("20260226120555"):
        return False
    try:
        apart = datetime.strptime(now, _MOMENT) - datetime.strptime(before, _MOMENT)  # noqa: DTZ007 - zones unknown
    except ValueError:
        return False
    return abs(apart) <= _ZONES_APART and apart % timedelta(hours=1) == timedelta(0)


def remembered(sms: SeenSms) -> str | None:
    """Return the text in the form in which two texts are compared."""
    text = text_of(sms)
    return None if text is None else readable(clean(text[:REMEMBERED]))[:REMEMBERED].strip()


def contains(text: str, code: str) -> bool:
    """Tell whether the code stands in a text, be it as `123 456`, `123-456` or `123456`, and not within a number."""
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
    """Return the SMS with the text that was asked for apart, unless that is the text of another SMS."""
    content = activation_content(sms)
    if full is None or full.text is None or content is None or not contains(full.text, content[0] or ""):
        return sms
    return replace(sms, text=full.text, sender=full.sender if full.sender is not None else sms.sender)
