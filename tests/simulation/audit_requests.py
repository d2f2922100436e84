"""What is asked of orders: they are polled in time, and what people asked for is done or shown as refused."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from tests.simulation.clock import START
from tests.simulation.evidence import ANSWERED, Evidence
from tests.simulation.findings import Finding
from tests.simulation.requests import Request
from tests.simulation.watches import Asked, Case

GRACE: Final = 15.0  # seconds: a new owner does not act, and Kafka may be slow
TOO_EARLY: Final = 120.0
STATUS: Final = {
    "next": {"3", "retrysms", "ready"},
    "finish": {"6", "1", "close", "used"},
    "cancel": {"8", "2", "reject"},
}
BEFORE_A_LIST: Final = 65.0
"""Seconds between two polls of an order that a list shows as unchanged."""


def polls(evidence: Evidence) -> Iterator[Finding]:
    """An owned shard polls: no open order is left alone for longer than the formula allows."""
    for case in evidence.cases:
        if not case.readable:
            continue
        begin, end = evidence.openings(case)[0]
        over = min(end, evidence.deadline(case, begin), _stopped(case))
        polled = [each.sent for each in evidence.polls(case) if each.kind != "action"]
        for before, after in _gaps([case.asked[0].at, *polled], over):
            if after - before > BEFORE_A_LIST and after - before > evidence.allowed(case, before):
                words = f"not polled for {after - before:.1f} s, {evidence.allowed(case, before):.1f} s are allowed"
                yield Finding("polls", before - START, case.watch_id, words, evidence.story(case))
                break


def _stopped(case: Case) -> float:
    return min((each.at for each in case.asked if each.desired in {"stop", "finish", "cancel"}), default=float("inf"))


def _gaps(polled: list[float], over: float) -> Iterator[tuple[float, float]]:
    inside = [at for at in polled if at < over]
    yield from zip(inside, [*inside[1:], over], strict=True)


def performed(evidence: Evidence) -> Iterator[Finding]:
    """A requested action is performed, or shown as refused with the provider's code."""
    for case in evidence.cases:
        for asked in case.asked:
            if asked.desired in STATUS and case.readable and not _is_settled(evidence, case, asked):
                words = f"{asked.desired} ({asked.request_id}) was neither done nor refused"
                yield Finding("requests", asked.at - START, case.watch_id, words, evidence.story(case))


def unasked(evidence: Evidence) -> Iterator[Finding]:
    """Nothing is asked of an order that nobody asked for; once more only where nobody knows what came of it."""
    for case in evidence.cases:
        done = [each for each in evidence.polls(case) if each.kind == "action" and each.action in STATUS["next"]]
        yield from _asked_again(evidence, case, [each for each in done if "ACCESS" in each.body or "true" in each.body])
        wanted = sum(each.desired == "next" for each in case.asked)
        doubtful = sum(each.outcome not in ANSWERED for each in done) + len(evidence.town.kafka.incidents)
        if case.after_sms == "keep" and len(done) - doubtful > wanted:
            words = f"the next SMS was asked for {len(done)} times, {wanted} were wanted"
            yield Finding("unasked", done[-1].sent - START, case.watch_id, words, evidence.story(case))


def _asked_again(evidence: Evidence, case: Case, granted: list[Request]) -> Iterator[Finding]:
    """A next SMS that was granted is not asked for again before it has come: a second request is `already`."""
    events = [each.since for each in evidence.shows(case)] + [begin for begin, _ in evidence.openings(case)]
    events += [each for span in evidence.unowned(case) for each in span] + evidence.incidents(case)
    for before, after in pairwise(granted):
        if not any(before.sent - GRACE <= at <= after.sent for at in events):
            words = f"the next SMS was asked for {after.sent - before.sent:.1f} s after it had been granted"
            yield Finding("unasked", after.sent - START, case.watch_id, words, evidence.story(case))


def _is_settled(evidence: Evidence, case: Case, asked: Asked) -> bool:
    allowed = 2 * evidence.promptly(case, asked.at) + GRACE + (TOO_EARLY if asked.desired == "cancel" else 0.0)
    until = asked.at + allowed
    opened = evidence.open_from(case, asked.at)
    if opened is None or opened[0] > asked.at:
        return True  # of an ended watch: its state says `ended`, until the request that opens it again
    if until > min(opened[1], evidence.deadline(case, asked.at)):
        return True  # the watch or the run was over before
    statuses = STATUS[asked.desired]
    done = [each for each in evidence.polls(case) if each.kind == "action" and each.action in statuses]
    if any(asked.at <= each.sent <= until for each in done):
        return True
    came = [each.message.sequence for each in evidence.received[case.watch_id] if asked.at <= each.at <= until]
    if asked.desired == "next" and any((sequence or 0) >= (asked.after or 0) for sequence in came):
        return True  # by itself
    if asked.desired == "next" and _is_granted(evidence, case, done, asked.at):
        return True
    return _is_superseded(case, asked, until) or _is_shown(evidence, case, asked)


def _is_granted(evidence: Evidence, case: Case, done: list[Request], at: float) -> bool:
    """The next SMS was asked for already, and has not come: the answer is `already`."""
    before = max((each.sent for each in done if each.sent < at and each.outcome in ANSWERED), default=None)
    return before is not None and not any(before < each.at < at for each in evidence.received[case.watch_id])


def _is_superseded(case: Case, asked: Asked, until: float) -> bool:
    """A later request took its place."""
    return any(asked.at < each.at <= until and each.desired != "watch" for each in case.asked)


def _is_shown(evidence: Evidence, case: Case, asked: Asked) -> bool:
    """The state says what became of it: refused, or nothing to do."""
    state = evidence.state(case)
    if state.get("refused") == asked.desired:
        return bool(state.get("refused_code"))
    return state.get("applied") == asked.request_id and state.get("outcome") in {"already", "ended"}
