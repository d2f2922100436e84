"""What is learned of texts: n-grams count for a code or against it, and the same texts give the same weights."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.code import extract_code, judging, ngrams
from tests.ngrams.__main__ import learned

PARKED = "Parkiranje placeno: zona 2, ZG4417AB do 15:48, 1,20 EUR. Kod transakcije 90218834."
PERHAPS = "Kod 482913"


def test_an_ngram_is_counted_once_and_a_long_text_is_read_in_part() -> None:
    assert ngrams.ngrams("abca") == {"ab", "bc", "ca", "abc", "bca", "abca"}
    assert ngrams.ngrams("abab") == {"ab", "ba", "aba", "bab", "abab"}
    assert ngrams.ngrams("a") == set()
    assert "az" not in ngrams.ngrams("a" * ngrams.READ + "z")


def test_the_weights_are_whole_numbers_of_ngrams() -> None:
    known = json.loads(Path(ngrams.__file__).with_name("weights.json").read_text(encoding="utf-8"))

    assert known.keys() == {"bias", "weights"}
    assert all(len(each) in ngrams.LENGTHS and isinstance(weight, int) for each, weight in known["weights"].items())


@pytest.mark.parametrize("text", ["", "a", "\x00", "🔑" * 5])
def test_a_text_that_says_nothing_is_believed(text: str) -> None:
    assert ngrams.reads_like_a_code(text)


def test_a_weak_sentence_is_believed_as_the_whole_text_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "reads_like_a_code", lambda _: False)

    assert extract_code(f"{PERHAPS} dla Ciebie") is None
    assert extract_code("Kod logowania 771204 do konta") == "771204"  # it confirms, whatever the text reads like


def test_ngrams_of_texts_with_a_code_count_for_it() -> None:
    texts = [(["ab", "bc"], True), (["bc", "cd"], False)] * 20

    weights, _ = learned(texts, {"ab", "bc", "cd"})

    assert weights["ab"] > 0.5 > abs(weights["bc"])
    assert weights["cd"] < -0.5
    assert (weights, _) == learned(texts, {"ab", "bc", "cd"})


def test_a_process_without_a_file_left_finds_codes() -> None:
    """The fault `files_used_up`, before the first SMS that is judged by its letters."""
    program = (
        "import resource; from schemas.code import extract_code\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
        f"assert extract_code({PARKED!r}) is None"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 0, ended.stderr


def test_what_was_learned_is_used() -> None:
    assert extract_code(PARKED) is None
