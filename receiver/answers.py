"""Responses to callbacks: small JSON documents, and RFC 9457 problems that quote nothing of the request."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Final, NamedTuple

from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import HttpVersion10
from aiohttp.web import BaseRequest, StreamResponse


class Problem(NamedTuple):
    """One kind of error: its response, and whether the connection can be used again afterwards."""

    status: HTTPStatus
    title: str
    detail: str
    closes: bool = False


_S: Final = HTTPStatus
PROBLEMS: Final[Mapping[str, Problem]] = {
    "bad_request": Problem(_S.BAD_REQUEST, "Not HTTP", "The request is not valid HTTP/1.1.", closes=True),
    "not_found": Problem(_S.NOT_FOUND, "Not found", "Nothing is served here."),
    "unknown_token": Problem(_S.NOT_FOUND, "Not found", "No account has this callback URL. Ask for the current one."),
    "method_not_allowed": Problem(_S.METHOD_NOT_ALLOWED, "Method not allowed", "See the Allow header."),
    "timeout": Problem(_S.REQUEST_TIMEOUT, "Too slow", "The body did not arrive in time. Send it again.", closes=True),
    "too_large": Problem(_S.REQUEST_ENTITY_TOO_LARGE, "Too large", "The body is too large.", closes=True),
    "unsupported_encoding": Problem(
        _S.UNSUPPORTED_MEDIA_TYPE,
        "Unsupported encoding",
        "Send the body as it is, or with gzip or deflate.",
        closes=True,
    ),
    "over_allowance": Problem(
        _S.TOO_MANY_REQUESTS, "Over the allowance", "This callback URL has sent more than its share. Send it later."
    ),
    "too_many_at_once": Problem(
        _S.TOO_MANY_REQUESTS, "Too many at once", "Too many requests to this URL are in progress. Send it again later."
    ),
    "not_durable": Problem(_S.SERVICE_UNAVAILABLE, "Not stored", "It cannot be stored now. Send it again later."),
    "closing": Problem(_S.SERVICE_UNAVAILABLE, "Closing", "This process is about to end. Send it again.", closes=True),
    "internal_error": Problem(
        _S.SERVICE_UNAVAILABLE, "Not stored", "Internal error. Send it again later.", closes=True
    ),
}


@lru_cache(maxsize=1024)  # nearly all responses have one of two lengths
def _head(status: int, lines: bytes, length: int) -> bytes:
    phrase = HTTPStatus(status).phrase.encode()
    return b"HTTP/1.1 %d %b\r\nServer: smsbus\r\n%bContent-Length: %d\r\n" % (status, phrase, lines, length)


class Response(StreamResponse):
    """A response as ready bytes, written at once.

    `web.Response` builds and formats a header map for each answer, a fifth of what a callback costs. `StreamResponse`
    is only our place in aiohttp's protocol, which calls `prepare` and `write_eof` and then reads `keep_alive`.
    """

    def __init__(self, status: HTTPStatus, body: bytes, head: bytes = b"", *, closes: bool = False) -> None:
        """Take extra header lines in `head`, each with its line end."""
        self.is_ok = status is HTTPStatus.OK
        self._keep_alive = not closes
        self._head = _head(int(status), head, len(body))  # hashing an enum would cost more than the rest
        self._content = body

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        """Write the response to `request`; raises `ConnectionError` when the sender has gone."""
        self._keep_alive = bool(self._keep_alive and request.keep_alive)
        if (transport := request.transport) is None:
            raise ConnectionResetError
        if request.method == "HEAD":
            self._content = b""
        transport.write(self.rendered(http_1_0=request.version == HttpVersion10))
        await request.writer.drain()
        return None

    def rendered(self, *, http_1_0: bool = False) -> bytes:
        """Return its bytes, with the current time as `Date`."""
        connection = b""
        if not self._keep_alive:
            connection = b"Connection: close\r\n"
        elif http_1_0:
            connection = b"Connection: keep-alive\r\n"
        return b"%b%bDate: %b\r\n\r\n%b" % (self._head, connection, rfc822_formatted_time().encode(), self._content)

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: `prepare` has written everything."""


_JSON_TYPE: Final = b"Content-Type: application/json\r\n"
_PROBLEM_TYPE: Final = b"Content-Type: application/problem+json\r\n"


class Result(NamedTuple):
    """The outcome of one callback: `detail` is its id, or the reason of a rejected one."""

    status: str
    detail: str

    def to_json(self) -> bytes:
        """Return it as JSON; neither value needs escaping."""
        name = "reason" if self.status == "rejected" else "id"
        return f'{{"status":"{self.status}","{name}":"{self.detail}"}}'.encode()


def one(result: Result) -> Response:
    """Return the response to a single callback."""
    return Response(HTTPStatus.OK, result.to_json(), _JSON_TYPE)


def several(results: Sequence[Result]) -> Response:
    """Return the response to an array, all of which is durable: results in the order of its elements."""
    listed = b",".join(result.to_json() for result in results)
    return Response(HTTPStatus.OK, b'{"status":"accepted","results":[%b]}' % listed, _JSON_TYPE)


def status(word: str) -> Response:
    """Return 200 with a status word."""
    return Response(HTTPStatus.OK, b'{"status":"%b"}' % word.encode(), _JSON_TYPE)


def problem(reason: str, *, retry_after: int | None = None, allow: str | None = None) -> Response:
    """Return the response for one of `PROBLEMS`; `retry_after` is in seconds."""
    kind = PROBLEMS[reason]
    head = _PROBLEM_TYPE
    if retry_after is not None:
        head += b"Retry-After: %d\r\n" % retry_after
    if allow is not None:
        head += b"Allow: %b\r\n" % allow.encode()
    return Response(kind.status, _documents[reason], head, closes=kind.closes)


def _document(reason: str) -> bytes:
    kind = PROBLEMS[reason]
    return json.dumps(
        {
            "type": f"urn:smsbus:problem:{reason}",
            "title": kind.title,
            "status": kind.status.value,
            "detail": kind.detail,
            "reason": reason,
        }
    ).encode()


_documents: Final = {reason: _document(reason) for reason in PROBLEMS}
