r"""The words by which people know a code from an amount, in the languages that SMS are written in.

All of it is lower-case NFKC, as the text that it is held against. Fragments of regular expressions start with `\b`
where the script parts words by spaces. Adding or removing a word changes answers, and answers are part of ids: see
`schemas.identity_code`.
"""

import unicodedata
from typing import Final


def _normal(*fragments: str) -> tuple[str, ...]:
    return tuple(unicodedata.normalize("NFKC", fragment) for fragment in fragments)


def _listed(words: str) -> tuple[str, ...]:
    return _normal(*words.split(", "))


# What calls the number beside it a code.
CODE: Final = _normal(
    # Latin script. First the stems that most of Europe, Turkey, Indonesia and East Africa bend, alone or in compounds
    # (Bestätigungscode, bekräftelsekod, vahvistuskoodi), then what is not a form of "code".
    r"code[ns]?\b",
    r"kod(?:e[nr]?|i|u|em|y|as|s|a|ni|ini|ingiz|un|unu|unuz|unuzu)?\b",
    r"koodi?(?:si|nne)?\b",
    r"kód(?:u|em|ja|od)?\b",
    r"\bkóð\w*",
    r"\bc[óo]dig[oo]s?\b",
    r"\bcodice\b",
    r"\bcodi\b",
    r"\bcod(?:ul\b| de\b| este\b|:)",
    r"\botp\b",
    r"\bpins?\b",
    r"\b(?:m|sms-?)tan\b",
    r"\btan(?::| lautet\b)",
    r"\bone[- ]time\b",
    r"\b2fa\b",
    r"\bverif(?:y|ication|icar)\b",
    r"\bto (?:log ?in|sign ?in)\b",
    r"passwor[td]\b",
    r"\bmot de passe\b",
    r"\bcontraseña\b",
    r"\bclave\b",
    r"\bsenha\b",
    r"\bhasł[oa]\b",
    r"\bşifre\w{0,6}",
    r"\bparola\b",
    r"\bmã\b",
    r"\bma (?:xac|xn|kich|bao mat)",
    r"\bm(?:ật|at) kh(?:ẩu|au)\b",
    r"\bkata sandi\b",
    r"\bmsimbo\b",
    r"\bnamba(?:ri)? ya (?:siri|uthibitish\w*)",
    # Cyrillic and Greek
    r"\bкод(?:а|у|ом|ы|ты|ыңыз|от|ът)?\b",
    r"\bпарол[ьяею]",
    r"κωδικ",
    # Arabic script and Hebrew
    r"رمز",
    r"\b(?:ال)?كود",
    r"كلمة (?:ال)?مرور",
    r"رقم التحقق",
    r"\bکد\b",
    r"کوڈ",
    r"\b[הבלמו]?קוד\b",
    r"\b[הב]?סיסמ[הא]",
    # Indic scripts, Thai, Lao, Khmer, Burmese
    r"कोड|ओटीपी|पासवर्ड",
    r"কোড|ওটিপি",
    r"ਕੋਡ|ઓટીપી|કોડ|ఓటీపీ|ఓటిపి|కోడ్|ಕೋಡ್|ಒಟಿಪಿ|കോഡ്|ഒടിപി|ஓடிபி|குறியீடு|කේතය",
    r"รหัส|ລະຫັດ|កូដ|ကုဒ်",
    # Caucasus, Ethiopia
    r"კოდ|կոդ|ኮድ",
    # East Asia
    r"[验驗校][证證验驗]代?[码碼]|动态[码密]|動態[碼密]|[确確][认認][码碼]|[认認][证證][码碼]|安全[码碼]|激活[码碼]|登[录陆錄][码碼]|短信[码碼]",
    r"一次性密[码碼]|密[码碼]|口令",
    r"コード|認証番号|確認番号|暗証番号|パスワード",
    r"인증 ?번호|확인 ?번호|코드|비밀번호",
)

# Other things with "code" in their name. They hide the code word inside them and give a number no support.
OTHER_CODE: Final = _normal(
    r"\b(?:zip|post(?:al)?|area|country|dial(?:l?ing)?|error|status|qr|bar|source|dress|tax|sort|swift)[ -]?codes?\b",
    r"\b(?:product|item|branch|store|shop|style|colou?r|room) codes?\b",
    r"\b(?:order|booking|reference|ref|tracking|customer|client|member|referral|invit(?:e|ation)|agent) codes?\b",
    r"\b(?:pin|uni|en|de|geo)code",
    r"\bcode (?:postal|barre|client|of|review)",
    r"\bc[óo]dig[oo] (?:postal|de barras|de área|de cliente|de rastreo|de rastreio)",
    r"\bcodice (?:fiscale|postale|cliente)",
    r"\bkod (?:pocztowy|posta)|\bkode pos\b|\bposta kodu\b",
    r"\bmã (?:đơn|vận|giao dịch|kh|khách|số thuế|vùng|bưu)",
    r"\bкод (?:города|товара|региона|домофона|ошибки)",
    r"कूपन कोड|पिन ?कोड|کد پستی|کد رهگیری|الرمز البريدي|رمز المنطقة",
    r"รหัส(?:ไปรษณีย์|อ้างอิง|สินค้า|ลูกค้า)",
    r"バーコード|レコード|コードレス|商品コード|바코드|상품 ?코드",
)

# An advertisement's code is for a till. Where one of these stands, no number of the text is taken.
PROMOTION: Final = _listed(
    "promo, coupon, voucher, discount, % off, gift card, gutschein, rabatt, descuento, desconto, cupón, cupom, "
    "sconto, réduction, zniżk, indirim, diskon, giảm giá, khuyến mãi, промокод, скидк, купон, знижк, خصم, "
    "تخفیف, הנחה, קופון, कूपन, छूट, ส่วนลด, 优惠, 優惠, 折扣, クーポン, 割引, 쿠폰, 할인"
)

