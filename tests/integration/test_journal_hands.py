"""`smsbus journal show|export|skip`: a running owner is asked over its admin listener, what nobody holds is held."""

import asyncio
import base64
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from app.admin.journals import JournalApi
from app.admin.listener import Admin
from app.cli import cli
from app.cli.exit import Code
from app.settings.sections import AdminSettings
from app.workers.admin import JointAdmin
from app.workers.worker_process import Worker
from bus.contract import Ledger
from bus.journal import claim, skipped, status
from bus.journal.claim import is_closed, try_claim
from bus.journal.journal import FILE_NAME, LOG_NAME, Journal
from bus.journal.rows import TRIES, RowName, Unread
from bus.kafka import topics
from bus.record import build
from bus.settings import BusSettings
from tests.messages import rejected, sms
from tests.stuck_bus import POISON, StuckBus, on_disk, poisoned

pytestmark = pytest.mark.usefixtures("process_is_restored")
TOKEN = "a-long-token-of-the-admin"
SECRETS = ("16470000000", "4711", base64.b64encode(POISON).decode())
TEXT = "your code is 4711"

Smsbus = Callable[..., Result]


@pytest.fixture
def smsbus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Smsbus:
    """The command line with settings of its own."""
    for name in [name for name in os.environ if name.upper().startswith("SMSBUS")]:
        monkeypatch.delenv(name)
    own = {"BUS__JOURNAL_DIR": tmp_path / "journal", "DATA_DIR": tmp_path / "own", "ADMIN__PORT": 1}
    for name, value in own.items():
        monkeypatch.setenv(f"SMSBUS_{name}", str(value))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, typed: str = "", **settings: object) -> Result:
        for name, value in settings.items():
            monkeypatch.setenv(f"SMSBUS_{name}", str(value))
        return CliRunner().invoke(cli, ["journal", *arguments], input=typed)

    return run


async def on_thread(smsbus: Smsbus, *arguments: str, **more: object) -> Result:
    """Run it while this loop serves."""
    return await asyncio.to_thread(smsbus, *arguments, **more)


