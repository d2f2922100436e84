"""`smsbus init`: what it writes, what it shows, what a second run changes, and what --apply does."""

import re
import stat
from contextlib import nullcontext
from pathlib import Path

import pytest

from app.cli.exit import Code
from app.init import installing
from app.init.answers import InitError
from app.init.files import ADMIN, CADDYFILE, KAFKA, SERVICE, SOCKET, UNITS, WRAPPER
from app.init.installing import STOCK_CADDYFILE, Machine, install
from app.init.secret_files import secret_files
from tests.unit.app.init.installation import DOMAIN, answers, init, text_of

pytestmark = pytest.mark.usefixtures("process_is_restored")
FLAGS = ("--domain", DOMAIN, "--yes", "--program", "/opt/smsbus/bin/smsbus")
TOKEN = Path("etc/smsbus/secrets/shop.callback_tokens")


@pytest.fixture
def key(tmp_path) -> str:
    (tmp_path / "key").write_text("hunter2-hunter2\n")
    return f"grizzly={tmp_path / 'key'}"


# ---- writing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["--systemd", "--compose"])
def test_everything_is_written_below_the_directory_and_secrets_are_private_and_not_shown(tmp_path, key, form):
    accounts = ("--account", "shop=pingme", "--account", "grizzly=grizzlysms", "--key-file", key)

    ended = init(tmp_path / "out", form, *FLAGS, *accounts)

    assert ended.exit_code == 0, ended.output
    paths = list((tmp_path / "out").rglob("secrets/*"))
    secrets = [path.read_text().strip() for path in paths]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert {stat.S_IMODE(path.parent.stat().st_mode) for path in paths} == {0o700}
    assert "hunter2-hunter2" in secrets
    assert all(len(secret) >= 15 for secret in secrets)
    assert not any(secret in ended.output for secret in secrets)


@pytest.mark.parametrize("form", ["--systemd", "--compose"])
def test_the_end_says_what_to_do_next(tmp_path, form):
    said = init(tmp_path / "out", form, *FLAGS).output

    assert f"https://{DOMAIN}/v1/pingme/" in said
    assert "callback url shop" in said
    assert "trigger pingme" in said
    assert re.search(r"443 .*in the firewall", said)
    assert re.search(r"memory: \d+ MB", said)
    assert f"ssh -N -L {ADMIN}:127.0.0.1:{ADMIN} {DOMAIN}" in said
    assert "Back up" in said


def test_a_page_with_a_host_name_of_its_own_is_behind_caddy(tmp_path):
    said = init(tmp_path / "out", "--systemd", *FLAGS, "--page", "page.example.org").output

    assert "https://page.example.org/" in said
    assert "page.example.org {" in (tmp_path / "out" / CADDYFILE).read_text()


@pytest.mark.parametrize("form", ["--systemd", "--compose"])
def test_a_second_run_needs_no_answers_and_changes_nothing(tmp_path, key, form):
    accounts = ("--account", "shop=pingme", "--account", "grizzly=grizzlysms", "--key-file", key)
    init(tmp_path / "out", form, *FLAGS, *accounts)
    before = text_of(tmp_path / "out")

    ended = init(tmp_path / "out")

    assert ended.exit_code == 0, ended.output
    assert text_of(tmp_path / "out") == before
    assert ended.stdout.startswith("\n"), "no file is named before the next steps"


def test_a_second_run_with_another_answer_changes_what_differs_and_no_secret(tmp_path):
    init(tmp_path / "out", "--systemd", *FLAGS)
    before = text_of(tmp_path / "out")

    init(tmp_path / "out", "--domain", "other.example.org")
    after = text_of(tmp_path / "out")

    assert {path for path in after if after[path] != before[path]} == {
        CADDYFILE,
        "etc/smsbus/smsbus.toml",
        "init.toml",
    }


def test_a_dry_run_shows_files_and_differences_and_writes_nothing(tmp_path):
    first = init(tmp_path / "out", "--systemd", *FLAGS, "--dry-run").output
    is_empty = not (tmp_path / "out").exists()
    init(tmp_path / "out", "--systemd", *FLAGS)
    before = text_of(tmp_path / "out")
    second = init(tmp_path / "out", "--domain", "other.example.org", "--dry-run").output

    assert is_empty
    assert f'+public_url = "https://{DOMAIN}"' in first
    assert f"new: {TOKEN} 0600 (a secret, not shown)" in first
    assert f'-public_url = "https://{DOMAIN}"\n+public_url = "https://other.example.org"' in second
    assert text_of(tmp_path / "out") == before