# A number right after one of these words is something else,
NAMED_EXACTLY: Final = _listed("id, tel, call, text, sum, last, case, ref, no, nr, nº, №, ©, ruf, us, тел, τηλ")

# or after a word that starts so,
NAMED: Final = _listed(
    "order, invoice, booking, ticket, tracking, parcel, shipment, account, acct, card, ending, ends, flight, "
    "train, room, gate, txn, transaction, phone, mobile, dial, fax, contact, hotline, helpline, support, "
    "balance, amount, total, year, since, until, till, version, device, policy, loan, customer, client, "
    "member, meter, desk, counter, plate, user, trip, copyright, "
    "bestell, auftrag, rechnung, konto, karte, kunde, endet, commande, facture, "
    "compte, carte, appel, pedido, factura, cuenta, tarjeta, terminad, llam, conta, cartão, final, ligue, "
    "ordine, fattura, carta, chiama, zamówien, zamowien, faktur, kart, zadzwoń, sipariş, fatura, hesap, "
    "pesanan, rekening, tagihan, saldo, hubungi, đơn, khoản, thẻ, gọi, akaunti, agizo, piga, salio, заказ, "
    "замовлен, счет, счёт, рахун, карт, баланс, сумм, сума, звон, позвон, дзвон, заявк, договор, договір, "
    "παραγγελ, λογαριασμ, κάρτ, καλέστε, طلب, الطلب, حساب, بطاقة, البطاقة, اتصل, رصيد, سفارش, کارت, تلفن, "
    "موجودی, הזמנה, חשבון, כרטיס, התקשר, טלפון, יתרה, ऑर्डर, खाता, खाते, कार्ड, अर्डर, অর্ডার, কার্ড, "
    "অ্যাকাউন্ট, 주문, 주문번호, 계좌, 카드, 운송장, 승인번호, 전화"
)

# or after a text that ends so: several words, or words that are not parted by spaces.
NAMED_ENDS: Final = _listed(
    "sent to, send to, reply to, text to, sms to, forwarded to, "
    "订单, 订单号, 订单编号, 訂單, 訂單號, 单号, 單號, 运单号, 快递, 账号, 账户, 賬號, 帳號, 卡号, 卡, 尾号, "
    "尾號, 末四位, 编号, 编码, 电话, 電話, 客服, 热线, 熱線, 致电, 拨打, 回复, 余额, 餘額, 金额, 金額, 人民币, "
    "工号, 手机号, 注文, 注文番号, 口座, 伝票番号, 残高, お問い合わせ番号, 会員番号, คำสั่งซื้อ, บัญชี, บัตร, "
    "เลขที่, โทร, ยอดเงิน, หมายเลข"
)

# Words between the name and its number that say nothing.
FILLER: Final = _listed(
    "no, nr, nº, n, num, number, numero, número, nummer, numer, numarası, nomor, id, in, with, on, at, us, is, "
    "номер, номера, номером, номеру, رقم, מספר, नंबर, নম্বর, 번호"
)

CURRENCY_SIGNS: Final = "$€£¥₹₽₴₪₺₩฿₫₱₦₸₾₼֏৳"
CURRENCIES: Final = _listed(
    "usd, eur, gbp, cny, rmb, jpy, inr, rs, mrp, rub, uah, pln, czk, huf, ron, bgn, sek, nok, dkk, kr, chf, "
    "try, tl, brl, r$, mxn, ars, clp, cop, aed, sar, egp, irr, ils, nis, kes, ksh, kshs, tzs, tsh, ugx, ngn, "
    "ghs, zar, idr, rp, myr, rm, php, thb, vnd, bdt, tk, pkr, krw, kzt, sgd, hkd, aud, cad"
)

# What a number is followed by when it is an amount, a measure, a year or the end of a USSD command.
COUNTED: Final = _normal(
    r"%|euros?|dollars?|dólares|reais|pesos|pounds|rupees|руб|р\.|грн|гривен|тенге|сум\b|zł|kč|ft\b|lei\b|лв|元|円|원|บาท|đ\b|đồng",
    r'shillings?|ریال|تومان|ريال|درهم|جنيه|دينار|ש"ח|रुपये|रु|টাকা|ευρώ',
    r"points?|pts|miles|km|kg|gb|mb|kb|ml|баллов|балів|бонусов|puntos|pontos|punkt|积分|積分|ポイント|포인트|คะแนน|poin\b|puan",
    r"minutes?|mins?\b|hours?|days?|sec(?:onds?)?\b|минут|годин|dakika|分钟|分鐘|小时|秒|분|초",
    r"年|년|г\.|год",
    r"#(?!\w)",
)

# What may stand between a code word and its code.
CONNECTOR: Final = _listed(
    "adalah, are, code, e, er, es, est, este, ialah, is, is your, ist, jest, la, lautet, là, ni, number, on, "
    "otp, pin, to, är, è, é, είναι, эта, это, הוא, است, هو, هي, है, হল, হলো, คือ, は, を, 为, 是, 為, 는, 은"
)

# Who tells to type a number has named it.
TYPE_IN: Final = _listed(
    "enter, use, type, input, submit, введите, введіть, используйте, ingresa, ingrese, introduce, introduzca, "
    "usa, digite, insira, use o, saisissez, entrez, utilisez, eingeben, inserisci, wpisz, podaj, girin, "
    "masukkan, nhập, nhap, weka, ingiza, أدخل, הזן, 输入, 輸入, 请输入, 請輸入, ป้อน, กรอก"
)
