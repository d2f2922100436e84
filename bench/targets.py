"""The targets, and how close the results are: ratios of CPU per request within one run."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from bench.contenders import FLOOR, ONE_PARTITION, OURS
from bench.figures import Cells, Row

LANE_OFF: Final = f"{OURS}, fast lane off"


class Goal(NamedTuple):
    """`row` divided by `against` must be at most this, by number of connections; without limits it is only shown."""

    row: str
    against: str
    most: Mapping[str, float] = {}


GOALS: Final = (
    Goal(OURS + ONE_PARTITION, FLOOR, {"32": 0.80, "128": 0.65}),
    Goal(OURS, FLOOR, {"32": 1.00, "128": 0.70}),
    Goal(LANE_OFF + ONE_PARTITION, FLOOR, {"32": 1.35, "128": 1.35}),
    Goal(LANE_OFF, FLOOR, {"32": 1.35, "128": 1.35}),
    Goal(OURS, "Bento, mapping", {"32": 0.55, "128": 0.55}),
    Goal(OURS, "FastAPI + aiokafka", {"32": 1 / 6, "128": 1 / 6}),
    Goal(OURS, "mq-bridge"),
    Goal(OURS + ONE_PARTITION, "mq-bridge"),
)


def goals(rows: Sequence[Row]) -> Cells:
    """Return the cells of their table, its head first."""
    by_name = {row.name: row for row in rows if row.good}
    counts = list(rows[0].rounds)
    return [["CPU of", "divided by that of", *(f"at {count}" for count in counts)], *_lines(by_name, counts)]


def _lines(rows: Mapping[str, Row], counts: Sequence[str]) -> Cells:
    return [[goal.row, goal.against, *(_cell(goal, rows, count) for count in counts)] for goal in GOALS]


def _cell(goal: Goal, rows: Mapping[str, Row], count: str) -> str:
    if goal.row not in rows or goal.against not in rows:
        return "not measured"
    ratio = rows[goal.row].cpu(count).median / rows[goal.against].cpu(count).median
    if count not in goal.most:
        return f"{ratio:.2f}"
    reached = "" if ratio <= goal.most[count] else ", **not reached**"
    return f"{ratio:.2f} (at most {goal.most[count]:.2f}{reached})"
