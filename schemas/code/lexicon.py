"""Looks up what the words of a text say about the numbers beside them."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from schemas.code import kinds, languages, words


class Says:
    """What a word says; several at once are possible. Plain bits: an `IntFlag` takes a third of the time of a text."""

    CODE: Final = 1
    WEAK: Final = 2
    TYPE: Final = 4
    WEAK_TYPE: Final = 8
    OTHER: Final = 16
    OPENS: Final = 1024
    PRIVATE: Final = 2048
    VOID: Final = 32
    PROMOTION: Final = 64
    NAMED: Final = 128
    STRONG: Final = 256
    BETWEEN: Final = 512
    TRAVEL: Final = 4096
    ENTRANCE: Final = 262144
    WITH: Final = 524288
    NEW: Final = 8192
    NOT: Final = 16384
    INSTEAD_OF: Final = 32768
    INSTEAD_BEHIND: Final = 65536
    PASSED_OVER: Final = 131072
    WHERE: Final = 1048576
    DIGITS: Final = 2097152
    CHANGED: Final = 4194304
    CALLED: Final = 8388608


class Word(NamedTuple):
    """A word of the text, and what it says."""

    start: int
    end: int
    says: int


_CONFIRMING: Final = (languages.ONE_TIME, languages.IDENTITY, languages.ACCESS, languages.COMPLETE)
_LISTS: Final = {
    Says.CODE: (words.CODE, words.CODE_ANYWHERE, languages.CODE),
    Says.WEAK: (words.WEAK, languages.WEAK, languages.DIGITS),
    Says.TYPE: (words.TYPE, words.TYPE_ANYWHERE, languages.TYPE),
    Says.WEAK_TYPE: (words.WEAK_TYPE, languages.WEAK_TYPE),
    Says.PRIVATE: (words.PRIVATE, words.PRIVATE_ANYWHERE, languages.PRIVATE),
    Says.OTHER: (
        words.OTHER,
        words.OTHER_ANYWHERE,
        kinds.POSTAL,
        kinds.DRESS,
        kinds.AREA,
        kinds.ERROR,
        kinds.BUSINESS,
        kinds.TRAVEL,
        kinds.PLACES,
        kinds.COLOURS,
    ),
    Says.OPENS: (
        words.OPENS,
        words.OPENS_ANYWHERE,
        kinds.ENTRANCES,
        kinds.PARKING,
        kinds.WIFI,
        kinds.PARCELS,
        kinds.SHOWN,
    ),
    Says.VOID: (words.VOID, words.VOID_ANYWHERE, languages.VOID),
    Says.PROMOTION: (words.PROMOTION, words.PROMOTION_ANYWHERE, kinds.ADVERTISING),
    Says.NAMED: (words.NAMED, words.NAMED_ANYWHERE, kinds.NAMES),
    Says.STRONG: (words.STRONG, words.STRONG_ANYWHERE, languages.STRONG, *_CONFIRMING),
    Says.BETWEEN: (words.BETWEEN, languages.ONE_TIME),
    Says.TRAVEL: (kinds.TRAVEL,),
    Says.ENTRANCE: (kinds.ENTRANCES,),
    Says.DIGITS: (languages.DIGITS,),
    Says.WHERE: (languages.WHERE,),
    Says.NEW: (languages.NEW,),
    Says.NOT: (languages.NOT,),
    Says.WITH: (languages.WITH,),
    Says.INSTEAD_OF: (languages.INSTEAD_OF,),
    Says.INSTEAD_BEHIND: (languages.INSTEAD_BEHIND,),
    Says.PASSED_OVER: (languages.PASSED_OVER,),
    Says.CHANGED: (languages.CHANGED,),
    Says.CALLED: (languages.CALLED,),
}
_WORD: Final = re.compile(r"[a-zß-ʯ]+|[^\W\d_a-zß-ʯ]+")  # in "验证码OTP" are two
_ARTICLES: Final = ("وال", "بال", "لل", "ال", "و", "ب", "ل", "ف")
_HEBREW_PREFIXES: Final = frozenset("הבלמוש")
FROM_ANYWHERE: Final = "\u0780"
_SPACED: Final = re.compile("[\u10a0-\u10ff\u1200-\u139f\u13a0-\u13ff]")  # Georgian, Ethiopic, Cherokee
_REMEMBERED: Final = 4096  # letters
_LETTERS: Final = str.maketrans(
    {"đ": "d", "ł": "l", "ø": "o", "ı": "i", "ħ": "h", "ð": "d", "æ": "a", "œ": "o", "ə": "a", "'": " ", "’": " "}
)


class _Folds(dict[int, str]):
    """Letters without their diacritics, for `str.translate`; remembers the first ones that it is asked for."""

    def __missing__(self, point: int) -> str:
        letter = chr(point)
        parts = unicodedata.normalize("NFD", letter)
        plain = parts[0] if len(parts) > 1 and all(map(unicodedata.combining, parts[1:])) else letter
        if len(self) < _REMEMBERED:
            self[point] = plain
        return plain


_FOLDS: Final = _Folds()


def folded(text: str) -> str:
    """Return the text in small letters without diacritics, character by character."""
    lower = text.lower()
    if lower.isascii():
        return lower
    return lower.translate(_FOLDS).translate(_LETTERS)


def _entries(lists: tuple[str, ...]) -> list[str]:
    return folded(unicodedata.normalize("NFKC", " ".join(lists)).replace("'", "+")).replace("-", "+").split()


def _is_found_anywhere(entry: str) -> bool:
    """Tell whether its script parts words by no spaces, or builds them with vowel signs: from Thaana on, some not."""
    return entry[0] >= FROM_ANYWHERE and not _SPACED.match(entry)


def _lengths(entries: Iterable[str], *, letters: int) -> dict[str, tuple[int, ...]]:
    """Return for each of their first letters how long such entries are, the longest first."""
    lengths: dict[str, set[int]] = {}
    for entry in entries:
        lengths.setdefault(entry[:letters], set()).add(len(entry))
    return {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}


class _Lexicon:
    def __init__(self) -> None:
        self.exact: dict[str, int] = {}
        self.starts: dict[str, int] = {}
        self.ends: dict[str, int] = {}
        self.phrases: dict[tuple[str, ...], int] = {}
        self.open_phrases: dict[tuple[str, ...], list[tuple[str, int]]] = {}
        self.parts: dict[str, int] = {}
        for says, lists in _LISTS.items():
            for entry in _entries(lists):
                self._add(entry, says)
        self.endings = tuple(self.ends)
        self.start_lengths = _lengths(self.starts, letters=2)
        self.part_lengths = _lengths(self.parts, letters=1)

    def _add(self, entry: str, says: int) -> None:
        if _is_found_anywhere(entry):
            part = entry.replace("+", " ")
            self.parts[part] = self.parts.get(part, 0) | says
        elif len(phrase := tuple(entry.split("+"))) > 1 and entry.endswith("*"):
            self.open_phrases.setdefault(phrase[:-1], []).append((phrase[-1].strip("*"), says))
        elif len(phrase) > 1:
            self.phrases[phrase] = self.phrases.get(phrase, 0) | says
        else:
            table = self.starts if entry.endswith("*") else self.ends if entry.startswith("*") else self.exact
            part = entry.strip("*")
            table[part] = table.get(part, 0) | says

    def of_phrase(self, phrase: tuple[str, ...]) -> int:
        says = self.phrases.get(phrase, 0)
        for start, more in self.open_phrases.get(phrase[:-1], ()):
            says |= more if phrase[-1].startswith(start) else 0
        return says

    def of(self, word: str) -> int:
        says = self.exact.get(word, 0)
        for length in self.start_lengths.get(word[:2], ()):
            says |= self.starts.get(word[:length], 0)
        if word.endswith(self.endings):
            for length in range(2, len(word) + 1):
                says |= self.ends.get(word[-length:], 0)
        return says | (Says.CODE if any(map(word.__contains__, words.INSIDE)) else 0)


_LEXICON: Final = _Lexicon()


@lru_cache(maxsize=4096)
def _said_by(word: str) -> int:
    says = _LEXICON.of(word)
    if "\u0590" <= word[0] <= "\u06ff":
        for article in _ARTICLES:
            if word.startswith(article):
                says |= _LEXICON.of(word[len(article) :])
        if word[0] in _HEBREW_PREFIXES:
            says |= _LEXICON.of(word[1:]) | _LEXICON.of(word[2:])
    return says


_FOREIGN: Final = re.compile(f"[{FROM_ANYWHERE}-\U0010ffff]")


def words_of(text: str) -> list[Word]:
    """Return the words of a folded text with what they say, in order."""
    found: list[Word] = []
    last: tuple[str, ...] = ()
    for match in _WORD.finditer(text):
        word, says = match[0], _said_by(match[0])
        if not says & Says.CODE and word.isascii() and _touches_a_digit(text, match):
            continue
        found.append(Word(match.start(), match.end(), says))
        last = (*last[-2:], word)
        for length in range(2, len(last) + 1):
            if phrase := _LEXICON.of_phrase(last[-length:]):
                found[-length:] = [each._replace(says=each.says | phrase) for each in found[-length:]]
    if _FOREIGN.search(text):
        found = _merged(found, list(_found_anywhere(text)))
    return found


def _merged(said: list[Word], parts: list[Word]) -> list[Word]:
    """Return both in order, without the pieces of such parts that vowel signs make, and that say nothing."""
    inside = {place for part in parts for place in range(part.start, part.end)}
    whole = [word for word in said if word.says or (word.start not in inside and word.end - 1 not in inside)]
    return sorted([*whole, *parts])


def _touches_a_digit(text: str, word: re.Match[str]) -> bool:
    start, end = word.span()
    return text[end : end + 1].isdigit() or (start > 0 and text[start - 1].isdigit())


def _found_anywhere(text: str) -> Iterator[Word]:
    """Yield the parts in the text, the longest at each place; they do not overlap."""
    end = 0
    for start, first in enumerate(text):
        for length in _LEXICON.part_lengths.get(first, ()) if start >= end else ():
            if (part := text[start : start + length]) in _LEXICON.parts:
                end = start + len(part)
                yield Word(start, end, _LEXICON.parts[part])
                break
