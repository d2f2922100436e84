"""What a run of `smsbus init` is about to do: the answers, their files, and which of those differ."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from app.init.answers import Answers, Ask, InitError, complete
from app.init.files import VARIABLES, File, Installed, files_of, folder_of_secrets, installed_by
from app.init.installing import refuse_foreign
from app.init.secret_files import AskSecret, folders, secret_files
from app.init.unfinished import note
from app.init.writing import Change, as_edited, changes, shown, text_of, write

REMOVED = "account {} ({}) {} removed; its secret stays where it was, in {}"
MOVED = "callbacks went to {}, and go to {} now: give PingMe the new URL"
SWITCHED = "it was --{}, which still runs where it was started: remove that first (docs/guides/installation.md)"


ELSEWHERE = (
    "{} is installed, and {} has no init.toml: give the --dir of the first run. If that is lost, move the installed "
    "file away, and name all accounts; the secrets stay"
)


class Wanted(NamedTuple):
    """What a person wants of this run, beside what was answered before."""

    given: Mapping[str, Any]
    removed: Sequence[str]
    """Names of accounts."""
    keys: Mapping[str, str]
    """By account."""
    takes_defaults: bool


class Plan(NamedTuple):
    """What is about to be written below a directory."""

    directory: Path
    before: Mapping[str, Any]
    answers: Answers
    removed: Sequence[str]
    files: list[File]
    """Of the installation."""
    differing: list[Change]
    installed: Installed
    """By an earlier run, perhaps from another directory."""

    def warnings(self, *, is_done: bool) -> Iterator[str]:
        """Yield what a person should know of what an earlier run has left."""
        form = self.before.get("form", self.answers.form)
        accounts = self.installed.accounts | self.before.get("accounts", {})
        for name in sorted({*self.removed, *self.installed.accounts} - self.answers.accounts.keys()):
            verb = "is" if is_done else "would be"
            yield REMOVED.format(name, accounts[name], verb, folder_of_secrets(form))
        if self.installed.domain not in {None, self.answers.domain}:
            yield MOVED.format(self.installed.domain, self.answers.domain)
        if form != self.answers.form:
            yield SWITCHED.format(form)

    def shown(self) -> Iterator[str]:
        """Yield new files and differences, secrets masked."""
        return (line for each in self.differing for line in shown(each))

    def write(self) -> Iterator[str]:
        """Write what differs, and yield the path and the mode of each."""
        if self.answers.form == "compose":  # the containers use the files where they are written
            note(self.directory, (each.file.path for each in self.differing))
        for each in self.differing:
            yield f"{write(self.directory, each)} {each.file.mode:04o}"


def planned(
    wanted: Wanted,
    before: Mapping[str, Any],
    directory: Path,
    root: Path,
    ask: Ask | None,
    ask_secret: AskSecret | None,
) -> Plan:
    """Return the plan. `before` is what was answered before; secrets that are installed below `root` stay.

    The last two ask a person, and are None where nobody can be asked. Raises `InitError`.
    """
    _refuse_another_directory(before, directory, root)
    answers = complete(wanted.given, before, ask, takes_defaults=wanted.takes_defaults, removed=wanted.removed)
    files = as_edited(directory, files_of(answers))
    files += secret_files(answers, folders(answers, before.get("form"), root, directory), wanted.keys, ask_secret)
    differing = changes(directory, files)
    refuse_foreign(directory, differing)
    differing += changes(directory, [File("init.toml", answers.as_toml())])
    return Plan(directory, before, answers, wanted.removed, files, differing, _installed(answers, root))


def _installed(answers: Answers, root: Path) -> Installed:
    text = text_of(root / VARIABLES, "use sudo") if answers.form == "systemd" else None
    return installed_by(text or "")


def _refuse_another_directory(before: Mapping[str, Any], directory: Path, root: Path) -> None:
    """Raise `InitError` where something is installed whose answers are elsewhere: its accounts would be gone."""
    installed = root / VARIABLES
    if "form" not in before and installed.exists():
        message = ELSEWHERE.format(installed, directory.absolute())
        raise InitError(message)


def installed_differences(plan: Plan, root: Path) -> Iterator[str]:
    """Yield what `--apply` would change of what is installed below `root`. Raises `InitError` if it cannot be read."""
    if plan.answers.form == "systemd":
        differing = [each for each in changes(root, plan.files) if each.before is not None]
        yield from (f"installed {line}" for each in differing for line in shown(each))
