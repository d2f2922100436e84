"""The parts of starting and stopping that need neither a broker nor a socket."""

import resource

import pytest
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from app import lifecycle, serve
from app.errors import StartupError
from app.settings.load import load
from app.settings.names import SettingsError

pytestmark = pytest.mark.usefixtures("process_is_restored")


async def test_without_an_account_there_is_nothing_to_serve(environment, monkeypatch):
    environment({})
    monkeypatch.setattr(serve.logs, "configure", lambda *_: None)

    with pytest.raises(StartupError, match="SMSBUS_ACCOUNTS__<NAME>__PROVIDER=pingme"):
        await serve.serve(load())


async def test_a_clock_that_is_not_set_stops_the_start(environment, monkeypatch):
    """Kafka would delete at once what is published, and a provider would not send again what was answered 200."""
    environment({"SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pingme", "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS": "x" * 24})
    monkeypatch.setattr(serve.logs, "configure", lambda *_: None)
    monkeypatch.setattr(serve, "now_ms", lambda: 12_000)

    with pytest.raises(StartupError, match="clock says 1970-01-01T00:00:12Z, which is long past: set it"):
        await serve.serve(load())


def test_the_version_is_a_metric():
    assert b'smsbus_build_info{version="' in generate_latest(lifecycle.new_registry())


@pytest.mark.parametrize(
    ("most", "role", "warned"),
    [
        (1024, "all", True),
        (8000, "receiver", True),  # Kafka and the journal need some as well
        (8200, "receiver", False),
        (9300, "all", True),  # its waits and streams as well
        (9400, "all", False),
        (1024, "pollers", False),
        (1400, "inbox", False),
        (resource.RLIM_INFINITY, "all", False),
    ],
)
def test_fewer_files_than_connections_are_said_once_with_what_to_do(environment, monkeypatch, most, role, warned):
    environment({"SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pingme", "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS": "x" * 24})
    monkeypatch.setattr(serve.resource, "getrlimit", lambda _: (256, most))

    with capture_logs() as lines:
        serve._warn_of_few_files(load(), role)

    assert [(line["event"], line["may_open"]) for line in lines] == ([("few_open_files", most)] if warned else [])
    assert all("LimitNOFILE" in line["hint"] and "receiver.max_connections" in line["hint"] for line in lines)


def test_an_inbox_needs_files_for_those_who_wait(environment, monkeypatch):
    environment({})
    monkeypatch.setattr(serve.resource, "getrlimit", lambda _: (256, 1024))

    with capture_logs() as lines:
        serve._warn_of_few_files(load(), "inbox")

    assert [line["hint"] for line in lines] == ["let it open 1400 (`ulimit -n`, systemd's LimitNOFILE=)"]


async def test_a_key_that_is_sent_unencrypted_is_said_at_the_start(environment, monkeypatch):
    account = {"PROVIDER": "grizzlysms", "API_KEY": "hunter2-hunter2", "BASE_URL": "http://api.example.org/x"}
    environment({f"SMSBUS_ACCOUNTS__G__{name}": value for name, value in account.items()})
    monkeypatch.setattr(serve.logs, "configure", lambda *_: None)
    monkeypatch.setattr(serve, "_warn_of_few_files", lambda *_: None)

    async def refuse(*_):
        raise StartupError(["no"])

    monkeypatch.setattr(serve.topics, "verify", refuse)
    with capture_logs() as lines, pytest.raises(StartupError):
        await serve.serve(load())

    [line] = lines
    assert (line["event"], line["log_level"]) == ("sent_unencrypted", "warning")
    assert line["warning"].startswith("SMSBUS_ACCOUNTS__G__BASE_URL is http://")


async def test_few_files_are_said_before_anything_is_served_or_workers_are_started(environment, monkeypatch, tmp_path):
    environment({"SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pingme", "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS": "x" * 24})
    monkeypatch.setenv("SMSBUS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(serve.logs, "configure", lambda *_: None)
    monkeypatch.setattr(serve.resource, "getrlimit", lambda _: (256, 1024))

    async def refuse(*_):
        raise StartupError(["no"])

    monkeypatch.setattr(serve.topics, "verify", refuse)
    with capture_logs() as lines, pytest.raises(StartupError):
        await serve.serve(load(), workers=2)

    assert [line["event"] for line in lines] == ["few_open_files"]


@pytest.mark.parametrize(
    ("account", "callback"),
    [
        ({"PROVIDER": "pingme", "CALLBACK_TOKENS": "x" * 24}, ["https://sms.example/v1/pingme/{token}"]),
        ({"PROVIDER": "grizzlysms", "API_KEY": "hunter2-hunter2"}, []),
    ],
)
def test_a_callback_url_is_said_only_where_pingme_could_post_to_it(environment, account, callback):
    settings = {f"SMSBUS_ACCOUNTS__SHOP__{name}": value for name, value in account.items()}
    environment(settings | {"SMSBUS_RECEIVER__PUBLIC_URL": "https://sms.example"})

    with capture_logs() as lines:
        serve._announce(load(), "all", 1, lifecycle.Running(8080, 8081))

    [line] = lines
    assert [line[key] for key in ("callback",) if key in line] == callback
    assert line["receiver"].endswith(":8080")


SHOP = {"SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pingme", "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS": "x" * 24}


@pytest.mark.parametrize(("named", "is_right"), [("shop", True), ("shop, shpo", False), ("", True)])
async def test_a_reader_of_no_configured_account_is_refused(environment, monkeypatch, named, is_right):
    environment({**SHOP, "SMSBUS_ADMIN__READ_ACCOUNTS": named})
    monkeypatch.setattr(serve.logs, "configure", lambda *_: None)
    monkeypatch.setattr(serve, "_warn_of_few_files", lambda *_: (_ for _ in ()).throw(ZeroDivisionError))

    with pytest.raises(ZeroDivisionError if is_right else StartupError) as refused:
        await serve.serve(load())

    if not is_right:
        assert str(refused.value) == "admin.read_accounts: there is no account shpo; configured: shop"


@pytest.mark.parametrize(("role", "warned"), [("inbox", True), ("receiver", False), ("pollers", False)])
def test_a_process_with_a_part_of_the_accounts_only_warns(environment, role, warned):
    environment({**SHOP, "SMSBUS_ADMIN__READ_ACCOUNTS": "shop,grizzly"})
    with capture_logs() as lines:
        serve._look_at_read_accounts(load(), role)

    assert [(line["event"], line["accounts"]) for line in lines] == [("read_accounts_unknown", "grizzly")] * warned


def test_what_is_no_name_is_no_account_to_read(environment):
    environment({"SMSBUS_ADMIN__READ_ACCOUNTS": '["shop", "grizzly"]'})
    with pytest.raises(SettingsError, match="SMSBUS_ADMIN__READ_ACCOUNTS"):
        load()
