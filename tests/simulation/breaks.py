"""The program broken on purpose, each time in one place: what the auditor must find."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Final

BREAKS: Final[Mapping[str, Callable[[], AbstractContextManager[object]]]] = {}
