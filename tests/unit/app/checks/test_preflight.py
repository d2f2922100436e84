"""`check` looks at one thing after the other; those that need no broker are shown here."""

import os
import sqlite3
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.checks import preflight
from app.errors import StartupError
from app.lifecycle import refuse_without_accounts
from app.settings.load import load
from bus.journal import status
from bus.journal.claim import try_claim
from bus.journal.journal import FILE_NAME, Journal
from bus.record import build
from tests.messages import sms

SHOP = {"SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pingme", "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS": "x" * 22}
PUBLIC = {"SMSBUS_RECEIVER__PUBLIC_URL": "https://sms.example"}

HOOK = {"SMSBUS_FORWARDS__HOOK__SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}


@pytest.mark.parametrize(
    ("now", "mark"), [(datetime(1970, 1, 2, tzinfo=UTC), "failed"), (datetime(2027, 1, 1, tzinfo=UTC), "ok")]
)
def test_a_clock_that_was_never_set_is_found_out(now, mark):
    assert preflight._clock(now).mark == mark


def test_an_account_with_an_unguessable_token_is_fine(environment):
    environment(SHOP | PUBLIC)

    assert [finding.mark for finding in preflight._accounts(load())] == ["ok"]


def test_what_others_can_read_is_a_warning_that_says_how_to_mend_it(environment, tmp_path):
    data, file = tmp_path / "own", tmp_path / "smsbus.toml"
    data.mkdir(mode=0o755)
    file.touch(mode=0o644)
    environment(SHOP | {"SMSBUS_DATA_DIR": str(data), "SMSBUS_BUS__JOURNAL_DIR": str(tmp_path / "none")})
    before = [finding.text for finding in preflight._open_to_others(load(), file)]
    data.chmod(0o700)
    file.chmod(0o600)

    assert before == [f"{path} can be read by other users of this machine: `chmod go= {path}`" for path in (file, data)]
    assert list(preflight._open_to_others(load(), file)) == []


def test_each_file_with_a_secret_or_a_private_key_that_others_can_read_is_a_warning(environment, tmp_path):
    files = {
        "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS_FILE": "x" * 22,
        "SMSBUS_KAFKA__SASL_PLAIN_PASSWORD_FILE": "hunter2-hunter2",
        "SMSBUS_KAFKA__SSL_KEYFILE": "a private key",
    }
    named = {name: tmp_path / name.lower() for name in files}
    for name, path in named.items():
        path.write_text(files[name])
        path.chmod(0o644)
    login = {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_PLAIN_USERNAME": "u"}
    (tmp_path / "certificate").touch(mode=0o644)
    environment(
        {"SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pingme", "SMSBUS_DATA_DIR": str(tmp_path / "none")}
        | {f"SMSBUS_KAFKA__{name}": value for name, value in login.items()}
        | {"SMSBUS_KAFKA__SSL_CERTFILE": str(tmp_path / "certificate")}
        | {name: str(path) for name, path in named.items()}
    )

    found = [finding.text for finding in preflight._open_to_others(load(), None)]
    for path in named.values():
        path.chmod(0o600)

    assert found == [
        f"{path} can be read by other users of this machine: `chmod go= {path}`" for path in named.values()
    ]
    assert list(preflight._open_to_others(load(), None)) == []


def test_a_key_in_the_certificate_s_file_is_a_private_key_too(environment, tmp_path):
    both = tmp_path / "both.pem"
    both.touch(mode=0o644)
    environment(SHOP | {"SMSBUS_DATA_DIR": str(tmp_path / "none"), "SMSBUS_KAFKA__SSL_CERTFILE": str(both)})

    [finding] = preflight._open_to_others(load(), None)

    assert str(both) in finding.text


@pytest.mark.parametrize(("mode", "warned"), [(0o640, False), (0o644, True)], ids=["its group", "everybody"])
def test_a_secret_of_another_user_that_this_one_reads_by_its_group_is_fine(
    environment, tmp_path, monkeypatch, mode, warned
):
    file = tmp_path / "tokens"
    file.write_text("x" * 22)
    file.chmod(mode)
    named = {"SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS_FILE": str(file), "SMSBUS_DATA_DIR": str(tmp_path / "none")}
    environment({"SMSBUS_ACCOUNTS__SHOP__PROVIDER": "pingme"} | named)
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)

    found = [finding.text for finding in preflight._open_to_others(load(), None)]

    assert [f"chgrp {os.getegid()} {file} && chmod o= {file}" in text for text in found] == [True] * warned


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"SMSBUS_RECEIVER__PUBLIC_URL": "http://sms.example.org"}, "SMSBUS_RECEIVER__PUBLIC_URL is http://"),
        ({"SMSBUS_RECEIVER__PUBLIC_URL": "http://127.0.0.1:8080"}, None),
        (
            {**HOOK, "SMSBUS_FORWARDS__HOOK__URL": "http://hook.example.org/x"},
            "SMSBUS_FORWARDS__HOOK__URL is http://: each SMS",
        ),
        ({**HOOK, "SMSBUS_FORWARDS__HOOK__URL": "hook.example.org/x"}, None),
        (
            {
                "SMSBUS_ACCOUNTS__G__PROVIDER": "grizzlysms",
                "SMSBUS_ACCOUNTS__G__API_KEY": "hunter2-hunter2",
                "SMSBUS_ACCOUNTS__G__BASE_URL": "http://api.example.org/x",
            },
            "SMSBUS_ACCOUNTS__G__BASE_URL is http://: the API key",
        ),
        (
            {
                "SMSBUS_KAFKA__SECURITY_PROTOCOL": "SASL_PLAINTEXT",
                "SMSBUS_KAFKA__SASL_PLAIN_USERNAME": "u",
                "SMSBUS_KAFKA__SASL_PLAIN_PASSWORD": "hunter2-hunter2",
            },
            "sends the password unencrypted",
        ),
    ],
)
def test_what_can_be_read_on_its_way_is_a_warning(environment, tmp_path, settings, words):
    environment(SHOP | settings | {"SMSBUS_DATA_DIR": str(tmp_path / "none")})

    found = [finding.text for finding in preflight._open_to_others(load(), None)]

    assert [words in text for text in found] == ([True] if words else [])
    assert "hunter2" not in str(found)


