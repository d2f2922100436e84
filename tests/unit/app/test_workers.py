"""What the supervisor of several workers decides and says, without a process and without a socket."""

import json
import socket

import pytest
from aiohttp.test_utils import make_mocked_request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from app.errors import StartupError
from app.reloading.hangup import HangUp
from app.settings.file_reading import NO_FILES, File, Files
from app.settings.load import Settings
from app.settings.sections import Account, AdminSettings
from app.stopping import Stop
from app.workers import entrypoint
from app.workers.admin import SILENT_SECONDS, JointAdmin, WorkerResponse, together
from app.workers.entrypoint import settings_at_start
from app.workers.merge_metrics import merged
from app.workers.supervisor import Crew, WorkersEndedBadly, refuse_workers, workers_of
from app.workers.worker_process import RESTART_FIRST, RESTART_LONGEST, STEADY, Worker, restart_backoff
from bus.contract import Ledger

SHOP = {"shop": Account(provider="pingme", callback_tokens=[SecretStr("t" * 30)])}
MARKET = {"market": Account(provider="grizzlysms", api_key=SecretStr("k" * 30))}
READY = WorkerResponse(200, '{"status": "ready", "degraded": []}')
AWAY = WorkerResponse(200, '{"status": "ready", "degraded": ["kafka_away"]}')
FULL = WorkerResponse(503, '{"status": "full", "degraded": ["journal_unwritable", "kafka_away"]}')


# ---- the pause before a restart ------------------------------------------------------------------------------------


def test_who_dies_at_once_again_and_again_waits_longer_and_longer_but_not_for_ever():
    pauses = [pause := 0.0] + [pause := restart_backoff(pause, lived=0.1) for _ in range(10)]

    assert pauses[1:8] == [RESTART_FIRST, 1.0, 2.0, 4.0, 8.0, 16.0, RESTART_LONGEST]
    assert pauses[-1] == RESTART_LONGEST


def test_who_lived_long_is_back_soon():
    assert restart_backoff(RESTART_LONGEST, lived=STEADY) == RESTART_FIRST
    assert restart_backoff(RESTART_LONGEST, lived=STEADY - 1) == RESTART_LONGEST


def test_a_worker_on_its_way_back_does_not_make_the_whole_dead():
    assert RESTART_LONGEST < SILENT_SECONDS


# ---- one exposition of many ----------------------------------------------------------------------------------------


def exposition(count: int) -> str:
    registry = CollectorRegistry()
    Counter("smsbus_accepted", 'Words, a {brace} and a "quote"', registry=registry).inc(count)
    labelled = Counter("smsbus_callbacks", "By account", ("account",), registry=registry)
    labelled.labels('odd {name} "quoted" with blanks').inc(count)
    Histogram("smsbus_callback_seconds", "How long", registry=registry, buckets=(0.1, 1.0)).observe(0.5)
    return generate_latest(registry).decode()


def series(text: str) -> dict[tuple[str, frozenset], float]:
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    found = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(found) == len(samples)
    return found


def test_the_metrics_of_all_are_one_text_in_which_each_series_names_its_process():
    parts = {"receiver-1": exposition(3), "receiver-2": exposition(4)}

    expected = {
        (name, labels | {("process", process)}): value
        for process, text in parts.items()
        for (name, labels), value in series(text).items()
    }

    assert series(merged(parts)) == expected
    assert len(expected) == 2 * len(series(parts["receiver-1"]))


def test_a_family_has_one_head_before_all_of_its_samples():
    lines = merged({"a": exposition(1), "b": exposition(2)}).splitlines()
    heads = [line for line in lines if line.startswith("#")]
    families = [line.split()[2] for line in lines if line.startswith("# HELP")]

    assert len(heads) == len(set(heads)) == 2 * len(families)
    for family, following in zip(families, [*families[1:], None], strict=True):
        end = next((i for i, line in enumerate(lines) if line.startswith(f"# HELP {following} ")), len(lines))
        block = lines[next(i for i, line in enumerate(lines) if line.startswith(f"# HELP {family} ")) : end]
        assert all(line.startswith(family) for line in block[2:])


def test_what_only_one_of_them_exports_stands_there_once():
    text = merged({"pollers": "# HELP smsbus_shards Owned\n# TYPE smsbus_shards gauge\nsmsbus_shards 3.0\n", "x": ""})

    assert text.splitlines()[-1] == 'smsbus_shards{process="pollers"} 3.0'


