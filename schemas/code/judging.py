"""How sure it is that a number of a text is the code, from the words around it."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from enum import IntEnum
from itertools import pairwise
from typing import Final, NamedTuple

from schemas.code import words
from schemas.code.forms import Candidate
from schemas.code.lexicon import Says, Word, folded, words_of

# A full stop before a small letter ends an abbreviation, a line that ends with a colon goes on.
_SENTENCE_END: Final = re.compile(
    r"[!?。！？।։።؟]|\.(?=\s|\Z)(?!\s+[a-zß-ÿа-я])|(?<![:\n])(?<!: )(?<! is)(?<! es)(?<! ist)(?<! est)\n"
)
_CLAUSE_END: Final = re.compile(r"[,;،、，](?![0-9])")
_DIGIT: Final = re.compile("[0-9]")
_BESIDE: Final = " .:#=\"'*([<«“„‘’-–—>→`»”\n"
_ONLY_WORDS: Final = re.compile(r"[^\W\d_ ]*(?: [^\W\d_]*)*+")
_NOTHING: Final = re.compile(r"\W*")
_ADDRESS: Final = re.compile(r"\W*(?:[\w.'& ]{1,30}[:\])>】-])?\W*")
_AND: Final = re.compile(f" ?(?:[,/&、，]|{'|'.join(words.AND.split())}) ?")
_TOPIC: Final = re.compile(r" ?(?:は|が|为|為|是|는|은|이|가)")  # "is", right behind what is spoken of
_NAME_AND_NUMBER: Final = 40  # characters: a word for a code means a number so far off, if nothing else is between
_NEAR: Final = 12  # characters
_TOPIC_REACH: Final = 24  # characters
_WORDS_OF_A_NAME: Final = 4

_IS: Final = frozenset(words.IS.split())
_CURRENCIES: Final = "|".join(map(re.escape, words.CURRENCIES.split()))
_CURRENCY: Final = f"[{words.CURRENCY_SIGNS}]|(?:{_CURRENCIES})\\b"
_COUNTED: Final = re.compile(f" ?(?:{_CURRENCY}|{'|'.join(words.COUNTED)})")
_PAID: Final = re.compile(f"(?:[{words.CURRENCY_SIGNS}]|\\b(?:{_CURRENCIES})\\.?) ?\\Z")
_MASKED: Final = re.compile(r"[•·]|[*x]{2}|\.\.")
_SENT_TO: Final = re.compile(words.SENT_TO)


class Sure(IntEnum):
    """How sure it is that a number is the code."""

    NO = 0
    MAYBE = 1
    LIKELY = 2
    YES = 3


class Part(NamedTuple):
    """A sentence or a clause of it: where it is, its words, and what they say together."""

    start: int
    end: int
    words: Sequence[Word]
    says: int


class Context(NamedTuple):
    """A number with the text around it."""

    text: str
    one: Candidate
    sentence: Part
    clause: Part
    before: Sequence[Word]
    after: Sequence[Word]
    alone: bool
    """No other number is in the sentence."""

    def digits_between(self, start: int, end: int) -> bool:
        """Tell whether another number stands there."""
        return _DIGIT.search(self.text, start, end) is not None


def best(shape: str, found: Sequence[Candidate]) -> list[Candidate]:
    """Return the numbers that are most surely the code; several: they are equally good."""
    text = folded(shape)
    said = words_of(text)
    everything = _together(said)
    if not everything & (Says.CODE | Says.WEAK | Says.TYPE | Says.WEAK_TYPE | Says.PRIVATE):
        return []
    contexts = list(_contexts(shape, text, said, found))
    judged = [(_sure(each, everything), each.one) for each in contexts]
    most = max((sure for sure, _ in judged), default=Sure.NO)
    if most is Sure.NO:
        return [each.one for each in contexts if len(contexts) == 1 and _is_kept_private(each, said, everything)]
    first = next(one for sure, one in judged if sure is most)
    return [one for sure, one in judged if sure is most or _side_by_side(text, first, one)]


def _is_kept_private(only: Context, said: Sequence[Word], everything: int) -> bool:
    """Tell whether the text asks not to tell it to anybody, in a sentence behind it."""
    later = _together(word for word in said if word.start >= only.sentence.end)
    here = only.one.doubtful or only.sentence.says & Says.PRIVATE or _is_named(only)
    return bool(later & Says.PRIVATE) and not here and not _is_for_something_else(only, everything)


def _side_by_side(text: str, one: Candidate, other: Candidate) -> bool:
    """Tell whether two numbers stand as one code and another: `482913 or 551182`."""
    first, second = sorted((one, other))
    return not other.doubtful and bool(_AND.fullmatch(text, first.end, second.start))


# ---- the parts of a text ---------------------------------------------------------------------------------------------


def _contexts(shape: str, text: str, said: Sequence[Word], found: Sequence[Candidate]) -> Iterable[Context]:
    for sentence in _parts(shape, _SENTENCE_END, Part(0, len(text), said, 0)):
        here = [one for one in found if sentence.start <= one.start < sentence.end]
        clauses = _parts(shape, _CLAUSE_END, sentence) if here else []
        for one in here:
            clause = next(each for each in reversed(clauses) if each.start <= one.start)
            first, last = _bounds(sentence.words, one.start, one.end)
            before, after = sentence.words[:first], sentence.words[last:]
            if not _is_something_else(text, one):
                yield Context(text, one, sentence, clause, before, after, len(here) == 1)


def _parts(text: str, ends: re.Pattern[str], whole: Part) -> list[Part]:
    cuts = [whole.start, *(end.end() for end in ends.finditer(text, whole.start, whole.end)), whole.end]
    return [_part(start, end, whole.words) for start, end in pairwise(cuts)]


def _part(start: int, end: int, said: Sequence[Word]) -> Part:
    first, last = (bisect_left(said, place, key=lambda word: word.start) for place in (start, end))
    inside = said[first:last]
    return Part(start, end, inside, _together(inside))


def _bounds(said: Sequence[Word], start: int, end: int) -> tuple[int, int]:
    """Return how many words end before a place, and how many begin before another."""
    return bisect_right(said, start, key=lambda word: word.end), bisect_left(said, end, key=lambda word: word.start)


def _together(said: Iterable[Word]) -> int:
    says = 0
    for word in said:
        says |= word.says
    return says


# ---- what a number is ------------------------------------------------------------------------------------------------


def _sure(here: Context, everything: int) -> Sure:
    if _is_for_something_else(here, everything) or (_is_named(here) and not _is_said_to_be_one(here)):
        return Sure.NO
    if here.one.doubtful:
        return _sure_of_doubtful(here)
    sure = max(_named_before(here), _named_after(here), _typed(here))
    if sure is Sure.NO and everything & Says.CODE and _stands_alone(here):
        return Sure.LIKELY
    return sure


def _is_for_something_else(here: Context, everything: int) -> bool:
    """Tell whether its sentence says that it is void, a discount, or opens something; or the text advertises."""
    part = here.sentence if here.alone else here.clause
    if part.says & Says.VOID or here.sentence.says & Says.PROMOTION:
        return True
    if here.clause.says & (Says.OTHER | Says.OPENS):
        return not here.clause.says & Says.STRONG
    return not here.sentence.says & Says.STRONG and bool(here.sentence.says & Says.OPENS or everything & Says.PROMOTION)


def _sure_of_doubtful(here: Context) -> Sure:
    if _is_beside_its_name(here) or _named_after(here) is Sure.YES:
        return Sure.YES
    typed = _typed(here) if here.one.mixed else Sure.NO
    return typed if typed is Sure.YES or (typed is Sure.LIKELY and here.sentence.says & Says.STRONG) else Sure.NO


def _is_code(word: Word) -> bool:
    return bool(word.says & Says.CODE) and not word.says & Says.OTHER


def _name_before(here: Context) -> Word | None:
    """Return the nearest word for a code before the number."""
    return next((word for word in reversed(here.before) if _is_code(word)), None)


def _named_before(here: Context) -> Sure:
    """Judge by the words before it: a word for a code, with nothing but words before the number, names it."""
    if name := _name_before(here):
        return Sure.LIKELY if here.digits_between(name.end, here.one.start) else Sure.YES
    last = here.before[-1] if here.before else None
    if last and last.says & Says.WEAK and not last.says & Says.OTHER and _is_beside(here, last.end, here.one.start):
        return Sure.MAYBE
    return Sure.NO


def _named_after(here: Context) -> Sure:
    """Judge by the words after it: `482913 is your code`."""
    name = next((word for word in here.after if _is_code(word)), None)
    if name is None or here.digits_between(here.one.end, name.start):
        return Sure.NO
    topic = _TOPIC.match(here.text, here.one.end) and name.start - here.one.end <= _TOPIC_REACH
    if topic or _is_beside(here, here.one.end, name.start) or _only_fillers(here, here.after, here.one.end, name.start):
        return Sure.YES
    return Sure.NO if here.one.doubtful else Sure.MAYBE


def _is_said_to_be_one(here: Context) -> bool:
    """Tell whether the text says that it is a code, whatever its name: `ACME MOBILE: 482913 is your code`."""
    follows = here.after[0] if here.after else None
    return follows is not None and here.text[follows.start : follows.end] in _IS and _named_after(here) is Sure.YES


def _is_beside_its_name(here: Context) -> bool:
    name = _name_before(here)
    if name is None or here.digits_between(name.end, here.one.start):
        return False
    near = here.one.start - name.end <= _NEAR or _is_introduced(here)
    return near or _only_fillers(here, here.before, name.end, here.one.start)


def _is_introduced(here: Context) -> bool:
    """Tell whether a colon, or a word for "is", stands right before it."""
    last = here.before[-1]
    return ":" in here.text[last.end : here.one.start] or here.text[last.start : last.end] in _IS


def _is_beside(here: Context, start: int, end: int) -> bool:
    return not here.text[start:end].strip(_BESIDE)


def _only_fillers(here: Context, said: Sequence[Word], start: int, end: int) -> bool:
    """Tell whether only words that say nothing stand between two near places, and no digit."""
    if end - start > _NAME_AND_NUMBER or here.digits_between(start, end):
        return False
    return all(
        word.says & (Says.BETWEEN | Says.CODE | Says.WEAK) for word in said if start <= word.start and word.end <= end
    )


def _typed(here: Context) -> Sure:
    """Judge by orders to type: one beside it names it, one in its sentence may mean it."""
    gaps = [(word, word.end, here.one.start) for word in here.before[-2:]]
    gaps += [(word, here.one.end, word.start) for word in here.after[:2]]
    orders = [(word, start, end) for word, start, end in gaps if word.says & (Says.TYPE | Says.WEAK_TYPE)]
    beside = [word for word, start, end in orders if _is_beside(here, start, end)]
    if any(word.says & Says.TYPE for word in beside):
        return Sure.YES
    near = [
        word for word, start, end in orders if end - start <= _NEAR and _ONLY_WORDS.fullmatch(here.text, start, end)
    ]
    if beside or any(word.says & Says.TYPE for word in near):
        return Sure.LIKELY
    return Sure.MAYBE if here.alone and here.sentence.says & Says.TYPE else Sure.NO


def _stands_alone(here: Context) -> bool:
    before, after = here.text[here.sentence.start : here.one.start], here.text[here.one.end : here.sentence.end]
    return bool(_NOTHING.fullmatch(after) and _ADDRESS.fullmatch(before))


def _is_something_else(text: str, one: Candidate) -> bool:
    """Tell whether it is an amount, a masked number, or where to send an SMS to."""
    front = text[max(0, one.start - _NAME_AND_NUMBER) : one.start]
    starred = front.endswith("*") != text.startswith("*", one.end)
    if starred or _MASKED.match(text, one.end) or _COUNTED.match(text, one.end) or _PAID.search(front[-_NEAR:]):
        return True
    if front.endswith("..") or front.rstrip(" ").endswith(("+", "/", "_", "№", "#", "**", "xx", "•", "·")):
        return True
    return _SENT_TO.search(front) is not None


def _is_named(here: Context) -> bool:
    """Tell whether the words right before a number say what it is: `order no. 48291`, `card ending in 4829`."""
    end = here.one.start
    for word in reversed(here.before[-_WORDS_OF_A_NAME:]):
        gap = here.text[word.end : end]
        if gap.strip(_BESIDE) or "\n" in gap or ("." in gap and word.end - word.start > len("reg.")):
            return False
        if word.says & (Says.NAMED | Says.OTHER) and not _is_code(word):
            return True
        if _is_code(word) or not word.says & (Says.BETWEEN | Says.WEAK):
            return False
        end = word.start
    return False
