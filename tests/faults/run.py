"""One case, from its start to its row."""

import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.faults import quiescence, topics
from tests.faults.checker import figures, violations
from tests.faults.figures import MOST_VIOLATIONS, Row
from tests.faults.history import Fault, History
from tests.faults.samples import drain_rate, drained_in, in_fast_lane
from tests.faults.stage import Case, Stage
from tests.kafka_fixtures import TestKafka

Say = Callable[[str], None]
NONE: Final[Mapping[str, str]] = {}


async def run(
    name: str,
    case: Case,
    kafka: TestKafka,
    directory: Path,
    *,
    scale: float = 1.0,
    seed: int = 0,
    prefix: str | None = None,
    settings: Mapping[str, str] = NONE,
    spoil: Callable[[History], History] = lambda history: history,
    say: Say = lambda _: None,
) -> tuple[Row, History]:
    """Run a case and return its row and what was seen; no process of it is left, and Kafka is healed.

    `settings` are those of all parts, without `SMSBUS_`. `spoil` changes what was seen before it is checked.
    `directory` is new, and keeps what the parts said and left.
    """
    directory.mkdir()
    say("starts")
    async with Stage(
        case, kafka, directory, prefix=prefix or f"{name}.", scale=scale, seed=seed, settings=settings
    ) as stage:
        say("under the fault")
        await _inject(name, case, stage)
        say("heals")
        await quiescence.heal(stage)
        say("comes to rest")
        stage.wrongs += await quiescence.come_to_rest(stage)
        history = spoil(await quiescence.seen(stage))
    await topics.delete(stage.reader)
    history.save(directory / "history.jsonl")
    return _row(name, case, stage, history), history


async def _inject(name: str, case: Case, stage: Stage) -> None:
    began = time.time()
    try:
        await case.run(stage)
    except Exception as error:  # noqa: BLE001 - one case that breaks does not end the others
        (stage.directory / "broken.txt").write_text(traceback.format_exc())
        stage.unmet.append(f"the case broke: {type(error).__name__}: {error}")
    if not stage.faults:
        stage.faults.append(Fault(name, began, time.time()))


def _row(name: str, case: Case, stage: Stage, history: History) -> Row:
    counted, rounds = figures(history), stage.samples.rounds
    began, until = min(fault.at for fault in stage.faults), max(fault.until for fault in stage.faults)
    wanted = case.accepted * stage.scale
    if counted.accepted < wanted:
        stage.unmet.append(f"{wanted:.0f} SMS were to be accepted at least, there were {counted.accepted}")
    wrong = stage.wrongs + [f"{each.rule}: {each.words}" for each in violations(history)]
    return Row(
        case=name,
        accepted=counted.accepted,
        lost=counted.lost,
        unseen=counted.unseen,
        repeats=counted.repeats,
        ids=counted.ids,
        shared=counted.shared,
        disordered=counted.disordered,
        slowest=counted.slowest or 0.0,
        p99_ms=(counted.p99 or 0.0) * 1000,
        refused=counted.refused_503,
        unanswered=counted.unanswered,
        other=counted.other,
        drain_seconds=drained_in(rounds, until),
        drain_rate=drain_rate(rounds, until),
        pause=quiescence.longest_wait(stage, history.shown),
        late=counted.late,
        fast_lane=in_fast_lane(rounds),
        seconds=until - began,
        violations=wrong[:MOST_VIOLATIONS],
        not_run="; ".join(stage.unmet),
    )
