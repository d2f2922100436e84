"""What happens in a scenario: each function returns something that goes on beside the others on the town's loop."""

import asyncio
from typing import TYPE_CHECKING

from sandbox.sms import Provider
from tests.simulation.plan import Begin

if TYPE_CHECKING:
    from tests.simulation.town import Town

ACTIVATION = 1800.0  # seconds until a provider ends an order by itself: watches end before


def customers(
    *, per_minute: float, share: float = 0.6, provider: Provider = "grizzlysms", most_sms: int = 3, **watch: object
) -> Begin:
    """New activations all the time, of which a share gets SMS; each next one is asked for as soon as one is published."""

    async def begin(town: "Town") -> None:
        rng = town.random("customers")
        town.kafka.on_published.append(town.people.wants_more)
        while True:
            await asyncio.sleep(rng.expovariate(per_minute / 60))
            sms = rng.randint(1, most_sms) if rng.random() < share else 0
            lifetime = rng.choice((1200.0, ACTIVATION))
            order = town.people.buy(provider, "activation", sms=sms, lifetime=lifetime)
            until = rng.choice((None, None, rng.uniform(300, 1200)))
            town.spawn(_watched(town, provider, order, until))

    return begin


async def _watched(town: "Town", provider: Provider, order: object, until: float | None) -> None:
    await town.people.watch(provider, "activation", order, until=until)  # type: ignore[arg-type]
