"""What `python -m tests.faults` is asked for."""

import pytest

from tests.faults.__main__ import main


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
