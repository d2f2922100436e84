"""A Kafka with ACLs: exactly the rights that `smsbus topics print` prints are enough, and without one it is said.

`pytest tests/e2e/test_least_rights.py -k "enough and PLAIN" --times 20` runs the first of them twenty times in a row.
"""

import asyncio
import json
import urllib.error
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.e2e.polling import SHARDS, Town, ask, wait_until
from tests.e2e.program import TOKEN
from tests.e2e.rights import give, understood
from tests.secure_kafka import SecureKafka, User

pytestmark = [pytest.mark.installation, pytest.mark.timeout(240)]
ORDERS = 48
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def town(secure: SecureKafka, topic_prefix: str, tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path, secure.kafka.bootstrap_servers, topic_prefix)
    receiver = {"ACCOUNTS__SHOP__PROVIDER": "pingme", "ACCOUNTS__SHOP__CALLBACK_TOKENS": TOKEN}
    receiver |= {"RECEIVER__HOST": "127.0.0.1", "RECEIVER__PORT": "0"}
    town.environ |= {f"SMSBUS_{name}": value for name, value in receiver.items()}
    try:
        assert town("topics", "create").returncode == 0
        town.environ |= {f"SMSBUS_{name}": value for name, value in secure.settings.items()}
        yield town
    finally:
        town.close()


def become(town: Town, user: User) -> None:
    """From now on it is this user who starts things."""
    town.environ |= {f"SMSBUS_{name}": value for name, value in user.settings.items()}


def give_what_is_printed(town: Town, role: str, user: User) -> None:
    """Have the user, who may do nothing yet, print what a role needs; only a certificate does not tell its name."""
    become(town, user)
    named = ["--user", user.name] if "CN=" in user.name else []
    done = town("topics", "print", "--role", role, *named)
    assert done.returncode == 0, done.stderr
    asyncio.run(give(understood(done.stdout), town.bootstrap_servers))


