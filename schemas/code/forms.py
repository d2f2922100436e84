"""What in a text has the form of a verification code."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from schemas.code import words

_END: Final = "(?![0-9A-Za-z-])"
_PREFIX_OR_NAME: Final = "(?:[A-Z]+-[0-9]+|[0-9]+-[A-Z]+)"  # G-482913, 4829-ACME
_LETTERS_AND_DIGITS: Final = "(?=[A-Z0-9]*[A-Z])(?=[A-Z0-9]*[0-9])[A-Z0-9]{3}"

# Every repetition gives nothing back or is bounded: one pass, whatever the text.
_PIECE: Final = re.compile(
    rf"""
    (?<![0-9A-Za-z])(?:
      \+\ ?[0-9](?:[ ().-]{{0,2}}[0-9]){{6,14}}                                          # +1 (647) 000-0000
      | \([0-9]{{2,5}}\)\ ?[0-9][0-9 -]{{4,10}}                                          # (647) 000-0000
      | [0-9]{{2,4}}[ /-][0-9]{{7,8}}(?![0-9A-Za-z])                                     # 0647 0000000
      | (?P<grouped>
            (?P<long>[0-9]{{3}}(?P<third>[ -])[0-9]{{3}}(?P=third)[0-9]{{2,3}})               # 518 274 663
          | [0-9]{{3}}[ -][0-9]{{3}} | [0-9]{{4}}[ -][0-9]{{4}} | [0-9]{{2}}[ -][0-9]{{3}} | [0-9]{{3}}[ -][0-9]{{2}}
          | [0-9]{{2}}(?P<pair>[ -])[0-9]{{2}}(?:(?P=pair)[0-9]{{2}}){{1,2}}             # 94 71 03 58
          | [0-9](?:(?:\ ?-\ ?|\ )[0-9]){{3,7}}                                          # 4 7 1 - 9 0 6
          | [0-9]{{2}}-[0-9]{{3,4}} | [0-9]{{3,5}}-[0-9]{{1,4}} | [0-9]{{3}}-[0-9]{{2}}-[0-9]{{3}}    # 5802-41
        )(?![0-9A-Za-z]|[ -][0-9]{{2}}|[.,:/][0-9])
      | [0-9]{{1,4}}(?P<gap>[ .-])[0-9]{{2,4}}(?:(?P=gap)[0-9]{{2,4}}){{1,5}}(?![0-9])   # 25.03.2021, 8 800 555 35 35
      | [A-Z]{{2}}[0-9]{{2}}(?:\ [0-9A-Z]{{2,4}}){{2,8}}                                 # DE12 3456 7890
      | (?P<two>{_LETTERS_AND_DIGITS}\ {_LETTERS_AND_DIGITS})(?![0-9A-Za-z])             # 5KX 82D
      | (?P<dashed>(?=[0-9-]*[A-Z])(?!{_PREFIX_OR_NAME}{_END})[A-Z0-9]{{2,5}}(?:-[A-Z0-9]{{2,5}}){{1,2}}{_END})
      | (?P<token>[0-9A-Za-z]++
          (?:(?:(?<=[0-9])[.,:/](?![0-9]{{1,3}}\ ?(?:分|秒|min|мин))
             |-)(?=[0-9]|(?<=-)[A-Z][A-Z0-9]*[0-9])[0-9A-Za-z]++)*+)  # 482913,5 minutes
    )
    """,
    re.VERBOSE,
)
_FORM: Final = r"[0-9]{4,8}|[0-9]{4}-[0-9]{4}"
_TURKIC_ENDING: Final = "d[iıuü]r|t[iıuü]r|[iı]niz|n?[iı]|[yY]?[iıuü]"
_DIGITS: Final = re.compile(
    rf"(?:(?i:[a-z]*(?:code|otp|pin|tan|kode?)-?)(?:[A-Z0-9]{{3,4}}-)?|(?P<prefix>[A-Z]{{1,4}}-)|[a-z]{{1,4}}-)?"
    rf"(?P<form>{_FORM})(?:{_TURKIC_ENDING})?"
)
_MIXED: Final = re.compile(  # SAVE20 is a word and a number, 10min a number and a word, P100 and 1000F are amounts
    r"(?![A-Z][0-9]{3}\Z)(?![0-9]{3,4}[A-Z]\Z)(?![A-Z]{1,4}-[0-9]{3}\Z)"
    r"(?=[0-9A-Za-z-]*[A-Za-z])(?=[A-Za-z-]*[0-9])(?![A-Za-z]{3,}[0-9]+\Z)(?![0-9]*[A-Za-z]?[a-z]+[0-9]?[a-z]*\Z)"
    r"(?:[A-Za-z0-9]{4,10}|[A-Za-z0-9]{2,5}-[A-Za-z0-9]{2,5}(?:-[A-Za-z0-9]{2,5})?)"
    r"|[A-Z]{3,4}-[A-Z]{3,5}"
)
_LETTERS_ARE_TYPED: Final = re.compile(words.LETTERS, re.IGNORECASE)
YEAR_OR_DATE: Final = re.compile(
    r"(?:19|20)[0-9]{2}(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01]))?"
    r"|(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])(?:19|20)[0-9]{2}"
    r"|(?:0[1-9]|[12][0-9]|3[01])-(?:0[1-9]|1[0-2])-[0-9]{2}"
    r"|(?:19|20)[0-9]{2}-(?:0?[1-9]|1[0-2]|2[0-9]|(?:19|20)[0-9]{2})|[0-9]{1,2}-(?:19|20)[0-9]{2}"
)


class Candidate(NamedTuple):
    """A piece of text that may be a code; a doubtful one only where named: letters and digits, a year, a date."""

    start: int
    end: int
    doubtful: bool
    mixed: bool = False
    """It has letters and digits, or nine digits."""


def candidates(text: str) -> Iterator[Candidate]:
    """Yield what has the form of a code and is no part of a phone number, date, time, amount or fraction.

    Of `G-482913` people type the digits alone, unless the text speaks of letters.
    """
    for piece in _PIECE.finditer(text):
        start, end = piece.span()
        token = piece["token"] or piece["dashed"] or ""
        if piece["grouped"]:
            long = piece["long"] is not None
            yield Candidate(start, end, doubtful=long, mixed=long)
        elif found := _DIGITS.fullmatch(token):
            first = "prefix" if found["prefix"] and _LETTERS_ARE_TYPED.search(text) else "form"
            yield Candidate(start + found.start(first), start + found.end("form"), doubtful=False)
        elif piece["two"] or _MIXED.fullmatch(token):
            yield Candidate(start, end, doubtful=True, mixed=True)


def without_prefix(code: str) -> str:
    """Return the digits of `G-482913`."""
    return code.rpartition("-")[2] if code[0].isalpha() else code
