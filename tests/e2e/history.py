"""What was answered and what lies in the topic, and whether the two agree. Pure: no network, no clock."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple


class Post(NamedTuple):
    """One try to post one SMS."""

    nonce: str
    number: str
    index: int
    """The how-manieth SMS of its number."""
    at: float
    """When it began, seconds of the monotonic clock."""
    seconds: float
    status: int | None = None
    """None: no answer."""
    id: str | None = None
    failure: str = ""
    """Why there is no answer."""
    retry_after: str | None = None
    body: str = ""
    """Of an answer that is not 200."""

    @property
    def ended(self) -> float:
        return self.at + self.seconds


class Event(NamedTuple):
    """One record of the topic; the records of a number are in the order of its partition."""

    id: str
    nonce: str
    number: str


def problems(posts: Sequence[Post], events: Sequence[Event]) -> list[str]:
    """Return what breaks the promise, one sentence each."""
    return [*_lost(posts, events), *_ids(posts, events), *_disorder(posts, events)]


def imbalance(ledger: Mapping[str, float]) -> float:
    """Return by how much `accepted + adopted = published + pending + rejected` is missed."""
    ends = ledger["published"] + ledger["pending"] + ledger["rejected"]
    return ledger["accepted"] + ledger.get("adopted", 0) - ends


def percentile(share: float, values: Iterable[float]) -> float:
    """Return the value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _lost(posts: Iterable[Post], events: Iterable[Event]) -> Iterator[str]:
    there = {(event.nonce, event.id) for event in events}
    for post in posts:
        if post.status == 200 and (post.nonce, post.id) not in there:
            yield f"SMS {post.index} of {post.number} was answered 200 with id {post.id} and is not in the topic so"


def _ids(posts: Iterable[Post], events: Sequence[Event]) -> Iterator[str]:
    posted, ids, nonces = set(), defaultdict(set), defaultdict(set)
    for post in posts:
        posted.add(post.nonce)
        if post.id:
            ids[post.nonce].add(post.id)
    for event in events:
        ids[event.nonce].add(event.id)
        nonces[event.id].add(event.nonce)
    yield from (f"nonce {nonce} has several ids" for nonce, several in ids.items() if len(several) > 1)
    yield from (f"id {each} stands for several SMS" for each, several in nonces.items() if len(several) > 1)
    yield from (f"nobody posted {event.nonce}" for event in events if event.nonce not in posted)


def _disorder(posts: Iterable[Post], events: Iterable[Event]) -> Iterator[str]:
    index = {post.nonce: post.index for post in posts}
    firsts: dict[str, dict[str, None]] = defaultdict(dict)
    for event in events:
        firsts[event.number].setdefault(event.nonce)
    for number, seen in firsts.items():
        order = [index[nonce] for nonce in seen if nonce in index]
        for earlier, later in pairwise(order):
            if later < earlier:
                yield f"SMS {later} of {number} stands behind SMS {earlier}"