@pytest.fixture
async def stuck_bus(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[StuckBus]:
    request.applymarker(pytest.mark.unaudited("its Kafka is played"))
    stuck_bus = StuckBus(tmp_path / "journal")
    stuck_bus.hangs.set()
    await stuck_bus.bus.start()
    yield stuck_bus
    await stuck_bus.bus.stop(0)


def listener(stuck_bus: StuckBus) -> Admin:
    settings = AdminSettings(port=0, token=SecretStr(TOKEN))
    registry = CollectorRegistry()
    extend = JournalApi(stuck_bus.bus).add_to
    return Admin(
        settings, alive=stuck_bus.bus.alive, condition=stuck_bus.bus.condition, registry=registry, extend=extend
    )


@pytest.fixture
async def served(stuck_bus: StuckBus, smsbus: Smsbus, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StuckBus]:
    """Its owner runs, with an admin listener that the command finds; its token lies where the first start puts it."""
    admin = listener(stuck_bus)
    await admin.start()
    found_by_itself(stuck_bus, admin.port, monkeypatch)
    yield stuck_bus
    await admin.stop()


def found_by_itself(stuck_bus: StuckBus, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSBUS_ADMIN__PORT", str(port))
    own = stuck_bus.directory.parent / "own"
    own.mkdir(exist_ok=True)
    (own / "admin-token").write_text(f"{TOKEN}\n")


async def left_behind(parent: Path, name: str = "abcdefghijkl", count: int = 3) -> Path:
    """A journal of a process that is gone."""
    directory = parent / name
    directory.mkdir(parents=True)
    journal = Journal(directory, max_bytes=1 << 30)
    await journal.open()
    messages = [sms(n=n, text=TEXT + " " * n) for n in range(count)]
    await journal.append([build(each, topic_prefix="", instance="t") for each in messages])
    await journal.close()
    return directory


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


# ---- a running owner -----------------------------------------------------------------------------------------------


async def test_the_rows_of_a_running_owner_are_shown_in_order_and_masked(served: StuckBus, smsbus: Smsbus) -> None:
    receipts = [await served.bus.accept(sms(n=n, text=TEXT)) for n in range(3)]

    shown = await on_thread(smsbus, "show")
    asked_as_json = await on_thread(smsbus, "show", "--json", "-n", "2")

    words = [line.split("\t") for line in shown.stdout.splitlines()]
    assert [word[2] for word in words] == [receipt.id for receipt in receipts]
    assert [(word[0], word[1], word[3], word[6]) for word in words] == [
        (served.bus.journals[0], str(seq), words[0][3], "intact") for seq in (1, 2, 3)
    ]
    assert "+16•••••••00" in shown.stdout
    assert not any(secret in shown.stdout + asked_as_json.stdout for secret in SECRETS)
    assert [json.loads(line)["id"] for line in asked_as_json.stdout.splitlines()] == [each.id for each in receipts[:2]]


async def test_they_are_revealed_and_exported_only_when_asked_for(
    served: StuckBus, smsbus: Smsbus, tmp_path: Path
) -> None:
    receipt = await served.bus.accept(sms(text=TEXT))

    revealed = await on_thread(smsbus, "show", "--reveal")
    exported = await on_thread(smsbus, "export", "--to", str(tmp_path / "rows"))

    [row] = lines(tmp_path / "rows")
    assert TEXT in revealed.stdout
    assert exported.exit_code == Code.OK
    assert (row["id"], row["journal"]) == (receipt.id, served.bus.journals[0])
    assert json.loads(base64.b64decode(row["value_base64"]))["text"] == TEXT


async def test_only_one_lane_is_shown_where_one_is_named(served: StuckBus, smsbus: Smsbus) -> None:
    await served.bus.accept(sms())
    letter = await served.bus.accept(rejected(b"x"))
    lane = next(
        key for key, lane in served.bus._journals.own.lanes.items() if key[0] == "sms.rejected.v1" and lane.rows
    )

    shown = await on_thread(smsbus, "show", "--lane", f"{lane[0]}/{lane[1]}")

    assert [line.split("\t")[2] for line in shown.stdout.splitlines()] == [letter.id]
    assert smsbus("show", "--lane", "nowhere").exit_code == Code.USAGE


async def test_more_rows_than_one_answer_holds_are_exported_whole(
    served: StuckBus, smsbus: Smsbus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.admin.journals.PAGE_BYTES", 3000)
    receipts = await asyncio.gather(*(served.bus.accept(sms(n=n), key="one") for n in range(50)))

    await on_thread(smsbus, "export", "--to", str(tmp_path / "rows"))

    assert [row["id"] for row in lines(tmp_path / "rows")] == [receipt.id for receipt in receipts]


@pytest.mark.parametrize("by", ["seq", "id"])
async def test_a_running_owner_skips_a_row_and_its_lane_goes_on(served: StuckBus, smsbus: Smsbus, by: str) -> None:
    stuck, behind = await poisoned(served)
    [name, *_] = await served.rows()

    result = await on_thread(smsbus, "skip", "--yes", str(name.seq) if by == "seq" else name.id)
    ends = [await asyncio.wait_for(receipt.published, 5) for receipt in (stuck, behind)]

    file = served.directory / skipped.FILE
    assert (result.exit_code, result.stdout) == (0, f"skipped {name.journal} {name.seq} {stuck.id}, kept in {file}\n")
    assert ends == ["skipped", "rejected"]
    assert [line["id"] for line in served.kept()] == [stuck.id]


async def test_unknown_and_published_rows_are_named_and_the_others_skipped(served: StuckBus, smsbus: Smsbus) -> None:
    stuck, behind = await poisoned(served)
    names = [name.id for name in await served.rows()]

    first = await on_thread(smsbus, "skip", "--yes", "4711", names[0])
    await asyncio.wait_for(behind.published, 5)
    second = await on_thread(smsbus, "skip", "--yes", behind.id)

    assert (first.exit_code, second.exit_code) == (Code.FAILED, Code.FAILED)
    assert "no journal has row 4711; it may already be published" in first.stderr
    assert f"no journal has row {behind.id}; it may" in second.stderr
    assert [line["id"] for line in served.kept()] == [stuck.id]


async def test_without_a_terminal_and_without_yes_nothing_is_skipped(served: StuckBus, smsbus: Smsbus) -> None:
    stuck, _ = await poisoned(served)

    result = await on_thread(smsbus, "skip", stuck.id)

    assert result.exit_code == Code.USAGE
    assert "add --yes" in result.stderr
    assert stuck.id in served.on_disk()


@pytest.mark.parametrize(("typed", "count"), [("y\n", 1), ("n\n", 0), ("", 0)])
async def test_at_a_terminal_the_rows_are_shown_and_it_is_asked(
    served: StuckBus, smsbus: Smsbus, monkeypatch: pytest.MonkeyPatch, typed: str, count: int
) -> None:
    monkeypatch.setattr("app.cli.journal_rows.is_terminal", lambda: True)
    stuck, _ = await poisoned(served)

    result = await on_thread(smsbus, "skip", stuck.id, typed=typed)

    assert stuck.id in result.stderr
    assert not any(secret in result.output for secret in SECRETS)
    assert len(served.kept()) == count


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ADMIN__PORT": 1}, "no smsbus admin listener responds at http://127.0.0.1:1"),
        ({"ADMIN__TOKEN": "another-token-of-an-admin"}, "does not accept our admin token"),
        ({"DATA_DIR": "/nowhere"}, "there is no /nowhere/admin-token"),
    ],
)
@pytest.mark.parametrize("command", [("show",), ("skip", "--yes", "1"), ("export", "--to", "rows")])
async def test_an_owner_that_cannot_be_asked_is_left_alone_and_it_is_said_what_to_do(
    served: StuckBus, smsbus: Smsbus, change: dict[str, object], says: str, command: tuple[str, ...]
) -> None:
    await served.bus.accept(sms())

    result = await on_thread(smsbus, *command, **change)

    assert result.exit_code == Code.FAILED
    assert says in result.stderr
    assert "use the settings of that process (--config, SMSBUS_ADMIN__…), or stop it first" in result.stderr
    assert not Path("rows").exists()


async def test_a_journal_that_somebody_else_holds_is_left_alone(served: StuckBus, smsbus: Smsbus) -> None:
    directory = await left_behind(served.directory / "other")
    held = try_claim(directory)

    result = await on_thread(smsbus, "skip", "--yes", "1", "--directory", str(directory))

    assert held
    held.release()
    assert result.exit_code == Code.FAILED
    assert f"{directory} is held by a process that is not behind the admin listener at" in result.stderr
    assert len(on_disk(directory)) == 3


# ---- over HTTP -----------------------------------------------------------------------------------------------------


async def test_each_command_by_http_is_one_line_of_the_log_without_contents(stuck_bus: StuckBus) -> None:
    await poisoned(stuck_bus)
    admin = listener(stuck_bus)
    await admin.start()
    [name, *_] = await stuck_bus.rows()
    headers = {"Authorization": f"Bearer {TOKEN}"}

    with capture_logs(processors=[]) as logs:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{admin.port}", headers=headers) as session:
            for more in ("", "?reveal=true", "?reveal=true&after=999999"):  # behind the last row nothing is revealed
                path = f"/v1/journal/rows{more}"
                async with session.get(path) as answer:
                    assert answer.status == 200
            for status in (200, 404):
                async with session.post("/v1/journal/skip", json=name._asdict()) as answer:
                    assert answer.status == status
    await admin.stop()

    said = [line for line in logs if line["event"] == "journal_command"]
    assert [(line["command"], line.get("outcome")) for line in said] == [
        ("reveal", None),
        ("skip", "skipped"),
        ("skip", "unknown"),
    ]
    assert not any(secret in str(said) for secret in SECRETS)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "reason"),
    [
        ("GET", "/v1/journal/rows?limit=0", None, 400, "invalid_query"),
        ("GET", "/v1/journal/rows?after=x", None, 400, "invalid_query"),
        ("GET", "/v1/journal/rows?after=9999999999999999999", None, 400, "invalid_query"),
        ("GET", "/v1/journal/rows?lane=x", None, 400, "invalid_query"),
        ("GET", "/v1/journal/rows?rows=1", None, 400, "invalid_query"),
        ("POST", "/v1/journal/skip", "{}", 400, "invalid_request"),
        ("POST", "/v1/journal/skip", "no", 400, "invalid_request"),
        ("POST", "/v1/journal/skip", '{"journal": "x", "seq": 0, "id": "x"}', 400, "invalid_request"),
        ("POST", "/v1/journal/skip", '{"journal": "x", "seq": 2.0, "id": "x"}', 404, "unknown_journal"),
    ],
)
async def test_what_makes_no_sense_is_a_problem(
    stuck_bus: StuckBus, method: str, path: str, body: str | None, status: int, reason: str
) -> None:
    admin = listener(stuck_bus)
    await admin.start()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{admin.port}", headers=headers) as session,
        session.request(method, path, data=body) as answer,
    ):
        told = await answer.json(content_type=None)
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{admin.port}{path}") as answer:
        stranger = answer.status
    await admin.stop()

    assert (answer.status is not None, told["status"], told["reason"], stranger) == (True, status, reason, 401)


