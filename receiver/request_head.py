"""Is this head plain? The strict parser in front of aiohttp: it may reject valid heads, never accept unusual ones.

Plain is what every reader of HTTP/1.1 reads alike (RFC 9112): where the request ends, whose it is, and that the
connection is kept.
"""

import re
from typing import Final, NamedTuple

from receiver.auth import Caller, RawRequest, Tokens
from receiver.metrics import STRANGER

PINGME: Final = "/v1/pingme/"
LONGEST: Final = 4096  # bytes of a plain head; aiohttp reads twice as much in one line alone
MOST_FIELDS: Final = 64  # aiohttp reads twice as many
_HEAD: Final = re.compile(
    rb"(?:(?P<bodiless>GET|HEAD)|POST) (?:%b(?P<token>[A-Za-z0-9._~-]{1,128})|/[\x21-\x7e]*) HTTP/1\.1\r\n"
    rb"(?P<fields>(?:[!#$%%&'*+.^_`|~0-9A-Za-z-]+: ?[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\r\n){1,%d})\r\n"
    % (re.escape(PINGME.encode()), MOST_FIELDS)
)
_LENGTH: Final = re.compile(rb"[1-9][0-9]{0,9}")
REMEMBERED: Final = 1024  # heads of at most 4 KiB; a sender has one, or one for each Content-Length
NOBODY: Final = Caller(STRANGER, None)
# Fields that affect framing, the connection or the body's encoding, or that aiohttp rejects.
ODD: Final = frozenset((
    b"content-encoding",
    b"expect",
    b"http2-settings",
    b"keep-alive",
    b"proxy-connection",
    b"sec-websocket-key1",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
))  # fmt: skip


class RequestHead(NamedTuple):
    """What a plain head says."""

    token: str
    """Of a `POST` to the callback route; empty for everything else."""
    content_type: str
    length: int
    """Of the body that follows, bytes."""


def parse_plain_head(head: bytes) -> RequestHead | None:
    """Return what a plain head says, None for any other. It begins with its first line and ends with its blank one."""
    if len(head) > LONGEST or not (found := _HEAD.fullmatch(head)):
        return None
    lines = [line.partition(b":") for line in found["fields"].splitlines()]
    fields = {name.lower(): value.lstrip() for name, _, value in lines}
    if len(fields) < len(lines) or b"host" not in fields or not ODD.isdisjoint(fields):
        return None
    # What HTTP/1.1 does anyway, and what many clients say nevertheless.
    if fields.get(b"connection", b"keep-alive").lower() != b"keep-alive":
        return None
    length = fields.get(b"content-length", b"")
    if found["bodiless"]:
        return None if length else RequestHead("", "", 0)
    if not _LENGTH.fullmatch(length):
        return None
    return RequestHead((found["token"] or b"").decode(), fields.get(b"content-type", b"").decode(), int(length))


class Known(NamedTuple):
    """A plain head, authenticated."""

    caller: Caller
    """Whose callback it is; `NOBODY`: aiohttp handles the request."""
    content_type: str
    length: int
    """Of the body, bytes."""


class Heads:
    """The heads that the connections of one server see.

    Only those with a valid token are remembered, so a stranger fills no memory. They hold that token, as the settings
    do; a look-up compares bytes only where their keyed hashes agree, so its time tells nothing.
    """

    def __init__(self, tokens: Tokens, *, max_body: int) -> None:
        self._tokens = tokens
        self._max_body = max_body
        self._remembered: dict[bytes, Known] = {}

    def take_tokens(self, tokens: Tokens) -> None:
        """Know these tokens and no others: whose heads were remembered is judged again."""
        self._tokens = tokens
        self._remembered.clear()

    def known(self, head: bytes) -> Known | None:
        """Return what a head up to its blank line is for us, None if it is not plain or its body too large."""
        return self._remembered.get(head) or self._judged(head)

    def _judged(self, head: bytes) -> Known | None:
        verdict = parse_plain_head(head)
        if verdict is None or verdict.length > self._max_body:
            return None
        caller = self._tokens.verify(RawRequest(verdict.token, verdict.content_type)) if verdict.token else None
        known = Known(caller or NOBODY, verdict.content_type, verdict.length)
        if caller is not None:
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            self._remembered[head] = known
        return known
