"""What the door counts. Labels are bounded: an account's name, and words of the closed sets below."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from receiver.answers import PROBLEMS

STRANGER: Final = ""  # the account of a request that showed no token of ours; Prometheus reads it as no label
OUTCOMES: Final = ("accepted", "duplicate", "rejected", "ready", "disconnected", *PROBLEMS)
# From a memory bus (0.2 ms) to one accept deadline after another (seconds).
BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class ReceiverMetrics:
    """The door's counters in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._callbacks = Counter(
            "smsbus_callbacks",
            "Callbacks by what became of them; each element of an array counts.",
            ("account", "outcome"),
            registry=registry,
        )
        self._rejected = Counter(
            "smsbus_callback_rejected", "Dead letters of callbacks, by reason.", ("reason",), registry=registry
        )
        self.seconds = Histogram(
            "smsbus_callback_seconds",
            "From the last byte of a callback to its answer.",
            registry=registry,
            buckets=BUCKETS,
        )

    def outcomes(self, account: str) -> dict[str, Counter]:
        """Return the account's counters by outcome, all of them present from the start."""
        return {outcome: self._callbacks.labels(account, outcome) for outcome in OUTCOMES}

    def reasons(self, reasons: tuple[str, ...]) -> dict[str, Counter]:
        """Return the counters of dead letters by reason, all of them present from the start."""
        return {reason: self._rejected.labels(reason) for reason in reasons}
