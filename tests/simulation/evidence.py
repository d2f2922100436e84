"""A finished run in the auditor's words: who showed what and when, what was published, who owned what."""

import json
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from bus.record import partition_of
from sandbox.orders import Activation, Phase
from sandbox.sms import Sms
from schemas.messages import SmsReceived, WatchEnded
from tests.simulation.clock import EPOCH, START
from tests.simulation.formula import Demand, Life, back_off, interval, listed_interval
from tests.simulation.kafka import SHARDS, Published
from tests.simulation.requests import Request
from tests.simulation.watches import Case

if TYPE_CHECKING:
    from tests.simulation.town import Town

Span = tuple[float, float]
RENT_GRACE: Final = 10 * 60.0
NEW_OWNER: Final = 15.0  # seconds after a shard's move that count as if nobody had it
ANSWERED: Final = frozenset({"ok", "slow"})
PROVE: Final = ANSWERED | {"broken"}
"""Answers that prove that the provider works and knows us."""
SHARED: Final = 3.0
"""By how much an order's interval may be longer where replicas share a budget by weights that are not quite what their
watches want; on average it is much less, which `mean_below` holds."""
GOING: Final = 1.0  # seconds from an answer to its SMS in the journal, and more
PROBED: Final = 320.0
"""Seconds after which an account that backs off, or is paused, is asked again at the latest."""
PROMPT: Final = 60.0  # seconds that a request waits for its turn, at most
LISTED: Final = 10.0  # seconds between two lists, at most, while they are followed
SLOW_START: Final = 16.0  # requests' time: gaps of 8, 4, 2 requests after a back-off, and a little


class Visible(NamedTuple):
    """An SMS as the provider showed it to whoever asked, on the run's clock."""

    sms: Sms
    since: float
    until: float


