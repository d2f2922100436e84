"""When watches are polled, within which budget, and what is left when they are over. Time is virtual."""

import asyncio
import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from bus.contract import NotDurable
from pollers.owned_watch import OwnedWatch
from pollers.scheduling.account import Account
from pollers.scheduling.polling import is_said
from pollers.scheduling.scheduler import LAST_BACK_OFF, SOON, Scheduler
from pollers.settings import PollersSettings
from pollers.tracking.activations import with_boundary
from pollers.tracking.advance import Step, advance, opened
from pollers.tracking.state import WatchState
from pollers.watch_commands import WatchRequest
from providers.observation import Ended, Gone, Last, Listing, Observation, ProviderError, SeenSms, Unfinished, Waiting
from schemas import timestamps
from schemas.messages import SmsReceived
from tests.virtual_time import virtual

T0 = 1_795_000_000_000
SERVER_ERROR = ProviderError("transient", "server_error", answered=True)


class Provider:
    """A client whose answers are made by `show`; it notes when it was asked for what."""

    has_full_text = False
    has_list = False

    def __init__(self, show: Callable[[str], Any] = lambda _: Waiting()) -> None:
        self.show = show
        self.asked: list[tuple[float, str]] = []
        self.latency = 0.1
        self.listed: Callable[[], Any] = dict

    async def poll(self, order_kind: str, order_id: str, unfinished: Unfinished | None = None) -> Any:
        self.asked.append((asyncio.get_running_loop().time(), order_id))
        await asyncio.sleep(self.latency)
        return self.show(order_id)

    async def active(self) -> Any:
        self.asked.append((asyncio.get_running_loop().time(), "list"))
        await asyncio.sleep(self.latency)
        return self.listed()

    async def alive(self) -> None:
        return None

    def times(self, order_id: str) -> list[float]:
        return [at for at, asked in self.asked if asked == order_id]


class Bench:
    """One account, its scheduler, and a shard that takes every step."""

    def __init__(self, provider: Provider, *, rate: float = 2.0) -> None:
        self.provider = provider
        client: Any = provider
        self.account = Account("main", "grizzlysms", client, requests_per_second=rate, rng=random.Random(1))
        self.tasks: set[asyncio.Task[None]] = set()
        self.watches: dict[str, OwnedWatch] = {}
        self.found: dict[str, float] = {}
        self.admissions: list[str] = []
        self.published: list[Any] = []
        self.full = False
        self.scheduler = Scheduler(
            {"main": self.account}, PollersSettings(), spawn=self._spawn, now_ms=self.now_ms, rng=random.Random(2)
        )

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    @staticmethod
    def now_ms() -> int:
        return T0 + int(asyncio.get_running_loop().time() * 1000)

    async def take(self, watch_id: str, step: Step, *, answered: bool) -> None:
        if self.full:
            raise NotDurable("full")
        if step.messages:
            self.found.setdefault(step.state.watch.order_id, asyncio.get_running_loop().time())
        self.watches[watch_id].state = step.state

    async def publish(self, step: Step) -> None:
        self.published += step.messages

    def admitted(self, watch_id: str) -> None:
        self.admissions.append(watch_id)

    def state(self, order_id: str, *, minutes: float = 25, kind: str = "activation") -> WatchState:
        expires = timestamps.to_text(self.now_ms() + round(minutes * 60_000))
        request = WatchRequest(account="main", order_id=order_id, order_kind=kind, expires_at=expires)
        return opened(request.watch(self.now_ms(), order_id), "grizzlysms", self.now_ms())

    def open(self, order_id: str, *, minutes: float = 25, kind: str = "activation") -> str:
        state = self.state(order_id, minutes=minutes, kind=kind)
        self.watches[state.watch.watch_id] = OwnedWatch(state)
        self.scheduler.plan(self, state, soon=False)
        return state.watch.watch_id

    @property
    def demand(self) -> float:
        return self.account.throttle.demand.total


def sms(code: str) -> Last:
    return Last(SeenSms(code=code))


