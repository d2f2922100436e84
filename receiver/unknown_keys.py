"""What may be published of a callback with keys that no document names, or without one that is needed. Pure.

No value passes through.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from providers import shapes

MISSING: Final = ("userId",)


class Unknown(NamedTuple):
    """What is news of a callback, and what makes it the same news as another's."""

    names: frozenset[str]
    """The unknown keys as a sample shows them: those that differ only in what is not shown are no news each."""
    is_json: bool
    lacks_user: bool


def unknown(keys: Iterable[str], body: bytes, *, lacks_user: bool) -> Unknown:
    """Return what is news of a callback with these unknown keys.

    A form's are not shown: where a `&` in a text was not encoded, they are words of it.
    """
    is_json = _is_json(body)
    return Unknown(frozenset(shapes.name_of(key) if is_json else shapes.HIDDEN for key in keys), is_json, lacks_user)


def sample(news: Unknown, body: bytes) -> dict[str, object]:
    """Return what may be published of it."""
    names = sorted(news.names)[: shapes.MOST_NAMES]
    missing = {"missing": MISSING} if news.lacks_user else {}
    return {"unknown": names, **missing, "shape": shapes.shape_of(_text(body)) if news.is_json else "form"}


def _is_json(body: bytes) -> bool:
    """Tell whether it is to be JSON, and no form."""
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"{", b"["}


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace").removeprefix("\ufeff").strip()
