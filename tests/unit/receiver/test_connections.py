"""Which connection makes room."""

from hypothesis import given
from hypothesis import strategies as st

from receiver.connections import Connections


class Line:
    def __init__(self, idle_since: float | None) -> None:
        self.idle: float | None = idle_since
        self.ended = False

    def idle_since(self) -> float | None:
        return self.idle

    def abort(self) -> None:
        self.ended = True


def test_below_the_bound_nothing_ends() -> None:
    lines = [Line(n) for n in range(3)]
    some = Connections(3)

    for line in lines:
        some.add(line)

    assert len(some) == 3
    assert not any(line.ended for line in lines)


def test_one_that_is_closed_makes_room() -> None:
    some, first, second = Connections(1), Line(0), Line(1)
    some.add(first)
    some.discard(first)
    some.discard(first)

    some.add(second)

    assert not first.ended


def test_where_all_are_busy_the_new_one_ends() -> None:
    some, busy, new = Connections(1), Line(None), Line(5)
    some.add(busy)

    some.add(new)

    assert (busy.ended, new.ended, len(some)) == (False, True, 1)


@given(st.lists(st.integers(0, 5), min_size=20, max_size=200), st.data())
def test_the_one_that_has_been_idle_longest_ends_whatever_happened_meanwhile(
    happens: list[int], data: st.DataObject
) -> None:
    """0: one asks; 1: one is answered; 2: one is closed; else: one more comes."""
    some, lines, now = Connections(8), list[Line](), 0.0
    for what in happens:
        now += 1
        chosen = lines[data.draw(st.integers(0, len(lines) - 1))] if lines else None
        if what == 0 and chosen:
            chosen.idle = None
        elif what == 1 and chosen:
            chosen.idle = now
        elif what == 2 and chosen:
            some.discard(chosen)
            lines.remove(chosen)
        else:
            new = Line(now)
            idle = [line for line in lines if line.idle is not None]
            ends = min(idle, key=lambda line: line.idle or 0.0, default=new) if len(lines) >= 8 else None
            some.add(new)
            lines.append(new)
            assert [line for line in lines if line.ended] == ([ends] if ends else [])
            lines = [line for line in lines if not line.ended]
        assert len(some) == len(lines) <= 8