# ---- with --workers ------------------------------------------------------------------------------------------------


async def test_with_workers_the_one_that_holds_the_journal_does_it(
    stuck_bus: StuckBus, smsbus: Smsbus, monkeypatch: pytest.MonkeyPatch
) -> None:
    sibling = StuckBus(stuck_bus.directory)
    sibling.hangs.set()
    await sibling.bus.start()
    workers, admins = [], [listener(each) for each in (stuck_bus, sibling)]
    for number, admin in enumerate(admins):
        await admin.start()
        workers.append(Worker(f"receiver-{number}", []))
        workers[-1].admin = f"http://127.0.0.1:{admin.port}"
    joint = JointAdmin(AdminSettings(port=0, token=SecretStr(TOKEN)), workers, None, None, CollectorRegistry())
    await joint.start()
    found_by_itself(stuck_bus, joint.port, monkeypatch)
    receipts = [(await poisoned(each))[0] for each in (stuck_bus, sibling)]

    shown = await on_thread(smsbus, "show")
    ambiguous = await on_thread(smsbus, "skip", "--yes", "1")
    skipped_one = await on_thread(
        smsbus, "skip", "--yes", "1", "--directory", str(sibling.directory / sibling.bus.journals[0])
    )
    everywhere = await on_thread(smsbus, "skip", "--yes", receipts[0].id)
    workers[0].admin = None
    silent = await on_thread(smsbus, "show")

    assert {line.split("\t")[0] for line in shown.stdout.splitlines()} == {
        *stuck_bus.bus.journals,
        *sibling.bus.journals,
    }
    assert (ambiguous.exit_code, skipped_one.exit_code, everywhere.exit_code) == (Code.FAILED, 0, 0)
    assert "1 is a row in each of" in ambiguous.stderr
    assert [each["journal"] for each in stuck_bus.kept()] == [*sibling.bus.journals, *stuck_bus.bus.journals]
    assert (stuck_bus.bus.ledger.skipped, sibling.bus.ledger.skipped) == (1, 1)
    assert silent.exit_code == Code.FAILED
    assert "A worker did not respond. Try again." in silent.stderr
    for each in (joint, *admins):
        await each.stop()
    await sibling.bus.stop(0)


# ---- nobody holds it -----------------------------------------------------------------------------------------------


async def test_a_journal_that_nobody_holds_is_shown_exported_and_skipped_directly(
    tmp_path: Path, smsbus: Smsbus
) -> None:
    directory = await left_behind(tmp_path / "journal")
    ids = on_disk(directory)

    shown = await on_thread(smsbus, "show")
    exported = await on_thread(smsbus, "export", "--to", "rows")
    printed = await on_thread(smsbus, "export", "--to", "-")
    skip = await on_thread(smsbus, "skip", "--yes", "2", ids[2])

    assert [line.split("\t")[2] for line in shown.stdout.splitlines()] == ids
    assert not any(secret in shown.stdout for secret in SECRETS)
    assert (exported.exit_code, skip.exit_code) == (0, 0)
    kept, rows = lines(tmp_path / "journal" / skipped.FILE), lines(tmp_path / "rows")
    assert [row["id"] for row in rows] == ids
    assert kept == rows[1:]
    assert on_disk(directory) == ids[:1]
    assert (tmp_path / "rows").stat().st_mode & 0o777 == 0o600
    assert printed.stdout == (tmp_path / "rows").read_text()
    assert printed.stderr == "stdout has 3 rows of 1 journal\n"


