"""`smsbus-testing` in somebody's empty project, with pytest-xdist."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.program import ROOT

TEST = """
import pytest

pytestmark = pytest.mark.installation

@pytest.mark.parametrize("code", ["1482", "2593", "3614", "4725"])
def test_a_code_arrives(sms_inbox, sms_sandbox, code):
    sms_sandbox.send(sms_inbox.number, f"Your code is {code}")
    assert sms_inbox.code() == code
    sms_inbox.assert_no_sms(within=1)


def test_the_same_text_again_is_another_sms(sms_inbox, sms_sandbox):
    assert len({sms_sandbox.send(sms_inbox.number, "again") for _ in "12"}) == 2
    sms_inbox.wait_for_count(2)


def test_what_came_instead_is_shown(sms_inbox, sms_sandbox):
    sms_sandbox.send(sms_inbox.number, "hello")
    sms_inbox.wait_for_sms(timeout=10, match="bye")


async def test_the_asynchronous_one(sms_sandbox):
    from smsbus_testing import AsyncSmsInbox
    async with AsyncSmsInbox(sms_sandbox.number(), url=sms_sandbox.url, token=sms_sandbox.token) as inbox:
        sms_sandbox.send(inbox.number, "Your code is 5836")
        assert await inbox.code() == "5836"
"""


@pytest.mark.timeout(300)
def test_two_lines_of_pytest_get_a_code_in_an_empty_project(kafka_jars: None, tmp_path: Path) -> None:
    (tmp_path / "test_login.py").write_text(TEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "smsbus_testing.plugin", "--basetemp", "base"]
    environ = {
        "PYTHONPATH": f"{ROOT / 'testing'}:{ROOT}",
        "PATH": str(Path(sys.executable).parent),
        "HOME": str(tmp_path),
    }
    environ["XDG_CACHE_HOME"] = str(Path.home() / ".cache")
    ended = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)

    assert "1 failed, 6 passed" in ended.stdout, ended.stdout + ended.stderr
    assert "expected an SMS that matches 'bye' within 10 s at 1555" in ended.stdout
    assert "'hello'" in ended.stdout
    assert not list(tmp_path.glob("base/smsbus.json")), "the last one stops the service"
