"""The mark of a file that `smsbus init` has written, with a checksum: what somebody changed by hand is not replaced."""

import hashlib
import re
from typing import Final

MARK: Final = "Written by `smsbus init`"
SEAL: Final = re.compile(re.escape(MARK) + r" \(([0-9a-f]{12})\)")


def sealed(text: str) -> str:
    """Return a text that has the mark with the checksum of itself behind it."""
    return text.replace(MARK, f"{MARK} ({_checksum(text)})", 1)


def is_ours(text: str) -> bool:
    """Return whether `init` has written it, changed since or not."""
    return MARK in text


def is_edited(text: str) -> bool:
    """Return whether it was changed since; False where no checksum says so."""
    found = SEAL.search(text)
    return found is not None and not _matches(text, found)


def is_as_written(text: str) -> bool:
    """Return whether a checksum proves that it is as `init` wrote it."""
    found = SEAL.search(text)
    return found is not None and _matches(text, found)


def _matches(text: str, found: re.Match[str]) -> bool:
    return _checksum(text.replace(found[0], MARK, 1)) == found[1]


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
