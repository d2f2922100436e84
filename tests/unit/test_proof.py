"""The README's section "Proof" is made of the last run of the matrix, and of nothing else."""

import json

from tests.faults.figures import README, RESULTS, proof_section, with_section
from tests.faults.matrix import CASES


def test_the_readme_shows_the_last_run_of_the_matrix():
    readme, results = README.read_text("utf-8"), json.loads(RESULTS.read_text("utf-8"))

    assert with_section(readme, proof_section(results, CASES)) == readme


def test_every_case_was_run_at_its_full_size_and_was_good():
    rows = json.loads(RESULTS.read_text("utf-8"))["rows"]

    assert {row["case"] for row in rows} == set(CASES)
    assert [row["case"] for row in rows if row["run"]["scale"] < 1] == []
    assert [row["case"] for row in rows if row["violations"] or row["not_run"]] == []
