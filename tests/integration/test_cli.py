"""The program as a person runs it: on a real broker, as processes, with their exit codes and what they print."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from bus.contract import Ledger
from bus.kafka import topics
from bus.settings import KafkaSettings
from inbox.cursor import Cursor, Place
from schemas.topics import RECEIVED
from tests.e2e.program import OF_LOAD, free_port

ROOT = Path(__file__).parents[2]
OLD = "old-token-old-token-old-token"
START_SECONDS, STOP_SECONDS = 60, 40
BUDGET = 120  # seconds for a command, on a busy machine


class Installation:
    """One data directory, one topic prefix, free ports, and the commands that use them."""

    def __init__(self, directory: Path, **settings: str) -> None:
        self.directory = directory
        self.file = directory / "smsbus.toml"
        self.file.write_text(
            f'# mine\n[accounts.shop]\nprovider = "pingme"\ncallback_tokens = ["{OLD}"]  # the first\n'
        )
        own = {name: value for name, value in os.environ.items() if not name.upper().startswith("SMSBUS")}
        ports = {"RECEIVER__PORT": "0", "RECEIVER__HOST": "127.0.0.1", "ADMIN__PORT": "0"}
        settings = {"DATA_DIR": str(directory / "own"), **ports, **settings}
        self.environ = {**own, "PYTHONPATH": str(ROOT), **{f"SMSBUS_{name}": value for name, value in settings.items()}}

    def __call__(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        environ = {**self.environ, **{f"SMSBUS_{name}": value for name, value in settings.items()}}
        command = [sys.executable, "-m", "app", *arguments]
        return subprocess.run(
            command, cwd=self.directory, env=environ, capture_output=True, text=True, timeout=BUDGET, check=False
        )

    def has_topics(self) -> None:
        """Create them as `topics create` does, without a process of its own, which takes a second."""
        settings = KafkaSettings(
            bootstrap_servers=self.environ["SMSBUS_KAFKA__BOOTSTRAP_SERVERS"],
            topic_prefix=self.environ["SMSBUS_KAFKA__TOPIC_PREFIX"],
        )
        asyncio.run(topics.create(settings))

    @contextmanager
    def serving(self, *arguments: str):
        """A service that has said it serves; ended by SIGTERM unless it was before."""
        command = [sys.executable, "-m", "app", "serve", *arguments]
        process = subprocess.Popen(command, cwd=self.directory, env=self.environ, stderr=subprocess.PIPE, text=True)
        service = Service(process)
        try:
            service.read_until("serving")
            yield service
            if process.poll() is None:
                service.end(signal.SIGTERM)
        finally:
            process.kill()
            process.wait()


class Service:
    """A running `smsbus serve` and what it said."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said = []

    def read_until(self, event: str) -> None:
        for line in self.process.stderr:
            self.said.append(json.loads(line))
            if self.said[-1]["event"] == event:
                return
        pytest.fail(f"ended with {self.process.wait()} before it said {event}: {self.said}")

    def event(self, name: str) -> dict:
        return next(line for line in self.said if line["event"] == name)

    @property
    def url(self) -> str:
        return self.event("serving")["callback"].replace("{token}", OLD)

    def admin(self, path: str) -> tuple[int, dict]:
        try:
            with urllib.request.urlopen(self.event("serving")["admin"] + path) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def end(self, signum: int) -> int:
        self.process.send_signal(signum)
        rest = self.process.communicate(timeout=STOP_SECONDS)[1]
        assert "did not stop within" not in rest, rest
        self.said += map(json.loads, rest.splitlines())
        return self.process.returncode


def _admin_token(smsbus: Installation) -> str:
    return (smsbus.directory / "own" / "admin-token").read_text().strip()


@pytest.fixture
def smsbus(kafka, topic_prefix, tmp_path):
    return Installation(tmp_path, KAFKA__BOOTSTRAP_SERVERS=kafka.bootstrap_servers, KAFKA__TOPIC_PREFIX=topic_prefix)


