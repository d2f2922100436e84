"""Reads the list of an account's open orders, where that saves requests, and polls the changed ones."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from pollers.scheduling.account import Account
from pollers.scheduling.list_hint import ListHint
from pollers.scheduling.throttle import HEADROOM
from providers.observation import ProviderError

FEWEST: Final = 8
"""Orders from which a list can save requests: lists use a third of the budget, so that one takes as long as three
polls."""

BEHIND: Final = 10.0  # seconds of polls

_log = structlog.get_logger("pollers")


class ListFollower:
    """Follows the list of one account. Belongs to one event loop."""

    def __init__(self, account: Account, poll_now: Callable[[str], None], stopped: Callable[[Account], None]) -> None:
        """`poll_now` polls a watch before those that are not urgent; `stopped` is called when reading the list ends."""
        self.hint = ListHint()
        self.running = False
        self._account = account
        self._poll_now = poll_now
        self._stopped = stopped
        self._loop = asyncio.get_running_loop()

    @property
    def is_off(self) -> bool:
        """The list is not read for an hour: it missed an SMS, or was useless."""
        return self.hint.is_off(self._loop.time())

    def pays(self) -> bool:
        """Return whether polling every order by itself would exceed the budget; once running, half of it."""
        if not self._account.client.has_list or self.is_off or len(self.hint.demand) < FEWEST:
            return False
        rate = self._account.throttle.rate * HEADROOM
        return self.hint.demand.total > (rate / 2 if self.running else rate)

    async def run(self) -> None:
        """Read the list periodically, as long as that saves requests."""
        throttle = self._account.throttle
        self.running = True
        try:
            while self.pays():
                seconds = self.hint.interval(throttle.rate)
                throttle.set_apart = 1 / seconds
                if not self._is_behind() and await self._account.further():
                    await self._read_list()
                await asyncio.sleep(seconds)
        finally:
            throttle.set_apart = 0.0
            self.hint.forget()
            self.running = False
            self._stopped(self._account)

    def _is_behind(self) -> bool:
        """Return whether so many changed orders wait for their poll that another list would only delay them."""
        return self._account.queue.before_others() > BEHIND * self._account.throttle.rate

    async def _read_list(self) -> None:
        left_at = self._loop.time()
        listed = await self._account.active()
        if isinstance(listed, ProviderError):
            self.hint.useless(self._loop.time())
        else:
            for watch_id in self.hint.judge(listed, left_at, self._loop.time()):
                self._poll_now(watch_id)
        if self.is_off:
            hint = "every order is polled by itself for an hour: the list missed an SMS, or cannot be read"
            _log.warning("bulk_hint_off", account=self._account.name, hint=hint)
