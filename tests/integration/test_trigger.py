"""`smsbus trigger activation|rent` as a person runs it: a sandbox, its control token, and a watch on Kafka."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
AT_ONCE = ("--after", "0")
BUDGET = 120  # seconds for a command, on a busy machine
KEPT = re.compile(r"the token of (\S+)/control is in (\S+)")
SETTING = re.compile(r"^(SMSBUS_\w+)=(\S+)$", re.MULTILINE)


class Ran(NamedTuple):
    code: int
    out: str
    err: str


class Person:
    """Runs commands with these variables, and keeps what a sandbox printed among them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        own = {name: value for name, value in os.environ.items() if not name.upper().startswith("SMSBUS")}
        self.environ = {**own, "PYTHONPATH": str(ROOT), "SMSBUS_DATA_DIR": str(directory / "data")}

    def __call__(self, *arguments: str) -> Ran:
        command = [sys.executable, "-m", "app", *arguments]
        ran = subprocess.run(
            command,
            cwd=self.directory,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=BUDGET,
            check=False,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def sandbox(self, *arguments: str) -> "Running":
        command = [sys.executable, "-m", "app", "sandbox", "--port", "0", *arguments]
        running = Running(
            subprocess.Popen(
                command,
                cwd=self.directory,
                env=self.environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        self.environ |= running.settings
        return running


class Running:
    """A sandbox that has said where its token is."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        assert process.stderr is not None
        kept = next((found for line in process.stderr if (found := KEPT.search(line))), None)
        assert kept is not None, "it ended"
        self.url, self.token_file = kept[1], Path(kept[2])
        # of the three providers three lines each, which were printed before
        self.settings = dict(SETTING.findall("".join(process.stdout.readline() for _ in range(9))))

    def orders(self) -> list[str]:
        """Those whose SMS has come."""
        with urllib.request.urlopen(f"{self.url}/book") as answer:
            return [sms["order"] for sms in json.load(answer)["sms"]]

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=BUDGET)


@pytest.fixture
def person(tmp_path, unused_tcp_port) -> Person:
    """Kafka is away."""
    person = Person(tmp_path)
    person.environ["SMSBUS_KAFKA__BOOTSTRAP_SERVERS"] = f"127.0.0.1:{unused_tcp_port}"
    return person


@pytest.fixture
def running(person) -> Iterator[Running]:
    running = person.sandbox()
    yield running
    running.end()


@pytest.mark.parametrize(("kind", "account"), [("activation", "smsverified"), ("rent", "grizzlysms")])
def test_an_order_is_opened_with_the_sandbox_s_token_and_watched(person, running, kafka, topic_prefix, kind, account):
    person.environ |= {
        "SMSBUS_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "SMSBUS_KAFKA__TOPIC_PREFIX": topic_prefix,
    }
    assert person("topics", "create").code == 0

    code, out, err = person("trigger", kind, account, *AT_ONCE, "--text", "[jd] code is {code}")
    assert (code, err) == (0, "")
    watch_id, order = out.split()
    shown = json.loads(person("watch", "show", watch_id).out)

    assert running.orders() == [order]
    assert (shown["watch_id"], shown["order_id"], shown["account"]) == (watch_id, order, account)
    assert shown["order_kind"] == kind


def test_a_sandbox_that_keeps_its_token_elsewhere_is_opened_with_that_file_only(person, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    running = person.sandbox("--token-file", str(elsewhere))
    without = person("trigger", "activation", "smsverified", *AT_ONCE)
    refused = running.orders()
    person("trigger", "activation", "smsverified", *AT_ONCE, "--token-file", str(elsewhere))  # the watch needs a Kafka
    opened = running.orders()
    running.end()

    assert (without.code, without.out) == (1, "")
    assert "/control/orders does not accept the token in" in without.err
    assert without.err.endswith(": give another file with --token-file\n")
    assert (len(refused), len(opened)) == (0, 1)


def test_the_token_of_another_sandbox_opens_nothing_and_is_not_shown(person, running, tmp_path):
    other = tmp_path / "other"
    other.write_text("another-token-another-token\n")

    refused = person("trigger", "rent", "grizzlysms", *AT_ONCE, "--token-file", str(other))

    assert (refused.code, refused.out) == (1, "")
    assert f"does not accept the token in {other}" in refused.err
    assert other.read_text().strip() not in refused.err
    assert running.orders() == []


def test_who_asks_a_sandbox_that_has_ended_is_told(person):
    person.sandbox().end()

    refused = person("trigger", "activation", "smsverified", *AT_ONCE)

    assert refused.code == 1
    assert "nothing listens at http://" in refused.err
    assert "is `smsbus sandbox` running?" in refused.err
