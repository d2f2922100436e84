"""What a case does to a journal is what it says."""

import sqlite3
from contextlib import closing
from random import Random
from types import SimpleNamespace

from tests.faults.cases.disk import flip_in_index

WHOLE = (400, "sms.received.v1", "sms.received.v1")


def test_one_bit_is_flipped_and_the_index_alone_does_not_fit_any_longer(tmp_path):
    journal, unmet = tmp_path / "journal.sqlite", []
    with closing(sqlite3.connect(journal)) as database:
        database.executescript("CREATE TABLE rows (topic TEXT); CREATE INDEX rows_by_lane ON rows (topic)")
        database.executemany("INSERT INTO rows VALUES (?)", [("sms.received.v1",)] * 400)
        database.commit()
    before = journal.read_bytes()

    flip_in_index(
        SimpleNamespace(rng=Random(1), met=lambda words, condition: condition or unmet.append(words)), journal
    )

    flipped = [a ^ b for a, b in zip(before, journal.read_bytes(), strict=True) if a != b]
    assert unmet == []
    assert [bits.bit_count() for bits in flipped] == [1]
    with closing(sqlite3.connect(journal)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() != ("ok",)
        assert database.execute("SELECT count(*), min(topic), max(topic) FROM rows NOT INDEXED").fetchone() == WHOLE
