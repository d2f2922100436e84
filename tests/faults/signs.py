"""How a process says that something is wrong: in the body of /readyz, in its metrics, and in one line of its log."""

import asyncio
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from tests.faults.part import Part
from tests.faults.stage import Stage

SEEN_SECONDS = 20.0
MOST, EVERY_SECONDS = 10, 5.0  # a warning that comes more often than both allow is noise
VARIES = frozenset({"timestamp", "records", "rows", "states", "seconds", "bytes"})


class Sign(NamedTuple):
    """What is looked for, as regular expressions."""

    ready: str
    """A word of `degraded`."""
    metric: str
    """A line of /metrics, which is there while it is wrong."""
    event: str
    """Of the line of the log."""
    lines: int = 1
    """So many of them at most: one a transition, and one for each whom it concerns."""
    stays: bool = False
    """The metric is a counter, and stays when the cause is gone."""


async def appear(stage: Stage, sign: Sign, *parts: Part, since: float, seconds: float = SEEN_SECONDS) -> None:
    """Return when each of the parts says so in all three places; what one does not say in time is wrong."""
    missing = await _until_none(parts, lambda part: _missing(part, sign, since), seconds)
    for words, labels in missing.items():
        stage.wrong(f"{words} within {seconds:.0f} s: {', '.join(labels)}")


async def disappear(stage: Stage, sign: Sign, *parts: Part, seconds: float) -> None:
    """Return when none of the parts says so any longer; what one still says after so many seconds is wrong."""
    left = await _until_none(parts, lambda part: _left(part, sign), seconds)
    for words, labels in left.items():
        stage.wrong(f"{words} {seconds:.0f} s after the cause was gone: {', '.join(labels)}")


def said_once(stage: Stage, sign: Sign, *parts: Part, since: float) -> None:
    """More lines than transitions are wrong, and so is a warning of any sort that comes again and again."""
    for part in parts:
        count = sum(1 for _ in _lines(part, sign.event, since))
        if count > sign.lines:
            stage.wrong(f"{part.label} said {sign.event} {count} times, where {sign.lines} would do")
    not_noisy(stage, *parts, since=since)


def not_noisy(stage: Stage, *parts: Part, since: float) -> None:
    """A warning that comes again and again is wrong."""
    seconds = time.time() - since
    for part in parts:
        warnings = (line for line in _lines(part, "", since) if line.get("level") != "info")
        for line, count in Counter(map(_lasting, warnings)).items():
            if count > max(MOST, seconds / EVERY_SECONDS):
                stage.wrong(f"{part.label} said {count} times within {seconds:.0f} s: {line}")


async def _missing(part: Part, sign: Sign, since: float) -> list[str]:
    ready, metrics = await _asked(part)
    places = {
        f"{sign.ready} was not in the body of /readyz, which said {ready},": _is_in(sign.ready, ready),
        f"{sign.metric} was not in the metrics": re.search(sign.metric, metrics, re.MULTILINE),
        f"{sign.event} was not in the log": any(_lines(part, sign.event, since)),
    }
    return [place for place, found in places.items() if not found]


async def _left(part: Part, sign: Sign) -> list[str]:
    ready, metrics = await _asked(part)
    places = {
        f"{sign.ready} was in the body of /readyz": _is_in(sign.ready, ready),
        f"{sign.metric} was in the metrics": not sign.stays and re.search(sign.metric, metrics, re.MULTILINE),
    }
    return [place for place, found in places.items() if found]


async def _asked(part: Part) -> tuple[list[str], str]:
    """Return the words of /readyz, and the metrics."""
    (_, body), (_, metrics) = await asyncio.gather(part.replica.get("/readyz"), part.replica.get("/metrics"))
    return json.loads(body)["degraded"], metrics


def _is_in(expression: str, words: Sequence[str]) -> bool:
    return any(re.search(expression, word) for word in words)


def _lines(part: Part, event: str, since: float) -> Iterable[dict[str, Any]]:
    return (line for line in part.replica.lines if re.search(event, str(line.get("event"))) and _at(line) >= since)


def _at(line: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(line["timestamp"]).timestamp() if "timestamp" in line else 0.0


def _lasting(line: Mapping[str, Any]) -> str:
    """Return it without what makes two lines of one sort differ."""
    kept = {name: value for name, value in line.items() if name not in VARIES}
    return json.dumps(kept | {"event": re.sub(r"\d+", "0", line["event"])}, sort_keys=True)


async def _until_none(
    parts: Sequence[Part], look: Callable[[Part], Awaitable[list[str]]], seconds: float
) -> Mapping[str, list[str]]:
    """Look again and again until nothing is found, or the time is over; return what was found last, and at whom."""
    deadline = time.monotonic() + seconds
    while True:
        found: dict[str, list[str]] = defaultdict(list)
        for part, each in zip(parts, await asyncio.gather(*map(look, parts)), strict=True):
            for words in each:
                found[words].append(part.label)
        if not found or time.monotonic() >= deadline:
            return found
        await asyncio.sleep(0.5)
