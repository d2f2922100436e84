"""The guarantees of docs/guarantees.md as rules: each yields one sentence for whatever breaks it.

They need nothing from inside. Repeats with equal ids break nothing (L10), and no limit is promised.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from operator import attrgetter

from tests.faults.evidence import Evidence, grouped
from tests.faults.history import Ended, Post, Record, Sms

REFUSED = frozenset({"ClientConnectorError", "ConnectionRefusedError"})  # no process took the connection


def lost(seen: Evidence) -> Iterator[str]:
    """G1: an SMS that we answered 200 for, or saw in a provider's answer, is in Kafka, if only as a dead letter."""
    for sms, posts in seen.posts.items():
        answered = {post.id for post in posts if post.status == 200}
        if answered and sms not in seen.records and seen.dead.isdisjoint({sms, *answered}):
            yield f"{_name(sms)} (SMS {posts[0].index} of {posts[0].number}) was answered 200 and is not in the topic"
    for row in seen.missing:
        if not seen.is_unseen(row):
            yield f"{_name(row.sms)} (SMS {row.index}) was shown and is not in the topic"


def ids(seen: Evidence) -> Iterator[str]:
    """G2: an SMS has one id, on every path and every repeat, and that is the one that a 200 says."""
    for sms, posts in seen.posts.items():
        found = {post.id for post in posts if post.status == 200}
        found |= {record.id for record in seen.records.get(sms, ())}
        if len(found) > 1:
            yield f"{_name(sms)} has several ids: {_listed(found)}"
    for sms, rows in seen.rows.items():
        if len(firsts := seen.firsts.get(sms, ())) > len(rows):
            yield f"{_name(sms)} has several ids: {_listed(record.id for record in firsts)}"


def shared_id(seen: Evidence) -> Iterator[str]:
    """G2: who drops repeats by id drops no SMS: no two have the same, be it in the topic or in a 200."""
    owners: dict[str, set[Sms]] = defaultdict(set)
    for each in (*seen.history.records, *seen.history.posts):
        if each.id:
            owners[each.id].add(each.sms)
    yield from (f"{each} is the id of {_listed(map(_name, smses))}" for each, smses in owners.items() if len(smses) > 1)


def order(seen: Evidence) -> Iterator[str]:
    """G3: the SMS of one number lie in the order in which one process saw them, by their first occurrences."""
    numbers = grouped((sms for sms in seen.posts if sms in seen.records), lambda sms: seen.posts[sms][0].number)
    for number, smses in numbers.items():
        yield from _spread(number, [seen.records[sms][0] for sms in smses]) or _overtaken(smses, seen)
    for firsts in seen.orders.values():
        yield from _spread(_name(firsts[0].sms), firsts) if firsts else ()
        for accepted in grouped(firsts, attrgetter("instance")).values():
            for earlier, later in pairwise(accepted):
                if later.offset < earlier.offset:
                    yield f"{_name(earlier.sms)} lies behind {later.nonce}, which came after it"


def invented(seen: Evidence) -> Iterator[str]:
    """G4: the topic has what somebody posted or a provider received, and nothing else."""
    yield from (f"nobody sent {_name(sms)}" for sms in seen.records if sms not in seen.posts and sms not in seen.rows)


def ended(seen: Evidence) -> Iterator[str]:
    """G5: the end of a watch counts the SMS of its order, and comes after them."""
    firsts = grouped((record for each in seen.firsts.values() for record in each), lambda record: record.sms[:3])
    for end in seen.history.ended:
        yield from _misplaced(end, firsts.get((end.provider, end.order_kind, end.order), ()), seen.doubt)


def sequence(seen: Evidence) -> Iterator[str]:
    """G6: the SMS of an order are numbered 0, 1, 2 … as they came, so that a consumer can tell that it has all."""
    for firsts in seen.orders.values():
        numbers = [record.sequence for record in firsts]
        if numbers != list(range(len(numbers))):
            yield f"the SMS from {_name(firsts[0].sms)} on have the sequences {numbers}"


def ledger(seen: Evidence) -> Iterator[str]:
    """G7: at any moment accepted + adopted = published + pending + rejected + skipped."""
    for each in seen.history.ledgers:
        counts = each._asdict()
        part = counts.pop("part")
        if missed := imbalance(counts):
            yield f"the ledger of {part} is off by {missed:g}: {counts}"


