"""How far a command is: said now and then, and not at all of what is quick."""

from app.progress import Progress
from bus.kafka.reader import ReadRecord


def test_it_says_every_two_seconds_how_far_it_is() -> None:
    said: list[str] = []
    now = [0.0]
    progress = Progress(said.append, clock=lambda: now[0])

    for now[0] in (0.5, 1.9, 2.0, 3.9, 4.1):
        progress.read(ReadRecord(0, 0, 1_795_000_000_000, None, None, {}))

    assert said == [
        "read 3 records, up to 2026-11-18T11:06:40.000Z",
        "read 5 records, up to 2026-11-18T11:06:40.000Z",
    ]
