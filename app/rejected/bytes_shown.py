"""The bytes of a dead letter for a terminal."""

from typing import Final, Literal

from app.sms_line import printable

WIDTH: Final = 16


def shown(body: bytes, form: Literal["text", "hex"] | None = None) -> str:
    """Return them as text, with control characters and broken UTF-8 escaped, or as a hex dump.

    By default as text, if they are UTF-8.
    """
    if form is None:
        form = "text" if _is_text(body) else "hex"
    return _text(body) if form == "text" else _hex(body)


def _is_text(body: bytes) -> bool:
    try:
        return body.decode().replace("\n", "").replace("\t", "").isprintable()
    except UnicodeDecodeError:
        return False


def _text(body: bytes) -> str:
    return "\n".join(printable(line) for line in body.decode(errors="backslashreplace").split("\n"))


def _hex(body: bytes) -> str:
    return "\n".join(_hex_line(body[start : start + WIDTH], start) for start in range(0, len(body), WIDTH))


def _hex_line(part: bytes, start: int) -> str:
    """Return offset, octets, and what of them is ASCII."""
    seen = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in part)
    return f"{start:08x}  {part.hex(' '):<{WIDTH * 3}} {seen}"