def errors(log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines of a log that are errors and not about how busy this machine is."""
    return [line for line in log if line.get("level") == "error" and line["event"] != "event_loop_late"]


@pytest.mark.parametrize(
    "secure",
    [pytest.param("mtls", marks=pytest.mark.long), "PLAIN", pytest.param("SCRAM-SHA-512", marks=pytest.mark.long)],
    indirect=True,
)
def test_the_printed_rights_are_enough_for_each_role(secure: SecureKafka, town: Town, time_in_a_row: int) -> None:
    give_what_is_printed(town, "receiver", secure.users["receiver"])
    assert town("check", "--role", "receiver").returncode == 0
    receiver = town.receive().serving["receiver"]
    give_what_is_printed(town, "pollers", secure.users["pollers"])
    poller = town.poll()
    wait_until(lambda: town.owned([poller]) == SHARDS, 60)
    for _ in range(ORDERS):
        town.watch(town.order(1.0), poller.admin)
    answers = [ask(f"{receiver}/v1/pingme/{TOKEN}", {"to": "1", "text": f"code {n}"}) for n in range(10)]
    rejected = ask(f"{receiver}/v1/pingme/{TOKEN}", {"to": "1"})

    wait_until(lambda: len(town.read("sms.received.v1")) >= ORDERS + 10, 60)

    assert {answer["status"] for answer in answers} == {"accepted"}
    assert rejected["status"] == "rejected"
    shown = {sms["nonce"] for sms in town.book() if sms["shown"] is not None}
    assert len(shown & {sms.get("code") for sms in town.read("sms.received.v1")}) == ORDERS, f"run {time_in_a_row}"
    wait_until(lambda: len(town.read("sms.rejected.v1")) == 1, 30)
    assert errors(poller.log) == []


@pytest.mark.parametrize("secure", [pytest.param("mtls", marks=pytest.mark.long), "PLAIN"], indirect=True)
def test_an_inbox_reads_with_the_printed_rights_and_writes_commands_only_once_it_may(
    secure: SecureKafka, town: Town
) -> None:
    accounts = {name: value for name, value in town.environ.items() if "ACCOUNTS__" in name}
    give_what_is_printed(town, "receiver", secure.users["receiver"])
    receiver = town.receive().serving["receiver"]
    town.environ = {name: value for name, value in town.environ.items() if name not in accounts}
    give_what_is_printed(town, "inbox", secure.users["inbox"])
    assert town("check", "--role", "inbox").returncode == 0
    reads = town.start("inbox")
    published = ask(f"{receiver}/v1/pingme/{TOKEN}", {"to": "16470000000", "text": "code 4711"})
    wait_until(lambda: published["id"] in [sms["id"] for sms in town.get(reads, "/v1/sms")["items"]], 30)
    watches = town.get(reads, "/v1/watches")

    town.environ |= accounts
    commands = town.start("inbox")
    order = town.order(1.0)
    with pytest.raises(urllib.error.HTTPError) as forbidden:
        town.watch(order, commands.admin)
    give_what_is_printed(town, "inbox", secure.users["inbox"])
    watch = town.watch(order, commands.admin)

    assert watches["watches"] == []
    assert (forbidden.value.code, json.load(forbidden.value)["reason"]) == (403, "forbidden")
    wait_until(lambda: [each["watch_id"] for each in town.get(reads, "/v1/watches")["watches"]] == [watch], 10)
    assert errors([*reads.log, *commands.log]) == []


@pytest.mark.long  # half a minute: it waits for five tries
@pytest.mark.parametrize("secure", ["PLAIN"], indirect=True)
def test_the_printed_rights_are_enough_to_forward_and_to_write_a_dead_letter(secure: SecureKafka, town: Town) -> None:
    class Refuses(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(422)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    give_what_is_printed(town, "receiver", secure.users["receiver"])
    receiver = town.receive().serving["receiver"]
    with ThreadingHTTPServer(("127.0.0.1", 0), Refuses) as target:
        Thread(target=target.serve_forever, daemon=True).start()
        hook = {"URL": f"http://127.0.0.1:{target.server_port}/", "ALLOW_PRIVATE": "true", "SECRET": SECRET}
        town.environ |= {f"SMSBUS_FORWARDS__HOOK__{name}": value for name, value in hook.items()}
        give_what_is_printed(town, "forward", secure.users["forward"])
        assert town("check", "--role", "forward").returncode == 0
        process = town.start("forward")
        wait_until(lambda: process.events("forward_begins"), 30)
        published = ask(f"{receiver}/v1/pingme/{TOKEN}", {"to": "16470000000", "text": "code 4711"})
        wait_until(lambda: process.events("forward_refused"), 60)
        target.shutdown()

    assert [line["id"] for line in process.events("forward_refused")] == [published["id"]]
    assert [letter["stage"] for letter in town.read("sms.rejected.v1")] == ["forward"]
    assert errors(process.log) == []


@pytest.mark.parametrize("secure", ["PLAIN"], indirect=True)
def test_a_process_that_may_not_read_what_it_publishes_is_ready_and_says_what_its_inbox_lacks(
    secure: SecureKafka, town: Town
) -> None:
    for role in ("receiver", "pollers"):
        give_what_is_printed(town, role, secure.users["pollers"])  # what `all` needed before it had an inbox
    process = town.start("all")
    wait_until(lambda: town.readiness(process) == (200, True), 30)
    wait_until(lambda: process.events("inbox_blind"), 10)
    [line] = process.events("inbox_blind")
    accepted = ask(f"{process.serving['receiver']}/v1/pingme/{TOKEN}", {"to": "16470000000", "text": "code 4711"})
    give_what_is_printed(town, "all", secure.users["pollers"])
    wait_until(lambda: town.readiness(process) == (200, False), 30)
    wait_until(lambda: process.events("inbox_blind_no_more"), 10)

    unread = [f"{town.prefix}{name}" for name in ("sms.received.v1", "sms.rejected.v1", "sms.watch-ended.v1")]
    assert f"read topic {', '.join(unread)}: give it Read and Describe on it" in line["reason"]
    said = [each["reason"] for each in process.events("inbox_blind")]
    assert sorted({*said}) == sorted(said), (
        "the rights are given one after the other: one line for each that is lacking"
    )
    assert len(process.events("inbox_blind_no_more")) == 1
    assert town.get(process, f"/v1/sms/{accepted['id']}")["sms"]["code"] == "4711"


@pytest.mark.parametrize("secure", ["PLAIN"], indirect=True)
@pytest.mark.parametrize("role", ["receiver", "pollers", "inbox", "forward"])
def test_who_has_no_rights_is_told_which_topic_it_may_not_see(secure: SecureKafka, town: Town, role: str) -> None:
    become(town, secure.users["nobody"])
    town.environ |= {"SMSBUS_FORWARDS__HOOK__URL": "https://example.com/hook", "SMSBUS_FORWARDS__HOOK__SECRET": SECRET}

    ended = town("serve", "--role", role)

    assert ended.returncode == 2
    assert f"topic {town.prefix}sms.received.v1 is missing, or Kafka does not show it to this user" in ended.stderr
    assert "give the user Describe on it" in ended.stderr


@pytest.mark.parametrize("secure", ["PLAIN"], indirect=True)
def test_who_has_no_rights_is_told_so_by_tail_in_the_same_words(secure: SecureKafka, town: Town) -> None:
    become(town, secure.users["nobody"])

    ended = town("tail", "-n", "1")

    assert ended.returncode == 1
    assert f"topic {town.prefix}sms.received.v1 is missing, or Kafka does not show it to this user" in ended.stderr
    assert "`smsbus topics print`" in ended.stderr