@virtual
async def test_a_watch_that_ends_at_its_deadline_leaves_nothing_behind() -> None:
    bench = Bench(Provider())
    for number in range(100):
        bench.open(str(number), minutes=1)
        await asyncio.sleep(30)
    await asyncio.sleep(120)

    assert bench.scheduler.plans == {}
    assert (bench.demand, bench.account.throttle.demand.exact()) == (0.0, 0.0)
    assert (len(bench.account.queue), len(bench.scheduler._timers), bench.tasks) == (0, 0, set())
    assert all(owned.ended for owned in bench.watches.values())


@pytest.mark.parametrize(("answer", "seconds"), [(Ended("cancelled"), 300), (Ended("finished"), 300), (Gone(), 900)])
def test_whatever_ends_a_watch_its_demand_is_given_back(answer: Observation, seconds: float) -> None:
    @virtual
    async def run() -> None:
        bench = Bench(Provider(lambda _: answer))
        for number in range(10):
            bench.open(str(number))
        await asyncio.sleep(seconds)

        assert (bench.scheduler.plans, bench.demand) == ({}, 0.0)

    run()


@virtual
async def test_the_demand_of_an_account_is_that_of_its_plans_at_any_moment() -> None:
    bench = Bench(Provider(lambda order: sms(order * 4) if int(order) % 2 else Waiting()))
    for number in range(60):
        watch_id = bench.open(str(number), minutes=2 + number % 5)
        if number % 7 == 0:
            bench.scheduler.drop(watch_id)
        await asyncio.sleep(5)
        assert bench.demand == pytest.approx(bench.account.throttle.demand.exact())
        assert len(bench.account.throttle.demand) == len(bench.scheduler.plans)


@virtual
async def test_an_sms_is_found_within_seconds_when_the_budget_is_ample() -> None:
    arrives: dict[str, float] = {}
    loop = asyncio.get_running_loop()
    bench = Bench(Provider(lambda order: sms(f"{order}000") if loop.time() >= arrives[order] else Waiting()))
    for number in range(20):
        arrives[str(number)] = loop.time() + 30
        bench.open(str(number))
        await asyncio.sleep(60)
    await asyncio.sleep(60)

    delays = [bench.found[order] - at for order, at in arrives.items()]
    assert sum(delays) / len(delays) < 3


@virtual
async def test_no_ten_seconds_have_more_requests_than_the_budget() -> None:
    bench = Bench(Provider())
    for number in range(200):
        bench.open(str(number))
    await asyncio.sleep(600)

    times = [at for at, _ in bench.provider.asked]
    assert max(sum(begin <= at < begin + 10 for at in times) for begin in times) <= 21
    assert len(times) > 0.8 * 2 * 600


@virtual
async def test_an_order_that_always_fails_is_polled_less_and_less_and_the_others_as_ever() -> None:
    bench = Bench(Provider(lambda order: SERVER_ERROR if order == "broken" else Waiting()))
    bench.open("broken", kind="rent", minutes=10_000)
    bench.open("fine")
    await asyncio.sleep(1200)

    gaps = [after - before for before, after in pairwise(bench.provider.times("broken"))]
    assert max(gaps) > 0.8 * LAST_BACK_OFF
    assert bench.account.throttle.state == "open"
    assert len(bench.provider.times("fine")) > 100


@virtual
async def test_a_last_poll_that_fails_is_tried_again_every_ten_seconds_and_not_at_once() -> None:
    bench = Bench(Provider(lambda _: ProviderError("unrecognised", "no_token")))
    bench.open("1", minutes=1)
    await asyncio.sleep(65)
    asked = len(bench.provider.asked)

    await asyncio.sleep(120)

    assert len(bench.provider.asked) - asked <= 12


@virtual
async def test_a_request_during_a_poll_is_followed_by_a_poll_at_once() -> None:
    bench = Bench(Provider())
    bench.provider.latency = 2.0
    watch_id = bench.open("1")
    while not bench.provider.asked:
        await asyncio.sleep(0.1)
    await asyncio.sleep(1)
    owned = bench.watches[watch_id]
    owned.state = owned.state.having(revision=owned.revision + 1)
    bench.scheduler.plan(bench, owned.state, soon=True)

    await asyncio.sleep(2.5)

    first, second = bench.provider.times("1")[:2]
    assert second - first < 2.0 + 2 * SOON + 0.6


