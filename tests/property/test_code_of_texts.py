"""Whatever the text: nothing raises, and a code is a piece of it, found as if no text like it had been seen before."""

from hypothesis import example, given
from hypothesis import strategies as st

from schemas import code
from schemas.code import extract_code, kinds, languages, words
from schemas.identity_code.forms import readable, without_links

WORDS = [
    *(word.strip("*").replace("+", " ") for word in (words.CODE + words.TYPE + words.VOID + words.NAMED).split()[::9]),
    *(word.strip("*").replace("+", " ") for word in (kinds.ENTRANCES + languages.VOID + languages.NEW).split()[::9]),
    *(words.CODE_ANYWHERE + words.TYPE_ANYWHERE + words.NAMED_ANYWHERE).split()[::9],
]
texts = st.lists(
    st.from_regex(r"[0-9]{1,8}", fullmatch=True)
    | st.sampled_from(WORDS)
    | st.sampled_from(
        ["482913", "111-222", "12 34 56", "4 8 2 9", "7XK9P", "FB-83021", "HJT-BWPM", "2024", "20-11-24", "٤٨٢٩١٣"]
    )
    | st.sampled_from([" ", ": ", ". ", "\n", ", ", "!", "*", "xx", "(", "-", "/", "#", "+", "$", "，", "。", "は"])
    | st.sampled_from(["https://a.b/1234", "@example.com #482913", "e\u0301", "\u200b", "\ud800", "İ", "½", "ﷺ", "😀"])
    | st.text(max_size=3),
    max_size=16,
).map("".join)


@given(texts)
@example("Your code\t1234")
@example("Kodunuz: 7146dir")
@example("验证码２０１９")
@example("@example.com #482913482913")
@example("@example.com #K7P2Q9 @frames.example")
def test_a_code_is_found_as_if_no_text_like_it_had_been_seen_before(text: str) -> None:
    plain = code._VOWEL_SIGNS.sub("", without_links(readable(text)))

    found = code._stated(readable(text)) or code._extracted(plain, code._SOME_DIGIT.sub("0", plain))
    assert extract_code(text) == found


@given(texts)
def test_a_code_is_a_piece_of_the_readable_text(text: str) -> None:
    found = extract_code(text)

    if found is not None:
        assert found in code._VOWEL_SIGNS.sub("", readable(text))
        assert 4 <= sum(map(str.isalnum, found)) <= 12
        assert any(map(str.isdigit, found)) or "-" in found
