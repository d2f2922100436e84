"""What a cursor says, as text and back."""

import base64
import re

import pytest

from inbox.cursor import LONGEST, Cursor, Place, named, parts_of
from inbox.filters import Filter
from schemas.topics import RECEIVED, REJECTED, WATCH_ENDED

ALL = (RECEIVED, REJECTED, WATCH_ENDED)


def cursor(topics: tuple[str, ...] = (RECEIVED,), offset: int = 7, mark: int = 9) -> Cursor:
    places = {part: Place(offset + number, mark) for number, part in enumerate(parts_of(topics))}
    return Cursor(named("kafka"), Filter(topics=topics).digest(), 1_795_000_000_000, places)


@pytest.mark.parametrize("topics", [(RECEIVED,), (REJECTED, RECEIVED), ALL, ALL[::-1]])
@pytest.mark.parametrize(("offset", "mark"), [(0, 0), (7, 9), (2**47, 65_535)])
def test_a_cursor_comes_back_as_it_was(topics: tuple[str, ...], offset: int, mark: int) -> None:
    made = cursor(topics, offset, mark)

    text = made.text()

    assert Cursor.of(text, topics) == made
    assert re.fullmatch(r"[A-Za-z0-9_-]{40,512}", text)
    assert len(text) <= LONGEST


def test_every_part_of_a_cursor_is_in_its_text() -> None:
    made = cursor()
    others = [
        made._replace(cluster=made.cluster + 1),
        made._replace(filter=b"1234"),
        made._replace(since_ms=0),
        *(made.moved(part, Place(1, 9)) for part in made.places),
        *(made.moved(part, Place(made.places[part].offset, 1)) for part in made.places),
    ]

    assert len({each.text() for each in (made, *others)}) == len(others) + 1


def test_to_move_one_partition_leaves_the_others_and_the_cursor_itself() -> None:
    made = cursor()
    first, *rest = made.places

    moved = made.moved(first, Place(100))

    assert moved.places[first] == Place(100)
    assert [moved.places[part] for part in rest] == [made.places[part] for part in rest]
    assert made == cursor()


@pytest.mark.parametrize("cut", range(1, len(cursor().text())))
def test_a_cursor_that_was_cut_is_none(cut: int) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Cursor.of(cursor().text()[:-cut], (RECEIVED,))
    with pytest.raises(ValueError, match=r".*"):
        Cursor.of(cursor().text()[cut:], (RECEIVED,))


@pytest.mark.parametrize(
    "text",
    ["", "=", "a", "10m", "ä" * 87, "\x00" * 87, "a" * 600, "=" * 87, "A" * 87, " " + cursor().text(),
     cursor().text() + "\n", cursor().text() + "AAAA", "\ud800" * 87],
)  # fmt: skip
def test_other_texts_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Cursor.of(text, (RECEIVED,))


@pytest.mark.parametrize("topics", [ALL, (RECEIVED, REJECTED), ()])
def test_a_cursor_of_other_topics_is_none(topics: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Cursor.of(cursor().text(), topics)


def test_a_cursor_of_another_version_is_none() -> None:
    data = bytearray(base64.urlsafe_b64decode(cursor().text() + "="))
    data[0] = 2

    with pytest.raises(ValueError, match=r".*"):
        Cursor.of(base64.urlsafe_b64encode(data).decode().rstrip("="), (RECEIVED,))
