"""Since when each degraded reason holds, and in plain words what it means for users and what to do about it.

docs/operations.md says more of each. The page has its words from here, too (`app.page`).
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final, NamedTuple

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

LOOK_EVERY: Final = 1.0  # seconds
SINCE: Final = "smsbus_degraded_since_timestamp_seconds"
PARTS: Final = ("reason", "account", "forward", "topic", "error")
"""The labels of a degraded reason: its word, and what stands behind the colons, in this order."""


NOTHING: Final = "Nothing."
UNSAID: Final = frozenset({"forward_blind", "forward_expiring"})
"""Those that nobody else logs."""

_log = structlog.get_logger("smsbus")


class Meaning(NamedTuple):
    """What a reason means to people. NAME stands for what is behind the reason's colon."""

    what: str
    """What is wrong."""
    users: str
    """What users notice."""
    do: str
    """What to do."""


MEANINGS: Final = {
    "kafka_away": Meaning(
        "Kafka accepts nothing.",
        "SMS are still accepted, and arrive when Kafka returns.",
        "Run `smsbus check`: it says what fails and why.",
    ),
    "topics_misconfigured": Meaning(
        "A topic is missing, has wrong settings, or may not be written.",
        "SMS may be refused, late, or kept for too short a time.",
        "Run `smsbus topics check`: it prints the command that corrects it.",
    ),
    "messages_in_journal": Meaning(
        "Accepted messages wait on disk.",
        "Some SMS arrive late.",
        "Wait: they go out by themselves once Kafka takes them. If they stay, solve what else is listed here.",
    ),
    "journal_unwritable": Meaning(
        "The journal cannot be written: a full or failing disk, its limit, or files that are not in place.",
        "Callbacks get 503 if Kafka is away, too.",
        "The log says which: free disk; or raise bus.journal_max_bytes and restart; or put its files back.",
    ),
    "over_share": Meaning(
        "Account NAME fills more than half of the journal.",
        "Callbacks of this account get 503; others are accepted while the journal has room.",
        "Bring Kafka back; if its URL leaked: `smsbus callback rotate NAME`.",
    ),
    "journal_quarantined": Meaning(
        "A journal is damaged, of another version, or not readable.",
        "Some SMS that were accepted have not arrived.",
        "`smsbus journal status` says which one, and what to do.",
    ),
    "journal_directory_unreadable": Meaning(
        "The journals' directory cannot be listed.",
        "SMS of a process that died are late.",
        "The log says why bus.journal_dir cannot be listed.",
    ),
    "event_loop_late": Meaning(
        "This process is too busy: it handles input more than 250 ms late.",
        "Answers are slow, and SMS are late.",
        "Give it more cores or --workers, or fewer watches.",
    ),
    "reload_refused": Meaning(
        "The changed settings are wrong, and were not taken.",
        "The new settings are not in use.",
        "Run `smsbus check`: it says what is wrong; correct it, and send SIGHUP again.",
    ),
    "worker_restarting": Meaning(
        "A worker is missing, and is being restarted.",
        "Nothing yet.",
        "Wait a minute; if it stays, the log has its exit code.",
    ),
    "account_limited": Meaning(
        "Callbacks of account NAME are limited.",
        "Callbacks of this account get 429; others are accepted.",
        "If they are genuine, raise receiver.allowance or receiver.max_in_flight; if the URL leaked: "
        "`smsbus callback rotate NAME`.",
    ),
    "connections_full": Meaning(
        "All connections of the receiver are in use.",
        "Idle connections of senders are closed.",
        "Find who opens so many, or raise receiver.max_connections.",
    ),
    "admin_connections_full": Meaning(
        "All connections of the admin listener are in use.",
        "Idle clients of this listener are disconnected.",
        "Find who connects to the admin port.",
    ),
    "records_refused": Meaning(
        "Kafka refuses single records for their size.",
        "Some SMS are in sms.rejected.v1 instead.",
        "Run `smsbus check`: it prints the command that raises the limit.",
    ),
    "journal_row_damaged": Meaning(
        "A message was damaged on disk while it waited there.",
        "That SMS did not arrive; what is left of it is in sms.rejected.v1.",
        "Look at it: `smsbus rejected list --reason journal_row_damaged`. Check the disk.",
    ),
    "dead_letter_refused": Meaning(
        "Kafka refuses a rejected message for its size.",
        "SMS of some numbers wait behind a dead letter.",
        "Raise max.message.bytes of sms.rejected.v1.",
    ),
    "account_paused": Meaning(
        "Account NAME is paused: the provider refuses its key.",
        "No new SMS of this account.",
        "Probably the key is wrong: correct it, send SIGHUP (a variable: restart); the log has the reason.",
    ),
    "account_backing_off": Meaning(
        "The provider of account NAME is in trouble.",
        "SMS of this account are late.",
        "Nothing: it is tried again by itself. The log has the reason.",
    ),
    "account_overloaded": Meaning(
        "Account NAME has more orders than its budget of requests can poll.",
        "SMS of this account are more than a minute late.",
        "Raise max_requests_per_second, or stop watches.",
    ),
    "orders_unknown": Meaning(
        "The provider of account NAME knows none of its orders any more.",
        "No new SMS of this account.",
        "Look at the provider's site: is the key another account's?",
    ),
    "activations_paused": Meaning(
        "The provider of account NAME does not offer activations.",
        "No new SMS of its activations.",
        "Check its base_url and status_action.",
    ),
    "rents_paused": Meaning(
        "The provider of account NAME does not offer rents.", "No new SMS of its rents.", "Check its base_url."
    ),
    "bulk_hint_off": Meaning(
        "The provider's list of activations missed an SMS.",
        NOTHING,
        "Nothing: orders are polled one by one for an hour.",
    ),
    "polls_overdue": Meaning(
        "A poll is more than a minute late.",
        "Some SMS are late.",
        "Raise max_requests_per_second, or give it more CPU.",
    ),
    "no_group": Meaning(
        "No member of the pollers' group is reachable.",
        "New watches are not polled.",
        "Check Kafka; the log has `group_left`.",
    ),
    "states_not_committed": Meaning(
        "Kafka does not store how far orders are: NAME.",
        "SMS arrive; finish, cancel and next wait.",
        "Check Kafka; the log has the partitions.",
    ),
    "takes_nothing": Meaning(
        "Kafka refuses batches: NAME.",
        "SMS of some numbers are late.",
        "The log has Kafka's own error; it is tried again.",
    ),
    "no_shards": Meaning(
        "No orders are polled by this process.",
        "No watch is polled by this process.",
        "Check Kafka; the log says why (`shard_ended`).",
    ),
    "shard_restoring": Meaning(
        "Orders are being read again.", "SMS of some watches are late.", "Wait; if it stays, the log says why."
    ),
    "watch_table_behind": Meaning(
        "The orders cannot be read.", "The list of watches may be old.", "Check Kafka: `smsbus check`."
    ),
    "forward_waiting": Meaning(
        "The target NAME takes nothing.",
        "It gets its SMS late; others get theirs. Nothing is lost.",
        "Mend the target: the log and the metrics have the reason.",
    ),
    "forward_expiring": Meaning(
        "What waits for the target NAME is deleted in less than a day.",
        "It loses the SMS that are older.",
        "Mend the target, or raise retention.ms of the topic.",
    ),
    "forward_stopped": Meaning(
        "The target NAME wants nothing any longer: it answered 410.",
        "It gets no SMS.",
        "Remove it from the settings, or restart if it is back.",
    ),
    "forward_blind": Meaning(
        "Kafka does not answer those who forward to NAME.",
        "The target gets its SMS late.",
        "Check Kafka: `smsbus check`; the log has `group_left`.",
    ),
    "inbox_behind": Meaning(
        "The inbox is behind what is published.",
        "The inbox shows SMS late; waits take longer. Nothing is lost.",
        "Wait; if it stays, give it more CPU.",
    ),
    "inbox_blind": Meaning(
        "The inbox cannot read Kafka.",
        "The inbox shows nothing new; waits get 503. Nothing is lost.",
        "Check Kafka: `smsbus check`.",
    ),
}


