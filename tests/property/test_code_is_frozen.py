"""The code extractor answers as the first release did (a copy is in `frozen`), whose ids must stay: evil texts, too."""

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas import identity_code as code
from schemas.identity_code.forms import is_readable_longer, readable
from tests.property.frozen import code as frozen
from tests.unit.schemas.code_table import CODES, NO_CODES

WORDS = (
    "code",
    "Your code is",
    "zip code",
    "otp",
    "验证码",
    "код",
    "is your code",
    "no.",
    "order",
    "PIN",
    "2fa",
    "use",
    "$",
)
NUMBERS = (
    "482913",
    "111-222",
    "111 222",
    "1234-5678",
    "2024",
    "20250325",
    "7XK9P",
    "SAVE20",
    "A1",
    "G-482913",
    "12:45",
)
OTHERS = (
    "+1 647 000 0000",
    "https://a.example/483920",
    "a@b.c",
    "[jd]",
    "【京东】",
    "@acme.example #778899",
    "G-",
    "x",
)
GROWING = ("٤٨٢٩١٣", "１２３４", "①②③④", "½", "ﷺ", "ﷻ", "㍗", "㌖", "㋿", "ﬃ", "İ", "\u0344")
SHRINKING = ("\u00ad", "\u200b", "\u1100\u1161\u11a8", "α", "\u0313\u0300\u0345", "\u0301", "\r\n", "\r")
MARKS = (".", "!", "。", "\n", ":", ",", " ", "  ", "-", "*", "..")
PIECES = st.sampled_from((*WORDS, *NUMBERS, *OTHERS, *GROWING, *SHRINKING, *MARKS))
REPEATED = st.builds(
    lambda piece, gap, times: (piece + gap) * times, PIECES, st.sampled_from(("", " ", "\n", "! ")), st.integers(1, 700)
)
TEXTS = st.lists(PIECES | REPEATED | st.text(max_size=8), max_size=40).map("".join) | st.lists(PIECES, max_size=60).map(
    " ".join
)


def fresh(text: str) -> tuple[str | None, str | None]:
    """Both answers, nothing remembered: neither a shape nor a number."""
    for each in (code, frozen):
        for remembered in (each._plain_shape, each._forms, each._chosen):
            remembered.cache_clear()
    return code.identity_code(text), frozen.identity_code(text)


@settings(deadline=None, max_examples=600)
@given(TEXTS)
@example("ﷺ" * 227 + " code 1234")
@example("\u0301" * 4096)
@example("code 2024 " * 400)
@example(" ".join(["code"] * 20 + ["7XK9P", "code", "2024"] * 16))
def test_an_answer_is_what_it_always_was(text: str) -> None:
    ours, old = fresh(text)

    assert ours == old


@settings(deadline=None, max_examples=600)
@given(TEXTS)
def test_no_text_is_said_to_become_longer_than_it_does(text: str) -> None:
    assert not is_readable_longer(text, len(readable(text)))


@pytest.mark.parametrize(
    "unit", ["α\u0313\u0300\u0345", "\u1100\u1161\u11a8", "a\u0302\u0301", "\r\n", "x\u00ad", "㌖\u200b"]
)
@pytest.mark.parametrize("offset", range(8))
def test_what_a_border_between_parts_divides_is_not_counted_twice(unit: str, offset: int) -> None:
    text = "x" * offset + unit * 700 + "ﷺ"

    assert not is_readable_longer(text, len(readable(text)))
    assert is_readable_longer(text, len(readable(text)) * 9 // 10 - 60)


DISTANT = [f"code{gap * n}7XK9P" for gap in (" ", ":", "\n", ".") for n in range(30)]
BEHIND = [f"{before}7XK9P is your code{after}" for before in ("", "code ", "x. ") for after in ("", " code", ". 2024")]
SECOND = [
    f"code {between} code: {form}" for between in ("x", "of the shop", "zip") for form in ("7XK9P", "2024", "1234")
]


@pytest.mark.parametrize("text", [*DISTANT, *BEHIND, *SECOND])
def test_which_code_word_is_near_enough_stays_as_it_is(text: str) -> None:
    ours, old = fresh(text)

    assert ours == old


@pytest.mark.parametrize("texts", [[text for _, text, _ in CODES], [text for _, text in NO_CODES]])
def test_texts_of_the_table_in_any_company_get_the_same_answer(texts: list[str]) -> None:
    rng = random.Random(13)
    for _ in range(400):
        text = rng.choice((" ", "\n", ". ", "")).join(rng.choices(texts, k=rng.randint(1, 30)))

        ours, old = fresh(text)

        assert ours == old, text


@pytest.mark.parametrize("count", [31, 32, 33])
@pytest.mark.parametrize("form", ["482913", "2024", "7XK9P", "111-222"])
def test_the_bound_of_the_list_of_numbers_stays_where_it_is(count: int, form: str) -> None:
    text = "Your code is 482913. " + f"{form} " * (count - 1)

    ours, old = fresh(text)

    assert ours == old
