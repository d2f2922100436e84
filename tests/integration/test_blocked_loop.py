"""A process whose loop is late says so on its own listener."""

import asyncio
import json
import threading
import time
from contextlib import suppress

import aiohttp
import pytest
from pydantic import SecretStr

from app import lifecycle, loop_lag
from app.settings.load import Settings
from app.settings.sections import Account, AdminSettings
from app.stopping import Stop
from bus.settings import BusSettings, KafkaSettings
from receiver.settings import ReceiverSettings

BLOCKS = 0.2  # seconds


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setattr(lifecycle, "tune_gc", lambda: None)
    monkeypatch.setattr(loop_lag, "EVERY", 0.01)
    monkeypatch.setattr(loop_lag, "BOUND", BLOCKS / 2)
    return Settings(
        accounts={"shop": Account(provider="pingme", callback_tokens=[SecretStr("lag-token-lag-token-lag-token")])},
        kafka=KafkaSettings(bootstrap_servers="127.0.0.1:9"),
        receiver=ReceiverSettings(host="127.0.0.1", port=0),
        admin=AdminSettings(port=0, token=SecretStr("lag-admin-token-lag-admin-token")),
        bus=BusSettings(journal_dir=tmp_path / "journal"),
    )


@pytest.fixture
def watchdog():
    """What ends a process that does not stop: started by the stop, and not needed."""
    timer = threading.Timer(60, lambda: None)
    yield timer
    timer.cancel()


async def block() -> None:
    while True:
        time.sleep(BLOCKS)
        await asyncio.sleep(0)


async def test_a_blocked_loop_is_degraded_and_measured_and_it_is_over_with_the_blocks(settings, watchdog):
    stop, ready = Stop(), asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        lifecycle.serve_parts(settings, "receiver", stop, ready.set_result, watchdog=watchdog)
    )
    admin = f"http://127.0.0.1:{(await ready).admin_port}"
    async with aiohttp.ClientSession() as session, asyncio.timeout(60):

        async def until(*, late: bool) -> None:
            while True:
                async with session.get(f"{admin}/readyz") as answer:
                    if ("event_loop_late" in json.loads(await answer.text())["degraded"]) == late:
                        return
                await asyncio.sleep(0.05)

        blocking = asyncio.create_task(block())
        await until(late=True)
        blocking.cancel()
        with suppress(asyncio.CancelledError):
            await blocking
        await until(late=False)
        async with session.get(f"{admin}/metrics") as answer:
            metrics = await answer.text()
    stop.ask()
    await serving

    assert "smsbus_event_loop_lag_seconds_count" in metrics
