"""What must hold in every run of the receiver. It knows what senders were answered, and reads the topics and the files.

Each rule is a function from the evidence to its breaches. A new one is a function and a line in `RULES`, and a break in
`breaks` that it must find.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from tests.simulation.clock import START
from tests.simulation.findings import Finding
from tests.simulation.receiver import audit_limits
from tests.simulation.receiver.evidence import NEVER, Promise, ReceiverEvidence, about
from tests.simulation.receiver.senders import PINGME, Sms

if TYPE_CHECKING:
    from tests.simulation.receiver.town import ReceiverTown

WAITS: Final = 2.5  # seconds: `bus.accept_deadline`, and what the way and a commit take
TURNS: Final = 15.0  # for what is no plain SMS: `receiver.body_deadline`, and its share of the processor
SLOW: Final = 12.0  # more, of requests to a slow Kafka
CALM: Final = 200.0  # seconds after which nothing waits any longer: adoption, a lost producer, and a drain
TWICE: Final = 90.0  # seconds around an incident in which what was under way comes again
ROOM: Final = 64 * 1024  # bytes of an empty journal, its log included
GROWS: Final = 400  # objects, between a run's middle and its end
UNDER_WAY: Final = 10  # ids whose answers cross
TOLD: Final = 3.0  # seconds until a file is read twice, as a SIGHUP has asked for, and what was under way is answered


def kept(evidence: ReceiverEvidence) -> Iterator[Finding]:
    """What was answered 200 is in the topic or in a file, with its number and text; a dead letter with its bytes."""
    everything = [there for each in evidence.published.values() for _, there in each] + [*evidence.in_files.values()]
    bodies, refused = {each.body for each in everything}, {each.refused for each in everything}
    for post, sms, status, record_id in evidence.promises:
        if sms is None or status == "rejected":
            if sha256(post.body).hexdigest() not in bodies:
                yield about(post, "kept", "its dead letter is in no topic and no file")
            continue
        found = [there for _, there in evidence.published.get(record_id, ())]
        found += [evidence.in_files[record_id]] if record_id in evidence.in_files else []
        is_there = any((each.number, each.text) == (sms.number, sms.text) for each in found)
        if not is_there and record_id not in refused:
            yield about(post, "kept", f"{record_id} was {status} and is in no topic and no file")


def ids(evidence: ReceiverEvidence) -> Iterator[Finding]:
    """An SMS has one id for ever, and no other has it."""
    of_sms: dict[Sms, str] = {}
    of_id: dict[str, Sms] = {}
    for post, sms, _, record_id in evidence.promises:
        if sms is None or not record_id:
            continue
        if of_sms.setdefault(sms, record_id) != record_id:
            yield about(post, "ids", f"it was {of_sms[sms]} before, and now is {record_id}")
        if of_id.setdefault(record_id, sms) != sms:
            yield about(post, "ids", f"{record_id} stands for several SMS")


def order(evidence: ReceiverEvidence) -> Iterator[Finding]:
    """First occurrences of a number's SMS lie as one process took them, where it took one after the other."""
    first_try: dict[Sms, float] = {}
    for post in evidence.posts:
        for sms in post.sms:
            first_try.setdefault(sms, post.sent)
    places = {record_id: place for place, record_id in enumerate(dict.fromkeys(r.id for r in evidence.town.arrived))}
    lives = {(each.id, each.post.life) for each in evidence.promises}
    elsewhere = Counter(record_id for record_id, _ in lives)  # a repeat that met another process may come first
    newest: dict[tuple[str, str], tuple[float, int, str]] = {}  # answered, place and id; by life and number
    seen: set[Sms] = set()
    for post, sms, status, record_id in sorted(evidence.promises, key=lambda each: each.post.answered):
        if sms is None or sms in seen or record_id not in places or elsewhere[record_id] > 1:
            continue
        seen.add(sms)
        if status != "accepted":
            continue
        place, key = places[record_id], (post.life, sms.number)
        before = newest.get(key)
        if before is not None and first_try[sms] > before[0] and place < before[1]:
            yield about(post, "order", f"{record_id} lies before {before[2]}, which was answered before it was sent")
        if before is None or place > before[1]:
            newest[key] = (post.answered, place, record_id)


def arrays(evidence: ReceiverEvidence) -> Iterator[Finding]:
    """What came in one array for one number lies in its order."""
    places = {record_id: place for place, record_id in enumerate(dict.fromkeys(r.id for r in evidence.town.arrived))}
    of_post: defaultdict[int, list[Promise]] = defaultdict(list)
    tries = Counter(sms for post in evidence.posts for sms in post.sms)
    for each in evidence.promises:
        if each.sms is not None and tries[each.sms] == 1 and each.id in places:
            of_post[id(each.post)].append(each)
    for several in of_post.values():
        found = [places[each.id] for each in several]
        if found != sorted(found):
            yield about(several[0].post, "order", f"its SMS lie in the order {found}")


def wait(evidence: ReceiverEvidence) -> Iterator[Finding]:
    """Every post is answered in bounded time, unless its process ended or stood still."""
    for post in evidence.posts:
        took = post.answered - post.sent
        bound = (WAITS if post.kind == "plain" else TURNS) + (SLOW if evidence.town.is_slow else 0.0)
        if post.life and (took > bound or not post.response.status) and not evidence.disturbed(post):
            yield about(post, "wait", f"it was answered {post.response.status} after {took:.1f} s")


