"""Who may be refused, who must be, and what is said of it: shares of the journal, allowances, words, log lines."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Final

from tests.simulation.clock import START
from tests.simulation.findings import Finding
from tests.simulation.receiver.evidence import ReceiverEvidence, about
from tests.simulation.receiver.senders import Post

if TYPE_CHECKING:
    from tests.simulation.receiver.town import Sample

MOST_PLAIN: Final = 4096  # bytes: README, `account_limited`
LETTER: Final = 1024  # bytes
QUIET: Final = 60.0  # seconds for which a word is shown
SLACK: Final = 2.0  # seconds, for the way and the housekeeping
NOTICED: Final = 12.0  # seconds until everybody knows that Kafka is away: 2 of silence, and questions of 5
FORGIVEN: Final = 75.0  # seconds until everybody knows that it is back: a stalled producer is replaced after 60
OVERDRAWN: Final = 512 * 1024.0  # bytes: who is at its end is refused before anything of it is read
LONGEST: Final = 20.0  # seconds that a post may be under way
TAKES: Final = 20.0  # seconds' worth of the rate that may be charged earlier or later than we think
BEGINS: Final = {
    "account_limited": "account_limited_no_more",
    "over_share": "over_share_no_more",
    "kafka_away": "kafka_away_no_more",
    "journal_unwritable": "journal_unwritable_no_more",
    "records_refused": "records_refused_no_more",
}


def room(evidence: ReceiverEvidence) -> Iterator[Finding]:
    """Nobody is answered 5xx while there is room, in Kafka or on the disk, for this account."""
    for post in evidence.posts:
        if post.response.status < 500 or evidence.disturbed(post) or _is_full(evidence, post):
            continue
        yield about(post, "room", f"it was answered {post.response.said.get('reason')}, and there was room for it")


def _is_full(evidence: ReceiverEvidence, post: Post) -> bool:
    """Tell whether Kafka was away, and the journal full, or filled by this account, or the disk."""
    if not evidence.away_at(post.answered, before=15.0):
        return False
    if evidence.full_at(post.answered, before=10.0):
        return True
    for snapshot in evidence.snapshots(post.life, post.sent - 15.0, post.answered + 6.0):
        used, own = sum(snapshot.held.values()), snapshot.held.get(post.account, 0)
        if used > 0.85 * evidence.journal or (used > 0.45 * evidence.journal and own > 0.45 * used):
            return True
    return False


def share(evidence: ReceiverEvidence) -> Iterator[Finding]:
    """No account of several takes more than its share of a journal: half of it, or of what is used."""
    for snapshot in evidence.town.snapshots if len(evidence.town.plan.accounts) > 1 else ():
        used = sum(snapshot.held.values())
        for account, held in snapshot.held.items():
            if held > 0.5 * max(evidence.journal, used) + 0.05 * evidence.journal:
                words = f"it holds {held} bytes of {used}, in a journal of {evidence.journal:.0f}"
                yield Finding("share", snapshot.at - START, account, words)


def limited(evidence: ReceiverEvidence) -> Iterator[Finding]:
    """Nobody is answered 429 who has not used up its allowance, nor is under way too often."""
    for posts in _by_account(evidence).values():
        level, at, most = 60 * evidence.allowance, 0.0, 60 * evidence.allowance
        for place, post in enumerate(posts):
            level, at = min(most, level + (post.answered - at) * evidence.allowance), post.answered
            if post.response.status == 429 and level > TAKES * evidence.allowance:
                beside = [each for each in _next(posts, place) if each.sent <= at]
                left = level - sum(map(_most_cost, beside))
                if left > TAKES * evidence.allowance and not _too_many(evidence, post, len(beside)):
                    yield about(post, "limited", f"{post.response.said['reason']}, with {left:.0f} bytes left")
            level = max(level - _most_cost(post), -OVERDRAWN)


def _next(posts: list[Post], place: int) -> list[Post]:
    """Return what is answered in the next while."""
    until = posts[place].answered + LONGEST
    return list(takewhile(lambda each: each.answered <= until, islice(posts, place, None)))


def allowance(evidence: ReceiverEvidence) -> Iterator[Finding]:
    """No more is taken of what is no plain SMS than an account may send."""
    for posts in _by_account(evidence).values():
        level, at, most = 60 * evidence.allowance, 0.0, 60 * evidence.allowance
        for post in posts:
            level, at = min(most, level + (post.answered - at) * evidence.allowance), post.answered
            if post.ok:
                level -= _least_cost(post)
            if level < -TAKES * evidence.allowance - 2 * 256 * 1024:
                yield about(post, "allowance", f"{-level:.0f} bytes more than its allowance have been taken")


def _by_account(evidence: ReceiverEvidence) -> dict[tuple[str, str], list[Post]]:
    found: defaultdict[tuple[str, str], list[Post]] = defaultdict(list)
    for post in sorted(evidence.posts, key=lambda each: each.answered):
        if post.life and post.account and post.response.status:
            found[post.life, post.account].append(post)
    return found


def _most_cost(post: Post) -> float:
    if post.kind == "plain":
        return 0.0
    letter = len(post.body) * 4 / 3 + LETTER if post.kind == "bad" and post.response.status != 429 else 0.0
    return max(0, len(post.body) - MOST_PLAIN) + letter


def _least_cost(post: Post) -> float:
    letter = len(post.body) * 4 / 3 + LETTER if any(each["status"] == "rejected" for each in post.results) else 0.0
    return max(0, len(post.body) - MOST_PLAIN) + letter


def _too_many(evidence: ReceiverEvidence, post: Post, beside: int) -> bool:
    """Tell whether that many were under way, or it stood in a queue of what is no plain SMS."""
    if post.response.said["reason"] != "too_many_at_once":
        return False
    return post.kind != "plain" or beside > 0.9 * evidence.in_flight


def words(evidence: ReceiverEvidence) -> Iterator[Finding]:
    """What /readyz calls degraded is so, for as long as it is, and is over in time."""
    limited, refused = _times(evidence, 429, None), _times(evidence, 503, "not_durable")
    for sample in evidence.town.samples:
        at = sample.at
        for account in evidence.town.plan.accounts:
            is_said = f"account_limited:{account}" in sample.words
            if _some(limited.get((sample.life, account)), at - QUIET + SLACK, at - SLACK) and not is_said:
                yield _wrong(sample, f"account_limited:{account} is missing")
            if is_said and not _some(limited.get((sample.life, account)), at - QUIET - SLACK, at + SLACK):
                yield _wrong(sample, f"account_limited:{account} is said, and nobody is")
            if f"over_share:{account}" in sample.words and not _some(
                refused.get((sample.life, account)), at - QUIET - SLACK, at + SLACK
            ):
                yield _wrong(sample, f"over_share:{account} is said, and nothing was refused")
        yield from _of_kafka(evidence, sample)


def _of_kafka(evidence: ReceiverEvidence, sample: "Sample") -> Iterator[Finding]:
    awake = evidence.life_of(sample.life, sample.at)
    if awake > NOTICED and evidence.away_through(sample.at - NOTICED, sample.at) and "kafka_away" not in sample.words:
        yield _wrong(sample, "kafka_away is missing")
    is_calm = evidence.calm_after(sample.at - FORGIVEN, FORGIVEN) <= sample.at + 0.001 and awake > FORGIVEN
    if not is_calm or evidence.slow_at(sample.at):
        return
    for reason in sample.words:
        if reason in {"kafka_away", "journal_unwritable", "messages_in_journal"}:
            yield _wrong(sample, f"{reason} is said, and all has been well for {FORGIVEN:.0f} s")


def said(evidence: ReceiverEvidence) -> Iterator[Finding]:
    """A trouble is said when it begins and when it ends, and once; nothing floods the log."""
    open_: dict[tuple[str, str, str], float] = {}
    ends = {end: begin for begin, end in BEGINS.items()}
    for line in evidence.town.logged:
        if line.event in BEGINS:
            if open_.setdefault((line.life, line.event, line.account), line.at) != line.at:
                yield Finding("said", line.at - START, line.life, f"{line.event} was said already")
        elif line.event in ends:
            open_.pop((line.life, ends[line.event], line.account), None)
    for life, loud in _loud(evidence).items():
        hours = 1 + evidence.town.seconds / 3600
        for event, times in loud.items():
            if len(times) > 370 * hours:
                yield Finding("said", evidence.town.seconds, life, f"{event} was said {len(times)} times")


def _loud(evidence: ReceiverEvidence) -> dict[str, dict[str, list[float]]]:
    found: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for line in evidence.town.logged:
        if line.level in {"warning", "error"}:
            found[line.life][line.event].append(line.at)
    return {life: dict(events) for life, events in found.items()}


def _times(evidence: ReceiverEvidence, status: int, reason: str | None) -> dict[tuple[str, str], list[float]]:
    found: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for post in evidence.posts:
        if post.response.status == status and reason in {None, post.response.said.get("reason")}:
            found[post.life, post.account].append(post.answered)
    return {key: sorted(times) for key, times in found.items()}


def _some(times: list[float] | None, begin: float, end: float) -> bool:
    if not times:
        return False
    place = bisect_left(times, begin)
    return place < len(times) and times[place] <= end


def _wrong(sample: "Sample", words: str) -> Finding:
    return Finding("words", sample.at - START, sample.life, f"{words}: {', '.join(sample.words) or 'nothing is said'}")
