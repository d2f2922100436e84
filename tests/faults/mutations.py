"""Histories broken on purpose, each in one rule: what the checker must find, in made-up runs and in real ones."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, NoReturn, TypeVar

from tests.faults.evidence import Evidence, grouped
from tests.faults.history import Act, History, Ledger, Post, Record, Sms
from tests.faults.rules import is_absent

Row = TypeVar("Row")
DAY_MS = 86_400_000
BATCH = 5  # at most, of what a process left
OTHER_ID = "00000000-0000-8000-8000-000000000000"


class Break(NamedTuple):
    """Called with a history that keeps all promises, returns one that breaks this rule and no other.

    Raises `LookupError` where the history has nothing that could be broken so.
    """

    rule: str
    change: Callable[[History], History]

    def __call__(self, history: History) -> History:
        return self.change(history)


def lose(history: History) -> History:
    """A callback that was answered 200 is not in the topic."""
    victim, _ = _callback(history)
    return _without(history, [victim])


def delete_promised(history: History) -> History:
    """A failed read deleted a batch of promised SMS from a journal unsent: one lane's, and every ledger adds up."""
    lanes = grouped(_callbacks(history), lambda each: (each[0].partition, each[1].receiver))
    batch = max(lanes.values(), key=len, default=None) or _nothing("lane with callbacks")
    return _without(history, [record for record, _ in batch])


def delete_orphan(history: History) -> History:
    """The last that a process promised was deleted with its journal by a sibling, which counts it as published."""
    left = list(grouped(_callbacks(history), lambda each: each[1].receiver).values())[-1:] or _nothing("process")
    rows = [record for record, _ in left[0][-BATCH:]]
    sibling = Ledger("sibling", accepted=0, adopted=len(rows), published=len(rows), pending=0, rejected=0)
    return _without(history, rows)._replace(ledgers=(*history.ledgers, sibling))


def lose_shown(history: History) -> History:
    """The last SMS of an order is not in the topic, and its end does not count it."""
    _, last = _polled(history)
    end = next((each for each in history.ended if (each.provider, each.order_kind, each.order) == last.sms[:3]), None)
    ends = _with(history.ended, end, end._replace(sms_count=end.sms_count - 1)) if end else history.ended
    return history._replace(records=tuple(each for each in history.records if each.sms != last.sms), ended=ends)


def change_id(history: History) -> History:
    """An SMS is in the topic with another id than the 200 said."""
    victim, _ = _callback(history)
    return _changed(history, victim.sms, id=OTHER_ID)


def share_id(history: History) -> History:
    """Two SMS have one id, in the topic and in the 200s."""
    (one, _), (other, _) = next(pairwise(_callbacks(history)), None) or _nothing("two callbacks")
    posts = tuple(each._replace(id=each.id and one.id) if each.sms == other.sms else each for each in history.posts)
    return _changed(history, other.sms, id=one.id)._replace(posts=posts)


def swap(history: History) -> History:
    """Two SMS of a number lie in the wrong order, though one process saw both."""
    for sent in grouped(_callbacks(history), lambda each: (each[1].number, each[1].receiver)).values():
        for (one, first), (other, second) in pairwise(sent):
            if first.ended <= second.at:
                return swapped(history, one, other)
    return _nothing("two SMS of one number at one process")


def swap_shown(history: History) -> History:
    """Two SMS of an order lie in the wrong order, though one process saw both."""
    return swapped(history, *_polled(history))


def invent(history: History) -> History:
    """The topic has an SMS that nobody sent."""
    victim, _ = _callback(history)
    other = victim._replace(id=OTHER_ID, nonce="invented", number="1", key="1", offset=victim.offset + DAY_MS)
    return history._replace(records=(*history.records, other))


def end_early(history: History) -> History:
    """The end of a watch comes before one of its SMS."""
    victim = next((each for each in history.ended if each.sms_count), None) or _nothing("end of a watch with SMS")
    early = victim._replace(timestamp_ms=victim.timestamp_ms - DAY_MS)
    return history._replace(ended=_with(history.ended, victim, early))


def miscount(history: History) -> History:
    """The end of a watch counts an SMS that is not there."""
    victim = next(iter(history.ended), None) or _nothing("end of a watch")
    return history._replace(ended=_with(history.ended, victim, victim._replace(sms_count=victim.sms_count + 1)))


def skip_sequence(history: History) -> History:
    """A sequence is missing in an order."""
    _, last = _polled(history)
    return _changed(history, last.sms, sequence=(last.sequence or 0) + 1)