@pytest.fixture
def alone(tmp_path, unused_tcp_port):
    """An installation whose Kafka is away."""
    return Installation(tmp_path, KAFKA__BOOTSTRAP_SERVERS=f"127.0.0.1:{unused_tcp_port}")


def test_from_nothing_to_a_message_in_five_commands(smsbus):
    assert smsbus("topics", "create").returncode == 0
    with smsbus.serving() as service:
        posted = smsbus("trigger", "pingme", "--url", service.url, "--to", "12015550100", "--text", "code is 4711")
        shown = smsbus("tail", "-n", "1", "--json")

        assert (posted.returncode, posted.stdout.split()[:2]) == (0, ["200", "accepted"])
        event = json.loads(shown.stdout)
        assert (event["id"], event["account"], event["text"]) == (posted.stdout.split()[2], "shop", "code is 4711")
        status, ready = service.admin("/readyz")
        assert (status, set(ready["degraded"]) - OF_LOAD) == (200, set())
        assert service.end(signal.SIGTERM) == 0

    assert service.event("stopped")["ledger"] == Ledger(accepted=1, published=1).line()


def test_no_line_of_a_service_shows_number_code_text_or_token(smsbus):
    smsbus.has_topics()
    with smsbus.serving() as service:
        smsbus("trigger", "pingme", "--url", service.url, "--to", "12015550100", "--text", "code is 471147")
        smsbus("trigger", "pingme", "--url", service.url, "--bad", "malformed", "--from", "14165550123")
        service.end(signal.SIGTERM)

    assert len(service.said) >= 3
    everything = json.dumps(service.said)
    assert [secret for secret in ("2015550100", "471147", "4165550123", OLD) if secret in everything] == []


@pytest.mark.usefixtures("kafka_jars")
def test_with_a_local_kafka_of_its_own_one_command_is_a_complete_installation(alone):
    alone.environ["SMSBUS_KAFKA__BOOTSTRAP_SERVERS"] = f"localhost:{free_port()}"
    with alone.serving("--local-kafka") as service:
        first = alone("trigger", "pingme", "--url", service.url, "--text", "before")
        assert service.end(signal.SIGTERM) == 0

    with alone.serving("--local-kafka") as service:
        alone("trigger", "pingme", "--url", service.url, "--text", "after")
        shown = alone("tail", "-n", "5", "--json")

    assert first.stdout.split()[:2] == ["200", "accepted"]
    assert [json.loads(line)["text"] for line in shown.stdout.splitlines()] == ["before", "after"]


def test_a_local_kafka_is_not_kept_for_an_address_elsewhere(alone):
    result = alone("serve", "--local-kafka", KAFKA__BOOTSTRAP_SERVERS="kafka.example:9092")

    assert result.returncode == 2
    assert "SMSBUS_KAFKA__BOOTSTRAP_SERVERS names another" in result.stderr


def test_the_watchdog_ends_a_process_that_does_not_stop():
    program = (
        "import time; from app import stopping; stopping.WATCHDOG_SECONDS = 0.1; "
        "stopping.watchdog(0).start(); time.sleep(60)"
    )

    command = [sys.executable, "-c", program]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)

    assert result.returncode == 1
    assert "smsbus did not stop within" in result.stderr


def test_the_watchdog_shows_what_hangs_before_it_ends_the_process():
    program = """
import asyncio
from app import stopping, task_stacks
stopping.WATCHDOG_SECONDS = 0.1
async def main():
    task_stacks.show_on_signal()
    hangs = asyncio.create_task(asyncio.Event().wait(), name="what hangs")
    stopping.watchdog(0).start()
    await hangs
asyncio.run(main())
"""
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)

    assert result.returncode == 1
    assert result.stderr.startswith("smsbus did not stop within")
    assert "what hangs" in result.stderr


def test_ctrl_c_ends_a_service_in_order(smsbus):
    smsbus.has_topics()
    with smsbus.serving() as service:
        assert service.end(signal.SIGINT) == 0

    assert [line["event"] for line in service.said if line["event"].startswith("stop")] == ["stopping", "stopped"]


