"""One watch of one provider, stepped as a shard steps it, over answers that are given."""

from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from pydantic import SecretStr
from yarl import URL

from pollers.tracking.advance import Step, acted, advance, opened, shows_new_sms
from pollers.tracking.sms_content import with_full_text
from pollers.tracking.state import WatchState
from providers import PROVIDERS
from providers.client import Client
from providers.http_client import FetchFailed, RawResponse
from providers.observation import Last, NoCode, Observation, SeenSms
from schemas.messages import Message, Watch
from schemas.timestamps import to_text
from tests.fuzz.parts import NOW_MS
from tests.fuzz.promises import check_record

T = TypeVar("T")


class Scripted:
    """Answers what it is told to, the last one again and again; keeps no questions."""

    def __init__(self) -> None:
        self.answer: RawResponse | FetchFailed = FetchFailed("reset")

    async def get(self, url: URL) -> RawResponse:
        if isinstance(self.answer, FetchFailed):
            raise self.answer
        return self.answer


def ended(work: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    pytest.fail("it waits for something")


class Poller:
    """One watch, stepped as a shard steps it, without the waiting; every message is checked when it comes."""

    def __init__(self, provider: str, kind: str, after_sms: str, v2: bool) -> None:
        watch = Watch(
            watch_id="w",
            account="main",
            order_kind=kind,
            order_id="860",
            opened_at=to_text(NOW_MS),
            expires_at=to_text(NOW_MS + 3_600_000),
            after_sms=after_sms,
        )
        self.kind, self.now_ms = kind, NOW_MS
        self.state = opened(watch, provider, NOW_MS)
        self.messages: list[Message] = []
        self.fetcher = Scripted()
        action = "getStatusV2" if v2 else "getStatus"
        self.client: Client = PROVIDERS[provider](
            api_key=SecretStr("k"), base_url=None, fetcher=self.fetcher, status_action=action
        )

    def look(self, answer: RawResponse | FetchFailed, full: RawResponse | FetchFailed, after_ms: int) -> None:
        self.now_ms += after_ms
        self.fetcher.answer = answer
        observation = ended(self.client.poll(self.kind, "860"))
        if self.client.has_full_text and shows_new_sms(self.state, observation):
            self.fetcher.answer = full
            observation = _with_text(observation, ended(self.client.full_text("860")))
        step = advance(self.state, observation, self.now_ms)
        self.take(step)
        if step.action is not None:
            result = ended(self.client.act(self.kind, "860", step.action))
            self.take(acted(self.state, step.action, result, self.now_ms))

    def take(self, step: Step) -> None:
        for message in step.messages:
            check_record(message)
        self.messages += step.messages
        self.state = step.state
        assert WatchState.from_json(self.state.to_json()) == self.state


def _with_text(observation: Observation, full: SeenSms | None) -> Observation:
    match observation:
        case Last(sms):
            return Last(with_full_text(sms, full))
        case NoCode() if full is not None:
            return Last(full)
        case _:
            return observation
