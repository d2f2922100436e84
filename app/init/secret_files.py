"""The secrets of an installation: those that are there stay, a person's keys are asked for, the others are made."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from app.init.answers import Answers, InitError, Secret, secrets_of
from app.init.files import PRIVATE, File, folder_of_secrets
from app.init.writing import text_of

HINT: Final = "it is a secret of this installation; use sudo"

AskSecret = Callable[[str], str]


def new_token() -> str:
    """Return a token that nobody can guess."""
    return secrets.token_urlsafe(24)


def folders(answers: Answers, form_before: str | None, root: Path, directory: Path) -> list[Path]:
    """Return where secrets are looked for, the best first: where those of the form that ran before are in use."""
    found = []
    for form in dict.fromkeys((form_before or answers.form, answers.form)):
        places = [root, directory] if form == "systemd" else [directory]
        found += [place / folder_of_secrets(form) for place in places]
    return found


def secret_files(
    answers: Answers,
    folders: Sequence[Path],
    keys: Mapping[str, str],
    ask: AskSecret | None,
    *,
    make: Callable[[], str] = new_token,
) -> list[File]:
    """Return the files of all secrets; `keys`, by account, are given now, the others are those of `folders`.

    The first folder that has one wins. Raises `InitError` for a key that nobody knows, and a file that cannot be
    read.
    """
    if unknown := keys.keys() - {each.key_of for each in secrets_of(answers)}:
        message = f"--key-file: {', '.join(sorted(unknown))} is no account with a key"
        raise InitError(message)
    found = []
    for secret in secrets_of(answers):
        text = keys.get(secret.key_of or "") or _there(folders, secret.name) or _new(secret, ask, make)
        found.append(File(f"{folder_of_secrets(answers.form)}/{secret.name}", text.strip() + "\n", PRIVATE))
    return found


def _there(folders: Sequence[Path], name: str) -> str | None:
    """Return what the first of the folders has. A secret that is there and cannot be read must not become a new one."""
    paths = [folder / name for folder in folders]
    if links := [str(path) for path in paths if path.is_symlink()]:
        message = f"{', '.join(links)}: a link, and a secret has to be a file here"
        raise InitError(message)
    texts = {path: text for path in paths if (text := text_of(path, HINT)) is not None}
    if texts and not any(text.strip() for text in texts.values()):
        message = f"{', '.join(map(str, texts))}: empty; put the secret back, or remove the file for a new one"
        raise InitError(message)
    return next((text for text in texts.values() if text.strip()), None)


def _new(secret: Secret, ask: AskSecret | None, make: Callable[[], str]) -> str:
    if secret.key_of is None:
        return make()
    key = ask(f"Key of {secret.key_of} (it is not shown)").strip() if ask is not None else ""
    if not key:
        message = f"--key-file {secret.key_of}=FILE is missing: the key that the provider's site shows in your profile"
        raise InitError(message)
    return key
