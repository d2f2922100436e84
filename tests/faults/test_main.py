"""What `python -m tests.faults` is asked for, and how its cases share a Kafka."""

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


async def test_after_a_case_that_broke_the_others_have_another_kafka(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [name for name, case in CASES.items() if not case.secure][:4]
    on: list[tuple[str, str]] = []

    @contextmanager
    def kafka(directory, *, secure):
        yield directory.name

    async def run_one(name, kafka, *_):
        on.append((name, kafka))
        return Row(name, not_run="it broke" if name == names[1] else "")

    monkeypatch.setattr(program, "_kafka", kafka)
    monkeypatch.setattr(program, "_run_one", run_one)
    rows = await program._run_all(names, tmp_path, program._asked([]))

    assert [row.case for row in rows] == names
    assert [kafka for _, kafka in on] == [f"from-{names[0]}"] * 2 + [f"from-{names[2]}"] * 2
