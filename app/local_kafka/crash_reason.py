"""Why did a node exit? Read from its logs."""

import re
from pathlib import Path

COMPLAINT = re.compile(
    r'(\S+ (ERROR|FATAL) |Caused by: |Exception in thread "\S+" )?(?P<said>[\w.$]+(Exception|Error): .+)'
)
SAID_WITHOUT_ONE = re.compile(r"\S+ (ERROR|FATAL) (?P<said>.+)")


def log_size(home: Path) -> int:
    """Return the length of a node's log in bytes; what follows is new."""
    log = home / "kafka.log"
    return log.stat().st_size if log.exists() else 0


def last_words(home: Path, log_start: int) -> str:
    """Return the last exception of Kafka's log after byte `log_start`, else its last error, else what Java printed."""
    logged, printed = _read(home / "kafka.log", log_start), _read(home / "java.out", 0)
    for pattern in (COMPLAINT, SAID_WITHOUT_ONE):
        for line in (*reversed(logged), *reversed(printed)):
            if complaint := pattern.match(line):
                return complaint["said"]
    return next(iter(printed), "no output")


def _read(file: Path, start: int) -> list[str]:
    try:
        written = file.read_bytes()[start:]
    except FileNotFoundError:
        return []
    return [line.strip() for line in written.decode(errors="replace").splitlines() if line.strip()]
