"""Files that somebody is writing: their half is never taken for the whole."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.settings import file_reading
from app.settings.file_reading import Files
from app.settings.load import load, reader, settings_of
from app.settings.names import SettingsError

OLD, NEW, OTHER = "old-token-old-token-0123", "new-token-new-token-0123", "other-token-other-token-0"
SHOP = f'[accounts.shop]\nprovider = "pingme"\ncallback_tokens = "{OLD}"\n'
BOTH = SHOP + SHOP.replace("shop", "b").replace(OLD, OTHER)


@pytest.fixture
def file(environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    environment({})
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "smsbus.toml"
    path.write_text(BOTH)
    return path


class Pauses:
    """Time that passes between two readings; something happens in each, and then nothing more."""

    def __init__(self, *happen: Callable[[], object]) -> None:
        self.happen = [*happen]
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if self.happen:
            self.happen.pop(0)()


async def test_a_file_that_nobody_writes_is_read_twice_and_taken(file):
    pauses = Pauses()

    settings, files = await reader(pause=pauses)()

    assert sorted(settings.accounts) == ["b", "shop"]
    assert pauses.seconds == [file_reading.PAUSE]
    assert {path: each.text for path, each in files.each.items()} == {"smsbus.toml": BOTH}


async def test_the_first_half_of_a_file_that_is_being_written_is_not_taken(file):
    pauses = Pauses(lambda: file.write_text(BOTH))
    file.write_text(SHOP)  # it is TOML, and one account is missing

    settings, _ = await reader(pause=pauses)()

    assert sorted(settings.accounts) == ["b", "shop"]
    assert len(pauses.seconds) == 2


async def test_half_a_file_that_is_no_toml_is_no_error_while_it_is_being_written(file):
    again = reader(pause=Pauses(lambda: file.write_text(BOTH)))
    file.write_text("[accounts.sho")

    settings, _ = await again()

    assert sorted(settings.accounts) == ["b", "shop"]


async def test_a_file_that_is_written_again_with_the_same_content_is_being_written(file):
    before = file.stat().st_mtime_ns
    pauses = Pauses(lambda: os.utime(file, ns=(before + 1, before + 1)))

    await reader(pause=pauses)()

    assert len(pauses.seconds) == 2


async def test_a_secret_file_that_is_being_written_is_waited_for_as_well(file, environment, tmp_path):
    secret = tmp_path / "token"
    secret.write_text(OLD)
    environment(
        {"SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pingme", "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS_FILE": str(secret)}
    )
    file.write_text("")

    settings, files = await reader(pause=Pauses(lambda: secret.write_text(f"{OLD},{NEW}")))()

    assert settings.secrets() == [OLD, NEW]
    assert {path: each.text for path, each in files.each.items()} == {"smsbus.toml": "", str(secret): f"{OLD},{NEW}"}


async def test_a_file_that_is_written_on_and_on_is_refused_by_name(file):
    lines = iter(range(100))
    pauses = Pauses(*[lambda: file.write_text(f"{BOTH}# {next(lines)}\n")] * 100)

    with pytest.raises(SettingsError, match=r"^smsbus.toml is still being written: send SIGHUP again") as refused:
        await reader(pause=pauses)()

    assert len(refused.value.lines) == 1
    assert len(pauses.seconds) == file_reading.READINGS


async def test_a_file_that_cannot_be_read_is_named(file, environment, tmp_path):
    environment({"SMSBUS_ADMIN__TOKEN_FILE": str(tmp_path / "nope")})
    file.write_bytes(b"\xff")

    with pytest.raises(SettingsError) as refused:
        await reader(pause=Pauses())()
    assert refused.value.lines == [
        f"SMSBUS_ADMIN__TOKEN_FILE names {tmp_path}/nope, which cannot be read: No such file or directory"
    ]
    (tmp_path / "nope").write_text("an-admin-token-an-admin-token")
    with pytest.raises(SettingsError, match=r"^smsbus.toml cannot be read: it is not UTF-8$"):
        load()


def test_the_mark_that_editors_put_before_utf_8_belongs_to_no_setting(file, environment, tmp_path):
    (tmp_path / "token").write_bytes(b"\xef\xbb\xbfan-admin-token-an-admin-token\r\n")
    environment({"SMSBUS_ADMIN__TOKEN_FILE": str(tmp_path / "token")})
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())

    settings = load()

    assert settings.admin.token.get_secret_value() == "an-admin-token-an-admin-token"
    assert "shop" in settings.accounts


async def test_what_was_read_is_the_same_settings_where_it_is_sent_to(file):
    settings, files = await reader(pause=Pauses())()
    file.write_text(SHOP)

    line = files.as_line()

    assert line.count(b"\n") == 1
    assert settings_of(Files.of_line(line)).model_dump() == settings.model_dump()


# ---- files that are none -------------------------------------------------------------------------------------------


@pytest.fixture
def secret(file, environment, tmp_path) -> Path:
    """A file of a secret, that a variable names."""
    path = tmp_path / "token"
    path.write_text(OTHER)
    environment({"SMSBUS_ADMIN__TOKEN_FILE": str(path)})
    return path


@pytest.mark.parametrize(
    ("replace", "why"),
    [
        (os.mkfifo, "it is no regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "it is no regular file"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
    ],
    ids=["a pipe", "a device", "a directory", "a loop of links"],
)
async def test_a_reload_reads_nothing_but_files(file, secret, replace, why):
    again = reader(pause=Pauses())
    secret.unlink()
    replace(secret)

    with pytest.raises(SettingsError) as refused:
        await again()

    assert refused.value.lines == [f"SMSBUS_ADMIN__TOKEN_FILE names {secret}, which cannot be read: {why}"]


async def test_a_reload_that_finds_a_pipe_in_place_of_smsbus_toml_says_so(file):
    again = reader(pause=Pauses())
    file.unlink()
    os.mkfifo(file)

    with pytest.raises(SettingsError, match=r"^smsbus.toml cannot be read: it is no regular file$"):
        await again()


async def test_a_reload_follows_links(file, secret, tmp_path):
    again = reader(pause=Pauses())
    for path in (secret, file):
        path.symlink_to(path.rename(tmp_path / f"{path.name}.real"))

    settings, _ = await again()

    assert sorted(settings.accounts) == ["b", "shop"]


def test_a_start_may_read_a_secret_from_a_pipe(file, secret):
    secret.unlink()
    os.mkfifo(secret)
    writer = threading.Thread(target=secret.write_text, args=[NEW])

    writer.start()
    settings = load()
    writer.join()

    assert NEW in settings.secrets()


async def test_a_huge_file_is_refused_and_not_read_whole(file, secret):
    again = reader(pause=Pauses())
    os.truncate(secret, 1 << 40)
    os.truncate(file, 1 << 20)
    assert "\0" in Files.read(file, []).each[str(file)].text  # as much as there may be

    with pytest.raises(SettingsError, match=r"^SMSBUS_ADMIN__TOKEN_FILE names .*/token, which .*: it is over 1 MiB$"):
        await again()
    os.truncate(file, (1 << 20) + 1)
    secret.write_text(OTHER)
    with pytest.raises(SettingsError, match=r"^smsbus.toml cannot be read: it is over 1 MiB$"):
        await again()
    with pytest.raises(SettingsError, match=r"^smsbus.toml cannot be read: it is over 1 MiB$"):
        load()


HANGS = """
import asyncio, threading
from app.settings.file_reading import settled
from app.settings.names import SettingsError

async def main():
    try:
        await settled(threading.Event().wait, seconds=0.01)
    except SettingsError as error:
        print(*error.lines)

asyncio.run(main())
"""


async def test_a_disk_that_does_not_answer_is_waited_for_shortly_and_holds_up_no_end():
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", HANGS, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(30):
        said, _ = await process.communicate()

    assert process.returncode == 0
    assert said.decode().startswith("the files of the settings could not be read within 0.01 s")
