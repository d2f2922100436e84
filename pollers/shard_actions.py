"""Performing the actions that the watches of a shard request, each right after the commit of its state."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import structlog

from pollers.owned_watch import OwnedWatch
from pollers.scheduling.account import Account
from pollers.tracking.advance import acted
from providers.observation import ProviderError
from providers.results import Action

if TYPE_CHECKING:
    from pollers.shard import Shard

ADMITTED: Final = 15.0  # seconds for which an action keeps its slot of the budget; the slowest commit takes 12
LICENCE: Final = 2.0  # seconds after our own confirmed commit in which an action may start
MANY_TRIES: Final = 2  # of a failed action: after that the order is polled when the action may be repeated, not at once
NEW_OWNER: Final = 10.0  # seconds without actions: one of the previous owner may still be in flight
NEXT_COMMIT: Final = 0.05  # seconds after the end of that

_log = structlog.get_logger("pollers")


class ShardActions:
    """Decides when a requested action starts, and performs it. Owns the time before which none starts."""

    def __init__(self, shard: "Shard", accounts: Mapping[str, Account], now_ms: Callable[[], int]) -> None:
        self._shard = shard
        self._accounts = accounts
        self._now_ms = now_ms
        self._not_before = 0.0  # by the loop's clock
        self._loop = asyncio.get_running_loop()

    def wait_for_previous_owner(self) -> None:
        """Start no action for a while."""
        self._not_before = self._loop.time() + NEW_OWNER

    def start(self, watch_id: str, owned: OwnedWatch, confirmed_at: float) -> None:
        """Perform the action if this process committed the state a moment ago, and if the account may be called."""
        if owned.action is None or owned.action_in_flight or owned.may_have_seen() or not owned.is_settled():
            return
        if confirmed_at < self._not_before:
            at = self._not_before + NEXT_COMMIT
            self._loop.call_at(at, self._shard.states.mark, watch_id)  # commit again, then act
            return
        if owned.admitted_at is None or self._loop.time() - owned.admitted_at > ADMITTED:
            self._shard.queue_action(watch_id)
            return
        owned.action_in_flight = True
        self._shard.spawn(self._perform(watch_id, owned, owned.action, confirmed_at, owned.admitted_at))
        owned.action = owned.admitted_at = None

    async def _perform(
        self, watch_id: str, owned: OwnedWatch, action: Action, confirmed_at: float, admitted_at: float
    ) -> None:
        try:
            now = self._loop.time()
            if now - confirmed_at > LICENCE:
                return  # the state still has the requested action: the next poll triggers it again
            state = owned.state
            account = self._accounts[state.watch.account]
            late = now - admitted_at
            result = await account.act(state.watch.order_kind, state.watch.order_id, action, late=late)
            said = result.code if isinstance(result, ProviderError) else result
            _log.info("acted", account=state.watch.account, watch_id=watch_id, action=action, result=said)
            if self._shard.watches.get(watch_id) is owned:
                await self._shard.accept_step(owned, acted(owned.state, action, result, self._now_ms()))
            if self._shard.watches.get(watch_id) is owned:
                self._shard.plan(owned, soon=owned.state.tries < MANY_TRIES)
        finally:
            owned.action_in_flight = False
