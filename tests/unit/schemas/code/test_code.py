import pytest

from schemas.code import LONGEST, MOST, extract_code
from tests.unit.schemas.code_table import CODES, NO_CODES


def typed(code: str | None) -> str | None:
    """Return a code as a person types it."""
    return None if code is None else code.replace("-", "").replace(" ", "")


@pytest.mark.parametrize(("language", "text", "code"), CODES)
def test_a_code_is_found_in_its_own_form(language: str, text: str, code: str) -> None:
    assert extract_code(text) == code


@pytest.mark.parametrize(("language", "text"), NO_CODES)
def test_what_is_no_code_is_none(language: str, text: str) -> None:
    assert extract_code(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Your TAC is 482913", "482913"),
        ("Your token: 4829", "4829"),
        ("Ingresa 482913 para continuar", "482913"),
        ("Введите 482913 в приложении", "482913"),
        ("Kod: 4 8 2 9 1 3", "4 8 2 9 1 3"),
        ("Your code is 48-29-13", "48-29-13"),
        ("Votre code est 48 29 13", "48 29 13"),
        ("FBX-48291 is your code", "FBX-48291"),
        ("Ihr Code lautet X7K9P2", "X7K9P2"),
        ("Parola de unica folosinta: 482913", "482913"),
        ("您的代码是482913", "482913"),
        ("ワンタイムキー：482913", "482913"),
        ("رَمْزُ التَّحَقُّق ٤٨٢٩١٣", "482913"),
    ],
)
def test_more_words_forms_and_orders_to_type_are_known_than_those_that_ids_are_made_by(text: str, code: str) -> None:
    assert extract_code(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "Your code 482913 has expired",
        "Your old code 482913 is no longer valid",
        "Your PIN has been changed via IVR 18005550",
        "OTP Bank: card *4471 charged 20.00 EUR",
        "Your booking code is 482913",
        "Parcel waiting. Your pickup code is 482913",
        "Use code 4829 and get free delivery",
        "The door code is 4829",
        "Wi-Fi password: guest2024",
        "Your login code is 482913, your payment code is 551182",
        "Your codes: 482913 or 551182",
    ],
)
def test_a_code_that_is_void_or_for_something_else_is_none(text: str) -> None:
    assert extract_code(text) is None


def test_the_newest_of_two_is_taken_where_the_older_is_said_to_be_void() -> None:
    assert extract_code("Your old code 482913 is no longer valid. Your new code is 551182.") == "551182"


def test_a_text_is_read_to_its_longest_and_no_further() -> None:
    text = "Your code is 482913. " + "x " * LONGEST

    assert extract_code(text[:LONGEST]) == "482913"
    assert extract_code(text[: LONGEST + 1]) is None


def test_a_list_of_numbers_has_no_code() -> None:
    assert extract_code("Your code is 482913. " + "12.50 ; 4829 ; " * MOST) is None
