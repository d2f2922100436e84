"""A history, sorted by what the rules ask for. Pure."""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from operator import attrgetter
from typing import TypeVar

from tests.faults.history import Fault, History, Order, Post, Record, Shown, Sms

UNREAD_SECONDS = 5.0  # what was with a process for longer was read, and is durable
MOVED_SECONDS = 15.0  # after which another poller asks again

Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row")


def grouped(rows: Iterable[Row], key: Callable[[Row], Key]) -> Mapping[Key, list[Row]]:
    """Return the rows of each key, in their order."""
    found: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return dict(found)


class Evidence:
    """Everything is sorted once, when it is first asked for."""

    def __init__(self, history: History) -> None:
        self.history = history

    @cached_property
    def posts(self) -> Mapping[Sms, list[Post]]:
        return grouped(self.history.posts, attrgetter("sms"))

    @cached_property
    def rows(self) -> Mapping[Sms, list[Shown]]:
        """The book's, by index; more than one where codes of an order are equal."""
        return grouped(sorted(self.history.shown, key=attrgetter("index")), attrgetter("sms"))

    @cached_property
    def records(self) -> Mapping[Sms, list[Record]]:
        return grouped(self.history.records, attrgetter("sms"))

    @cached_property
    def firsts(self) -> Mapping[Sms, list[Record]]:
        """The first occurrence of each id; more than one of an SMS only where codes of an order are equal."""
        return {
            sms: [each[0] for each in grouped(records, attrgetter("id")).values()]
            for sms, records in self.records.items()
        }

    @cached_property
    def orders(self) -> Mapping[Order, list[Record]]:
        """The first occurrences of polled SMS as the SMS came; those of equal codes as their sequences say."""
        placed: dict[Order, list[tuple[int, Record]]] = defaultdict(list)
        for sms, rows in self.rows.items():
            in_turn = sorted(self.firsts.get(sms, ()), key=lambda record: record.sequence or 0)
            placed[sms[:3]] += zip((row.index for row in rows), in_turn, strict=False)
        return {order: [record for _, record in sorted(each)] for order, each in placed.items()}

    @cached_property
    def dead(self) -> Collection[Sms | str | None]:
        """The SMS that ended as dead letters, and the ids."""
        letters = self.history.rejected
        return frozenset({*(letter.sms for letter in letters), *(letter.refused_id for letter in letters)} - {""})

    @cached_property
    def followers(self) -> Mapping[tuple[Order, int], Shown]:
        """The SMS of an activation by the index of the one before it."""
        return {(row.sms[:3], row.index - 1): row for row in self.history.shown if row.kind == "activation"}

    @cached_property
    def absences(self) -> Mapping[str, list[Fault]]:
        """The faults by the parts that were not there."""
        faults = [(part, fault) for fault in self.history.faults for part in fault.parts]
        return {part: [fault for _, fault in each] for part, each in grouped(faults, lambda each: each[0]).items()}

    @cached_property
    def doubt(self) -> float:
        """By how many seconds a time of ours may be wrong."""
        return max((fault.clock for fault in self.history.faults), default=0.0)

    @cached_property
    def missing(self) -> Sequence[Shown]:
        """SMS that were shown, told apart from those before them, and are neither in the topic nor dead letters."""
        return [row for sms, rows in self.rows.items() for row in self._missing(sms, rows)]

    def _missing(self, sms: Sms, rows: Sequence[Shown]) -> Iterable[Shown]:
        distinct = [row for row in rows if row.shown is not None]
        distinct = distinct[:1] + [row for row in distinct[1:] if self._is_told_apart(row)]
        return distinct[len(self.firsts.get(sms, ())) + (sms in self.dead) :]

    def _is_told_apart(self, row: Shown) -> bool:
        """L12: an equal code is a new SMS only where something between the two was visible.

        A poller that dies or stands still may take with it that it saw so.
        """
        before = self._before.get((row.sms[:3], row.index))
        if before is None or before.passed is None or row.shown is None or before.passed > row.shown:
            return False
        return not any(self.pollers_away(before.passed - UNREAD_SECONDS, row.shown))

    @cached_property
    def _before(self) -> Mapping[tuple[Order, int], Shown]:
        return {(row.sms[:3], row.index + 1): row for row in self.history.shown}

    def is_unseen(self, row: Shown) -> bool:
        """Tell whether it is undecidable that we saw an SMS which is missing.

        One answer alone showed it, to a process that soon died or stood still and may not have read it; and the order
        was over before another had to ask.
        """
        if row.shown is None or row.ends is None or row.shows != 1:
            return False
        away = self.pollers_away(row.shown, row.shown + UNREAD_SECONDS)
        return any(row.ends <= fault.until + MOVED_SECONDS for fault in away)

    def pollers_away(self, since: float, until: float) -> Iterator[Fault]:
        """Yield the windows, with a part of this time, in which a poller was dead or stood still."""
        for part, faults in self.absences.items():
            if part.startswith("poller"):
                yield from (fault for fault in faults if fault.at <= until and since <= fault.until)
