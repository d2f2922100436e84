"""When to stop: once asked, a lame duck first; asked again, at once."""

import asyncio
import os
import subprocess
import sys
import threading

import pytest

from app import stopping
from app.stopping import RECEIVER_SECONDS, STOP_SECONDS, WATCHDOG_SECONDS, Stop, set_off, watchdog
from tests.pipes import full_pipe

LONG = 3600.0
HELD = """
import asyncio, threading, time
from app import stopping

async def main():
    stopping.stop_on_signals()
    threading.Thread(target=stopping._bite, args=[0]).start()
    time.sleep(50)

asyncio.run(main())
"""


def test_the_watchdog_bites_after_the_deadline_and_before_kubernetes():
    assert RECEIVER_SECONDS < STOP_SECONDS < WATCHDOG_SECONDS < 30


@pytest.mark.parametrize("lame_duck", [0.0, 10.0])
def test_the_watchdog_cannot_keep_a_process_alive_and_waits_for_the_lame_duck(lame_duck):
    timer = watchdog(lame_duck)

    assert timer.daemon
    assert timer.interval == WATCHDOG_SECONDS + lame_duck
    assert not timer.is_alive()


@pytest.mark.parametrize("reads", [True, False], ids=["", "nobody reads its log"])
def test_the_watchdog_ends_a_process_whose_loop_is_held(reads):
    ours, theirs = os.pipe() if reads else full_pipe()

    ended = subprocess.run([sys.executable, "-c", HELD], stderr=theirs, timeout=60, check=False)
    os.close(theirs)
    with os.fdopen(ours, "rb") as log:
        said = log.read()

    assert ended.returncode == 1
    assert (b"did not stop within 0 s" in said) == reads


async def _waits(stop: Stop) -> bool:
    duck = asyncio.ensure_future(stop.lame_duck(LONG))
    done, _ = await asyncio.wait([duck], timeout=0.01)
    duck.cancel()
    return not done


async def test_one_sigterm_asks_and_a_second_one_hurries():
    stop = Stop()
    stop.terminate()
    await stop.wait()

    assert await _waits(stop)
    stop.terminate()
    assert not await _waits(stop)


async def test_a_supervisor_that_asks_beside_a_sigterm_does_not_hurry():
    stop = Stop()
    stop.ask()
    stop.terminate()
    stop.ask()

    assert await _waits(stop)


async def test_a_person_at_the_keyboard_asks_and_hurries_at_once():
    stop = Stop()
    stop.hurry()
    await stop.wait()
    await stop.wait_for_hurry()

    assert not await _waits(stop)


async def test_a_lame_duck_of_no_seconds_is_none():
    await Stop().lame_duck(0.0)


def test_a_machine_without_a_thread_left_stops_without_the_watchdog(monkeypatch):
    def no_thread(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    ended = []
    monkeypatch.setattr(os, "_exit", ended.append)

    set_off(watchdog())
    stopping._bite(0.0)

    assert ended == [1]
