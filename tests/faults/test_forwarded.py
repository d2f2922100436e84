"""What the cases of forwarding must notice, and what is well."""

import pytest

from tests.faults.forwarded import violations
from tests.faults.history import Record


def _record(partition: int, offset: int, number: str, event_id: str) -> Record:
    return Record("t", partition, offset, 0, number, event_id, event_id, number, "pingme", "", "", None, "", "")


THERE = [
    _record(0, 0, "1", "before"),  # the forwarder started after it
    _record(0, 1, "1", "a"),
    _record(0, 2, "1", "b"),
    _record(0, 3, "2", "c"),
    _record(0, 4, "1", "b"),  # a repeat in the topic
    _record(1, 0, "3", "d"),
    _record(1, 1, "3", "e"),
]
SEEN = {"a", "d"}


@pytest.mark.parametrize(
    "taken",
    [
        ["a", "b", "c", "b", "d", "e"],
        ["d", "e", "a", "c", "b"],  # numbers have no order among each other
        ["a", "a", "b", "a", "c", "d", "e", "d", "e"],  # a forwarder that died sends again
    ],
)
def test_all_events_in_the_order_of_each_number_are_well(taken):
    assert [*violations(THERE, SEEN, taken)] == []


@pytest.mark.parametrize(
    ("taken", "says"),
    [
        (["a", "b", "d", "e"], "lost: 1 of 5"),
        (["a", "b", "c", "d"], "lost: 1 of 5"),
        ([], "lost: 5 of 5"),
        (["b", "a", "c", "d", "e"], "order: the target got the SMS of 1 "),
        (["a", "b", "c", "e", "d", "e"], "order: the target got the SMS of 3 "),
    ],
)
def test_a_planted_loss_or_swap_is_found(taken, says):
    (found,) = violations(THERE, SEEN, taken)

    assert found.startswith(says)