@virtual
async def test_a_full_bus_does_not_end_the_polling() -> None:
    bench = Bench(Provider(lambda _: sms("1111")))
    bench.full = True
    bench.open("1")
    await asyncio.sleep(20)
    bench.full = False
    await asyncio.sleep(5)

    assert "1" in bench.found


@virtual
async def test_the_demand_of_all_restored_watches_is_known_before_the_first_is_planned() -> None:
    bench = Bench(Provider())
    states = [bench.state(str(number)) for number in range(500)]
    bench.watches = {state.watch.watch_id: OwnedWatch(state) for state in states}

    await bench.scheduler.restore(bench, list(bench.watches.values()))
    await asyncio.sleep(120)

    assert len(bench.scheduler.plans) == 500
    assert bench.account.queue.waiting_for(asyncio.get_running_loop().time()) < 30


@virtual
async def test_a_poll_that_was_planned_while_the_budget_was_scarce_comes_sooner_when_it_is_not() -> None:
    bench = Bench(Provider())
    watches = [bench.open(str(number)) for number in range(200)]
    bench.account.throttle.share(0.05)
    await asyncio.sleep(120)
    for watch_id in watches[1:]:
        bench.scheduler.drop(watch_id)
    bench.account.throttle.share(1.0)
    await asyncio.sleep(5)
    polled, asked = len(bench.provider.times("0")), asyncio.get_running_loop().time()

    while len(bench.provider.times("0")) == polled:
        await asyncio.sleep(1)

    assert asyncio.get_running_loop().time() - asked < 400


@virtual
async def test_pages_of_a_rent_are_asked_for_only_where_something_is_new_and_within_the_budget() -> None:
    rows = tuple(
        SeenSms(text=f"Code {number:04}", time_raw=f"2026-11-{number % 20 + 1:02} 10:00:00") for number in range(60)
    )
    pages = 0

    class Paged(Provider):
        async def poll(self, order_kind: str, order_id: str, unfinished: Unfinished | None = None) -> Any:
            nonlocal pages
            self.asked.append((asyncio.get_running_loop().time(), order_id))
            await asyncio.sleep(self.latency)
            shown = 10 if unfinished is None else unfinished.more + 10  # type: ignore[operator]
            pages += unfinished is not None
            listing = Listing(rows[-shown:], complete=shown >= 60)
            return listing if shown >= 60 else Unfinished(listing, shown)

    bench = Bench(Paged())
    for number in range(10):
        bench.open(str(number), kind="rent", minutes=10_000)
    await asyncio.sleep(300)
    first = pages
    await asyncio.sleep(300)

    asked = [at for at, _ in bench.provider.asked]
    assert (first, pages) == (50, 50)
    assert max(sum(begin <= at < begin + 10 for at in asked) for begin in asked) <= 21


@virtual
async def test_an_action_goes_before_polls_and_costs_the_budget_a_slot() -> None:
    bench = Bench(Provider())
    for number in range(100):
        bench.open(str(number))
    await asyncio.sleep(60)
    watch_id = next(iter(bench.watches))

    bench.scheduler.queue_action(bench, watch_id)
    await asyncio.sleep(1.5)

    assert bench.admissions == [watch_id]


@virtual
async def test_a_watch_that_is_reopened_while_a_poll_is_under_way_is_polled_on() -> None:
    bench = Bench(Provider())
    watch_id = bench.open("7")
    bench.provider.latency = 5.0
    while not bench.watches[watch_id].polling:
        await asyncio.sleep(0.1)
    bench.scheduler.drop(watch_id)  # stopped
    bench.scheduler.plan(bench, bench.watches[watch_id].state, soon=True)  # and reopened
    await asyncio.sleep(3)
    bench.provider.latency = 0.1
    asked = len(bench.provider.asked)
    await asyncio.sleep(60)

    assert len(bench.provider.asked) - asked > 3