class Evidence:
    """Made when the run is over."""

    def __init__(self, town: "Town") -> None:
        self.town = town
        self.over = town.clock.now
        self.rate = town.plan.rate
        self.log = town.providers.log
        self.cases = [case for case in town.people.cases.values() if case.asked]
        self.received: defaultdict[str, list[Published]] = defaultdict(list)
        self.ended: defaultdict[str, list[Published]] = defaultdict(list)
        for record in town.kafka.published:
            if isinstance(record.message, SmsReceived):
                self.received[record.message.watch_id or ""].append(record)
            elif isinstance(record.message, WatchEnded):
                self.ended[record.message.watch_id].append(record)
        self.troubled = {name: self._troubled(name) for name in town.world.accounts}
        self.spread = 1.0 if town.plan.replicas == 1 else SHARED

    # ---- a watch ---------------------------------------------------------------------------------------------------

    def shows(self, case: Case) -> list[Visible]:
        """Return what its order showed, oldest first."""
        now = EPOCH + self.over - START
        if isinstance(case.order, Activation):
            case.order.state(now)  # levels come to be when they are looked at
            states = case.order._states
            ends = [each.since for each in states[1:]] + [EPOCH + 10**9]
            return [
                Visible(state.sms, _clock(state.since), _clock(end))
                for state, end in zip(states, ends, strict=True)
                if state.phase is Phase.SMS and state.sms
            ]
        return [Visible(sms, _clock(sms.at), _clock(case.order.ends)) for sms in case.order.arrived(now)]

    def end_of(self, case: Case) -> float:
        """Return when its end was published; later than everything if it was not."""
        return min((record.at for record in self.ended[case.watch_id]), default=self.over)

    def deadline(self, case: Case, at: float) -> float:
        """Return when a watch is to end, as far as was asked at this time; a rent is polled for a while longer."""
        said = [each.ends for each in case.asked if each.desired == "watch" and each.at <= at] or [case.asked[0].ends]
        return said[-1] + (RENT_GRACE if case.kind == "rent" else 0.0)

    def openings(self, case: Case) -> list[Span]:
        """Return from when to when it was open: from each request to watch it to the next end."""
        ends = sorted(record.at for record in self.ended[case.watch_id])
        found: list[Span] = []
        for asked in case.asked:
            if asked.desired == "watch" and (not found or asked.at > found[-1][1]):
                found.append((asked.at, next((at for at in ends if at > asked.at), self.over)))
        return found

    def open_from(self, case: Case, at: float) -> Span | None:
        """Return when it was open from this moment on, at the earliest; None: never again."""
        return next(((max(at, begin), end) for begin, end in self.openings(case) if end > at), None)

    def polls(self, case: Case) -> list[Request]:
        """Return the requests about its order."""
        return self.log.of_order[case.account, case.order_key]

    def died(self, poll: Request) -> bool:
        """Tell whether the process ended as it was answered: before anything could be made of it."""
        ended = (at for at, what, whom in self.town.notes if what in {"killed", "stopped"} and whom == poll.replica)
        return poll.answered is not None and any(poll.answered <= at <= poll.answered + GOING for at in ended)

    def partition(self, case: Case) -> int:
        """Return its shard."""
        return partition_of(case.watch_id.encode(), SHARDS)

    def state(self, case: Case) -> dict[str, object]:
        """Return its committed state."""
        return self.town.people.state(case)

    # ---- how long things may take ------------------------------------------------------------------------------------

    @cached_property
    def demands(self) -> dict[str, Demand]:
        """The claims on each account."""
        lives: defaultdict[str, list[Life]] = defaultdict(list)
        for case in self.cases:
            seen = [record.at for record in self.received[case.watch_id]]
            asked = [each.at for each in case.asked if each.desired == "next"]
            lives[case.account].append(Life(case.kind, case.opened, self.end_of(case), seen, asked))
        return {account: Demand(each) for account, each in lives.items()}

    def interval(self, case: Case, at: float) -> float:
        """Return the order's longest interval around this moment, without what is lost to trouble."""
        calm = interval(self.demands[case.account].most(at - 60, at + 60), self.rate)
        usual = self.spread * interval(self.demands[case.account].most(at - calm, at + calm), self.rate)
        usual = max(usual, self._back_off(case, at))
        return listed_interval(usual) if self._is_listed(case, at) else usual

    def _back_off(self, case: Case, at: float) -> float:
        """Return how long an order rests that was answered with so many errors in a row."""
        asked = [each for each in self.polls(case) if each.sent <= at]
        errors = 0
        while errors < len(asked) and asked[-1 - errors].outcome not in ANSWERED:
            errors += 1
        return back_off(errors)

    def _is_listed(self, case: Case, at: float) -> bool:
        """Tell whether the list of open orders was followed around this moment."""
        sent = self._lists[case.account]
        return case.kind != "rent" and bisect_right(sent, at + LISTED) > bisect_left(sent, at - LISTED)

    @cached_property
    def _lists(self) -> dict[str, list[float]]:
        found: defaultdict[str, list[float]] = defaultdict(list)
        for each in self.log.all:
            if each.kind == "list":
                found[each.account].append(each.sent)
        return found

    def promptly(self, case: Case, at: float) -> float:
        """Return how long after `at` a poll must have been answered that goes before what is not urgent."""
        return self.allowed(case, at, usual=max(self.spread * PROMPT, self._back_off(case, at)))

    def allowed(self, case: Case, at: float, usual: float | None = None) -> float:
        """Return how long after `at` the order must have been polled with an answer.

        The interval, one more for each poll that failed and each new owner (who spreads the first polls over one),
        all the time in which nobody could poll: the account backing off, the shard without an owner.
        """
        usual, allowed = usual or self.interval(case, at), 0.0
        spans = _merged([*self.troubled[case.account], *self.unowned(case)])
        while True:
            intervals = 1 + self._failures(case, at, at + allowed) + self._moves(case, at, at + allowed)
            seconds = usual * intervals + self._further(case.account, at, at + max(allowed, usual)) / self.rate
            longer = _after(at, seconds, spans) - at
            if longer <= allowed:
                return allowed
            allowed = longer

    def _further(self, account: str, since: float, until: float) -> int:
        """Return how many requests of the account were no polls: pages, texts, actions, lists."""
        sent = self._sent_further[account]
        return bisect_right(sent, until) - bisect_right(sent, since)

    @cached_property
    def _sent_further(self) -> dict[str, list[float]]:
        found: defaultdict[str, list[float]] = defaultdict(list)
        for each in self.log.all:
            if each.kind != "poll":
                found[each.account].append(each.sent)
        return found

    def _moves(self, case: Case, since: float, until: float) -> int:
        partition = self.partition(case)
        return sum(
            each.partition == partition and each.replica is not None and since <= each.at <= until
            for each in self.town.coordinator.history
        )

    def _failures(self, case: Case, since: float, until: float) -> int:
        asked = self.polls(case)
        return sum(since - 15 <= each.sent <= until and each.outcome not in ANSWERED for each in asked)

    def incidents(self, case: Case) -> list[float]:
        """Return when a commit of its shard was refused or unknown, and when the shard moved."""
        mine = self.partition(case)
        found = [each.at for each in self.town.kafka.incidents if each.partition in {None, mine}]
        return found + self.moves(case)

    def moves(self, case: Case) -> list[float]:
        """Return when its shard came to an owner, or lost one."""
        return [each.at for each in self.town.coordinator.history if each.partition == self.partition(case)]

    def unowned(self, case: Case) -> list[Span]:
        """Return when its shard had no owner that could work."""
        return self._unowned[self.partition(case)]

    @cached_property
    def _unowned(self) -> dict[int, list[Span]]:
        found: dict[int, list[Span]] = {partition: [(START, START + NEW_OWNER)] for partition in range(SHARDS)}
        sleeping = self.sleeps()
        owner: dict[int, tuple[float, str | None]] = {}
        ends = {partition: (self.over, partition, None) for partition in range(SHARDS)}
        for at, partition, replica in [*self.town.coordinator.history, *ends.values()]:
            since, before = owner.get(partition, (START, None))
            if before is None:
                found[partition].append((since, at + NEW_OWNER))
            else:
                found[partition] += [(max(since, a), min(at, b) + NEW_OWNER) for a, b in sleeping[before] if b > since]
                found[partition].append((at, at + NEW_OWNER))
            owner[partition] = (at, replica)
        found = {partition: [*spans, *self.outages()] for partition, spans in found.items()}
        return {partition: _merged([each for each in spans if each[1] > each[0]]) for partition, spans in found.items()}

    def outages(self) -> list[Span]:
        """Return when Kafka was away for everybody, or a replica was cut off from it, and a while after that."""
        return [(since, until + NEW_OWNER) for since, until, _ in self.town.kafka.all_outages()]

    def sleeps(self) -> defaultdict[str, list[Span]]:
        """Return when each replica was down or stood still."""
        began: dict[str, float] = {}
        spans: defaultdict[str, list[Span]] = defaultdict(list)
        for at, what, whom in self.town.notes:
            if what in {"asleep", "killed", "stopped"}:
                began.setdefault(whom, at)
            elif what in {"awake", "started"} and whom in began:
                spans[whom].append((began.pop(whom), at))
        for whom, at in began.items():
            spans[whom].append((at, self.over))
        return spans

    def _troubled(self, account: str) -> list[Span]:
        """Return when a replica had reason to back the account off, which each does for itself."""
        of_replica: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
        for each in self.log.all:
            if each.account == account and each.answered is not None:
                of_replica[each.replica].append((each.answered, each.outcome))
        return _merged([span for answers in of_replica.values() for span in self._backing_off(account, answers)])

    def _backing_off(self, account: str, answers: list[tuple[float, str]]) -> Iterator[Span]:
        """Yield the times from a failed answer to the next good one, and to the moment when a slow start and the queue
        that has grown meanwhile are behind it. A replica that asks no more is not waited for.
        """
        began: float | None = None
        last = 0.0
        for at, outcome in sorted(answers):
            if began is not None and (outcome in PROVE or at - last > PROBED):
                until = at if outcome in PROVE else last + PROBED
                yield began, until + min(until - began, self._queue(account, until)) + SLOW_START / self.rate
                began = None
            if outcome not in PROVE:
                began, last = began or at, at
        if began is not None:
            yield began, last + PROBED

    def _queue(self, account: str, at: float) -> float:
        """Return how long it takes to poll every open order of the account once."""
        return sum(case.account == account and case.opened < at < case.ends for case in self.cases) / self.rate

    # ---- telling -----------------------------------------------------------------------------------------------------

    def story(self, case: Case) -> tuple[str, ...]:
        """Return what happened to a watch, line by line; of many polls the first and the last."""
        lines = [(each.at, f"asked: {each.desired} ({each.request_id})") for each in case.asked]
        lines += [(each.since, f"the provider shows SMS {each.sms.index}") for each in self.shows(case)]
        lines += [
            (each.at, f"published: sequence {each.message.sequence}, {each.message.id[:8]} by {each.replica}")
            for each in self.received[case.watch_id]
            if isinstance(each.message, SmsReceived)
        ]
        lines += [
            (each.at, f"ended: {json.loads(each.message.to_json())['reason']}") for each in self.ended[case.watch_id]
        ]
        lines += [(case.ends, "its deadline")]
        lines += [(each.sent, _told(each)) for each in self.polls(case)]
        head = f"{case.account} {case.order_key} watch {case.watch_id} shard {self.partition(case)}"
        told = _shortened(sorted(lines))
        return (head, *told) if len(told) < 60 else (head, *told[:30], f"… {len(told) - 55} lines …", *told[-25:])


def _told(request: Request) -> str:
    return f"{request.kind} {request.action} by {request.replica}: {request.outcome} {request.body}".rstrip()


def _shortened(lines: list[tuple[float, str]]) -> list[str]:
    """Return the lines with their times; of equal ones in a row the first, how many more there were, and until when."""
    told: list[str] = []
    for words, equal in groupby(lines, key=lambda line: line[1]):
        times = [at - START for at, _ in equal]
        more = f", {len(times) - 1} more until {times[-1]:.3f}" if len(times) > 1 else ""
        told.append(f"{times[0]:10.3f}  {words}{more}")
    return told


def _clock(seconds: float) -> float:
    """Return the run's clock at seconds since 1970."""
    return seconds - EPOCH + START


def _after(at: float, seconds: float, spans: list[Span]) -> float:
    """Return when so many seconds have passed that lie in none of these spans, which are in order and apart."""
    until = at + seconds
    for begin, end in spans[max(0, bisect_right(spans, (at, 0.0)) - 1) :]:
        if begin >= until:
            break
        until += max(0.0, end - max(at, begin))
    return until


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged
