"""Print what every asyncio task waits for to stderr at SIGUSR1, for diagnosing a process that hangs.

Only names and lines of code: no arguments, no values, nothing of an SMS.
"""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from types import AsyncGeneratorType, CodeType, CoroutineType, FrameType, GeneratorType
from typing import Any, Final

MOST_TASKS: Final = 200
MOST_FRAMES: Final = 20
STDERR: Final = 2


def show_on_signal() -> None:
    """Let SIGUSR1 write the stacks of the running loop's tasks to stderr. For the main thread.

    Uses Python's own handler, not the loop's: it runs even while something blocks the loop.
    """
    loop = asyncio.get_running_loop()
    signal.signal(signal.SIGUSR1, lambda _, frame: show(loop, frame))


def show(
    loop: asyncio.AbstractEventLoop,
    interrupted: FrameType | None = None,
    write: Callable[[bytes], object] | None = None,
) -> None:
    """Write what each task of the loop waits for, and what was interrupted. Never raises."""
    with suppress(Exception):  # a diagnosis must not do harm
        text = "".join(f"{line}\n" for line in _lines(asyncio.all_tasks(loop), interrupted))
        (write or _write)(text.encode("utf-8", "replace"))


def _lines(tasks: Iterable[asyncio.Task[Any]], interrupted: FrameType | None) -> Iterator[str]:
    ordered = sorted(tasks, key=lambda task: (len(task.get_name()), task.get_name()))  # Task-9 before Task-10
    yield f"---- {len(ordered)} tasks of process {os.getpid()} ----"
    if interrupted is not None:
        yield "running"
        yield from islice((f"    {_place(each.f_code, each)}" for each in _callers(interrupted)), MOST_FRAMES)
    for stack, names in _alike(ordered[:MOST_TASKS]).items():
        yield ", ".join(names)
        yield from (f"    {each}" for each in stack)
    if len(ordered) > MOST_TASKS:
        yield f"and {len(ordered) - MOST_TASKS} more"
    yield "----"


def _alike(tasks: Iterable[asyncio.Task[Any]]) -> dict[tuple[str, ...], list[str]]:
    """Group tasks that wait at the same place, and return their names: a dozen connections are one entry."""
    names: dict[tuple[str, ...], list[str]] = {}
    for task in tasks:
        names.setdefault(tuple(islice(_waits(task.get_coro()), MOST_FRAMES)), []).append(task.get_name())
    return names


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _waits(awaited: object) -> Iterator[str]:
    """Yield the chain of what waits for what, from a task's coroutine to the future at its end."""
    while True:
        match awaited:
            case CoroutineType():
                code, frame, following = awaited.cr_code, awaited.cr_frame, awaited.cr_await
            case AsyncGeneratorType():
                code, frame, following = awaited.ag_code, awaited.ag_frame, awaited.ag_await
            case GeneratorType():
                code, frame, following = awaited.gi_code, awaited.gi_frame, awaited.gi_yieldfrom
            case None:
                return
            case _:
                if (generator := _generator_of(awaited)) is None:
                    yield type(awaited).__name__
                    return
                awaited = generator
                continue
        yield _place(code, frame)
        awaited = following


def _generator_of(step: object) -> object | None:
    """Return the asynchronous generator whose next value is awaited; only the garbage collector can find it."""
    if not type(step).__name__.startswith("async_generator_"):
        return None
    return next((each for each in gc.get_referents(step) if isinstance(each, AsyncGeneratorType)), None)


def _place(code: CodeType, frame: FrameType | None) -> str:
    module = frame.f_globals.get("__name__", "") if frame else ""
    return f"{module}.{code.co_qualname}:{frame.f_lineno if frame else 'ended'}"


def _write(text: bytes) -> None:
    """Write to the descriptor: the handler may have interrupted a write to `sys.stderr`, which is not reentrant."""
    while text:
        text = text[os.write(STDERR, text) :]