async def test_it_is_held_meanwhile(tmp_path: Path, smsbus: Smsbus, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = await left_behind(tmp_path / "journal")
    seen = []

    def asked() -> bool:
        claim = try_claim(directory)
        seen.append(claim)
        if claim:
            claim.release()
        return False

    monkeypatch.setattr("app.cli.journal_rows.is_terminal", asked)
    await on_thread(smsbus, "skip", "1")
    free = try_claim(directory)

    assert seen == [None]
    assert free
    free.release()


async def test_an_export_overwrites_nothing(tmp_path: Path, smsbus: Smsbus) -> None:
    await left_behind(tmp_path / "journal")
    (tmp_path / "rows").write_text("mine")

    result = await on_thread(smsbus, "export", "--to", "rows")

    assert result.exit_code == Code.FAILED
    assert "rows: File exists" in result.stderr
    assert (tmp_path / "rows").read_text() == "mine"


async def test_a_dead_letter_is_shown_with_its_stage_and_reason(
    served: StuckBus, smsbus: Smsbus, tmp_path: Path
) -> None:
    await served.bus.accept(rejected(b"no JSON, code 4711"))

    shown = await on_thread(smsbus, "show")
    revealed = await on_thread(smsbus, "show", "--reveal")
    asked_as_json = await on_thread(smsbus, "show", "--json")

    assert [each.stdout.strip().split("\t")[-1] for each in (shown, revealed)] == ["parse: not_json"] * 2
    assert json.loads(asked_as_json.stdout)["dead_letter"] == {"stage": "parse", "reason": "not_json"}


async def test_one_row_and_one_journal_are_said_to_be_one(tmp_path: Path, smsbus: Smsbus) -> None:
    await left_behind(tmp_path / "journal", count=1)

    result = await on_thread(smsbus, "export", "--to", "rows")

    assert result.stderr == "rows has 1 row of 1 journal\n"


def test_a_gap_between_two_neighbours_is_no_range_that_ends_before_it_begins() -> None:
    words = str(Unread(1, 0, "malformed"))

    assert words == "the file is damaged at row 1, which was read all the same: malformed"


async def test_a_journal_that_is_set_aside_is_said_once_and_to_be_damaged(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    request.applymarker(pytest.mark.unaudited("its Kafka is played"))
    directory = await left_behind(tmp_path / "journal", count=400)
    spoil(directory, root_page(directory, "rows_by_lane"))
    spoil(directory, table_leaves(directory)[3])
    stuck_bus = StuckBus(tmp_path / "journal")

    with capture_logs() as said:
        await stuck_bus.bus.start()
    await stuck_bus.bus.stop(0)

    [line] = [each for each in said if each["event"].startswith("journal_")]
    assert line["event"] == "journal_damaged"
    assert line["reason"].startswith(f"the journal at {directory / FILE_NAME} is damaged: ")


# ---- quarantined ---------------------------------------------------------------------------------------------------


async def test_status_names_what_is_quarantined_its_size_and_the_command_that_publishes_it(
    tmp_path: Path, smsbus: Smsbus
) -> None:
    directory = await left_behind(tmp_path / "journal", "abcdefghijkl.damaged")

    result = await on_thread(smsbus, "status")

    assert result.exit_code == Code.FAILED
    assert "it is quarantined (" in result.stdout
    assert "bytes of files): this version can read all of it" in result.stdout
    [command] = re.findall("`(mv .*?)`", result.stdout)
    subprocess.run(command.split(), check=True)
    assert [each.rows for each in status.status([directory.with_suffix("")])] == [3]
    assert [each.directory for each in claim.orphans(directory.parent)] == [directory.with_suffix("")]


async def test_a_quarantined_journal_that_takes_too_long_to_check_is_not_said_to_be_damaged(
    tmp_path: Path, smsbus: Smsbus, monkeypatch: pytest.MonkeyPatch
) -> None:
    await left_behind(tmp_path / "journal", "abcdefghijkl.damaged", count=400)
    monkeypatch.setattr("bus.journal.journal.CHECK_SECONDS", -1)

    result = await on_thread(smsbus, "status")

    assert "this version can read all of it" in result.stdout


@pytest.mark.parametrize("name", ["abcdefghijkl", "abcdefghijkl.damaged"])
@pytest.mark.parametrize("command", ["status", "drain"])
async def test_a_journal_of_another_version_is_said_to_be_one_and_how_that_version_publishes_it(
    tmp_path: Path, smsbus: Smsbus, monkeypatch: pytest.MonkeyPatch, command: str, name: str
) -> None:
    directory = await left_behind(tmp_path / "journal", name)
    monkeypatch.setattr("bus.journal.journal.FORMAT", 2)  # of the version that runs now
    result = await on_thread(smsbus, command, str(tmp_path / "journal"))
    monkeypatch.undo()

    words = (
        "it is of another version (its format is 1 and this program knows 2: publish it with the version that wrote it"
    )
    assert result.exit_code == Code.FAILED
    assert f"{words}; 3 rows can be read)" in result.output
    assert f"`mkdir ELSEWHERE && mv {directory} ELSEWHERE/abcdefghijkl`" in result.output
    assert len(on_disk(directory)) == 3


@pytest.mark.parametrize("name", ["abcdefghijkl", "abcdefghijkl.damaged"])
async def test_status_counts_nothing_that_it_cannot_count_and_says_what_can_be_read(
    tmp_path: Path, smsbus: Smsbus, name: str
) -> None:
    directory = await left_behind(tmp_path / "journal", name, count=400)
    for leaf in table_leaves(directory)[3:5]:
        spoil(directory, leaf)
    await on_thread(smsbus, "export", "--to", "rows")

    result = await on_thread(smsbus, "status")

    readable = len(lines(tmp_path / "rows"))
    assert result.exit_code == Code.FAILED
    assert 300 < readable < 400
    assert result.stdout.startswith(f"{directory} rows=? bytes=? oldest=? ")
    assert f"{readable} rows can be read" in result.stdout
    assert f"`smsbus journal export --directory {directory} --to FILE` saves" in result.stdout


async def test_a_drain_names_what_cannot_be_counted(tmp_path: Path, smsbus: Smsbus) -> None:
    directory = tmp_path / "journal" / "abcdefghijkl"
    directory.mkdir(parents=True)
    (directory / FILE_NAME).write_bytes(random.Random(1).randbytes(50_000))

    result = await on_thread(smsbus, "drain", str(tmp_path / "journal"))

    assert result.exit_code == Code.FAILED
    assert f"{directory}: it is damaged (file is not a database; 0 rows can be read)" in result.stderr


async def test_what_was_set_aside_is_not_skipped(tmp_path: Path, smsbus: Smsbus) -> None:
    directory = await left_behind(tmp_path / "journal", "abcdefghijkl.damaged")

    result = await on_thread(smsbus, "skip", "--yes", "1")

    assert result.exit_code == Code.FAILED
    assert "A quarantined journal is not changed: export it" in result.stderr
    assert len(on_disk(directory)) == 3


async def test_rows_of_a_damaged_journal_are_exported_past_its_indexes(tmp_path: Path, smsbus: Smsbus) -> None:
    directory = await left_behind(tmp_path / "journal", "abcdefghijkl.damaged", count=400)
    ids = on_disk(directory)
    for name in ("rows_by_lane", "sqlite_autoindex_rows_1"):
        spoil(directory, root_page(directory, name))

    result = await on_thread(smsbus, "export", "--to", "rows")

    assert result.exit_code == 0
    assert [row["id"] for row in lines(tmp_path / "rows")] == ids


@pytest.mark.parametrize("held", [False, True], ids=["free", "held"])
async def test_a_damaged_row_is_said_by_status_and_by_an_export_that_has_it_all_the_same(
    tmp_path: Path, smsbus: Smsbus, held: bool
) -> None:
    directory = await left_behind(tmp_path / "journal")
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection:
        connection.execute("UPDATE rows SET value = replace(value, 'code', 'cpde') WHERE seq = 2")
        connection.commit()
    holder = try_claim(directory) if held else None
    status = await on_thread(smsbus, "status")
    if holder:
        holder.release()

    export = await on_thread(smsbus, "export", "--to", "rows")

    state = "held" if held else "free"
    assert (status.exit_code, export.exit_code) == (Code.FAILED, Code.FAILED)
    assert f" {state}; 1 row is damaged: it is not published, but kept as a dead letter" in status.stdout
    assert f"row 2 of {directory.name} is damaged" in export.stderr
    assert [row["intact"] for row in lines(tmp_path / "rows")] == [True, False, True]


async def test_pages_that_cannot_be_read_are_said_and_all_other_rows_exported(tmp_path: Path, smsbus: Smsbus) -> None:
    directory = await left_behind(tmp_path / "journal", "abcdefghijkl.damaged", count=400)
    leaves = table_leaves(directory)
    for leaf in (leaves[3], leaves[4], leaves[9]):
        spoil(directory, leaf)

    result = await on_thread(smsbus, "export", "--to", "rows")

    seqs = [row["seq"] for row in lines(tmp_path / "rows")]
    lost = sorted(set(range(1, 401)) - set(seqs))
    assert result.exit_code == Code.FAILED
    assert 0 < len(lost) < 100
    assert seqs == sorted(seqs)
    ranges = [(lost[0], lost[-1])] if lost[-1] - lost[0] + 1 == len(lost) else two_ranges(lost)
    for first, last in ranges:
        assert f"{directory}: rows from {first} to {last}, if there are any, cannot be read" in result.stderr


async def test_bits_flipped_anywhere_lose_no_row_that_is_whole_without_a_word(tmp_path: Path, smsbus: Smsbus) -> None:
    whole = await left_behind(tmp_path / "whole", count=100)
    content, ids, rng = (whole / FILE_NAME).read_bytes(), on_disk(whole), random.Random(7)
    for trial in range(20):
        directory = tmp_path / "journal" / f"{trial}.damaged"
        directory.mkdir(parents=True)
        at = rng.randrange(100, len(content))
        spoiled = content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :]
        (directory / FILE_NAME).write_bytes(spoiled)

        result = await on_thread(smsbus, "export", "--directory", str(directory), "--to", f"{trial}.rows")

        rows = lines(tmp_path / f"{trial}.rows")
        missing = set(ids) - {row.get("id") for row in rows if row["intact"]}
        damaged = [row for row in rows if not row["intact"]]
        assert len(missing) <= len(damaged) or result.exit_code == Code.FAILED, (trial, at)
        shutil.rmtree(directory)


async def test_a_journal_whose_only_page_is_damaged_has_no_row_to_read_and_its_texts_are_still_in_the_file(
    tmp_path: Path, smsbus: Smsbus
) -> None:
    """What docs/operations.md says of `strings`."""
    directory = await left_behind(tmp_path / "journal", "abcdefghijkl.damaged")
    content, at = bytearray((directory / FILE_NAME).read_bytes()), (root_page(directory, "rows") - 1) * 4096
    content[at] ^= 0xFF
    (directory / FILE_NAME).write_bytes(content)

    result = await on_thread(smsbus, "export", "--to", "rows")

    events = [build(sms(n=n, text=TEXT + " " * n), topic_prefix="", instance="t").value for n in range(3)]
    assert result.exit_code == Code.FAILED
    assert "rows has 0 rows" in result.stderr
    assert [event in content for event in events] == [True] * 3


async def test_what_is_no_database_at_all_is_said(tmp_path: Path, smsbus: Smsbus) -> None:
    directory = tmp_path / "journal" / "abcdefghijkl.damaged"
    directory.mkdir(parents=True)
    (directory / FILE_NAME).write_bytes(random.Random(1).randbytes(50_000))

    result = await on_thread(smsbus, "export", "--to", "rows")

    assert result.exit_code == Code.FAILED
    assert "rows from 1 to the end, if there are any, cannot be read: file is not a database" in result.stderr
    assert TRIES > 0


async def test_a_journal_of_another_version_is_exported_with_the_columns_that_it_has(
    tmp_path: Path, smsbus: Smsbus
) -> None:
    directory = tmp_path / "journal" / "abcdefghijkl.damaged"
    directory.mkdir(parents=True)
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection:
        connection.execute("CREATE TABLE rows (seq INTEGER PRIMARY KEY, id TEXT, value BLOB, whose TEXT)")
        connection.execute("INSERT INTO rows VALUES (7, 'x', x'00ff', 'shop')")
        connection.commit()

    result = await on_thread(smsbus, "export", "--to", "rows")
    shown = await on_thread(smsbus, "show")

    [row] = lines(tmp_path / "rows")
    assert (result.exit_code, shown.exit_code) == (0, 0)
    assert row == {
        "journal": directory.name,
        "seq": 7,
        "intact": None,
        "id": "x",
        "value_base64": "AP8=",
        "whose": "shop",
    }
    assert "of another version" in shown.stdout


def root_page(directory: Path, name: str) -> int:
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection:
        [page] = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (name,)).fetchone()
    return int(page)