def unbalance(history: History) -> History:
    """A process has lost one from its ledger."""
    victim = next(iter(history.ledgers), None) or _nothing("ledger")
    return history._replace(ledgers=_with(history.ledgers, victim, victim._replace(accepted=victim.accepted + 1)))


def act_early(history: History) -> History:
    """The next SMS was asked for before this one was in Kafka."""
    record, _ = _polled(history)
    seen = Evidence(history)
    shown = seen.rows[record.sms][0].shown or 0.0
    published = int((shown + seen.doubt) * 1000) + 2
    act = Act(*record.sms[:3], "next", shown)
    return _changed(history, record.sms, timestamp_ms=published)._replace(acts=(*history.acts, act))


def answer_500(history: History) -> History:
    """A sender was answered with neither 200 nor 503."""
    _, post = _callback(history)
    return history._replace(posts=(*history.posts, post._replace(status=500, id=None)))


def hide_retry_after(history: History) -> History:
    """A sender was not told when to come back."""
    _, post = _callback(history)
    told = post._replace(status=503, id=None, body='{"reason":"not_durable"}', retry_after=None)
    return history._replace(posts=(*history.posts, told))


def keep_silent(history: History) -> History:
    """A process that was there gave no answer."""
    seen = Evidence(history)
    silent = (post._replace(status=None, id=None, failure="TimeoutError") for _, post in _callbacks(history))
    there = next((post for post in silent if not is_absent(post, seen)), None) or _nothing("callback to who is there")
    return history._replace(posts=(*history.posts, there))


BREAKS: dict[str, Callable[[History], History]] = {
    "lose": Break("lost", lose),
    "delete_promised": Break("lost", delete_promised),
    "delete_orphan": Break("lost", delete_orphan),
    "lose_shown": Break("lost", lose_shown),
    "change_id": Break("ids", change_id),
    "share_id": Break("shared_id", share_id),
    "swap": Break("order", swap),
    "swap_shown": Break("order", swap_shown),
    "invent": Break("invented", invent),
    "end_early": Break("ended", end_early),
    "miscount": Break("ended", miscount),
    "skip_sequence": Break("sequence", skip_sequence),
    "unbalance": Break("ledger", unbalance),
    "act_early": Break("acted", act_early),
    "answer_500": Break("honest", answer_500),
    "hide_retry_after": Break("honest", hide_retry_after),
    "keep_silent": Break("honest", keep_silent),
}


def _callback(history: History) -> tuple[Record, Post]:
    return next(_callbacks(history), None) or _nothing("callback that was posted once")


def _callbacks(history: History) -> Iterator[tuple[Record, Post]]:
    """SMS that were posted once, answered 200, and are in the topic once; in the order of their posts."""
    seen = Evidence(history)
    for sms, posts in sorted(seen.posts.items(), key=lambda each: each[1][0].at):
        records = seen.records.get(sms, [])
        if len(posts) == len(records) == 1 and posts[0].status == 200:
            yield records[0], posts[0]


def _polled(history: History) -> tuple[Record, Record]:
    """Return the last two SMS of an order: one process saw both, and each is in the topic once."""
    seen = Evidence(history)
    for firsts in seen.orders.values():
        two = firsts[-2:]
        once = all(len(seen.records[each.sms]) == len(seen.rows[each.sms]) == 1 for each in two)
        if len({each.instance for each in two}) < len(two) and once and _was_shown(two[-1], seen):
            return two[0], two[1]
    return _nothing("order with two SMS that one process saw")


def _was_shown(record: Record, seen: Evidence) -> bool:
    row = seen.rows[record.sms][0]
    return row.shown is not None and not seen.is_unseen(row)


def _without(history: History, records: Sequence[Record]) -> History:
    gone = {each.sms for each in records}
    return history._replace(records=tuple(each for each in history.records if each.sms not in gone))


def _changed(history: History, sms: Sms, **fields: object) -> History:
    records = (each._replace(**fields) if each.sms == sms else each for each in history.records)
    return history._replace(records=tuple(records))


def swapped(history: History, one: Record, other: Record) -> History:
    """Return the history in which two records of a partition have changed places."""
    at_one, at_other = other._replace(offset=one.offset), one._replace(offset=other.offset)
    return history._replace(records=_with(_with(history.records, one, at_one), other, at_other))


def _with(rows: tuple[Row, ...], old: Row, new: Row) -> tuple[Row, ...]:
    return tuple(new if row is old else row for row in rows)


def _nothing(words: str) -> NoReturn:
    raise LookupError(f"this history has no {words}")
