"""`smsbus serve --workers`: whoever is started again has the settings of the others, whatever the files say by now.

Kafka is away: the service relies on the topics that it is said to have seen before.
"""

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from app.checks.topics import marker
from app.settings.load import load
from tests.e2e.program import TOKEN, Installation, Replica, eventually

pytestmark = pytest.mark.timeout(120)

AWAY = "127.0.0.1:1"
NEW = "e2e-new-token-e2e-new-token-0"
SHOP = f'[accounts.shop]\nprovider = "pingme"\ncallback_tokens = ["{TOKEN}"]\n'
CHANGED = SHOP.replace(TOKEN, NEW)


@pytest.fixture
async def crew(tmp_path, monkeypatch):
    """Two workers whose accounts stand in smsbus.toml."""
    smsbus = Installation(tmp_path, AWAY, "test.")
    file = tmp_path / "smsbus.toml"
    file.write_text(SHOP)
    for name, value in smsbus._settings.items():
        if "ACCOUNTS__" not in name:
            monkeypatch.setenv(f"SMSBUS_{name}", value)
    verified = marker(load(file), "all")
    verified.parent.mkdir(parents=True)
    verified.touch()
    replica = await smsbus.serve("--workers", "2", accounts_in_file=True)
    yield replica, file
    await replica.kill()


async def kill_workers(crew: Replica, count: int) -> None:
    """Kill so many, and return once all serve again."""
    before = len(crew.said("worker_serves"))
    pid = crew.process.pid
    children = sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    for child in children[:count]:
        os.kill(child, signal.SIGKILL)

    async def back() -> bool:
        return len(crew.said("worker_serves")) == before + count

    await eventually(back, 20, "the workers serve again")


async def statuses(crew: Replica, token: str) -> Counter[int]:
    """What both workers answer to it: each connection is a new one."""

    async def one(number: int) -> int:
        connector = aiohttp.TCPConnector(force_close=True)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(crew.url.replace(TOKEN, token), data=b'{"text":"%d"}' % number) as answer,
        ):
            return answer.status

    return Counter(await asyncio.gather(*map(one, range(24))))


async def test_a_file_that_was_refused_keeps_no_worker_from_being_started_again(crew):
    replica, file = crew
    file.write_text(f"{SHOP}nonsense = [\n")
    replica.process.send_signal(signal.SIGHUP)
    await replica.says("reload_refused", 20)

    await kill_workers(replica, 2)

    assert await statuses(replica, TOKEN) == {200: 24}
    assert {line["exit_code"] for line in replica.said("worker_ended")} == {-signal.SIGKILL}


async def test_a_worker_that_is_started_again_has_the_settings_of_the_others(crew):
    replica, file = crew
    file.write_text(CHANGED)
    await kill_workers(replica, 1)
    unasked = [await statuses(replica, token) for token in (TOKEN, NEW)]

    replica.process.send_signal(signal.SIGHUP)

    async def reloaded() -> bool:
        return len(replica.said("reloaded")) == 4

    await eventually(reloaded, 20, "all have taken the file")
    file.unlink()
    await kill_workers(replica, 2)
    asked = [await statuses(replica, token) for token in (TOKEN, NEW)]

    assert unasked == [{200: 24}, {404: 24}]
    assert asked == [{404: 24}, {200: 24}]
    assert len(replica.said("reloaded")) == 4  # they have served nothing else
