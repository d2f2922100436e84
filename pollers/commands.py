"""A record of the watches topic: the request that it is, or the dead letter of one that nobody can read."""

from typing import Final

from pydantic import ValidationError

from bus.sharding.commands import Command
from schemas.dead_letter import rejected
from schemas.messages import SmsRejected, WatchRecord

LARGEST: Final = 64 * 1024  # bytes


def read_command(key: str, value: bytes) -> WatchRecord | None:
    """Return the request; None for what is none, or lies under another key than its watch's.

    Keys that we do not know are kept, and written again by `to_json`; with a value that we do not know it is none. Nor
    is one that is far larger than a request can be: its state would have to hold it as well.
    """
    if len(value) > LARGEST:
        return None
    try:
        watch = WatchRecord.model_validate_json(value)
    except ValidationError:
        return None
    return watch if watch.watch_id == key else None


def dead_letter(command: Command, now_ms: int) -> SmsRejected:
    """Return what keeps a broken command. It lies on the topic until its author replaces it, and has one id."""
    return rejected(
        command.value or b"",
        received_via="command",
        stage="parse",
        reason="broken_watch",
        facts={"partition": str(command.partition)},
        observed_ms=now_ms,
    )
