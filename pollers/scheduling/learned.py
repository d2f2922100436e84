"""What a process has learned about its accounts, saved in one file: arrival curves, and Retry-After times.

Without it a restart polls for minutes as if nothing were known, and may poll again within a Retry-After. A file that
cannot be read or written has no other effect, and is logged once.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog

from pollers.scheduling.arrival_curve import Curve

VERSION: Final = 1
MOST_CURVES: Final = 2_000  # services of all providers; of more, the newest are saved
SAVE_EVERY: Final = 60.0  # seconds

Curves = dict[tuple[str, str | None], Curve]

_log = structlog.get_logger("pollers")


@dataclass(frozen=True)
class ToldToWait:
    """A provider's Retry-After."""

    until_ms: int
    reason: str


@dataclass
class Learned:
    """The saved values. `curves` is the live mapping that the scheduler updates."""

    path: Path | None = None
    """None: nothing is saved, for tests."""
    curves: Curves = field(default_factory=dict)
    waits: dict[str, ToldToWait] = field(default_factory=dict)
    """By account."""
    _failed: bool = False

    def load(self) -> None:
        """Read the file, if it exists."""
        if self.path is None or not self.path.exists():
            return
        try:
            content = json.loads(self.path.read_text("utf-8"))
            self._take(content)
        except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            _log.warning("learned_unreadable", file=str(self.path), error=str(error), hint="it will be overwritten")

    def _take(self, content: Any) -> None:  # noqa: ANN401 - JSON
        self.waits = {
            name: ToldToWait(int(wait["until_ms"]), str(wait["reason"])) for name, wait in content["waits"].items()
        }  # first: curves with other ranges, from before an upgrade, must not lose a Retry-After
        for provider, service, curve in content["curves"]:
            self.curves[provider, service] = Curve.from_json(curve)

    def save(self, waits: Mapping[str, ToldToWait]) -> None:
        """Write the file atomically."""
        if self.path is None:
            return
        newest = list(self.curves.items())[-MOST_CURVES:]
        content = {
            "version": VERSION,
            "curves": [[provider, service, curve.to_json()] for (provider, service), curve in newest],
            "waits": {name: {"until_ms": wait.until_ms, "reason": wait.reason} for name, wait in waits.items()},
        }
        try:
            self._write(json.dumps(content))
        except OSError as error:
            if not self._failed:
                _log.warning("learned_not_kept", file=str(self.path), error=str(error))
            self._failed = True
        else:
            self._failed = False

    def _write(self, text: str) -> None:
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(text, "utf-8")
        new.replace(self.path)