@virtual
async def test_what_is_wanted_does_not_wait_for_an_interval_because_one_poll_was_lost() -> None:
    lost = [ProviderError("transient", "reset")]
    bench = Bench(Provider(lambda order: lost.pop() if order == "7" and lost else Waiting()), rate=1.0)
    for number in range(100, 200):
        bench.open(str(number))
    await asyncio.sleep(600)  # the others rest longer and longer
    state = bench.state("7")
    wanted = state.having(watch=state.watch.model_copy(update={"desired": "cancel"}))
    bench.watches[state.watch.watch_id] = OwnedWatch(wanted)
    bench.scheduler.plan(bench, wanted, soon=True)
    await asyncio.sleep(30)

    first, second, *_ = bench.provider.times("7")
    assert second - first < 10


@virtual
async def test_what_is_wanted_does_not_wait_for_a_hundred_orders_that_were_just_opened() -> None:
    bench = Bench(Provider(), rate=1.0)
    for number in range(100, 400):
        bench.open(str(number))
    await asyncio.sleep(30)
    assert len(bench.account.queue) > 20
    state = bench.state("7")
    wanted = state.having(watch=state.watch.model_copy(update={"desired": "cancel"}))
    bench.watches[state.watch.watch_id] = OwnedWatch(wanted)
    bench.scheduler.plan(bench, wanted, soon=True)
    await asyncio.sleep(5)

    assert bench.provider.times("7")


@virtual
async def test_a_rent_is_not_taken_for_the_activation_with_the_same_id() -> None:
    bench = Bench(Provider(lambda _: Listing((SeenSms(text="1"),))))
    rent = bench.state("7", kind="rent")
    bench.scheduler.lists["main"].hint.track("7", "the activation's watch", 0.0, has_sms=False)
    bench.watches[rent.watch.watch_id] = OwnedWatch(rent)
    bench.scheduler.plan(bench, rent, soon=True)
    await asyncio.sleep(30)

    assert bench.found
    assert not bench.scheduler.lists["main"].hint._rows["7"].has_sms


@pytest.mark.parametrize(
    ("observation", "said"),
    [
        (Waiting(), True),
        (ProviderError("unrecognised", "unknown_token", answered=True), True),
        (ProviderError("unrecognised", "not_json"), False),
        (ProviderError("transient", "server_error", answered=True), False),
    ],
)
def test_requests_that_wait_for_an_answer_are_applied_after_one_in_words_that_nobody_knows(
    observation: Observation, said: bool
) -> None:
    assert is_said(observation) is said


@virtual
async def test_an_order_that_rests_is_not_planned_by_the_scarcity_that_it_had_made_itself() -> None:
    bench = Bench(Provider(lambda _: sms("123456")), rate=0.1)
    state = bench.state("7")
    step = advance(state, sms("123456"), bench.now_ms())
    waiting = with_boundary(step.state, "requested", bench.now_ms())
    bench.scheduler.plan(bench, waiting, soon=False)
    scarce = bench.account.throttle.stretch()

    usual, _ = bench.scheduler._set_demand(bench.scheduler.plans[state.watch.watch_id], step.state)

    assert scarce > 5
    assert usual == PollersSettings().max_interval


@virtual
async def test_what_was_too_early_is_polled_for_as_soon_as_its_waiting_time_is_over() -> None:
    bench = Bench(Provider(lambda _: sms("123456")), rate=0.5)
    for number in range(100):
        bench.open(str(number))
    await asyncio.sleep(300)  # all have their SMS, and with this budget minutes between two polls
    until = asyncio.get_running_loop().time() + 40
    state = bench.state("held")
    cancelled = state.watch.model_copy(update={"desired": "cancel"})
    held = OwnedWatch(state.having(watch=cancelled, not_before_ms=bench.now_ms() + 40_000))
    bench.watches[state.watch.watch_id] = held
    bench.scheduler.plan(bench, held.state, soon=False)
    await asyncio.sleep(50)

    assert [at for at in bench.provider.times("held") if until <= at <= until + 5]


