"""`smsbus init`: what it writes, what it shows, what a second run changes, and what --apply does."""

import errno
import os
import re
import stat
from contextlib import nullcontext
from pathlib import Path

import pytest

from app import locking
from app.cli.exit import Code
from app.init import installing
from app.init.alone import alone
from app.init.answers import InitError
from app.init.files import ADMIN, CADDYFILE, KAFKA, SERVICE, SETTINGS, SOCKET, UNITS, VARIABLES, WRAPPER
from app.init.installing import Machine, install
from app.init.seal import MARK, SEAL, sealed
from app.init.secret_files import folders, secret_files
from app.init.writing import as_edited
from tests.unit.app.init.installation import DOMAIN, answers, init, text_of

pytestmark = pytest.mark.usefixtures("process_is_restored")
FLAGS = ("--domain", DOMAIN, "--yes", "--program", "/opt/smsbus/bin/smsbus")
STOCK = """\
# The Caddyfile is an easy way to configure your Caddy web server.
:80 {
	# Set this path to your site's directory.
	root * /usr/share/caddy

	# Enable the static file server.
	file_server
}
"""
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
    assert ("smsbus_kafka-data" if form == "--compose" else "/var/lib/smsbus-kafka") in said


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
        VARIABLES,
        "init.toml",
    }


def test_a_dry_run_shows_files_and_differences_and_writes_nothing(tmp_path):
    first = init(tmp_path / "out", "--systemd", *FLAGS, "--dry-run").output
    is_empty = not (tmp_path / "out").exists()
    init(tmp_path / "out", "--systemd", *FLAGS)
    before = text_of(tmp_path / "out")
    second = init(tmp_path / "out", "--domain", "other.example.org", "--dry-run").output

    assert is_empty
    url = "SMSBUS_RECEIVER__PUBLIC_URL=https://"
    assert f"+{url}{DOMAIN}" in first
    assert f"new: {TOKEN} 0600 (a secret, not shown)" in first
    assert f"-{url}{DOMAIN}" in second
    assert f"+{url}other.example.org" in second
    assert text_of(tmp_path / "out") == before


def test_where_nobody_can_be_asked_the_missing_flag_is_named(tmp_path):
    no_domain = init(tmp_path / "out", "--systemd")
    no_key = init(tmp_path / "out", "--systemd", *FLAGS, "--account", "grizzly=grizzlysms")

    assert (no_domain.exit_code, no_key.exit_code) == (Code.FAILED, Code.FAILED)
    assert "--domain is missing" in no_domain.output
    assert "--key-file grizzly=FILE is missing" in no_key.output
    assert not (tmp_path / "out").exists()


def test_a_run_in_another_directory_says_where_it_has_looked(tmp_path):
    ended = init(tmp_path / "other", "--apply")

    assert ended.exit_code == Code.FAILED
    assert f"no init.toml in {tmp_path / 'other'}" in ended.output


@pytest.mark.parametrize(
    ("text", "said"), [(b"", "is empty"), (b"one\ntwo\n", "has more than a key"), (b"\xff", "UTF-8")]
)
def test_a_key_file_without_a_single_key_is_refused(tmp_path, text, said):
    (tmp_path / "key").write_bytes(text)

    ended = init(tmp_path / "out", "--systemd", *FLAGS, "--key-file", f"grizzly={tmp_path / 'key'}")

    assert ended.exit_code == Code.USAGE
    assert said in ended.output


@pytest.mark.parametrize("flags", [("--systemd",), ("--compose", "--apply")])
def test_another_root_is_refused_where_it_means_nothing(tmp_path, flags):
    ended = init(tmp_path / "out", *flags, *FLAGS, "--root", str(tmp_path))

    assert ended.exit_code == Code.USAGE
    assert not (tmp_path / "out").exists()


def test_the_printed_command_exists_before_anything_is_installed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    said = init(Path("out"), "--systemd", *FLAGS).output

    [(program, directory)] = re.findall(r"sudo (\S+) init --apply --dir (\S+)", said)
    assert Path(program).is_absolute()
    assert Path(directory) == tmp_path / "out"


