"""Receiver, pollers and commands against a Kafka that is reached over TLS only."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.polling import SHARDS, Town, ask, wait_until
from tests.e2e.program import TOKEN
from tests.secure_kafka import PASSWORD, USER, SecureKafka

pytestmark = pytest.mark.installation

ORDERS = 48
GUIDE = Path(__file__).parents[2] / "docs/guides/kafka-security.md"


@pytest.fixture
def town(secure: SecureKafka, topic_prefix: str, tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path, secure.kafka.bootstrap_servers, topic_prefix)
    town.environ |= {f"SMSBUS_{name}": value for name, value in secure.settings.items()}
    try:
        assert town("topics", "create").returncode == 0
        yield town
    finally:
        town.close()


@pytest.mark.parametrize(
    "secure",
    ["mtls", *(pytest.param(each, marks=pytest.mark.long) for each in ("PLAIN", "SCRAM-SHA-512"))],
    indirect=True,
)
def test_every_watched_sms_is_published_over_tls(town: Town) -> None:
    """Closing TLS connections, a cancellation ended shards without a word: 18 of 48 SMS were never published."""
    poller = town.poll()
    wait_until(lambda: town.owned([poller]) == SHARDS, 60)
    for _ in range(ORDERS):
        town.watch(town.order(1.0), poller.admin)

    wait_until(lambda: len(town.read("sms.received.v1")) >= ORDERS, 60)

    assert town.compared() == ([], ORDERS, 0)
    assert not poller.events("shard_ended")


def test_callbacks_and_commands_work_over_tls(town: Town) -> None:
    receiver = {"ACCOUNTS__SHOP__PROVIDER": "pingme", "ACCOUNTS__SHOP__CALLBACK_TOKENS": TOKEN}
    town.environ |= {f"SMSBUS_{name}": value for name, value in receiver.items()}
    town.environ |= {"SMSBUS_RECEIVER__HOST": "127.0.0.1", "SMSBUS_RECEIVER__PORT": "0"}
    receiver_url = town.receive().serving["receiver"]

    answers = [ask(f"{receiver_url}/v1/pingme/{TOKEN}", {"to": "1", "text": f"code {n}"}) for n in range(20)]

    assert {answer["status"] for answer in answers} == {"accepted"}
    assert len(town.read("sms.received.v1")) == 20
    tail = town("tail", "-n", "20")
    assert (tail.returncode, len(tail.stdout.splitlines())) == (0, 20)
    assert town("check").returncode == 0


def test_who_is_not_let_in_is_told_why_at_the_start(town: Town, secure: SecureKafka) -> None:
    if "KAFKA__SASL_MECHANISM" in secure.settings:
        town.environ |= {"SMSBUS_KAFKA__SASL_PLAIN_PASSWORD": "not-the-password"}
        why = "refuses the login of SMSBUS_KAFKA__SASL_PLAIN_USERNAME=smsbus"
    else:
        del town.environ["SMSBUS_KAFKA__SSL_CERTFILE"], town.environ["SMSBUS_KAFKA__SSL_KEYFILE"]
        why = "wants a client certificate: set SMSBUS_KAFKA__SSL_CERTFILE and SMSBUS_KAFKA__SSL_KEYFILE"

    checked, served, listed = town("check"), town("serve", "--role", "pollers"), town("topics", "check")

    assert (checked.returncode, served.returncode) == (1, 2)
    assert why in checked.stdout
    assert why in served.stderr
    assert why in listed.stderr
    assert "not-the-password" not in checked.stdout + served.stderr + listed.stderr


@pytest.mark.long
@pytest.mark.parametrize("secure", ["SCRAM-SHA-512"], indirect=True)
@pytest.mark.parametrize("option", ["--add-config", "--add-config-file"])
def test_a_login_that_is_made_as_the_guide_says_is_let_in(town: Town, secure: SecureKafka, option: str) -> None:
    name, password = f"receiver{len(option)}", "a-password-of-its-own"
    _administrator(town, secure)
    command = _guides(r"^\$ smsbus (kafka configs .+)$").replace("PASSWORD", password)
    command = command.replace("broker.example:9093", secure.settings["KAFKA__BOOTSTRAP_SERVERS"])
    words = [name if word == "receiver" else word for word in shlex.split(command)]
    if option == "--add-config-file":
        at = words.index("--add-config")
        (town.directory / "login").write_text(words[at + 1].replace("[", "").replace("]", ""))
        words[at : at + 2] = [option, "login"]
    town.environ |= {"SMSBUS_KAFKA__SASL_PLAIN_USERNAME": name, "SMSBUS_KAFKA__SASL_PLAIN_PASSWORD": password}

    at = words.index("--alter")
    login, entity = words[:at], ("--entity-type", "users", "--entity-name", name)

    before, made, after = town("check"), town(*words), town("check")
    shown = town(*login, "--describe", *entity)
    town(*login, "--alter", "--delete-config", "SCRAM-SHA-512", *entity)

    assert made.returncode == 0, made.stderr
    assert "SCRAM-SHA-512=iterations=" in shown.stdout
    assert password not in shown.stdout
    assert town("check").returncode == before.returncode == 1
    assert f"refuses the login of SMSBUS_KAFKA__SASL_PLAIN_USERNAME={name}" in before.stdout
    assert f"Kafka answers at {secure.settings['KAFKA__BOOTSTRAP_SERVERS']}" in after.stdout


def _administrator(town: Town, secure: SecureKafka) -> None:
    """Write the guide's `admin.properties`."""
    text = _guides(r"^```properties\n(.+?)^```$").replace("/etc/kafka/ca.pem", secure.settings["KAFKA__SSL_CAFILE"])
    text = text.replace('"admin"', f'"{USER}"').replace('"PASSWORD"', f'"{PASSWORD}"')
    (town.directory / "admin.properties").write_text(text)


def _guides(pattern: str) -> str:
    found = re.search(pattern, GUIDE.read_text(), re.MULTILINE | re.DOTALL if "```" in pattern else re.MULTILINE)
    assert found
    return found[1]