def test_where_nobody_can_be_asked_the_missing_flag_is_named(tmp_path):
    no_domain = init(tmp_path / "out", "--systemd")
    no_key = init(tmp_path / "out", "--systemd", *FLAGS, "--account", "grizzly=grizzlysms")

    assert (no_domain.exit_code, no_key.exit_code) == (Code.FAILED, Code.FAILED)
    assert "--domain is missing" in no_domain.output
    assert "--key-file grizzly=FILE is missing" in no_key.output
    assert not (tmp_path / "out").exists()


def test_a_key_of_nobody_is_refused(tmp_path, key):
    ended = init(tmp_path / "out", "--systemd", *FLAGS, "--key-file", key)

    assert "grizzly is no account with a key" in ended.output


def test_a_secret_that_cannot_be_read_is_not_made_anew(tmp_path):
    (tmp_path / TOKEN).mkdir(parents=True)  # root, who runs tests, may read every file

    with pytest.raises(InitError, match="use sudo"):
        secret_files(answers(), [tmp_path], {}, None)


def test_an_installed_secret_wins_over_the_one_that_was_written_once(tmp_path):
    for place, text in (("installed", "rotated"), ("out", "first")):
        (tmp_path / place / TOKEN).parent.mkdir(parents=True)
        (tmp_path / place / TOKEN).write_text(text)

    [file] = secret_files(answers(), [tmp_path / "installed", tmp_path / "out"], {}, None)

    assert file.text == "rotated\n"


# ---- installing ------------------------------------------------------------------------------------------------------


