"""Looks up what the words of a text say about the numbers beside them."""

import re
import unicodedata
from collections.abc import Iterator
from enum import IntFlag
from functools import lru_cache
from typing import Final, NamedTuple

from schemas.code import words


class Says(IntFlag):
    """What a word says; several at once are possible."""

    CODE = 1
    WEAK = 2
    TYPE = 4
    WEAK_TYPE = 8
    OTHER = 16
    OPENS = 1024
    PRIVATE = 2048
    VOID = 32
    PROMOTION = 64
    NAMED = 128
    STRONG = 256
    BETWEEN = 512


class Word(NamedTuple):
    """A word of the text, and what it says."""

    start: int
    end: int
    says: int


_LISTS: Final = {
    Says.CODE: words.CODE,
    Says.WEAK: words.WEAK,
    Says.TYPE: words.TYPE,
    Says.WEAK_TYPE: words.WEAK_TYPE,
    Says.PRIVATE: words.PRIVATE,
    Says.OTHER: words.OTHER,
    Says.OPENS: words.OPENS,
    Says.VOID: words.VOID,
    Says.PROMOTION: words.PROMOTION,
    Says.NAMED: words.NAMED,
    Says.STRONG: words.STRONG,
    Says.BETWEEN: words.BETWEEN,
}
_ANYWHERE: Final = {
    Says.CODE: words.CODE_ANYWHERE,
    Says.TYPE: words.TYPE_ANYWHERE,
    Says.PRIVATE: words.PRIVATE_ANYWHERE,
    Says.STRONG: words.STRONG_ANYWHERE,
    Says.OTHER: words.OTHER_ANYWHERE,
    Says.OPENS: words.OPENS_ANYWHERE,
    Says.VOID: words.VOID_ANYWHERE,
    Says.PROMOTION: words.PROMOTION_ANYWHERE,
    Says.NAMED: words.NAMED_ANYWHERE,
}
_WORD: Final = re.compile(r"[^\W\d_]+")
_ARTICLES: Final = ("وال", "بال", "لل", "ال", "و", "ب", "ل", "ف")
_HEBREW_PREFIXES: Final = frozenset("הבלמוש")
_FROM_ANYWHERE: Final = "\u0780"
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


class _Lexicon:
    def __init__(self) -> None:
        self.exact: dict[str, int] = {}
        self.starts: dict[str, int] = {}
        self.ends: dict[str, int] = {}
        self.pairs: dict[tuple[str, str], int] = {}
        for says, listed in _LISTS.items():
            for entry in folded(unicodedata.normalize("NFKC", listed)).replace("-", "+").split():
                self._add(entry, says)
        self.endings = tuple(self.ends)
        self.lengths: dict[str, set[int]] = {}
        for start in self.starts:
            self.lengths.setdefault(start[:2], set()).add(len(start))

    def _add(self, entry: str, says: int) -> None:
        *_, before, word = ("", *entry.split("+"))
        if before:
            self.pairs[before, word] = self.pairs.get((before, word), 0) | says
        else:
            table = self.starts if entry.endswith("*") else self.ends if entry.startswith("*") else self.exact
            part = entry.strip("*")
            table[part] = table.get(part, 0) | says

    def of(self, word: str) -> int:
        says = self.exact.get(word, 0)
        for length in self.lengths.get(word[:2], ()):
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


def _anywhere() -> dict[str, int]:
    found: dict[str, int] = {}
    for says, listed in _ANYWHERE.items():
        for entry in folded(unicodedata.normalize("NFKC", listed)).split():
            part = entry.replace("+", " ")
            found[part] = found.get(part, 0) | says
    return found


_PARTS: Final = _anywhere()
_FOREIGN: Final = re.compile(f"[{_FROM_ANYWHERE}-\U0010ffff]")
_PART: Final = re.compile("|".join(map(re.escape, sorted(_PARTS, key=len, reverse=True))))


def words_of(text: str) -> list[Word]:
    """Return the words of a folded text with what they say, in order."""
    found: list[Word] = []
    before = ""
    for match in _WORD.finditer(text):
        word, says = match[0], _said_by(match[0])
        if word.isascii() and _touches_a_digit(text, match) and not says & Says.CODE:
            continue
        found.append(Word(match.start(), match.end(), says))
        if before and (pair := _LEXICON.pairs.get((before, word), 0)):
            found[-2:] = [
                found[-2]._replace(says=found[-2].says | pair),
                found[-1]._replace(says=found[-1].says | pair),
            ]
        before = word
    if _FOREIGN.search(text):
        found = sorted([*found, *_found_anywhere(text)])
    return found


def _touches_a_digit(text: str, word: re.Match[str]) -> bool:
    start, end = word.span()
    return text[end : end + 1].isdigit() or (start > 0 and text[start - 1].isdigit())


def _found_anywhere(text: str) -> Iterator[Word]:
    for match in _PART.finditer(text):
        yield Word(match.start(), match.end(), _PARTS[match[0]])
