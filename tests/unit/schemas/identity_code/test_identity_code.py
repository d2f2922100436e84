import hashlib
import itertools
import time

import pytest

from schemas.identity_code import LONGEST, identity_code
from tests.unit.schemas.code_table import CODES, NO_CODES

# 5 040 texts: languages, forms and surroundings, sensible and not.
BEFORE = (
    "",
    "Your code is ",
    "Use ",
    "Your order ",
    "code: ",
    "[jd] ",
    "Ваш код ",
    "Сумма ",
    "【京东】验证码",
    "订单号",
    "認証コード：",
    "인증번호는 ",
    "رمز التحقق ",
    "קוד ",
    "आपका ओटीपी ",
    "รหัส OTP ",
    "Mã xác thực: ",
    "Kodunuz: ",
    "Card ending ",
    "zip code ",
    "Telegram: ",
)
FORMS = (
    "5611",
    "001234",
    "111-222",
    "123 456",
    "G-482913",
    "1234-5678",
    "٤٨٢٩١٣",
    "7XK9P",
    "SAVE20",
    "2024",
    "20250325",
    "12:45",
    "1,234.56",
    "+1 647 000 0000",
    "123",
    "123456789",
)
AFTER = (
    "",
    ".",
    " is your code",
    ", 5 minutes",
    ",5分钟内有效",
    " руб. Никому не говорите код",
    "%",
    " USD was paid. Never share your code.",
    " or 778899",
    "\nDon't share this code",
    "\n\n@acme.example #778899",
    " см. https://a.example/483920",
    "是您的验证码",
    " হল আপনার কোড",
    " 20% off",
)
DIGEST = "8d67024fc8e0ace85233061ea518effefc05b5676a26aed56db8d4f965679bac"


@pytest.mark.parametrize(("language", "text", "code"), CODES)
def test_the_code_of_a_message_is_found_in_its_own_form(language, text, code):
    assert identity_code(text) == code


@pytest.mark.parametrize(("language", "text"), NO_CODES)
def test_a_number_that_may_be_something_else_is_no_code(language, text):
    assert identity_code(text) is None


def test_answers_over_a_generated_corpus_are_frozen_because_ids_are_made_from_them():
    answers = [identity_code("".join(parts)) or "" for parts in itertools.product(BEFORE, FORMS, AFTER)]

    digest = hashlib.sha256("\n".join(answers).encode()).hexdigest()

    assert digest == DIGEST, "an answer changed: ids of polled SMS would change. Make a new extractor beside this one."


def test_the_generated_corpus_has_texts_with_codes_and_texts_without():
    answers = [identity_code("".join(parts)) for parts in itertools.product(BEFORE, FORMS, AFTER)]

    assert 1000 < sum(answer is not None for answer in answers) < len(answers) - 1000


@pytest.mark.parametrize(
    "unit",
    ["1", "1 ", "1-", "1.", "1234 ", "1234!", "code 1234 ", "id 12345 ", "A1", "a.", "a-", "a@", "+1", "(12", "[ ", "/",
     "no 1#[", "%ั%1", ".'&", "код ", "验证码1234 ", "ﷺ", "www.", "\n@a #", "code\n1234\n", "1\n", "  ", "x" * 50 + " "],
)  # fmt: skip
@pytest.mark.parametrize("size", [LONGEST, 256 * 1024])
@pytest.mark.usefixtures("no_collections")
def test_no_text_takes_long(unit, size):
    text = (unit * (size // len(unit) + 1))[: size - 12] + " code: 1234"

    started = time.process_time()
    identity_code(text)
    took = time.process_time() - started

    assert took < 0.1  # a few ms at worst; a regular expression gone wild takes minutes


def test_a_text_longer_than_any_sms_has_no_code():
    text = "Your code is 482913." + " " * LONGEST

    assert LONGEST == 4096  # frozen, too
    assert identity_code(text[:LONGEST]) == "482913"
    assert identity_code(text) is None


def test_a_list_of_numbers_has_no_code():
    assert identity_code("Your code is 482913. " + "482913 " * 31) == "482913"
    assert identity_code("Your code is 482913. " + "482913 " * 32) is None
