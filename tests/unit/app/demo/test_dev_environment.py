"""What `smsbus dev` takes from the environment, and what it prints for the other commands."""

import shlex
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.cli.exit import Code
from app.demo import run as demo
from app.demo.run import Ready, Wanted
from app.settings.load import load
from app.settings.sections import AdminSettings
from bus.settings import KafkaSettings
from sandbox import scenario
from sandbox.server import Sandbox

pytestmark = pytest.mark.usefixtures("process_is_restored")

READS = "reads-reads-reads-reads"
READY = Ready(
    url="http://127.0.0.1:8081",
    token="t",
    page="http://127.0.0.1:8081/#token=t",
    callback_url="",
    sandbox_url="",
    sandbox_token="",
    pid=1,
    kafka="127.0.0.1:19092",
    topic_prefix="",
)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[Wanted]:
    """What was to be played; it is ready at once, and ends."""
    asked: list[Wanted] = []

    async def play(wanted: Wanted, show: Any, say: Any, on_ready: Any) -> tuple[None, None]:
        asked.append(wanted)
        on_ready(READY)
        return None, None

    monkeypatch.setattr(demo, "play", play)
    return asked


def test_other_commands_find_it_with_the_line_that_it_prints(environment, monkeypatch, tmp_path, played) -> None:
    environment({})
    result = CliRunner().invoke(cli, ["dev"])
    line = next(line for line in result.stderr.splitlines() if "export " in line)
    monkeypatch.chdir(tmp_path)
    environment(dict(word.split("=", 1) for word in shlex.split(line.partition("export ")[2])))

    assert result.exit_code == Code.OK, result.output
    assert line == (
        "for other commands, in another terminal: export SMSBUS_URL=http://127.0.0.1:8081 SMSBUS_TOKEN=t "
        "SMSBUS_KAFKA__BOOTSTRAP_SERVERS=127.0.0.1:19092"
    )
    assert load().kafka.bootstrap_servers == "127.0.0.1:19092"


def test_topics_under_a_prefix_are_found_too() -> None:
    assert (
        READY._replace(topic_prefix="smsbus-demo-1a2b3c.")
        .exports()
        .endswith(" SMSBUS_KAFKA__TOPIC_PREFIX=smsbus-demo-1a2b3c.")
    )


def test_the_tokens_of_the_environment_are_those_of_the_listener(environment, played) -> None:
    environment({"SMSBUS_ADMIN__READ_TOKEN": READS, "SMSBUS_ADMIN__READ_ACCOUNTS": "shop, grizzlysms"})
    result = CliRunner().invoke(cli, ["dev"])
    [wanted] = played

    assert (result.exit_code, "not used" in result.stderr) == (Code.OK, False), result.output
    assert wanted.admin.read_token.get_secret_value() == READS
    assert wanted.admin.read_accounts == ("shop", "grizzlysms")


def test_what_it_does_not_use_it_names(environment, played) -> None:
    environment({"SMSBUS_DATA_DIR": "/data", "SMSBUS_KAFKA__BOOTSTRAP_SERVERS": "a:1", "SMSBUS_URL": "http://x"})
    result = CliRunner().invoke(cli, ["dev"])

    assert "not used: SMSBUS_DATA_DIR, SMSBUS_KAFKA__BOOTSTRAP_SERVERS. This has settings" in result.stderr


def test_a_token_that_can_be_guessed_is_refused(environment, played) -> None:
    environment({"SMSBUS_ADMIN__READ_TOKEN": "short"})
    result = CliRunner().invoke(cli, ["dev"])

    assert (result.exit_code, played) == (Code.USAGE, [])
    assert "SMSBUS_ADMIN__READ_TOKEN" in result.stderr
    assert "can be guessed" in result.stderr


async def test_an_sms_of_ones_own_is_no_other_users(tmp_path) -> None:
    world = Sandbox(scenario.load("storm"), rng=Random(1))
    world.base_url = lambda provider: f"http://127.0.0.1:1/{provider}"
    settings = demo._settings(KafkaSettings(), tmp_path, world, (0, 0), AdminSettings())

    assert settings.accounts["shop"].user_id is None  # `smsbus trigger pingme --url` does not know it
