"""Receiver, pollers and commands against a Kafka that is reached over TLS only."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.polling import SHARDS, Town, ask, wait_until
from tests.e2e.program import TOKEN
from tests.secure_kafka import SecureKafka

ORDERS = 48


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
