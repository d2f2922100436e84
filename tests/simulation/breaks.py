"""The program broken on purpose, each time in one place, and the rule that must find it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Final, NamedTuple
from unittest.mock import patch

from pollers.owned_watch import OwnedWatch
from pollers.poller import Poller
from pollers.scheduling import scheduler as scheduling
from pollers.scheduling.account import Account
from pollers.scheduling.scheduler import Scheduler
from pollers.scheduling.throttle import AccountThrottle, Demand
from pollers.shard import Shard
from pollers.tracking import actions
from pollers.tracking.advance import Step
from pollers.tracking.state import WatchState
from schemas.messages import SmsReceived
from tests.simulation.clock import START

Patch = Callable[[], Any]


class Break(NamedTuple):
    """What is done to the program, and where and by which rule it is found."""

    patch: Patch
    rules: frozenset[str]
    """One of them must find it."""
    scenario: str = "quiet"
    hours: float = 0.4

    @contextmanager
    def breaks(self) -> Iterator[None]:
        """Break it for as long as this lasts."""
        with self.patch():
            yield


def keeps_demand() -> Any:
    """A watch that is dropped leaves its demand at the account."""
    return patch.object(Demand, "release", _nothing)


def never_drops() -> Any:
    """A watch that has ended stays planned."""
    return patch.object(Scheduler, "drop", _nothing)


def hears_no_retry_after() -> Any:
    """A Retry-After is read and not heeded, nor is any other trouble."""
    report = AccountThrottle.report

    def deaf(self: AccountThrottle, error: Any, **when: Any) -> Any:
        return report(self, None if error and error.kind == "throttled" else error, **when)

    return patch.object(AccountThrottle, "report", deaf)


def actions_beside_the_budget() -> Any:
    """Everything is asked twice, and the throttle counts one of them."""
    poll = Account.poll

    async def twice(self: Account, *asked: Any, **named: Any) -> Any:
        await self.client.poll(*asked, **named)
        return await poll(self, *asked, **named)

    return patch.object(Account, "poll", twice)


def counts_one_too_many() -> Any:
    """Sequences begin at 1."""
    return _messages(lambda message: message.model_copy(update={"sequence": (message.sequence or 0) + 1}))


def forgets_to_publish() -> Any:
    """Every third SMS is counted and not published."""
    seen = iter(range(10**9))
    return _messages(lambda message: None if next(seen) % 3 == 2 else message)


def makes_new_ids() -> Any:
    """An SMS that is published again, as every second one is, has another id."""
    return _messages(lambda message: message.model_copy(update={"id": message.id[:-4] + "0000"}), also=True)


def never_acts() -> Any:
    """What is wanted of the provider is forgotten."""
    accept_step = Shard.accept_step

    async def forgetful(self: Shard, owned: Any, step: Step) -> None:
        await accept_step(self, owned, step._replace(action=None))

    return patch.object(Shard, "accept_step", forgetful)


def ends_during_polls() -> Any:
    """A watch ends although the answer to a poll may show an SMS; the answer is dropped with it."""
    stack = ExitStack()
    stack.enter_context(patch.object(OwnedWatch, "may_have_seen", lambda _: False))
    stack.enter_context(patch.object(Shard, "publish", _nothing_later))
    return stack


def asks_again() -> Any:
    """A next SMS that was granted and has not come is asked for once more, if somebody says so."""
    next_requested = actions._next_requested

    def afresh(state: WatchState, after: int | None) -> Any:
        return next_requested(state.having(asked_after=-1), after)

    return patch.object(actions, "_next_requested", afresh)


def publishes_late() -> Any:
    """What a poll has found is taken three minutes later."""
    return _taken_after(lambda: 180.0)


def fails_now_and_then() -> Any:
    """What is learned from an answer is a bug of ours, twice an hour."""
    note = Scheduler._note

    def failing(self: Scheduler, *step: Any) -> None:
        if asyncio.get_running_loop().time() % 1800 < 60:
            raise ZeroDivisionError
        note(self, *step)

    return patch.object(Scheduler, "_note", failing)


def polls_one_shard_less() -> Any:
    """A shard's watches are restored and never planned."""
    plan = Scheduler.plan

    def forgets(self: Scheduler, shard: Shard, state: WatchState, **named: Any) -> None:
        if shard.partition != 3:
            plan(self, shard, state, **named)

    return patch.object(Scheduler, "plan", forgets)


def pages_beside_the_budget() -> Any:
    """Further pages, texts and lists are asked for without waiting for a slot."""

    async def at_once(self: Account) -> bool:
        return self.throttle.state == "open"

    return patch.object(Account, "further", at_once)


def lets_a_shard_end() -> Any:
    """A shard ends with a stray CancelledError after five minutes, and nobody takes it again."""
    run, sleep = Shard.run, asyncio.sleep

    async def cancelled(self: Shard) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(300 if self.partition == 3 else None):
                await run(self)
        self.running = True
        await sleep(10**9)

    return patch.object(Shard, "run", cancelled)


