"""What a process is called, and what it asks of the system."""

import os
import pty
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app import process
from app.cli import have_a_home
from app.process import instance_id

ENDED = """
import asyncio, os, signal
from app import process
from app.cli import have_a_home
try:
    process.serve(asyncio.sleep(0))
finally:
    os.kill(os.getpid(), signal.{name})
"""

PRINTS = """
import os, sys
from app import cli

def command():
    for stream in (sys.stdout, sys.stderr):
        stream.write("x")
        stream.flush()
    other = os.open(os.devnull, os.O_RDONLY) > 2
    said = (other, sys.stdin.read(), all(map(os.get_inheritable, range(3))))
    open(sys.argv[1], "w").write("{} {!r} {}".format(*said))

cli.cli = command
cli.main()
"""

SHOWS = """
from app import cli

cli.cli = lambda: print(chr(10003), chr(0x1F600), chr(233))
cli.main()
"""


def test_every_process_has_its_own_name():
    assert instance_id() != instance_id()


def test_a_process_may_open_as_many_files_as_the_system_lets_it():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))

    process.allow_many_connections()
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, before)

    assert allowed == (before[1], before[1])


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_after_the_end_of_a_service_changes_nothing(name):
    ended = subprocess.run([sys.executable, "-c", ENDED.format(name=name)], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")


def test_signals_that_the_parent_blocked_are_heard():
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGCHLD))
    try:
        process.hear_every_signal()
        heard = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    assert heard == set()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_read_and_written_as_if_it_were_dev_null_and_nothing_else_gets_its_number(tmp_path, closed):
    said = tmp_path / "said"
    shell = ["sh", "-c", f'"$@" {closed}', "sh", sys.executable, "-c", PRINTS, str(said)]

    ended = subprocess.run(shell, check=False, stdin=subprocess.DEVNULL)

    assert (ended.returncode, said.read_text()) == (0, "True '' True")


@pytest.mark.parametrize(
    ("encoding", "on_a_terminal", "shown"),
    [
        ("latin-1", False, "\u2713 \U0001f600 \xe9".encode()),
        ("latin-1", True, b"\\u2713 \\U0001f600 \xe9"),
        ("utf-8", True, "\u2713 \U0001f600 \xe9".encode()),
    ],
    ids=["a pipe", "a terminal of latin-1", "a terminal of utf-8"],
)
def test_every_text_can_be_written_whatever_the_encoding_of_the_terminal(encoding, on_a_terminal, shown):
    reads, writes = pty.openpty() if on_a_terminal else os.pipe()
    environ = {**os.environ, "PYTHONIOENCODING": encoding}

    ended = subprocess.run(
        [sys.executable, "-c", SHOWS], env=environ, stdout=writes, stderr=subprocess.PIPE, check=False
    )

    assert (ended.returncode, ended.stderr) == (0, b"")
    assert os.read(reads, 1000).strip() == shown
    os.close(reads)
    os.close(writes)


def test_a_user_without_a_home_directory_gets_that_of_docker(monkeypatch):
    def nobody():
        raise RuntimeError

    monkeypatch.setenv("HOME", "")
    monkeypatch.setattr(Path, "home", nobody)

    have_a_home()

    assert os.environ["HOME"] == "/"