def test_no_account_is_a_failure_that_says_what_to_set(environment):
    environment({})

    [finding] = preflight._accounts(load())

    assert finding.mark == "failed"
    assert "SMSBUS_ACCOUNTS__<NAME>__PROVIDER=pingme" in finding.text


@pytest.mark.parametrize("role", ["receiver", "pollers"])
def test_a_role_without_accounts_of_its_kind_is_refused_as_serve_refuses_it(environment, role):
    polled = {"SMSBUS_ACCOUNTS__G__PROVIDER": "grizzlysms", "SMSBUS_ACCOUNTS__G__API_KEY": "hunter2-hunter2"}
    environment(polled if role == "receiver" else SHOP)
    with pytest.raises(StartupError) as refused:
        refuse_without_accounts(load(), role)

    findings = list(preflight._accounts(load(), role))

    assert [finding.mark for finding in findings] == ["failed", "ok"]
    assert str(refused.value).startswith(findings[0].text)


def test_the_targets_of_forwarding_are_named_without_what_may_be_secret(environment):
    hook = {"URL": "https://me:hunter2@example.com/hunter2?hunter2", "SECRET": f"whsec_{'a' * 32}"}
    mine = {"URL": "[::1]:3000/hunter2", "SECRET": f"whsec_{'a' * 32}", "ALLOW_PRIVATE": "true"}
    environment(
        {f"SMSBUS_FORWARDS__HOOK__{key}": value for key, value in hook.items()}
        | {f"SMSBUS_FORWARDS__MINE__{key}": value for key, value in mine.items()}
    )

    assert [finding.text for finding in preflight._targets(load())] == [
        "target hook: https://example.com",
        "target mine: http://[::1]:3000, which may be private",
    ]


async def written(directory: Path, rows: int) -> Path:
    """Make a journal that nobody holds."""
    directory.mkdir(parents=True)
    journal = Journal(directory, max_bytes=10**9)
    await journal.open()
    await journal.append([build(sms(n=n), topic_prefix="", instance="t") for n in range(rows)])
    await journal.close()
    return directory


async def test_what_waits_in_the_journal_is_said_with_a_command(environment, tmp_path):
    environment(SHOP | {"SMSBUS_DATA_DIR": str(tmp_path)})
    aside = await written(tmp_path / "journal" / "aaaaaaaaaaaa.damaged", 2)
    free = await written(tmp_path / "journal" / "bbbbbbbbbbbb", 3)
    held = await written(tmp_path / "journal" / "cccccccccccc", 4)
    await written(tmp_path / "journal" / "dddddddddddd", 0)
    holder = try_claim(held)

    _, *found = preflight._journal(load())

    assert holder
    holder.release()
    assert [finding.mark for finding in found] == ["failed", "warning", "warning"]
    assert f"{aside}: it is quarantined" in found[0].text
    assert f"`mv {aside} {aside.with_suffix('')}`" in found[0].text
    assert f"3 accepted messages wait in the journal {free}" in found[1].text
    assert f"smsbus journal drain {tmp_path}/journal" in found[1].text
    assert f"4 accepted messages wait in the journal {held}" in found[2].text


