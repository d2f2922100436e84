"""What a target of forwarding got, held against the topic: nothing is missing, and each number's SMS came in order."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from tests.faults.history import Record


def violations(there: Sequence[Record], seen: Collection[str], taken: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with `taken`, the ids at the target; it had `seen` of the topic when the load began."""
    wanted = from_first(there, seen)
    if lost := wanted - {*taken}:
        yield f"lost: {len(lost)} of {len(wanted)} events never reached the target"
    for number, order in _orders(there).items():
        if (got := _firsts(taken, order)) != [each for each in order if each in {*got}]:
            yield f"order: the target got the SMS of {number} in another order than they lie in the topic"


def from_first(there: Iterable[Record], seen: Collection[str]) -> set[str]:
    """Return the ids from the first one on that the target saw, in each partition; it started with the newest."""
    wanted: set[str] = set()
    begun: set[int] = set()
    for record in there:
        if record.id in seen:
            begun.add(record.partition)
        if record.partition in begun:
            wanted.add(record.id)
    return wanted


def _orders(there: Iterable[Record]) -> dict[str, list[str]]:
    orders: dict[str, dict[str, None]] = {}
    for record in there:
        orders.setdefault(record.number, {})[record.id] = None
    return {number: [*ids] for number, ids in orders.items()}


def _firsts(taken: Iterable[str], order: Iterable[str]) -> list[str]:
    """Return the ids of this order as they came first."""
    of_it = {*order}
    return [*dict.fromkeys(each for each in taken if each in of_it)]
