"""A new callback token in smsbus.toml: two insertions at most, and every other byte stays as it was."""

import json
import os
import re
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from app.sections import listed
from app.variables import SettingsError

_VALUE = re.compile(r"""^[ \t]*callback_tokens[ \t]*=[ \t]*(?P<open>\[|"(?!"")|'(?!''))""", re.MULTILINE)
_NEXT_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)


def put_first(file: Path, account: str, token: str) -> None:
    """Make `token` the first of the account's callback tokens, the old ones after it.

    The file is replaced at once or not at all. Raises `SettingsError` where the account has no table of its own in it.
    """
    old = file.read_bytes().decode("utf-8")  # bytes: its line ends are its own
    new = with_token_first(old, account, token)
    if new is None:
        message = (
            f"{file} has no plain [accounts.{account}] to change; put the new token there yourself: "
            f'callback_tokens = ["{token}", …the old ones]'
        )
        raise SettingsError([message])
    _replace(file, new)


def with_token_first(text: str, account: str, token: str) -> str | None:
    """Return the TOML with the account's callback tokens grown at the front and nothing else changed.

    None where that takes more than an insertion: no table of the account's own, or a value that is no list and no text.
    """
    new = _inserted(text, account, token)
    try:
        return new if new and _is_right(tomllib.loads(text), tomllib.loads(new), account, token) else None
    except tomllib.TOMLDecodeError:
        return None


def _inserted(text: str, account: str, token: str) -> str | None:
    header = re.search(rf"^[ \t]*\[[ \t]*accounts[ \t]*\.[ \t]*{re.escape(account)}[ \t]*\][^\n]*$", text, re.MULTILINE)
    if header is None:
        return None
    following = _NEXT_TABLE.search(text, header.end())
    value = _VALUE.search(text, header.end(), following.start() if following else len(text))
    if value is None:
        return f'{text[: header.end()]}\ncallback_tokens = ["{token}"]{text[header.end() :]}'
    addition = f"{json.dumps(token)}, " if value["open"] == "[" else f"{token},"
    return text[: value.end()] + addition + text[value.end() :]


def _is_right(old: dict[str, Any], new: dict[str, Any], account: str, token: str) -> bool:
    """Compare what the two texts mean: a pattern that finds the wrong place must not reach the file."""
    before, after = (tree["accounts"][account].get("callback_tokens", []) for tree in (old, new))
    return listed(after) == [token, *listed(before)]


def _replace(file: Path, text: str) -> None:
    """Replace what the name leads to, a link's target included; who owns it and who may read it stays as it is."""
    file = file.resolve()
    old = file.stat()
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as new:
        try:
            new.write(text.encode())
            new.flush()
            if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(new.fileno(), old.st_uid, old.st_gid)
            os.fchmod(new.fileno(), old.st_mode)
            os.fsync(new.fileno())
            Path(new.name).replace(file)
        except BaseException:
            Path(new.name).unlink()
            raise
