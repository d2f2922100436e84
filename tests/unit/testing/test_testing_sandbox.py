"""How the processes of a test run know whether the one sandbox lives."""

import subprocess
import sys
from pathlib import Path

from smsbus_testing.sandbox import _lives

UNREAPED = "import subprocess, sys; ended = subprocess.Popen(['true']); print(ended.pid, flush=True); sys.stdin.read()"


def test_a_process_that_has_ended_and_whose_starter_does_not_know_yet_is_dead() -> None:
    """Whoever stops the sandbox is seldom the one that started it; the stop took its whole twenty seconds."""
    with subprocess.Popen([sys.executable, "-c", UNREAPED], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        while "State:\tZ" not in Path(f"/proc/{pid}/status").read_text():
            pass

        assert (_lives(pid), _lives(starter.pid)) == (False, True)
        starter.communicate()
    assert not _lives(starter.pid)
