"""The texts that rules for codes are judged by: unique, complete, and each code is in its text."""

import json
import unicodedata
from pathlib import Path

import pytest

from schemas.code import extract_code

CORPUS = Path(__file__).parents[2] / "corpus" / "codes"
# The part: how many codes are found at least, and how many texts have a wrong one at most.
MEASURED = {
    "development": (449, 0),
    "held_out": (226, 0),
    "second_held_out": (140, 0),
    "third_held_out": (138, 1),
    "fourth_development": (156, 0),
    "fourth_held_out": (161, 0),
    "fifth_held_out": (176, 0),
    "sixth_held_out": (174, 0),
    "seventh_misleading": (12, 1),
    "seventh_held_out": (110, 3),
    "eighth_held_out": (108, 6),
    "ninth_held_out": (151, 5),
    "tenth_held_out": (145, 6),
    "eleventh_held_out": (149, 10),
}
PARTS = {part: [*map(json.loads, (CORPUS / f"{part}.jsonl").open())] for part in MEASURED}


@pytest.mark.parametrize("part", PARTS)
def test_the_extractor_is_as_good_as_it_was(part: str) -> None:
    answers = [(plain(row["code"] or ""), plain(extract_code(row["text"]) or "")) for row in PARTS[part]]
    found = sum(code == answer != "" for code, answer in answers)
    wrong = sum(answer not in {code, ""} for code, answer in answers)
    least, most = MEASURED[part]

    assert (found >= least, wrong <= most) == (True, True), (found, wrong)


def plain(text: str) -> str:
    """Return letters and digits alone, the digits of every script in ASCII."""
    return "".join(str(unicodedata.digit(each, each)) for each in text if each.isalnum())


@pytest.mark.parametrize("part", PARTS)
def test_each_text_has_its_code_or_none(part: str) -> None:
    for row in PARTS[part]:
        assert row.keys() == {"lang", "kind", "code", "text", "why"}
        assert row["kind"] == "hostile" or (row["code"] is not None) == (row["kind"] == "code"), row
        assert row["code"] is None or plain(row["code"]) in plain(row["text"]), row


def test_no_text_is_in_two_parts_and_there_are_enough() -> None:
    texts = [row["text"] for rows in PARTS.values() for row in rows]

    assert len(texts) == len({*texts}) >= 1500
    assert all(len(rows) >= 110 for rows in PARTS.values())
