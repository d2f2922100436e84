"""What a process is called, and what it asks of the system."""

import resource
import subprocess
import sys

import pytest

from app import process
from app.process import instance_id

ENDED = """
import asyncio, os, signal
from app import process
try:
    process.serve(asyncio.sleep(0))
finally:
    os.kill(os.getpid(), signal.{name})
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
