"""How sure it is that a number of a text is the code, from the words around it."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from enum import IntEnum
from itertools import pairwise
from typing import Final, NamedTuple

from schemas.code import languages, words
from schemas.code.forms import Candidate
from schemas.code.lexicon import FROM_ANYWHERE, Says, Word, folded, words_of
from schemas.code.ngrams import reads_like_a_code

# A full stop before a small letter ends an abbreviation, a line that ends with a colon goes on.
_SENTENCE_END: Final = re.compile(
    r"[!?。！？।॥։።؟۔။។]|(?<!\bDr)(?<!\bM[rs])(?<!\b[SJHF]r)(?<!\bSt)\.(?=\s|\Z)(?!\s+(?:[a-zß-ÿа-я]|\.\.|[*•]))(?!(?:(?<=\b[^\W\d_]{2}\.)|(?<=\b[^\W\d_]\.)|(?<=nr\.)|(?<=[rR]ef\.)|(?<=[0-9]\.[0-9]{2}\.))\s*[0-9])"
    r"|(?<![:\n])(?<!: )(?<! is)(?<! es)(?<! ist)(?<! est)\n"
)
_CLAUSE_END: Final = re.compile(r"[,;،、，](?![0-9])")
_DIGIT: Final = re.compile("[0-9]")
_BESIDE: Final = " .:#=\"'*([<«“„‘’-–—>→`»”\n"
_ONLY_WORDS: Final = re.compile(r"[^\W\d_ ]*(?: [^\W\d_]*)*+")
_NEXT_NUMBER: Final = re.compile(r"\W{0,3}[0-9][0-9 -]{3}")
_NOTHING: Final = re.compile(r"\W*")
_ADDRESS: Final = re.compile(r"\W*(?:[\w.'& ]{1,30}[:\])>】-])?\W*")
_AND: Final = re.compile(f" ?(?:[,/&、，]|{'|'.join(words.AND.split())}) ?")
_TOPIC: Final = re.compile(r" ?(?:は|が|为|為|是|는|은|이|가)")  # "is", right behind what is spoken of
_INTRODUCTION: Final = re.compile(r"(?::|[为為是は]|คือ|เป็น)\W*\Z")
_NAME_AND_NUMBER: Final = 40  # characters: a word for a code means a number so far off, if nothing else is between
_NEAR: Final = 12  # characters
_TOPIC_REACH: Final = 24  # characters
_CLOSE: Final = 3  # characters, in scripts whose words are found anywhere
_WORDS_OF_A_NAME: Final = 4

_SENDER: Final = re.compile(r"\W*[\[【(<][^\]】)>0-9]{1,40}[\]】)>]|[^\W\d_]+[ -][\w &.'-]{1,24}:(?= )")
_NAMES: Final = re.compile(words.NAMES)
_PLAIN: Final = re.compile(words.PLAIN)
_QUOTED: Final = re.compile(r"[«“„\"][^\W\d_][^»”“\"0-9\n]{1,30}[»”“\"]")
_OF_A_PHONE: Final = re.compile(r"(?<![0-9])(?:0[0-9]{1,3} |[0-9]{3} [0-9]{3}-)\Z")  # in front of its last digits
_NOT_BY_NAME: Final = Says.OPENS | Says.ENTRANCE | Says.TRAVEL | Says.OTHER  # what a sender may be called by

_IS: Final = frozenset(folded(languages.IS).split())
_CURRENCIES: Final = "|".join(map(re.escape, words.CURRENCIES.split()))
_CURRENCY: Final = f"[{words.CURRENCY_SIGNS}]|(?:{_CURRENCIES})\\b"
_COUNTED: Final = re.compile(f" ?(?:{_CURRENCY}|{'|'.join(words.COUNTED)})")
_PAID: Final = re.compile(f"(?:[{words.CURRENCY_SIGNS}]|\\b(?:{_CURRENCIES})\\.?) ?\\Z")
_PERCENT: Final = re.compile("[0-9] ?[%٪]|[%٪] ?[0-9]")
_FOR_AN_APP: Final = re.compile(  # an app reads it: how the text begins, or the hash of the app at its end
    r"\A<#>|(?<!\S)(?P<hash>(?=[0-9A-Za-z+/]{11}\s*\Z)(?=\S*[A-Z])(?=\S*[a-z])\S*[0-9+/]\S*)\s*\Z"
)
_AT: Final = re.compile(languages.AT)
_MINUTES: Final = re.compile(languages.MINUTES)
_OF_CODES: Final = Says.CODE | Says.WEAK | Says.TYPE | Says.WEAK_TYPE | Says.PRIVATE | Says.STRONG | Says.DIGITS
_WEAKEST: Final = Says.WEAK | Says.WEAK_TYPE
_OF_A_FORM: Final = Says.STRONG | Says.TYPE | Says.WEAK_TYPE
_OF_A_SCREEN: Final = _OF_A_FORM | Says.PRIVATE | Says.WHERE | Says.NEW
_NOUN: Final = 4  # letters
_ENOUGH: Final = 2
_MASKED: Final = re.compile(r"[•·]|[*x]{2}|\.\.")
_SENT_TO: Final = re.compile(words.SENT_TO)
_SENT_ON: Final = re.compile(rf" (?:{'|'.join(words.TO.split())}) \+?[0-9]{{3}}")
_USSD: Final = re.compile(r"[*#][0-9][0-9*#]*#")  # *111*2#, #123#
_LATER: Final = re.compile(languages.LATER)
_CODES: Final = frozenset(languages.CODES.split())
_GENITIVE: Final = frozenset(languages.GENITIVE.split())
_SOMETHING_ELSE: Final = Says.NAMED | Says.OTHER | Says.OPENS
_YOUR: Final = frozenset(folded(languages.YOUR).split())
_OWNED: Final = tuple(folded(languages.OWNED).split())
_FOR: Final = frozenset(languages.FOR.split())
_VERY_WORDS: Final = Says.CODE | Says.STRONG  # of a code for logging in, in one word: OTP, TAN


class Sure(IntEnum):
    """How sure it is that a number is the code."""

    NO = 0
    MAYBE = 1
    LIKELY = 2
    YES = 3
    NEWEST = 4


class Part(NamedTuple):
    """A sentence or a clause of it: where it is, its words, and what they say together."""

    start: int
    end: int
    words: Sequence[Word]
    says: int


class Context(NamedTuple):
    """A number with the text around it."""

    shape: str
    text: str
    """The shape in small letters without diacritics."""
    one: Candidate
    sentence: Part
    clause: Part
    before: Sequence[Word]
    after: Sequence[Word]
    alone: bool
    """No other number is in the sentence."""
    only: bool
    """No other number is in the text."""
    everything: int
    """What all words of the text say together."""

    def digits_between(self, start: int, end: int) -> bool:
        """Tell whether another number stands there."""
        return _DIGIT.search(self.text, start, end) is not None


def best(shape: str, found: Sequence[Candidate]) -> list[Candidate]:
    """Return the numbers that are most surely the code; several: they are equally good."""
    text = folded(shape)
    said = _said(shape, text)
    app = _FOR_AN_APP.search(shape)
    if not app and not _together(said) & _OF_CODES:
        return []
    if app and app["hash"]:
        found = [one for one in found if one.end <= app.start("hash")]
    contexts = _believed(list(_contexts(shape, text, said, found)))
    judged = [(_sure(each), each.one) for each in contexts if not _is_another_key(each, contexts)]
    most = max((sure for sure, _ in judged), default=Sure.NO)
    if most is Sure.NO:
        unnamed = [each for each in contexts if not _is_named(each)]
        app_reads = app is not None
        return [
            each.one for each in unnamed if len(unnamed) == 1 and _is_all_there_is(each, said, for_an_app=app_reads)
        ]
    first = next(one for sure, one in judged if sure is most)
    return [one for sure, one in judged if sure is most or _side_by_side(text, first, one)]


def _believed(contexts: list[Context]) -> list[Context]:
    """Return those that are surely meant; the others too if the text reads like one with a code."""
    firm = [each for each in contexts if each.sentence.says & _OF_A_FORM or _is_said_to_be_yours(each)]
    return contexts if len(firm) == len(contexts) or reads_like_a_code(contexts[0].text) else firm


def _is_said_to_be_yours(here: Context) -> bool:
    """Tell whether the words right before it are `your code is`."""
    name = _name_before(here)
    return name is not None and name in here.before[-2:] and _is_introduced(here) and _is_yours(here)


def _is_another_key(here: Context, contexts: Sequence[Context]) -> bool:
    """Tell whether it stands for no confirming, and another code of the text opens or fetches something."""
    return not here.sentence.says & Says.STRONG and any(
        each.clause.says & Says.OPENS and each.clause.says & Says.CODE and each.clause is not here.clause
        for each in contexts
    )


def _said(shape: str, text: str) -> list[Word]:
    """Return the words with what they say: `expired in 10 minutes` is not void, `[Acme Lockers]` opens nothing."""
    said = _without_names(shape, text, words_of(text))
    name = _SENDER.match(text)
    says_code = name and any(word.says & (Says.CODE | Says.WEAK) for word in said if word.end <= name.end())
    for place, word in enumerate(said):
        if word.says & Says.VOID and _is_later(text, word):
            said[place] = word._replace(says=word.says & ~Says.VOID)
        elif name and word.end <= name.end() and not says_code:
            said[place] = word._replace(says=word.says & ~_NOT_BY_NAME)
    return said


def _without_names(shape: str, text: str, said: list[Word]) -> list[Word]:
    """Return the words; those of a name say nothing, and those of one in quotes do not say what else a number is."""
    names = [(name.span(), 0) for name in _NAMES.finditer(text)]
    names += [(name.span(), ~_NOT_BY_NAME) for name in _QUOTED.finditer(shape) if shape[name.start() + 1].isupper()]
    for (start, end), kept in names:
        for place in range(*(bisect_left(said, at, key=lambda word: word.start) for at in (start, end))):
            said[place] = said[place]._replace(says=said[place].says & kept)
    return said


def _is_later(text: str, void: Word) -> bool:
    been = text.endswith(languages.HAS_BEEN, max(0, void.start - _NEAR), void.start)
    return not been and _LATER.match(text, void.end) is not None


def _is_all_there_is(only: Context, said: Sequence[Word], *, for_an_app: bool) -> bool:
    """Tell whether the only number of a text must be its code, by two things that texts with codes say or have."""
    if only.one.doubtful or _together(only.before) & Says.NAMED:
        return False
    if _is_for_something_else(only) or _is_passed_over(only):
        return False
    later = _together(word for word in said if word.start >= only.sentence.end)
    firm = (
        for_an_app,
        later & Says.PRIVATE and not only.sentence.says & Says.PRIVATE,
        only.sentence.says & Says.WHERE,
        _MINUTES.search(only.text),
    )
    others = (
        for_an_app or only.everything & (Says.CODE | Says.TYPE),
        any(word.says & _VERY_WORDS == Says.STRONG for word in said),
    )
    return any(firm) and sum(map(bool, firm + others)) >= _ENOUGH


def _side_by_side(text: str, one: Candidate, other: Candidate) -> bool:
    """Tell whether two numbers stand as one code and another: `482913 or 551182`."""
    first, second = sorted((one, other))
    return not other.doubtful and bool(_AND.fullmatch(text, first.end, second.start))


# ---- the parts of a text ---------------------------------------------------------------------------------------------


def _contexts(shape: str, text: str, said: Sequence[Word], found: Sequence[Candidate]) -> Iterable[Context]:
    everything = _together(said)
    for sentence in _parts(shape, _SENTENCE_END, Part(0, len(text), said, 0)):
        here = [one for one in found if sentence.start <= one.start < sentence.end]
        clauses = _parts(shape, _CLAUSE_END, sentence) if here else []
        for one in here:
            clause = next(each for each in reversed(clauses) if each.start <= one.start)
            first, last = _bounds(sentence.words, one.start, one.end)
            before, after = sentence.words[:first], sentence.words[last:]
            if not _is_something_else(text, one):
                yield Context(
                    shape, text, one, sentence, clause, before, after, len(here) == 1, len(found) == 1, everything
                )


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


def _sure(here: Context) -> Sure:
    if _is_passed_over(here) or _is_for_something_else(here):
        return Sure.NO
    if _is_named(here) and not _is_said_to_be_one(here) and not _is_one_of_several(here):
        return Sure.NO
    if here.one.doubtful:
        return _sure_of_doubtful(here)
    sure = max(_named_before(here), _named_after(here), _typed(here))
    if sure and _is_of_a_thing(here):
        return Sure.NO
    return sure or _sure_of_unnamed(here)


def _is_of_a_thing(here: Context) -> bool:
    """Tell whether it is the code of a thing that no list has, and nothing speaks of a screen; mostly of four digits.

    `Code vestiaire 2204`, `Code für die Waschmaschine: 2204`: a common noun stands by the word for a code.
    """
    if here.everything & _OF_A_SCREEN or _MINUTES.search(here.text):
        return False
    name = _name_before(here)
    if name is None or name.start < here.clause.start or _says_is_or_your(here, name):
        return False
    if here.one.end - here.one.start != len("2204") and not _may_be_of_a_thing(here, name):
        return False
    beside = [word for word in here.clause.words if word.start >= name.end or _is_by(here.text, word, name)]
    return any(not word.says and word.end - word.start >= _NOUN and here.shape[word.start].islower() for word in beside)


def _may_be_of_a_thing(here: Context, name: Word) -> bool:
    """Tell whether a longer one may be: the plain word, in a text that speaks of orders, accounts or other codes."""
    is_plain = _PLAIN.match(here.text, name.start) and not here.text.startswith(" sms", name.end)
    return bool(is_plain and here.everything & (Says.NAMED | Says.OTHER))


def _says_is_or_your(here: Context, name: Word) -> bool:
    last = here.before[-1]
    if here.text.endswith(_OWNED, 0, name.end):
        return True
    return here.text[last.start : last.end] in _IS or _is_yours(here)


def _is_yours(here: Context) -> bool:
    return any(here.text[word.start : word.end] in _YOUR for word in here.clause.words)


def _sure_of_unnamed(here: Context) -> Sure:
    """Judge by the whole text: it speaks of a code, and the number is a sentence, or `the new one is 482913`."""
    if here.alone and _is_told_to_nobody(here):
        return Sure.LIKELY
    speaks = here.everything & Says.CODE or (
        here.everything & Says.TYPE and here.everything & (Says.WEAK | Says.STRONG)
    )
    is_new = here.clause.says & Says.NEW and here.before and _is_introduced(here)
    if (speaks and _stands_alone(here) and not _is_under_a_notice(here)) or (
        is_new and here.everything & (Says.CODE | Says.WEAK)
    ):
        return Sure.LIKELY
    return Sure.MAYBE if _is_for_confirming(here) else Sure.NO


def _is_told_to_nobody(here: Context) -> bool:
    """Tell whether a colon stands before it, and before that to tell nobody: `Tell nobody: 482913`."""
    return bool(_together(here.before) & Says.PRIVATE) and here.text.endswith((":", ": "), 0, here.one.start)


def _is_under_a_notice(here: Context) -> bool:
    """Tell whether the text speaks of a code that is void, and of no other: the bare number is whom to call."""
    void = here.everything & (Says.VOID | Says.CHANGED)
    return bool(void) and not here.before and not here.everything & (Says.TYPE | Says.WEAK_TYPE | Says.NEW)


def _is_for_confirming(here: Context) -> bool:
    """Tell whether the text is but a number and what it is for: `To log in: 482913`, `482913 to confirm`."""
    if _ADDRESS.fullmatch(here.text, here.clause.start, here.one.start) and _together(here.after[:3]) & Says.STRONG:
        return here.only
    if here.sentence.says & (Says.OTHER | Says.OPENS) or not here.text.endswith((":", ": "), 0, here.one.start):
        return False
    return _is_purpose(here)


def _is_purpose(here: Context) -> bool:
    """Tell whether the words before the number say what for: `to confirm`."""
    return any(
        act.says & Says.STRONG
        and (here.text[purpose.start : purpose.end] in _FOR or here.text.startswith(languages.FOR_PREFIX, act.start))
        for purpose, act in pairwise((Word(here.sentence.start, here.sentence.start, 0), *here.before))
    )


def _is_passed_over(here: Context) -> bool:
    """Tell whether the text says to take another: `not 482913`, `instead of 482913`, `yesterday's 482913`."""
    for word in reversed(here.before[-_WORDS_OF_A_NAME:]):
        if word.says & (Says.NOT | Says.INSTEAD_OF):
            return not here.digits_between(word.end, here.one.start)
        if not word.says & (Says.BETWEEN | Says.CODE | Says.WEAK):
            break
    if not here.only and _is_a_sender(here):
        return True
    behind = any(word.says & Says.INSTEAD_BEHIND for word in here.after[:1] if word.start - here.one.end <= _NEAR)
    return behind or (not here.only and any(_passes_over(here, word) for word in here.clause.words))


def _is_a_sender(here: Context) -> bool:
    """Tell whether it is a name in brackets at the beginning: `[12306]`."""
    return here.one.start <= 1 and here.text.startswith(("]", "】"), here.one.end)


def _passes_over(here: Context, word: Word) -> bool:
    """Tell whether a word means this one of several numbers: the one in front of it, else the one behind it."""
    if not word.says & Says.PASSED_OVER:
        return False
    if word.end <= here.one.start:
        return not here.digits_between(here.clause.start, word.start) and not here.digits_between(
            word.end, here.one.start
        )
    return not here.digits_between(here.one.end, word.start)


def _is_for_something_else(here: Context) -> bool:
    """Tell whether its sentence says that it is void, a discount, or opens something; or the text advertises."""
    sentence, clause = here.sentence.says, here.clause.says
    if _is_void(here) or _is_called(here) or _is_of_a_notice(here) or (here.one.mixed and sentence & Says.TRAVEL):
        return True
    if sentence & Says.PROMOTION and (clause & Says.PROMOTION or not _says_very_words(here.clause)):
        return True
    if not sentence & Says.STRONG and _PERCENT.search(here.text, here.sentence.start, here.sentence.end):
        return True
    if clause & Says.OPENS or _is_of_another_kind(here.text, here.clause):
        return not (clause & Says.STRONG and not clause & Says.ENTRANCE) and not _says_very_words(here.clause)
    if sentence & Says.STRONG:
        return False
    return _is_in_a_text_of_something_else(here) or _is_beside_another_kind(here)


def _is_in_a_text_of_something_else(here: Context) -> bool:
    """Tell whether its sentence opens something, or its text advertises, or opens something and knows no screen."""
    if here.sentence.says & Says.OPENS or here.everything & Says.PROMOTION:
        return True
    return bool(here.everything & Says.OPENS) and not (here.everything & _OF_A_SCREEN or _is_yours(here))


def _is_void(here: Context) -> bool:
    """Tell whether a word says so, with no order to type between it and the number: `it has expired: use 482913`."""
    part = here.sentence if here.alone else here.clause
    if not part.says & Says.VOID:
        return False
    last = next(word for word in reversed(part.words) if word.says & Says.VOID)
    return not any(
        word.says & (Says.TYPE | Says.WEAK_TYPE | Says.NEW) for word in here.before if word.start >= last.end
    )


def _is_called(here: Context) -> bool:
    """Tell whether the text says behind it to call it: `16247 নম্বরে কল করুন`."""
    return any(
        word.says & Says.CALLED
        and word.start - here.one.end <= _NEAR
        and not here.digits_between(here.one.end, word.start)
        for word in here.after[:3]
    )


def _is_of_a_notice(here: Context) -> bool:
    """Tell whether its sentence tells of a changed PIN or has a USSD command, and no code is named in it."""
    if not here.sentence.says & Says.CHANGED and not _USSD.search(here.text, here.sentence.start, here.sentence.end):
        return False
    name = _name_before(here)
    if name is None:
        for_typing = here.sentence.says & (Says.TYPE | Says.WEAK_TYPE | Says.STRONG)
        return not for_typing and _named_after(here) is not Sure.YES
    changed_behind = any(word.says & Says.CHANGED for word in here.after)
    return not _is_introduced(here) and (changed_behind or not _is_beside(here, name.end, here.one.start))


def _says_very_words(part: Part) -> bool:
    return any(word.says & _VERY_WORDS == _VERY_WORDS for word in part.words)


def _is_of_another_kind(text: str, clause: Part) -> bool:
    """Tell whether a word for another kind of code stands by a word for a code: `postal code`, `code client`."""
    return any(
        word.says & Says.OTHER
        and any(
            near.says & Says.CODE and _is_by(text, word, near) for near in clause.words[max(0, place - 2) : place + 3]
        )
        for place, word in enumerate(clause.words)
    )


def _is_beside_another_kind(here: Context) -> bool:
    """Tell whether its clause names no code, and its sentence one of another kind: `code client X7K9P2, lot 2204`."""
    of_codes = Says.CODE | Says.WEAK | Says.TYPE | Says.WEAK_TYPE
    return not here.clause.says & of_codes and _is_of_another_kind(here.text, here.sentence)


def _is_by(text: str, one: Word, other: Word) -> bool:
    reach = _TOPIC_REACH if text[one.start] < FROM_ANYWHERE else _CLOSE
    return max(one.start, other.start) - min(one.end, other.end) <= reach


def _sure_of_doubtful(here: Context) -> Sure:
    if _named_after(here) is Sure.YES:
        return Sure.YES
    if _is_beside_its_name(here):
        return Sure.YES if _is_introduced(here) or _is_code(here.before[-1]) else Sure.LIKELY
    if not here.one.mixed:
        return Sure.NO
    typed, strong = _typed(here), here.sentence.says & Says.STRONG
    if typed is Sure.YES or (typed is Sure.LIKELY and strong):
        return typed
    return Sure.LIKELY if _named_weakly(here) is Sure.LIKELY else Sure.NO


def _is_code(word: Word) -> bool:
    return bool(word.says & Says.CODE) and not word.says & Says.OTHER


def _name_before(here: Context) -> Word | None:
    """Return the nearest word for a code before the number."""
    return next((word for word in reversed(here.before) if _is_code(word)), None)


def _named_before(here: Context) -> Sure:
    """Judge by the words before it: a word for a code, with nothing but words before the number, names it."""
    name = _name_before(here)
    if name is None:
        return _named_weakly(here)
    if here.digits_between(name.end, here.one.start) and not _is_introduced(here):
        return Sure.YES if here.text[name.start : name.end] in _CODES else Sure.LIKELY
    return Sure.NEWEST if _is_new(here, name) else Sure.YES


def _is_new(here: Context, name: Word) -> bool:
    place = here.before.index(name)
    return bool(_together(here.before[max(0, place - 1) : place + 2]) & Says.NEW)


def _named_weakly(here: Context) -> Sure:
    """Judge by a word that also means other things: right beside it; or near it, in a sentence that confirms."""
    weak = next((word for word in reversed(here.before) if word.says & Says.WEAK and not word.says & Says.OTHER), None)
    if weak is None:
        return Sure.NO
    beside = _is_beside(here, weak.end, here.one.start)
    near = beside or _is_introduced(here) or _only_fillers(here, here.before, weak.end, here.one.start)
    if near and any(word.says & Says.STRONG for word in here.sentence.words if word is not weak):
        return Sure.LIKELY
    if weak.says & Says.DIGITS and near:
        return Sure.MAYBE
    return Sure.MAYBE if beside and here.everything & _OF_CODES & ~_WEAKEST else Sure.NO


def _named_after(here: Context) -> Sure:
    """Judge by the words after it: `482913 is your code`."""
    names = [word for word in here.after if _is_code(word) and not here.digits_between(here.one.end, word.start)]
    if not names or _NEXT_NUMBER.match(here.text, names[-1].end):  # card 4829, code 482913
        return Sure.NO
    name = names[0]
    topic = _TOPIC.match(here.text, here.one.end) and name.start - here.one.end <= _TOPIC_REACH
    beside = _is_beside(here, here.one.end, name.start) or _is_spoken_of(here, name)
    if topic or beside or _only_fillers(here, here.after, here.one.end, name.start):
        return Sure.YES
    return Sure.NO if here.one.doubtful else Sure.MAYBE


def _is_spoken_of(here: Context, name: Word) -> bool:
    """Tell whether a word for "is" follows it, and a word for a code soon: `482913 is your Acme sign-up code`."""
    first = here.after[0]
    is_one = here.text[first.start : first.end] in _IS and _is_beside(here, here.one.end, first.start)
    return is_one and name.start - here.one.end <= _NAME_AND_NUMBER and name.start < here.clause.end


def _is_said_to_be_one(here: Context) -> bool:
    """Tell whether the text says that it is a code, whatever its name: `ACME MOBILE: 482913 is your code`."""
    follows = here.after[0] if here.after else None
    return follows is not None and here.text[follows.start : follows.end] in _IS and _named_after(here) is Sure.YES


def _is_one_of_several(here: Context) -> bool:
    """Tell whether it is among several, behind a word for codes: `Codes: e-mail 482913, telephone 551182`."""
    name = None if here.alone else _name_before(here)
    return name is not None and here.text[name.start : name.end] in _CODES


def _is_beside_its_name(here: Context) -> bool:
    name = _name_before(here)
    if name is None:
        return False
    if here.digits_between(name.end, here.one.start):
        return here.one.mixed and _is_introduced(here)
    near = _is_introduced(here) or (here.one.mixed and here.one.start - name.end <= _NEAR)
    return near or _only_fillers(here, here.before, name.end, here.one.start)


def _is_introduced(here: Context) -> bool:
    """Tell whether a colon, or a word for "is", stands right before it."""
    last = here.before[-1]
    front = here.text[last.start : here.one.start]
    is_one = here.text[last.start : last.end] in _IS and not last.says & Says.NAMED
    return is_one or _INTRODUCTION.search(front) is not None


def _is_beside(here: Context, start: int, end: int) -> bool:
    return not here.text[start:end].strip(_BESIDE)


def _only_fillers(here: Context, said: Sequence[Word], start: int, end: int) -> bool:
    """Tell whether only words that say nothing stand between two near places, and no digit."""
    if end - start > _NAME_AND_NUMBER or here.digits_between(start, end):
        return False
    return all(
        word.says & (Says.BETWEEN | Says.CODE | Says.WEAK | Says.STRONG)
        for word in said
        if start <= word.start and word.end <= end
    )


def _typed(here: Context) -> Sure:
    """Judge by orders to type: one beside it names it, one in its sentence may mean it."""
    gaps = [(word, word.end, here.one.start) for word in here.before[-2:]]
    behind = [word for word in here.after[:2] if not _NEXT_NUMBER.match(here.text, word.end)]  # shop 1898, enter 482913
    gaps += [(word, here.one.end, word.start) for word in behind]
    orders = [(word, start, end) for word, start, end in gaps if word.says & (Says.TYPE | Says.WEAK_TYPE)]
    beside = [word for word, start, end in orders if _is_beside(here, start, end)]
    if any(word.says & Says.TYPE for word in beside):
        return Sure.YES
    with_it = [word for word, start, end in gaps if word.says & Says.WITH and _is_beside(here, start, end)]
    near = [
        word for word, start, end in orders if end - start <= _NEAR and _ONLY_WORDS.fullmatch(here.text, start, end)
    ]
    if beside or any(word.says & Says.TYPE for word in near):
        return Sure.LIKELY
    if here.before and here.before[-1] in with_it and here.sentence.says & Says.STRONG:
        return Sure.LIKELY
    order = Says.TYPE | Says.WEAK_TYPE if here.everything & Says.CODE else Says.TYPE
    return Sure.MAYBE if here.alone and here.sentence.says & order else Sure.NO


def _stands_alone(here: Context) -> bool:
    before, after = here.text[here.sentence.start : here.one.start], here.text[here.one.end : here.sentence.end]
    return bool(_NOTHING.fullmatch(after) and _ADDRESS.fullmatch(before))


def _is_something_else(text: str, one: Candidate) -> bool:
    """Tell whether it is an amount, a masked number, or where to send an SMS to."""
    front = text[max(0, one.start - _NAME_AND_NUMBER) : one.start]
    starred = front.endswith("*") != text.startswith("*", one.end)
    if starred or _MASKED.match(text, one.end) or _COUNTED.match(text, one.end) or _PAID.search(front[-_NEAR:]):
        return True
    if _SENT_ON.match(text, one.end) or _OF_A_PHONE.search(front):
        return True
    if one.end - one.start == len("1830") and _AT.search(front):
        return True
    if front.endswith("..") or front.rstrip(" ").endswith(("+", "/", "_", "№", "#", "**", "xx", "•", "·")):
        return True
    return _SENT_TO.search(front) is not None


def _is_named(here: Context) -> bool:
    """Tell whether the words right before a number say what it is: `order no. 48291`, `card ending in 4829`."""
    end = here.one.start
    for word in reversed(here.before[-_WORDS_OF_A_NAME:]):
        gap = here.text[word.end : end]
        if gap.strip(_BESIDE) or "\n" in gap or ("." in gap and not _is_abbreviated(here.text, word)):
            return False
        if word.says & (Says.NAMED | Says.OTHER) and not _is_code(word):
            return not (_is_introduced(here) and (_is_served_by_a_code(here, word) or _is_purpose(here)))
        if _is_code(word) or not word.says & (Says.BETWEEN | Says.WEAK):
            return False
        end = word.start
    return False


def _is_abbreviated(text: str, word: Word) -> bool:
    return word.end - word.start <= len("reg.") or text.startswith(("nr", "no"), word.end - len("nr"))


def _is_served_by_a_code(here: Context, named: Word) -> bool:
    """Tell whether it is what a code is for: `code to open your account: 482913`, but not `code of the order`."""
    name = next((word for word in reversed(here.before) if _is_code(word) and word.end <= named.start), None)
    if name is None or name.start < here.clause.start:
        return False
    between = (here.text[word.start : word.end] for word in here.before if name.end <= word.start < named.start)
    return any(word not in _GENITIVE for word in between)
