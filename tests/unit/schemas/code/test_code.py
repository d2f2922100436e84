import re

import pytest

from schemas.code import LONGEST, MOST, extract_code
from tests.unit.schemas.code_table import CODES, NO_CODES

PREFIX = re.compile("[A-Z]{1,4}-(?=[0-9])")  # of ids; people type the digits alone


@pytest.mark.parametrize(("language", "text", "code"), CODES)
def test_a_code_is_found_in_its_own_form(language: str, text: str, code: str) -> None:
    assert extract_code(text) == PREFIX.sub("", code)


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
        ("FBX-48291 is your code", "48291"),
        ("Ihr Code lautet X7K9P2", "X7K9P2"),
        ("Parola de unica folosinta: 482913", "482913"),
        ("您的代码是482913", "482913"),
        ("ワンタイムキー：482913", "482913"),
        ("رَمْزُ التَّحَقُّق ٤٨٢٩١٣", "482913"),
        ("Mã WhatsApp của bạn: 739-014\nKhông chia sẻ mã này với người khác", "739-014"),
        ("e-Devlet Kapısı giriş doğrulama kodunuz: 194836. Kodu kimseyle paylaşmayınız.", "194836"),
        ("Ваш код за потврду поруџбине бр. 20391 је 9164.", "9164"),
        ("Per autorizzare 64,99 EUR presso LIBRERIA 1898 usa 771340.", "771340"),
        ("Tell nobody: 681432. Somebody signs in at 23:58", "681432"),
        ("Put in QX83TD. Nothing else.\n\n@tabs.example #QX83TD", "QX83TD"),
        ("Put in KHDQWM. Nothing else.\n@tabs.example #KHDQWM @frames.example", "KHDQWM"),
        ("Die TAN für Ihre Zahlung vom 07.10. 11:36 Uhr lautet: 826 153. Bitte prüfen.", "826 153"),
        ("Dear Ann, a transfer awaits your approval. Token: 590 217 43.", "590 217 43"),
        ("一次性密碼係71840265，100秒內有效。", "71840265"),
        ("您的戶口尾數 3308 一次性密碼為 74839216", "74839216"),
        ("Codul tau de verificare este 3380. Daca nu ai cerut acest cod, suna la 021 9448.", "3380"),
        ("Щоб підтвердити, введіть у застосунку «Калина Пошта» код 2046.", "2046"),
        ("آپ کا او ٹی پی 568213 ہے۔ یہ 2 منٹ میں ختم ہو جائے گا۔", "568213"),
        ("9057 é o seu código para restablecer o contrasinal (usuario 20231187).", "9057"),
        ("Your code is 482-913\n@acme.example #482913 @frames.example", "482913"),
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
        "Мені прийшли коди 748203 і 391570",
        "A sua encomenda está no cacifo 14. Código de abertura: 839201.",
        "Реквізити для сплати внеску: код ЄДРПОУ 37482910, сума 812,40 грн",
        "Luukun avauskoodi 20947. Nouda viimeistään 12.11.",
        "5 વખત ખોટો OTP. એરર કોડ 40317.",
        "Jou Code Runner 2048-intekening is hernu. Antwoord STOP na 45550 om te kanselleer.",
        "Dear candidate, report at Centre Code 11204 by 08:30 with printed admit card.",
        "Účet 4008127733, kód banky 7500, symbol 0308. Ďakujeme, Tepláreň",
        "Kód pro vyzvednutí zásilky je v boxu: kód skříňky 662190. Objednávka 4411.",
        "If it was not you, call 1 800 555-0163. Your password was changed.",
        "Cod rosu de ploi in Vrancea, pana la 2300.",
        "OTP Bank: a 4471 vegu kartyajan 12500 Ft terheles tortent.",
        "הקוד 730418 כבר אינו בתוקף. יש לבקש קוד חדש.",
        "Who is @anna #482913 at the end of a text in which nobody speaks of it",
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


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("OTP-KTV8-482913 to pay", "482913"),
        ("Su código es DP-48291", "48291"),
        ("Your code is DP-48291, with letters and dash", "DP-48291"),
        ("Opište kód 4829-13", "4829-13"),
        ("Kód: K4T9-ZB27", "K4T9-ZB27"),
        ("Enter code HJT-BWPM on your TV", "HJT-BWPM"),
        ("Your access code is W9-5873-TZ", "W9-5873-TZ"),
    ],
)
def test_a_prefix_is_not_typed_and_codes_are_parted_anywhere(text: str, code: str) -> None:
    assert extract_code(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Your OTP for registration of exam (seat 551182) is 482913.", "482913"),
        ("X7K9P2 is your Acme Chat registration code", "X7K9P2"),
        ("Code d'activation de ton compte : 7FQX-2M0P", "7FQX-2M0P"),
        ("SMS klíč pro přihlášení: K4T9-ZB27", "K4T9-ZB27"),
        ("Log in with 482913", "482913"),
        ("Kirjaudu palveluun koodilla 482913", "482913"),
        ("482913 pour activer votre accès", "482913"),
        ("次の番号を画面に入力してください。\n\n7 4 2 6\n", "7 4 2 6"),
        ("உங்கள் OTP எண் 482913.", "482913"),
        ("您的OTP是482913", "482913"),
        ("[Caisse Bleue] Votre code 482913", "482913"),
        ("【12306】您的验证码是：482913", "482913"),
        ("Your passcode for Dr. Lee is 482913", "482913"),
    ],
)
def test_a_code_is_found_by_is_with_and_what_a_text_asks_for(text: str, code: str) -> None:
    assert extract_code(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Не код 111111! Новый код входа: 482913", "482913"),
        ("Code 482913, not 551182", "482913"),
        ("Statt 551182 gilt jetzt der Code 482913", "482913"),
        ("어제 보낸 인증번호 551182 대신 482913 를 입력하세요", "482913"),
        ("識別碼 5511 僅供核對；請輸入驗證碼 482913", "482913"),
        ("Do not use the code from yesterday, 551182. Your code today is 482913.", "482913"),
        ("The old code has expired, enter 482913", "482913"),
        ("Старый код не действует, введите 482913", "482913"),
        ("Der Code 551182 wurde storniert! Verwenden Sie stattdessen 482913", "482913"),
        ("Your code 482913. Expired in 15 min", "482913"),
        ("Kode 482913, tamat jam 4.45", "482913"),
        ("Your code is 551182. Your new code is 482913", "482913"),
    ],
)
def test_a_number_that_the_text_passes_over_or_replaces_is_not_taken(text: str, code: str) -> None:
    assert extract_code(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "Дрэс-код вечара 1980",
        "Taxydromikos kodikos 11527",
        "Sube kodu 0482",
        "תן לשליח את הקוד 4829",
        "ගේට්ටුවේ කේතය 4936",
        "The garage code is 4829",
        "Show this code at the front desk: 4829",
        "Покажите код 4829 на кассе",
        "Geef code 4829 aan de bezorger",
        "Código de reserva X7K9P2",
        "Trip confirmed! Confirmation code X7K9P2, flight LN482",
        "Жеңілдік коды 2030",
        "Lottery! Use code 482913 to claim your prize",
        "Kod 482913 jest już nieaktywny",
        "コード482913は使用できません",
        "We did not send code 482913",
        "Someone tried to use 482913 as your passcode",
        "We blocked a sign-in that used code 482913",
        "Codes: e-mail 482913, telephone 551182",
        "OTP bank loans 2025: 6.9 %",
        "Your statement ends in 3390. Aguas del Tormes",
        "WLAN Code 4829",
        "Your registration 482913 is confirmed",
    ],
)
def test_what_another_word_names_is_none_in_every_language(text: str) -> None:
    assert extract_code(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "The code 482913 you entered does not match",
        "Der eingegebene Code 482913 stimmt nicht",
        "Zadaný kód 482913 není správný",
        "Введенный код 482913 не подходит",
        "您输入的验证码482913有误",
        "입력한 인증번호 482913 이 일치하지 않습니다",
    ],
)
def test_a_code_that_was_typed_and_is_wrong_is_none(text: str) -> None:
    assert extract_code(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Order 551182, card 4471, code 482913",
        "Bestelling 551182, kaart 4471, code 482913",
        "Agizo 551182, kadi 4471, namba ya OTP 482913",
        "Le code 551182 a expiré, le nouveau est 482913",
        "Your code 551182 has been replaced by 482913",
        "No use 551182, use 482913",
    ],
)
def test_a_word_for_a_code_means_the_number_right_behind_it(text: str) -> None:
    assert extract_code(text) == "482913"


