"""Does a history keep what was promised, and in figures? Pure."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from tests.faults.evidence import Evidence
from tests.faults.history import History, Post, Record
from tests.faults.rules import RULES, is_refusal

FIRST_SECONDS = 1.0  # of a fault, in which all lanes spill
Window = tuple[float, float]


class Violation(NamedTuple):
    """A promise that was not kept: which rule's, and what happened."""

    rule: str
    words: str


class Figures(NamedTuple):
    """A history in numbers; seconds, and None where nothing was measured."""

    accepted: int
    """SMS that were answered 200, and polled ones that were shown."""
    lost: int
    repeats: int
    """Records with an id that an earlier one has."""
    ids: int
    shared: int
    disordered: int
    unseen: int
    """Shown to a dying process alone, their order over before the next looked: nobody knows whether we saw them."""
    answered_200: int
    """Tries, as the next three."""
    refused_503: int
    """With Retry-After and reason."""
    unanswered: int
    other: int
    slowest: float | None
    """The longest answer, of those under way during a fault."""
    p99: float | None
    """Of the answers to tries that began during a fault, not in its first second."""
    late: float
    """See `lateness`."""


def violations(history: History, rules: Collection[str] = tuple(RULES)) -> list[Violation]:
    """Return what breaks these rules: nothing, if all was kept."""
    seen = Evidence(history)
    return [Violation(name, words) for name in rules for words in RULES[name](seen)]


def figures(history: History) -> Figures:
    """Return what a run came to; counts of violations are those of `violations`."""
    seen = Evidence(history)
    found = {name: sum(1 for _ in RULES[name](seen)) for name in ("lost", "ids", "shared_id", "order")}
    answers = Counter(map(_sort, history.posts))
    slowest, later = _during_faults(history)
    return Figures(
        accepted=len({post.nonce for post in history.posts if post.status == 200})
        + sum(row.shown is not None for row in history.shown),
        lost=found["lost"],
        repeats=len(history.records) - len({record.id for record in history.records}),
        ids=found["ids"],
        shared=found["shared_id"],
        disordered=found["order"],
        unseen=sum(map(seen.is_unseen, seen.missing)),
        answered_200=answers["200"],
        refused_503=answers["503"],
        unanswered=answers["none"],
        other=answers["other"],
        slowest=max(slowest, default=None),
        p99=percentile(0.99, later) if later else None,
        late=lateness(history.records),
    )


def lateness(records: Iterable[Record]) -> float:
    """Return by how many seconds an SMS was seen before one that is in front of it in its partition, at most.

    That is what a watermark on `observed_at` has to wait for. Repeats do not count: consumers drop them.
    """
    late, newest, known = 0.0, dict[int, float](), set[str]()
    for record in sorted(records, key=lambda each: (each.partition, each.offset)):
        if record.id not in known:
            known.add(record.id)
            late = max(late, newest.get(record.partition, record.observed) - record.observed)
            newest[record.partition] = max(newest.get(record.partition, 0.0), record.observed)
    return late


def percentile(share: float, values: Iterable[float]) -> float:
    """Return the value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _sort(post: Post) -> str:
    if post.status in (None, 200):
        return "none" if post.status is None else "200"
    return "503" if is_refusal(post) else "other"


def _during_faults(history: History) -> tuple[list[float], list[float]]:
    """Return the seconds of the answers under way during faults, and of those asked for after their first second."""
    whole = _merged((fault.at, fault.until) for fault in history.faults)
    later = _merged((fault.at + FIRST_SECONDS, fault.until) for fault in history.faults)
    answered = [post for post in history.posts if post.status is not None]
    return (
        [post.seconds for post in answered if _meets(whole, post.at, post.ended)],
        [post.seconds for post in answered if _meets(later, post.at, post.at)],
    )


def _merged(windows: Iterable[Window]) -> Sequence[Window]:
    """Return the same time as windows that do not overlap, in order."""
    merged: list[Window] = []
    for at, until in sorted(windows):
        if merged and at <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], until))
        else:
            merged.append((at, until))
    return merged


def _meets(windows: Sequence[Window], since: float, until: float) -> bool:
    """Tell whether one of these windows, which do not overlap and are in order, has a part of this time."""
    last = bisect_right(windows, (until, float("inf"))) - 1
    return last >= 0 and windows[last][1] >= since
