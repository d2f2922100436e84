"""Ids that are the same on every path and for every repeat, so that a consumer can drop repeats by id.

An id is blake2b-128 over parts, each prefixed with its length, printed as a UUIDv8 (RFC 9562 §5.8). The first part
names the kind and the version of the recipe. Ids are frozen: what changes one makes every repeat look new. Vectors are
in tests/unit/schemas/test_identity.py.
"""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

_VARIANT_10 = {digit: "89ab"[int(digit, 16) & 0b11] for digit in "0123456789abcdef"}


def event_id(
    provider: str,
    account: str,
    order_kind: str | None,
    order_id: str | None,
    content: Sequence[str | None],
    n: int = 0,
) -> str:
    """Return the id of an SMS; `n` says how many SMS of this order had the same content before."""
    return _uuid8(_origin("smsbus.received.1", provider, account, order_kind, order_id) + _texts(*content, str(n)))


def pingme_content(
    user_id: str | None,
    app: str | None,
    sender: str | None,
    recipient: str | None,
    text: str | None,
    time: str | None,
) -> tuple[str | None, ...]:
    """Return the parts that identify the SMS of a PingMe callback.

    Give each value as its source text without quotes, so that 16470000000 and "16470000000" agree, and JSON and a form;
    None is a missing key. The time is compared as text: `.050Z` and `.05Z` differ (docs/providers.md, trap 62).
    """
    return (user_id, app, sender, recipient, text, time)


def rejected_id(provider: str, account: str, stage: str, reason: str, body: bytes, element: int | None = None) -> str:
    """Return the id of a dead letter; `element` is the first bad index of an array callback."""
    index = None if element is None else str(element)
    framed_body = b"%d:%b" % (len(body), body)
    return _uuid8(_texts("smsbus.rejected.1", provider, account, stage, reason) + framed_body + _texts(index))


def watch_id(account: str, order_kind: str, order_id: str) -> str:
    """Return the handle of a watch: opening the same watch again gives the same handle."""
    return _uuid8(_texts("smsbus.watch.1", account, order_kind, order_id))


def watch_ended_id(watch_id: str, reason: str, sms_count: int, opening: int = 0) -> str:
    """Return the id of the end of a watch; `opening` says how many times it had been opened again."""
    again = () if opening == 0 else (str(opening),)
    return _uuid8(_texts("smsbus.watch-ended.1", watch_id, reason, str(sms_count), *again))


def _uuid8(framed: bytes) -> str:
    text = blake2b(framed, digest_size=16).hexdigest()
    return f"{text[:8]}-{text[8:12]}-8{text[13:16]}-{_VARIANT_10[text[16]]}{text[17:20]}-{text[20:]}"


@lru_cache(maxsize=1024)  # for callbacks it is the account's, often the same
def _origin(*parts: str | None) -> bytes:
    return _texts(*parts)


def _texts(*parts: str | None) -> bytes:
    # No length starts with a dash, so None is never confused with a text.
    framed = "".join(["-" if part is None else f"{len(part)}:{part}" for part in parts])
    if not framed.isascii():  # lengths are in UTF-8
        framed = "".join(["-" if part is None else f"{_octets(part)}:{part}" for part in parts])
    return framed.encode("utf-8", "surrogatepass")


def _octets(text: str) -> int:
    """Return its length in UTF-8. Lone surrogates are allowed: every text that can be decoded must have an id."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
