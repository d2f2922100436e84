"""The verification code in the text of an SMS, or none: the field `code`.

Not frozen, unlike `schemas.identity_code`, which ids are made from: a better rule changes answers here, and no id.

The way of a text:

1. Make it readable: NFKC, digits of every script as ASCII (codes are typed by people), invisible marks out.
2. A text that is nothing but a code, perhaps behind a `[tag]`, is that code; so is what its last line binds to an
   origin (`@example.com #482913`, https://wicg.github.io/sms-one-time-codes/).
3. Find what has the form of a code (`forms`), and what the words of the text say (`lexicon`; the words are in `words`,
   `languages` and `kinds`).
4. Judge how sure it is that each number is the code (`judging`): whether a word for a code stands beside it, or an
   order to type it; whether its sentence says that it is expired, a discount or for a locker; whether another word
   names it.
5. Where neither confirming nor an order to type stands beside it, believe it only in a text that reads like one with a
   code (`ngrams`): what lists of words do not know, letters may tell.
6. Take the best. Two different ones that are equally good are ambiguous: none.

A code keeps its form: `111-222` stays so, with an ASCII dash and ASCII digits. Of `G-482913` the digits are the code,
since the forms that people type it into show the prefix. `tests/corpus/codes` has the texts that these rules are
measured by.
"""

import re
from functools import lru_cache
from itertools import islice
from typing import Final

from schemas.code.forms import YEAR_OR_DATE, Candidate, candidates, without_prefix
from schemas.code.judging import best
from schemas.identity_code.forms import is_readable_longer, readable, whole, without_links

LONGEST: Final = 4096  # characters; ten concatenated SMS have 1 530
MOST: Final = 32  # numbers; a text with more is a list, and must not cost more
_BOUND: Final = re.compile(
    r"(?:^|\n)@[A-Za-z0-9.-]+\.[A-Za-z]{2,} #((?=[0-9]*[A-Z])[A-Z0-9]{4,12}|[0-9]{4,8})(?: @\S+)?\s*\Z"
)
_EVERY_DIGIT: Final = bytes.maketrans(b"123456789", b"000000000")
_SOME_DIGIT: Final = re.compile("[1-9]")
_VOWEL_SIGNS: Final = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]")  # loose diacritics, Hebrew, Arabic


def extract_code(text: str) -> str | None:
    """Return the one code that the text carries, in its own form; None when there is none, or no telling which."""
    if len(text) > LONGEST or is_readable_longer(text, LONGEST):
        return None
    if shape := _plain_shape(text.encode("utf-8", "surrogatepass").translate(_EVERY_DIGIT)):
        return _extracted(text, shape)
    if len(plain := readable(text)) > LONGEST:
        return None
    if code := _stated(plain):
        return code
    plain = as_judged(plain)
    return _extracted(plain, _SOME_DIGIT.sub("0", plain))


def as_judged(plain: str) -> str:
    """Return a readable text without links and vowel signs."""
    return _VOWEL_SIGNS.sub("", without_links(plain))


@lru_cache(maxsize=1024)
def _plain_shape(shape: bytes) -> str | None:
    """Return the readable shape of texts that are more than a code and whose candidates stay in place; or None."""
    text = shape.decode("utf-8", "surrogatepass")
    plain = as_judged(readable(text))
    return plain if _is_in_place(text, plain) and not _stated(plain) else None


def _stated(plain: str) -> str | None:
    """Return the code that is all there is, or that the last line binds to an origin; there it may have letters."""
    if code := whole(plain):
        return without_prefix(code)
    bound = _BOUND.search(plain)
    return bound[1] if bound else None


def _is_in_place(text: str, plain: str) -> bool:
    """Tell whether `plain` has a character for each of `text`, and the candidates' own."""
    if plain == text:
        return True
    if len(plain) != len(text) or not all(map(_is_one, set(text))):
        return False
    return all(plain[one.start : one.end] == text[one.start : one.end] for one in _found(plain))


@lru_cache(maxsize=4096)
def _is_one(character: str) -> bool:
    """Tell whether a character is one in a readable text, too."""
    return len(readable(character)) == 1


def _extracted(plain: str, shape: str) -> str | None:
    """Return the code of a readable text of this shape. Senders say the same again and again, with other digits."""
    years = tuple([YEAR_OR_DATE.fullmatch(plain, one.start, one.end) is not None for one in _found(shape)])
    forms = [plain[start:end] for start, end in _chosen(shape, years)]
    agree = len(forms) == 1 or len({form.replace("-", "").replace(" ", "") for form in forms}) == 1
    return forms[0] if agree else None


@lru_cache(maxsize=1024)
def _found(shape: str) -> tuple[Candidate, ...]:
    """Return the candidates; none of a list of numbers."""
    found = tuple(islice(candidates(shape), MOST + 1))
    return found if len(found) <= MOST else ()


@lru_cache(maxsize=1024)
def _chosen(shape: str, years: tuple[bool, ...]) -> tuple[tuple[int, int], ...]:
    """Return where the code stands, more than once if the text repeats it or is ambiguous."""
    found = [one._replace(doubtful=one.doubtful or year) for one, year in zip(_found(shape), years, strict=True)]
    return tuple((one.start, one.end) for one in best(shape, found)) if found else ()
