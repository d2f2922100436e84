"""The results in docs/fault-testing.md are made of the last runs of the matrix, and of nothing else."""

import json

import pytest

from tests.faults.figures import (
    LANE_OFF,
    PAGE,
    README,
    RESULTS,
    headline,
    only,
    proof_section,
    rows_of,
    total,
    with_section,
    with_words,
)
from tests.faults.matrix import CASES, NOT_YET, PROVEN

MATRIX, MATRIX_LANE_OFF = (only(json.loads(path.read_text("utf-8")), PROVEN) for path in (RESULTS, LANE_OFF))


def test_the_page_shows_the_last_runs_of_the_matrix():
    page = PAGE.read_text("utf-8")

    assert with_section(page, proof_section(MATRIX, PROVEN, MATRIX_LANE_OFF)) == page


def test_the_readme_says_their_sum():
    readme = README.read_text("utf-8")

    assert with_words(readme, headline(MATRIX)) == readme


@pytest.mark.parametrize("results", [MATRIX, MATRIX_LANE_OFF], ids=["as it is", "fast lane off"])
def test_every_case_was_run_at_its_full_size_and_was_good(results):
    rows = results["rows"]

    assert {row["case"] for row in rows} == set(PROVEN)
    assert [row["case"] for row in rows if row["run"]["scale"] < 1] == []
    assert [row["case"] for row in rows if row["violations"] or row["not_run"]] == []


def test_one_run_took_the_fast_lane_and_the_other_did_not():
    every, lane_off = (total(rows_of(results)) for results in (MATRIX, MATRIX_LANE_OFF))

    assert every.fast_lane > every.accepted / 2
    assert lane_off.fast_lane == 0


def test_what_is_not_proven_yet_is_a_case_and_says_why():
    assert set(NOT_YET) <= set(CASES)
    assert all(NOT_YET.values())
    assert set(PROVEN) | set(NOT_YET) == set(CASES)
