"""A restart under systemd: it holds the socket, so nobody is refused and nothing is lost; and it is told what we do."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.e2e.load import Load
from tests.e2e.program import Replica, eventually
from tests.e2e.topic import events, problems

pytestmark = [pytest.mark.installation, pytest.mark.timeout(180)]

# What systemd does before it starts a program: descriptor 3, variables, and memory that never becomes executable.
PASS_ON = """
import ctypes, os, sys
descriptor, notify, *command = sys.argv[1:]
os.dup2(int(descriptor), 3)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid()), "NOTIFY_SOCKET": notify, "WATCHDOG_USEC": "3000000"}
ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)  # PR_SET_MDWE, where the kernel has it
os.execv(command[0], command)
"""


class Manager:
    """A socket that listens, and what the processes say that are given it."""

    def __init__(self, smsbus, listening: socket.socket, notified: socket.socket) -> None:
        self.smsbus = smsbus
        self.listening = listening
        self._notified = notified
        self.port = listening.getsockname()[1]
        self.lines: list[str] = []

    async def start(self, *arguments: str) -> Replica:
        os.set_inheritable(self.listening.fileno(), True)
        wrapper = ("-c", PASS_ON, str(self.listening.fileno()), self._notified.getsockname())
        return await self.smsbus.serve(
            *arguments,
            wrapper=(sys.executable, *wrapper),
            pass_fds=(self.listening.fileno(),),
            RECEIVER__PORT=str(self.port),
            BUS__ORPHAN_SCAN_INTERVAL="0.5",
        )

    def said(self) -> list[str]:
        while True:
            try:
                self.lines += self._notified.recv(4096).decode().splitlines()
            except BlockingIOError:
                return self.lines


@asynccontextmanager
async def managing(smsbus, tmp_path) -> AsyncIterator[Manager]:
    with socket.socket() as listening, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        listening.bind(("127.0.0.1", 0))
        listening.listen(4096)
        notified.bind(str(tmp_path / "notify"))
        notified.setblocking(False)
        yield Manager(smsbus, listening, notified)


@pytest.mark.parametrize(
    "workers",
    [pytest.param((), id="one process", marks=pytest.mark.long), pytest.param(("--workers", "2"), id="workers")],
)
async def test_a_restart_at_500_a_second_refuses_nobody_and_loses_nothing(smsbus, tmp_path, workers):
    async with managing(smsbus, tmp_path) as manager:
        old = await manager.start(*workers)
        async with Load(old.url, numbers=130, pause=0.2) as load:
            await asyncio.sleep(3)
            rate = len(load.answered()) / 3
            assert await old.terminate() == 0
            new = await manager.start(*workers)
            await asyncio.sleep(2)
        assert await new.terminate() == 0
        refused = [(post.status, post.failure, post.body) for post in load.refused()]
        longest = max(post.seconds for post in load.answered())
        print(f"{len(load.answered())} answered, {rate:.0f} a second, the longest after {longest:.1f} s")

        assert refused == []
        assert len(load.answered()) > 1000
        assert problems(load.posts, await events(smsbus), one_process=not workers) == []


async def test_systemd_hears_that_we_serve_that_we_live_and_that_we_stop(smsbus, tmp_path):
    async with managing(smsbus, tmp_path) as manager:
        replica = await manager.start()

        async def lives() -> bool:
            return "WATCHDOG=1" in manager.said()

        await eventually(lives, 10, "a sign of life")
        assert await replica.terminate() == 0

        first, *_, stops, patience = manager.said()
        assert {first} | {*manager.lines} == {"READY=1", "WATCHDOG=1", "STOPPING=1", patience}
        assert stops == "STOPPING=1"
        assert patience.startswith("WATCHDOG_USEC=")


async def test_a_process_that_hangs_gives_no_sign_of_life(smsbus, tmp_path):
    async with managing(smsbus, tmp_path) as manager:
        replica = await manager.start()
        replica.process.send_signal(signal.SIGSTOP)
        manager.said()
        before = len(manager.lines)
        await asyncio.sleep(2)
        after = len(manager.said())
        replica.process.send_signal(signal.SIGCONT)

        assert after == before
