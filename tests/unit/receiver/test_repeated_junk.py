"""Somebody has a callback URL and posts the same junk again and again: which metric shows it."""

from pathlib import Path

from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from bus.memory import MemoryBus
from receiver.auth import Caller
from receiver.intake import Intake
from receiver.metrics import ReceiverMetrics
from receiver.settings import PingMeAccount

OPERATIONS = Path(__file__).parents[3] / "docs/operations.md"
MAIN = PingMeAccount(name="main", tokens=(SecretStr("token-of-the-account-main"),))
FLOOD = 25


async def test_repeated_junk_raises_the_metric_that_the_alerts_name() -> None:
    registry, bus = CollectorRegistry(), MemoryBus()
    intake = Intake(bus, [MAIN], clock_ms=lambda: 0, metrics=ReceiverMetrics(registry))
    for n in range(FLOOD):
        body = f"junk {n % 5}".encode()
        callbacks = intake.callbacks(intake.allowances["main"], Caller("main", None), "", body)
        receipts = intake.submit(callbacks.messages)
        await receipts
        intake.response(callbacks, receipts)

    outcome = {"account": "main", "outcome": "rejected"}
    _, _, alerts = OPERATIONS.read_text().partition("## Alerts")
    assert registry.get_sample_value("smsbus_callbacks_total", outcome) == FLOOD
    assert bus.ledger.rejected == 5
    assert '`smsbus_callbacks_total{outcome="rejected"}`' in alerts.partition("## Metrics")[0]
