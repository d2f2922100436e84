"""How long people waited: senders for their 200, consumers for an SMS once Kafka was back. Pure."""

from collections.abc import Iterable, Mapping
from operator import attrgetter

from tests.faults.evidence import grouped
from tests.faults.history import History, Post, Record


def longest_acceptance(posts: Iterable[Post], since: float, until: float) -> float:
    """Return the seconds from the first try of an SMS to its last, at most, of those that were tried in this time."""
    tries = grouped((post for post in posts if post.at <= until), attrgetter("nonce")).values()
    return max((each[-1].ended - each[0].at for each in tries if each[-1].ended >= since), default=0.0)


def beyond_backlog(history: History, back: float) -> float:
    """Return by how many seconds an SMS accepted after `back` waited longer than for the backlog of its lane, at most.

    A lane is what one process sends to one partition; its backlog is what it had accepted before. Needs a topic whose
    broker stamps the records.
    """
    accepted = {post.nonce: post.ended for post in reversed(history.posts) if post.status == 200}
    firsts = {record.nonce: record for record in reversed(history.records) if record.nonce in accepted}
    lanes = grouped(firsts.values(), attrgetter("instance", "partition")).values()
    return max((_beyond(lane, accepted, back) for lane in lanes), default=0.0)


def _beyond(lane: Iterable[Record], accepted: Mapping[str, float], back: float) -> float:
    lives = [(accepted[record.nonce], record.timestamp_ms / 1000) for record in lane]
    cleared = max((published for since, published in lives if since <= back), default=back)
    return max((published - max(since, cleared) for since, published in lives if since > back), default=0.0)
