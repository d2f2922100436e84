"""Reload the settings while serving: apply all that can change, or nothing; name what needs a restart."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Final, Literal, NamedTuple, get_args

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from app import logs
from app.errors import StartupError
from app.reloading.hangup import HangUp
from app.settings.file_reading import Files
from app.settings.load import Read, Settings, leaves
from app.settings.names import SettingsError
from app.settings.sections import Account, LogLevel, LogSettings

LEVELS: Final = get_args(LogLevel)  # the most verbose first
TAKEN_OVER: Final = ("api_key", "max_requests_per_second", "quiet_after")
"""Of a polled account; the rest is built into its client."""
REMOVED: Final = " removed"
REFUSED: Final = "reload_refused"  # a log event, and a degraded reason until a reload succeeds

Take = Callable[[Settings, Files], None]
"""Applies settings, or raises `ValueError` and changes nothing; the files are those that were read."""

_log = structlog.get_logger("smsbus")


class Serving(NamedTuple):
    """What a process does with settings that were read again."""

    take: Take
    refuse: Callable[[Settings], None]
    """Raises `StartupError` for settings that cannot be served."""
    polls: bool
    forwards: bool = False
    names_restart: bool = True
    """Whether it logs which changes need a restart."""


def without_restart(running: Settings, read: Settings, *, polls: bool, forwards: bool = False) -> Settings:
    """Return the running settings with everything new that can be applied while serving. Pure.

    `polls`: this process or one of its workers polls; otherwise only the names of polled accounts matter.
    `forwards`: it sends to the targets.
    """
    accounts = {
        name: account
        for name in {**running.accounts, **read.accounts}
        if (account := _account(running.accounts.get(name), read.accounts.get(name)))
    }
    budget = {"requests_per_second": read.pollers.requests_per_second}
    return running.model_copy(
        update={
            "accounts": accounts if polls else read.accounts,
            "forwards": running.forwards if forwards else read.forwards,
            "pollers": running.pollers.model_copy(update=budget),
            "log": running.log.model_copy(update={"level": read.log.level}),
        }
    )


def differences(one: Settings, other: Settings) -> list[str]:
    """Return the names of the settings in which they differ, never a value. Pure."""
    shared = one.accounts.keys() & other.accounts.keys()
    before, after = (
        dict(leaves(each.model_copy(update={"accounts": {name: each.accounts[name] for name in sorted(shared)}})))
        for each in (one, other)
    )
    return [
        *(name for name in {**before, **after} if before.get(name) != after.get(name)),
        *(f"accounts.{name} added" for name in sorted(other.accounts.keys() - shared)),
        *(f"accounts.{name}{REMOVED}" for name in sorted(one.accounts.keys() - shared)),
    ]


def _account(running: Account | None, read: Account | None) -> Account | None:
    """Return the account that can run without a restart; None: none can."""
    if all(each is None or each.provider == "pingme" for each in (running, read)):
        return read
    if running is None or read is None or running.provider != read.provider:
        return running
    return running.model_copy(update={name: getattr(read, name) for name in TAKEN_OVER})


class Reload:
    """Reloads the settings whenever `hangup` requests it; logs the result in one line."""

    def __init__(self, running: Settings, reread: Callable[[], Awaitable[Read]], hangup: HangUp) -> None:
        """Take the settings as they were loaded; `reread` raises `SettingsError` where they cannot be used."""
        self.running = running
        """The settings that were taken last."""
        self._reread = reread
        self._hangup = hangup
        self.results = {"taken": 0, "refused": 0}
        self._is_refused = False
        self._secrets = set(running.secrets())  # old ones, too: what still arrives with them must not show them

    def degraded(self) -> tuple[str, ...]:
        """Return the degraded reason if the newest reload was refused, else an empty tuple."""
        return (REFUSED,) if self._is_refused else ()

    @asynccontextmanager
    async def follow(self, serving: Serving) -> AsyncIterator[None]:
        """Reload on request for as long as the context lasts."""

        async def run() -> None:
            while True:
                await self._hangup.wait()
                await self.once(serving)

        task = asyncio.create_task(run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def once(self, serving: Serving) -> None:
        """Read the settings, and apply or refuse them; raises nothing, so that later requests are handled."""
        try:
            read, files = await self._reread()
            serving.refuse(read)
            after = without_restart(self.running, read, polls=serving.polls, forwards=serving.forwards)
            changed, restart = differences(self.running, after), differences(after, read)
            serving.take(after, files)
        except Exception as error:  # noqa: BLE001 - see above
            self._count("refused")
            _log.error(REFUSED, reason=_reason(error), hint="nothing has changed")
            return
        self._count("taken")
        before, self.running = self.running, after
        self._say_reloaded(changed, before.log, after.log, {*read.secrets()})
        if restart and serving.names_restart:
            _log.warning("reload_needs_restart", settings=restart)

    def _count(self, result: Literal["taken", "refused"]) -> None:
        self.results[result] += 1
        self._is_refused = result == "refused"

    def _say_reloaded(self, changed: list[str], old: LogSettings, new: LogSettings, secrets: set[str]) -> None:
        """Log as the new settings say; report the reload at the more verbose of both levels."""

        def say() -> None:
            log = _log.warning if any(each.endswith(REMOVED) for each in changed) else _log.info
            log("reloaded", changed=changed)

        talks_less = LEVELS.index(new.level) > LEVELS.index(old.level)
        if talks_less:
            say()
        if old != new or secrets - self._secrets:
            self._secrets |= secrets
            logs.configure(new, self._secrets, sys.stderr)
        if not talks_less:
            say()


class ReloadMetrics(Collector):
    """The results of the reloads."""

    def __init__(self, reload: Reload, registry: CollectorRegistry) -> None:
        self._reload = reload
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield the current values."""
        family = CounterMetricFamily("smsbus_reloads", "Reloads of the settings by SIGHUP", labels=["result"])
        for result, count in self._reload.results.items():
            family.add_metric([result], count)
        yield family


def _reason(error: Exception) -> str:
    """Return what was wrong, without values: the message of an unknown error may quote one."""
    match error:
        case SettingsError() | StartupError():
            return "; ".join(error.lines)
        case OSError():
            return f"{error.filename}: {error.strerror}"
        case ValueError() if type(error) is ValueError:
            return str(error)
        case _:
            return type(error).__name__