# ---- how they are together -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("receivers", "others", "can_accept", "degraded"),
    [
        ([READY, READY], [], True, ()),
        ([READY, AWAY], [AWAY], True, ("kafka_away",)),
        ([FULL, READY], [], True, ("journal_unwritable", "kafka_away")),
        ([FULL, FULL], [READY], False, ("journal_unwritable", "kafka_away")),
        ([None, READY], [], True, ("worker_restarting",)),
        ([READY, READY], [None], True, ("worker_restarting",)),
        ([None, None], [READY], False, ("worker_restarting",)),
    ],
)
def test_one_receiver_is_enough_and_what_is_wrong_anywhere_is_told(receivers, others, can_accept, degraded):
    found = together(receivers, others)

    assert (found.can_accept, found.degraded) == (can_accept, degraded)


class Child(Worker):
    """A worker that answers from here."""

    def __init__(self, answer: WorkerResponse | None = None, silent: float = 0.0) -> None:
        super().__init__("receiver-1", [])
        self.answer = answer
        self._silent = silent

    def silent_seconds(self) -> float:
        return self._silent


class Asked(JointAdmin):
    async def _ask_one(self, worker, path, headers=None):
        return worker.answer


async def asked(path, receivers, *, inbox=None, ready=True, own=()):
    admin = Asked(AdminSettings(), receivers, None, inbox, CollectorRegistry(), degraded=lambda: own)
    admin.ready = ready
    request = make_mocked_request("GET", path, app=admin._runner.app)
    matched = await admin._runner.app.router.resolve(request)
    return await matched.handler(request)


@pytest.mark.parametrize(
    ("receivers", "status"),
    [
        ([Child(WorkerResponse(200, "")), Child(WorkerResponse(200, ""))], 200),
        ([Child(WorkerResponse(200, "")), Child(WorkerResponse(503, ""))], 503),
        ([Child(WorkerResponse(200, "")), Child(None, silent=SILENT_SECONDS - 1)], 200),
        ([Child(WorkerResponse(200, "")), Child(None, silent=SILENT_SECONDS)], 503),
    ],
)
async def test_the_whole_lives_while_each_worker_says_so_or_is_on_its_way_back(receivers, status):
    assert (await asked("/livez", receivers)).status == status


async def test_readiness_is_that_of_the_receivers_together_until_stopping_begins():
    ready, stopping = await asked("/readyz", [Child(AWAY)]), await asked("/readyz", [Child(AWAY)], ready=False)

    assert (ready.status, json.loads(ready.text)) == (200, {"status": "ready", "degraded": ["kafka_away"]})
    assert (stopping.status, json.loads(stopping.text)["status"]) == (503, "stopping")


async def test_what_is_wrong_with_the_supervisor_itself_is_told_beside_what_is_wrong_with_its_workers():
    own = ("reload_refused",)
    ready = await asked("/readyz", [Child(AWAY)], own=own)
    metrics = await asked("/metrics", [Child(WorkerResponse(200, exposition(3)))], own=own)

    assert (ready.status, json.loads(ready.text)["degraded"]) == (200, ["kafka_away", "reload_refused"])
    assert 'smsbus_degraded{process="supervisor",reason="reload_refused"} 1.0' in metrics.text


async def test_the_whole_is_ready_once_the_pollers_have_started():
    pollers = Child(WorkerResponse(503, '{"status": "starting", "degraded": []}'))
    admin = Asked(AdminSettings(), [Child(READY)], pollers, None, CollectorRegistry())
    admin.ready = True

    answers = [await admin._readyz(make_mocked_request("GET", "/readyz"))]
    pollers.answer = READY
    answers.append(await admin._readyz(make_mocked_request("GET", "/readyz")))
    # it was started again: the receivers serve on
    pollers.answer = WorkerResponse(503, '{"status": "starting", "degraded": []}')
    answers.append(await admin._readyz(make_mocked_request("GET", "/readyz")))

    said = [(answer.status, json.loads(answer.text)["status"]) for answer in answers]
    assert said == [(503, "starting"), (200, "ready"), (200, "ready")]


async def test_the_inbox_counts_for_life_readiness_and_metrics():
    blind = Child(WorkerResponse(200, '{"status": "ready", "degraded": ["inbox_blind"]}'))
    begins = Child(WorkerResponse(503, '{"status": "starting", "degraded": []}'))
    measured = Child(
        WorkerResponse(200, "# HELP smsbus_inbox_events n\n# TYPE smsbus_inbox_events gauge\nsmsbus_inbox_events 3.0\n")
    )
    measured.name = "inbox"

    ready = await asked("/readyz", [Child(READY)], inbox=blind)
    starting = await asked("/readyz", [Child(READY)], inbox=begins)
    dead = await asked("/livez", [Child(WorkerResponse(200, ""))], inbox=Child(WorkerResponse(503, "")))
    metrics = await asked("/metrics", [Child(WorkerResponse(200, exposition(1)))], inbox=measured)

    assert json.loads(ready.text) == {"status": "ready", "degraded": ["inbox_blind"]}
    assert (starting.status, json.loads(starting.text)["status"]) == (200, "ready"), "callbacks wait for no inbox"
    assert dead.status == 503
    assert 'smsbus_inbox_events{process="inbox"} 3.0' in metrics.text