def table_leaves(directory: Path) -> list[int]:
    """The pages of the rows' table that hold rows, in their order."""
    content = (directory / FILE_NAME).read_bytes()
    at = (root_page(directory, "rows") - 1) * 4096
    cells = int.from_bytes(content[at + 3 : at + 5], "big")
    pointers = [int.from_bytes(content[at + 12 + 2 * n : at + 14 + 2 * n], "big") for n in range(cells)]
    return [int.from_bytes(content[at + pointer : at + pointer + 4], "big") for pointer in pointers]


def spoil(directory: Path, page: int) -> None:
    with (directory / FILE_NAME).open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)


def two_ranges(numbers: list[int]) -> list[tuple[int, int]]:
    split = next(i for i in range(1, len(numbers)) if numbers[i] != numbers[i - 1] + 1)
    return [(numbers[0], numbers[split - 1]), (numbers[split], numbers[-1])]


# ---- where nobody can look, nobody says that nothing waits -----------------------------------------------------------

READING = [("status",), ("show",), ("export", "--to", "rows"), ("skip", "--yes", "1")]


def in_directory(command: tuple[str, ...], directory: Path) -> tuple[str, ...]:
    return (*command, *(("--directory",) if command[0] in {"show", "export", "skip"} else ()), str(directory))


