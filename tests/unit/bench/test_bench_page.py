"""bench/README.md shows what was last measured, and nothing else."""

from bench.readme_tables import README, rendered


def test_the_page_shows_the_last_runs():
    page = README.read_text("utf-8")

    assert rendered(page) == page
