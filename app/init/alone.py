"""One run of `smsbus init` at a time: of two secrets made at once, one would be registered and the other installed."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from app.init.answers import InitError
from app.locking import locked

BUSY = "another `smsbus init` is at work below {}: wait for its end"


@contextmanager
def alone(*places: Path) -> Iterator[None]:
    """Be the only run that writes below these directories. Raises `InitError` where another one does.

    A directory that does not exist yet is known by the one that it will be in. One that may not be read is not held.
    Nothing is left behind.
    """
    with ExitStack() as held:
        for place in {_existing(each.absolute()) for each in places}:
            if not os.access(place, os.R_OK):
                continue
            try:
                held.enter_context(locked(place, waits=False))
            except BlockingIOError:
                raise InitError(BUSY.format(place)) from None
        yield


def _existing(place: Path) -> Path:
    return next(each for each in (place, *place.parents) if each.is_dir())
