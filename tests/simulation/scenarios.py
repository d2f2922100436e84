"""The scenarios, each a small plan. What happens in them is in `happenings`."""

from collections.abc import Mapping
from typing import Final

from tests.simulation import happenings as does
from tests.simulation.plan import Plan

SCENARIOS: Final[Mapping[str, Plan]] = {
    plan.name: plan
    for plan in (
        Plan("quiet", (does.customers(per_minute=2),), mean_below=6.0),
        Plan("business", (does.customers(per_minute=20), does.compaction()), mean_below=2.5, p99_below=7.0),
        Plan("unlisted", (does.customers(per_minute=20), does.compaction()), mean_below=60.0, lists=False),
        Plan("failing_rents", (does.standing(activations=10), does.broken_rents(number=3)), mean_below=2.0),
        Plan("bad_day", (does.standing(activations=50), does.failing(share=0.3)), mean_below=30.0, bad=True),
        Plan("bad_hours", (does.standing(activations=20), does.bad_hours()), bad=True),
        Plan("throttled", (does.standing(activations=30), does.throttled()), bad=True),
        Plan("outage", (does.standing(activations=20), does.outage()), bad=True),
        Plan("rents", (does.rents(number=40, sms=20, before=180), does.standing(activations=5))),
        Plan("replicas", (does.customers(per_minute=4), does.replicas_change()), replicas=3),
        Plan("restarts", (does.customers(per_minute=4), does.restarts())),
        Plan("kafka_away", (does.customers(per_minute=4), does.kafka_goes_away()), replicas=2, strands=True),
        Plan("wrong_clocks", (does.customers(per_minute=4), does.wrong_clocks(most=60)), clocks_wrong_by=60.0),
        Plan("requests", (does.customers(per_minute=4), does.requests(), does.compaction())),
        Plan("last_moments", (does.last_moments(per_minute=10), does.commits_fail(full=0.3))),
        Plan("poison", (does.customers(per_minute=2), does.records_of_tomorrow()), strands=True),
        Plan(
            "mixed",
            (
                does.customers(per_minute=4, providers=does.PROVIDERS),
                does.rents(number=3, sms=30, before=15),
                does.requests(every=60),
                does.bad_hours(),
                does.replicas_change(every=900),
                does.kafka_goes_away(every=2400),
                does.commits_fail(full=0.001, slow=0.01),
                does.wrong_clocks(most=5),
                does.compaction(),
            ),
            replicas=3,
            bad=True,
            clocks_wrong_by=5.0,
        ),
    )
}
