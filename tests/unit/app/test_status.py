"""What `smsbus status` makes of what the admin listener says."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from app.cli import cli
from app.cli import status as command
from app.degraded import DegradedReasons
from app.service import NotReached, Service
from app.status import AccountState, Metrics, Reason, Status, TargetState, status

METRICS = """\
smsbus_build_info{version="0.1.0",process="receiver-1"} 1.0
smsbus_build_info{version="0.1.0",process="pollers"} 1.0
process_start_time_seconds{process="receiver-1"} 1795850000.0
process_start_time_seconds{process="pollers"} 1795850060.0
smsbus_journal_rows{process="receiver-1"} 1200.0
smsbus_journal_rows{process="pollers"} 4.0
smsbus_journal_oldest_seconds{process="receiver-1"} 61.5
smsbus_journal_oldest_seconds{process="pollers"} 2.0
smsbus_journal_bytes{process="receiver-1"} 300000.0
smsbus_journal_bytes{process="pollers"} 900.0
smsbus_journal_max_bytes{process="receiver-1"} 500000.0
smsbus_journal_max_bytes{process="pollers"} 500000.0
smsbus_pending{process="receiver-1"} 1204.0
smsbus_kafka_connected{process="receiver-1"} 0.0
smsbus_kafka_connected{process="pollers"} 1.0
smsbus_shards{process="pollers"} 12.0
smsbus_watches{process="pollers"} 3.0
smsbus_inbox_events{process="inbox"} 212.0
smsbus_inbox_behind_seconds{process="inbox"} 0.0
smsbus_account_open{account="grizzly",process="pollers"} 0.0
smsbus_polls_queued{account="grizzly",process="pollers"} 7.0
smsbus_poll_last_success_timestamp_seconds{account="grizzly",process="pollers"} 1795850100.0
smsbus_forward_lag_records{forward="orders"} 7.0
smsbus_forward_lag_records{forward="mine"} 0.0
smsbus_forward_last_sent_timestamp_seconds{forward="orders"} 1795850100.0
smsbus_degraded_since_timestamp_seconds{reason="kafka_away",process="receiver-1"} 1795850200.0
smsbus_degraded_since_timestamp_seconds{reason="kafka_away",process="pollers"} 1795850210.0
"""
READY = {"status": "ready", "degraded": ["kafka_away", "account_paused:grizzly", "of_the_future"]}
TOKENS = [{"last_used_at": None}, {"last_used_at": "2026-11-28T08:00:00.000Z"}]
CALLED = [{"account": "shop", "tokens": TOKENS}]


def found() -> Status:
    return status(READY, Metrics(METRICS), CALLED)


def test_the_processes_are_put_together() -> None:
    assert found()[:3] == ("degraded", "0.1.0", "2026-11-28T07:13:20Z")
    assert found()[4:-2] == (1204, 61.5, 300_900, 1_000_000, 1204, False, 12, 3, 212, 0.0)
    assert found().accounts == [
        AccountState("shop", "callbacks", "2026-11-28T08:00:00.000Z", None),
        AccountState("grizzly", "paused", "2026-11-28T07:15:00Z", 7),
    ]
    assert found().targets == [TargetState("orders", 7, "2026-11-28T07:15:00Z"), TargetState("mine", 0, None)]


def test_each_trouble_says_since_when_what_users_notice_and_what_to_do() -> None:
    away, paused, unknown = found().degraded

    assert away == Reason(
        "kafka_away",
        "2026-11-28T07:16:40Z",
        "SMS are still accepted, and arrive when Kafka returns.",
        "Run `smsbus check`: it says what fails and why.",
    )
    assert (paused.since, paused.users_notice) == (None, "No new SMS of this account.")
    assert unknown == Reason("of_the_future", None, None, None)


def test_where_kafka_is_away_and_the_disk_is_full_nobody_says_that_sms_are_accepted() -> None:
    both = ["kafka_away", "journal_unwritable"]

    degraded = status({"status": "full", "degraded": both}, Metrics(""), []).degraded

    assert [each.users_notice for each in degraded] == [
        "SMS are refused with 503: the journal cannot be written either.",
        "SMS are refused with 503: Kafka is away, too.",
    ]


def test_what_no_process_here_knows_is_none() -> None:
    bare = status({"status": "starting", "degraded": []}, Metrics(""), [])

    assert bare == Status("starting", None, None, [], *[None] * 10, [], [])


@pytest.mark.parametrize(
    ("ready", "first", "code"),
    [
        ({"status": "ready", "degraded": []}, "Everything works.", 0),
        ({"status": "ready", "degraded": ["kafka_away"]}, "1 thing needs attention.", 1),
        (READY, "3 things need attention.", 1),
        ({"status": "full", "degraded": ["journal_unwritable"]}, "Nothing is accepted. 1 thing needs attention.", 2),
        ({"status": "stopping", "degraded": []}, "Nothing is accepted.", 2),
        ({"status": "starting", "degraded": []}, "It is starting.", 2),
        ({"status": "starting", "degraded": ["kafka_away"]}, "It is starting. 1 thing needs attention.", 2),
    ],
)
def test_the_first_line_and_the_exit_code_say_it_all(
    monkeypatch: pytest.MonkeyPatch, ready: dict[str, object], first: str, code: int
) -> None:
    async def asked(_: object) -> Status:
        return status(ready, Metrics(METRICS), CALLED)

    monkeypatch.setattr(command, "_status", asked)
    shown = CliRunner().invoke(cli, ["status"])
    as_json = CliRunner().invoke(cli, ["status", "--json"])

    assert (shown.stdout.splitlines()[0], shown.exit_code, as_json.exit_code) == (first, code, code)
    assert "journal: 1204 waiting, the oldest for 62 s, 30% of the limit; in lanes: 1204\n" in shown.stdout
    assert "target orders: 7 waiting, last sent 2026-11-28T07:15:00Z\n" in shown.stdout
    assert "target mine: 0 waiting, nothing sent since it started\n" in shown.stdout
    state = "paused" if ready is READY else "backing off"
    assert f"account grizzly: {state}, last heard 2026-11-28T07:15:00Z, 7 polls wait\n" in shown.stdout


@pytest.fixture
def typo(environment, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings on disk that are wrong."""
    (tmp_path / "smsbus.toml").write_text("[admin]\nport = 9\ncolour =\n")
    (tmp_path / "admin-token").write_text("admin-token-admin-token-0\n")
    environment({"SMSBUS_CONFIG": str(tmp_path / "smsbus.toml"), "SMSBUS_DATA_DIR": str(tmp_path)})


