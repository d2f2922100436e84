"""How long something took, as a histogram."""

from prometheus_client.core import HistogramMetricFamily

from bus.durations import Durations


def test_durations_are_counted_up_to_each_bound() -> None:
    durations, family = Durations((0.5, 1.0)), HistogramMetricFamily("some_seconds", "Some.", labels=["account"])
    for seconds in (0.5, 0.75, 30.0):
        durations.observe(seconds)

    durations.add_to(family, "shop")

    samples = {(sample.name, sample.labels.get("le")): sample.value for sample in family.samples}
    assert samples == {
        ("some_seconds_bucket", "0.5"): 1,
        ("some_seconds_bucket", "1.0"): 2,
        ("some_seconds_bucket", "+Inf"): 3,
        ("some_seconds_count", None): 3,
        ("some_seconds_sum", None): 31.25,
    }
    assert {sample.labels["account"] for sample in family.samples} == {"shop"}
