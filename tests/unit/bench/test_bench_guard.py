"""The guard fails only where it is sure, and says why it is not."""

from bench.contenders import AGAIN, FLOOR, OURS
from bench.figures import Round, Row
from bench.guard import judge, verdict

FLOORS, AGAINS = [40.0, 42.0, 41.0], [41.0, 40.0, 42.0]


def test_what_costs_what_it_did_passes():
    found = verdict(FLOORS, AGAINS, [24.0, 25.0, 26.0], committed=0.6)

    assert found.passes
    assert found.words.startswith("ok: smsbus takes 0.61 × the CPU of a bare aiohttp handler")


def test_what_is_much_more_expensive_in_every_round_fails():
    found = verdict(FLOORS, AGAINS, [60.0, 61.0, 59.0], committed=0.6)

    assert not found.passes
    assert "much more expensive than before" in found.words
    assert "at most 0.90" in found.words


def test_one_round_that_is_not_more_expensive_is_enough_to_pass():
    assert verdict(FLOORS, AGAINS, [60.0, 30.0, 59.0], committed=0.6).passes


def test_a_floor_that_differs_from_itself_gives_no_verdict():
    found = verdict(FLOORS, [each * 1.2 for each in AGAINS], [90.0, 91.0, 92.0], committed=0.6)

    assert found.passes
    assert found.words.startswith("too noisy for a verdict")


def rows(*, void: str = "", not_run: str = "") -> list[Row]:
    floors = [{"128": [Round(cpu, 1.0, 1) for cpu in cpus]} for cpus in (FLOORS, AGAINS)]
    dear = {"128": [Round(99.0, 1.0, 1, 1)] * 3}
    return [
        Row(FLOOR, "nothing", floors[0]),
        Row(OURS, "full job", dear, void=void, not_run=not_run),
        Row(AGAIN, "nothing", floors[1]),
    ]


def test_the_rows_of_a_run_are_judged_in_their_order():
    assert not judge(rows(), 0.6).passes


def test_a_server_that_does_not_serve_fails():
    found = judge(rows(not_run="it does not serve"), 0.6)

    assert found == (False, "smsbus did not run: it does not serve")


def test_answers_that_do_not_count_give_no_verdict():
    assert judge(rows(void="HTTP/1.1 503"), 0.6).words == "too noisy for a verdict: smsbus: HTTP/1.1 503"
