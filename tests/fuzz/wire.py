"""Bytes over a socket, and what comes back, read by the letter."""

import contextlib
import json
import re
import socket
import struct
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from tests.fuzz.parts import PATH, Public

STATUSES: Final = {200, 400, 404, 405, 408, 413, 415}
"""What the receiver may answer, and no 5xx: nothing is wrong with the memory bus."""
_HEAD: Final = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) [ -~]+\r\n((?:[A-Za-z-]+: [ -~]*\r\n)*)\r\n")
_WHOLE: Final = re.compile(rb".*?\r\n\r\n\{.*\}", re.DOTALL)
SECONDS: Final = 10.0  # for an answer; a receiver that needs longer hangs


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def replies(said: bytes) -> list[Reply]:
    """Return the replies one after another; fails where a byte of them is not as HTTP has it."""
    found = []
    while said:
        head = _HEAD.match(said)
        assert head, f"this is no head of an answer: {said[:200]!r}"
        headers = dict(line.split(": ", 1) for line in head[2].decode("ascii").splitlines())
        said = said[head.end() :]
        # Only a HEAD's answer has a length and no body; a body of ours begins with a brace.
        length = int(headers.get("Content-Length", "0")) if said.startswith(b"{") else 0
        assert len(said) >= length, "the answer is cut off"
        found.append(Reply(int(head[1]), headers, said[:length]))
        said = said[length:]
    return found


def is_problem(reply: Reply, statuses: set[int]) -> bool:
    """Fails unless an error is one of these, and says what it is in the documented words."""
    assert reply.status in statuses, reply
    if reply.status < 400:
        return False
    assert reply.headers["Content-Type"].startswith("application/problem+json"), reply
    if reply.body:
        assert reply.json.keys() == {"type", "title", "status", "detail", "reason"}
        assert (reply.json["status"], reply.json["type"]) == (
            reply.status,
            f"urn:smsbus:problem:{reply.json['reason']}",
        )
        assert reply.status != 503 or int(reply.headers["Retry-After"]) > 0
    return True


def said_to(server: Public, parts: Sequence[bytes], *, reset: bool = False) -> bytes:
    """Say all of it, in segments, let the receiver settle, hang up, and return all that it said."""
    with _line(server) as line:
        _say(server, line, parts)
        if reset:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return b""
        return _rest(line)


def answer_to(server: Public, parts: Sequence[bytes]) -> Reply:
    """Say a whole request and return its answer, of which there must be exactly one."""
    with _line(server) as line:
        _say(server, line, parts)
        said = b""
        while not _WHOLE.match(said):
            said += (some := line.recv(65536))
            assert some, "the receiver hung up without an answer"
        (reply,) = replies(said + _rest(line))
    return reply


def takes_a_good_callback(server: Public) -> bool:
    """Tell whether the receiver still does what it is for."""
    body = b'{"to":"16470000000","text":"5611"}'
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    reply = answer_to(server, [head + body])
    return reply.status == 200 and reply.json["status"] in {"accepted", "duplicate"}


def _line(server: Public) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", server.port), SECONDS)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def _say(server: Public, line: socket.socket, parts: Sequence[bytes]) -> None:
    with contextlib.suppress(OSError):  # it has closed: what it said before is there
        for part in parts:
            line.sendall(part)
            server.read()
        server.settle()


def _rest(line: socket.socket) -> bytes:
    """Hang up, and return what is said until the other side has, too."""
    said = bytearray()
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_WR)
        while some := line.recv(65536):
            said += some
    return bytes(said)
