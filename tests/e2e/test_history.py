"""The checker itself: it must see what it is there for."""

import ast
import sys
from pathlib import Path

from tests.e2e.history import Event, Post, imbalance, percentile, problems

ALLOWED = {"aiohttp", "aiokafka", "pytest", "tests", *sys.stdlib_module_names}
ONE, TWO = "12015550001", "12015550002"


def _post(nonce: str, number: str, index: int, **answer: object) -> Post:
    return Post(nonce, number, index, 0.0, 0.1, **{"status": 200, "id": f"id-{nonce}", **answer})


POSTS = [
    _post("a", ONE, 0),
    _post("x", TWO, 0, status=None, id=None, failure="ServerDisconnectedError"),
    _post("x", TWO, 0, status=503, id=None),
    _post("x", TWO, 0),
    _post("b", ONE, 1),
    _post("c", ONE, 2),
]
EVENTS = [Event("id-a", "a", ONE), Event("id-b", "b", ONE), Event("id-c", "c", ONE), Event("id-x", "x", TWO)]


def test_a_history_in_which_all_is_well_has_no_problems():
    assert problems(POSTS, EVENTS) == []


def test_a_repeat_with_the_same_id_is_no_problem_wherever_it_stands():
    assert problems(POSTS, [*EVENTS, EVENTS[0]]) == []


def test_a_loss_is_found():
    found = problems(POSTS, EVENTS[:2] + EVENTS[3:])

    assert found == [f"SMS 2 of {ONE} was answered 200 with id id-c and is not in the topic so"]


def test_an_sms_that_was_never_answered_with_200_may_be_missing():
    assert problems([*POSTS, _post("d", ONE, 3, status=503, id=None)], EVENTS) == []


def test_a_200_without_an_id_is_found():
    assert problems([*POSTS, _post("a", ONE, 0, id=None)], EVENTS)


def test_a_changed_id_in_the_topic_is_found():
    changed = [Event("other", "a", ONE), *EVENTS[1:]]

    assert "nonce a has several ids" in problems(POSTS, changed)


def test_a_repeat_under_another_id_is_found_though_the_answered_one_is_there():
    assert problems(POSTS, [*EVENTS, Event("other", "a", ONE)]) == ["nonce a has several ids"]


def test_a_repeat_that_was_answered_with_another_id_is_found():
    assert "nonce a has several ids" in problems([*POSTS, _post("a", ONE, 0, id="other")], EVENTS)


def test_two_sms_under_one_id_are_found():
    posts = [*POSTS, _post("d", ONE, 3, id="id-c")]

    assert problems(posts, [*EVENTS, Event("id-c", "d", ONE)]) == ["id id-c stands for several SMS"]


def test_a_swapped_pair_is_found():
    swapped = [EVENTS[0], EVENTS[2], EVENTS[1], EVENTS[3]]

    assert problems(POSTS, swapped) == [f"SMS 1 of {ONE} stands behind SMS 2"]


def test_an_sms_that_nobody_posted_is_found():
    assert problems(POSTS, [*EVENTS, Event("id-z", "z", ONE)]) == ["nobody posted z"]


def test_a_ledger_that_does_not_add_up_is_found():
    ledger = {"accepted": 5.0, "adopted": 2.0, "published": 4.0, "pending": 2.0, "rejected": 1.0}

    assert imbalance(ledger) == 0
    assert imbalance({**ledger, "published": 3.0}) == 1


def test_a_percentile_is_one_of_the_values():
    assert percentile(0.99, range(100)) == 99
    assert percentile(0.5, [3.0, 1.0, 2.0]) == 2.0


def test_nothing_in_this_folder_imports_anything_of_ours():
    imported = set()
    for path in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").split(".")[0])

    assert imported - ALLOWED == set()
