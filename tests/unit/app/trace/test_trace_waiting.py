"""Rows of journals that are traced, and journals that cannot be looked into."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.journals.held import HeldJournal, NotAnswered
from app.settings.load import Settings
from app.trace import waiting_rows
from app.trace.target import Target
from app.trace.waiting_rows import Waiting, waiting
from bus.journal.claim import try_claim
from bus.journal.journal import Journal
from bus.record import build, partition_of
from tests.messages import sms

NUMBER = "16470000000"
OTHER = next(  # in the same lane
    number
    for number in map(str, range(16470000001, 16470001000))
    if partition_of(number.encode()) == partition_of(NUMBER.encode())
)


async def journal_with(directory: Path, *messages) -> None:
    directory.mkdir(parents=True)
    journal = Journal(directory, max_bytes=1 << 30)
    await journal.open()
    await journal.append([build(each, topic_prefix="", instance="one") for each in messages])
    await journal.close()


def settings_of(directory: Path) -> Settings:
    return Settings.model_validate({"data_dir": directory, "bus": {"journal_dir": directory / "journal"}})


def found_in(directory: Path, target: Target) -> Waiting:
    return waiting(settings_of(directory), target)


def found_while_held(directory: Path) -> Waiting:
    """Look for the number while a process has journal `a`."""
    claim = try_claim(directory / "journal" / "a")
    assert claim is not None
    found = found_in(directory, Target(number=NUMBER))
    claim.release()
    return found


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (Target(id=sms(NUMBER, 1).id), [sms(NUMBER, 1).id]),
        (Target(number=NUMBER), [sms(NUMBER, 0).id, sms(NUMBER, 1).id]),
        (Target(id=sms(NUMBER, 7).id), []),
        (Target(number=OTHER[:-1]), []),
    ],
    ids=["an id", "a number", "another id", "a part of a number"],
)
async def test_what_waits_is_found_by_id_or_number(tmp_path, target, expected) -> None:
    await journal_with(tmp_path / "journal" / "a", sms(NUMBER, 0), sms(OTHER), sms(NUMBER, 1))

    found = found_in(tmp_path, target)

    assert [row["id"] for row in found.rows] == expected
    assert found.unseen == []
    assert NUMBER not in repr(found.rows)


async def test_what_waits_is_found_in_the_lanes_of_both_spellings(tmp_path) -> None:
    spelled = sms(NUMBER, 1).model_copy(update={"recipient_raw": f"00{NUMBER}"})
    await journal_with(tmp_path / "journal" / "a", sms(NUMBER, 0), spelled)

    for typed in (NUMBER, f"00{NUMBER}"):
        found = found_in(tmp_path, Target(number=typed))
        assert {row["id"] for row in found.rows} == {sms(NUMBER, 0).id, sms(NUMBER, 1).id}


def test_a_machine_without_journals_says_so(tmp_path) -> None:
    found = found_in(tmp_path, Target(number=NUMBER))

    assert found == Waiting(unseen=[f"{tmp_path / 'journal'} does not exist"])


async def test_a_journal_that_cannot_be_asked_does_not_hide_the_others(tmp_path, monkeypatch) -> None:
    def not_answered(*_: object, **__: object) -> None:
        message = "a is held by a running process, and nothing responds"
        raise NotAnswered(message)

    for name in ("a", "b"):
        await journal_with(tmp_path / "journal" / name, sms(NUMBER))
    monkeypatch.setattr(HeldJournal, "rows", not_answered)

    found = found_while_held(tmp_path)

    assert [row["journal"] for row in found.rows] == ["b"]
    assert found.unseen == ["a is held by a running process, and nothing responds"]


async def test_what_was_found_is_kept_when_the_process_that_is_asked_ends_meanwhile(tmp_path, monkeypatch) -> None:
    def rows(*_: object, **__: object) -> Iterator[dict[str, Any]]:
        yield {"id": "i", "key_base64": base64.b64encode(NUMBER.encode()).decode()}
        message = "a is held by a running process, and nothing responds"
        raise NotAnswered(message)

    await journal_with(tmp_path / "journal" / "a", sms(NUMBER))
    monkeypatch.setattr(HeldJournal, "rows", rows)

    found = found_while_held(tmp_path)

    assert [row["id"] for row in found.rows] == ["i"]
    assert found.unseen == ["a is held by a running process, and nothing responds"]


async def test_it_looks_at_so_many_rows_and_says_that_there_may_be_more(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(waiting_rows, "MOST", 2)
    await journal_with(tmp_path / "journal" / "a", *(sms(NUMBER, n) for n in range(3)))

    found = found_in(tmp_path, Target(number=NUMBER))

    assert len(found.rows) == 2
    assert found.unseen == [
        f"{tmp_path / 'journal' / 'a'}: only its oldest 2 rows of this number's lane were looked at"
    ]