def delivered(evidence: ReceiverEvidence) -> Iterator[Finding]:
    """What was answered 200 is in its topic once nothing was broken for a while."""
    for post, _, _, record_id in evidence.promises:
        arrived, by = evidence.published.get(record_id, [(NEVER, None)])[0][0], post.answered + CALM
        if not record_id or record_id in evidence.refused or arrived <= by:
            continue
        by = evidence.calm_after(post.answered, CALM)
        if by < min(arrived, evidence.town.clock.now):
            yield about(
                post, "delivered", f"{record_id} was due after {by - post.answered:.0f} s, and did not come then"
            )


def once(evidence: ReceiverEvidence) -> Iterator[Finding]:
    """An SMS comes again only where it was accepted again, or something had happened while it was under way."""
    tries = Counter(sms for post in evidence.posts if post.life for sms in post.sms)
    tries.subtract(each.sms for each in evidence.promises if each.status == "duplicate" and each.sms is not None)
    for post, sms, _, record_id in {each.id: each for each in evidence.promises if each.sms is not None}.values():
        times = [at for at, _ in evidence.published.get(record_id, ())]
        again = [at for at in times[1:] if not _near(evidence.incidents, at, TWICE)]
        if sms is not None and len(again) >= max(1, tries[sms]):
            yield about(post, "once", f"{record_id} lies there {len(times)} times, after {tries[sms]} tries")


def repeats(evidence: ReceiverEvidence) -> Iterator[Finding]:
    """A repeat that meets the same process is known as one, until so many others have come as it remembers."""
    new: defaultdict[str, list[float]] = defaultdict(list)  # when a life was given something new
    used: dict[tuple[str, str], float] = {}
    for post, _, status, record_id in sorted(evidence.promises, key=lambda each: each.post.answered):
        key = (post.life, record_id)
        if status == "accepted" and key in used:
            others = len(new[post.life]) - bisect_left(new[post.life], used[key])
            if others < evidence.remembered - UNDER_WAY:
                yield about(post, "repeats", f"{record_id} was taken for new, after {others} others")
        if status != "duplicate":
            new[post.life] += [post.answered] * (1 + (record_id in evidence.refused))  # its dead letter has an id, too
        if record_id:
            used[key] = post.answered


def tokens(evidence: ReceiverEvidence) -> Iterator[Finding]:
    """A token in the file is accepted, and no other is; who was given the new URL in time is never sent away."""
    changes = [at for at, _ in evidence.town.valid]
    for post in evidence.posts:
        last = bisect_right(changes, post.answered)
        first = max(0, bisect_right(changes, post.sent - TOLD) - 1)
        opens = [post.token in known for _, known in evidence.town.valid[first:last]]
        if not post.life or post.response.status == 503 or not post.response.status:
            continue
        if all(opens) and post.response.status == 404:
            yield about(post, "tokens", "its token is in the file and was not accepted")
        elif not any(opens) and post.response.status != 404:
            yield about(post, "tokens", f"its token is not in the file, and it was answered {post.response.status}")
        elif post.by == PINGME and post.response.status == 404:
            yield about(post, "tokens", "its token was removed while PingMe used it")


def cleaned(evidence: ReceiverEvidence) -> Iterator[Finding]:
    """In the end each receiver has its own journal, small and empty, and no other is there."""
    for journal in evidence.town.left[evidence.town.plan.receivers :]:
        yield Finding("cleaned", evidence.town.seconds, journal.name, "this journal is nobody's and was not removed")
    for journal in evidence.town.left:
        if journal.size > ROOM + 2 * evidence.journal or journal.texts:
            words = f"{journal.size} bytes lie in it, and {journal.texts} SMS can be read there"
            yield Finding("cleaned", evidence.town.seconds, journal.name, words)


def leaks(evidence: ReceiverEvidence) -> Iterator[Finding]:
    """What a receiver remembers does not grow, however many numbers, tokens and connections it has seen."""
    lives = {life for _, life, _ in evidence.town.censuses}
    for life in sorted(lives):
        counted = [found for at, whose, found in evidence.town.censuses if whose == life and evidence.is_calm(at)]
        if len(counted) < 6:
            continue
        half = len(counted) // 2
        before = max(sum(each.values()) for each in counted[2 : half + 1])
        after = min(sum(each.values()) for each in counted[-2:])
        if after > before + GROWS:
            grew = (counted[-1] - counted[half]).most_common(4)
            yield Finding("leaks", evidence.town.seconds, life, f"{before} objects have become {after}: {grew}")


def alive(evidence: ReceiverEvidence) -> Iterator[Finding]:
    """Every task and thread that must run does."""
    for each in evidence.town.samples:
        if not each.alive:
            yield Finding("alive", each.at - START, each.life, "/livez says 503")


def unhandled(evidence: ReceiverEvidence) -> Iterator[Finding]:
    """Nothing reaches a loop's exception handler, and nothing unexpected is logged as an error."""
    for each in evidence.town.driver.errors:
        yield Finding("unhandled", 0.0, "a receiver", each)


def _near(times: list[float], at: float, seconds: float) -> bool:
    """Tell whether one of these was shortly before."""
    place = bisect_right(times, at)
    return place > 0 and at - times[place - 1] <= seconds


Rule = Callable[[ReceiverEvidence], Iterator[Finding]]
RULES: Final[tuple[Rule, ...]] = (
    *(kept, ids, order, arrays, wait, delivered, once, repeats, tokens, cleaned, leaks, alive, unhandled),
    *(audit_limits.room, audit_limits.share, audit_limits.limited, audit_limits.allowance),
    *(audit_limits.words, audit_limits.said),
)


def audit(town: "ReceiverTown") -> list[Finding]:
    """Return all breaches."""
    evidence = ReceiverEvidence(town)
    return [finding for rule in RULES for finding in rule(evidence)]
