"""How a process says that something is wrong: in the body of /readyz, in its metrics, and in one line of its log."""

import asyncio
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from tests.faults.process import Part
from tests.faults.stage import Stage

SEEN_SECONDS = 20.0
MOST, EVERY_SECONDS = 10, 5.0  # a warning that comes more often than both allow is noise
VARIES = frozenset({"timestamp", "records", "rows", "states", "seconds", "bytes"})
DEGRADED = re.compile(r"^smsbus_degraded\{(.+)\} 1", re.MULTILINE)
PARTS = ("reason", "account", "forward", "topic", "error")  # of a word, with colons between them


class Sign(NamedTuple):
    """What is looked for: a word, or what it begins with."""

    word: str
    """In `degraded` of /readyz, as the reason of `smsbus_degraded`, and as the event of a line."""
    lines: int = 1
    """So many of them at most: one a transition, and one for each whom it concerns."""


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
        count = sum(1 for _ in _lines(part, since, sign.word))
        if count > sign.lines:
            stage.wrong(f"{part.label} said {sign.word} {count} times, where {sign.lines} would do")
    not_noisy(stage, *parts, since=since)


def not_noisy(stage: Stage, *parts: Part, since: float) -> None:
    """A warning that comes again and again is wrong."""
    seconds = time.time() - since
    for part in parts:
        warnings = (line for line in _lines(part, since) if line.get("level") != "info")
        for line, count in Counter(map(_lasting, warnings)).items():
            if count > max(MOST, seconds / EVERY_SECONDS):
                stage.wrong(f"{part.label} said {count} times within {seconds:.0f} s: {line}")


async def _missing(part: Part, sign: Sign, since: float) -> list[str]:
    ready, metrics = await asked(part)
    places = {
        f"the body of /readyz, which said {ready},": _is_in(sign, ready),
        "the metrics": _is_in(sign, metrics),
        "the log": any(_lines(part, since, sign.word)),
    }
    return [f"{sign.word} was not in {place}" for place, found in places.items() if not found]


async def _left(part: Part, sign: Sign) -> list[str]:
    ready, metrics = await asked(part)
    places = {"the body of /readyz": _is_in(sign, ready), "the metrics": _is_in(sign, metrics)}
    return [f"{sign.word} was in {place}" for place, found in places.items() if found]


async def asked(part: Part) -> tuple[list[str], list[str]]:
    """Return the words of /readyz, and those of the metrics."""
    (_, body), (_, metrics) = await asyncio.gather(part.replica.get("/readyz"), part.replica.get("/metrics"))
    return json.loads(body)["degraded"], [_word(labels) for labels in DEGRADED.findall(metrics)]


def _word(labels: str) -> str:
    """Return the word that /readyz says, of a sample's labels."""
    found = dict(re.findall(r'(\w+)="([^"]*)"', labels))
    return ":".join(found[part] for part in PARTS if part in found)


def _is_in(sign: Sign, words: Iterable[str]) -> bool:
    return any(word.startswith(sign.word) for word in words)


def _lines(part: Part, since: float, event: str | None = None) -> Iterable[dict[str, Any]]:
    lines = (line for line in part.replica.lines if _at(line) >= since)
    return (line for line in lines if event in (None, line["event"]))


def _at(line: Mapping[str, Any]) -> float:
    """Return when it was said; 0.0 for what is no line of the log."""
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