def test_a_bad_callback_is_answered_and_triggered_as_asked(smsbus):
    smsbus.has_topics()
    with smsbus.serving() as service:
        twice = smsbus("trigger", "pingme", "--url", service.url, "--bad", "duplicate")
        broken = smsbus("trigger", "pingme", "--url", service.url, "--bad", "malformed")

    assert [line.split()[1] for line in twice.stdout.splitlines()] == ["accepted", "duplicate"]
    assert broken.stdout.split()[:2] == ["200", "rejected"]


def test_a_first_start_without_kafka_ends_with_2_and_one_line(alone):
    result = alone("serve")

    assert result.returncode == 2
    [line] = result.stderr.splitlines()
    assert "no Kafka broker answers at 127.0.0.1:" in line
    assert "SMSBUS_KAFKA__BOOTSTRAP_SERVERS" in line


def test_a_start_without_topics_ends_with_2_and_the_command_that_makes_them(smsbus):
    result = smsbus("serve")

    assert result.returncode == 2
    [line] = result.stderr.splitlines()
    assert "sms.received.v1 is missing: run `smsbus topics create`" in line


def test_topics_that_are_gone_end_a_later_start_too(smsbus, kafka, topic_prefix):
    smsbus.has_topics()
    with smsbus.serving():
        pass
    delete_topics(kafka, topic_prefix)

    assert smsbus("serve").returncode == 2


@pytest.mark.long  # tests/e2e/test_start.py starts it so, too
def test_once_verified_it_starts_without_kafka_and_takes_messages_into_the_journal(smsbus, kafka, event_loop_free):
    smsbus.has_topics()
    with smsbus.serving():
        pass
    event_loop_free(kafka.kill())

    with smsbus.serving() as service:
        posted = smsbus("trigger", "pingme", "--url", service.url)
        journals = smsbus("journal", "status")
        assert service.admin("/readyz")[0] == 200
        assert "kafka_away" in service.admin("/readyz")[1]["degraded"]
        service.end(signal.SIGTERM)
    kafka.heal()
    drained = smsbus("journal", "drain", str(smsbus.directory / "own" / "journal"))
    shown = smsbus("tail", "-n", "5", "--json")

    assert posted.stdout.split()[:2] == ["200", "accepted"]
    assert service.event("started_without_kafka")["level"] == "warning"
    assert "rows=1" in journals.stdout
    assert journals.stdout.strip().endswith("held")
    assert (drained.returncode, "published=1" in drained.stdout) == (0, True)
    assert [json.loads(line)["id"] for line in shown.stdout.splitlines()] == [posted.stdout.split()[2]]
    assert "rows=0" in smsbus("journal", "status").stdout


def with_a_polled_account(smsbus: Installation) -> None:
    pool = [
        "[accounts.pool]",
        'provider = "grizzlysms"',
        'api_key = "planted-key-5e1f"',
        'base_url = "http://127.0.0.1:9"',
    ]
    smsbus.file.write_text(smsbus.file.read_text() + "\n".join(pool))


def test_who_waits_until_it_is_ready_can_open_a_watch_at_once(smsbus):
    smsbus.has_topics()
    with_a_polled_account(smsbus)
    with smsbus.serving() as service:
        words = set()
        while (answer := service.admin("/readyz"))[0] != 200:
            words.add(answer[1]["status"])
            time.sleep(0.01)
        body = json.dumps({"account": "pool", "order_id": "7"}).encode()
        url, token = service.event("serving")["admin"] + "/v1/watches", _admin_token(smsbus)
        opened = urllib.request.urlopen(urllib.request.Request(url, body, {"Authorization": f"Bearer {token}"}))

        assert opened.status == 201
        assert words <= {"starting"}