@virtual
async def test_five_hundred_orders_on_two_requests_a_second_are_seen_within_seconds_with_a_list() -> None:
    loop, arrives = asyncio.get_running_loop(), dict[str, float]()

    def row(order: str) -> str:
        return f"6:{order}" if loop.time() >= arrives[order] else "1"

    provider = Provider(lambda order: sms(f"{int(order):05}") if loop.time() >= arrives[order] else Waiting())
    provider.has_list = True
    provider.listed = lambda: {order: row(order) for order in arrives}
    bench, rng = Bench(provider), random.Random(5)
    for number in range(500):
        arrives[str(number)] = loop.time() + rng.uniform(60, 1200)
        bench.open(str(number), minutes=60)
    for _ in range(1300):
        bench.scheduler.review_lists()
        await asyncio.sleep(1)

    delays = sorted(bench.found[order] - at for order, at in arrives.items() if at > 300)
    assert sum(delays) / len(delays) < 4
    assert delays[int(len(delays) * 0.99)] < 15
    times = [at for at, _ in provider.asked]
    assert max(sum(begin <= at < begin + 10 for at in times) for begin in times) <= 21


@virtual
async def test_a_poll_that_a_list_has_caused_and_that_failed_is_made_again_at_once() -> None:
    loop, arrived, fails = asyncio.get_running_loop(), set[str](), 2

    def show(order: str) -> Observation:
        nonlocal fails
        if order not in arrived:
            return Waiting()
        fails -= 1
        return ProviderError("transient", "reset") if fails >= 0 else sms("4821")

    provider = Provider(show)
    provider.has_list = True
    provider.listed = lambda: {str(number): "6" if str(number) in arrived else "1" for number in range(100)}
    bench = Bench(provider)
    for number in range(100):
        bench.open(str(number), minutes=60)
    for second in range(600):
        bench.scheduler.review_lists()
        if second == 500:
            arrived.add("7")
            came = loop.time()
        await asyncio.sleep(1)

    assert bench.found["7"] - came < 12


@virtual
async def test_a_thousand_failures_in_a_row_are_no_more_than_a_long_rest() -> None:
    bench = Bench(Provider(lambda _: SERVER_ERROR))
    watch_id = bench.open("1", kind="rent", minutes=100_000)
    bench.scheduler.plans[watch_id].failures = 5_000
    await asyncio.sleep(2_000)

    assert 4 <= len(bench.provider.asked) <= 9


@virtual
async def test_a_shard_that_is_lost_while_a_step_is_taken_leaves_no_demand() -> None:
    bench = Bench(Provider())
    watch_id = bench.open("1")
    take = bench.take

    async def lost(watch_id: str, step: Step, *, answered: bool) -> None:
        await take(watch_id, step, answered=answered)
        bench.scheduler.drop(watch_id)

    bench.take = lost  # type: ignore[method-assign]
    await asyncio.sleep(60)

    assert (bench.demand, watch_id in bench.scheduler.plans) == (0.0, False)


async def a_poll_is_under_way(bench: Bench) -> None:
    while not bench.provider.asked:
        await asyncio.sleep(0.01)


def moved(bench: Bench, watch_id: str) -> None:
    bench.watches.clear()
    bench.scheduler.drop(watch_id)


def restored_anew(bench: Bench, watch_id: str) -> None:
    bench.watches[watch_id] = OwnedWatch(bench.watches[watch_id].state)


@pytest.mark.parametrize("loses", [moved, restored_anew])
def test_an_sms_in_an_answer_that_comes_after_its_shard_was_lost_is_published(
    loses: Callable[[Bench, str], None],
) -> None:
    @virtual
    async def run() -> None:
        bench = Bench(Provider(lambda _: sms("1234")))
        watch_id = bench.open("1")
        await a_poll_is_under_way(bench)
        loses(bench, watch_id)
        await asyncio.sleep(bench.provider.latency + 0.01)

        assert ([type(message) for message in bench.published], bench.found) == ([SmsReceived], {})

    run()


