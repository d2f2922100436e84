"""Why did a node exit? Its last exception, else its last error."""

import pytest

from app.local_kafka.crash_reason import last_words

STAMP = "2026-11-29T14:35:46,123"


@pytest.mark.parametrize(
    ("logged", "said"),
    [
        (
            f"{STAMP} ERROR first (x)\n{STAMP} ERROR all log dirs have failed (x)\n{STAMP} INFO bye (x)\n",
            "all log dirs",
        ),
        (f"{STAMP} ERROR x\njava.io.IOException: No space left on device\n{STAMP} ERROR y (x)\n", "java.io.IOExc"),
        (f"{STAMP} INFO started (x)\n", "no output"),
        ("", "no output"),
    ],
)
def test_the_last_error_is_said(tmp_path, logged, said):
    (tmp_path / "kafka.log").write_text(logged)

    assert last_words(tmp_path, 0).startswith(said)