@pytest.mark.parametrize(
    "text",
    [
        "Para entrar: 482913",
        "Do logowania: 482913",
        "Số xác nhận 482913",
        "หมายเลขยืนยัน 482913",
        "Rhif cadarnhau 482913",
    ],
)
def test_a_number_that_is_for_confirming_is_a_code_without_a_word_for_it(text: str) -> None:
    assert extract_code(text) == "482913"


@pytest.mark.parametrize(
    "text", ["Access granted: badge 48291", "Confirmed: order 482913", "Login attempts: 4829 today"]
)
def test_what_is_confirmed_is_no_code(text: str) -> None:
    assert extract_code(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<#> 482913 FA+9qCX9VSu", "482913"),
        ("Xyz 482913\nFA+9qCX9VSu", "482913"),
        ("Pop 482913 into the box on your screen. Lasts 20 mins.", "482913"),
        ("To approve the payment to your account: 482913", "482913"),
        ("Voici les chiffres : 482913", "482913"),
        ("Banco Quinua: token digital 482913 para pagar S/ 120.00", "482913"),
        ("Caixa: o seu código 482913", "482913"),
        ("Kod 482913, ale tylko dla Ciebie", "482913"),
        ("Acme login: your password is valid 5 min\n482913", "482913"),
        ("Votre mot de passe à usage unique pour 12,50 EUR sera K7m4Qz", "K7m4Qz"),
        ("Kod pro platbu 480 Kc u obchodnika je 518 274 663", "518 274 663"),
    ],
)
def test_what_is_said_of_the_number_of_a_text_in_few_words_is_enough(text: str, code: str) -> None:
    assert extract_code(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "Code vestiaire 2204",
        "Kod do pralki 2204",
        "Ihr Passwort wurde am 02.11.2025 um 1422 geändert",
        "-20 % avec le code 7007",
        "Choose a PIN (e.g. 0412)",
        "Pickup code: 90416. Also code 2468",
        "Registration complete. Your member number: 482913",
        "رقم 1043",
    ],
)
def test_a_code_of_a_thing_a_time_an_example_and_a_bare_number_are_none(text: str) -> None:
    assert extract_code(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Votre code PIN a été modifié au distributeur 2210.",
        "Uw pincode is gewijzigd bij automaat 3301.",
        "Kartınızın şifresi 4440724 telefon bankacılığından değiştirildi.",
        "আপনার পিন পরিবর্তন করতে 16247 নম্বরে কল করুন।",
        "अपना PIN बदलने के लिए 18001234 पर कॉल करें।",
        "เปลี่ยนรหัสได้ที่ โทร 02 1234567",
        "Tapez *111*2# pour activer le pass 1000F.",
        "Наберите *105*3# чтобы узнать код тарифа 3100.",
        "Passcode Fitness: payment of 3499 from card 6104 declined.",
        "Ange rabattkod SOL20 vid minsta köp 200",
        "Отправьте код 77 на номер 5013",
        "SMS BLOCK 7712 to 5676712 to block your card. Never share your PIN.",
        "3 kez hatalı şifre nedeniyle kartınız bloke oldu. 4440400",
        "Ο κωδικός 482913 έχει λήξει.",
        "Kód 482913 byl již použit.",
        "認証コード482913は既に使用されています。",
    ],
)
def test_notices_commands_and_numbers_to_call_have_no_code(text: str) -> None:
    assert extract_code(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Bolt: თქვენი კოდია 4829", "4829"),
        ("Сезнең раслау кодыгыз: 4829.", "4829"),
        ("Öryggiskóði: 4829", "4829"),
        ("La tua password usa e getta: X7K9P2", "X7K9P2"),
        ("Your number was changed on 12 May. Your code is 482913", "482913"),
        ("Ihre Rufnummer wird geändert, TAN: 482913", "482913"),
        ("Votre code est 482913. Solde: *111#", "482913"),
        ("Wrong code. Try again: 482913", "482913"),
    ],
)
def test_a_code_is_found_in_bent_words_and_beside_a_notice(text: str, code: str) -> None:
    assert extract_code(text) == code
