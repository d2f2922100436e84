"""The tables of polls say what the rounds say, and what warms up does not count."""

from bench.commits import _by_load
from bench.poll_clients import Turn, take
from bench.polls_figures import commits_table, news_table, polls_table


def test_a_poll_is_compared_with_the_bare_client_that_asked_the_same():
    _, line = polls_table({"polls": {"smsman get-sms": {"bare": [40.0, 44.0, 90.0], "ours": [66.0, 60.0, 70.0]}}})

    assert line == ["smsman get-sms", "", "44.0 (40.0–90.0)", "66.0 (60.0–70.0)", "1.50"]


def test_the_cpu_of_a_commit_is_shared_out_over_its_states():
    _, line = commits_table({"commits": {"100": [{"commits": 40.0, "cpu_us": 2000.0}]}})

    assert line == ["100", "", "40", "4,000", "2,000 (2,000–2,000)", "20"]


def test_a_load_of_sms_has_the_medians_of_its_rounds():
    rounds = [{"sms": sms, "commits": 17.0, "states": 5.0, "cpu_us": 10 * sms} for sms in (90.0, 100.0, 80.0)]

    _, line = news_table({"news": [rounds]})

    assert line == ["90", "", "17.0", "5.0", "900.0 (800.0–1000.0)"]


async def test_the_first_round_warms_up_and_does_not_count():
    asked: list[float] = []

    async def go(seconds: float) -> int:
        asked.append(seconds)
        return 1

    measured = await take({"turn": Turn(go)}, rounds=2, seconds=3.0)

    assert (asked, len(measured["turn"])) == ([0.5, 3.0, 3.0], 2)


def test_the_figures_of_a_load_are_those_of_all_rounds_but_the_first():
    rounds = [[{"cpu_us": load + number} for load in (10.0, 20.0)] for number in range(3)]

    assert _by_load(rounds) == [[{"cpu_us": 11.0}, {"cpu_us": 12.0}], [{"cpu_us": 21.0}, {"cpu_us": 22.0}]]
