"""What commands say that ask something else than the admin listener of a process with the inbox."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.cli.exit import Code
from receiver.answers import PROBLEMS

run = CliRunner().invoke


class Receiver(BaseHTTPRequestHandler):
    """Answers as the receiver does where nothing is served."""

    def do_GET(self) -> None:
        found = PROBLEMS["not_found"]
        self.send_response(found.status)
        self.end_headers()
        self.wfile.write(json.dumps({"title": found.title, "status": found.status, "detail": found.detail}).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Keep stderr clean."""


@pytest.fixture
def receiver() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("command", [["status"], ["cursor"], ["wait", "--to", "16470000000", "--timeout", "1"]])
def test_who_asks_the_receiver_is_told_so(receiver: str, command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSBUS_URL", receiver)
    result = run(cli, command)

    assert (result.exit_code, result.stdout) == (Code.FAILED, "")
    assert result.stderr.startswith(f"smsbus: there is nothing at {receiver}/")
    assert "must be the admin listener" in result.stderr


@pytest.mark.parametrize("command", [["status"], ["cursor"], ["wait", "--to", "16470000000"], ["open", "--print"]])
def test_an_address_without_http_is_told_so(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSBUS_URL", "localhost:8081")
    result = run(cli, command)

    assert (result.exit_code, result.stdout) == (Code.USAGE, "")
    assert result.stderr.startswith("smsbus: SMSBUS_URL=localhost:8081 must begin with http:// or https://")