BEHIND: Final = {
    **dict.fromkeys((word for word in MEANINGS if word.startswith("forward_")), ("forward",)),
    "takes_nothing": ("topic", "error"),
    "states_not_committed": ("error",),
}
"""What stands behind the colons of a reason's word, as labels; behind any other it is an account."""
TOGETHER: Final = {
    "kafka_away": "SMS are refused with 503: the journal cannot be written either.",
    "journal_unwritable": "SMS are refused with 503: Kafka is away, too.",
}
"""What users notice while all of these hold."""
OF_ALL: Final = tuple(word for word, means in MEANINGS.items() if "NAME" not in means.what)
"""Reasons with nothing behind them."""


def labels_of(reason: str) -> dict[str, str]:
    """Return a reason as labels: `account_paused:shop` is of the account `shop`."""
    word, _, behind = reason.partition(":")
    names = BEHIND.get(word, ("account",)) if behind else ()
    return {"reason": word, **dict(zip(names, behind.split(":", max(0, len(names) - 1)), strict=False))}


def reason_of(labels: Mapping[str, str]) -> str:
    """Return the reason that has these labels."""
    return ":".join(labels[part] for part in PARTS if labels.get(part))


def meaning(reason: str, among: Collection[str] = ()) -> Meaning | None:
    """Return what a reason means, with the name behind its colon where there is one; None: another version's.

    `among`: all that hold. Where two of them together mean something else, that is said.
    """
    word, _, name = reason.partition(":")
    found = MEANINGS.get(word)
    if found and word in TOGETHER and TOGETHER.keys() <= {*among}:
        found = found._replace(users=TOGETHER[word])
    return Meaning(*(text.replace("NAME", name or "NAME") for text in found)) if found else None


