"""A service on one screen, from what its admin listener says to anybody with the token. Pure, but for `status_of`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from app.degraded import SINCE, meaning, reason_of
from app.service import Service

WELL, DEGRADED, STARTING, NOT_ACCEPTING = "well", "degraded", "starting", "not accepting"


class Reason(NamedTuple):
    """One degraded reason."""

    reason: str
    since: str | None
    """UTC; None: not known."""
    users_notice: str | None
    what_to_do: str | None


class AccountState(NamedTuple):
    """One account, as far as this service knows it."""

    account: str
    state: str
    """`open`, `paused` or `backing off` where it is polled, `callbacks` where it is called."""
    last_heard: str | None
    """UTC: the last poll that was answered, or the last callback; None: none since it started."""
    queued: int | None
    """Polls that wait for the account's budget."""


class TargetState(NamedTuple):
    """One target of forwarding."""

    target: str
    lag: int
    """Records that are not handled yet."""
    last_sent: str | None
    """UTC: when it last took an event; None: not since the process started."""


class Status(NamedTuple):
    """Everything on the screen. Numbers that no process behind the listener has are None."""

    state: str
    version: str | None
    up_since: str | None
    accounts: list[AccountState]
    journal_rows: int | None
    journal_oldest_seconds: float | None
    journal_bytes: int | None
    journal_max_bytes: int | None
    pending: int | None
    kafka_connected: bool | None
    shards: int | None
    watches: int | None
    inbox_events: int | None
    inbox_behind_seconds: float | None
    degraded: list[Reason]
    targets: list[TargetState]

    def as_json(self) -> dict[str, Any]:
        """Return it as an object."""
        rows: dict[str, Sequence[AccountState | Reason | TargetState]]
        rows = {"accounts": self.accounts, "degraded": self.degraded, "targets": self.targets}
        return {**self._asdict(), **{name: [each._asdict() for each in listed] for name, listed in rows.items()}}


class Metrics:
    """The samples of a scrape. Those of several processes have a label `process`."""

    def __init__(self, text: str) -> None:
        self._samples: dict[str, list[Sample]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self._samples.setdefault(sample.name, []).append(sample)

    def of(self, name: str) -> list[Sample]:
        """Return the samples of a metric."""
        return self._samples.get(name, [])

    def total(self, name: str) -> int | None:
        """Return the sum over processes; None: nobody has it."""
        values = [sample.value for sample in self.of(name)]
        return int(sum(values)) if values else None

    def most(self, name: str) -> float | None:
        """Return the highest value."""
        return max((sample.value for sample in self.of(name)), default=None)

    def least(self, name: str) -> float | None:
        """Return the lowest value."""
        return min((sample.value for sample in self.of(name)), default=None)


def _state(ready: str | None, *, is_well: bool) -> str:
    """Return the state by what /readyz says."""
    if ready == "ready":
        return WELL if is_well else DEGRADED
    return STARTING if ready == "starting" else NOT_ACCEPTING


async def status_of(service: Service) -> Status:
    """Ask the service. Raises `ServiceError`."""
    ready, metrics, callbacks = (
        await service.get("/readyz"),
        await service.text("/metrics"),
        await service.get("/v1/callbacks"),
    )
    called = callbacks.content.get("accounts", []) if callbacks.status == 200 else []
    return status(ready.content, Metrics(metrics), called)


def status(ready: Mapping[str, Any], metrics: Metrics, called: Iterable[Mapping[str, Any]]) -> Status:
    """Put together what was said: /readyz, /metrics, and the accounts of /v1/callbacks."""
    degraded = [_reason(reason, metrics, ready["degraded"]) for reason in ready.get("degraded", [])]
    builds = [sample.labels.get("version") for sample in metrics.of("smsbus_build_info")]
    connected = metrics.least("smsbus_kafka_connected")
    return Status(
        state=_state(ready.get("status"), is_well=not degraded),
        version=builds[0] if builds else None,
        up_since=_moment(metrics.least("process_start_time_seconds")),
        accounts=[*_called(called), *_polled(metrics, ready.get("degraded", []))],
        journal_rows=metrics.total("smsbus_journal_rows"),
        journal_oldest_seconds=metrics.most("smsbus_journal_oldest_seconds"),
        journal_bytes=metrics.total("smsbus_journal_bytes"),
        journal_max_bytes=metrics.total("smsbus_journal_max_bytes"),
        pending=metrics.total("smsbus_pending"),
        kafka_connected=bool(connected) if connected is not None else None,
        shards=metrics.total("smsbus_shards"),
        watches=metrics.total("smsbus_watches"),
        inbox_events=metrics.total("smsbus_inbox_events"),
        inbox_behind_seconds=metrics.most("smsbus_inbox_behind_seconds"),
        degraded=degraded,
        targets=[*_targets(metrics)],
    )


def _reason(reason: str, metrics: Metrics, among: Sequence[str]) -> Reason:
    since = [sample.value for sample in metrics.of(SINCE) if reason_of(sample.labels) == reason]
    means = meaning(reason, among)
    users, do = (means.users, means.do) if means else (None, None)
    return Reason(reason, _moment(min(since, default=None)), users, do)


def _called(accounts: Iterable[Mapping[str, Any]]) -> Iterable[AccountState]:
    for account in accounts:
        used = [token["last_used_at"] for token in account["tokens"] if token["last_used_at"]]
        yield AccountState(account["account"], "callbacks", max(used, default=None), None)


def _polled(metrics: Metrics, degraded: Sequence[str]) -> Iterable[AccountState]:
    heard = _by_account(metrics.of("smsbus_poll_last_success_timestamp_seconds"))
    queued = _by_account(metrics.of("smsbus_polls_queued"))
    for account, is_open in sorted(_by_account(metrics.of("smsbus_account_open")).items()):
        last, waiting = heard.get(account), queued.get(account)
        closed = "paused" if f"account_paused:{account}" in degraded else "backing off"
        yield AccountState(
            account, "open" if is_open else closed, _moment(last), int(waiting) if waiting is not None else None
        )


def _targets(metrics: Metrics) -> Iterable[TargetState]:
    sent = {each.labels["forward"]: each.value for each in metrics.of("smsbus_forward_last_sent_timestamp_seconds")}
    for each in metrics.of("smsbus_forward_lag_records"):
        name = each.labels["forward"]
        yield TargetState(name, int(each.value), _moment(sent.get(name)))


def _by_account(samples: Iterable[Sample]) -> dict[str, float]:
    return {sample.labels["account"]: sample.value for sample in samples}


def _moment(seconds: float | None) -> str | None:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}" if seconds else None
