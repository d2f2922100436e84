"""A token is rotated in the text of smsbus.toml: one insertion, and every other byte stays."""

import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.cli import callback
from app.settings.names import SettingsError
from app.settings.rotation import keep_first, put_first, with_first_only, with_token_first

NEW = "NEW-token"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            '# mine\n[accounts.shop]\nprovider = "pingme" # x\ncallback_tokens = ["old"]  # y\n[kafka]\n',
            '# mine\n[accounts.shop]\nprovider = "pingme" # x\ncallback_tokens = ["NEW-token", "old"]  # y\n[kafka]\n',
        ),
        (
            "[accounts.shop]\ncallback_tokens = 'a,b'\n",
            "[accounts.shop]\ncallback_tokens = 'NEW-token,a,b'\n",
        ),
        (
            '[accounts.shop]\r\n  callback_tokens="old"\r\n',
            '[accounts.shop]\r\n  callback_tokens="NEW-token,old"\r\n',
        ),
        (
            '[ accounts . shop ] # here\ncallback_tokens = [\n  "a",\n  "b",\n]\n',
            '[ accounts . shop ] # here\ncallback_tokens = ["NEW-token", \n  "a",\n  "b",\n]\n',
        ),
        (
            '[accounts.shop]\nprovider = "pingme"\n',
            '[accounts.shop]\ncallback_tokens = ["NEW-token"]\nprovider = "pingme"\n',
        ),
        ("[accounts.shop]", '[accounts.shop]\ncallback_tokens = ["NEW-token"]'),
        ("[accounts.shop]\ncallback_tokens = []\n", '[accounts.shop]\ncallback_tokens = ["NEW-token", ]\n'),
        (
            '[accounts.bar]\ncallback_tokens = ["x"]\n[accounts.shop]\ncallback_tokens = ["y"]\n',
            '[accounts.bar]\ncallback_tokens = ["x"]\n[accounts.shop]\ncallback_tokens = ["NEW-token", "y"]\n',
        ),
        (
            '[accounts.shop]\napp_key = "k"\n[accounts.b]\ncallback_tokens = ["x"]\n',
            '[accounts.shop]\ncallback_tokens = ["NEW-token"]\napp_key = "k"\n[accounts.b]\ncallback_tokens = ["x"]\n',
        ),
    ],
)
def test_the_new_token_comes_first_and_nothing_else_changes(old, new):
    assert with_token_first(old, "shop", NEW) == new
    tomllib.loads(new)


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[accounts.shops]\ncallback_tokens = ["a"]\n',
        'accounts.shop.callback_tokens = ["a"]\n',
        'accounts = {shop = {callback_tokens = ["a"]}}\n',
        '[accounts.shop]\ncallback_tokens = """a"""\n',
        '[accounts.shop]\n"callback_tokens" = ["a"]\n',
        '[accounts.shop]\nbase_url = """\ncallback_tokens = ["a"]\n"""\n',
        "[accounts.shop]\nbroken = \n",
    ],
)
def test_what_takes_more_than_an_insertion_is_left_to_a_person(text):
    assert with_token_first(text, "shop", NEW) is None


def test_a_file_with_the_mark_of_utf_8_is_changed_as_any_other(tmp_path: Path) -> None:
    file = tmp_path / "smsbus.toml"
    file.write_bytes(b'\xef\xbb\xbf[accounts.shop]\r\ncallback_tokens = ["old"]\r\n')

    put_first(file, "shop", NEW)

    assert file.read_bytes() == f'[accounts.shop]\r\ncallback_tokens = ["{NEW}", "old"]\r\n'.encode()


