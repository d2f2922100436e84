"""Add or remove callback tokens: in smsbus.toml, where every other byte stays as it was, or in a file of their own."""

import json
import os
import re
import tempfile
import tomllib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from app.locking import locked
from app.settings.names import SettingsError
from app.settings.sections import listed

_VALUE = re.compile(r"""^[ \t]*callback_tokens[ \t]*=[ \t]*(?P<open>\[|"(?!"")|'(?!''))""", re.MULTILINE)
_TEXT = re.compile(r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*')""")
_WHOLE = re.compile(rf"""{_TEXT.pattern}|\[(?:{_TEXT.pattern}|\#[^\n]*|[^\]"'#])*\]""")
_NEXT_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)


def put_first(file: Path, account: str, token: str) -> None:
    """Make `token` the first of the account's callback tokens, the old ones after it.

    The file is replaced at once or not at all. Raises `SettingsError` where the account has no table of its own in it.
    """
    with _locked(file):
        new = with_token_first(_text(file), account, token)
        if new is None:
            advice = f'put the new token there yourself: callback_tokens = ["{token}", …the old ones]'
            raise SettingsError([f"{account} is not written as a table [accounts.{account}] in {file}; {advice}"])
        _replace(file, new)


def keep_first(file: Path, account: str, tokens: list[str]) -> None:
    """Remove all of the account's callback tokens but the first, if they are these `tokens`.

    Raises as `put_first` does, and where the file holds others by now: nobody knows who uses those.
    """
    with _locked(file):
        old = _text(file)
        _insist(file, _tokens(old, account), tokens)
        new = with_first_only(old, account)
        if new is None:
            advice = "remove all of its callback_tokens but the first yourself"
            raise SettingsError([f"{account} is not written as a table [accounts.{account}] in {file}; {advice}"])
        _replace(file, new)


def put_first_alone(file: Path, token: str) -> None:
    """Make `token` the first in a file that has an account's callback tokens alone, commas between them.

    The file is replaced at once or not at all. Raises `OSError` where it may not be.
    """
    with _locked(file):
        _replace(file, ",".join([token, *listed(_text(file))]) + "\n")


def keep_first_alone(file: Path, tokens: list[str]) -> None:
    """Remove all tokens but the first from such a file, if they are these `tokens`. Raises as both do."""
    with _locked(file):
        _insist(file, listed(_text(file)), tokens)
        _replace(file, tokens[0] + "\n")


def _insist(file: Path, found: list[str] | None, tokens: list[str]) -> None:
    if found != tokens:
        raise SettingsError([f"{file} has changed meanwhile: nothing was removed, look at it and try again"])


def with_token_first(text: str, account: str, token: str) -> str | None:
    """Return the TOML with the account's callback tokens grown at the front and nothing else changed.

    None where that takes more than an insertion: no table of the account's own, or a value that is no list and no text.
    """
    place = _place(text, account)
    if place is None:
        return None
    header_end, value = place
    if value is None:
        new = f'{text[:header_end]}\ncallback_tokens = ["{token}"]{text[header_end:]}'
    else:
        addition = f"{json.dumps(token)}, " if value["open"] == "[" else f"{token},"
        new = text[: value.end()] + addition + text[value.end() :]
    return new if _is_right(text, new, account, lambda tokens: [token, *tokens]) else None


def with_first_only(text: str, account: str) -> str | None:
    """Return the TOML with the first of the account's callback tokens alone, or None; comments among them go, too."""
    place = _place(text, account)
    if place is None or (value := place[1]) is None:
        return None
    whole = _WHOLE.match(text, value.start("open"))
    first = _TEXT.search(text, value.start("open"), whole.end()) if whole else None
    if whole is None or first is None:
        return None
    kept = f"[{first[0]}]" if value["open"] == "[" else first[0][0] + listed(first[0][1:-1])[0] + first[0][0]
    new = text[: whole.start()] + kept + text[whole.end() :]
    return new if _is_right(text, new, account, lambda tokens: tokens[:1]) else None


def _place(text: str, account: str) -> tuple[int, re.Match[str] | None] | None:
    """Return where the header of the account's table ends, and its tokens' value begins; None: there is no table."""
    name = re.escape(account)
    header = re.search(rf"^[ \t]*\[[ \t]*accounts[ \t]*\.[ \t]*{name}[ \t]*\][^\n]*$", text, re.MULTILINE)
    if header is None:
        return None
    following = _NEXT_TABLE.search(text, header.end())
    return header.end(), _VALUE.search(text, header.end(), following.start() if following else len(text))


def _is_right(old: str, new: str, account: str, change: Callable[[list[str]], list[str]]) -> bool:
    """Compare the parsed texts: if a pattern finds the wrong place, the file must not be changed."""
    try:
        before, after = tomllib.loads(old), tomllib.loads(new)
        tokens, now = (tree["accounts"][account].pop("callback_tokens", []) for tree in (before, after))
    except (tomllib.TOMLDecodeError, KeyError):
        return False
    return before == after and listed(now) == change(listed(tokens))


def _locked(file: Path) -> AbstractContextManager[None]:
    """Let no other rotation change the file meanwhile: from reading it to replacing it, one after the other."""
    return locked(file.resolve().parent)  # the file itself is replaced


def _tokens(text: str, account: str) -> list[str] | None:
    """Return the account's tokens, None where the text is no TOML with some."""
    try:
        return listed(tomllib.loads(text)["accounts"][account]["callback_tokens"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError):
        return None


def _text(file: Path) -> str:
    return file.read_bytes().decode("utf-8-sig")  # bytes: keep its line ends


def _replace(file: Path, text: str) -> None:
    """Replace the file, following links; its owner and its mode are kept."""
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
