"""`smsbus wait` as a script has it: the code alone, whether it came before or comes yet, and never an old one."""

import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.polling import Poller, Town, ask, wait_until
from tests.e2e.program import free_port
from tests.kafka_fixtures import TestKafka

TOKEN = "e2e-token-e2e-token-e2e-token"
NUMBER = "16470000000"
OK, USAGE, TIMED_OUT, ENDED, FAILED = 0, 2, 3, 4, 1


@pytest.fixture
def town(kafka: TestKafka, topic_prefix: str, tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path, kafka.bootstrap_servers, topic_prefix)
    try:
        assert town("topics", "create").returncode == 0
        yield town
    finally:
        town.close()


def call(service_port: int, text: str) -> None:
    """Deliver an SMS as PingMe does."""
    body = {"app": "jd", "from": "14160000000", "to": NUMBER, "userId": "xxx", "text": text}
    assert ask(f"http://127.0.0.1:{service_port}/v1/pingme/{TOKEN}", body)["status"] == "accepted"


def subscribers(service: Poller) -> int:
    with urllib.request.urlopen(f"{service.admin}/metrics", timeout=5) as answer:
        found = re.search(r"^smsbus_inbox_subscribers ([0-9.]+)$", answer.read().decode(), re.MULTILINE)
    return int(float(found[1])) if found else 0


def test_an_order_s_codes_before_and_after_they_came_and_never_the_old_one(town: Town) -> None:
    town.serve()
    first, second, never = town.order(0.5), town.order(4, 5), town.order()

    waiting = town.begin("wait", "smsverified", second["order"], "--timeout", "60")
    came = town("wait", "smsverified", first["order"], "--timeout", "60")
    again = town("wait", "smsverified", first["order"], "--timeout", "10", "--json")
    printed, said = waiting.communicate(timeout=90)
    assert town("watch", "next", f"smsverified/{second['order']}").returncode == 0
    next_one = town("wait", "smsverified", second["order"], "--sequence", "1", "--timeout", "60")
    watch_id = town("watch", "add", "smsverified", never["order"]).stdout.strip()
    nothing = town("wait", "--watch", watch_id, "--timeout", "2")
    assert town("watch", "stop", watch_id).returncode == 0
    wait_until(lambda: town.read("sms.watch-ended.v1"), 30)
    ended = town("wait", "--watch", watch_id, "--timeout", "30")
    events = {(each["order_id"], each["sequence"]): each["code"] for each in town.read("sms.received.v1")}

    assert (came.returncode, came.stdout) == (OK, f"{events[first['order'], 0]}\n"), came.stderr
    assert f'"code": "{events[first["order"], 0]}"' in again.stdout
    assert (waiting.returncode, printed) == (OK, f"{events[second['order'], 0]}\n"), said
    assert (next_one.returncode, next_one.stdout) == (OK, f"{events[second['order'], 1]}\n"), next_one.stderr
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (TIMED_OUT, "", "smsbus: nothing came within 2 s\n")
    assert (ended.returncode, ended.stdout, "stopped" in ended.stderr) == (ENDED, "", True), ended.stderr


def test_a_number_s_next_code_through_a_restart_of_the_service(town: Town) -> None:
    port, admin = free_port(), free_port()
    settings = {
        "RECEIVER__PORT": str(port),
        "ADMIN__PORT": str(admin),
        "ACCOUNTS__SHOP__PROVIDER": "pingme",
        "ACCOUNTS__SHOP__CALLBACK_TOKENS": TOKEN,
    }
    service = town.serve(**settings)
    wait_until(lambda: town("cursor").returncode == 0, 30)
    call(port, "Your code is 1482")
    cursor = town("cursor").stdout.strip()
    waiting = town.begin("wait", "--to", NUMBER, "--since", cursor, "--match", "parcel", "--timeout", "100")
    wait_until(lambda: subscribers(service) == 1, 30)
    call(port, "Your code is 2593")
    service.end()
    town.serve(**settings)
    call(port, "parcel: your code is 3614")
    printed, said = waiting.communicate(timeout=100)
    nobody = town("wait", "--to", NUMBER, "--timeout", "2")
    earlier = town("wait", "--to", NUMBER, "--since", "10m", "--timeout", "5", "--text")

    assert (waiting.returncode, printed) == (OK, "3614\n"), said
    assert (nobody.returncode, nobody.stdout) == (TIMED_OUT, "")
    assert earlier.stdout == "Your code is 1482\n", earlier


def test_what_cannot_be_waited_for_is_said_at_once(town: Town) -> None:
    town.environ["SMSBUS_URL"] = f"http://127.0.0.1:{free_port()}"
    away = town("wait", "--to", NUMBER)
    wrong = [town("wait", *arguments) for arguments in ((), ("smsverified",), ("--to", "1", "--match", "("))]

    assert (away.returncode, away.stdout) == (FAILED, "")
    assert f"no smsbus service responds at {town.environ['SMSBUS_URL']}" in away.stderr
    assert "SMSBUS_URL" in away.stderr
    assert [each.returncode for each in wrong] == [USAGE] * 3
    assert "--to NUMBER, or ACCOUNT ORDER, or --watch ID" in wrong[0].stderr
