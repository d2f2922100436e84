"""The program of docs/operations.md that publishes what `smsbus journal export` wrote."""

import asyncio
import json
import re
import sys
from base64 import b64encode
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from bus.journal.journal import FILE_NAME, Journal
from bus.kafka.reader import BEGINNING, read
from bus.record import build, with_via
from tests.messages import rejected, sms

pytestmark = pytest.mark.usefixtures("process_is_restored")

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


async def test_the_program_on_the_page_publishes_an_export_as_the_journal_would_have(settings, tmp_path, monkeypatch):
    messages = [*(sms(n=n) for n in range(20)), rejected(b"no JSON")]
    records = [build(each, topic_prefix=settings.topic_prefix, instance="t") for each in messages]
    directory = tmp_path / "journal" / "abcdefghijkl.damaged"
    directory.mkdir(parents=True)
    journal = Journal(directory, max_bytes=1 << 30)
    await journal.open()
    await journal.append(records)
    await journal.close()
    damage(directory / FILE_NAME, records[7].value)
    monkeypatch.setenv("SMSBUS_DATA_DIR", str(tmp_path))
    await asyncio.to_thread(CliRunner().invoke, cli, ["journal", "export", "--to", str(tmp_path / "rows")])

    lines = (tmp_path / "rows").read_text().splitlines()
    huge = json.loads(lines[10]) | {"value_base64": b64encode(bytes(2_000_000)).decode()}
    (tmp_path / "rows").write_text("\n".join([*lines[:10], json.dumps(huge), *lines[10:]]))

    [program] = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "republish.py").write_text(program)
    said = await output_of(tmp_path / "republish.py", settings.bootstrap_servers, tmp_path / "rows")

    expected = records[:7] + records[8:]
    ended = ["published"] * 7 + ["left"] + ["published"] * 2 + ["refused"] + ["published"] * 11
    assert [line.split()[0] for line in said] == ended
    assert "MessageSizeTooLargeError" in said[10]
    found = [
        record
        for topic in ("sms.received.v1", "sms.rejected.v1")
        async for record in read(settings, topic, start=BEGINNING, follow=False)
    ]
    assert {each.headers["ce_id"].decode(): as_sent(each) for each in found} == {
        each.id: (each.key, each.value, each.partition, each.timestamp_ms, dict(with_via(each.headers, "journal")))
        for each in expected
    }
    assert len(found) == len(expected)


def as_sent(record):
    return record.key, record.value, record.partition, record.timestamp_ms, dict(record.headers)


def damage(path, value):
    """Change one octet of a row's value, so that its checksum does not fit."""
    content = path.read_bytes()
    at = content.index(value) + len(value) // 2
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])


async def output_of(program, *arguments):
    process = await asyncio.create_subprocess_exec(
        sys.executable, program, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err
    return out.decode().splitlines()
