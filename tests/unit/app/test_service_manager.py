"""What is sent to systemd, and what is taken from it."""

import asyncio
import socket

import pytest

from app import service_manager
from app.errors import StartupError
from app.service_manager import ServiceManager, listening_at

PID = 4711


@pytest.fixture
def systemd(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.setblocking(False)
        yield receiver


def said(systemd: socket.socket) -> list[str]:
    lines = []
    while True:
        try:
            lines.append(systemd.recv(4096).decode())
        except BlockingIOError:
            return lines


def managed(systemd: socket.socket, **variables: str) -> ServiceManager:
    return ServiceManager.of_environment({"NOTIFY_SOCKET": systemd.getsockname(), **variables}, PID)


@pytest.mark.loopback
def test_systemd_is_told_that_we_serve_and_that_we_stop(systemd):
    manager = managed(systemd)

    manager.ready()
    manager.stopping(28.0)

    assert said(systemd) == ["READY=1", "STOPPING=1"]


@pytest.mark.loopback
def test_its_watchdog_waits_for_ours_while_we_stop(systemd):
    managed(systemd, WATCHDOG_USEC="30000000").stopping(28.0)

    assert said(systemd) == ["STOPPING=1\nWATCHDOG_USEC=33000000"]


@pytest.mark.loopback
async def test_signs_of_life_are_sent_while_all_is_alive_and_no_longer(systemd):
    manager, alive = managed(systemd, WATCHDOG_USEC="3000", WATCHDOG_PID=str(PID)), True

    async def lives() -> bool:
        return alive

    async with manager.watched(lives), asyncio.timeout(10):
        while len(lines := said(systemd)) < 1:
            await asyncio.sleep(0)
        alive = False
        await asyncio.sleep(0.01)  # what was on its way
        said(systemd)
        await asyncio.sleep(0.02)

    assert set(lines) == {"WATCHDOG=1"}
    assert said(systemd) == []


@pytest.mark.parametrize("variables", [{}, {"WATCHDOG_USEC": "3000", "WATCHDOG_PID": "1"}])
async def test_without_a_watchdog_of_ours_nobody_is_asked_whether_we_live(variables):
    async def lives() -> bool:
        raise AssertionError

    async with ServiceManager.of_environment({**variables}, PID).watched(lives):
        await asyncio.sleep(0)


def test_what_was_meant_for_this_process_is_not_handed_to_its_children():
    environ = {
        "NOTIFY_SOCKET": "@/systemd",
        "WATCHDOG_USEC": "1",
        "WATCHDOG_PID": "1",
        "LISTEN_FDS": "1",
        "LISTEN_PID": "1",
        "LISTEN_FDNAMES": "smsbus.socket",
        "PATH": "/bin",
    }

    manager = ServiceManager.of_environment(environ, PID)

    assert environ == {"PATH": "/bin"}
    assert manager.listening is None, "it is another process's"


@pytest.mark.loopback
def test_a_socket_that_listens_is_taken_and_anything_else_is_refused(monkeypatch):
    with socket.socket() as listening, socket.socket() as bound, socket.socket(socket.AF_UNIX) as other:
        for each in (listening, bound):
            each.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        monkeypatch.setattr(service_manager, "FIRST_DESCRIPTOR", listening.detach())

        manager = ServiceManager.of_environment({"LISTEN_FDS": "1", "LISTEN_PID": str(PID)}, PID)

        assert manager.listening is not None
        with manager.listening as found:
            assert found.getsockname()[1] == port
        for each in (bound, other):
            with pytest.raises(StartupError, match="ListenStream="):
                listening_at(each.detach())


def test_several_sockets_are_refused():
    with pytest.raises(StartupError, match="2 sockets"):
        ServiceManager.of_environment({"LISTEN_FDS": "2", "LISTEN_PID": str(PID)}, PID)


def test_without_systemd_nothing_is_sent():
    manager = ServiceManager.of_environment({}, PID)

    manager.ready()
    manager.stopping(1.0)


@pytest.mark.loopback
def test_a_systemd_that_is_gone_changes_nothing(tmp_path):
    ServiceManager(str(tmp_path / "gone")).ready()
