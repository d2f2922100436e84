"""The scenarios of the receiver, each a small plan. What happens in them is in `happenings`."""

from collections.abc import Mapping
from typing import Final

from tests.simulation.receiver import happenings as does
from tests.simulation.receiver.plan import KIB, ReceiverPlan

HOURS: Final = (3600.0, 5400.0)
FEW: Final = {"dedup_cache_size": 50}

SCENARIOS: Final[Mapping[str, ReceiverPlan]] = {
    plan.name: plan
    for plan in (
        ReceiverPlan("receiver_quiet", (does.traffic(at_once=5), does.traffic("club", per_minute=5))),
        ReceiverPlan("receiver_kafka", (does.traffic(), does.traffic("club", per_minute=5), does.kafka_goes_away())),
        ReceiverPlan("receiver_brokers", (does.traffic(), does.brokers_fail(), does.large_ones("club"))),
        ReceiverPlan(
            "receiver_leaked",
            (does.traffic(), does.traffic("leaky", per_minute=5, numbers=20), does.leaked()),
            accounts=("shop", "leaky"),
        ),
        ReceiverPlan(
            "receiver_share",
            (
                does.traffic(per_minute=1),
                does.traffic("leaky", per_minute=1),
                does.flooded(per_minute=20),
                does.kafka_goes_away(every=3600.0, lasts=HOURS, first=300.0),
            ),
            accounts=("shop", "leaky"),
            bus={"journal_max_bytes": 256 * KIB},
        ),
        ReceiverPlan(
            "receiver_full",
            (
                does.traffic(per_minute=5),
                does.traffic("club", per_minute=5),
                does.kafka_goes_away(every=3600.0, lasts=HOURS, first=300.0),
            ),
            bus={"journal_max_bytes": 256 * KIB},
        ),
        ReceiverPlan(
            "receiver_tokens",
            (
                does.traffic(),
                does.rotates(),
                does.tries_old_tokens(),
                does.hangs_up(),
                does.strangers(every=5),
            ),
            bus=FEW,
        ),
        ReceiverPlan(
            "receiver_restarts",
            (does.traffic(), does.receivers_change(), does.kafka_goes_away(every=900.0)),
            receivers=3,
        ),
        ReceiverPlan(
            "receiver_orphans",
            (does.traffic(), does.kafka_goes_away(every=300.0, lasts=(90.0, 300.0)), does.one_dies()),
            receivers=2,
        ),
        ReceiverPlan("receiver_repeats", (does.traffic(repeats=0.7), does.kafka_goes_away()), bus=FEW),
        ReceiverPlan("receiver_numbers", (does.traffic(per_minute=120, numbers=10**7, repeats=0.02),), bus=FEW),
        ReceiverPlan("receiver_clocks", (does.traffic(), does.clocks_step(), does.kafka_goes_away(every=900.0))),
        ReceiverPlan(
            "receiver_disk",
            (does.traffic(), does.disk_is_full(), does.kafka_goes_away(every=600.0, lasts=(60.0, 600.0))),
        ),
        ReceiverPlan(
            "receiver_crowd",
            (does.traffic(), does.idlers(), does.strangers()),
            bus=FEW,
            receiver={"max_connections": 50},
        ),
        ReceiverPlan(
            "receiver_mixed",
            (
                does.traffic(at_once=3, repeats=0.3),
                does.traffic("leaky", per_minute=5),
                does.leaked(lasts=600.0),
                does.idlers(every=20),
                does.strangers(every=20),
                does.rotates("shop"),
                does.brokers_fail(refused=0.001, unknown=0.001),
                does.receivers_change(every=1500.0),
                does.kafka_goes_away(every=1500.0),
            ),
            receivers=2,
            accounts=("shop", "leaky"),
        ),
    )
}
