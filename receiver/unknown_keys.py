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
    """Return the keys that are not known. Nearly always none: then this costs a look at an attribute."""
    for message in callbacks.messages:
        if isinstance(message, SmsReceived):
            if message.provider_fields is not None:
                return frozenset(message.provider_fields)
        elif message.reason == RENAMED and len(body) <= MOST_BYTES:
            return frozenset(shapes.unknown_names(_text(body), KNOWN))
    return frozenset()


def sample(keys: Iterable[str], body: bytes) -> dict[str, object]:
    """Return what may be published of a callback with these unknown keys.

    A form's are not shown: where a `&` in a text was not encoded, they are words of it.
    """
    text = _text(body)
    is_json = text[:1] in {"{", "["}
    names = {shapes.name_of(key) if is_json else shapes.HIDDEN for key in keys}
    return {"unknown": sorted(names)[: shapes.MOST_NAMES], "shape": shapes.shape_of(text) if is_json else "form"}


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace").removeprefix("\ufeff").strip()
