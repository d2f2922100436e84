"""One line of what a check has found."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One line. `failed` makes the command fail, `warning` does not."""

    mark: Literal["ok", "warning", "failed"]
    text: str
