"""What must hold in every run. Shares no code with what it audits: it reads the providers' book, the topics, the log.

Each rule is a function from the evidence to its breaches. A new one is a function and a line in `RULES`, and a break in
`breaks` that it must find.
"""

from collections.abc import Callable, Iterator, Mapping
from statistics import fmean
from typing import TYPE_CHECKING, Final

from schemas.messages import SmsReceived, WatchEnded
from tests.simulation import audit_budget, audit_requests
from tests.simulation.clock import EPOCH, START
from tests.simulation.evidence import Evidence, Visible
from tests.simulation.findings import Finding
from tests.simulation.watches import Case

if TYPE_CHECKING:
    from tests.simulation.town import Town

LATE_END: Final = 11 * 60.0  # seconds
UNCOMMITTED: Final = 400.0
"""Seconds between a shard's loss and an end that may count an SMS less: a documented limit, where a state was not
committed when its shard was lost, and the order ended before the next poll."""
SLACK: Final = 3.0  # seconds that a request to prolong is under way
DAY: Final = 86_400.0
SHORT_RUN: Final = 3 * 3600.0  # seconds; before, the number of open orders still grows
Rule = Callable[[Evidence], Iterator[Finding]]


def published(evidence: Evidence) -> Iterator[Finding]:
    """Every SMS that was visible for longer than the interval is published, before that interval is over."""
    for case in evidence.cases:
        codes = {_name(case, record.message): record.at for record in reversed(evidence.received[case.watch_id])}
        for shown in evidence.shows(case):
            if not case.readable or (opened := evidence.open_from(case, shown.since)) is None:
                continue
            until = min(shown.until, opened[1], evidence.deadline(case, opened[0]))
            at = codes.get(shown.sms.nonce if case.kind == "rent" else shown.sms.code)
            if breach := _judged(evidence, case, shown, opened[0], until, at):
                yield breach


def _judged(
    evidence: Evidence, case: Case, shown: Visible, since: float, until: float, at: float | None
) -> Finding | None:
    if at is not None and at - since <= SHORTEST:
        return None
    allowed = evidence.allowed(case, since)
    if at is None and until - since > allowed and evidence.over - since > allowed:
        visible = f"SMS {shown.sms.index} was visible for {until - since:.1f} s"
        words = f"{visible} and is not published, {allowed:.1f} s are allowed"
        return _about(evidence, "published", case, since, words)
    if at is not None and at - since > allowed and shown.since >= since:  # what is older than the watch is history
        words = f"SMS {shown.sms.index} was published after {at - since:.1f} s, {allowed:.1f} s are allowed"
        return _about(evidence, "delay", case, since, words)
    return None


SHORTEST: Final = 32.0  # seconds: no interval is shorter


def seen(evidence: Evidence) -> Iterator[Finding]:
    """What an answer showed a process that lived on is published, whatever became of the watch and its shard."""
    for case in evidence.cases:
        codes = {_name(case, record.message) for record in evidence.received[case.watch_id]}
        for poll in evidence.polls(case):
            if poll.kind != "poll" or poll.answered is None or not case.readable or evidence.died(poll):
                continue
            names = {sms.nonce if case.kind == "rent" else sms.code for sms in poll.shown}
            if not names <= codes and evidence.over - poll.answered > evidence.allowed(case, poll.answered):
                yield _about(evidence, "seen", case, poll.answered, "what an answer showed is not published")
                break


def sequence(evidence: Evidence) -> Iterator[Finding]:
    """The SMS of a watch come in their order with the sequences 0, 1, 2 …, and nothing else comes."""
    for case in evidence.cases:
        firsts = {record.message.event_id: record.message for record in reversed(evidence.received[case.watch_id])}
        ordered = [firsts[each] for each in dict.fromkeys(r.message.event_id for r in evidence.received[case.watch_id])]
        sequences = [message.sequence for message in ordered if isinstance(message, SmsReceived)]
        if sequences != list(range(len(sequences))):
            yield _about(evidence, "sequence", case, case.opened, f"the sequences are {sequences}")
        places = {(sms.nonce if case.kind == "rent" else sms.code): sms.index for sms in case.order.sms}
        indexes = [places.get(_name(case, message), -1) for message in ordered]
        if -1 in indexes or indexes != sorted(indexes):
            yield _about(evidence, "sequence", case, case.opened, f"the SMS came in the order {indexes}")