def test_without_kafka_the_receiver_serves_although_the_watches_cannot_be_read(smsbus, kafka, event_loop_free):
    smsbus.has_topics()
    with_a_polled_account(smsbus)
    with smsbus.serving():
        pass
    event_loop_free(kafka.kill())

    with smsbus.serving() as service:
        deadline = time.monotonic() + START_SECONDS
        while service.admin("/readyz")[0] != 200 and time.monotonic() < deadline:
            time.sleep(0.1)
        status, answer = service.admin("/readyz")
        posted = smsbus("trigger", "pingme", "--url", service.url)
        service.end(signal.SIGTERM)

    assert (status, answer["status"]) == (200, "ready")
    assert "watch_table_behind" in answer["degraded"]
    assert posted.stdout.split()[:2] == ["200", "accepted"]


def test_draining_without_kafka_fails_and_loses_nothing(smsbus, kafka, event_loop_free):
    smsbus.has_topics()
    with smsbus.serving() as service:
        event_loop_free(kafka.kill())
        smsbus("trigger", "pingme", "--url", service.url)
        service.end(signal.SIGTERM)

    result = smsbus("journal", "drain", str(smsbus.directory / "own" / "journal"))

    assert result.returncode == 1
    assert "rows=1" in smsbus("journal", "status").stdout


def test_tail_masks_unless_it_is_told_not_to(smsbus):
    smsbus.has_topics()
    with smsbus.serving() as service:
        for number, text in (("12015550100", "one 111111"), ("12015550199", "two 222222")):
            smsbus("trigger", "pingme", "--url", service.url, "--to", number, "--text", text)

    masked = smsbus("tail", "-n", "5").stdout
    revealed = smsbus("tail", "--since", "10m", "--reveal").stdout
    mine = smsbus("tail", "-n", "5", "--to", "+1 201-555-0199", "--json").stdout

    assert len(masked.splitlines()) == 2
    assert [secret for secret in ("2015550100", "111111", "one") if secret in masked] == []
    assert "+12015550100" in revealed
    assert "one 111111" in revealed
    assert [json.loads(line)["text"] for line in mine.splitlines()] == ["two 222222"]


def test_tail_goes_on_after_a_cursor_and_refuses_one_that_has_a_gap(smsbus):
    smsbus.has_topics()
    with smsbus.serving() as service:
        smsbus("trigger", "pingme", "--url", service.url, "--text", "one 111111")
        headers = {"Authorization": f"Bearer {_admin_token(smsbus)}"}
        asked = urllib.request.Request(service.event("serving")["admin"] + "/v1/cursor", headers=headers)
        with urllib.request.urlopen(asked) as answer:
            text = json.load(answer)["cursor"]
        smsbus("trigger", "pingme", "--url", service.url, "--text", "two 222222")
    cursor = Cursor.of(text, (RECEIVED,))
    ahead = {part: Place(place.offset + 9) for part, place in cursor.places.items()}

    shown = smsbus("tail", "--since", text, "--json").stdout
    refused = [
        smsbus("tail", "--since", other.text(), *more)
        for other in (cursor._replace(cluster=1), cursor._replace(places=ahead), cursor._replace(filter=b"else"))
        for more in ((), ("-n", "1"))
    ]

    assert [json.loads(line)["text"] for line in shown.splitlines()] == ["two 222222"]
    assert [(each.returncode, each.stdout) for each in refused] == [(2, "")] * 6
    assert all("cursor" in each.stderr and "10m" in each.stderr for each in refused)


def test_a_tail_that_follows_prints_what_comes(smsbus):
    smsbus.has_topics()
    # A shell lets what it runs in the background ignore interrupts, these tests for instance.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "app", "tail", "--json"]
    with smsbus.serving() as service:
        following = subprocess.Popen(
            command, cwd=smsbus.directory, env=smsbus.environ, stdout=subprocess.PIPE, text=True
        )
        texts = []
        for number in range(30):  # it begins at the end, wherever that is when it is there
            smsbus("trigger", "pingme", "--url", service.url, "--text", f"number {number}")
            if readable(following.stdout):
                texts.append(json.loads(following.stdout.readline())["text"])
                break
        following.send_signal(signal.SIGINT)

        assert following.wait(timeout=30) == 0
    assert texts
    assert texts[0].startswith("number ")


