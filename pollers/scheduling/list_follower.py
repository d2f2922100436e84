"""Reads the list of an account's open orders, where that pays, and has the changed ones polled."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from pollers.scheduling.account import Account
from pollers.scheduling.list_hint import ListHint
from pollers.scheduling.throttle import HEADROOM
from providers.observation import ProviderError

FEWEST: Final = 8
"""Orders for which a list can pay: it takes as long as three of their polls, since lists get a third of the budget."""

BEHIND: Final = 10.0  # seconds of polls

_log = structlog.get_logger("pollers")


class ListFollower:
    """The lists of one account. Belongs to one event loop."""

    def __init__(self, account: Account, poll_now: Callable[[str], None], stopped: Callable[[Account], None]) -> None:
        """`poll_now` polls a watch before what is not urgent; `stopped` hears that orders have their own pace again."""
        self.hint = ListHint()
        self.running = False
        self._account = account
        self._poll_now = poll_now
        self._stopped = stopped
        self._loop = asyncio.get_running_loop()

    @property
    def is_off(self) -> bool:
        """The list is not followed for an hour: it missed an SMS, or was of no use."""
        return self.hint.is_off(self._loop.time())

    def pays(self) -> bool:
        """Polling every order by itself would exceed the budget; once followed, until half of that demand is left."""
        if not self._account.client.has_list or self.is_off or len(self.hint.demand) < FEWEST:
            return False
        rate = self._account.throttle.rate * HEADROOM
        return self.hint.demand.total > (rate / 2 if self.running else rate)

    async def run(self) -> None:
        """Read the list again and again, as long as that pays."""
        throttle = self._account.throttle
        self.running = True
        try:
            while self.pays():
                seconds = self.hint.interval(throttle.rate)
                throttle.set_apart = 1 / seconds
                if not self._is_behind() and await self._account.further():
                    await self._read()
                await asyncio.sleep(seconds)
        finally:
            throttle.set_apart = 0.0
            self.hint.forget()
            self.running = False
            self._stopped(self._account)

    def _is_behind(self) -> bool:
        """So many orders are known to have changed that another list would only take requests from them."""
        return self._account.queue.before_others() > BEHIND * self._account.throttle.rate

    async def _read(self) -> None:
        left_at = self._loop.time()
        listed = await self._account.active()
        if isinstance(listed, ProviderError):
            self.hint.useless(self._loop.time())
        else:
            for watch_id in self.hint.judge(listed, left_at, self._loop.time()):
                self._poll_now(watch_id)
        if self.is_off:
            hint = "for an hour every order is polled by itself: the list missed an SMS, or could not be read"
            _log.warning("bulk_hint_off", account=self._account.name, hint=hint)
