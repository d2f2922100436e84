"""Forwarding, composed: names, secrets, settings, and what the command says of what it cannot do."""

import stat

import pytest
from typer.testing import CliRunner

from app.checks.topics import NEEDED
from app.cli import cli
from app.cli.exit import Code
from app.errors import StartupError
from app.forwards import NAME, configured, default_name, secret_of
from app.lifecycle import missing_accounts
from app.settings.load import load, shown
from app.settings.names import SettingsError
from forwarding.address import target_url
from forwarding.signature import key_of
from inbox.filters import Filter
from schemas.topics import RECEIVED, WATCH_ENDED

pytestmark = pytest.mark.usefixtures("process_is_restored")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HOOK = {
    "SMSBUS_FORWARDS__HOOK__URL": "https://example.com/a-token-in-the-path",
    "SMSBUS_FORWARDS__HOOK__SECRET": SECRET,
}
run = CliRunner().invoke


def test_the_same_person_gets_the_same_name_for_a_url_and_nobody_else(monkeypatch):
    names = []
    for who, url in (
        ("ann", "localhost:1/a"),
        ("ann", "localhost:1/a"),
        ("bob", "localhost:1/a"),
        ("ann", "localhost:1/b"),
    ):
        monkeypatch.setenv("LOGNAME", who)
        names.append(default_name(target_url(url)))

    assert names[0] == names[1]
    assert len(set(names)) == 3
    assert all(NAME.fullmatch(name) for name in names)
    assert names[0].startswith("ann-")


def test_a_name_shows_nothing_of_a_url_but_host_and_port(monkeypatch):
    monkeypatch.setenv("LOGNAME", "ann: the/first")
    name = default_name(target_url("https://me:hunter2@example.com/token?key=hunter2"))

    assert "hunter2" not in name
    assert "token" not in name
    assert "example-com-443" in name
    assert NAME.fullmatch(name)


@pytest.mark.parametrize("who", ["émile", "-", "..", "李", "x" * 200])
def test_a_name_is_one_that_can_be_typed_whoever_made_it(monkeypatch, who: str):
    monkeypatch.setenv("LOGNAME", who)

    assert NAME.fullmatch(default_name(target_url("[::1]:3000/hook")))


def test_a_secret_is_made_once_and_only_its_user_can_read_it(tmp_path):
    first, other = secret_of(tmp_path, "one"), secret_of(tmp_path, "two")
    path = tmp_path / "forward" / "one.secret"

    assert secret_of(tmp_path, "one") == first != other
    assert key_of(first)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("no secret\n")
    with pytest.raises(StartupError, match=r"one\.secret contains no signing secret"):
        secret_of(tmp_path, "one")
    (tmp_path / "file").touch()
    with pytest.raises(StartupError, match="SMSBUS_DATA_DIR: the signing secret cannot be kept"):
        secret_of(tmp_path / "file", "one")


def test_a_target_is_configured_with_the_filters_of_tail(environment):
    more = {"TO": "+1 647 000-0000", "CODE": "true", "SERVICE": "tg", "REF": "r", "ENDED": "true"}
    environment(HOOK | {f"SMSBUS_FORWARDS__HOOK__{name}": value for name, value in more.items()})

    (target,) = configured(load())

    assert target.name == "hook"
    assert target.wanted == Filter(
        recipient="16470000000", has_code=True, service="tg", client_ref="r", topics=(RECEIVED, WATCH_ENDED)
    )
    assert not target.private
    assert dict(shown(load()))["forwards.hook.url"] == dict(shown(load()))["forwards.hook.secret"] != SECRET


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"URL": "ftp://example.com"}, "localhost:3000/hook"),
        ({"URL": "http://10.0.0.1/hook"}, "URL: .*set allow_private if that is right"),
        ({"URL": "localhost:3918/hook"}, "URL: .*set allow_private if that is right"),
        ({"URL": "http://hook.localhost:3918"}, "URL: .*set allow_private if that is right"),
        ({"URL": "http://169.254.169.254/", "ALLOW_PRIVATE": "true"}, "link-local"),
        ({"SECRET": "hunter2"}, "openssl rand"),
        ({"TO": "nobody1"}, "a number, without letters"),
        ({"PROVIDER": "twilio"}, "supports pingme, smsverified, grizzlysms, smsman"),
    ],
    ids=["scheme", "private", "localhost", "a name of localhost", "link-local", "secret", "number", "provider"],
)
def test_a_target_that_cannot_be_is_named_and_no_value_is_shown(environment, changed, says):
    environment(HOOK | {f"SMSBUS_FORWARDS__HOOK__{name}": value for name, value in changed.items()})

    with pytest.raises(SettingsError, match=says) as raised:
        load()

    assert "SMSBUS_FORWARDS__HOOK__" in str(raised.value)
    assert not any(value in str(raised.value) for value in changed.values() if value != "true")


def test_forwarding_needs_a_target_and_no_account(environment):
    environment({})
    assert "SMSBUS_FORWARDS__<NAME>__URL" in (missing_accounts(load(), "forward") or "")
    environment(HOOK)
    assert missing_accounts(load(), "forward") is None
    assert NEEDED["forward"] == {"sms.received.v1", "sms.watch-ended.v1", "sms.rejected.v1"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ftp://example.com"], "localhost:3000/hook"),
        (["169.254.169.254/latest"], "link-local"),
        (["localhost:3000", "--name", "a/b"], "letters, digits"),
        (["localhost:3000", "--since", "soon"], "10m"),
        (["localhost:3000", "--to", "me"], "a number, without letters"),
    ],
    ids=["scheme", "link-local", "name", "since", "number"],
)
def test_what_cannot_be_forwarded_is_said_before_anything_is_made(environment, tmp_path, arguments, says):
    environment({"SMSBUS_DATA_DIR": str(tmp_path)})

    result = run(cli, ["forward", *arguments])

    assert result.exit_code == Code.USAGE
    assert says in " ".join(result.output.split())
    assert list(tmp_path.iterdir()) == []


def test_a_url_with_a_secret_is_taken_from_stdin_so_that_it_does_not_stand_in_the_list_of_processes(
    environment, tmp_path
):
    environment({"SMSBUS_DATA_DIR": str(tmp_path)})

    result = run(cli, ["forward", "-"], input="http://169.254.169.254/\n")

    assert result.exit_code == Code.USAGE
    assert "link-local" in " ".join(result.output.split())