def ids(evidence: Evidence) -> Iterator[Finding]:
    """An SMS has one id; a message comes again only after a crash, a fence or an unknown commit of its shard."""
    for case in evidence.cases:
        named: dict[str, set[str]] = {}
        for record in evidence.received[case.watch_id]:
            named.setdefault(_name(case, record.message), set()).add(record.message.event_id)
        for name, several in named.items():
            if len(several) > 1:
                yield _about(evidence, "ids", case, case.opened, f"SMS {name} has {len(several)} ids")
        yield from _repeats(evidence, case)


def _repeats(evidence: Evidence, case: Case) -> Iterator[Finding]:
    incidents = evidence.incidents(case)
    first: dict[str, float] = {}
    for record in [*evidence.received[case.watch_id], *evidence.ended[case.watch_id]]:
        before = first.setdefault(record.message.event_id, record.at)
        broke = any(before - 60 <= at <= record.at for at in incidents)
        broke = broke or any(since <= record.at and before - 60 <= until for since, until in evidence.outages())
        if record.at > before and not broke:
            yield _about(evidence, "ids", case, record.at, f"{record.message.event_id} came twice, and nothing broke")


def ends(evidence: Evidence) -> Iterator[Finding]:
    """`WatchEnded` comes within 11 minutes of the later of deadline, Kafka's return and the shard having an owner."""
    for case in evidence.cases:
        yield from _end(evidence, case, *evidence.openings(case)[-1])
        for record in evidence.ended[case.watch_id]:
            assert isinstance(record.message, WatchEnded)
            wrong = 2 * evidence.town.plan.clocks_wrong_by  # one clock sets the deadline, another ends the watch
            early = evidence.deadline(case, record.at) - wrong - record.at
            if record.message.reason == "expired" and early > 1 + SLACK and not _waited(evidence, case, record.at):
                yield _about(evidence, "ends", case, record.at, f"it expired {early:.0f} s too early")
            counted = len({each.message.event_id for each in evidence.received[case.watch_id] if each.at <= record.at})
            lost = any(record.at - UNCOMMITTED <= at <= record.at for at in evidence.moves(case))
            if record.message.sms_count != counted and not lost:
                words = f"its end counts {record.message.sms_count} SMS, {counted} were published before it"
                yield _about(evidence, "ends", case, record.at, words)


def _waited(evidence: Evidence, case: Case, ended: float) -> bool:
    """Tell whether a request to prolong it waited for the first answer that a new owner of its shard got."""
    asked = max(each.at for each in case.asked if each.desired == "watch" and each.at <= ended)
    spans = ((begin, end + evidence.allowed(case, end)) for begin, end in evidence.unowned(case))
    return any(begin <= asked and ended <= end for begin, end in spans)


def _end(evidence: Evidence, case: Case, opened: float, ended: float) -> Iterator[Finding]:
    """Judge the end of its last opening."""
    deadline = evidence.deadline(case, ended)
    late_from = max(deadline, opened) + evidence.town.plan.clocks_wrong_by + LATE_END
    late_from += sum(max(0.0, end - max(deadline, begin)) for begin, end in evidence.unowned(case) if end > deadline)
    if case.readable and ended > late_from:
        words = (
            "it has no end" if ended == evidence.over else f"its end came {ended - deadline:.0f} s after the deadline"
        )
        yield _about(evidence, "ends", case, deadline, words)