@pytest.mark.loopback
@pytest.mark.usefixtures("typo", "process_is_restored")
def test_a_service_that_runs_with_older_settings_is_asked_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    async def asked(there: Service) -> Status:
        assert there.url == "http://127.0.0.1:9"
        return status({"status": "ready", "degraded": ["reload_refused"]}, Metrics(METRICS), CALLED)

    monkeypatch.setattr("app.status.status_of", asked)
    shown = CliRunner().invoke(cli, ["status"])

    wrong, older = shown.stderr.splitlines()
    assert wrong.startswith("smsbus: the settings on disk are wrong: ")
    assert "smsbus.toml: Invalid value (at line 3, column 9)" in wrong
    assert older == "smsbus: this service runs with older ones, and does not start with these:"
    assert (shown.exit_code, "reload_refused" in shown.stdout) == (1, True)


@pytest.mark.loopback
@pytest.mark.usefixtures("typo", "process_is_restored")
def test_where_none_responds_the_settings_are_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    async def asked(_: Service) -> Status:
        raise NotReached

    monkeypatch.setattr("app.status.status_of", asked)
    shown = CliRunner().invoke(cli, ["status"])

    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "smsbus.toml: Invalid value (at line 3, column 9)" in shown.stderr


def test_tokens_that_are_new_are_not_the_account_that_was_never_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    async def asked(_: object) -> Status:
        return status(READY, Metrics(METRICS), [{"account": "shop", "tokens": TOKENS[:1]}])

    monkeypatch.setattr(command, "_status", asked)

    shown = CliRunner().invoke(cli, ["status"])

    assert "account shop: callbacks, not heard with its present tokens since it started\n" in shown.stdout


def test_a_reason_keeps_its_beginning_for_as_long_as_it_holds() -> None:
    registry, reasons, now = CollectorRegistry(), ["a"], [100.0]
    held = DegradedReasons(lambda: tuple(reasons), registry, now=lambda: now[0])
    held.look()
    now[0], reasons[:] = 200.0, ["a", "b"]
    both = generate_latest(registry).decode()
    reasons.clear()
    held.look()
    now[0], reasons[:] = 300.0, ["a"]

    assert 'smsbus_degraded_since_timestamp_seconds{reason="a"} 100.0' in both
    assert 'smsbus_degraded_since_timestamp_seconds{reason="b"} 200.0' in both
    assert 'smsbus_degraded_since_timestamp_seconds{reason="a"} 300.0' in generate_latest(registry).decode()


@pytest.mark.parametrize(
    ("metrics", "line"),
    [
        ("", "inbox: not visible from here"),
        ("smsbus_inbox_behind_seconds 0.0\n", "inbox: up to date"),
        ("smsbus_inbox_behind_seconds 5.0\n", "inbox: 5 s behind"),
        ("smsbus_inbox_behind_seconds 0.0\nsmsbus_inbox_events 212.0\n", "inbox: 212 events"),
        ("smsbus_inbox_behind_seconds 5.0\nsmsbus_inbox_events 212.0\n", "inbox: 212 events, 5 s behind"),
    ],
)
def test_the_inbox_is_told_as_far_as_it_is_known(monkeypatch: pytest.MonkeyPatch, metrics: str, line: str) -> None:
    async def asked(_: object) -> Status:
        return status(READY, Metrics(metrics), [])

    monkeypatch.setattr(command, "_status", asked)

    assert line in CliRunner().invoke(cli, ["status"]).stdout.splitlines()


def test_what_nobody_else_logs_is_one_line_when_it_begins_and_one_when_it_ends() -> None:
    reasons = ["kafka_away"]
    held = DegradedReasons(lambda: tuple(reasons), CollectorRegistry())
    with capture_logs() as log:
        held.look()
        reasons.append("forward_blind:orders")
        held.look()
        held.look()
        reasons.clear()
        held.look()

    assert [(line["event"], line["reason"], line["log_level"]) for line in log] == [
        ("degraded", "forward_blind:orders", "warning"),
        ("degraded_no_more", "forward_blind:orders", "info"),
    ]