@pytest.mark.parametrize(
    ("role", "account", "names"),
    [
        ("all", SHOP, ["receiver-1", "receiver-2", "inbox"]),
        ("all", SHOP | MARKET, ["receiver-1", "receiver-2", "pollers", "inbox"]),
        ("receiver", SHOP | MARKET, ["receiver-1", "receiver-2"]),
    ],
)
def test_one_more_worker_has_the_inbox_where_the_role_is_all(role, account, names):
    receivers, pollers, inbox = workers_of(Settings(accounts=account), NO_FILES, role, 2)

    workers = [*receivers, *filter(None, (pollers, inbox))]
    assert [worker.name for worker in workers] == names
    assert [worker._command[-1] for worker in workers] == [f"--worker={name}" for name in names]
    assert [worker._command[-2] for worker in workers] == [f"--role={name.split('-')[0]}" for name in names]


@pytest.mark.parametrize("role", ["pollers", "inbox"])
def test_a_role_without_receivers_is_not_served_by_several_workers(role):
    with pytest.raises(StartupError, match=f"--role {role} has none"):
        refuse_workers(Settings(accounts=SHOP | MARKET), role)


async def test_what_the_supervisor_knows_is_in_the_metrics_beside_the_answers():
    text = (await asked("/metrics", [Child(WorkerResponse(200, exposition(3)))])).text

    assert 'smsbus_accepted_total{process="receiver-1"} 3.0' in text
    assert 'smsbus_worker_up{process="supervisor",worker="receiver-1"} 0.0' in text
    assert 'smsbus_degraded{process="supervisor",reason="worker_restarting"} 1.0' in text


# ---- how it ends ---------------------------------------------------------------------------------------------------


def ended(name: str, code: int, ledger: Ledger) -> Worker:
    worker = Worker(name, [])
    worker.exit_code, worker.ledger = code, ledger
    return worker


def test_the_ledger_of_all_is_the_sum():
    crew = Crew(0, [ended("a", 0, Ledger(accepted=3, published=2, pending=1)), ended("b", 0, Ledger(accepted=4))])

    assert crew.ledger == Ledger(accepted=7, published=2, pending=1)
    crew.check_end()


def test_who_did_not_stop_in_order_is_named():
    crew = Crew(0, [ended("receiver-1", 0, Ledger()), ended("receiver-2", -9, Ledger())])

    with pytest.raises(WorkersEndedBadly, match=r"receiver-2 \(exit code -9\)"):
        crew.check_end()


# ---- what a worker is given at its start ---------------------------------------------------------------------------


def file_of(token: str, port: int) -> Files:
    text = f'[receiver]\nport = {port}\n[accounts.shop]\nprovider = "pingme"\ncallback_tokens = "{token}"\n'
    return Files("smsbus.toml", {"smsbus.toml": File(text, None, 0)})


@pytest.mark.parametrize("polls", [False, True])
def test_a_worker_starts_with_what_the_others_serve_by_now(environment, polls):
    environment({})
    old, new = "old-token-old-token-0123", "new-token-new-token-0123"

    first = settings_at_start(file_of(old, 8080), file_of(old, 8080), polls=polls)
    later = settings_at_start(file_of(old, 8080), file_of(new, 9090), polls=polls)

    assert (first.secrets(), first.receiver.port) == ([old], 8080)
    assert (later.secrets(), later.receiver.port) == ([new], 8080)  # the port needs a restart of all


async def test_a_worker_hears_its_files_before_it_starts_and_each_reload_later(environment, monkeypatch):
    environment({})
    ours, theirs = socket.socketpair()
    monkeypatch.setattr(entrypoint, "STDIN", theirs.fileno())
    one, two, three = (file_of(f"{name}-token-0123456789-012", 8080) for name in ("one", "two", "three"))
    stop, hangup = Stop(), HangUp()
    control = entrypoint.ControlPipe(stop, hangup)
    with ours, theirs:
        ours.sendall(one.as_line() + two.as_line())
        files = control.at_start()
        ours.sendall(three.as_line())
        await hangup.wait()
        _, reread = await control.reread()
        ours.close()
        await stop.wait()

    assert files == (one, two)
    assert reread == three


async def test_a_worker_that_nobody_waits_for_does_not_start(monkeypatch):
    ours, theirs = socket.socketpair()
    monkeypatch.setattr(entrypoint, "STDIN", theirs.fileno())
    with theirs, ours:
        ours.sendall(b"[null, {}]\n[nul")
        ours.shutdown(socket.SHUT_WR)

        assert entrypoint.ControlPipe(Stop(), HangUp()).at_start() is None