def test_caddy_comes_back_after_a_proxy_of_one_s_own(tmp_path):
    init(tmp_path / "out", "--systemd", *FLAGS, "--own-proxy")
    without = (tmp_path / "out" / CADDYFILE).exists()

    init(tmp_path / "out", "--caddy")

    assert not without
    assert (tmp_path / "out" / CADDYFILE).exists()


def test_a_key_of_nobody_is_refused(tmp_path, key):
    ended = init(tmp_path / "out", "--systemd", *FLAGS, "--key-file", key)

    assert "grizzly is no account with a key" in ended.output


def test_a_secret_that_cannot_be_read_is_not_made_anew(tmp_path):
    (tmp_path / TOKEN.name).mkdir(parents=True)  # root, who runs tests, may read every file

    with pytest.raises(InitError, match="use sudo"):
        secret_files(answers(), [tmp_path], {}, None)


def test_an_emptied_secret_is_taken_from_the_copy_and_never_made_anew(tmp_path):
    for place, text in (("installed", "\n"), ("out", "first")):
        (tmp_path / place).mkdir()
        (tmp_path / place / TOKEN.name).write_text(text)
    [file] = secret_files(answers(), [tmp_path / "installed", tmp_path / "out"], {}, None)
    (tmp_path / "out" / TOKEN.name).write_text("")

    assert file.text == "first\n"
    with pytest.raises(InitError, match="put the secret back"):
        secret_files(answers(), [tmp_path / "installed", tmp_path / "out"], {}, None)


def test_a_secret_is_not_read_through_a_link(tmp_path):
    (tmp_path / "shadow").write_text("root:secret\n")
    (tmp_path / TOKEN.name).symlink_to(tmp_path / "shadow")

    with pytest.raises(InitError, match="a link"):
        secret_files(answers(), [tmp_path], {}, None)


def test_an_installed_secret_wins_over_the_one_that_was_written_once(tmp_path):
    for place, text in (("installed", "rotated"), ("out", "first")):
        (tmp_path / place).mkdir()
        (tmp_path / place / TOKEN.name).write_text(text)

    [file] = secret_files(answers(), [tmp_path / "installed", tmp_path / "out"], {}, None)

    assert file.text == "rotated\n"


@pytest.mark.parametrize(("first", "second"), [("systemd", "compose"), ("compose", "systemd")])
def test_another_form_has_the_same_secrets_and_a_line_about_the_one_before(tmp_path, first, second):
    init(tmp_path / "out", f"--{first}", *FLAGS)
    token = next((tmp_path / "out").rglob(TOKEN.name)).read_text()

    said = init(tmp_path / "out", f"--{second}").output

    assert [path.read_text() for path in (tmp_path / "out").rglob(TOKEN.name)] == [token, token]
    assert f"it was --{first}" in said


@pytest.mark.parametrize("name", ["compose.yaml", "Caddyfile"])
def test_a_file_of_somebody_else_in_the_directory_is_not_replaced(tmp_path, name):
    (tmp_path / name).write_text("mine\n")

    refused = init(tmp_path, "--compose", *FLAGS)

    assert refused.exit_code == Code.FAILED
    assert f"{tmp_path / name} is not of `smsbus init`" in refused.output
    assert text_of(tmp_path) == {name: "mine\n"}


@pytest.mark.parametrize(("form", "path"), [("--systemd", SETTINGS), ("--compose", "smsbus.toml")])
def test_settings_that_a_person_has_edited_stay(tmp_path, form, path):
    init(tmp_path / "out", form, *FLAGS)
    edited = tmp_path / "out" / path
    edited.write_text("[log]\nlevel = 'debug'\n")

    said = init(tmp_path / "out", "--domain", "other.example.org").output

    assert edited.read_text() == "[log]\nlevel = 'debug'\n"
    assert "smsbus.toml is yours" in said


