"""Rights on a Kafka with ACLs that are taken away while everybody serves, and given back."""

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence

from tests.e2e.program import eventually
from tests.e2e.rights import Right, give, take_away, understood
from tests.faults import degraded_signals, topics
from tests.faults.degraded_signals import Sign
from tests.faults.process import Part
from tests.faults.stage import Stage
from tests.secure_kafka import USER

WRONG = Sign("topics_misconfigured")
ERROR = "TopicAuthorizationFailedError"
WORDS = ("takes_nothing", "states_not_committed", "no_group", "kafka_away")
STATES = "sms.watch-states.v1"
WITHOUT_SECONDS, AGAIN_SECONDS = 15, 60


class RightsTaken:
    """The parts have the printed rights. What they may write goes first, then what they may see and the group."""

    async def prepare(self, stage: Stage) -> None:
        """Give the rights that a process which does everything needs, and no more, as the command prints them."""
        stage.orders.lifetime = 4 * AGAIN_SECONDS
        printed = await stage.reader.run("topics", "print", "--user", USER)
        self._rights = understood(printed.out)
        # Where nobody has a right any longer, everybody has all: these brokers are like that.
        others = [right._replace(principal="User:somebody-else") for right in self._rights]
        await give([*self._rights, *others], stage.reader.bootstrap_servers)
        stage.met("rights were printed", len(self._rights) > len(topics.ALL))

    async def run(self, stage: Stage) -> None:
        began = time.time()
        first, then = list(self._writing(stage)), list(self._seeing(stage))
        async with stage.fault("rights taken away"):
            await take_away(first, stage.reader.bootstrap_servers)
            await stage.sleep(WITHOUT_SECONDS)
            await degraded_signals.appear(stage, WRONG, *stage.parts, since=began)
            await _says(stage, _takes_nothing(stage), *stage.parts)
            await _says(stage, f"states_not_committed:{ERROR}", *stage.pollers)
            await take_away(then, stage.reader.bootstrap_servers)
            await _says(stage, "no_group", *stage.pollers)
            await _says(stage, _takes_nothing(stage), *stage.parts)
            stage.met("SMS waited in journals", (await stage.samples.look()).rows > 100 * stage.scale)
            await give([*first, *then], stage.reader.bootstrap_servers)
            await degraded_signals.disappear(stage, WRONG, *stage.parts, seconds=AGAIN_SECONDS)
            await _all_is_well(stage)
        await stage.all_shards_owned()
        degraded_signals.said_once(stage, WRONG, *stage.parts, since=began)

    def _writing(self, stage: Stage) -> Iterator[Right]:
        names = {stage.prefix + topics.RECEIVED, stage.prefix + STATES}
        return (right for right in self._rights if right.name in names and right.operation == "Write")

    def _seeing(self, stage: Stage) -> Iterator[Right]:
        describe = (stage.prefix + topics.RECEIVED, "Describe")
        return (
            right for right in self._rights if right.resource == "group" or (right.name, right.operation) == describe
        )


def _takes_nothing(stage: Stage) -> str:
    return f"takes_nothing:{stage.prefix}{topics.RECEIVED}:{ERROR}"


async def _says(stage: Stage, word: str, *parts: Part) -> None:
    """Return when all of these say so in /readyz and in the metrics; what one does not say in time is wrong."""

    async def said() -> bool:
        return all(word in ready and word in metrics for ready, metrics in await _asked(parts))

    await _within(stage, said, f"{', '.join(part.label for part in parts)}: {word}")


async def _all_is_well(stage: Stage) -> None:
    """Return when nobody says any of it; who still does after a while is wrong."""

    async def well() -> bool:
        return not any(word.startswith(WORDS) for ready, _ in await _asked(stage.parts) for word in ready)

    await _within(stage, well, "nothing is missing any longer")


async def _asked(parts: Sequence[Part]) -> list[tuple[list[str], list[str]]]:
    return [await degraded_signals.asked(part) for part in parts]


async def _within(stage: Stage, holds: Callable[[], Awaitable[bool]], words: str) -> None:
    try:
        await eventually(holds, AGAIN_SECONDS, words)
    except AssertionError as error:
        stage.wrong(str(error))