def drift(evidence: Evidence) -> Iterator[Finding]:
    """Delays do not grow: the last day is like the second; of a run of hours, the last quarter like the second.

    Where providers have bad days, delays are as those lie in the run. Where what happens strands a few SMS, so are the
    longest ones: the slowest tenth of each time is left out.
    """
    span = evidence.town.seconds
    day = DAY if span >= 3 * DAY else span / 4
    if span < SHORT_RUN or evidence.town.plan.bad:
        return
    early, late = delays(evidence, START + day, START + 2 * day), delays(evidence, evidence.over - day, evidence.over)
    if evidence.town.plan.strands:
        early, late = _quicker(early), _quicker(late)
    if len(early) >= 5 and len(late) >= 5 and fmean(late) > 1.5 * fmean(early) + 3.0:
        words = f"the mean delay has grown from {fmean(early):.1f} s to {fmean(late):.1f} s"
        yield Finding("drift", evidence.over - START, "all accounts", words)


def _quicker(found: list[float]) -> list[float]:
    """Return all but the slowest tenth."""
    return sorted(found)[: -(-len(found) * 9 // 10)]


def numbers(evidence: Evidence) -> Iterator[Finding]:
    """The delays are what this scenario promises."""
    plan, found = evidence.town.plan, sorted(delays(evidence, START, evidence.over))
    if not found:
        return
    for name, value, below in (("mean", fmean(found), plan.mean_below), ("p99", p99(found), plan.p99_below)):
        if below is not None and value > below:
            yield Finding(
                "numbers", evidence.over - START, plan.name, f"{name} delay {value:.1f} s, not below {below} s"
            )


def delays(evidence: Evidence, since: float, until: float) -> list[float]:
    """Return the delays of SMS that became visible then; one that was visible and never published counts as lasting."""
    found = []
    for case in evidence.cases:
        at = {_name(case, record.message): record.at for record in reversed(evidence.received[case.watch_id])}
        for shown in evidence.shows(case):
            opened = evidence.open_from(case, shown.since)
            if (
                opened is not None
                and since <= opened[0] < until
                and opened[0] < shown.until
                and shown.since >= opened[0]
            ):
                name = shown.sms.nonce if case.kind == "rent" else shown.sms.code
                found.append(max(0.0, at.get(name, min(shown.until, opened[1])) - opened[0]))
    return found


def p99(found: list[float]) -> float:
    """Return the 99th percentile of sorted numbers."""
    return found[min(len(found) - 1, int(len(found) * 0.99))]


def unhandled(evidence: Evidence) -> Iterator[Finding]:
    """No exception goes unheard, and nothing is logged as an error."""
    for words in evidence.town.driver.errors[:10]:
        yield Finding("unhandled", evidence.over - START, "the log", words)


def watching(evidence: Evidence) -> Iterator[Finding]:
    """What was found while the run went on: `demand`, `leftovers`, `truth`."""
    yield from evidence.town.watching.findings


RULES: Final[Mapping[str, Rule]] = {
    "published": published,
    "seen": seen,
    "sequence": sequence,
    "ids": ids,
    "ends": ends,
    "drift": drift,
    "numbers": numbers,
    "budget": audit_budget.budget,
    "retry_after": audit_budget.retry_after,
    "polls": audit_requests.polls,
    "requests": audit_requests.performed,
    "unasked": audit_requests.unasked,
    "watching": watching,
    "unhandled": unhandled,
}


def audit(town: "Town") -> list[Finding]:
    """Return all breaches of all rules, the earliest first."""
    evidence = Evidence(town)
    return sorted((finding for rule in RULES.values() for finding in rule(evidence)), key=lambda each: each.at)


def _name(case: Case, message: object) -> str:
    """Return what identifies an SMS at its provider: a rent's nonce, else the code."""
    assert isinstance(message, SmsReceived)
    if case.kind == "rent":
        text = message.text or ""
        return next((sms.nonce for sms in case.order.sms if sms.nonce in text), text)
    return message.code or next((sms.code for sms in case.order.sms if sms.code in (message.text or "")), "")


def _about(evidence: Evidence, rule: str, case: Case, at: float, words: str) -> Finding:
    return Finding(rule, at - START, case.watch_id, words, evidence.story(case))


__all__ = ["EPOCH", "RULES", "audit", "delays", "p99"]
