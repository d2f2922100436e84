"""Schedules and performs the polls of one process: wait → fetch → advance → accept."""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from math import ceil, inf
from statistics import fmean
from typing import Any, Final, Protocol

from bus.contract import NotDurable
from pollers.owned_watch import OwnedWatch
from pollers.scheduling.account import CLOCK, WAITS, Account
from pollers.scheduling.arrival_curve import Curve
from pollers.scheduling.intervals import JITTER, PollContext, context_of, demand, first_poll, next_poll, usual_interval
from pollers.scheduling.list_follower import ListFollower
from pollers.scheduling.polling import is_about_the_order, is_said, poll
from pollers.scheduling.timer_wheel import ASKED, CHANGED, NORMAL, REQUESTED, TICK, URGENT, TimerQueue
from pollers.settings import PollersSettings
from pollers.tracking.actions import due_action, is_to_be_closed, postponed_for
from pollers.tracking.advance import Step, advance
from pollers.tracking.answer_notes import name
from pollers.tracking.state import WatchState
from pollers.watches.watch_table import LivePoll
from providers.observation import Gone, Listing, Observation, ProviderError
from schemas import timestamps

SOON: Final = 0.2  # seconds until the poll that follows a request, an action or a bus that did not accept
HINTED: Final = 2.0  # seconds until an order that changed in a list is polled again after a failure
FEW_FAILURES: Final = 2  # in a row, for an order that changed in a list; after that it backs off like any other
MOST_DOUBLED: Final = 10  # times
NOT_DURABLE: Final = 1.0  # seconds until it is looked again whether the bus has accepted what a poll has shown
FRESH: Final = 120.0  # seconds after its opening in which an order goes before others
POSTPONED_MARGIN: Final = 0.05  # seconds after a postponed action is due: clocks differ by a tick
LAST_BACK_OFF: Final = 300.0  # the longest time in seconds between two polls of an order that fails
REST: Final = 30.0  # seconds without fetching further pages of a rent, after one failed; doubled each time
SAMPLE: Final = 1000  # of an account's rents, to estimate how long their SMS wait
BREATHE: Final = 100  # watches that are planned before other tasks get their turn
RECONSIDER: Final = 30.0  # seconds: a poll further ahead is planned again after half of the time
AFTER_DEADLINE: Final = 10.0  # seconds between two attempts of a last poll
IN_FLIGHT: Final = 1.0  # seconds at most that a stop waits for the polls in flight
ACTION: Final = "!"  # prefix of a watch's id in the queue: an action waits, not a poll


class Owner(Protocol):
    """The part of a `pollers.shard.Shard` that the scheduler needs."""

    watches: dict[str, OwnedWatch]

    async def take(self, watch_id: str, step: Step, *, answered: bool) -> None:
        """Take the result of a poll: its messages are durable on return. Raises `NotDurable`."""
        ...

    async def publish(self, step: Step) -> None:
        """Publish the SMS of a step whose watch is not the shard's any more; its state and its end are the owner's."""
        ...

    def admitted(self, watch_id: str) -> None:
        """Perform the action of this watch now: the request is counted."""
        ...


@dataclass(slots=True)
class Plan:
    """When a watch is polled, and for which shard."""

    shard: Owner
    account: Account
    row: str
    """The id of its row in the list of open orders; empty for a rent, which is not in the list."""
    kind: str
    learned_ms: int  # when the last poll without an SMS ended: the curve learns from there
    since: float = 0.0  # when the interval began
    part: float = 0.0  # of the usual interval, until the next poll; 0.0: the next poll has a fixed time
    due_at: float = 0.0  # when it is due
    rank: int = NORMAL  # in the queue of its account
    again: bool = False  # another poll was requested while one was in flight
    failures: int = 0  # errors in a row that concern this order
    failed_polls: int = 0  # polls in a row that failed, whatever the reason
    cut_short: int = 0  # polls in a row whose further pages could not be fetched
    rest_from: float = 0.0  # when further pages are fetched again
    broken_at: float = inf  # when this order last caused HTTP 5xx, without a success since
    polled_ms: int = 0
    answer: str = ""


@dataclass(slots=True)
class Following:
    """When the poll after this one is due."""

    seconds: float


