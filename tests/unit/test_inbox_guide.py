"""docs/guides/inbox.md: its commands are run as they are written, with curl, and print what the page says."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.admin import inbox as inbox_api
from app.admin.inbox import InboxApi
from app.admin.inbox_query import LONGEST_WAIT, PAGE, WAIT
from inbox.filters import EQUAL
from pollers.watch_commands import WatchRequest
from schemas.messages import Message
from schemas.timestamps import to_text
from tests.inbox_part import Topics, inbox_of
from tests.unit.app.admin.test_watches import NOW_MS, Shard, served
from tests.unit.schemas.test_messages import received

TEXT = (Path(__file__).parents[2] / "docs" / "guides" / "inbox.md").read_text("utf-8")
WATCH = WatchRequest(account="grizzly", order_id="38496653").watch(NOW_MS, "r1")
MARK = "-- the next command --"
OWN = ("URL=http://localhost", 'AUTH="')
"""Of who reads the page: where the service is, and its token."""


def commands() -> list[tuple[str, str]]:
    """Return each command of the page with what it prints."""
    blocks = re.findall(r"^```console\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    found = [part.split("\n", 1) for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [(command, printed.strip("\n")) for command, printed in found if "smsbus" not in command]


def script(url: str, asked: list[tuple[str, str]]) -> str:
    """Return what a shell is to run. A stream has no end: as many lines of it as the page shows."""
    lines = [f"URL={url}", "AUTH='Authorization: Bearer any'"]
    for command, printed in asked:
        cut = f" | head -n {len(printed.splitlines())}" if "/v1/stream" in command else ""
        lines += [f"{command}{cut}", f"echo; echo '{MARK}'"]
    return "\n".join(line for line in lines if not line.startswith(OWN))


def sms(number: int, code: str, seconds_ago: int, **order: Any) -> Message:
    given = {"recipient": "+16470000000", "recipient_raw": "16470000000", "text": f"Your code is {code}", "code": code}
    observed = {"code_source": "extracted", "observed_at": to_text(NOW_MS - 1000 * seconds_ago)}
    return received(id=f"{number:08}-0000-8000-8000-000000000000", **given | observed | order)


def of_order(number: int, code: str, sequence: int) -> Message:
    order = {"watch_id": WATCH.watch_id, "order_kind": "activation", "order_id": "38496653", "sequence": sequence}
    return sms(number, code, 0, recipient=None, recipient_raw=None, account="grizzly", **order)


async def publish_when_awaited(topics: Topics, subscribers: Any, messages: list[Message]) -> None:
    for message in messages:
        while not subscribers():
            await asyncio.sleep(0.001)
        topics.publish(message)
        while subscribers():
            await asyncio.sleep(0.001)


@pytest.mark.loopback
async def test_every_command_prints_what_the_page_says(monkeypatch):
    monkeypatch.setattr(inbox_api, "PING_EVERY", 0.05)  # curl notices that nobody reads when it writes
    topics, shard = Topics(now_ms=NOW_MS), Shard(WATCH)
    shard.commits = [{"sms_count": 1}]
    inbox = inbox_of(topics)
    for message in (sms(1, "5611", 60), of_order(2, "111111", 0)):
        topics.publish(message)
    coming = [sms(3, "6294", 0), of_order(4, "222222", 1)]
    inbox.following.start()
    tail = inbox.following.tail
    publishing = asyncio.create_task(publish_when_awaited(topics, lambda: tail.subscribers, coming))
    async with served(shard, InboxApi(inbox, shard.table, now_ms=lambda: NOW_MS)) as client:
        shell = await asyncio.create_subprocess_exec(
            "bash", "-c", script(str(client.make_url("")).rstrip("/"), commands()), stdout=asyncio.subprocess.PIPE
        )
        printed = (await shell.communicate())[0].decode().split(f"\n{MARK}\n")
    publishing.cancel()
    await inbox.following.stop()

    assert len(commands()) >= 12
    for (command, said), text in zip(commands(), printed, strict=False):
        assert re.fullmatch(re.escape(said).replace("…", ".*"), text.strip("\n")), (command, said, text)


def test_what_is_json_on_the_page_is_json():
    shown = [said for _, said in commands() if said.startswith("{")]

    assert len(shown) >= 4
    for said in shown:
        json.loads(re.sub(r"(, ?)?…(?=[,}])", "", said).replace(",,", ","))


def test_the_page_names_every_filter_and_the_numbers_of_the_program():
    words = set(re.findall(r"`([a-z_]+)`", TEXT.partition("\n## List\n")[2].partition("\n## ")[0]))

    assert {*EQUAL, "has_code", "contains"} <= words
    assert f"for up to {LONGEST_WAIT} seconds ({WAIT} without `timeout`)" in TEXT
    assert f"newest `limit` ({PAGE}, at most\n1,000)" in TEXT
