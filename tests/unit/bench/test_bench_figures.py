"""The tables say what the rounds say, and what is missing is named."""

import json

import pytest

from bench.contenders import FLOOR, OURS
from bench.figures import Round, Row, document, rows_of, table
from bench.latency_figures import load, percentile
from bench.readme_tables import with_section
from bench.targets import goals


def rounds(*cpu_us: float) -> dict[str, list[Round]]:
    return {"32": [Round(each, 1e6 / each, 1000, 1000) for each in cpu_us]}


ROWS = [
    Row(FLOOR, "nothing", rounds(50.0, 40.0, 42.0)),
    Row(OURS, "full job", rounds(21.0, 20.0, 84.0)),
    Row("Broken", "full job", rounds(9.0), void="10 2xx responses, 9 SMS in Kafka"),
    Row("Absent", "full job", not_run="`make bench-go` builds it"),
]


def test_a_row_has_its_median_its_extremes_and_its_ratio_to_the_floor():
    head, floor, ours, *_ = table(ROWS)

    assert head[2] == "CPU µs at 32: median (min–max)"
    assert floor[2:] == ["42.0 (40.0–50.0)", "1.00", "23,810"]
    assert ours[2:] == ["21.0 (20.0–84.0)", "0.50", "47,619"]


def test_a_void_row_and_one_that_was_not_run_show_no_figures_but_why():
    *_, broken, absent = table(ROWS)

    assert broken[2:] == ["void: 10 2xx responses, 9 SMS in Kafka", "", ""]
    assert absent[2:] == ["not run: `make bench-go` builds it", "", ""]


def test_rows_survive_the_json_file():
    read = json.loads(json.dumps(document(ROWS, {"commit": "c" * 40})))

    assert rows_of(read) == ROWS


def test_a_goal_says_whether_it_is_reached_or_was_not_measured():
    lines = {(line[0], line[1]): line[2] for line in goals(ROWS)}

    assert lines[OURS, FLOOR] == "0.50 (at most 1.00)"
    assert lines[OURS, "Bento, mapping"] == "not measured"


def test_a_goal_that_is_missed_is_not_hidden():
    dear = [ROWS[0], Row(OURS, "full job", rounds(84.0))]

    assert ["smsbus", "bare aiohttp", "2.00 (at most 1.00, **not reached**)"] in goals(dear)


@pytest.mark.parametrize(("part", "value"), [(0.5, 50), (0.99, 99), (0.999, 100), (1.0, 100)])
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(part: float, value: int):
    assert percentile(list(range(1, 101)), part) == value


def test_latencies_are_summed_up_in_milliseconds_whatever_their_order():
    summed = load(0.5, 1000.0, [0.004, 0.001, 0.003, 0.002], 0)

    assert (summed.count, summed.p50_ms, summed.p99_ms, summed.max_ms) == (4, 2.0, 4.0, 4.0)


def test_a_section_replaces_what_stood_between_its_marks_and_nothing_else():
    page = "before\n<!-- cpu -->\nold\n<!-- /cpu -->\nafter <!-- latency --><!-- /latency -->\n"

    once = with_section(page, "cpu", "new")

    assert once == "before\n<!-- cpu -->\nnew\n<!-- /cpu -->\nafter <!-- latency --><!-- /latency -->\n"
    assert with_section(once, "cpu", "new") == once
