"""Keys of a callback that no document names, and its shape for a sample. Pure; no value passes through."""

from collections.abc import Iterable
from typing import Final

from providers import shapes
from receiver.pingme import KNOWN
from receiver.stages import Callbacks
from schemas.messages import SmsReceived

MOST_BYTES: Final = 4096  # of a refused body that is read again
RENAMED: Final = "text_missing"
"""The reason of a dead letter whose `text` may have another name now."""


def unknown_keys(callbacks: Callbacks, body: bytes) -> frozenset[str]:
    """Return the keys that are not known, as a sample shows them. Nearly always none: then this costs little.

    Keys that differ only in what is not shown, as a number in them, are no new shape each.
    """
    for message in callbacks.messages:
        if isinstance(message, SmsReceived):
            if message.provider_fields is not None:
                return _shown(message.provider_fields, body)
        elif message.reason == RENAMED and len(body) <= MOST_BYTES:
            return frozenset(shapes.unknown_names(_text(body), KNOWN))
    return frozenset()


def sample(keys: Iterable[str], body: bytes) -> dict[str, object]:
    """Return what may be published of a callback with these unknown keys.

    A form's are not shown: where a `&` in a text was not encoded, they are words of it.
    """
    names = sorted(_shown(keys, body))[: shapes.MOST_NAMES]
    return {"unknown": names, "shape": shapes.shape_of(_text(body)) if is_json(body) else "form"}


def _shown(keys: Iterable[str], body: bytes) -> frozenset[str]:
    return frozenset(map(shapes.name_of, keys)) if is_json(body) else frozenset({shapes.HIDDEN})


def is_json(body: bytes) -> bool:
    """Tell whether it is to be JSON, and no form."""
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"{", b"["}


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace").removeprefix("\ufeff").strip()
