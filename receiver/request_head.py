"""Is this head plain? The strict check in front of aiohttp: it may refuse what is fine, never take what is odd.

Plain is what every reader of HTTP/1.1 reads alike (RFC 9112): where the request ends, whose it is, and that the
connection is kept.
"""

import re
from typing import Final, NamedTuple

PINGME: Final = "/v1/pingme/"
LONGEST: Final = 4096  # bytes of a plain head; aiohttp reads twice as much in one line alone
MOST_FIELDS: Final = 64  # aiohttp reads twice as many
_HEAD: Final = re.compile(
    rb"(?:(?P<bodiless>GET|HEAD)|POST) (?:%b(?P<token>[A-Za-z0-9._~-]{1,128})|/[\x21-\x7e]*) HTTP/1\.1\r\n"
    rb"(?P<fields>(?:[!#$%%&'*+.^_`|~0-9A-Za-z-]+: ?[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\r\n){1,%d})\r\n"
    % (re.escape(PINGME.encode()), MOST_FIELDS)
)
_LENGTH: Final = re.compile(rb"[1-9][0-9]{0,9}")
# What says something of the framing, of the connection or of the body's form, or is refused by aiohttp for itself.
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
