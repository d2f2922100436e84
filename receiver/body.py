"""Read a body: never more than the limit, also after decompression, and never longer than the deadline.

Reading and unpacking are two steps: between them the account's allowance is asked.
"""

import asyncio
import zlib

from aiohttp.http import HttpVersion11
from aiohttp.web import BaseRequest, RequestPayloadError

from providers import encoding
from providers.encoding import WINDOWS
from receiver.allowance import Allowance


class Unreadable(Exception):
    """There is no usable body: respond with the problem of this name."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


async def read_body(request: BaseRequest, *, limit: int, deadline: float, allowance: Allowance) -> bytes:
    """Return the whole body as received, charged to the allowance. `deadline` is seconds from now.

    Raises `Unreadable`, and `Limited` where the allowance ends while more and more comes.
    """
    if _encoding(request) not in WINDOWS:
        raise Unreadable("unsupported_encoding")
    stream = request.content
    # Nearly always the body arrived in the same segment as the head; then no timer is needed.
    if not stream.is_eof():
        return await _read_slowly(request, limit, deadline, allowance)
    body = stream.read_nowait()
    allowance.pay(len(body))
    if len(body) > limit:
        raise Unreadable("too_large")
    return body


def is_packed(request: BaseRequest) -> bool:
    """Tell whether the request says that its body is compressed."""
    return WINDOWS[_encoding(request)] != 0


def unpacked(request: BaseRequest, body: bytes, limit: int) -> bytes:
    """Return the decompressed body; raises `Unreadable`.

    What does not decompress is returned as it came: then it is for the parser to refuse, and the exact bytes are kept.
    """
    window = WINDOWS[_encoding(request)]
    return inflate(body, window, limit) if window else body


def _encoding(request: BaseRequest) -> str:
    return request.headers.get("Content-Encoding", "").strip().lower()


async def _read_slowly(request: BaseRequest, limit: int, deadline: float, allowance: Allowance) -> bytes:
    if (request.content_length or 0) > limit:
        raise Unreadable("too_large")
    with allowance.reading():
        body = await _read_within(request, limit, deadline, allowance)
    allowance.check()
    return body


async def _read_within(request: BaseRequest, limit: int, deadline: float, allowance: Allowance) -> bytes:
    try:
        async with asyncio.timeout(deadline):
            _continue(request)
            return await _read_to(request, limit, allowance)
    except TimeoutError:
        raise Unreadable("timeout") from None
    except RequestPayloadError:
        raise Unreadable("bad_request") from None
    except OSError:
        raise Unreadable("disconnected") from None


def _continue(request: BaseRequest) -> None:
    """Send `100 Continue` to a sender that waits for it (RFC 9110, 10.1.1)."""
    expects = request.headers.get("Expect", "").lower() == "100-continue"
    if expects and request.version >= HttpVersion11 and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


async def _read_to(request: BaseRequest, limit: int, allowance: Allowance) -> bytes:
    """Read the body, and charge each chunk as it arrives: half a body takes memory, too."""
    body = bytearray()
    while chunk := await request.content.readany():
        body += chunk
        allowance.pay(len(body), len(body) - len(chunk))
        if len(body) > limit:
            raise Unreadable("too_large")
        allowance.check()
    return bytes(body)


def inflate(body: bytes, window: int, limit: int) -> bytes:
    """Return what the bytes inflate to; themselves where they do not. Never makes more than `limit` + 1 bytes of them.

    `window` is zlib's `wbits`. Raises `Unreadable` over the limit.
    """
    if window == zlib.MAX_WBITS and body[:1] and body[0] & 0x0F != 8:
        window = -zlib.MAX_WBITS  # "deflate" without the zlib wrapper, as some senders understood RFC 2616
    try:
        inflated = encoding.inflate(body, window, limit)
    except encoding.TooLarge:
        raise Unreadable("too_large") from None
    except zlib.error:
        return body
    return inflated.content if inflated.is_whole else body