@pytest.mark.parametrize("command", [*READING, ("drain",)])
@pytest.mark.parametrize(("name", "words"), [("nope", "nope does not exist"), ("file", "file is not a directory")])
async def test_a_path_that_is_no_directory_is_said(
    tmp_path: Path, smsbus: Smsbus, command: tuple[str, ...], name: str, words: str
) -> None:
    (tmp_path / "file").touch()

    result = await on_thread(smsbus, *in_directory(command, tmp_path / name))

    assert (result.exit_code, result.stderr) == (Code.FAILED, f"smsbus: {tmp_path}/{words}\n")
    assert not (tmp_path / "rows").exists()


@pytest.mark.parametrize("command", [*READING, ("drain",)])
@pytest.mark.parametrize("aside", ["", ".damaged"])
async def test_a_journal_that_this_user_cannot_open_is_said(
    tmp_path: Path, smsbus: Smsbus, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], aside: str
) -> None:
    directory = await left_behind(tmp_path / "journal", f"abcdefghijkl{aside}")
    access = os.access  # played: a test may run as root, who may do everything
    monkeypatch.setattr(
        os, "access", lambda path, mode: directory not in Path(path, "x").parents and access(path, mode)
    )

    result = await on_thread(smsbus, *in_directory(command, tmp_path / "journal"))

    words = "cannot be opened by this user (permission denied): run it as the service's user"
    assert (result.exit_code, result.stderr) == (Code.FAILED, f"smsbus: {directory} {words}\n")
    assert not (tmp_path / "rows").exists()


