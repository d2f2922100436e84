"""What an account may be asked: its budget, and nothing while it said to wait."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from tests.simulation.clock import START
from tests.simulation.evidence import Evidence
from tests.simulation.findings import Finding
from tests.simulation.requests import Request

WINDOW: Final = 10.0  # seconds
MOVED: Final = 15.0  # seconds after ownership moved in which replicas may not know yet whose budget is whose


def budget(evidence: Evidence) -> Iterator[Finding]:
    """All requests of an account in any ten seconds are at most rate · 10 + 1 a replica."""
    most = evidence.rate * WINDOW + evidence.town.plan.replicas
    excused = _excused(evidence)
    for account in evidence.town.world.accounts:
        recent: deque[Request] = deque()
        silent_until = 0.0
        for request in (each for each in evidence.log.all if each.account == account):
            recent.append(request)
            while recent[0].sent <= request.sent - WINDOW:
                recent.popleft()
            if len(recent) > most + 1e-9 and request.sent > silent_until and not excused(request.sent):
                silent_until = request.sent + 600  # one finding says enough
                kinds = sorted({each.kind for each in recent})
                words = f"{len(recent)} requests in ten seconds ({', '.join(kinds)}), {most:.0f} are allowed"
                yield Finding("budget", request.sent - START, account, words)


def _excused(evidence: Evidence) -> Callable[[float], bool]:
    moves = sorted({each.at for each in evidence.town.coordinator.history})
    cut = [(since, until) for since, until, _ in evidence.town.kafka.all_outages()]

    def excused(at: float) -> bool:
        several = evidence.town.plan.replicas > 1
        moved = several and any(move <= at < move + MOVED + WINDOW for move in moves)
        return moved or (several and any(since <= at <= until + MOVED + WINDOW for since, until in cut))

    return excused


def retry_after(evidence: Evidence) -> Iterator[Finding]:
    """Within a Retry-After that a replica has read it asks nothing of the account."""
    told = sorted(evidence.log.told, key=lambda each: each.since)
    for request in evidence.log.all:
        while told and told[0].until <= request.sent:
            told.pop(0)
        for each in told:
            mine = (each.account, each.replica) == (request.account, request.replica)
            if mine and each.since < request.sent < each.until:
                words = f"a {request.kind} {each.until - request.sent:.1f} s before it may be asked again"
                yield Finding("retry_after", request.sent - START, f"{request.account} by {request.replica}", words)
                told.remove(each)
                break