@virtual
async def test_the_sms_in_such_an_answer_is_counted_after_those_that_the_new_owner_has_counted() -> None:
    bench = Bench(Provider(lambda _: sms("2222")))
    watch_id = bench.open("1")
    await a_poll_is_under_way(bench)
    after_another = advance(bench.watches[watch_id].state, sms("1111"), bench.now_ms())
    bench.watches[watch_id] = OwnedWatch(after_another.state)
    await asyncio.sleep(bench.provider.latency + 0.01)

    assert [message.sequence for message in bench.published] == [1]


@virtual
async def test_a_watch_whose_sms_the_bus_refused_is_not_polled_until_it_is_taken() -> None:
    bench = Bench(Provider())
    watch_id = bench.open("1")
    await asyncio.sleep(10)
    bench.watches[watch_id].not_durable = True
    await asyncio.sleep(1)
    before = len(bench.provider.asked)
    await asyncio.sleep(120)
    meanwhile = len(bench.provider.asked) - before
    bench.watches[watch_id].not_durable = False
    await asyncio.sleep(5)

    assert meanwhile == 0
    assert len(bench.provider.asked) > before


async def quick_polls(
    slow_accounts: int, latency: float, *, quick_watches: int, settings: PollersSettings, first: bool = False
) -> int:
    """Return how often a quick account is asked in five minutes beside slow ones with a hundred watches each."""
    slow, quick = Provider(), Provider()
    slow.latency = latency
    named = [(f"slow{number}", slow) for number in range(slow_accounts)]
    clients: Any = dict([("main", quick), *named] if first else [*named, ("main", quick)])
    accounts = {
        name: Account(name, "grizzlysms", client, requests_per_second=2.0, rng=random.Random(1))
        for name, client in clients.items()
    }
    bench = Bench(quick)
    bench.scheduler = Scheduler(accounts, settings, spawn=bench._spawn, now_ms=bench.now_ms, rng=random.Random(2))
    for account in accounts:
        for number in range(100 if account != "main" else quick_watches):
            request = WatchRequest(account=account, order_id=f"{account}-{number}")
            state = opened(request.watch(bench.now_ms(), "1"), "grizzlysms", bench.now_ms())
            bench.watches[state.watch.watch_id] = OwnedWatch(state)
            bench.scheduler.plan(bench, state, soon=False)
    await asyncio.sleep(300)
    return len(quick.asked)


@virtual
async def test_an_account_that_answers_slowly_leaves_the_others_their_polls() -> None:
    assert await quick_polls(5, 14.0, quick_watches=5, settings=PollersSettings()) > 100


@virtual
async def test_with_more_slow_accounts_than_workers_the_quick_ones_have_their_turn() -> None:
    settings = PollersSettings(max_concurrent_polls=4)

    assert await quick_polls(4, 12.0, quick_watches=1, settings=settings) > 10
    assert await quick_polls(4, 12.0, quick_watches=1, settings=settings, first=True) > 10


@virtual
async def test_an_order_that_changed_and_always_fails_backs_off_like_any_other() -> None:
    provider = Provider(lambda order: SERVER_ERROR if order == "7" else Waiting())
    provider.has_list = True
    changed = False
    provider.listed = lambda: {str(number): "6" if number == 7 and changed else "1" for number in range(100)}
    bench = Bench(provider)
    for number in range(100):
        bench.open(str(number), minutes=600)
    for second in range(2400):
        bench.scheduler.review_lists()
        changed = second > 300
        await asyncio.sleep(1)

    assert len([at for at in provider.times("7") if at > 600]) < 30


@virtual
async def test_rents_whose_further_page_always_fails_rest_and_the_others_are_polled_as_ever() -> None:
    class Cut(Provider):
        async def poll(self, order_kind: str, order_id: str, unfinished: Unfinished | None = None) -> Any:
            self.asked.append((asyncio.get_running_loop().time(), order_id))
            await asyncio.sleep(self.latency)
            if order_kind != "rent":
                return Waiting()
            return (
                SERVER_ERROR if unfinished is not None else Unfinished(Listing((SeenSms(text="Code 1111"),), False), 1)
            )

    bench = Bench(Cut())
    for number in range(5):
        bench.open(f"rent {number}", kind="rent", minutes=10_000)
        bench.open(f"fine {number}", minutes=600)
    await asyncio.sleep(1200)

    of_rents = [at for at, order in bench.provider.asked if order.startswith("rent")]
    assert len(bench.found) == 5, "what the first page shows is published"
    assert 150 < len(of_rents) < 400, "first pages are asked for as ever, others rarely"
    assert len(bench.provider.asked) - len(of_rents) > 200


