"""The secrets of an installation: those that are there stay, a person's keys are asked for, the others are made."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app.init.answers import Answers, InitError, Secret, secrets_of
from app.init.files import PRIVATE, File, folder_of_secrets
from app.init.writing import text_of

AskSecret = Callable[[str], str]


def new_token() -> str:
    """Return a token that nobody can guess."""
    return secrets.token_urlsafe(24)


def secret_files(
    answers: Answers,
    directories: Sequence[Path],
    keys: Mapping[str, str],
    ask: AskSecret | None,
    *,
    make: Callable[[], str] = new_token,
) -> list[File]:
    """Return the files of all secrets; `keys`, by account, are given now, the others are those of `directories`.

    The first directory that has one wins. Raises `InitError` for a key that nobody knows, and a file that cannot be
    read.
    """
    if unknown := keys.keys() - {each.key_of for each in secrets_of(answers)}:
        message = f"--key-file: {', '.join(sorted(unknown))} is no account with a key"
        raise InitError(message)
    folder = folder_of_secrets(answers)
    found = []
    for secret in secrets_of(answers):
        path = f"{folder}/{secret.name}"
        text = keys.get(secret.key_of or "") or _there(directories, path) or _new(secret, ask, make)
        found.append(File(path, text.strip() + "\n", PRIVATE))
    return found


def _there(directories: Sequence[Path], path: str) -> str | None:
    """Return what the first of the directories has. A secret that we may not read must not become a new one."""
    hint = "it is a secret of this installation; use sudo"
    texts = (text_of(directory / path, hint) for directory in directories)
    return next((text for text in texts if text is not None), None)


def _new(secret: Secret, ask: AskSecret | None, make: Callable[[], str]) -> str:
    if secret.key_of is None:
        return make()
    key = ask(f"Key of {secret.key_of} (it is not shown)").strip() if ask is not None else ""
    if not key:
        message = f"--key-file {secret.key_of}=FILE is missing: the key that the provider's site shows in your profile"
        raise InitError(message)
    return key
