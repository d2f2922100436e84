"""The README's section "Proof" is made of the last run of the matrix, and of nothing else."""

import json

from tests.faults.figures import README, RESULTS, proof_section, with_section


def test_the_readme_shows_the_last_run_of_the_matrix():
    readme, results = README.read_text("utf-8"), json.loads(RESULTS.read_text("utf-8"))

    assert with_section(readme, proof_section(results)) == readme


def test_the_last_run_was_a_good_one_of_the_full_size():
    results = json.loads(RESULTS.read_text("utf-8"))

    assert results["scale"] >= 1
    assert [row["case"] for row in results["rows"] if row["violations"] or row["not_run"]] == []
