"""What the table stores of each watch: compact, since there may be a hundred thousand.

The state of an ended watch is stored as bytes until it is forgotten. An activation's has 550 to 800, for 24 hours: at
20 ends a minute that is 28,800 of them, 16 to 23 MB.
"""

import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from pollers.tracking.state import WatchState
from pollers.watch_commands import last_applied, request_name
from pollers.watches.open_watches import Open
from schemas import timestamps
from schemas.messages import Watch, WatchRecord


class Progress(NamedTuple):
    """The progress of a watch; one shared object for all watches with equal progress."""

    sms_count: int = 0
    ended: str | None = None
    outcome: str = "accepted"
    """The outcome of the last request that was applied."""


class _Asked(BaseModel):
    """The part of a description that the table needs."""

    model_config = ConfigDict(extra="ignore")

    account: str
    order_kind: str
    opened_at: str


class _Newest(BaseModel):
    model_config = ConfigDict(extra="ignore")

    boundary: str = "none"
    boundary_ms: int = 0


class _State(BaseModel):
    model_config = ConfigDict(extra="ignore")

    format: Literal[1] = 1
    watch: _Asked
    sms_count: int = 0
    ended: str | None = None
    applied: str | None = None
    outcome: str = "accepted"
    newest: _Newest | None = None


@dataclass(slots=True)
class Entry:
    """One watch: its newest command, and its state while it is live. They are parsed on access."""

    watch_id: str
    command: bytes | None = None
    state: bytes | None = None
    """Of a live watch, or one that cannot be read."""
    past: bytes | None = None
    """The last state of a watch that has ended."""
    progress: Progress | None = None
    """None: no readable state of it was committed."""
    applied: str | None = None
    """The name of the last request that its shard applied."""
    account: str | None = None
    is_rent: bool = False
    opened_ms: int = 0
    awaits_ms: int | None = None
    """Since when the next SMS is awaited, after one was seen."""
    reopens: bool = False
    """It has ended, and its newest command, which is not applied yet, opens it again."""

    @property
    def ended(self) -> str | None:
        """Why it has ended; None while it is live, and once its reopening was requested."""
        return self.progress.ended if self.progress and not self.reopens else None

    @property
    def is_forgotten(self) -> bool:
        """Neither topic has it any more."""
        return self.command is None and self.state is None and self.progress is None

    @property
    def is_known(self) -> bool:
        """There is something to show."""
        return self.command is not None or self.state is not None

    @property
    def is_unreadable(self) -> bool:
        """Its shard does not process it: the state cannot be read, or there is none and the command cannot be read."""
        return self.progress is None and (self.state is not None or self.account is None)

    @property
    def is_open(self) -> bool:
        """It is polled, or will be."""
        return self.ended is None and not self.is_unreadable

    def open(self) -> tuple[str, Open] | None:
        """Return its account and what its demand depends on; None if it has no demand."""
        if self.account is None or not self.is_open:
            return None
        has_sms = self.progress is not None and self.progress.sms_count > 0
        since_ms = self.opened_ms if self.awaits_ms is None else self.awaits_ms
        return self.account, Open(self.is_rent, since_ms, has_sms and self.awaits_ms is None)

    def take_command(self, value: bytes | None) -> None:
        """Take the newest command; None: it was deleted."""
        self.command, self.reopens = value, False
        if self.state is None:
            self._describe(_asked(value))
        if self.progress is not None and self.progress.ended is not None:
            self._compare()

    def take_state(self, value: bytes | None) -> None:
        """Take the newest state; None: it was forgotten."""
        self.state, self.past = value, None
        self.progress, self.applied, self.awaits_ms, self.reopens = None, None, None, False
        if value is None:
            self._describe(_asked(self.command))
        elif (state := _state(value)) is not None:
            self.progress = _shared(state.sms_count, state.ended, state.outcome)
            self.applied = state.applied or _last_applied(value)
            if state.newest is not None and state.newest.boundary != "none":
                self.awaits_ms = state.newest.boundary_ms
            self._describe(state.watch)
            if state.ended is not None:
                self.state, self.past = None, value
                self._compare()

    def _compare(self) -> None:
        command = watch_in(self.command)
        self.reopens = command is not None and command.desired == "watch" and request_name(command) != self.applied

    def _describe(self, asked: _Asked | None) -> None:
        if asked is None:
            self.account = None
            return
        self.account = sys.intern(asked.account)
        self.is_rent = asked.order_kind == "rent"
        self.opened_ms = _moment(asked.opened_at)


def watch_in(command: bytes | None) -> Watch | None:
    """Return the watch of a command; None for none, or for one that cannot be read."""
    try:
        return WatchRecord.model_validate_json(command) if command is not None else None
    except ValidationError:
        return None


def state_in(value: bytes | None) -> WatchState | None:
    """Return the state; None for none, or for one that cannot be read."""
    try:
        return WatchState.from_json(value) if value is not None else None
    except ValidationError:
        return None


def _last_applied(value: bytes) -> str | None:
    """Return the last request applied, for a state from before requests had names."""
    state = state_in(value)
    return last_applied(state) if state else None


def _asked(value: bytes | None) -> _Asked | None:
    try:
        return _Asked.model_validate_json(value) if value is not None else None
    except ValidationError:
        return None


def _state(value: bytes) -> _State | None:
    try:
        return _State.model_validate_json(value)
    except ValidationError:
        return None


def _moment(text: str) -> int:
    try:
        return timestamps.to_epoch_ms(text)
    except ValueError:
        return 0


@lru_cache(maxsize=4096)
def _shared(sms_count: int, ended: str | None, outcome: str) -> Progress:
    return Progress(sms_count, ended, outcome)
