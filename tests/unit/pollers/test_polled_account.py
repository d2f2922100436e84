"""Every request of an account obeys its one back-off: looks, actions and full texts alike."""

import asyncio
import random
from math import inf
from typing import Any

import pytest

from pollers.scheduling.account import Account
from providers.client import Another
from providers.observation import Observation, ProviderError, SeenSms, Waiting

TOO_MANY = ProviderError("throttled", "too_many", retry_after=7.0)


class Provider:
    """A client that answers what it is told to, and notes what it was asked."""

    has_full_text = True

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Any = Waiting()

    async def poll(self, order_kind: str, order_id: str, unfinished: object = None) -> Observation:
        self.asked.append("poll")
        return self.answer

    async def full_text(self, order_id: str) -> SeenSms:
        self.asked.append("full_text")
        return SeenSms(text="Your code is 1111")

    async def act(self, order_kind: str, order_id: str, action: str, another: str | None = None) -> Any:
        self.asked.append(another or action)
        return self.answer.pop(0) if isinstance(self.answer, list) else self.answer

    async def active(self) -> Any:
        self.asked.append("active")
        return self.answer


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
async def account(provider: Provider) -> Account:
    return Account("main", "smsverified", provider, requests_per_second=5, rng=random.Random(1))  # type: ignore[arg-type]


async def test_an_open_account_is_asked_for_everything(account: Account, provider: Provider) -> None:
    provider.answer = "done"

    acted = await account.act("activation", "7", "next")
    full = await account.full_text("7")

    assert (acted, full) == ("done", SeenSms(text="Your code is 1111"))
    assert provider.asked == ["next", "full_text"]


async def test_an_account_that_backs_off_is_asked_for_nothing_at_all(account: Account, provider: Provider) -> None:
    provider.answer = TOO_MANY
    await account.poll("activation", "7")

    acted = await account.act("activation", "7", "next")
    full = await account.full_text("7")

    assert (acted, full) == (ProviderError("transient", "account_waits"), None)
    assert provider.asked == ["poll"]


async def test_an_older_request_that_hears_a_retry_after_stops_an_action_as_well(
    account: Account, provider: Provider
) -> None:
    account.throttle.report(TOO_MANY, started=-inf, now=asyncio.get_running_loop().time())

    acted = await account.act("activation", "7", "cancel")

    assert (account.throttle.state, acted) == ("open", ProviderError("transient", "account_waits"))
    assert provider.asked == []


async def test_an_action_that_is_too_much_for_the_provider_makes_the_account_back_off(
    account: Account, provider: Provider
) -> None:
    provider.answer = TOO_MANY

    await account.act("activation", "7", "next")

    assert account.throttle.state == "backing_off"
    assert account.throttle.wait(account._loop.time()) > 6.5
    assert account.outcomes == {}  # those are of looks


async def test_a_refused_action_is_an_answer_like_any_other(account: Account, provider: Provider) -> None:
    provider.answer = ProviderError("denied", "cant_cancel")

    await account.act("activation", "7", "next")

    assert account.throttle.state == "open"


async def test_another_way_to_act_is_tried_once_and_within_the_budget(account: Account, provider: Provider) -> None:
    provider.answer = [Another("ready"), "done"]
    began = account._loop.time()
    account.throttle.admit(began)

    acted = await account.act("activation", "7", "next")

    assert (acted, provider.asked) == ("done", ["next", "ready"])
    assert account._loop.time() - began >= 0.13


async def test_a_text_that_is_fetched_apart_waits_for_its_slot_and_its_refusal_is_heard(
    account: Account, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(order_id: str) -> ProviderError:
        return TOO_MANY

    monkeypatch.setattr(provider, "full_text", refuse)

    assert await account.full_text("7") is None
    assert account.throttle.state == "backing_off"


async def test_ten_bad_actions_in_a_row_pause_that_kind_of_order_and_no_other(
    account: Account, provider: Provider
) -> None:
    provider.answer = ProviderError("request_error", "bad_action", answered=True)
    for _ in range(10):
        await account.poll("rent", "7")

    first, second = account.wait_of_kind("rent", 100.0), account.wait_of_kind("rent", 101.0)

    assert (account.throttle.state, account.paused_kinds()) == ("open", ("rent",))
    assert (first, second, account.wait_of_kind("activation", 101.0)) == (0.0, 59.0, 0.0)
    provider.answer = Waiting()
    await account.poll("rent", "7")
    assert (account.paused_kinds(), account.wait_of_kind("rent", 102.0)) == ((), 0.0)


async def test_a_list_that_is_not_offered_is_no_trouble_of_the_account(account: Account, provider: Provider) -> None:
    provider.answer = ProviderError("request_error", "bad_action", answered=True)

    for _ in range(20):
        await account.active()

    assert (account.throttle.state, account.paused_kinds()) == ("open", ())


async def test_a_full_text_that_is_lost_on_its_way_is_asked_for_twice(
    account: Account, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [ProviderError("transient", "server_error", answered=True), SeenSms(text="Your code is 1111")]

    async def lose(_: str) -> Any:
        return answers.pop(0)

    monkeypatch.setattr(provider, "full_text", lose)

    assert await account.full_text("7") == SeenSms(text="Your code is 1111")
    answers[:] = [ProviderError("transient", "server_error", answered=True)] * 4
    assert await account.full_text("7") is None
    assert len(answers) == 2


async def test_a_key_that_is_wrong_for_one_action_alone_does_not_pause_the_account_again(
    account: Account, provider: Provider
) -> None:
    provider.answer = ProviderError("auth", "bad_key")
    await account.act("activation", "7", "finish")
    paused = account.throttle.state
    await asyncio.sleep(0)
    account.throttle.state = "open"  # the probe was answered
    provider.answer = Waiting()
    await account.poll("activation", "8")

    provider.answer = ProviderError("auth", "bad_key")
    result = await account.act("activation", "7", "finish")

    assert (paused, result, account.throttle.state) == ("paused", ProviderError("auth", "bad_key"), "open")

    await account.poll("activation", "8")

    assert account.throttle.state == "paused"


async def test_another_client_is_asked_from_the_next_request_on(account: Account, provider: Provider) -> None:
    provider.answer = ProviderError("auth", "bad_key")
    await account.poll("activation", "7")
    new = Provider()

    account.take(new, requests_per_second=3)  # type: ignore[arg-type]
    account.throttle.share(1.0)
    await account.poll("activation", "7")

    assert (provider.asked, new.asked) == (["poll"], ["poll"])
    assert account.throttle.rate == 3


async def test_another_budget_alone_leaves_the_client_and_its_pause(account: Account, provider: Provider) -> None:
    provider.answer = ProviderError("auth", "bad_key")
    await account.poll("activation", "7")
    waits = account.throttle.wait(0.0)

    account.take(None, requests_per_second=3)

    assert account.client is provider  # type: ignore[comparison-overlap]
    assert (account.throttle.state, account.throttle.wait(0.0)) == ("paused", waits)
