"""The admin token: configured, or made once and kept for its user alone."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr
from structlog.testing import capture_logs

from app.admin.token import admin_header, guard, token_file, with_admin_token
from app.errors import StartupError
from app.settings.load import load

OURS = "a-long-token-of-the-admin"


@pytest.fixture
def settings(environment, tmp_path):
    environment({"SMSBUS_DATA_DIR": str(tmp_path / "own")})
    return load()


def _token(settings) -> str:
    return settings.admin.token.get_secret_value()


def test_it_is_made_once_and_only_its_user_can_read_it(settings):
    first = _token(with_admin_token(settings))

    assert len(first) >= 32
    assert _token(with_admin_token(settings)) == first
    assert token_file(settings).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in settings.data_dir.iterdir()] == ["admin-token"]


def test_who_configures_one_has_that_and_no_file(environment, tmp_path):
    environment({"SMSBUS_DATA_DIR": str(tmp_path), "SMSBUS_ADMIN__TOKEN": OURS})
    settings = with_admin_token(load())

    assert admin_header(settings) == {"Authorization": f"Bearer {OURS}"}
    assert list(tmp_path.iterdir()) == []


def test_of_many_that_start_at_once_all_have_the_same(settings):
    with ThreadPoolExecutor(16) as pool:
        tokens = set(pool.map(lambda _: _token(with_admin_token(settings)), range(64)))

    assert len(tokens) == 1


def test_an_empty_file_is_no_token(settings):
    with_admin_token(settings)
    token_file(settings).write_text("\n")

    with pytest.raises(StartupError, match="admin-token contains no token: remove the file"):
        with_admin_token(settings)


def test_where_nothing_can_be_kept_the_start_says_so(environment, tmp_path):
    (tmp_path / "own").write_text("a file")
    environment({"SMSBUS_DATA_DIR": str(tmp_path / "own" / "deeper")})

    with pytest.raises(StartupError, match="SMSBUS_DATA_DIR: the admin token cannot be stored in"):
        with_admin_token(load())


@pytest.mark.loopback
async def test_what_a_command_says_in_the_log_has_the_client_that_the_parent_or_proxy_on_this_machine_was_told():
    said = []

    async def served(_: web.Request) -> web.Response:
        said.append(structlog.contextvars.get_contextvars().get("client"))
        return web.Response()

    application = web.Application(middlewares=[guard(SecretStr(OURS))])
    application.router.add_post("/v1/watches", served)
    headers = {"Authorization": f"Bearer {OURS}"}
    async with TestClient(TestServer(application)) as client:
        await client.post("/v1/watches", headers=headers)
        await client.post("/v1/watches", headers=headers | {"X-Forwarded-For": "203.0.113.9"})
        with capture_logs() as lines:
            for _ in range(5):
                await client.post("/v1/watches", headers={"Authorization": "Bearer wrong"})

    assert said == ["127.0.0.1", "203.0.113.9"]
    assert structlog.contextvars.get_contextvars() == {}
    assert [(line["event"], line["client"]) for line in lines] == [("wrong_admin_token", "127.0.0.1")]


async def _status(token: str | None, path: str, **headers: str) -> int:
    async def served(_: web.Request) -> web.Response:
        return web.Response()

    application = web.Application(middlewares=[guard(SecretStr(token) if token is not None else None)])
    application.router.add_get("/{path:.*}", served)
    async with TestClient(TestServer(application)) as client, client.get(path, headers=headers) as answer:
        return answer.status


@pytest.mark.loopback
@pytest.mark.parametrize("path", ["/livez", "/healthz", "/readyz", "/metrics"])
async def test_health_and_metrics_are_open(path):
    assert await _status(OURS, path) == 200


@pytest.mark.loopback
@pytest.mark.parametrize(
    ("shown", "status"),
    [
        ("", 401),
        (OURS, 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        (f"Basic {OURS}", 401),
        (f"Bearer {OURS}x", 401),
        (f"Bearer {OURS[:-1]}", 401),
        (f"Bearer {OURS}", 200),
        (f"bearer {OURS}", 200),
        (f"Bearer   {OURS} ", 200),
    ],
)
@pytest.mark.parametrize("path", ["/v1/watches", "/livez/", "/metricsx", "/nothing"])
async def test_all_else_wants_the_token(path, shown, status):
    assert await _status(OURS, path, Authorization=shown) == status


@pytest.mark.loopback
@pytest.mark.parametrize("none", [None, ""])
@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer "])
async def test_without_a_token_nobody_has_the_right_one(none, shown):
    assert await _status(none, "/v1/watches", Authorization=shown) == 401