@virtual
async def test_an_order_over_which_the_provider_breaks_rests_and_the_account_does_not() -> None:
    bench = Bench(Provider(lambda order: ProviderError("transient", "http_500") if order == "broken" else Waiting()))
    bench.open("broken", minutes=600)
    for number in range(20):
        bench.open(str(number), minutes=600)
    closed = 0
    for _ in range(1200):
        closed += bench.account.throttle.state != "open"
        await asyncio.sleep(1)

    assert len(bench.provider.times("broken")) < 30
    assert closed < 30


@virtual
async def test_a_provider_that_breaks_over_every_order_makes_the_account_back_off_and_no_order_rest() -> None:
    broken = True
    bench = Bench(Provider(lambda _: ProviderError("transient", "http_500") if broken else Waiting()))
    for number in range(20):
        bench.open(str(number), minutes=600)
    await asyncio.sleep(600)
    closed = bench.account.throttle.state

    broken = False
    await asyncio.sleep(120)

    assert closed == "backing_off"
    assert {plan.failures for plan in bench.scheduler.plans.values()} == {0}


@virtual
async def test_orders_that_are_all_unknown_for_a_while_are_polled_on_and_one_alone_has_ended() -> None:
    away: set[str] = set()
    bench = Bench(Provider(lambda order: Gone() if order in away else Waiting()))
    for number in range(20):
        bench.open(str(number), minutes=60)
    await asyncio.sleep(60)
    away.update(str(number) for number in range(20))
    await asyncio.sleep(120)
    said = bench.account.orders_unknown(bench.now_ms())
    away.clear()
    await asyncio.sleep(120)
    alive = [owned for owned in bench.watches.values() if not owned.ended]
    away.add("7")
    await asyncio.sleep(240)

    assert (said, len(alive), bench.account.orders_unknown(bench.now_ms())) == (True, 20, False)
    assert [owned.state.watch.order_id for owned in bench.watches.values() if owned.ended] == ["7"]


@virtual
async def test_orders_that_are_unknown_since_before_a_restart_have_their_time_too() -> None:
    bench = Bench(Provider(lambda _: Gone()))
    long_ago = bench.now_ms() - 300_000
    for number in range(20):
        state = bench.state(str(number), minutes=60).having(gone_count=3, gone_ms=long_ago)
        bench.watches[state.watch.watch_id] = OwnedWatch(state)
        bench.scheduler.plan(bench, state, soon=True)
    await asyncio.sleep(120)

    assert len(bench.scheduler.plans) == 20


@virtual
async def test_where_orders_always_end_at_the_provider_each_ends_within_its_time() -> None:
    """One every 20 s, each known for three minutes: nearly half of them are unknown at any time."""
    loop, began = asyncio.get_running_loop(), dict[str, float]()
    bench = Bench(Provider(lambda order: Gone() if loop.time() - began[order] > 180 else Waiting()))
    said = 0
    for number in range(180):
        began[str(number)] = loop.time()
        bench.open(str(number), minutes=20)
        await asyncio.sleep(20)
        said += bench.account.orders_unknown(bench.now_ms())

    assert said == 0
    assert len(bench.scheduler.plans) < 20


@virtual
async def test_rents_that_no_list_tells_of_count_for_the_delay_that_is_expected() -> None:
    provider = Provider()
    provider.has_list = True
    provider.listed = lambda: {str(number): "1" for number in range(30)}
    bench = Bench(provider, rate=1.0)
    for number in range(30):
        bench.open(str(number), minutes=600)
    for number in range(400):
        bench.open(f"rent {number}", kind="rent", minutes=10_000)
    for _ in range(1200):
        bench.scheduler.review_lists()
        await asyncio.sleep(1)

    assert bench.account.expected_delay() < 10
    assert bench.scheduler.expected_delay(bench.account) > 100
