"""The table, the JSON and the page's section say what the rows say."""

import json

import pytest

from tests.faults.figures import BEGIN, END, Row, only, proof_section, results, table, total, with_section

CIRCUMSTANCES = {
    "commit": "4ea4836191c136d9eafd319cc34c6c38cf5557df",
    "scale": 0.5,
    "when": "2026-11-22T20:47:15+00:00",
    "versions": {"kafka": "4.1.1"},
    "machine": {"cores": 2},
}
GOOD = Row(
    *("receiver_killed", 60_000),
    repeats=30,
    slowest=0.5,
    drain_seconds=0.2,
    drain_rate=9_000.0,
    pause=4.0,
    fast_lane=50_000,
)
LOSING = Row("disk_full", 40_000, lost=2, slowest=2.5, drain_rate=12_000.0, violations=["lost: this", "lost: that"])
IDLE = Row("broker_slow", not_run="the fault met no work")


def test_the_total_has_the_sums_and_the_worst():
    every = total([GOOD, LOSING])

    assert (every.accepted, every.lost, every.repeats) == (100_000, 2, 30)
    assert (every.slowest, every.pause, every.drain_rate) == (2.5, 4.0, 9_000.0)


def test_the_table_is_aligned_and_says_in_words_what_is_wrong():
    lines = table([GOOD, LOSING, IDLE]).splitlines()

    assert lines[1].split()[:3] == ["receiver_killed", "60,000", "0"]
    assert [line.split("  ")[-1].strip() for line in lines[1:4]] == ["ok", "2 WRONG", "NOT RUN"]
    assert len({len(line) for line in lines[:6]}) == 1
    assert lines[5].endswith("1 of 3 ok")
    assert lines[6:] == [
        "broker_slow: NOT RUN: the fault met no work",
        "disk_full: lost: this",
        "disk_full: lost: that",
    ]


def test_a_backlog_that_never_drained_is_no_dash():
    assert "never" in table([IDLE])
    assert "never" not in table([GOOD])


def test_the_section_survives_the_json_file_and_has_the_totals():
    read = json.loads(json.dumps(results([GOOD, LOSING], CIRCUMSTANCES, {})))

    section = proof_section(read, ["receiver_killed", "disk_full", "topic_deleted"])

    assert "Of 100,000 accepted SMS, 2 were lost" in section
    assert "0.03% were repeated" in section
    assert "At least 50,000 callbacks were answered in the fast lane" in section
    assert "did not pass: `topic_deleted`." in section
    assert "`4ea4836191c1`, scale 0.5, 2 cores" in section
    assert [line.split(" | ")[1] for line in section.splitlines() if line.startswith(("| `", "| **"))] == [
        "60,000",
        "40,000",
        "**100,000**",
    ]


def test_a_matrix_with_other_settings_is_told_in_one_sentence():
    other = results([Row("disk_full", 7)], CIRCUMSTANCES | {"settings": {"RECEIVER__FAST_LANE": "false"}}, {})

    section = proof_section(results([GOOD], CIRCUMSTANCES, {}), [], other)

    assert "All 1 again with python -m tests.faults --set RECEIVER__FAST_LANE=false (2026-11-22," in section.replace(
        "`", ""
    )
    assert "Of 7 accepted SMS, 0 were lost" in section


def test_a_case_that_is_run_again_takes_its_old_place_and_names_its_own_commit():
    older = results([LOSING, GOOD], CIRCUMSTANCES, {})
    mended = Row("disk_full", 40_000)

    both = results([mended], CIRCUMSTANCES | {"commit": "b" * 40}, older)

    assert [(row["case"], row["lost"]) for row in both["rows"]] == [("disk_full", 0), ("receiver_killed", 0)]
    assert "commit `bbbbbbbbbbbb`, `4ea4836191c1`, scale 0.5" in proof_section(both, [])


def test_what_a_case_came_to_is_not_told_before_it_is_asked_for():
    both = results([GOOD, LOSING], CIRCUMSTANCES, {})

    assert [row["case"] for row in only(both, ["receiver_killed"])["rows"]] == ["receiver_killed"]
    assert "disk_full" not in proof_section(only(both, ["receiver_killed"]), ["receiver_killed"])


def test_a_section_replaces_what_stood_between_the_marks_and_nothing_else():
    once = with_section(f"before\n{BEGIN}\nold\n{END}\nafter\n", "new\n")

    assert once == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert with_section(once, "new\n") == once


def test_a_page_without_the_marks_is_not_guessed_at():
    with pytest.raises(ValueError, match="substring"):
        with_section("nothing here", "new\n")
