"""What the property test of the lane is there for: each break in the bus is found by the fault that it concerns."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence

import pytest

import bus.journal.journal
from bus.journal.journal import Journal, JournalUnwritable, Stored
from bus.lane import Lane
from bus.record import Record
from tests.property import test_lane
from tests.property.test_lane import IN_JOURNAL, World, _play, _quick_retries, check  # noqa: F401 - a fixture

MORE = [("accept", 3), ("spill", 0)]  # the first is written alone, the other two together
Break = Callable[[pytest.MonkeyPatch], None]


def a_failed_read_finds_nothing(patch: pytest.MonkeyPatch) -> None:
    read = Journal._run_read
    patch.setattr(
        Journal, "_run_read", lambda *job: [] if isinstance(found := read(*job), JournalUnwritable) else found
    )


def a_failed_delete_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    forget = Lane._forget

    async def forgotten(self: Lane) -> None:
        await forget(self)
        self._ended.clear()

    patch.setattr(Lane, "_forget", forgotten)


def a_failed_write_is_promised(patch: pytest.MonkeyPatch) -> None:
    append = Journal.append

    async def promised(self: Journal, records: Sequence[Record]) -> list[Stored]:
        try:
            return await append(self, records)
        except JournalUnwritable:
            return [Stored(100 + n, is_new=True) for n in range(len(records))]

    patch.setattr(Journal, "append", promised)


def what_a_failed_commit_left_stays(patch: pytest.MonkeyPatch) -> None:
    def connected(self: Journal) -> sqlite3.Connection:
        connection = bus.journal.journal._connect(self.path)
        self._files = bus.journal.journal._files(self.path)
        return connection

    patch.setattr(Journal, "_connected", connected)


def a_damaged_row_is_believed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(bus.journal.journal, "_checksum", lambda _: 0)


def a_damaged_index_is_believed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(bus.journal.journal, "is_sound", lambda _: True)
    patch.setattr(bus.journal.journal, "_reindexed", lambda _: None)


def flipped_in(kind: str, octets: bytes) -> Callable[[World, int], None]:
    """Flip one bit of the last such octets on the first page of a table or an index."""

    def flip(self: World, amount: int) -> None:
        path = self.directory / "own" / bus.journal.journal.FILE_NAME
        with sqlite3.connect(path) as connection:
            [(root,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (kind,)).fetchall()
        connection.close()
        content = bytearray(path.read_bytes())
        content[content.rindex(octets, (root - 1) * 4096, root * 4096)] ^= 1
        path.write_bytes(content)
        self.flips += 1

    return flip


BREAKS: Mapping[Break, list[tuple[str, int]]] = {
    a_failed_read_finds_nothing: [*IN_JOURNAL, ("read_fails", 9), ("fail", 0)],
    a_failed_delete_is_forgotten: [*IN_JOURNAL, ("delete_fails", 1), ("ack", 0)],
    a_failed_write_is_promised: [*IN_JOURNAL, *MORE, ("commit_fails", 1), ("write", 0), ("crash", 0)],
    what_a_failed_commit_left_stays: [*IN_JOURNAL, *MORE, ("commit_holds", 1), ("write", 0), ("ack", 0)],
}


@pytest.mark.parametrize("break_", BREAKS, ids=lambda each: each.__name__)
def test_a_break_is_found(break_: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    check(_play(BREAKS[break_]))
    break_(monkeypatch)

    with pytest.raises(AssertionError):
        check(_play(BREAKS[break_]))


def test_an_insert_that_fails_behind_others_is_found_if_it_is_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    commands = [*IN_JOURNAL, *MORE, ("write", 0), ("insert_fails", 2), ("write", 0), ("crash", 0)]
    check(_play(commands))
    a_failed_write_is_promised(monkeypatch)

    with pytest.raises(AssertionError):
        check(_play(commands))


@pytest.mark.parametrize(
    ("break_", "page", "octets"),
    [
        (a_damaged_row_is_believed, "rows", b"16470000000/"),
        (a_damaged_index_is_believed, "rows_by_lane", b"sms.received.v1"),
    ],
    ids=["table", "index"],
)
def test_a_flipped_bit_that_is_believed_is_found(
    break_: Break, page: str, octets: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_lane.World, "_flip", flipped_in(page, octets))
    commands = [*IN_JOURNAL, ("flip", 0)]
    check(_play(commands))
    break_(monkeypatch)

    with pytest.raises(AssertionError):
        check(_play(commands))
