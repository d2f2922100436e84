"""Finds changed orders in a list of all open orders: one request instead of one for each order.

It is a hint that is checked, never an observation. Changed orders are polled at once, the others now and then.
Providers with such a list have `Client.has_list` (GrizzlySMS's getActiveActivations). That a row changes when an SMS
arrives is documented for sibling services only, so an SMS that two later lists do not show switches the hint off for
an hour.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

from pollers.scheduling.throttle import Demand

SHORTEST: Final = 1.5  # seconds between two lists
SHARE: Final = 1 / 3  # the largest share of this process's requests that is used for lists
UNCHANGED: Final = 60.0  # seconds between two polls of an order whose row does not change, if the budget is not scarce
MISSING: Final = 1 / 5  # of the rows missing at once: the list is not trusted
FEW: Final = 2  # rows may always be missing at once
LONGEST_QUIET: Final = 30.0  # seconds for which a row that changes without an SMS gives no hint
CALM: Final = 45.0  # seconds between two such changes after which they count as unrelated
LATER_LISTS: Final = 2  # one of which must show an SMS that a poll has found
MOST_USELESS: Final = 3  # lists in a row
GIVE_UP: Final = 20  # useless lists in a row, after which it is off for an hour
OFF: Final = 3600.0  # seconds
GONE: Final = ""  # the fingerprint of an order that the list does not have


@dataclass(slots=True)
class Row:
    """What is known of one order. Times are by the loop's clock."""

    watch_id: str
    since: float
    """When it was first planned."""
    has_sms: bool = False
    fingerprint: str | None = None
    """As in the last list; None before the first one."""
    polled_at: float = 0.0
    """When its last poll was sent."""
    hinted: bool = False
    """It changed in a list and was not polled since."""
    in_vain: int = 0
    """Hints in a row whose poll found no SMS, the last one at `in_vain_at`."""
    in_vain_at: float = -inf
    quiet_until: float = 0.0
    """Until then its changes are ignored: it changes without an SMS."""
    unproved: tuple[str, int, float] | None = None
    """A poll found an SMS that no list had shown: the fingerprint then, how many lists may still show it, and when."""


class ListHint:
    """The hint of one account. Pure: times are arguments, in seconds of a monotonic clock."""

    def __init__(self) -> None:
        self.demand = Demand()
        """The demand of the same watches without a list, to decide whether a list saves requests."""
        self.off_until = 0.0
        self._useless = 0  # lists in a row
        self._rows: dict[str, Row] = {}  # by order id

    def __len__(self) -> int:
        return len(self._rows)

    def interval(self, requests_per_second: float) -> float:
        """Return the seconds between two lists, for a process with this budget."""
        return max(SHORTEST, 1 / (SHARE * requests_per_second))

    def is_off(self, now: float) -> bool:
        """Return whether it is switched off: within the last hour it missed an SMS, or was useless repeatedly."""
        return now < self.off_until

    def track(self, order_id: str, watch_id: str, now: float, *, has_sms: bool) -> None:
        """Track an order that is polled from now on; no effect on one that is tracked already."""
        self._rows.setdefault(order_id, Row(watch_id, now, has_sms))

    def untrack(self, order_id: str, watch_id: str) -> None:
        """Stop tracking an order."""
        self.demand.release(watch_id)
        self._rows.pop(order_id, None)

    def at_least(self, order_id: str) -> float:
        """Return the minimum interval between polls of an order; 0.0 where no list has shown it."""
        row = self._rows.get(order_id)
        return UNCHANGED if row is not None and row.fingerprint and not row.hinted else 0.0

    def is_hinted(self, order_id: str) -> bool:
        """Return whether the order changed in a list and no poll has succeeded since."""
        row = self._rows.get(order_id)
        return row is not None and row.hinted

    def polled(self, order_id: str, left_at: float, *, found_sms: bool) -> None:
        """Note a successful poll that was sent at this time."""
        row = self._rows.get(order_id)
        if row is None:
            return
        if found_sms and row.fingerprint and not row.hinted:
            row.unproved = (row.fingerprint, LATER_LISTS, left_at)
        if found_sms:
            row.in_vain, row.quiet_until = 0, 0.0
        elif row.hinted:
            row.in_vain = row.in_vain + 1 if left_at - row.in_vain_at < CALM else 1
            row.in_vain_at, row.quiet_until = left_at, left_at + _quiet(row.in_vain)
        row.has_sms = row.has_sms or found_sms
        row.polled_at, row.hinted = left_at, False

    def judge(self, listed: Mapping[str, str], left_at: float, now: float) -> list[str]:
        """Take a list that was requested at `left_at`; return the watches to poll at once."""
        known = {order_id: row for order_id, row in self._rows.items() if row.since < left_at}
        present = {order_id for order_id, row in known.items() if row.fingerprint}
        if len(present - listed.keys()) > max(FEW, len(present) * MISSING):
            self.useless(now)
            return []
        self._useless = 0
        usual = _commonest(listed)
        changed = [
            row.watch_id
            for order_id, row in known.items()
            if self._is_changed(row, listed.get(order_id), usual, left_at)
        ]
        if any([self._is_missed(row, left_at) for row in known.values()]):  # noqa: C419 - it must be called for each row
            self.off_until = now + OFF
            self.forget()
            return []
        return changed

    def useless(self, now: float) -> None:
        """Note a list that failed or is not trusted. After three in a row orders are polled as if there were no list.

        After twenty the list is not requested for an hour.
        """
        self._useless += 1
        if self._useless >= MOST_USELESS:
            self.forget()
        if self._useless >= GIVE_UP:
            self._useless, self.off_until = 0, now + OFF

    def forget(self) -> None:
        """Forget all fingerprints: after a time without lists the next one counts as the first."""
        for row in self._rows.values():
            row.fingerprint, row.hinted, row.unproved = None, False, None

    def _is_changed(self, row: Row, fingerprint: str | None, usual: str | None, left_at: float) -> bool:
        if row.unproved is not None and fingerprint not in {None, row.unproved[0]}:
            row.unproved = None  # the list shows the SMS, whatever else the change means
        before, after = row.fingerprint, fingerprint if fingerprint is not None else _gone(row)
        if after is None or after == before:
            return False
        if before is not None and (row.polled_at >= left_at or left_at < row.quiet_until):
            return False  # poll and change may have crossed; the next list still shows the change
        row.fingerprint = after
        if row.polled_at >= left_at:
            return False
        if before is None and (row.has_sms or fingerprint == usual):
            return False  # seen for the first time, and not unusual
        row.hinted = True
        return True

    def _is_missed(self, row: Row, left_at: float) -> bool:
        """Return whether a poll found an SMS that the lists since do not show."""
        if row.unproved is None:
            return False
        before, lists_left, since = row.unproved
        if row.fingerprint != before:
            row.unproved = None
        elif left_at > since:
            row.unproved = (before, lists_left - 1, since)
            return lists_left == 1
        return False


def _gone(row: Row) -> str | None:
    """Return the fingerprint of an order that a list does not have; None where no list has shown it yet."""
    return None if row.fingerprint is None else GONE


def _quiet(in_vain: int) -> float:
    """Return for how many seconds a row gives no hint after so many useless ones; the first has no effect."""
    return min(LONGEST_QUIET, 2.0**in_vain) if in_vain > 1 else 0.0


def _commonest(listed: Mapping[str, str]) -> str | None:
    """Return the most common fingerprint: it belongs to orders that still wait, since codes differ."""
    return max(Counter(listed.values()).items(), key=lambda each: each[1], default=(None, 0))[0]