def never_ends() -> Any:
    """A watch without an answer at its deadline is never ended."""
    return patch("pollers.tracking.expiry.overdue_ms", lambda _: 10**15)


def polls_nothing_at_all() -> Any:
    """Nobody is served any more, and nothing says so."""
    stack = ExitStack()
    stack.enter_context(patch.object(Scheduler, "_serve", _nothing))
    stack.enter_context(patch.object(Poller, "degraded", lambda _: ()))
    return stack


def applies_again() -> Any:
    """A shard that starts applies every request that lies there, whether it was applied or not."""
    return patch("pollers.shard.not_applied", lambda _, requests: list(requests))


def holds_the_loop() -> Any:
    """A step counts to ten million now and then."""
    advance = scheduling.advance

    def heavy(*arguments: Any, **named: Any) -> Step:
        if asyncio.get_running_loop().time() % 60 < 2:
            sum(range(4_000_000))
        return advance(*arguments, **named)

    return patch.object(scheduling, "advance", heavy)


def slows_down() -> Any:
    """Intervals grow once the process is older than an hour and a half."""
    next_poll = scheduling.next_poll

    def slower(usual: float, *rest: Any, **named: Any) -> float:
        late = max(0.0, asyncio.get_running_loop().time() - START - 5400)
        return next_poll(usual, *rest, **named) * (1 + late / 600)

    return patch.object(scheduling, "next_poll", slower)


def publishes_later_and_later() -> Any:
    """What a poll has found is taken later, by ten seconds more in each hour: each time is within its promise."""
    return _taken_after(lambda: (asyncio.get_running_loop().time() - START) / 360)


def _nothing(*_: object) -> None:
    """Stand in for what is left out."""


async def _nothing_later(*_: object) -> None:
    """Stand in for what is left out and would be awaited."""


def _taken_after(seconds: Callable[[], float]) -> Any:
    """Let what a look brings wait for so long before it is taken."""
    take = Shard.take

    async def late(self: Shard, watch_id: str, step: Step, **answered: bool) -> None:
        if step.messages:
            await asyncio.sleep(seconds())
        await take(self, watch_id, step, **answered)

    return patch.object(Shard, "take", late)


def _messages(change: Callable[[SmsReceived], SmsReceived | None], *, also: bool = False) -> Any:
    """Let what a look brings pass through this before it is accepted."""
    take = Shard.take

    async def changed(self: Shard, watch_id: str, step: Step, **answered: bool) -> None:
        messages: list[Any] = []
        for message in step.messages:
            if not isinstance(message, SmsReceived):
                messages.append(message)
                continue
            messages += [message] if also else []
            messages += [found] if (found := change(message)) else []
        await take(self, watch_id, step._replace(messages=tuple(messages)), **answered)

    return patch.object(Shard, "take", changed)


def _found_by(*rules: str) -> frozenset[str]:
    return frozenset(rules)


BREAKS: Final[Mapping[str, Break]] = {
    "keeps_demand": Break(keeps_demand, _found_by("demand")),
    "never_drops": Break(never_drops, _found_by("leftovers")),
    "hears_no_retry_after": Break(hears_no_retry_after, _found_by("retry_after"), "throttled"),
    "actions_beside_the_budget": Break(actions_beside_the_budget, _found_by("budget"), "business", 0.1),
    "counts_one_too_many": Break(counts_one_too_many, _found_by("sequence"), hours=0.1),
    "forgets_to_publish": Break(forgets_to_publish, _found_by("published", "sequence"), hours=0.2),
    "makes_new_ids": Break(makes_new_ids, _found_by("ids"), hours=0.1),
    "never_acts": Break(never_acts, _found_by("requests"), hours=0.2),
    "polls_one_shard_less": Break(polls_one_shard_less, _found_by("polls", "published"), hours=0.2),
    "pages_beside_the_budget": Break(pages_beside_the_budget, _found_by("budget"), "rents", 0.1),
    "lets_a_shard_end": Break(lets_a_shard_end, _found_by("polls", "published", "truth"), hours=0.4),
    "never_ends": Break(never_ends, _found_by("ends"), "outage", 0.6),
    "polls_nothing_at_all": Break(polls_nothing_at_all, _found_by("truth"), hours=0.1),
    "holds_the_loop": Break(holds_the_loop, _found_by("held"), hours=0.1),
    "applies_again": Break(applies_again, _found_by("unasked", "requests"), "restarts", 0.3),
    "asks_again": Break(asks_again, _found_by("unasked"), "requests", 0.3),
    "ends_during_polls": Break(ends_during_polls, _found_by("seen"), "last_moments", 0.3),
    "publishes_late": Break(publishes_late, _found_by("delay"), hours=0.2),
    "fails_now_and_then": Break(fails_now_and_then, _found_by("unhandled"), hours=0.6),
    "slows_down": Break(slows_down, _found_by("polls"), hours=3.0),
    "publishes_later_and_later": Break(publishes_later_and_later, _found_by("drift"), "requests", 3.0),
}
