"""The TypeScript of docs/guides/inbox.md signs in on a page that asks for a code, run by Playwright's own runner."""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.browser.conftest import CHROMIUM
from tests.browser.server import NUMBER, Smsbus

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "inbox.md").read_text("utf-8")
PROJECT = Path(__file__).parent / "playwright"
READS = "reads-reads-reads-reads"
OLDEST_NODE = 20
SIGN_IN = """<!doctype html><title>Shop</title>
<label>Phone number <input id="to"></label> <button onclick="send()">Send code</button>
<label>Code <input id="code"></label> <button onclick="check()">Sign in</button>
<p id="said"></p>
<script>
const post = (path, body) => fetch(path, { method: "POST", body });
const send = () => post("/send", document.getElementById("to").value);
const check = async () => {
  const answer = await post("/check", document.getElementById("code").value);
  document.getElementById("said").textContent = await answer.text();
};
</script>"""


class Shop(ThreadingHTTPServer):
    """Sends a code by SMS, which is there before the next request, and lets in who has it."""

    code = "482913"

    def __init__(self, smsbus: Smsbus) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self._smsbus = smsbus

    def send(self, number: str) -> None:
        self._smsbus.sms(f"Your code is {self.code}", number, code=self.code)


class Answer(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        self._say(SIGN_IN, "text/html" if self.path == "/sign-in" else "text/plain")

    def do_POST(self) -> None:
        given = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/send":
            self.server.send(given)
        self._say("Signed in" if given == self.server.code else "Wrong code", "text/plain")

    def _say(self, text: str, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def shop(smsbus: Smsbus) -> Iterator[Shop]:
    with Shop(smsbus) as shop:
        serving = threading.Thread(target=shop.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        yield shop
        shop.shutdown()
        serving.join()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with Playwright, from the lock file alone."""
    if CHROMIUM is None:
        pytest.skip("apt-get install chromium")
    if not (shutil.which("npm") and _node() >= OLDEST_NODE):
        pytest.skip(f"apt-get install npm, with Node.js {OLDEST_NODE} or newer")
    shutil.copytree(PROJECT, tmp_path, dirs_exist_ok=True)
    options = ("--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund")
    subprocess.run(["npm", "ci", *options], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    return tmp_path


def _node() -> int:
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.removeprefix("v").partition(".")[0])


@pytest.mark.long  # .ci/run runs it, too
def test_the_typescript_of_the_guide_signs_in_with_the_code_that_it_caused(
    project: Path, shop: Shop, smsbus: Smsbus
) -> None:
    [snippet] = re.findall(r"^```ts\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    (project / "sign-in.spec.ts").write_text(snippet)
    smsbus.stop()
    smsbus.admin = {"read_token": SecretStr(READS)}
    smsbus.start()
    smsbus.sms("Your code is 111111", NUMBER, code="111111")
    here = {"BASE_URL": f"http://127.0.0.1:{shop.server_port}", "CHROMIUM": CHROMIUM or ""}
    there = {"SMSBUS_URL": smsbus.url, "SMSBUS_TOKEN": READS, "CI": "true"}

    played = subprocess.run(
        ["node_modules/.bin/playwright", "test"],
        cwd=project,
        env={**os.environ, **here, **there},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert (played.returncode, "1 passed" in played.stdout) == (0, True), played.stdout + played.stderr
    assert READS not in played.stdout
