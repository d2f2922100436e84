"""The page's files: what they weigh, what they load, who may have them, and that no reason lacks its words."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from app.admin.listener import Listener
from app.admin.token import guard
from app.degraded import MEANINGS
from app.page import FILES, HEADERS, PATHS, add_to
from app.settings.sections import AdminSettings
from app.wiring import Reading

ROOT = Path(__file__).parents[3]
MOST_BYTES = 60 * 1024  # gzipped, all together
INDEX = FILES["/"][0]
WORDS = FILES["/page/words.js"][0]


def test_all_of_it_together_is_small() -> None:
    assert sum(len(gzip.compress(text.encode())) for text, _ in FILES.values()) <= MOST_BYTES


def test_it_loads_its_own_files_and_nothing_else() -> None:
    loaded = re.findall(r"(?:href|src)=\"(/[^\"]*)\"", INDEX)
    imported = {
        (path, name)
        for path, (text, _) in FILES.items()
        for name in re.findall(r"^import .* from \"\./([\w.]+)\";$", text, re.MULTILINE)
    }

    assert {*loaded, "/"} == PATHS
    assert {f"/page/{name}" for _, name in imported} <= PATHS
    assert not [path for path, (text, _) in FILES.items() if re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)]


def test_nothing_is_inline_and_no_text_becomes_markup() -> None:
    assert not re.search(r"<script>|<style|\sstyle=|\son\w+=", INDEX)
    ours = [text for path, (text, _) in FILES.items() if path != "/page/vendor.js"]
    assert not [text for text in ours if re.search(r"innerHTML|outerHTML|insertAdjacent|\beval\(|new Function", text)]


def test_what_others_wrote_is_what_their_release_has() -> None:
    comment, _, code = FILES["/page/vendor.js"][0].partition("*/\n")

    assert f"sha256 {hashlib.sha256(code.encode()).hexdigest()}" in comment


async def asked(method: str, path: str) -> int:
    async def answered(_: web.Request) -> web.StreamResponse:
        return web.Response()

    return (await guard(SecretStr("a-long-token"))(make_mocked_request(method, path), answered)).status


@pytest.mark.parametrize("path", sorted(PATHS))
async def test_its_files_need_no_token(path: str) -> None:
    assert [await asked(method, path) for method in ("GET", "HEAD", "POST")] == [200, 200, 401]


@pytest.mark.parametrize(
    "path", ["/page", "/page/", "/page/__init__.py", "/page/../v1/sms", "//", "/v1/sms", "/page/app.js/x"]
)
async def test_everything_else_needs_one(path: str) -> None:
    assert await asked("GET", path) == 401


async def test_each_is_served_with_the_headers_that_bind_the_browser() -> None:
    application = web.Application()
    add_to(application.router)
    for path in PATHS:
        request = make_mocked_request("GET", path, app=application)
        matched = await application.router.resolve(request)
        response = await matched.handler(request)
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
        assert all(response.headers[name] == value for name, value in HEADERS.items())


class Bare(Listener):
    """A listener with nothing behind it."""

    async def readiness(self) -> tuple[Reading, bool]:
        return Reading(()), False

    async def lives(self) -> bool:
        return True


async def test_it_is_on_every_listener_also_on_one_that_passes_everything_on() -> None:
    async def pass_on(_: web.Request) -> web.StreamResponse:
        raise AssertionError

    listener = Bare(AdminSettings(), lambda router: router.add_route("*", "/{path:.*}", pass_on), CollectorRegistry())
    application = listener._runner.app
    for path in PATHS:
        request = make_mocked_request("GET", path, app=application)
        matched = await application.router.resolve(request)
        assert (await matched.handler(request)).status == 200


def test_what_degraded_reasons_mean_is_what_the_program_says_and_nothing_of_its_own() -> None:
    texts = json.loads(FILES["/page/meanings.js"][0].removeprefix("export const MEANINGS = ").removesuffix(";\n"))
    ours = "".join(text for path, (text, _) in FILES.items() if path != "/page/meanings.js")

    assert texts == {reason: meaning._asdict() for reason, meaning in MEANINGS.items()}
    assert not [text for meaning in MEANINGS.values() for text in meaning if len(text) > 20 and text in ours]
    assert all(each["what"] and each["users"] and each["do"].count("`") % 2 == 0 for each in texts.values())


def test_every_reason_of_a_rejected_callback_has_its_words() -> None:
    program = "".join(file.read_text() for file in (ROOT / "receiver").glob("*.py"))
    reasons = set(re.findall(r'InvalidCallback\(\s*"\w+", "(\w+)"', program))
    known = set(re.findall(r"^  (\w+): \"", WORDS.partition("REJECTED_REASONS")[2].partition("};")[0], re.MULTILINE))

    assert "not_json" in reasons
    assert reasons - known == set()


def test_every_key_of_the_table_has_an_action() -> None:
    table = WORDS.partition("export const KEYS = [")[2].partition("];")[0]
    actions = FILES["/page/app.js"][0].partition("const ACTIONS = {")[2].partition("};")[0]

    assert re.findall(r"^  \[\"(\w+)\"", table, re.MULTILINE) == re.findall(r"^  (\w+)", actions, re.MULTILINE)
