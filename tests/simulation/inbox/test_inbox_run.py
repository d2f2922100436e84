"""Minutes of two inboxes in `make test`, hours and days in `make test-all`, and what their checks must find."""

from collections.abc import Callable
from typing import Any

import pytest

from inbox.asking import Inbox, Page
from inbox.following import Following
from inbox.tail import Tail
from tests.simulation.inbox.clients import Missed
from tests.simulation.inbox.run import run
from tests.simulation.inbox.scenarios import SCENARIOS

PROMISED = {"ends", "waited for", "in order", "streamed"}


@pytest.mark.parametrize("seed", [2, 3, 5])
def test_nothing_is_missed_and_what_is_wrong_is_said(seed: int) -> None:
    assert run(seed, 0.15).keys() >= PROMISED


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 106))
def test_nothing_is_missed_for_hours(seed: int) -> None:
    assert run(seed, 0.5).keys() >= {*PROMISED, "paged"}


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("seed", "too_late"), [(1, set()), (2, {"pages: gone"})], ids=["wide", "narrow"])
def test_nothing_is_missed_for_days(seed: int, too_late: set[str]) -> None:
    """Replicas that forget by age alone for a day and more, and others that forget earlier than clients come back."""
    assert run(seed, 26.0, SCENARIOS["inbox_days"]).keys() >= {*PROMISED, "paged", *too_late}


def test_a_seed_determines_a_run() -> None:
    assert [*run(1, 0.05).items()] == [*run(1, 0.05).items()]


def never_behind(self: Following, ends: object) -> bool:
    return True


def blind_by_answers_alone(self: Following) -> bool:
    return self._clock() - self._answered_at > 5


async def shares_any_answer(self: Following) -> Any:
    if not hasattr(self, "answer"):
        self.answer = await ENDS(self)
    return self.answer


def tells_nobody(self: Tail, item: Any) -> None:
    self._by_id[item.id] = item
    self._kept[item.part].items.append(item)


def forgets_one_in_ten(self: Tail, part: Any, record: Any) -> None:
    if record.offset % 10 == 9:
        self._kept[part] = self._kept[part]._replace(end=record.offset + 1)
    else:
        ADD(self, part, record)


def nothing_is_gone(self: Inbox, cursor: Any) -> None:
    return None


def never_expires(self: Tail, now_ms: int) -> None:
    return None


async def skips_to_the_end(self: Inbox, wanted: Any, *given: Any, **more: Any) -> Page:
    page = await AFTER(self, wanted, *given, **more)
    return page._replace(cursor=self.here(wanted))


async def confirms_at_once(self: Inbox, found: object) -> None:
    return None


ADD, ENDS, AFTER = Tail.add, Following.ends, Inbox.after
BREAKS: list[tuple[type, str, Callable[..., Any]]] = [
    (Following, "_has_reached", never_behind),
    (Following, "is_blind", property(blind_by_answers_alone)),  # type: ignore[list-item]
    (Following, "ends", shares_any_answer),
    (Tail, "_keep", tells_nobody),
    (Tail, "add", forgets_one_in_ten),
    (Tail, "expire", never_expires),
    (Inbox, "_check", nothing_is_gone),
    (Inbox, "after", skips_to_the_end),
    (Inbox, "_confirm", confirms_at_once),
]
LATE_FOUND = {"_has_reached", "is_blind"}  # after many seeds


@pytest.mark.parametrize(
    ("owner", "name", "broken"),
    [pytest.param(*each, marks=pytest.mark.long) if each[1] in LATE_FOUND else each for each in BREAKS],
    ids=[each[2].__name__ if hasattr(each[2], "__name__") else each[1] for each in BREAKS],
)
def test_a_planted_break_is_found(
    owner: type, name: str, broken: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, name, broken)

    with pytest.raises((Missed, AssertionError, IndexError)):
        assert [run(seed, 0.4) for seed in range(12)] == []