async def test_status_shows_the_journals_beside_one_that_this_user_cannot_open(
    tmp_path: Path, smsbus: Smsbus, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = await left_behind(tmp_path / "journal", "abcdefghijkl")
    siblings = [await left_behind(tmp_path / "journal", name) for name in ("aaaaaaaaaaaa", "zzzzzzzzzzzz")]
    access = os.access  # played: see above
    monkeypatch.setattr(os, "access", lambda path, mode: closed not in Path(path, "x").parents and access(path, mode))

    result = await on_thread(smsbus, "status")

    assert result.exit_code == Code.FAILED
    assert [line.split(" bytes=")[0] for line in result.stdout.splitlines()] == [f"{each} rows=3" for each in siblings]
    assert result.stderr.startswith(f"smsbus: {closed} cannot be opened by this user")
    assert len(result.stderr.splitlines()) == 1


async def test_a_directory_that_this_user_cannot_list_is_said(
    tmp_path: Path, smsbus: Smsbus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", closed)

    result = await on_thread(smsbus, "status", str(tmp_path))

    assert result.exit_code == Code.FAILED
    assert f"{tmp_path} cannot be opened by this user" in result.stderr


async def test_a_directory_that_this_user_cannot_enter_is_said(
    tmp_path: Path, smsbus: Smsbus, monkeypatch: pytest.MonkeyPatch
) -> None:
    await left_behind(tmp_path / "journal")
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.X_OK and access(path, mode))

    result = await on_thread(smsbus, "status")

    assert result.exit_code == Code.FAILED
    assert f"{tmp_path}/journal cannot be opened by this user" in result.stderr


async def test_an_emptied_journal_that_is_removed_meanwhile_is_not_closed(
    tmp_path: Path, smsbus: Smsbus, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "journal" / "abcdefghijkl"
    directory.mkdir(parents=True)

    def removed(path: Path) -> bool:
        directory.rmdir()
        return is_closed(path)

    monkeypatch.setattr(status, "is_closed", removed)

    result = await on_thread(smsbus, "status")

    assert (result.exit_code, result.stderr) == (0, f"no messages in {tmp_path}/journal\n")


async def test_status_of_the_directory_of_one_process_is_its_own(tmp_path: Path, smsbus: Smsbus) -> None:
    directory = await left_behind(tmp_path / "journal")
    await left_behind(tmp_path / "journal", "another")

    result = await on_thread(smsbus, "status", str(directory))

    assert result.exit_code == 0
    assert result.stdout.startswith(f"{directory} rows=3 ")
    assert len(result.stdout.splitlines()) == 1


async def test_a_drain_says_what_a_running_process_holds(stuck_bus: StuckBus, smsbus: Smsbus, tmp_path: Path) -> None:
    idle = await on_thread(smsbus, "drain", str(tmp_path / "journal"))
    await poisoned(stuck_bus)

    result = await on_thread(smsbus, "drain", str(tmp_path / "journal"))

    words = "2 rows are in journals that a running process holds; that process publishes them"
    assert (idle.exit_code, "no messages in" in idle.stderr) == (0, True)
    assert (result.exit_code, result.stderr) == (Code.FAILED, f"smsbus: {words}\n")


async def test_a_drain_of_one_process_s_directory_leaves_those_beside_it_alone(
    smsbus: Smsbus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, sibling = [await left_behind(tmp_path / "journal", name) for name in ("bbbbbbbbbbbb", "aaaaaaaaaaaa")]
    drained: list[object] = []

    async def right(_: object) -> list[str]:
        return []

    async def drain(_: object, settings: BusSettings, rows: int, __: float) -> Ledger:
        claims = [*claim.orphans(settings.journal_dir)]
        for each in claims:
            each.release()
        drained.extend([rows, *(each.directory for each in claims)])
        return Ledger(adopted=rows, published=rows)

    monkeypatch.setattr(topics, "check", right)
    monkeypatch.setattr("app.cli.journal._drain", drain)

    result = await on_thread(smsbus, "drain", str(one))
    free = try_claim(sibling)

    assert (result.exit_code, drained) == (0, [3, one])
    assert free
    free.release()


async def test_a_drain_names_what_was_set_aside(smsbus: Smsbus, tmp_path: Path) -> None:
    directory = await left_behind(tmp_path / "journal", "abcdefghijkl.damaged")

    result = await on_thread(smsbus, "drain", str(tmp_path / "journal"))

    assert result.exit_code == Code.FAILED
    assert f"smsbus: {directory}: it is quarantined" in result.stderr


async def test_where_there_are_no_rows_show_says_so(smsbus: Smsbus, tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()

    result = await on_thread(smsbus, "show")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"no rows in {tmp_path}/journal\n")


async def test_what_is_on_its_way_can_be_skipped_when_the_service_is_stopped(
    served: StuckBus, smsbus: Smsbus, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, _ = await poisoned(served)

    async def under_way(name: RowName) -> str:
        return "under_way"

    monkeypatch.setattr(served.bus, "skip", under_way)

    result = await on_thread(smsbus, "skip", "--yes", stuck.id)

    assert result.exit_code == Code.FAILED
    assert "cannot be withdrawn. Try again; if Kafka is unavailable, first stop smsbus." in result.stderr


def test_the_help_of_skip_says_what_a_crash_leaves(smsbus: Smsbus) -> None:
    text = " ".join(smsbus("skip", "--help").stdout.split())

    assert "After a crash in between the row is in both: run skip again." in text


# ---- a log whose main file is gone: SQLite would delete it ----------------------------------------------------------


async def lone_log(parent: Path, name: str = "abcdefghijkl", *, missing: bool) -> tuple[Path, bytes]:
    """A copy of a journal in use, without what its main file had; return that, too."""
    source = parent.parent / f"{name}.source"
    source.mkdir()
    journal = Journal(source, max_bytes=1 << 30)
    await journal.open()
    await journal.append([build(sms(n=n), topic_prefix="", instance="t") for n in range(3)])
    directory = shutil.copytree(source, parent / name, ignore=shutil.ignore_patterns("*-shm"))
    await journal.close()
    shutil.rmtree(source)
    main = directory / FILE_NAME
    content = main.read_bytes()
    main.unlink() if missing else main.write_bytes(b"")
    return directory, content


@pytest.mark.parametrize("missing", [False, True], ids=["empty", "missing"])
@pytest.mark.parametrize("aside", ["", ".damaged"])
@pytest.mark.parametrize("one", [False, True], ids=["all", "one"])
@pytest.mark.parametrize("command", [*READING, ("drain",)], ids=lambda command: command[0])
async def test_no_command_opens_a_log_whose_main_file_is_gone(
    tmp_path: Path, smsbus: Smsbus, command: tuple[str, ...], one: bool, aside: str, missing: bool
) -> None:
    directory, main = await lone_log(tmp_path / "journal", f"abcdefghijkl{aside}", missing=missing)
    before = (directory / LOG_NAME).read_bytes()

    result = await on_thread(smsbus, *in_directory(command, directory if one else directory.parent))

    [line] = [line for line in result.output.splitlines() if "its main file journal.sqlite is empty or missing" in line]
    assert result.exit_code == Code.FAILED
    assert str(directory) in line
    assert "its log journal.sqlite-wal still holds messages" in line
    assert "put journal.sqlite back beside it" in line
    assert "before you delete it" not in result.output
    assert (directory / LOG_NAME).read_bytes() == before
    (directory / FILE_NAME).write_bytes(main)
    assert len(on_disk(directory)) == 3


@pytest.mark.parametrize(
    "command", [("status",), ("export", "--to", "rows"), ("drain",)], ids=lambda command: command[0]
)
async def test_a_main_file_from_before_the_log_was_written_back_is_no_empty_journal(
    tmp_path: Path, smsbus: Smsbus, command: tuple[str, ...]
) -> None:
    directory = tmp_path / "journal" / "abcdefghijkl"
    directory.mkdir(parents=True)
    journal = Journal(directory, max_bytes=1 << 30)
    await journal.open()
    older = (directory / FILE_NAME).read_bytes()
    records = [build(sms(n=n), topic_prefix="", instance="t") for n in range(100)]
    await journal.append(records[:-1])
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection:
        connection.execute("PRAGMA wal_checkpoint")
    await journal.append(records[-1:])
    log = (directory / LOG_NAME).read_bytes()
    await journal.close()
    (directory / FILE_NAME).write_bytes(older)
    (directory / LOG_NAME).write_bytes(log)

    result = await on_thread(smsbus, *in_directory(command, tmp_path / "journal"))

    assert result.exit_code == Code.FAILED
    assert "its pages do not fit together" in result.output


async def test_a_drain_that_leaves_a_damaged_journal_fails(
    smsbus: Smsbus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await left_behind(tmp_path / "journal")
    damaged, _ = await lone_log(tmp_path / "journal", "zzzzzzzzzzzz", missing=False)

    async def right(_: object) -> list[str]:
        return []

    async def drain(_: object, settings: BusSettings, rows: int, __: float) -> Ledger:
        assert try_claim(damaged) is None
        return Ledger(adopted=rows, published=rows)

    monkeypatch.setattr(topics, "check", right)
    monkeypatch.setattr("app.cli.journal._drain", drain)

    result = await on_thread(smsbus, "drain", str(tmp_path / "journal"))

    assert result.exit_code == Code.FAILED
    assert "published=3" in result.stdout
    assert f"smsbus: {damaged}: it is damaged: its main file" in result.stderr


@pytest.mark.parametrize("missing", [False, True], ids=["empty", "missing"])
async def test_a_start_quarantines_a_log_whose_main_file_is_gone(
    tmp_path: Path, request: pytest.FixtureRequest, missing: bool
) -> None:
    request.applymarker(pytest.mark.unaudited("its Kafka is played"))
    directory, main = await lone_log(tmp_path / "journal", missing=missing)
    (directory / "notes").touch()  # of a person who looked into it
    before = (directory / LOG_NAME).read_bytes()
    assert all(build(sms(n=n), topic_prefix="", instance="t").value in before for n in range(3))  # for `strings`
    stuck_bus = StuckBus(tmp_path / "journal")

    with capture_logs() as said:
        await stuck_bus.bus.start()
    await stuck_bus.bus.stop(0)

    aside = directory.with_name(f"{directory.name}.damaged")
    [line] = [each for each in said if each["event"].startswith("journal_")]
    assert (line["event"], line["moved_to"]) == ("journal_damaged", str(aside))
    assert "its log journal.sqlite-wal still holds messages" in line["reason"]
    assert (aside / LOG_NAME).read_bytes() == before
    (aside / FILE_NAME).write_bytes(main)
    assert len(on_disk(aside)) == 3