def acted(seen: Evidence) -> Iterator[str]:
    """G8, message before action: whatever is asked of an order, its SMS that was shown before is in Kafka by then."""
    acts = grouped(seen.history.acts, lambda act: (act.provider, act.kind, act.order))
    for sms, records in seen.records.items():
        row = next((row for row in seen.rows.get(sms, ()) if row.shown is not None), None)
        if row is None or row.shown is None:
            continue
        follower = seen.followers.get((sms[:3], row.index))  # nobody sees it who has not asked for it
        heard = [act.at for act in acts.get(sms[:3], ())] + [row.passed, follower and follower.shown]
        asked = min((at for at in heard if at is not None and at >= row.shown), default=float("inf"))
        published = min(record.timestamp_ms for record in records) / 1000
        if published - asked > seen.doubt:
            yield f"{_name(sms)} came into the topic {published - asked:.3f} s after something was asked of its order"


def honest(seen: Evidence) -> Iterator[str]:
    """G9: who gets no 200 is told 503, when to come back and why; and a process that is there answers."""
    for post in seen.history.posts:
        if post.status is None and not is_absent(post, seen):
            yield f"{post.receiver} was there and gave {post.nonce} no answer: {post.failure}"
        elif post.status not in (None, 200) and not is_refusal(post):
            yield f"{post.receiver} answered {post.nonce} {post.status}, Retry-After {post.retry_after}, {post.body}"


RULES: Mapping[str, Callable[[Evidence], Iterator[str]]] = {
    rule.__name__: rule for rule in (lost, ids, shared_id, order, invented, ended, sequence, ledger, acted, honest)
}


def imbalance(counts: Mapping[str, float]) -> float:
    """Return by how much `accepted + adopted = published + pending + rejected + skipped` is missed."""
    ends = counts["published"] + counts["pending"] + counts["rejected"] + counts.get("skipped", 0)
    return counts["accepted"] + counts.get("adopted", 0) - ends


def is_refusal(post: Post) -> bool:
    """Tell whether this is an answer by which a sender knows that nothing was promised."""
    return post.status == 503 and (post.retry_after or "").isdecimal() and bool(_fields(post.body).get("reason"))


def is_absent(post: Post, seen: Evidence) -> bool:
    """Tell whether the process that was asked need not have answered."""
    faults = seen.absences.get(post.receiver.partition("#")[0], ())
    away = [fault for fault in faults if fault.at <= post.ended and post.at <= fault.until]
    return any(not fault.ending or post.failure in REFUSED for fault in away)


def _fields(body: str) -> Mapping[str, object]:
    try:
        fields = json.loads(body)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _overtaken(smses: Iterable[Sms], seen: Evidence) -> Iterator[str]:
    """One SMS after another was accepted by the only process that ever met the second; yet the second lies before."""
    accepted, begun = defaultdict(list), defaultdict(list)
    for sms in smses:
        met = [post for post in seen.posts[sms] if post.failure not in REFUSED]
        offset = seen.records[sms][0].offset
        for post in met:
            if post.status == 200:
                accepted[post.receiver].append((post.ended, offset, sms))
        if len({post.receiver for post in met}) == 1:
            begun[met[0].receiver].append((min(post.at for post in met), offset, sms))
    for receiver, later in begun.items():
        yield from _inversions(sorted(accepted[receiver]), sorted(later))


def _inversions(accepted: Sequence[tuple[float, int, Sms]], later: Iterable[tuple[float, int, Sms]]) -> Iterator[str]:
    """Go through time: what was accepted before a moment lies before what begins then. Each is (when, offset, SMS)."""
    furthest, before, done = -1, None, 0
    for at, offset, sms in later:
        while done < len(accepted) and accepted[done][0] <= at:
            if accepted[done][1] > furthest:
                _, furthest, before = accepted[done]
            done += 1
        if before and offset < furthest:
            yield f"{_name(before)} lies behind {_name(sms)}, which came after it"


def _spread(name: str, firsts: Iterable[Record]) -> list[str]:
    partitions = sorted({record.partition for record in firsts})
    return [f"the SMS of {name} lie in partitions {partitions}"] if len(partitions) > 1 else []


def _misplaced(end: Ended, firsts: Sequence[Record], doubt: float) -> Iterator[str]:
    name = f"the end of {end.provider} {end.order_kind} {end.order}"
    if end.sms_count != len(firsts):
        yield f"{name} counts {end.sms_count} SMS, and {len(firsts)} are in the topic"
    early = max((record.timestamp_ms for record in firsts), default=0) - end.timestamp_ms
    if early > doubt * 1000:
        yield f"{name} came {early} ms before one of its SMS"


def _name(sms: Sms) -> str:
    return " ".join(part for part in (sms[3], *sms[:3]) if part)


def _listed(names: Iterable[str | None]) -> str:
    return ", ".join(sorted(str(name) for name in names))