@pytest.mark.parametrize("command", [("tail", "-f", "--since", "10m", "--json"), ("rejected", "list", "--json")])
def test_a_reader_that_wants_no_more_ends_a_command_without_a_word(smsbus, command):
    smsbus.has_topics()
    with smsbus.serving() as service:
        smsbus("trigger", "pingme", "--url", service.url, "--text", "one 111111")
        urllib.request.urlopen(service.url, b"junk").close()

    reads, writes = os.pipe()
    os.close(reads)
    ended = subprocess.run(
        [sys.executable, "-m", "app", *command],
        cwd=smsbus.directory,
        env=smsbus.environ,
        stdout=writes,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    os.close(writes)

    assert (ended.returncode, ended.stderr) == (1, "")


def test_topics_are_created_once_and_checked(smsbus):
    missing = smsbus("topics", "check")
    created = smsbus("topics", "create")
    again = smsbus("topics", "create")

    assert missing.returncode == 1
    assert missing.stderr.count("is missing: run `smsbus topics create`") == 5
    assert len(created.stdout.splitlines()) == 5
    assert (again.returncode, again.stdout) == (0, "")
    assert smsbus("topics", "check").returncode == 0


def test_check_says_what_is_well_and_what_is_not(smsbus):
    before = smsbus("check", "--print")
    smsbus.has_topics()
    after = smsbus("check")

    assert (before.returncode, after.returncode) == (1, 0)
    assert "✗ failed  topic " in before.stdout
    assert "accounts.shop.callback_tokens = **********" in before.stdout
    assert OLD not in before.stdout + after.stdout
    assert "✗" not in after.stdout
    assert after.stdout.count("✓ ok") == 7


def test_check_says_how_the_service_is_that_runs_with_these_settings(smsbus):
    smsbus.has_topics()
    with smsbus.serving() as service:
        port = service.event("serving")["admin"].rpartition(":")[2]
        running = smsbus("check", ADMIN__PORT=port)
        other = smsbus("check", ADMIN__PORT=port, ADMIN__TOKEN="of-another-installation-here")

    assert running.stdout.endswith("✓ ok      the service that runs here says that everything works\n")
    assert "the service that runs here" not in other.stdout


def test_check_without_kafka_goes_on_with_the_rest(alone):
    result = alone("check")

    assert result.returncode == 1
    assert "✗ failed  no Kafka broker answers" in result.stdout
    assert "account shop" in result.stdout


def test_check_names_a_host_that_does_not_exist(alone):
    result = alone("check", KAFKA__BOOTSTRAP_SERVERS="no-such-host.invalid:9092")

    assert "the name no-such-host.invalid cannot be resolved" in result.stdout


def test_check_says_when_the_journal_cannot_be_written(alone):
    (alone.directory / "file").touch()

    result = alone("check", BUS__JOURNAL_DIR=str(alone.directory / "file" / "journal"))

    assert "✗ failed  the journal cannot be written" in result.stdout


def test_a_taken_port_ends_a_start_with_2_and_its_variable(smsbus):
    smsbus.has_topics()
    with smsbus.serving() as service:
        port = service.url.split(":")[2].split("/")[0]

        result = smsbus("serve", RECEIVER__PORT=port)

    assert result.returncode == 2
    assert f"smsbus: SMSBUS_RECEIVER__PORT={port} cannot be used" in result.stderr


def test_a_rotated_token_is_in_the_file_and_works_after_a_restart(smsbus):
    smsbus.has_topics()
    before = smsbus.file.read_bytes()

    rotated = smsbus("callback", "rotate", "shop")

    new = rotated.stdout.strip()
    assert rotated.returncode == 0
    assert "restart" in rotated.stderr
    assert smsbus.file.read_bytes() == before.replace(b"[", b'["' + new.encode() + b'", ', 2).replace(
        b'["' + new.encode() + b'", accounts', b"[accounts"
    )
    with smsbus.serving() as service:
        for token in (OLD, new):
            posted = smsbus("trigger", "pingme", "--url", service.url.replace(OLD, token), "--text", token[:3])
            assert posted.stdout.split()[:2] == ["200", "accepted"]


def test_the_newest_callback_url_is_printed_first(alone):
    new = alone("callback", "rotate", "shop").stdout.strip()

    urls = alone("callback", "url", "shop", RECEIVER__PUBLIC_URL="https://sms.example").stdout

    assert urls.splitlines() == [f"https://sms.example/v1/pingme/{token}" for token in (new, OLD)]


def test_old_tokens_stay_where_no_service_can_tell_who_uses_them_unless_they_are_to_go_all_the_same(alone):
    new = alone("callback", "rotate", "shop").stdout.strip()
    both = alone.file.read_bytes()

    refused = [alone("callback", "rotate", "shop", "--retire")]
    (alone.directory / "own").mkdir()
    (alone.directory / "own" / "admin-token").write_text("admin-token-admin-token-0\n")
    refused += [alone("callback", "rotate", "shop", "--retire", ADMIN__PORT="9")]
    kept = alone.file.read_bytes()
    forced = alone("callback", "rotate", "shop", "--retire", "--force")
    again = alone("callback", "rotate", "shop", "--retire")

    assert [each.returncode for each in (*refused, forced, again)] == [1, 1, 0, 0]
    assert "admin-token does not exist" in refused[0].stderr
    assert "the service does not answer at http://127.0.0.1:9/v1/callbacks" in refused[1].stderr
    assert all("nothing was removed; --force removes them anyway" in each.stderr for each in refused)
    assert kept == both
    assert alone.file.read_bytes() == both.replace(f', "{OLD}"'.encode(), b"")
    assert new.encode() in kept
    assert "shop has no old token" in again.stderr
    assert not any(token in each.stderr for each in (*refused, forced, again) for token in (OLD, new))


def test_force_alone_makes_no_sense(alone):
    result = alone("callback", "rotate", "shop", "--force")

    assert (result.returncode, "--force needs --retire" in result.stderr) == (2, True)


def test_tokens_of_the_environment_are_not_rotated_in_the_file(alone):
    before = alone.file.read_bytes()

    result = alone("callback", "rotate", "shop", ACCOUNTS__SHOP__CALLBACK_TOKENS=OLD + "2")

    assert result.returncode == 1
    assert "SMSBUS_ACCOUNTS__SHOP__CALLBACK_TOKENS" in result.stderr
    assert alone.file.read_bytes() == before


def test_an_account_that_is_not_there_is_answered_with_those_that_are(alone):
    result = alone("callback", "url", "shoppe")

    assert result.returncode == 2
    assert "there is no account shoppe; configured: shop" in result.stderr


def test_testing_a_callback_url_publishes_nothing(smsbus):
    smsbus.has_topics()
    with smsbus.serving() as service:
        public = service.url.split("/v1/")[0]

        tested = smsbus("callback", "test", "shop", RECEIVER__PUBLIC_URL=public)
        stranger = smsbus("callback", "test", "shop", RECEIVER__PUBLIC_URL=service.event("serving")["admin"])

    assert tested.returncode == 0, tested.stderr
    assert stranger.returncode == 1
    assert "is it the address of the admin listener" in stranger.stderr
    assert "cannot be reached from the internet" in tested.stdout
    assert "a wrong token is refused: 404" in tested.stdout
    assert "not proven" in tested.stderr
    assert OLD not in tested.stdout + tested.stderr + stranger.stderr
    assert smsbus("tail", "-n", "5").stdout == ""


def test_testing_a_callback_url_where_nobody_is_fails(alone):
    result = alone("callback", "test", "shop", RECEIVER__PUBLIC_URL="http://127.0.0.1:9")

    assert result.returncode == 1
    assert "nothing answers at http://127.0.0.1:9" in result.stderr


def test_triggering_where_nobody_is_fails(alone):
    result = alone("trigger", "pingme", "--url", "http://127.0.0.1:9/")

    assert result.returncode == 1
    assert "no response" in result.stderr


def test_a_secret_may_come_from_a_file(alone):
    secret = alone.directory / "tokens"
    secret.write_text(f"{OLD}-from-file,{OLD}\n")

    result = alone("callback", "url", "shop", ACCOUNTS__SHOP__CALLBACK_TOKENS_FILE=str(secret))

    assert [url.rpartition("/")[2] for url in result.stdout.splitlines()] == [f"{OLD}-from-file", OLD]


def test_a_secret_file_that_is_not_there_or_not_alone_is_named(alone):
    missing = alone("check", ADMIN__TOKEN_FILE=str(alone.directory / "nowhere"))
    both = alone("check", ADMIN__TOKEN_FILE=str(alone.file), ADMIN__TOKEN="x")

    assert (missing.returncode, both.returncode) == (2, 2)
    assert f"SMSBUS_ADMIN__TOKEN_FILE names {alone.directory / 'nowhere'}, which cannot be read" in missing.stderr
    assert "SMSBUS_ADMIN__TOKEN and SMSBUS_ADMIN__TOKEN_FILE are both set" in both.stderr


def test_unknown_keys_of_the_file_are_named_with_the_meant_ones(alone):
    alone.file.write_text(
        '[kafka]\nbootstrap_server = "x:1"\n[accounts.shop]\nprovider = "pingme"\ntokens = ["s3cret"]\n'
    )

    result = alone("check")

    assert result.returncode == 2
    assert (
        "kafka.bootstrap_server in smsbus.toml is not a setting: did you mean kafka.bootstrap_servers?" in result.stderr
    )
    assert "accounts.shop.tokens in smsbus.toml is not a setting" in result.stderr
    assert "s3cret" not in result.stderr


def test_a_file_that_is_no_toml_is_named_with_the_place(alone):
    alone.file.write_text("[accounts.shop\n")

    result = alone("check")

    assert result.returncode == 2
    assert "smsbus.toml: " in result.stderr
    assert "line 1" in result.stderr


def test_variables_win_over_the_file(alone):
    alone.file.write_text("[receiver]\nport = 1\nhost = 'from-file'\n")

    result = alone("check", "--print", RECEIVER__PORT="2")

    assert "receiver.port = 2" in result.stdout
    assert "receiver.host = 127.0.0.1" in result.stdout


def test_a_file_elsewhere_is_named_by_option_or_variable(alone):
    other = alone.directory / "other.toml"
    other.write_text('[log]\nlevel = "error"\n')

    by_option = alone("check", "--print", "--config", "other.toml")
    by_variable = alone("check", "--print", CONFIG="other.toml")

    assert "log.level = error" in by_option.stdout
    assert "log.level = error" in by_variable.stdout


def test_the_contract_is_exported_as_documents(alone):
    names = alone("schema", "list").stdout.split()
    written = alone("schema", "export", "out").stdout.split()
    only = alone("schema", "export", "--format", "asyncapi", "other").stdout.split()

    assert len(names) >= 5
    assert [str(Path("out") / name) for name in names] == written
    assert len(only) == 1
    assert json.loads((alone.directory / only[0]).read_text())["asyncapi"].startswith("3.")


def test_help_waits_for_no_heavy_import():
    program = (
        "import sys; import app.cli; print([m for m in ('aiokafka','aiohttp','pydantic','bus') if m in sys.modules])"
    )

    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"


def readable(stream) -> bool:
    import select

    return bool(select.select([stream], [], [], 1.0)[0])


@pytest.fixture
def event_loop_free():
    """Await something of the fixtures from a test that is no coroutine."""
    import asyncio

    return asyncio.run


def delete_topics(kafka, prefix) -> None:
    import asyncio

    from aiokafka.admin import AIOKafkaAdminClient

    async def delete() -> None:
        client = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
        await client.start()
        await client.delete_topics([name for name in await client.list_topics() if name.startswith(prefix)])
        await client.close()

    asyncio.run(delete())
