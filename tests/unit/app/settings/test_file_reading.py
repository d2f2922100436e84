"""Files that somebody is writing: their half is never taken for the whole."""

import os
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
    assert refused.value.lines == ["SMSBUS_ADMIN__TOKEN_FILE names a file that cannot be read: FileNotFoundError"]
    (tmp_path / "nope").write_text("an-admin-token-an-admin-token")
    with pytest.raises(SettingsError, match=r"^smsbus.toml cannot be read: UnicodeDecodeError$"):
        load()


async def test_what_was_read_is_the_same_settings_where_it_is_sent_to(file):
    settings, files = await reader(pause=Pauses())()
    file.write_text(SHOP)

    line = files.as_line()

    assert line.count(b"\n") == 1
    assert settings_of(Files.of_line(line)).model_dump() == settings.model_dump()