class Scheduler:
    """The polls of one process. Belongs to one event loop; idle until something is due."""

    def __init__(
        self,
        accounts: Mapping[str, Account],
        settings: PollersSettings,
        *,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        now_ms: Callable[[], int],
        rng: random.Random,
        curves: MutableMapping[tuple[str, str | None], Curve] | None = None,
    ) -> None:
        self.plans: dict[str, Plan] = {}
        self.curves = curves if curves is not None else {}
        self.lists = {name: ListFollower(account, self._poll_now, self._replan) for name, account in accounts.items()}
        self._accounts = accounts
        self._settings = settings
        self._spawn = spawn
        self._now_ms = now_ms
        self._rng = rng
        self._loop = asyncio.get_running_loop()
        self._timers = TimerQueue(now=self._loop.time())
        self._timer: asyncio.TimerHandle | None = None
        self._wakes_at = 0.0
        self._stopped = False
        self._actions: dict[str, Owner] = {}
        self._accounts_in_turn = deque(accounts.values())
        self._rents: dict[str, set[str]] = {name: set() for name in accounts}
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._in_flight_of: dict[str, int] = {}  # by account

    async def stop(self) -> None:
        """Start no further request; wait a moment for the polls in flight, since what they show is to be published."""
        self._stopped = True
        with suppress(TimeoutError):
            async with asyncio.timeout(IN_FLIGHT):
                await self._idle.wait()

    # ---- watches ----------------------------------------------------------------------------------------------

    async def restore(self, shard: Owner, watches: Iterable[OwnedWatch]) -> None:
        """Plan the watches of a restored shard, after the demand of all of them was added."""
        open_ones = [owned for owned in watches if not owned.ended]
        for number, owned in enumerate(open_ones):
            state = owned.state
            if (plan := self._plan_of(shard, state)) is not None:
                self._set_demand(plan, state)
            await _breathe(number)
        for number, owned in enumerate(open_ones):
            if not owned.ended:
                self.plan(shard, owned.state, soon=due_action(owned.state, self._now_ms()) is not None)
            await _breathe(number)

    def plan(self, shard: Owner, state: WatchState, *, soon: bool) -> None:
        """Plan the next poll: soon, or anywhere within an interval, to spread watches. An ended watch is dropped."""
        plan = self._plan_of(shard, state)
        if plan is None:
            self.drop(state.watch.watch_id)
            return
        seconds = self._seconds(plan, state, first=True)
        plan.again = soon
        if soon:
            plan.part = 0.0
        self._schedule(state.watch.watch_id, plan, min(SOON, seconds) if soon else seconds)

    def drop(self, watch_id: str) -> None:
        """Stop polling a watch, until it is planned again."""
        self._actions.pop(watch_id, None)
        plan = self.plans.pop(watch_id, None)
        if plan is not None:
            self._timers.cancel(watch_id)
            for key in (watch_id, ACTION + watch_id):
                plan.account.queue.leave(key)
            plan.account.throttle.demand.release(watch_id)
            self._rents[plan.account.name].discard(watch_id)
            self.lists[plan.account.name].hint.untrack(plan.row, watch_id)

    def queue_action(self, shard: Owner, watch_id: str) -> None:
        """Call the shard's `admitted` when the account may be called; actions that failed before come last."""
        if plan := self.plans.get(watch_id):
            self._actions[watch_id] = shard
            owned = shard.watches.get(watch_id)
            rank = NORMAL if owned is not None and owned.state.tries else ASKED
            plan.account.queue.join(ACTION + watch_id, self._loop.time(), rank=rank)
            self._serve_soon()

    def live(self, watch_id: str) -> LivePoll | None:
        """Return the last and next poll of a watch; None if it is not polled here."""
        plan = self.plans.get(watch_id)
        if plan is None:
            return None
        next_in = max(0.0, plan.due_at - self._loop.time()) if watch_id in self._timers else None
        return LivePoll(plan.polled_ms or None, plan.answer or None, next_in)

    def expected_delay(self, account: Account) -> float:
        """Return how many seconds an SMS waits for its poll on average; while a list is read, those of rents too."""
        delay = account.expected_delay()
        if not self.lists[account.name].running:
            return delay
        some = (self.plans[watch_id] for watch_id in islice(self._rents[account.name], SAMPLE))
        rents = [plan for plan in some if plan.part and not plan.failures]
        of_rents = fmean(plan.due_at - plan.since for plan in rents) / 2 if rents else 0.0
        return max(delay, of_rents)

    def _plan_of(self, shard: Owner, state: WatchState) -> Plan | None:
        watch = state.watch
        account = self._accounts.get(watch.account)
        if state.ended is not None or account is None:
            return None
        plan = self.plans.get(watch.watch_id)
        if plan is None or plan.shard is not shard:
            self.drop(watch.watch_id)
            row = watch.order_id if watch.order_kind != "rent" else ""
            plan = self.plans[watch.watch_id] = Plan(shard, account, row, watch.order_kind, learned_ms=state.looked_ms)
            if not row:
                self._rents[account.name].add(watch.watch_id)
            else:
                now, has_sms = self._loop.time(), state.sms_count > 0
                self.lists[account.name].hint.track(row, watch.watch_id, now, has_sms=has_sms)
        return plan

    # ---- queues -----------------------------------------------------------------------------------------------

    def _schedule(self, watch_id: str, plan: Plan, seconds: float) -> None:
        if plan.again:
            plan.rank = min(plan.rank, URGENT)
        plan.due_at = self._loop.time() + seconds
        self._set_timer(watch_id, plan)

    def _set_timer(self, watch_id: str, plan: Plan) -> None:
        """Wake up when the poll is due, and long before, since the budget may be less scarce by then."""
        now = self._loop.time()
        seconds = plan.due_at - now
        if plan.part and seconds > RECONSIDER:
            seconds = max(RECONSIDER * (1 - self._rng.random() / 2), seconds / 2)  # not all in the same tick
        self._timers.schedule(watch_id, now + seconds)
        self._arm(seconds)

    def _reconsider(self, watch_id: str, plan: Plan) -> None:
        """Plan a poll again that is not due yet, with the present demand and budget."""
        owned = plan.shard.watches.get(watch_id)
        if owned is None or owned.ended:
            return
        usual, context = self._set_demand(plan, owned.state)
        now = self._loop.time()
        plan.due_at = min(plan.since + plan.part * usual, now + max(0.0, context.remaining))
        self._set_timer(watch_id, plan)

    def _arm(self, seconds: float) -> None:
        """Wake up in so many seconds, unless that is planned for earlier."""
        seconds = ceil(max(seconds, 0.0) / CLOCK) * CLOCK
        at = self._loop.time() + seconds
        if self._timer is not None:
            if self._wakes_at <= at:
                return
            self._timer.cancel()
        self._timer, self._wakes_at = self._loop.call_later(seconds, self._wake), at

    def _serve_soon(self) -> None:
        self._arm(0.0)

    def _wake(self) -> None:
        self._timer = None
        if self._stopped:
            return
        now = self._loop.time()
        for watch_id in self._timers.due(now):
            if (plan := self.plans.get(watch_id)) is None:
                continue
            if now < plan.due_at - TICK:
                self._reconsider(watch_id, plan)
            else:
                plan.account.queue.join(watch_id, now, rank=plan.rank)
        for _ in self._accounts:
            self._accounts_in_turn.rotate(1)
            self._serve(self._accounts_in_turn[0])
        self._accounts_in_turn.rotate(1)  # another is first next time: there may be more accounts than polls in flight
        if (at := self._timers.next_due()) is not None:
            self._arm(at - now)

    def _serve(self, account: Account) -> None:
        """Start every request that the throttle admits now, and wake up when it admits the next."""
        throttle, now = account.throttle, self._loop.time()
        if throttle.state != "open" and throttle.probes_key:
            if not len(throttle.demand):
                return
            if throttle.admit(now) == 0.0:
                self._spawn(self._probe(account))
            self._arm(throttle.wait(now))
            return
        while account.queue and self._in_flight < self._settings.max_concurrent_polls and self._may_start(account):
            if wait := throttle.wait(now):
                self._arm(wait)
                return
            self._start(account, account.queue.pop() or "", now)

    def _may_start(self, account: Account) -> bool:
        """Return whether the account has less than its part of the polls in flight: a slow one must not use all."""
        return self._in_flight_of.get(account.name, 0) < max(
            1, self._settings.max_concurrent_polls // len(self._accounts)
        )

    def _start(self, account: Account, key: str, now: float) -> None:
        watch_id = key.removeprefix(ACTION)
        plan = self.plans.get(watch_id)
        if plan is None:
            return
        owned = self._owned(watch_id)
        if key == watch_id and owned is not None and owned.polling:
            plan.again = True  # its watch was reopened meanwhile; the poll in flight plans the next one
        elif key == watch_id and owned is not None and owned.not_durable:
            self._timers.schedule(watch_id, now + NOT_DURABLE)
        elif key != watch_id:
            shard = self._actions.pop(watch_id, None)
            if shard is not None and account.throttle.state == "open":  # otherwise its next poll requests it again
                account.throttle.admit(now)
                shard.admitted(watch_id)
        elif wait := account.wait_of_kind(plan.kind, now):
            self._timers.schedule(watch_id, now + wait * (1 + self._rng.random()))
        else:
            account.throttle.admit(now, hinted=plan.rank == CHANGED)
            account.delays.observe(max(0.0, now - plan.due_at))
            self._count_in_flight(account, 1)
            self._spawn(self._poll(watch_id, account))

    async def _probe(self, account: Account) -> None:
        try:
            await account.probe()
        finally:
            self._serve_soon()

    # ---- a poll ------------------------------------------------------------------------------------------------

    async def _poll(self, watch_id: str, account: Account) -> None:
        with self._in_flight_until_done(account):
            plan, owned = self.plans.get(watch_id), self._owned(watch_id)
            if plan is not None and owned is not None:
                with self._rescheduled(watch_id, plan, owned) as following:
                    following.seconds = SOON if owned.action_in_flight else await self._poll_once(plan, owned)

    @contextmanager
    def _in_flight_until_done(self, account: Account) -> Iterator[None]:
        """Give the place of a poll, counted when it was started, to the next one that is due."""
        try:
            yield
        finally:
            self._count_in_flight(account, -1)
            self._serve_soon()

    @contextmanager
    def _rescheduled(self, watch_id: str, plan: Plan, owned: OwnedWatch) -> Iterator[Following]:
        """Schedule the next poll of a watch when this one has ended, however it ends: no error stops the polling."""
        following = Following(self._settings.max_interval)
        owned.polling, plan.again = True, False
        try:
            yield following
        finally:
            owned.polling = False
            latest = self.plans.get(watch_id)
            if latest is not None and (latest is plan or latest.again):
                self._schedule(watch_id, latest, SOON if latest.again else following.seconds)

    def _count_in_flight(self, account: Account, change: int) -> None:
        self._in_flight += change
        (self._idle.clear if self._in_flight else self._idle.set)()
        self._in_flight_of[account.name] = self._in_flight_of.get(account.name, 0) + change

    def _owned(self, watch_id: str) -> OwnedWatch | None:
        plan = self.plans.get(watch_id)
        return plan.shard.watches.get(watch_id) if plan else None

    async def _poll_once(self, plan: Plan, owned: OwnedWatch) -> float:
        """Perform one step of a watch: fetch, advance, accept. Return in how many seconds to poll again."""
        before, left_at = owned.state, self._loop.time()
        watch_id, shard = before.watch.watch_id, plan.shard
        observation = await poll(plan.account, before, further=left_at >= plan.rest_from)
        is_ours = self.plans.get(watch_id) is plan and shard.watches.get(watch_id) is owned
        newest = owned if is_ours else self._owned(watch_id) or owned
        now_ms, unchanged = self._now_ms(), newest.revision == before.revision
        step = advance(
            before if unchanged else newest.state,
            observation,
            now_ms,
            zone=plan.account.zone,
            known_ms=plan.account.last_known_ms(),
        )
        if not is_ours:
            await shard.publish(step)
            return SOON  # its shard was lost, or has restored it anew
        if not unchanged:
            step = step._replace(action=None)  # a request arrived during the poll: its action needs a poll of its own
        plan.polled_ms, plan.answer = now_ms, name(observation)
        try:
            await shard.take(watch_id, step, answered=is_said(observation))
        except NotDurable:
            return NOT_DURABLE
        if self.plans.get(watch_id) is not plan:
            return SOON  # its shard was lost meanwhile
        self._note(plan, before, step.state, observation, left_at, now_ms)
        if step.state.ended is not None:
            self.drop(watch_id)
            return 0.0
        return self._seconds_after(plan, step.state, observation) if unchanged else SOON

    def _seconds_after(self, plan: Plan, state: WatchState, observation: Observation) -> float:
        """Return in how many seconds to poll again.

        Soon if this poll failed and is needed: the order changed in a list, or an action is requested.
        """
        seconds = self._seconds(plan, state, first=False)
        if plan.failed_polls > FEW_FAILURES:
            return seconds
        if self.lists[plan.account.name].hint.is_hinted(plan.row):
            plan.part, plan.rank = 0.0, CHANGED
            return min(seconds, HINTED)
        if isinstance(observation, ProviderError) and due_action(state, self._now_ms()) is not None:
            plan.part = 0.0
            return min(seconds, HINTED)
        return seconds

    def _note(
        self, plan: Plan, before: WatchState, after: WatchState, observation: Observation, left_at: float, now_ms: int
    ) -> None:
        """Update the arrival curve, the list's hint and the order's failures from the result of a poll."""
        self._note_failures(plan, observation, left_at)
        if isinstance(observation, ProviderError):
            return
        plan.account.note_known(now_ms, known=not isinstance(observation, Gone))
        found = after.sms_count > before.sms_count
        if found:
            plan.account.found_at = now_ms / 1000
        self.lists[plan.account.name].hint.polled(plan.row, left_at, found_sms=found)
        if context_of(before, now_ms).phase == "first":
            opened_ms = timestamps.to_epoch_ms(before.watch.opened_at)
            since, until = (max(0.0, (at - opened_ms) / 1000) for at in (plan.learned_ms, now_ms))
            self._curve(before).polled(since, until, arrived=found)
            plan.learned_ms = now_ms

    def _note_failures(self, plan: Plan, observation: Observation, left_at: float) -> None:
        """Note whether the order itself fails: then only this order is polled less often, not the account.

        That is if the error says so, and if the order causes HTTP 5xx while others succeed. If only further pages of
        its SMS fail, only these are fetched less often.
        """
        account, now = plan.account, self._loop.time()
        if isinstance(observation, ProviderError):
            plan.failed_polls += observation != WAITS
            is_broken = observation.code.startswith("http_5")
            if is_about_the_order(observation) or (is_broken and account.observed_at > plan.broken_at):
                plan.failures += 1
            if is_broken:
                plan.broken_at = now
            return
        plan.failures = plan.failed_polls = 0
        plan.broken_at = inf
        if not isinstance(observation, Listing) or observation.complete:
            plan.cut_short = 0
        elif left_at >= plan.rest_from and account.throttle.state == "open":
            plan.cut_short += 1
            plan.rest_from = now + min(LAST_BACK_OFF, REST / 2 * 2.0 ** min(plan.cut_short, MOST_DOUBLED))

    # ---- intervals------------------------------------------------------------------------------------------------

    def _set_demand(self, plan: Plan, state: WatchState) -> tuple[float, PollContext]:
        """Update the account's demand of this watch; return its usual interval.

        Its previous demand may have caused most of the scarcity, so the interval is computed again if that has changed.
        """
        context, throttle = context_of(state, self._now_ms()), plan.account.throttle
        before = throttle.stretch()
        usual = self._demand_at(plan, state, context, before)
        after = throttle.stretch()
        return (usual if after == before else self._demand_at(plan, state, context, after)), context

    def _demand_at(self, plan: Plan, state: WatchState, context: PollContext, stretch: float) -> float:
        """Set the demand of the watch at this scarcity; return its usual interval."""
        watch_id, follower = state.watch.watch_id, self.lists[plan.account.name]
        doubled = 2.0 ** min(plan.failures, MOST_DOUBLED) if plan.failures else 0.0
        back_off = min(LAST_BACK_OFF, self._settings.min_interval * doubled)
        usual = usual_interval(context, self._curve(state), self._settings, stretch=stretch, at_least=back_off)
        if plan.kind != "rent":
            follower.hint.demand.set(watch_id, demand(usual, stretch=stretch))
        if follower.running and context.phase != "next":
            usual = max(usual, follower.hint.at_least(plan.row) * stretch)
        plan.account.throttle.demand.set(watch_id, demand(usual, stretch=stretch))
        return usual

    def _seconds(self, plan: Plan, state: WatchState, *, first: bool) -> float:
        usual, context = self._set_demand(plan, state)
        chance = self._rng.random()
        plan.since, plan.part = self._loop.time(), chance if first else 1 - JITTER * chance
        if context.remaining <= 0 and not first:
            return self._seconds_after_deadline(plan, state)
        seconds = (first_poll if first else next_poll)(usual, context, self._settings, chance=chance)
        plan.rank = self._rank(state, context, seconds)
        if (due_in := self._action_due_in(plan, state)) < seconds:
            plan.part, plan.rank = 0.0, _rank_of_action(state)
            return due_in
        return seconds

    def _seconds_after_deadline(self, plan: Plan, state: WatchState) -> float:
        """Return in how many seconds to make the last poll; if the order's end is requested, others come first."""
        pace = max(AFTER_DEADLINE, self._settings.min_interval * 2.0 ** min(plan.failures, 6))
        plan.part, plan.rank = 0.0, URGENT
        if not is_to_be_closed(state):
            return pace
        plan.rank = _rank_of_action(state)
        due_in = self._action_due_in(plan, state)
        return max(pace * plan.account.throttle.stretch(), 0.0 if due_in == inf else due_in)

    def _action_due_in(self, plan: Plan, state: WatchState) -> float:
        """Return in how many seconds a postponed action is due; one that has failed waits longer when scarce."""
        due_in = postponed_for(state, self._now_ms())
        if state.tries and due_in < LAST_BACK_OFF:
            due_in = min(LAST_BACK_OFF, due_in * plan.account.throttle.stretch())
        return due_in + POSTPONED_MARGIN

    def _rank(self, state: WatchState, context: PollContext, seconds: float) -> int:
        """Return the rank of a poll that is due in so many seconds."""
        if due_action(state, self._now_ms()) is not None:
            return _rank_of_action(state)
        is_fresh = context.phase == "first" and context.age < FRESH
        return URGENT if is_fresh or context.phase == "next" or context.remaining <= seconds else NORMAL

    def _curve(self, state: WatchState) -> Curve:
        return self.curves.setdefault((state.provider, state.watch.service), Curve())

    # ---- lists -------------------------------------------------------------------------------------------------

    def budgets_changed(self) -> None:
        """Check the queues at once, since a share of a budget may have grown."""
        self._serve_soon()

    def review_lists(self) -> None:
        """Start reading the list of each account where that saves requests. Call this every second."""
        for follower in self.lists.values():
            if not self._stopped and not follower.running and follower.pays():
                follower.running = True
                self._spawn(follower.run())

    def _replan(self, account: Account) -> None:
        """Plan every watch of an account again, since its list is no longer read."""
        self._spawn(self._replan_all([watch_id for watch_id, plan in self.plans.items() if plan.account is account]))

    async def _replan_all(self, watch_ids: Iterable[str]) -> None:
        for number, watch_id in enumerate(watch_ids):
            plan = self.plans.get(watch_id)
            if plan is not None and plan.part and watch_id in self._timers:
                self._reconsider(watch_id, plan)
            await _breathe(number)

    def _poll_now(self, watch_id: str) -> None:
        """Poll as soon as the account may be called, before what is not urgent."""
        plan = self.plans.get(watch_id)
        owned = plan.shard.watches.get(watch_id) if plan else None
        if plan is None or owned is None:
            return
        if owned.polling:
            plan.again = True
            return
        self._timers.cancel(watch_id)
        plan.part, plan.rank = 0.0, CHANGED
        plan.account.queue.join(watch_id, self._loop.time(), rank=CHANGED)
        self._serve_soon()


def _rank_of_action(state: WatchState) -> int:
    """Return the rank of a poll that is followed by an action; actions that failed before come last."""
    return NORMAL if state.tries else REQUESTED


async def _breathe(number: int) -> None:
    """Let other tasks run, now and then."""
    if number % BREATHE == 0:
        await asyncio.sleep(0)
