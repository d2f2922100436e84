"""A degraded reason as a metric: its name behind the colon is a label, and it goes to 0 when it is over."""

import pytest
from prometheus_client import CollectorRegistry

from app.degraded import OF_ALL, SINCE, DegradedReasons, labels_of, reason_of

PACKED = {
    "kafka_away": {"reason": "kafka_away"},
    "account_paused:shop": {"reason": "account_paused", "account": "shop"},
    "over_share:shop": {"reason": "over_share", "account": "shop"},
    "forward_waiting:hook": {"reason": "forward_waiting", "forward": "hook"},
    "states_not_committed:NotEnoughReplicas": {"reason": "states_not_committed", "error": "NotEnoughReplicas"},
    "takes_nothing:sms.received.v1:NotEnoughReplicas": {
        "reason": "takes_nothing",
        "topic": "sms.received.v1",
        "error": "NotEnoughReplicas",
    },
    "of_the_future:a:b": {"reason": "of_the_future", "account": "a:b"},
}


@pytest.mark.parametrize(("reason", "labels"), PACKED.items())
def test_a_reason_is_labels_and_back(reason: str, labels: dict[str, str]) -> None:
    assert labels_of(reason) == labels
    assert reason_of({"process": "pollers", **labels}) == reason


def test_a_reason_goes_to_0_and_does_not_vanish() -> None:
    registry, reasons = CollectorRegistry(), ["account_paused:shop", "kafka_away"]
    held = DegradedReasons(lambda: tuple(reasons), registry, now=lambda: 100.0)
    held.look()

    def exported(name: str) -> list[float | None]:
        return [registry.get_sample_value(name, labels_of(each)) for each in ("account_paused:shop", "kafka_away")]

    assert (exported("smsbus_degraded"), exported(SINCE)) == ([1, 1], [100, 100])

    reasons.clear()

    assert (exported("smsbus_degraded"), exported(SINCE)) == ([0, 0], [None, None])


def test_what_is_nobody_s_in_particular_is_exported_before_it_happens() -> None:
    registry = CollectorRegistry()
    DegradedReasons(tuple, registry)

    assert {registry.get_sample_value("smsbus_degraded", {"reason": word}) for word in OF_ALL} == {0}
    assert "account_paused" not in OF_ALL
