"""What in a text has the form of a verification code. Frozen together with `schemas.identity_code`."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

_FOREIGN_DIGIT: Final = re.compile(r"[^\D0-9]")
_INVISIBLE: Final = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
_DASH: Final = re.compile("[\u2010-\u2015\u2212]")
_SPACE: Final = re.compile(r"[^\S\n ]")
_PART: Final = 256  # characters
_MOST_OF_ONE: Final = 18  # characters that NFKC makes of one: U+FDFA

_FORM: Final = r"[0-9]{4,8}|[0-9]{3}[- ][0-9]{3}|[0-9]{4}-[0-9]{4}|[A-Z]{1,2}-[0-9]{4,8}"
_WHOLE: Final = re.compile(rf"\s*(?:[\[【<][^\]】>\n]{{1,40}}[\]】>]:?\s*)?[\"'*#]?({_FORM})[\"'*]?[.!。]?\s*")
_BOUND_TO_ORIGIN: Final = re.compile(r"(?:^|\n)@[A-Za-z0-9.-]+ #([0-9]{4,8})\s*\Z")

# Every repetition of these two gives nothing back or is bounded: one pass, whatever the text.
_LINK: Final = re.compile(
    r"(?:https?://|www\.)\S++|(?<![\w.+-])[\w.+-]++@\S++|(?<![\w.-])(?:[\w-]++\.)++[a-z]{2,}/\S*+", re.IGNORECASE
)
_PIECE: Final = re.compile(
    r"""
    (?<![0-9A-Za-z])(?:
      \+\ ?[0-9](?:[ ().-]{0,2}[0-9]){6,14}                                               # +1 (647) 000-0000
      | \([0-9]{2,5}\)\ ?[0-9][0-9 -]{4,10}                                               # (647) 000-0000
      | [0-9]{1,4}(?P<gap>[ .-])[0-9]{2,4}(?:(?P=gap)[0-9]{2,4}){1,5}(?![0-9])            # 25.03.2021, 8 800 555 35 35
      | [A-Z]{2}[0-9]{2}(?:\ [0-9A-Z]{2,4}){1,8}                                           # DE12 3456 7890
      | (?P<pair>[0-9]{3}\ [0-9]{3})(?![0-9A-Za-z])
      | (?=[A-Za-z]{0,12}-?[0-9])
        (?P<token>[0-9A-Za-z]++
          (?:(?:(?<=[0-9])[.,:/](?![0-9]{1,2}\ ?(?:分|秒|min|мин))|-)(?=[0-9])[0-9A-Za-z]++)*+)  # 482913,5 minutes
    )
    """,
    re.VERBOSE,
)
_TOKEN: Final = re.compile(rf"(?i:[a-z]*(?:code|otp|pin|tan|kode?)-?)?({_FORM})")
_MIXED: Final = re.compile(r"((?=[0-9]*[A-Z])(?![A-Z]{3,}[0-9]+\Z)[A-Z0-9]{4,10})")  # SAVE20 is a word and a number
YEAR_OR_DATE: Final = re.compile(
    r"(?:19|20)[0-9]{2}(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01]))?"
    r"|(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])(?:19|20)[0-9]{2}"
)


class Candidate(NamedTuple):
    """A piece of text that may be a code; a doubtful one only right beside a code word."""

    form: str
    start: int
    end: int
    doubtful: bool


def readable(text: str) -> str:
    """Return the text in NFKC with ASCII digits, dashes and spaces, without invisible marks and carriage returns."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("İ", "I")  # the one letter that lower() makes two
        text = _DASH.sub("-", _INVISIBLE.sub("", _FOREIGN_DIGIT.sub(_ascii_digit, text)))
    return _SPACE.sub(" ", text.replace("\r\n", "\n"))


def is_readable_longer(text: str, longest: int) -> bool:
    """Tell whether `readable` would certainly make more characters of it: of one it can make 18.

    A part is made readable by itself and nothing of it is kept. Where two meet, the last letter of the first takes at
    most three marks of the second.
    """
    if len(text) * _MOST_OF_ONE <= longest or unicodedata.is_normalized("NFKC", text):
        return False
    certain = 0
    for start in range(0, len(text), _PART):
        part = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text[start : start + _PART]))
        certain += len(part) - part.count("\r") - 3
        if certain > longest:
            return True
    return False


def whole(text: str) -> str | None:
    """Return the code that is all there is, perhaps behind a `[tag]`, or that is bound to an origin in the last line.

    Origin-bound: `@example.com #482913`, https://wicg.github.io/sms-one-time-codes/.
    """
    found = _WHOLE.fullmatch(text) or _BOUND_TO_ORIGIN.search(text)
    return found[1] if found else None


def without_links(text: str) -> str:
    """Return the text with links and mail addresses made one mark each."""
    return _LINK.sub("\ufffc", text) if "/" in text or "@" in text or "www." in text else text


def candidates(text: str) -> Iterator[Candidate]:
    """Yield what has the form of a code and is no part of a phone number, date, time or fraction."""
    for piece in _PIECE.finditer(text):
        if piece["pair"]:
            yield Candidate(piece["pair"], piece.start(), piece.end(), doubtful=False)
        elif piece["token"] and (found := _TOKEN.fullmatch(piece["token"])):
            yield Candidate(found[1], piece.end() - len(found[1]), piece.end(), bool(YEAR_OR_DATE.fullmatch(found[1])))
        elif piece["token"] and _MIXED.fullmatch(piece["token"]):
            yield Candidate(piece["token"], piece.start(), piece.end(), doubtful=True)


def _ascii_digit(found: re.Match[str]) -> str:
    return str(unicodedata.decimal(found[0]))
