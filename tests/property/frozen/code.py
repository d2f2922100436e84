# A copy of the first release's, for test_code_is_frozen.py: never to be changed.
"""The verification code in the text of an SMS, or none.

FROZEN. The ids of polled SMS are made from this answer: an answer that changes changes ids, and old SMS look new. A
better rule is a new extractor for the field `code` beside this one for ids. A table of real-looking messages and a
digest over a generated corpus (tests/unit/schemas/identity_code/test_identity_code.py) hold the answers; both must stay
as they are.

The way of a text:

1. Make it readable: NFKC, digits of every script as ASCII (codes are typed by people), invisible marks out.
2. A text that is nothing but a code, perhaps behind a `[tag]`, is that code.
3. Find what has the form of a code: 4 to 8 digits, `111-222`, `111 222`, `1234-5678`, `G-482913`. Mixed capitals and
   digits (`7XK9P`), years and dates count only right beside a code word.
4. Put away amounts, dates, times, phone numbers, links, masked cards, and numbers that another word names.
5. Take what follows a code word in its sentence, or leads to one from its start; else what stands alone while a code
   word stands elsewhere.
6. Two different ones are ambiguous: none; an advertisement has none either.

A code keeps its form: `111-222` stays so, with an ASCII dash and ASCII digits.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from schemas.identity_code import words
from tests.property.frozen.code_forms import YEAR_OR_DATE, Candidate, candidates, readable, whole, without_links

LONGEST: Final = 4096  # characters; ten concatenated SMS have 1 530
_EVERY_DIGIT: Final = bytes.maketrans(b"123456789", b"000000000")
_SOME_DIGIT: Final = re.compile("[1-9]")
MOST: Final = 32  # numbers; a text with more is a list, and must not cost more


def _any_of(fragments: tuple[str, ...]) -> str:
    """Join so that a search tries few alternatives a character: word starts apart, foreign scripts apart."""
    starting = [part[2:] for part in fragments if part.startswith(r"\b")]
    anywhere = [part for part in fragments if not part.startswith(r"\b")]
    foreign = [part for part in anywhere if not part.lstrip("[")[0].isascii()]
    ascii_first = [part for part in anywhere if part not in foreign] or ["(?!)"]
    return rf"\b(?:{'|'.join(starting)})|{'|'.join(ascii_first)}|(?=[^\x00-\x7f])(?:{'|'.join(foreign)})"


_CODE_WORD: Final = re.compile(f"(?P<other>{_any_of(words.OTHER_CODE)})|{_any_of(words.CODE)}")
_CURRENCY: Final = f"[{words.CURRENCY_SIGNS}]|(?:{'|'.join(map(re.escape, words.CURRENCIES))})\\b"
_COUNTED: Final = re.compile(f" ?(?:{_CURRENCY}|{'|'.join(words.COUNTED)})")
_NAMED_EXACTLY: Final = frozenset(words.NAMED_EXACTLY + words.CURRENCIES)
_FILLER: Final = frozenset(words.FILLER)
_LEADING: Final = (",", "、", "-", "]", "】", ")", "your", *words.TYPE_IN)
_CONNECTOR: Final = frozenset(("", *words.CONNECTOR))

# A full stop before a small letter ends an abbreviation, a line that ends with a colon goes on.
_SENTENCE_END: Final = re.compile(r"[!?。！？।]|\.(?=\s|\Z)(?!\s+[a-zß-ÿа-я])|(?<!:)(?<!: )\n")
_MASKED: Final = re.compile(r"[*•·x]{2}|\.\.")
_NAME_IN_FRONT: Final = re.compile(r"\W*+(?:[\w.'&]++(?: [\w.'&]++){0,2}+ ?[:\])>】-])?\W*+")
_NO_WORD: Final = re.compile(r"\W*")
_BESIDE: Final = " .:#=\"'*([<「«“"
_REACH: Final = 24  # characters before a number in which its name stands


def identity_code(text: str) -> str | None:
    """Return the one code that the text carries, in its own form; None when there is none, or no telling which."""
    if len(text) > LONGEST:
        return None
    if plain_shape := _plain_shape(text.encode("utf-8", "surrogatepass").translate(_EVERY_DIGIT)):
        return _extracted(text, plain_shape)
    if len(plain := readable(text)) > LONGEST:
        return None
    if code := whole(plain):
        return code
    plain = without_links(plain)
    # What a text is does not hang on its digits, years and dates apart; and senders say the same again and again.
    return _extracted(plain, plain if "2fa" in plain.lower() else _SOME_DIGIT.sub("0", plain))


def _extracted(plain: str, shape: str) -> str | None:
    """Return the code of a readable text of this shape that is more than a code, and has no links."""
    years = tuple([YEAR_OR_DATE.fullmatch(plain, start, end) is not None for start, end in _forms(shape)])
    forms = [plain[start:end] for start, end in _chosen(shape, years)]
    agree = len(forms) == 1 or len({form.replace("-", "").replace(" ", "") for form in forms}) == 1
    return forms[0] if agree else None


@lru_cache(maxsize=1024)
def _plain_shape(shape: bytes) -> str | None:
    """Return the readable shape of texts that are more than a code and whose candidates stay where they are; or None.

    No step before `_extracted` tells one ASCII digit from another, but for the 2 of "2fa".
    """
    text = shape.decode("utf-8", "surrogatepass")
    plain = _SOME_DIGIT.sub("0", without_links(readable(text)))
    return plain if _in_place(text, plain) and not whole(plain) and "0fa" not in plain.lower() else None


def _in_place(text: str, plain: str) -> bool:
    """Tell whether `plain` has a character for each of `text`, and the candidates' own."""
    if plain == text:
        return True
    if len(plain) < len(text) or any(len(readable(character)) > 1 for character in set(text)):
        return False
    return all(plain[start:end] == text[start:end] for start, end in _forms(plain))


