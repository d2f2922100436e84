"""A Kafka with ACLs: exactly the rights that `smsbus topics print` prints are enough, and without one it is said.

`pytest tests/e2e/test_least_rights.py -k "enough and PLAIN" --times 20` runs the first of them twenty times in a row.
"""

import argparse
import asyncio
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.conn import create_conn
from aiokafka.protocol.admin import CreateAclsRequest

from tests.e2e.polling import SHARDS, Town, ask, wait_until
from tests.e2e.program import TOKEN
from tests.secure_kafka import SecureKafka, User

pytestmark = pytest.mark.timeout(240)
ORDERS = 48
RESOURCES = {"topic": 2, "group": 3, "cluster": 4, "transactional_id": 5}  # the protocol's numbers
OPERATIONS = {"Read": 3, "Write": 4, "Describe": 8, "IdempotentWrite": 12}
PATTERNS = {"literal": 3, "prefixed": 4}
ALLOW = 3


@pytest.fixture
def town(secure: SecureKafka, topic_prefix: str, tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path, secure.kafka.bootstrap_servers, topic_prefix)
    door = {"ACCOUNTS__SHOP__PROVIDER": "pingme", "ACCOUNTS__SHOP__CALLBACK_TOKENS": TOKEN}
    door |= {"RECEIVER__HOST": "127.0.0.1", "RECEIVER__PORT": "0"}
    town.environ |= {f"SMSBUS_{name}": value for name, value in door.items()}
    try:
        assert town("topics", "create").returncode == 0
        town.environ |= {f"SMSBUS_{name}": value for name, value in secure.settings.items()}
        yield town
    finally:
        town.close()


def become(town: Town, user: User) -> None:
    """From now on it is this user who starts things."""
    town.environ |= {f"SMSBUS_{name}": value for name, value in user.settings.items()}


def printed(town: Town, role: str, user: User) -> list[str]:
    """Have the user, who may do nothing yet, print what a role needs; only a certificate does not tell its name."""
    become(town, user)
    named = ["--user", user.name] if "CN=" in user.name else []
    done = town("topics", "print", "--role", role, *named)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def allow(lines: list[str], bootstrap: str) -> None:
    """Do what `kafka-acls.sh` does with these arguments; its jar is not among those of our Kafka."""
    asyncio.run(_allow([shlex.split(line) for line in lines], bootstrap))


async def _allow(commands: list[list[str]], bootstrap: str) -> None:
    host, port = bootstrap.split(":")
    connection = await create_conn(host, int(port))
    for program, *words in commands:
        given = understood(words)
        assert program == "kafka-acls.sh"
        kind, name = next((kind, getattr(given, kind)) for kind in RESOURCES if getattr(given, kind) is not None)
        pattern = PATTERNS[given.resource_pattern_type]
        for operation in given.operation:
            right = (RESOURCES[kind], name, pattern, given.allow_principal, "*", OPERATIONS[operation], ALLOW)
            answer = await connection.send(CreateAclsRequest(*right))
            assert [error for error, _ in answer.creation_responses] == [0]
    connection.close()


def understood(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bootstrap-server", required=True)
    parser.add_argument("--command-config")
    parser.add_argument("--add", action="store_true", required=True)
    parser.add_argument("--allow-principal")
    parser.add_argument("--operation", action="append")
    parser.add_argument("--cluster", action="store_const", const="kafka-cluster")
    for name in ("--topic", "--group", "--transactional-id"):
        parser.add_argument(name)
    parser.add_argument("--resource-pattern-type", default="literal")
    return parser.parse_args(words)


def test_the_printed_rights_are_enough_for_each_role(secure: SecureKafka, town: Town, time_in_a_row: int) -> None:
    allow(printed(town, "receiver", secure.users["door"]), town.bootstrap_servers)
    door = town.receive().serving["receiver"]
    allow(printed(town, "pollers", secure.users["pollers"]), town.bootstrap_servers)
    poller = town.poll()
    wait_until(lambda: town.owned([poller]) == SHARDS, 60)
    for _ in range(ORDERS):
        town.watch(town.order(1.0), poller.admin)
    answers = [ask(f"{door}/v1/pingme/{TOKEN}", {"to": "1", "text": f"code {n}"}) for n in range(10)]
    rejected = ask(f"{door}/v1/pingme/{TOKEN}", {"to": "1"})

    wait_until(lambda: len(town.read("sms.received.v1")) >= ORDERS + 10, 60)

    assert {answer["status"] for answer in answers} == {"accepted"}
    assert rejected["status"] == "rejected"
    shown = {sms["nonce"] for sms in town.book() if sms["shown"] is not None}
    assert len(shown & {sms.get("code") for sms in town.read("sms.received.v1")}) == ORDERS, f"run {time_in_a_row}"
    wait_until(lambda: len(town.read("sms.rejected.v1")) == 1, 30)
    assert [line for line in poller.log if line.get("level") == "error"] == []


@pytest.mark.parametrize("secure", ["PLAIN"], indirect=True)
@pytest.mark.parametrize("role", ["receiver", "pollers"])
def test_who_has_no_rights_is_told_which_topic_it_may_not_see(secure: SecureKafka, town: Town, role: str) -> None:
    become(town, secure.users["nobody"])

    ended = town("serve", "--role", role)

    assert ended.returncode == 2
    assert f"topic {town.prefix}sms.received.v1 is missing, or Kafka does not show it to this user" in ended.stderr
    assert "give the user Describe on it" in ended.stderr