def test_an_account_is_added_and_only_removed_when_that_is_said(tmp_path, key):
    init(tmp_path / "out", "--systemd", *FLAGS)

    init(tmp_path / "out", "--account", "grizzly=grizzlysms", "--key-file", key)
    both = (tmp_path / "out" / VARIABLES).read_text()
    flags = ("--remove-account", "shop")
    planned = init(tmp_path / "out", *flags, "--dry-run").output
    said = init(tmp_path / "out", *flags).output
    one = (tmp_path / "out" / VARIABLES).read_text()

    assert "SHOP__PROVIDER=pingme" in both
    assert "GRIZZLY__PROVIDER=grizzlysms" in both
    assert "SHOP" not in one
    assert "account shop (pingme) would be removed" in planned
    assert "account shop (pingme) is removed" in said


# ---- installing ------------------------------------------------------------------------------------------------------


class Recorded(Machine):
    """A machine on which nothing is run."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, lambda _: None)
        self.remembers = True
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

    init(tmp_path / "out", *flags)
    machine, said = Recorded(tmp_path / "root"), complete({}, kept(tmp_path / "out"), None, takes_defaults=False)
    files = as_edited(tmp_path / "out", files_of(said))
    files += secret_files(said, folders(said, None, tmp_path / "root", tmp_path / "out"), {}, None)
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
        "systemctl enable caddy.service",
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


def test_installed_settings_that_were_edited_stay_and_what_was_edited_before_is_installed(tmp_path):
    init(tmp_path / "out", "--systemd", *FLAGS)
    edited, there = tmp_path / "out" / SETTINGS, tmp_path / "root" / SETTINGS
    edited.write_text(edited.read_text() + "# before\n")
    installed(tmp_path)
    first = there.read_text()
    there.write_text("# after\n")

    second = installed(tmp_path, "--domain", "other.example.org")

    assert first.endswith("# before\n")
    assert there.read_text() == "# after\n"
    assert f"systemctl restart {SERVICE}" in second.commands


@pytest.mark.parametrize(
    ("text", "said"), [("[accounts.old]\nbudget = 1\n", r"\[accounts\.old\]"), ("[log\n", "at line 1")]
)
def test_settings_with_which_the_service_would_not_start_are_refused_before_it_is_restarted(tmp_path, text, said):
    installed(tmp_path, "--systemd", *FLAGS)
    (tmp_path / "root" / SETTINGS).write_text(text)

    with pytest.raises(InitError, match=said):
        installed(tmp_path, "--domain", "other.example.org")


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


def test_caddy_is_stopped_where_somebody_else_s_proxy_takes_over_and_starts_again_later(tmp_path):
    installed(tmp_path, "--systemd", *FLAGS)

    second, third = installed(tmp_path, "--own-proxy"), installed(tmp_path)
    left = list(tmp_path.rglob("Caddyfile"))
    back = installed(tmp_path, "--caddy")

    assert second.commands == ["systemctl disable --now caddy.service", "systemctl daemon-reload"]
    assert (third.commands, left) == ([], [])
    assert back.commands[1:] == ["systemctl enable caddy.service", "systemctl reload-or-restart caddy.service"]


def test_somebody_else_s_caddy_runs_on(tmp_path):
    there = tmp_path / "root" / CADDYFILE
    there.parent.mkdir(parents=True)
    there.write_text("my.example.org {\n}\n")

    machine = installed(tmp_path, "--systemd", *FLAGS, "--own-proxy")

    assert not [each for each in machine.commands if "caddy" in each]
    assert there.exists()


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


def as_earlier(text: str) -> str:
    """Return a file as an earlier version would have written it."""
    return sealed(SEAL.sub(MARK, text) + "# a line more\n")


@pytest.mark.parametrize(
    ("path", "commands"),
    [
        (TOKEN, [f"systemctl reload {SERVICE}"]),
        (VARIABLES, [f"systemctl restart {SERVICE}"]),
        (
            f"{UNITS}/{SERVICE}",
            [
                "systemctl daemon-reload",
                f"systemctl enable --now {KAFKA} {SOCKET} {SERVICE}",
                f"systemctl restart {SERVICE}",
            ],
        ),
        (
            f"{UNITS}/{SOCKET}",
            [
                "systemctl daemon-reload",
                f"systemctl enable --now {KAFKA} {SOCKET} {SERVICE}",
                f"systemctl stop {SERVICE}",
                f"systemctl restart {SOCKET}",
                f"systemctl start {SERVICE}",
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
        there.write_text(as_earlier(there.read_text()))

    assert installed(tmp_path).commands == commands


def test_a_file_of_somebody_else_is_not_replaced_but_debian_s_own_caddyfile_is(tmp_path):
    there = tmp_path / "root" / CADDYFILE
    there.parent.mkdir(parents=True)
    there.write_text("my.example.org {\n}\n")
    with pytest.raises(InitError, match="--own-proxy"):
        installed(tmp_path, "--systemd", *FLAGS)
    untouched = there.read_text()
    there.write_text(f"{STOCK}\nmy.example.org {{\n}}\n")
    with pytest.raises(InitError, match="--own-proxy"):
        installed(tmp_path)
    there.write_text(STOCK)
    installed(tmp_path)

    assert untouched == "my.example.org {\n}\n"
    assert DOMAIN in there.read_text()


@pytest.mark.parametrize("path", [CADDYFILE, VARIABLES, f"{UNITS}/{SERVICE}"])
def test_what_somebody_added_to_a_file_of_ours_is_not_lost_and_not_shown(tmp_path, path):
    installed(tmp_path, "--systemd", *FLAGS)
    there = tmp_path / "root" / path
    edited = there.read_text() + "SMSBUS_KAFKA__SASL_PLAIN_PASSWORD=hunter2\n"
    there.write_text(edited)
    planned = init(tmp_path / "out", "--dry-run", "--root", str(tmp_path / "root")).output

    with pytest.raises(InitError, match="was changed since"):
        installed(tmp_path, "--domain", "other.example.org")

    assert there.read_text() == edited
    assert path != VARIABLES or "-SMSBUS_KAFKA__SASL_PLAIN_PASSWORD=(a secret, not shown)" in planned
    assert path != VARIABLES or "hunter2" not in planned


def test_a_caddyfile_with_more_sites_stays_and_caddy_runs_on(tmp_path):
    installed(tmp_path, "--systemd", *FLAGS)
    there = tmp_path / "root" / CADDYFILE
    there.write_text(there.read_text() + "my.example.org {\n}\n")

    machine = installed(tmp_path, "--own-proxy")

    assert there.exists()
    assert not [each for each in machine.commands if "caddy" in each]


def test_another_directory_than_the_first_run_s_is_refused(tmp_path):
    root = ("--root", str(tmp_path / "root"))
    init(tmp_path / "out", "--systemd", *FLAGS, "--account", "grizzly=pingme", "--apply", *root)
    before = text_of(tmp_path / "root")

    ended = init(tmp_path / "else", "--systemd", *FLAGS, "--apply", *root)

    assert ended.exit_code == Code.FAILED
    assert "give the --dir of the first run" in ended.output
    assert text_of(tmp_path / "root") == before


def test_what_the_answers_of_another_directory_replace_is_said(tmp_path):
    """What is installed has two accounts and another domain: somebody has answered in a second directory before."""
    root, grizzly = ("--root", str(tmp_path / "root")), ("--account", "grizzly=pingme")
    init(tmp_path / "else", "--systemd", *FLAGS)
    flags = ("--domain", "old.example.org", "--yes", "--program", "/opt/smsbus/bin/smsbus")
    init(tmp_path / "out", "--systemd", *flags, "--account", "shop=pingme", *grizzly, "--apply", *root)

    planned = init(tmp_path / "else", "--dry-run", *root).output
    said = init(tmp_path / "else", "--apply", *root).output
    again = init(tmp_path / "else", "--apply", *root).output

    assert "account grizzly (pingme) would be removed" in planned
    assert "account grizzly (pingme) is removed" in said
    assert f"callbacks went to old.example.org, and go to {DOMAIN} now" in said
    assert "grizzly" not in again
    assert "old.example.org" not in again


def test_settings_that_are_a_link_to_nowhere_are_not_replaced(tmp_path):
    there = tmp_path / "root" / SETTINGS
    there.parent.mkdir(parents=True)
    there.symlink_to("/nowhere/smsbus.toml")

    installed(tmp_path, "--systemd", *FLAGS)

    assert there.is_symlink()


def test_directories_can_be_entered_whatever_root_s_umask_is(tmp_path):
    umask = os.umask(0o077)
    try:
        installed(tmp_path, "--systemd", *FLAGS)
    finally:
        os.umask(umask)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "root" / "etc").rglob("*")}
    assert (modes["smsbus"], modes["secrets"], modes["caddy"]) == (0o755, 0o700, 0o755)


def test_a_program_that_the_service_s_user_may_not_reach_is_named(tmp_path):
    program = tmp_path / "bin" / "smsbus"
    program.parent.mkdir(mode=0o700)
    program.touch(mode=0o755)

    assert "may not pass" in "".join(installing.lacking(answers(program=str(program), kafka="broker:9092")))


def test_elsewhere_nothing_is_noted_and_no_note_is_forgotten(tmp_path):
    installed(tmp_path, "--systemd", *FLAGS, fails="daemon-reload")

    init(tmp_path / "out", "--apply", "--root", str(tmp_path / "other"))

    assert f"{UNITS}/{SERVICE}" in (tmp_path / "out" / "unfinished").read_text()


def test_a_program_in_somebody_s_home_or_with_a_python_there_is_refused(tmp_path):
    flags = ("--systemd", "--domain", DOMAIN, "--yes", "--program")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("/root/python/bin/python3")

    for program, hidden in (("/home/me/bin/smsbus", "/home/me"), (tmp_path / "bin" / "smsbus", "/root/python")):
        with pytest.raises(InitError, match=f"{hidden}.* is hidden from services"):
            installed(tmp_path, *flags, str(program))


def test_a_program_that_services_cannot_see_is_named_before_it_is_to_be_installed(tmp_path):
    flags = ("--domain", DOMAIN, "--yes", "--program", "/home/me/bin/smsbus")

    assert "First          /home/me/bin/smsbus is hidden from services" in init(tmp_path / "out", *flags).output
    assert "hidden from services" not in init(tmp_path / "two", "--compose", *flags).output


@pytest.mark.parametrize(
    ("command", "said"),
    [(("false",), "`false` failed (exit code 1)"), (("no-such-program",), "No such file or directory")],
)
def test_a_command_that_fails_is_named_with_why(tmp_path, command, said):
    machine = Machine(tmp_path, print)
    machine.is_this = True

    with pytest.raises(InitError, match=re.escape(said)):
        machine.run(*command)


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


def test_two_runs_at_once_do_not_make_two_secrets(tmp_path: Path) -> None:
    there = tmp_path / "smsbus-init"
    with alone(tmp_path):
        second = init(there, "--systemd", "--domain", "sms.example.org", "--yes")
    third = init(there, "--systemd", "--domain", "sms.example.org", "--yes")

    assert (second.exit_code, third.exit_code) == (1, 0), second.output
    assert second.stderr == f"smsbus: another `smsbus init` is at work below {tmp_path}: wait for its end\n"


def test_two_runs_of_other_directories_do_not_install_at_once(tmp_path: Path) -> None:
    machine = tmp_path / "machine"
    machine.mkdir()
    asked = (tmp_path / "one" / "here", "--systemd", *FLAGS, "--apply", "--root", str(machine))
    with alone(machine):
        meanwhile = init(*asked)
        there = [*machine.iterdir()]
    afterwards = init(*asked)

    assert (meanwhile.exit_code, there, afterwards.exit_code) == (1, [], 0), afterwards.output
    assert meanwhile.stderr == f"smsbus: another `smsbus init` is at work below {machine}: wait for its end\n"


def test_where_directories_cannot_be_locked_init_runs_all_the_same(tmp_path: Path, monkeypatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(locking.fcntl, "flock", flock)

    assert init(tmp_path / "smsbus-init", "--systemd", "--domain", "sms.example.org", "--yes").exit_code == 0
