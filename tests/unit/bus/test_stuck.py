"""A dead letter that is refused is said once, however often it is tried, and is over when it is."""

from types import SimpleNamespace

from structlog.testing import capture_logs

from bus.health import QUIET
from bus.stuck import Stuck


def letter(name: str):
    return SimpleNamespace(id=name, value=b"x" * 4000)


def refused(stuck: Stuck, name: str, *moments: float) -> None:
    for now in moments:
        stuck.refused(letter(name), "too_large_for_the_topic", now)
        stuck.update(now, is_away=False)


def test_each_is_said_once_with_what_to_do_and_once_more_when_it_is_over():
    stuck = Stuck()
    with capture_logs() as said:
        refused(stuck, "a", *range(0, 100, 4))
        refused(stuck, "b", 100.0)
        during = stuck.words
        stuck.update(100.0 + QUIET + 1, is_away=False)

    assert [(line["event"], line["id"]) for line in said] == [
        ("dead_letter_refused", "a"),
        ("dead_letter_refused", "b"),
        ("dead_letter_refused_no_more", "a"),
        ("dead_letter_refused_no_more", "b"),
    ]
    assert (said[0]["reason"], said[0]["bytes"], said[2]["records"]) == ("too_large_for_the_topic", 4000, 25)
    assert said[0]["hint"].endswith("smsbus journal skip a")
    assert (during, stuck.words) == (["dead_letter_refused"], [])


def test_what_a_person_takes_out_is_over_at_once():
    stuck = Stuck()
    with capture_logs() as said:
        refused(stuck, "a", 0.0)
        stuck.skipped("a")
        stuck.skipped("another")

    assert [line["event"] for line in said] == ["dead_letter_refused", "dead_letter_refused_no_more"]
    assert stuck.words == []


def test_while_kafka_is_away_it_is_not_over_nor_at_once_when_kafka_is_back():
    stuck = Stuck()
    with capture_logs() as said:
        refused(stuck, "a", 0.0)
        for now in (QUIET, 10 * QUIET):
            stuck.update(now, is_away=True)
        stuck.update(10 * QUIET + 1, is_away=False)
        during = stuck.words
        refused(stuck, "a", 10 * QUIET + 5)

    assert (during, len(said)) == (["dead_letter_refused"], 1)
