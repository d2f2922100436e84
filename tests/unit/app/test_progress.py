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


def test_a_record_may_have_any_time() -> None:
    said: list[str] = []
    now = [0.0]
    progress = Progress(said.append, clock=lambda: now[0])

    for now[0], time_ms in ((3.0, 2**62), (6.0, -1)):
        progress.read(ReadRecord(0, 0, time_ms, None, None, {}))

    assert [line.rpartition(" ")[2] for line in said] == ["9999-12-31T23:59:59.999Z", "1970-01-01T00:00:00.000Z"]