@lru_cache(maxsize=1024)
def _forms(shape: str) -> tuple[tuple[int, int], ...]:
    """Return where candidates stand; none for a list of numbers."""
    found = tuple((one.end - len(one.form), one.end) for one in candidates(shape))
    return found if len(found) <= MOST else ()


@lru_cache(maxsize=1024)
def _chosen(shape: str, years: tuple[bool, ...]) -> tuple[tuple[int, int], ...]:
    """Return where the code stands, more than once if the text repeats it or is ambiguous."""
    lower = shape.lower()  # of equal length: `readable` took care
    if not years or any(map(lower.__contains__, words.PROMOTION)):
        return ()
    found = [
        one._replace(doubtful=one.doubtful or year)
        for one, year in zip(candidates(shape), years, strict=True)
        if not _is_something_else(lower, one)
    ]
    return tuple((one.end - len(one.form), one.end) for one in _best(lower, _sentences(shape), found))


def _best(text: str, sentences: Iterable[tuple[int, int]], found: list[Candidate]) -> list[Candidate]:
    named: list[Candidate] = []
    standing: list[Candidate] = []
    for start, end in sentences:
        here = [one for one in found if start <= one.start < end]
        words = list(_code_words(text, start, end)) if here else []
        for one in here:
            if words and _is_meant(text, start, words, one):
                named.append(one)
            elif not one.doubtful and _stands_alone(text[start : one.start], text[one.end : end]):
                standing.append(one)
    if standing and not named:
        return standing if any(_code_words(text, 0, len(text))) else []
    return named


def _code_words(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    return (word for word in _CODE_WORD.finditer(text, start, end) if not word["other"])


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for end in _SENTENCE_END.finditer(text):
        yield start, end.start()
        start = end.end()
    yield start, len(text)


def _is_meant(text: str, start: int, words: list[re.Match[str]], one: Candidate) -> bool:
    """Tell whether the code words of the sentence, which begins at `start`, can mean this number."""
    if one.doubtful:
        return any(_is_beside(text, word, one) for word in words)
    return words[0].start() < one.start or _leads(text[start : one.start]) or text.startswith(" is ", one.end)


def _leads(before: str) -> bool:
    """Tell whether nothing but an address or an order to type comes before the number in its sentence."""
    return bool(_NAME_IN_FRONT.fullmatch(before)) or before.rstrip(_BESIDE).endswith(_LEADING)


def _is_beside(text: str, word: re.Match[str], one: Candidate) -> bool:
    if word.end() <= one.start:
        between = text[word.end() : one.start]
        return len(between) <= _REACH and between.strip(_BESIDE + "\n") in _CONNECTOR
    return text.startswith(" is your", one.end)


def _stands_alone(before: str, after: str) -> bool:
    typed = before.rstrip(_BESIDE).endswith(words.TYPE_IN)
    return typed or bool(_NO_WORD.fullmatch(after) and _NAME_IN_FRONT.fullmatch(before))


def _is_something_else(text: str, one: Candidate) -> bool:
    if _MASKED.match(text, one.end) or _COUNTED.match(text, one.end):
        return True
    before = text[max(0, one.start - _REACH) : one.start].rpartition("\n")[2]
    return bool(_MASKED.fullmatch(before[-2:])) or _is_named(before)


def _is_named(before: str) -> bool:
    """Tell whether the words right before a number say what it is: `order no. 48291`, `card ending in 4829`."""
    while before := before.rstrip(_BESIDE):
        word = before.rpartition(" ")[2].lstrip(_BESIDE)
        if word.startswith(words.NAMED) or word in _NAMED_EXACTLY or before.endswith(words.NAMED_ENDS):
            return before[-1] not in ",;!?"
        if before[-1] in words.CURRENCY_SIGNS + "+/_№":
            return True
        if word not in _FILLER:
            return False
        before = before[: -len(word)]
    return False
