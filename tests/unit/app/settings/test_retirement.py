"""An old token is removed when the running service knows that nobody uses it."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from app.settings.load import load
from app.settings.retirement import found, objections
from receiver.auth import fingerprint
from schemas.timestamps import to_text

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NEW, OLD, OLDER = "new-token-new-token-0123", "old-token-old-token-0123", "older-token-older-token-"
ADMIN = "admin-token-admin-token-"
NEVER_ASKED = "only it knows who uses which token"


def ago(hours: float) -> str:
    return to_text(round((NOW - timedelta(hours=hours)).timestamp() * 1000))


def view(*tokens: tuple[str, bool, str | None], since: str | None = None):
    shown = [{"fingerprint": name, "newest": newest, "last_used_at": used} for name, newest, used in tokens]
    other = {"account": "other", "tokens": [{"fingerprint": "old", "newest": True, "last_used_at": ago(0)}]}
    return {"since": since or ago(25), "accounts": [other, {"account": "shop", "tokens": shown}]}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (view(("new", True, ago(0)), ("old", False, None)), []),
        (view(("new", True, ago(0)), ("old", False, ago(24.1))), []),
        (view(("new", True, None)), []),
        (view(("new", True, ago(0)), ("old", False, ago(23.9))), ["the old token old… (its fingerprint) was used at"]),
        (
            view(("new", True, ago(0)), ("old", False, ago(1)), ("older", False, ago(2))),
            ["the old token old…", "the old token older…"],
        ),
        (view(("new", True, None), since=ago(23.9)), [f"has recorded uses only since {ago(23.9)}"]),
        (view(("old", True, None)), ["does not use the newest token yet: send it SIGHUP"]),
        (view(("new", False, None), ("old", False, None)), ["does not use the newest token yet"]),
        ({"since": ago(25), "accounts": []}, ["does not use the newest token yet"]),
    ],
)
def test_an_old_token_stays_while_it_is_used_or_nobody_knows(said, words):
    reasons = [*found(said, "shop", ["new", "old", "older"], NOW)]

    assert len(reasons) == len(words)
    assert all(word in reason for word, reason in zip(words, reasons, strict=True))


def test_a_used_old_token_is_named_with_the_way_out_where_it_leaked():
    [reason] = found(view(("new", True, None), ("old", False, ago(1))), "shop", ["new", "old"], NOW)

    assert reason.endswith(
        f"was used at {ago(1)}: something still posts to its URL (PingMe, or someone else). "
        "If it leaked, --retire --force removes it at once"
    )


@pytest.fixture
async def asked(environment, tmp_path):
    """Ask a service that answers so; return the objections."""

    async def ask(status: int, said: object, **variables: str) -> list[str]:
        async def answer(request: web.Request) -> web.Response:
            assert request.path == "/v1/callbacks"
            shown = request.headers["Authorization"] == f"Bearer {ADMIN}"
            return web.json_response(said, status=status if shown else 401)

        application = web.Application()
        application.router.add_get("/{path:.*}", answer)
        async with TestServer(application) as server:
            environment(
                {
                    "SMSBUS_DATA_DIR": str(tmp_path),
                    "SMSBUS_ADMIN__PORT": str(server.port),
                    "SMSBUS_ADMIN__TOKEN": ADMIN,
                    "SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pingme",
                    "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS": f"{NEW},{OLD}",
                    **variables,
                }
            )
            return await objections(load(), "shop", NOW)

    return ask


@pytest.mark.loopback
async def test_the_service_is_asked_with_the_admin_token_by_fingerprints(asked):
    quiet = view((fingerprint(NEW), True, None), (fingerprint(OLD), False, None))
    used = json.loads(json.dumps(quiet).replace("null", f'"{ago(1)}"'))

    assert await asked(200, quiet) == []
    [reason] = await asked(200, used)
    assert fingerprint(OLD) in reason


@pytest.mark.loopback
@pytest.mark.parametrize(
    ("status", "variables", "word"),
    [
        (404, {}, "answers 404"),
        (503, {}, "answers 503"),
        (200, {"SMSBUS_ADMIN__TOKEN": "another-admin-token-0123"}, "answers 401"),
        (200, {"SMSBUS_ADMIN__PORT": "9"}, "does not answer at http://127.0.0.1:9/v1/callbacks"),
    ],
)
async def test_a_service_that_says_nothing_is_named(asked, status, variables, word):
    [reason] = await asked(status, {}, **variables)

    assert word in reason
    assert NEVER_ASKED in reason


@pytest.mark.loopback
async def test_where_no_service_ever_started_no_token_is_made(asked, tmp_path):
    [reason] = await asked(200, {}, SMSBUS_ADMIN__TOKEN="")

    assert "admin-token does not exist" in reason
    assert list(tmp_path.iterdir()) == []
