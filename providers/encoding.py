"""Decoding of HTTP bodies, for requests and responses alike: compression, text, JSON."""

import json
import re
import zlib
from typing import Final, NamedTuple

WINDOWS: Final = {
    "": 0,
    "identity": 0,
    "gzip": 16 + zlib.MAX_WBITS,
    "x-gzip": 16 + zlib.MAX_WBITS,
    "deflate": zlib.MAX_WBITS,
}
"""zlib's `wbits` for each supported Content-Encoding in lower case; 0: the body is not compressed."""

JSON: Final = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, strict=False)
"""Every number stays the text that was sent: ids of 16 digits survive, prices do not grow decimals, and event ids are
made of it. Not strict: a raw line break within a text can be read."""

# Escapes of JSON cannot spell a mark, since two such surrogates are one character. The one surrogate of
# `surrogateescape` they can.
_ESCAPED_BYTE: Final = re.compile("[\udc80-\udcff]")
_MARKS: Final = {low: f"\udbff{chr(low)}" for low in range(0xDC80, 0xDD00)}


class TooLarge(Exception):
    """The inflated body would exceed the limit."""


class Inflated(NamedTuple):
    """The result of `inflate`."""

    content: bytes
    is_complete: bool
    """The end of the compressed stream was reached."""
    has_rest: bool
    """Further bytes follow that end."""

    @property
    def is_whole(self) -> bool:
        """The body is one compressed stream, complete, and nothing else."""
        return self.is_complete and not self.has_rest


def inflate(body: bytes, window: int, limit: int) -> Inflated:
    """Decompress; never produces more than `limit` + 1 bytes. `window` is zlib's `wbits`.

    Raises `TooLarge` beyond the limit, and `zlib.error` for a body that is not compressed so.
    """
    decompressor = zlib.decompressobj(window)
    content = decompressor.decompress(body, limit + 1)
    if len(content) > limit:
        raise TooLarge
    return Inflated(content, decompressor.eof, bool(decompressor.unused_data))


def text_of(body: bytes) -> str:
    """Return the body as text, without a byte order mark and white space at its ends; broken UTF-8 is `marked`."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = marked(body.decode("utf-8", "surrogateescape"))
    return text.strip().removeprefix("\ufeff").strip()


def marked(text: str) -> str:
    """Return a text decoded with `surrogateescape`, with two lone surrogates for each byte that is not UTF-8.

    So texts that differ in such bytes have an id each. `schemas.normalize.clean` makes one U+FFFD of each mark.
    """
    return text.translate(_MARKS) if not text.isascii() and _ESCAPED_BYTE.search(text) else text
