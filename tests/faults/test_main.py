"""What `python -m tests.faults` is asked for, and how its cases share a Kafka."""

import json
from contextlib import contextmanager

import pytest

from tests.faults import __main__ as program
from tests.faults.__main__ import main
from tests.faults.figures import Row
from tests.faults.matrix import CASES


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["no_such_case"], "no such case: no_such_case; there are receiver_killed"),
        (["--set", "RECEIVER__FAST_LANE"], "'RECEIVER__FAST_LANE': RECEIVER__FAST_LANE=false is one"),
    ],
)
def test_what_cannot_be_run_is_said_before_anything_starts(asked, said, capsys):
    with pytest.raises(SystemExit):
        main(asked)

    assert said in capsys.readouterr().err


async def test_a_case_that_broke_is_run_once_more_and_the_others_with_another_kafka(tmp_path, monkeypatch) -> None:
    names = [name for name, case in CASES.items() if not case.secure][:4]
    on: list[tuple[str, str]] = []

    @contextmanager
    def kafka(directory, *, secure):
        yield directory.name

    async def run_one(name, kafka, *_):
        on.append((name, kafka))
        return Row(name, not_run="it broke" if name == names[1] else "")  # each time

    monkeypatch.setattr(program, "_kafka", kafka)
    monkeypatch.setattr(program, "_run_one", run_one)
    asked = program._asked(["--json", str(tmp_path / "matrix.json")])
    rows = await program._run_all(names, tmp_path, asked)

    assert [row.case for row in rows] == names
    assert [name for name, _ in on] == [names[0], names[1], names[1], *names[2:]]
    assert [kafka for _, kafka in on] == [f"from-{names[at]}" for at in (0, 0, 1, 2, 2)]


async def test_what_was_found_stays_whatever_ends_the_run(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [name for name, case in CASES.items() if not case.secure][:2]

    @contextmanager
    def kafka(directory, *, secure):
        yield directory.name

    async def run_one(name, *_):
        if name == names[1]:
            raise KeyboardInterrupt
        return Row(name)

    monkeypatch.setattr(program, "_kafka", kafka)
    monkeypatch.setattr(program, "_run_one", run_one)
    kept = tmp_path / "matrix.json"
    with pytest.raises(KeyboardInterrupt):
        await program._run_all(names, tmp_path, program._asked(["--json", str(kept)]))

    assert [row["case"] for row in json.loads(kept.read_text())["rows"]] == names[:1]


def test_directories_of_a_second_run_are_their_own(tmp_path) -> None:
    (tmp_path / "leaked_url").mkdir()

    assert program._new(tmp_path, "leaked_url") == tmp_path / "leaked_url-again"