class Recorded(Machine):
    """A machine on which nothing is run."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, lambda _: None)
        self.commands: list[str] = []
        self.fails: str | None = None
        self.owners: dict[str, tuple[str | int, str | int]] = {}

    def run(self, *command: str) -> None:
        self.commands.append(" ".join(command))
        if self.fails is not None and self.fails in self.commands[-1]:
            raise InitError(self.fails)

    def give(self, path: Path, user: str | int, group: str | int) -> None:
        self.owners[path.name] = (user, group)


def installed(tmp_path: Path, *flags: str, fails: str | None = None) -> Recorded:
    """Write and install below `root`; return what was run, also where a command fails."""
    from app.init.answers import complete, kept
    from app.init.files import files_of

    init(tmp_path / "out", "--root", str(tmp_path / "root"), *flags)
    machine, said = Recorded(tmp_path / "root"), complete({}, kept(tmp_path / "out"), None, takes_defaults=False)
    files = files_of(said) + secret_files(said, [tmp_path / "root", tmp_path / "out"], {}, None)
    machine.fails = fails
    with pytest.raises(InitError, match=fails) if fails else nullcontext():
        install(said, tmp_path / "out", files, machine)
    return machine


def test_a_first_installation_copies_makes_the_user_and_starts(tmp_path):
    machine = installed(tmp_path, "--systemd", *FLAGS)

    assert machine.commands[0].startswith("caddy validate")
    assert machine.commands[1:] == [
        "systemd-sysusers /etc/sysusers.d/smsbus.conf",
        "systemctl daemon-reload",
        f"systemctl enable --now {KAFKA} {SOCKET} {SERVICE}",
        "systemctl reload-or-restart caddy.service",
    ]
    ours = ("smsbus", "smsbus")
    assert machine.owners == {TOKEN.name: ours, "secrets": ours, "smsbus.toml": ("root", "smsbus")}
    root, out = text_of(tmp_path / "root"), text_of(tmp_path / "out")
    out.pop("init.toml")
    assert root == out
    assert stat.S_IMODE((tmp_path / "root" / WRAPPER).stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "root" / TOKEN).stat().st_mode) == 0o600


def test_a_second_installation_does_nothing(tmp_path):
    installed(tmp_path, "--systemd", *FLAGS)

    assert installed(tmp_path).commands == []


@pytest.mark.parametrize("fails", ["systemd-sysusers", "daemon-reload", "enable --now", "reload-or-restart caddy"])
def test_what_a_failed_command_has_left_is_done_by_the_next_run(tmp_path, fails):
    installed(tmp_path, "--systemd", *FLAGS, fails=fails)

    second, third = installed(tmp_path), installed(tmp_path)

    for command in ("systemd-sysusers", "daemon-reload", "enable --now", "reload-or-restart caddy.service"):
        assert any(command in each for each in second.commands)
    assert TOKEN.name in second.owners
    assert third.commands == []


def test_a_local_kafka_that_is_no_longer_wanted_is_stopped_and_removed_but_not_its_data(tmp_path):
    installed(tmp_path, "--systemd", *FLAGS)

    failed = installed(tmp_path, "--kafka", "broker:9092", fails="disable")
    second, third = installed(tmp_path), installed(tmp_path)

    assert f"systemctl restart {SERVICE}" in failed.commands
    assert second.commands[-2:] == [f"systemctl disable --now {KAFKA}", "systemctl daemon-reload"]
    assert not list(tmp_path.rglob(KAFKA))
    assert third.commands == []


def test_a_local_kafka_needs_its_extra_beside_the_program(tmp_path):
    python, program = tmp_path / "python", tmp_path / "smsbus"
    program.write_text("#!/bin/sh\n")
    python.write_text("#!/bin/sh\nexit 1\n")
    for path in (program, python):
        path.chmod(0o755)

    without = installing.lacking(answers(program=str(program)))
    elsewhere = installing.lacking(answers(program=str(program), kafka="broker:9092"))
    python.write_text("#!/bin/sh\n")
    there = installing.lacking(answers(program=str(program)))

    assert "requirements-local.lock" in "".join(without)
    assert "requirements-local.lock" not in "".join(elsewhere + there)


@pytest.mark.parametrize(
    ("path", "commands"),
    [
        (TOKEN, [f"systemctl reload {SERVICE}"]),
        ("etc/smsbus/smsbus.toml", [f"systemctl restart {SERVICE}"]),
        (
            f"{UNITS}/{SERVICE}",
            [
                "systemctl daemon-reload",
                f"systemctl enable --now {KAFKA} {SOCKET} {SERVICE}",
                f"systemctl restart {SERVICE}",
            ],
        ),
    ],
)
def test_what_differs_is_made_effective_and_nothing_else(tmp_path, path, commands):
    installed(tmp_path, "--systemd", *FLAGS)
    there = tmp_path / "root" / path
    if path == TOKEN:
        there.chmod(0o644)
    else:
        there.write_text(there.read_text() + "# a line more\n")

    assert installed(tmp_path).commands == commands


def test_a_file_of_somebody_else_is_not_replaced_but_debian_s_own_caddyfile_is(tmp_path):
    there = tmp_path / "root" / CADDYFILE
    there.parent.mkdir(parents=True)
    there.write_text("my.example.org {\n}\n")
    with pytest.raises(InitError, match="--own-proxy"):
        installed(tmp_path, "--systemd", *FLAGS)
    untouched = there.read_text()
    there.write_text(f"# {STOCK_CADDYFILE}\n:80 {{\n}}\n")
    installed(tmp_path)

    assert untouched == "my.example.org {\n}\n"
    assert DOMAIN in there.read_text()


def test_a_program_in_somebody_s_home_or_with_a_python_there_is_refused(tmp_path):
    flags = ("--systemd", "--domain", DOMAIN, "--yes", "--program")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("/root/python/bin/python3")

    for program, hidden in (("/home/me/bin/smsbus", "/home/me"), (tmp_path / "bin" / "smsbus", "/root/python")):
        with pytest.raises(InitError, match=f"{hidden}.* is hidden from services"):
            installed(tmp_path, *flags, str(program))


def test_containers_are_started_and_their_user_may_read_the_secrets(tmp_path):
    machine = installed(tmp_path, "--compose", *FLAGS)

    up = f"docker compose --project-directory {tmp_path / 'out'} up --detach"
    assert machine.commands == [f"{up} --force-recreate caddy smsbus", f"{up} --remove-orphans"]
    assert machine.owners == {"shop.callback_tokens": (10001, 10001), "admin.token": (10001, 10001)}


def test_below_another_root_nothing_is_run(tmp_path):
    ended = init(tmp_path / "out", "--systemd", *FLAGS, "--apply", "--root", str(tmp_path / "root"))
    again = init(tmp_path / "out", "--apply", "--root", str(tmp_path / "root"))

    assert ended.exit_code == 0, ended.output
    assert "systemctl daemon-reload" in ended.output
    assert (tmp_path / "root" / UNITS / SERVICE).exists()
    assert "nothing was changed" in again.output


def test_only_root_installs(monkeypatch, tmp_path):
    monkeypatch.setattr(installing.os, "geteuid", lambda: 1000)

    with pytest.raises(InitError, match="sudo smsbus init --apply"):
        install(answers(), tmp_path, [], Machine(installing.ROOT, print))