async def test_how_much_of_the_journal_s_limit_is_taken_is_said(environment, tmp_path):
    directory = await written(tmp_path / "journal" / "bbbbbbbbbbbb", 3)
    [size] = [each.bytes for each in status.status([directory])]

    [found] = preflight._waiting(directory.parent, 2 * size)

    assert f"3 accepted messages (50% of the limit) wait in the journal {directory}" in found.text


async def test_a_damaged_row_is_a_warning_before_the_start_that_makes_a_dead_letter_of_it(environment, tmp_path):
    environment(SHOP | {"SMSBUS_DATA_DIR": str(tmp_path)})
    directory = await written(tmp_path / "journal" / "bbbbbbbbbbbb", 3)
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection:
        connection.execute("UPDATE rows SET value = replace(value, 'code', 'cpde') WHERE seq = 2")
        connection.commit()

    _, damaged, waits = preflight._journal(load())

    assert (damaged.mark, waits.mark) == ("warning", "warning")
    assert f"{directory}: 1 row is damaged" in damaged.text
    assert "`smsbus journal show`" in damaged.text


def test_without_a_public_url_nobody_knows_what_pingme_sees(environment):
    environment(SHOP)

    warning, account = preflight._accounts(load())

    assert warning.mark == "warning"
    assert "SMSBUS_RECEIVER__PUBLIC_URL" in warning.text
    assert account.mark == "ok"


@pytest.mark.parametrize("there", ["", "own", "own/journal"])
def test_a_check_makes_nothing(environment, tmp_path, there):
    (tmp_path / there).mkdir(parents=True, exist_ok=True)
    environment(SHOP | {"SMSBUS_DATA_DIR": str(tmp_path / "own")})
    before = sorted(tmp_path.rglob("*"))

    [finding] = preflight._journal(load())

    assert finding.mark != "failed"
    assert f"the journal can be written at {tmp_path}/own/journal" in finding.text
    assert sorted(tmp_path.rglob("*")) == before


def test_a_disk_that_takes_files_and_nothing_in_them_is_full(environment, tmp_path, monkeypatch):
    environment(SHOP | {"SMSBUS_DATA_DIR": str(tmp_path)})

    @contextmanager
    def full(**_):
        with Path("/dev/full").open("wb") as file:
            yield file

    monkeypatch.setattr(preflight.tempfile, "TemporaryFile", full)

    [finding] = preflight._journal(load())

    assert finding.mark == "failed"
    assert f"the journal cannot be written at {tmp_path}/journal" in finding.text
    assert finding.text.endswith("No space left on device")


@pytest.mark.parametrize("name", ["own/journal", "own/journal/below"])
def test_a_journal_below_a_file_is_one_failed_line(environment, tmp_path, name):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "journal").touch()
    environment(SHOP | {"SMSBUS_DATA_DIR": str(tmp_path / "own"), "SMSBUS_BUS__JOURNAL_DIR": str(tmp_path / name)})

    [finding] = preflight._journal(load())

    assert finding.mark == "failed"
    assert f"the journal cannot be written at {tmp_path}/{name}" in finding.text


@pytest.mark.loopback
async def test_directories_that_this_user_cannot_open_are_one_failed_line(environment, tmp_path, monkeypatch):
    environment(SHOP | {"SMSBUS_DATA_DIR": str(tmp_path), "SMSBUS_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"})
    stat = Path.stat

    def closed(path, **more):  # played: a test may run as root, who may do everything
        if tmp_path in path.parents:
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **more)

    monkeypatch.setattr(Path, "stat", closed)

    findings = [finding async for finding in preflight.look(load(), now=datetime.now(UTC))]

    failed = [finding.text for finding in findings if finding.mark == "failed"]
    assert len(failed) == 2
    assert failed[1].startswith(f"the journal cannot be written at {tmp_path}/journal (SMSBUS_BUS__JOURNAL_DIR)")
    assert failed[1].endswith("Permission denied")


@pytest.mark.loopback
async def test_an_inbox_needs_neither_accounts_nor_a_journal(environment, tmp_path):
    (tmp_path / "journal").touch()  # where no journal could be
    environment({"SMSBUS_DATA_DIR": str(tmp_path), "SMSBUS_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"})
    refuse_without_accounts(load(), "inbox")

    findings = [finding async for finding in preflight.look(load(), now=datetime.now(UTC), role="inbox")]

    [failed] = [finding.text for finding in findings if finding.mark == "failed"]
    assert "127.0.0.1:1" in failed
    assert not any("journal" in finding.text and "written" in finding.text for finding in findings)
