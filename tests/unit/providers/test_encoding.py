"""Bodies of requests and responses, decoded in one place."""

import gzip
import tracemalloc
import zlib

import pytest

from providers.encoding import JSON, WINDOWS, Inflated, TooLarge, inflate, text_of
from schemas.normalize import clean

GZIP = WINDOWS["gzip"]


@pytest.mark.parametrize(
    ("body", "result", "whole"),
    [
        (gzip.compress(b"a"), Inflated(b"a", is_complete=True, has_rest=False), True),
        (gzip.compress(b"a") + b"rest", Inflated(b"a", is_complete=True, has_rest=True), False),
        (gzip.compress(b"a")[:-3], Inflated(b"a", is_complete=False, has_rest=False), False),
    ],
    ids=["whole", "something behind it", "cut off"],
)
def test_what_is_inflated_says_whether_it_is_whole(body, result, whole):
    assert inflate(body, GZIP, 10) == result
    assert result.is_whole == whole


def test_the_limit_is_kept_to_the_byte():
    assert inflate(gzip.compress(b"x" * 10), GZIP, 10).content == b"x" * 10
    with pytest.raises(TooLarge):
        inflate(gzip.compress(b"x" * 11), GZIP, 10)


def test_a_bomb_takes_no_more_memory_than_the_limit():
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    tracemalloc.start()

    with pytest.raises(TooLarge):
        inflate(bomb, GZIP, 1024 * 1024)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 1024 * 1024


def test_a_body_that_is_not_compressed_is_an_error():
    with pytest.raises(zlib.error):
        inflate(b"plain", GZIP, 10)


def test_numbers_keep_their_spelling_and_line_breaks_are_read():
    assert JSON.decode('[8601705018416664, 0.50, NaN, "a\nb"]') == ["8601705018416664", "0.50", "NaN", "a\nb"]


def test_a_byte_order_mark_and_white_space_are_removed():
    assert text_of(b"\r\n\xef\xbb\xbf OK: \n") == "OK:"


def test_bytes_that_are_not_utf_8_stay_distinct_until_a_text_is_published():
    one, other = text_of(b"\r\n\xef\xbb\xbf OK:\xff \n"), text_of(b"OK:\xfe")

    assert one != other
    assert clean(one) == clean(other) == "OK:\ufffd"
