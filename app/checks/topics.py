"""Are the topics configured correctly? Checked at every start; the result is kept for starts without Kafka."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import structlog

from app.errors import StartupError
from app.settings.load import Settings
from app.wiring import WITHOUT_BUS, Role
from bus.kafka import topics
from bus.kafka.client import KafkaAway
from schemas.topics import ALL, RECEIVED, RECEIVER_TOPICS, REJECTED, WATCH_ENDED

NEEDED: Final[Mapping[Role, frozenset[str]]] = {
    "all": ALL,
    "receiver": RECEIVER_TOPICS,
    "pollers": ALL,
    "inbox": ALL,
    "forward": frozenset({RECEIVED, WATCH_ENDED, REJECTED}),
}

_log = structlog.get_logger("smsbus")


async def verify(settings: Settings, role: Role) -> None:
    """Return if the topics of this role are correct, or if Kafka is unavailable and they were correct before.

    Who accepts nothing (an inbox, forwarding) needs no proof: without Kafka it waits for it.

    Raises `StartupError` for wrong or missing topics, and for a first start without Kafka.
    """
    try:
        findings = await topics.inspect(settings.kafka, NEEDED[role])
    except KafkaAway as away:
        if role not in WITHOUT_BUS:
            _rely_on_last_time(settings, role, away)
        return
    if findings.problems:
        raise StartupError([_in_one_line(findings.problems)])
    for warning in findings.warnings:
        _log.warning("topics", warning=warning)
    if role not in WITHOUT_BUS:
        _remember(marker(settings, role))


def marker(settings: Settings, role: Role) -> Path:
    """Return the file that marks these brokers' topics as verified. It is in the journal directory."""
    what = f"{settings.kafka.bootstrap_servers} {settings.kafka.topic_prefix} {' '.join(sorted(NEEDED[role]))}"
    return settings.bus.journal_dir / f"topics-verified-{hashlib.sha256(what.encode()).hexdigest()[:16]}"


def _rely_on_last_time(settings: Settings, role: Role, away: KafkaAway) -> None:
    if not marker(settings, role).is_file():
        why = str(away) if str(away).endswith((".", "?")) else f"{away}."
        raise StartupError([f"{why} The first start needs Kafka, to check the topics."]) from away
    _log.warning("started_without_kafka", reason=str(away), meanwhile="messages are accepted into the journal")


def _in_one_line(problems: list[str]) -> str:
    more = len(problems) - 1
    return problems[0] + (f" (and {more} more: see `smsbus topics check`)" if more else "")


def _remember(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError as error:
        reason = f"SMSBUS_BUS__JOURNAL_DIR={path.parent} cannot be used: {error.strerror}"
        raise StartupError([reason]) from error