def test_a_link_stays_one_and_the_file_that_it_leads_to_is_changed(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "smsbus.toml"
    real.write_text('[accounts.shop]\ncallback_tokens = ["old"]\n')
    link.symlink_to(real)

    put_first(link, "shop", NEW)

    assert link.is_symlink()
    assert NEW in real.read_text()


def test_the_file_stays_its_owner_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "smsbus.toml"
    file.write_text('[accounts.shop]\ncallback_tokens = ["old"]\n')
    file.chmod(0o640)
    owned = file.stat()
    given: list[tuple[int, int]] = []
    monkeypatch.setattr("app.settings.rotation.os.geteuid", lambda: owned.st_uid + 1)  # another user does it
    monkeypatch.setattr("app.settings.rotation.os.fchown", lambda _, uid, gid: given.append((uid, gid)))

    put_first(file, "shop", NEW)

    assert given == [(owned.st_uid, owned.st_gid)]
    assert file.stat().st_mode & 0o777 == 0o640


def test_what_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "smsbus.toml"
    file.write_text('[accounts.shop]\ncallback_tokens = ["old"]\n')

    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("app.settings.rotation.os.fchmod", refused)
    with pytest.raises(PermissionError):
        put_first(file, "shop", NEW)

    assert list(tmp_path.iterdir()) == [file]
    assert NEW not in file.read_text()


def test_whoever_rotates_at_the_same_time_finds_every_token_in_the_file(
    tmp_path: Path,
) -> None:
    file = tmp_path / "smsbus.toml"
    file.write_text('[accounts.shop]\ncallback_tokens = ["old"]\n')
    tokens = [f"token-{number}" for number in range(12)]
    together = threading.Barrier(len(tokens))

    def put(token: str) -> None:
        together.wait()
        put_first(file, "shop", token)

    with ThreadPoolExecutor(len(tokens)) as threads:
        [*threads.map(put, tokens)]

    assert {*tomllib.loads(file.read_text())["accounts"]["shop"]["callback_tokens"]} == {"old", *tokens}
    assert list(tmp_path.iterdir()) == [file]


# ---- the old ones go -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            '# mine\n[accounts.shop]\ncallback_tokens = ["new", "old"]  # y\nprovider = "pingme" # "x"\n[kafka]\n',
            '# mine\n[accounts.shop]\ncallback_tokens = ["new"]  # y\nprovider = "pingme" # "x"\n[kafka]\n',
        ),
        ("[accounts.shop]\ncallback_tokens = 'new, a,b' # z\n", "[accounts.shop]\ncallback_tokens = 'new' # z\n"),
        ('[accounts.shop]\r\n  callback_tokens="new,old"\r\n', '[accounts.shop]\r\n  callback_tokens="new"\r\n'),
        (
            '[accounts.shop]\ncallback_tokens = [ # ] all\n  \'new\', # it\'s new\n  "old]",\n]\nuser_id = "u"\n',
            "[accounts.shop]\ncallback_tokens = ['new']\nuser_id = \"u\"\n",
        ),
        (
            '[accounts.bar]\ncallback_tokens = ["x", "y"]\n[accounts.shop]\ncallback_tokens = ["new", "old"]\n',
            '[accounts.bar]\ncallback_tokens = ["x", "y"]\n[accounts.shop]\ncallback_tokens = ["new"]\n',
        ),
        ('[accounts.shop]\ncallback_tokens = ["new"]\n', '[accounts.shop]\ncallback_tokens = ["new"]\n'),
    ],
)
def test_only_the_first_token_stays_and_nothing_else_changes(old, new):
    assert with_first_only(old, "shop") == new
    tomllib.loads(new)


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[accounts.shop]\nprovider = "pingme"\n',
        "[accounts.shop]\ncallback_tokens = []\n",
        'accounts.shop.callback_tokens = ["a", "b"]\n',
        '[accounts.shop]\ncallback_tokens = """a,b"""\n',
        '[accounts.shop]\ncallback_tokens = [ # not "x"\n"a", "b"]\n',
        '[accounts.shop]\ncallback_tokens = ["a", "b"\n',
        '[accounts.shop]\nbase_url = """\ncallback_tokens = ["a", "b"]\n"""\n',
    ],
)
def test_what_cannot_be_cut_out_is_left_to_a_person(text):
    assert with_first_only(text, "shop") is None


def test_old_tokens_leave_a_link_and_its_file_s_mode_as_they_are(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "smsbus.toml"
    real.write_text('[accounts.shop]\ncallback_tokens = ["new", "old"]\n')
    real.chmod(0o640)
    link.symlink_to(real)

    keep_first(link, "shop", ["new", "old"])

    assert link.is_symlink()
    assert real.read_text() == '[accounts.shop]\ncallback_tokens = ["new"]\n'
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_file_that_a_person_must_change_is_named_and_shows_no_token(tmp_path: Path) -> None:
    file = tmp_path / "smsbus.toml"
    file.write_text('accounts.shop.callback_tokens = ["a-token", "b-token"]\n')

    with pytest.raises(SettingsError, match=r"as a table \[accounts.shop\] in \S+smsbus.toml") as refused:
        keep_first(file, "shop", ["a-token", "b-token"])

    assert "-token" not in str(refused.value)


@pytest.mark.parametrize(
    "asked", [["new"], ["old"], ["old", "new"], ["newer", "new", "old"], ["new", "old", "older"], []]
)
def test_tokens_that_are_not_those_that_were_asked_about_stay(tmp_path: Path, asked: list[str]) -> None:
    file = tmp_path / "smsbus.toml"
    file.write_text('[accounts.shop]\ncallback_tokens = ["new", "old"]\n')

    with pytest.raises(SettingsError, match=r"smsbus.toml has changed meanwhile: nothing was removed"):
        keep_first(file, "shop", asked)

    assert file.read_text() == '[accounts.shop]\ncallback_tokens = ["new", "old"]\n'


@pytest.mark.parametrize("force", [False, True])
def test_a_token_that_comes_while_the_service_is_asked_takes_none_away(
    environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, process_is_restored, force: bool
) -> None:
    environment({})
    file = tmp_path / "smsbus.toml"
    new, old = "new-token-new-token-0123", "old-token-old-token-0123"
    file.write_text(f'[accounts.shop]\nprovider = "pingme"\ncallback_tokens = ["{new}", "{old}"]\n')

    def rotated_meanwhile(*_: object) -> Path:
        put_first(file, "shop", "newest-token-newest-token")
        return file

    async def nobody_uses_it(*_: object) -> list[str]:
        return []

    monkeypatch.setattr("app.settings.retirement.objections", nobody_uses_it)
    monkeypatch.setattr(callback, "_file_to_change", rotated_meanwhile)
    with pytest.raises(SettingsError, match="has changed meanwhile"):
        callback._retire("shop", file, force=force)

    assert all(token in file.read_text() for token in ("newest-token-newest-token", new, old))


def test_retiring_removes_the_tokens_that_it_asked_about(
    environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, process_is_restored
) -> None:
    environment({})
    file = tmp_path / "smsbus.toml"
    file.write_text(
        '[accounts.shop]\nprovider = "pingme"\ncallback_tokens = "new-token-new-token-0123, old-token-old-token-0123"\n'
    )

    callback._retire("shop", file, force=True)

    assert file.read_text() == '[accounts.shop]\nprovider = "pingme"\ncallback_tokens = "new-token-new-token-0123"\n'
