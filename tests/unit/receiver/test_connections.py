"""Which connection makes room, and what is said of it."""

import structlog
from hypothesis import given, settings
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


def test_who_is_kept_ends_behind_all_strangers() -> None:
    some, kept, stranger, new = Connections(2), Line(0), Line(1), Line(2)
    some.add(kept)
    assert some.keep(kept)
    some.add(stranger)

    some.add(new)
    assert (kept.ended, stranger.ended) == (False, True)

    new.idle = None
    some.add(Line(3))
    assert (kept.ended, new.ended) == (True, False)


def test_a_quarter_is_nobodys_to_keep() -> None:
    some, lines = Connections(8), [Line(n) for n in range(8)]
    for line in lines:
        some.add(line)

    assert [some.keep(line) for line in lines] == [True] * 6 + [False] * 2
    assert some.keep(lines[0])
    some.discard(lines[0])

    assert some.keep(lines[7])
    assert (len(some), some.keep(lines[6]), some.keep(lines[0])) == (7, False, False)


@settings(deadline=None)  # no timed test: a busy machine is not a failure
@given(st.lists(st.integers(0, 6), min_size=20, max_size=200), st.data())
def test_the_stranger_that_has_been_idle_longest_ends_whatever_happened_meanwhile(
    happens: list[int], data: st.DataObject
) -> None:
    """0: one asks; 1: one is answered; 2: one is closed; 3: one brings a token; else: one more comes."""
    some, lines, kept, now = Connections(8), list[Line](), list[Line](), 0.0
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
        elif what == 3 and chosen:
            is_kept = chosen in kept or len(kept) < 6
            assert some.keep(chosen) == is_kept
            kept += [chosen] if is_kept and chosen not in kept else []
        else:
            new = Line(now)
            idle = [line for line in lines if line.idle is not None]
            worst = min(idle, key=lambda line: (line in kept, line.idle), default=new)
            some.add(new)
            lines.append(new)
            assert [line for line in lines if line.ended] == ([worst] if len(lines) > 8 else [])
            lines = [line for line in lines if not line.ended]
        kept = [line for line in kept if line in lines]
        assert len(some) == len(lines) <= 8


def test_that_connections_are_closed_to_make_room_is_said_once_and_over_after_a_minute() -> None:
    now, evicted = [100.0], []
    some = Connections(2, evicted=lambda: evicted.append(now[0]), clock=lambda: now[0])

    with structlog.testing.capture_logs() as lines:
        for n in range(2):
            some.add(Line(n))
        assert not some.is_full()
        for n in range(2, 5):
            some.add(Line(n))
        now[0] += 59.9
        assert some.is_full()
        now[0] += 0.1
        assert not some.is_full()
        assert not some.is_full()

    assert evicted == [100.0] * 3
    assert [line["event"] for line in lines] == ["connections_full", "connections_full_no_more"]
    assert "receiver.max_connections" in lines[0]["hint"]