def is_harmless(reason: str) -> bool:
    """Return whether nobody notices anything, and nobody needs to do anything."""
    means = meaning(reason)
    return means is not None and means.users == NOTHING


def _is_unsaid(reason: str) -> bool:
    return reason.partition(":")[0] in UNSAID


class DegradedReasons(Collector):
    """Which reasons hold, and since when, as metrics. `start` looks for new ones until `stop`.

    A reason about an account, a target or an error is exported from its first beginning on, any other always.
    """

    def __init__(
        self,
        reasons: Callable[[], tuple[str, ...]],
        registry: CollectorRegistry,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`now` is in seconds since 1970."""
        self._reasons = reasons
        self._now = now
        self._since: dict[str, float] = {}
        self._known = dict.fromkeys(OF_ALL)
        self._looking: asyncio.Task[None] | None = None
        registry.register(self)

    def start(self) -> None:
        """Look every second: scrapes are too rare to tell when a reason began."""
        self._looking = asyncio.create_task(self._look_on())

    async def stop(self) -> None:
        """Look no longer; safe to call when it never started."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])

    def look(self) -> None:
        """Note what holds now; log the beginning and the end of what nobody else logs."""
        now, before = self._now(), self._since
        self._since = {reason: before.get(reason, now) for reason in self._reasons()}
        for reason in filter(_is_unsaid, self._since.keys() - before):
            _log.warning("degraded", reason=reason)
        for reason in filter(_is_unsaid, before.keys() - self._since):
            _log.info("degraded_no_more", reason=reason)
        self._known.update(dict.fromkeys(self._since))

    def collect(self) -> Iterator[Metric]:
        """Yield the current values."""
        self.look()
        holds = GaugeMetricFamily("smsbus_degraded", "1 while a degraded reason holds, else 0")
        since = GaugeMetricFamily("smsbus_degraded_since_timestamp_seconds", "Since when a degraded reason holds")
        for reason in self._known:
            holds.add_sample(holds.name, labels_of(reason), reason in self._since)
        for reason, began in self._since.items():
            since.add_sample(since.name, labels_of(reason), began)
        yield from (holds, since)

    async def _look_on(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY)
