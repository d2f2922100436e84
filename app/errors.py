"""Why the service does not start."""

from collections.abc import Coroutine
from errno import EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL
from socket import gaierror
from typing import Any, Final

from bus.journal.journal import JournalUnwritable

NO_ADDRESS: Final = frozenset({EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL})
"""A listener's errors that come from its host."""


class StartupError(Exception):
    """The service cannot start like this: exit code 2. `lines` say what to change."""

    safe_to_log = True

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


async def started(start: Coroutine[Any, Any, None], variable: str, value: object) -> None:
    """Start a part; if the system refuses, raise a `StartupError` that names the variable."""
    try:
        await start
    except (OSError, JournalUnwritable) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        what = f"{variable}={value}"
        if variable.endswith("_PORT") and (isinstance(error, gaierror) or getattr(error, "errno", None) in NO_ADDRESS):
            what = variable.removesuffix("PORT") + "HOST"  # the port is right
        raise StartupError([f"{what} cannot be used: {reason or type(error).__name__}"]) from error
