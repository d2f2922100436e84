"""Logs: ours and the libraries' in one chain, as JSON or as lines for people, redaction last."""

import logging
import select
import sys
import time
from collections.abc import Callable, Iterable, MutableMapping
from functools import partial
from typing import Any, Final, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter

from app.redaction import Redactor, described
from app.settings.sections import LogSettings

REPEAT_SECONDS: Final = 30.0  # in an outage aiokafka repeats a line several times a second
DROPPED: Final = "whoever reads the log did not: a terminal at Ctrl-S, a log driver or a journal that hangs"
REMEMBERED: Final = 1_000  # different lines; older ones are forgotten, and would be logged again

_log = structlog.get_logger("smsbus")


def configure(
    settings: LogSettings, secrets: Iterable[str], stream: TextIO, *, clock: Callable[[], float] = time.monotonic
) -> None:
    """Send every log line of this process through redaction to `stream`; replaces what was configured before."""
    handler = LineHandler(stream)
    handler.addFilter(LibraryFilter(clock, shows_kafka_client=settings.level == "debug"))
    handler.setFormatter(_formatter(settings, Redactor(secrets), stream))
    logging.basicConfig(handlers=[handler], level=settings.level.upper(), force=True)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *_stamps(), ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(settings.level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # a logger made before this call follows it
    )


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes lines while somebody takes them, and drops them otherwise instead of waiting.

    A terminal at Ctrl-S, a log driver or a journal that hangs would else hold up the event loop, and with it all SMS.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.dropped = 0
        self._said = 0  # how many of these are in the log
        self._ready = _readiness(stream)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, and before it how many were dropped; or drop it."""
        if self.dropped > self._said and self._ready():
            lines, self._said = self.dropped - self._said, self.dropped
            _log.warning("log_lines_dropped", lines=lines, hint=DROPPED)
        if self._ready():
            super().emit(record)
        else:
            self.dropped += 1


def _readiness(stream: TextIO) -> Callable[[], object]:
    """Return what tells whether a line can be written without waiting; a pipe that is ready takes at least 4 KiB."""
    try:
        poll = select.poll()
        poll.register(stream, select.POLLOUT)
    except (OSError, ValueError):  # it is no file
        return lambda: True
    return partial(poll.poll, 0)


class LibraryFilter(logging.Filter):
    """A filter for libraries: only warnings and worse; a repeated line once, then its count every 30 s.

    What the Kafka client meets (brokers away, refusals) we report ourselves, with what to do: its own lines are debug.
    """

    def __init__(self, clock: Callable[[], float], *, shows_kafka_client: bool) -> None:
        super().__init__()
        self._clock = clock
        self._shows_kafka_client = shows_kafka_client
        self._said: dict[tuple[str, str], tuple[float, int]] = {}  # time of the last one, and count since then

    def filter(self, record: logging.LogRecord) -> bool:
        """Decide whether to log a line. Our own lines are mappings at this point (structlog) and always pass."""
        if not isinstance(record.msg, str):
            return True
        if record.levelno < logging.WARNING:
            return False
        if record.name.startswith("aiokafka") and not record.exc_info:
            record.levelno, record.levelname = logging.DEBUG, "DEBUG"
            return self._shows_kafka_client and self._is_news(record)
        return self._is_news(record)

    def _is_news(self, record: logging.LogRecord) -> bool:
        line, now = (record.name, record.getMessage()), self._clock()
        last, silenced = self._said.get(line, (now - REPEAT_SECONDS, 0))
        if now - last < REPEAT_SECONDS:
            self._said[line] = (last, silenced + 1)
            return False
        if silenced:
            record.msg, record.args = f"{line[1]} ({silenced} times more in the last {now - last:.0f} s)", ()
        self._remember(line, now)
        return True

    def _remember(self, line: tuple[str, str], now: float) -> None:
        self._said.pop(line, None)
        self._said[line] = (now, 0)
        if len(self._said) > REMEMBERED:
            del self._said[next(iter(self._said))]


def _formatter(settings: LogSettings, redactor: Redactor, stream: TextIO) -> ProcessorFormatter:
    return ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *_stamps(), _first_line],
        processors=[ProcessorFormatter.remove_processors_meta, _exception, redactor, _renderer(settings, stream)],
    )


def _stamps() -> list[structlog.typing.Processor]:
    return [structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]


def _renderer(settings: LogSettings, stream: TextIO) -> structlog.typing.Processor:
    if settings.format == "json" or (settings.format == "auto" and not stream.isatty()):
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=stream.isatty())


def _first_line(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep only the first line of a library: asyncio and others print objects below it, with all their values."""
    del logger, method
    event["event"] = str(event["event"]).split("\n", 1)[0]
    return event


def _exception(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace exc_info by the exception's type and place: a traceback quotes messages, and messages quote SMS."""
    del logger, method
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["exception"] = described(error)
    event.pop("stack_info", None)
    return event
