"""The words that tell a verification code from other numbers, in the languages that SMS are written in.

Words are folded (`schemas.code.lexicon.folded`): small letters without diacritics, since many senders leave them out. A
word that ends with `*` is the beginning of a word, one that begins with `*` its end. Words with a `+` stand in a row.
In scripts that part words by no spaces, or build them with vowel signs, a word is found wherever it stands.
"""

from typing import Final

# Words for a verification code. Weak ones also mean other things, and must stand right beside the number.
CODE: Final = """
    kertatunnus* kertakayttotunnus* vahvistustunnus* kwdik* рамз* ramzi khoutu nambala* lambar+tabbatarwa lambar+sirri
    lambar+sirrin קאוד login+number access+number security+number verification+number code* *code *codes kod* *kode
    *koden *kod *kodet kod kood* koode* *kood *koodi *koodin kota kotan codul codig* *codice codic* codi codis cod cods
    ikhod* ikhowud* koodh kaody koodu gcod chod goda godi otp otps *otp pin pini pinu pins passcode* *passcode password*
    *password passwort* *passwort *kennwort kennwort* passwd passcod* wachtwoord* *wachtwoord wagwoord* passord*
    *passord losenord* *losenord adgangskod* einmalpin* lykilord* *lykilord oryggisnumer stadfestingarnumer loyniord*
    salasan* *salasana tunnusluk* *tunnusluku parool* *parool salason* parol* slaptazod* haslo hasla haslem heslo* hesla
    heslem jelsz* geslo gesla geslom lozink* zapork* sifr* *sifre fjalekalim* contrasen* clave claves contrasinal senha*
    token* pasahitz* passwuert* pasfhocal cyfrinair sandi msimbo msimbu nywila nambari kalmar iphasiwed* tac tacs tan
    tans mtan pushtan smstan chiptan geheimzahl* einmal* engangs* eenmalig* monous* otk sms-code verificat* verifik*
    verifi* authent* autent* 2fa mfa pasword* pasvord* parulya* mot-de-passe usoro umubare okuwa ramz kode-kode
    код кода коду кодом коде коды кодът кодот кодыңыз* коды* кодунуз* *код код* пароль* парол* пин пін ключ* токен*
    шифр* лозинк* отп нууц құпия серсуз* сирдүү κωδικ* κωδ συνθηματικ* קוד* סיסמ* סיסמא* אימות رمز* كود* مرور* کد* رمزك
    رمزكم رمزت رمزتان گذرواژه پسورد پاسورڈ پاسورډ پاسورد کوڈ* کوډ* كۆد* کۆد* کۆدی* ڪوڊ* كودى التحقق سري კოდ* პაროლ*
    კოდი* կոդ* գաղտնաբառ* ծածկագիր* ኮድ* ይለፍ የይለፍ ምስጢር ሚስጥር one-time onetime one+time once+only mot+passe kata+sandi
    kata+laluan kata+kunci mat+khau ma+xac ma+kich ma+bao ma+otp ma+dang ma+so+xac ma+xn namba+ya nambari+ya mata+laluan
    passe+unique palavra+passe palavra-passe teny+miafina tajne+heslo oro+asina nomoro+siri ger+tremen maxfiy+sozi
    furaha+sirta lahat*
"""
WEAK: Final = """
    key keys chave chiave llave cle cles reg ma so number numero nummer broj numer cislo szam numeris lambar* pass
    kljuc klucz schlussel* sleutel* nokkel* nyckel* avain* confirm* verify activation* aktiv* zugang* login* log-in
    ref-kode ключ цифр* номер cifr* cyfr* digit* zahl* ziffer* siffr* sifret sifre numri رقم شماره מספר عدد ቁጥር თვე
    კრებ
"""

# Orders to type a number, before or after it. Weak ones tell people to do other things as well.
TYPE: Final = """
    enter* type typing input inputs submit key+in punch+in pop tap+in fill+in gib geben eingeben eingib tippe tippen
    eintippen einzugeben eingegeben voer invoer* invullen intyp* tik typ toets indtast* tast taste inntast* angi ange
    knappa skriv* mata sladu notadu sloou syota syotta* nappaile* sisesta* sisestage ievad* ivesk* iveskite wpisz*
    przepisz* wprowadz* podaj zadej* zadaj* opis opiste vlozte vloz vpiste napiste ird irja* adja add+meg gepelje usse
    usd introdu* tasta* vnes* vpis* unes* upis* ukuca* pernes fut vendos* shkruaj* jepni inserisc* inserir* digita
    digite digiti digitare digitar digitate digitando immett* immetti scriv* ingres* introduz* introduc* escrib*
    teclea* anota marca insira* insere introdueix* introduiu* escriu* insire sartu* idatzi* entrez saisi* tape tapez
    entrer renseign* indiquez compos* entre iontrail* rhowch* teipi* dahhal* gitt tippt gir giriniz* girin* yazin*
    tuslay* yaz daxil kirit* girizin* masuk* masukkan ketik* taip* isikan ilagay* i-enter i-type i-encode weka*
    ingiza* andika shigar* saka faka* geli* injiza* ampidir* nhap* soan antre ekri* введ* ввест* вводит* набер*
    укажит* укаж* уведи* вкажіт* увядз* унес* упиш* укуца* внес* впиш* въвед* енгіз* киргиз* оруул* вставьт* εισαγ*
    εισαγετε πληκτρολογ* γραψτε βαλτε καταχωρ* הזן הזינו להזין הקלד* הקש הקישו הכנס* הכניס* أدخل* ادخل* إدخال* ادخال*
    اكتب* وارد بزنید کنید درج لکھیں داخڵ* داخل შეიყვან* ჩაწერ* აკრიფ* մուտքագր* ներմուծ* ያስገቡ* አስገባ* ያስገባ*
    cuir+isteach sla+inn daxil+edin
"""
WEAK_TYPE: Final = """
    use using uses verwend* nutze* nutzen benutz* gebruik* vul geef brug bruk anvand* kayta* anna kasuta* trüki
    truki izmant* naudok* uzyj* pouzi* haszn* folos* utiliz* uporab* koristite koristi perdor* usa utilise* tumia*
    gunakan* gamit* kullan* erabil* usaid* defnydd* sebenzisa* isticmaal* koresha fi lo te tinye использ* использу*
    використ* корист* използ* пайдалан* колдон* χρησιμοπ* השתמש* استخدم* استعمل* استفاده გამოიყენ* օգտագործ* ይጠቀሙ*
    su+dung yi+amfani
"""

# Other kinds of codes: they name the number beside them, and hide the word for a code that is in them.
OTHER: Final = """
    код+города код+региона код+товара код+ошибки код+страны код+міста код+товару zip postal* postcode* postleit* plz
    postnummer* postinumero* pocztow* postanski* postencod* psc cap cep поштенск* поштанск* почтов* пощенск* почт*
    dress barcode* strichcode* streckkod* qr qr-kod* sort+code country+code area+code landesvorwahl* vorwahl*
    netnummer* riktnummer* позивни area+55 prefix* predcisli* error+code fehlercode* felkod* feilkod* fejlkod*
    foutcode* virhekood* veakood* errore erreur+code ошибк* помилк* client+code customer+code member+code affiliate
    staff buu+dien ma+vung de+area d+area di+area ape parrain* magasin shop+code store+code product+code produkt*
    item+code tracking* wrong+code bledny order+code booking+code reference+code ref+code tracking+code room+code
    branch+code style+code colour+code color+code invitation+code invite+code referral+code agent+code review+code
    unicode geocode bar+code source+code status+code dialling+code dialing+code tax+code supplier+code machine+code
    colis+code
"""
# What opens or fetches something, where the number is told to somebody or typed into a lock.
OPENS: Final = """
    delivery+code delivery+pin code+livraison code+de+livraison de+entrega kod+dostawy kod+odbioru bezorgcode*
    leveringskod* levering+kode teslim+kodu teslimat код+доставки код+получения استلام للمندوب المندوب door* gate+code
    gatecode tuercode turcode türcode haustur* portkod* portkode* dorkode* ovikoodi* uksekood* porte* portone portail
    citofon* portao domofon* домофон* digicode wlan* wifi wi-fi wi+fi wlan-passwort* wifi-wachtwoord locker* pickup*
    pick-up pick+up collect+from collection+code retrait* ritiro retiro recogid* levantamento retirada abhol* afhaal*
    ophaal* noutokoodi* noutolokero* afhent* hente* hentekod* avhamt* uthamt* odbior+paczki odbioru+paczki odbierz*
    vyzvednut* vydejni* vydejov* vyzdvihn* preuzimanj* preuzet* prevzem* ridicar* atveve* csomagautomat* paczkomat*
    casier* paketomat* packstation* locker-* lokero* kapp* kapı teslimat* teslim+kod ambil* pengambilan* pakomat*
    postomat* постамат* почтомат* выдач* отриман* получения получен* видач* постомат* скрыньк* ride+pin ride+otp
    ride+start rider driver* fahrer* chauffeur* kurier* courier* motorista motoboy driver-* safar yolcu invite*
    referral* rekommend* hint* pista namig* napoved* indizio dica meter* units kwh prepaid* recharge* voucher* laman
    booking* reserva reservas rezerva* buchung* boking* bokning* reservation* prenotazion*
"""
VOID: Final = """
    longer+works longer+active longer+usable no+longer been+replaced was+replaced replaced ete+utilise ete+annule
    ya+no fue+usado stato+utilizzato stato+usato non+piu ja+foi foi+utilizado nicht+mehr niet+meer inte+langre
    ikke+lenger ikke+laengere ei+enaa ole+enaa gecerli+degil tidak+berlaku khong+con jiz+neni uz+neni pozbyl*
    mar+nem nu+mai lam+yed лам+више больше+не не+действует не+действителен більше+не вже+не не+дійсний више+не
    вече+не вече+не+е δεν+ισχυει لم+يعد غير+صالح غير+صالحة دیگر+معتبر אינו+תקף כבר+לא ugyldig* stracil* straci*
    sustituid* sostituit* substituid* remplace ersetzt* vervangen заменен* замінен* утратил* втратив* expired
    expirat expirado expirada expiro expirou vencio vencido vencida caduco caducado scadut* perime abgelaufen*
    ungultig* verfallen verlopen ongeldig* verstreken udlobet utlopt utgatt* ogiltig* vanhentunut* vanheni utrunnin*
    aegunud* beidzies* baige* wygasl* niewazn* vyprsel* neplatn* vyprsal* lejart* ervenytelen* potek* istekao
    istekl* isteka* skaduar* истек* просроч* недействит* недійсн* изтек* изтекъл* истечен* үнэгүй протерм* спливл*
    gecersiz* doldu bitdi kedaluwarsa kadaluarsa hangus tamat luput dibatalkan batal void voided invalid cancelled
    canceled annul* annull* anullier* anulowan* zrusen* zrušen* stornier* cancelad* annulat* cancellat* отмен*
    скасован* отказан* поништен* used+already already+used longer+valid been+used was+used been+changed was+changed
    been+reset been+blocked been+activated plus+valable plus+valide deja+utilise giu+usato gia+usato gia+utilizzato
    ya+usado ya+utilizado ja+usado ja+utilizado bereits+verwendet bereits+benutzt schon+verwendet al+gebruikt
    redan+anvant allerede+brugt allerede+brukt juba+kasutatud jau+izmantots jau+panaudotas juz+uzyty zostal+uzyty
    uz+pouzit bol+pouzity mar+felhasznalt folosit+deja deja+folosit ze+uporabljen vec+iskoristen već+iskorišten
    использован* використан* използван използвана използвано искоришћен* iskoristite koristi искористен*
    вже+використано вже+використаний вече+използван већ+искоришћен sudah+digunakan telah+digunakan da+su da+het
    kullanilmis daha+once+kullan istifade+olunub umeisha imeisha umetumika nag-expire expired+na old previous+code
    not+use old+code alte+code alter+code ancien* antig* vecchi* stary* stare starym davn* منتهي+الصلاحية
    منتهية+الصلاحية انتهت ملغى ملغي ملغاة السابق القديم منقضی باطل باطله منسوخ پرانا پرانے פג הישן בוטל εληξε
    ληγμενος ακυρ* χρησιμοποιηθηκε գործածված ժամկետանց
"""
PROMOTION: Final = """
    promo* promocode* promocion* promotion* coupon* kupon* cupon* cupom voucher* gutschein* rabat* rabatt* discount*
    descuento* desconto* sconto* reduction* reduce* reducere* znizk* indirim* diskon* soodus* sooduskood* alennus*
    afslatt* afslag* korting* kortingscode* actiecode* kampan* kampanj* kampagne* aktionscode* sleva* slevov* zlava*
    akcij* akce popust* zbritj* atlaid* nuolaid* kedvezmeny* beskidka промокод* промо* скидк* знижк* купон* отстъпк*
    попуст* попусту зніжк* zniža* εκπτωσ* κουπον* خصم* الخصم كوبون* قسيمة عرض تخفیف* تخفيف هلا הנחה* קופון* מבצע
    giam+gia khuyen+mai freebie cashback offer* oferta* oferty gratis+verzending free+delivery free+shipping
    doprava+zdarma dopravu+zdarma doprava+zadarmo dopravu+zadarmo envio+gratis frete+gratis livraison+gratuite
    livraison+offerte spedizione+gratuita darmowa+dostawa darmowej+dostawy kostenlose+lieferung kostenloser+versand
    versandkostenfrei* gratis+fragt fri+frakt gratis+frakt ilmainen+toimitus besplatna+dostava besplatnu+dostavu
    бесплатн* безплатн* безкоштовн* ucretsiz+kargo kargo+bedava gratis+ongkir ongkir percuma haghka szallitas+ingyen
    ingyenes+szallitas livrare+gratuita tasuta+tarne nemokam* bezmaksas free+ride free+gift gift+card at+checkout
    off+your off+on off+all off+orders off+everything off+with off+for off+at off+when off+any off+this win ganhe gana
    gewinn* wygraj vyhraj sale выигра* подар* ajandek cadeau* regalo* подарк*
"""
NAMED: Final = """
    iso din
    بوليصة* pincode+no order* invoice* booking* ticket* parcel* shipment* account* acct* a/c card* ending* ends
    flight* train* room* gate txn* trx* transaction* phone* mobile* dial* call* fax* contact* hotline* helpline*
    support* customer* client* member* balance* amount* total* since until till version device* policy* loan* meter*
    counter* plate* user* trip* case* claim* copyright* last po ref* reference* refno* queue* appointment* vehicle*
    folio* dossier* sak sag arende* bestell* auftrag* rechnung* konto* karte* kunde* kundennr* endet* endend*
    sendung* vorgang* referenz* tel telefon* ruf commande* facture* compte* carte* appel* colis* numero+client
    pedido* factura* cuenta* tarjeta* terminad* llam* conta cartao* final ligue* encomenda* ordine* fattura* carta*
    chiama* pratica* spedizione* zamowien* faktur* kart* zadzwon* przesylk* paczk* siparis* fatura* hesap* abone*
    musteri* pesanan* rekening* tagihan* saldo* hubungi* don+hang so+the lh akaun* agizo* piga* salio* dlr
    cislo+uctu uctu* zasilk* smlouv* rendeles* szamla* kartya* hivja* comanda* cont sunati* contract* narudzb*
    racun* kartic* nazov* poziv* central deitu ënner rufft suna sunati sună sunați broj+rac posiljk* narocil*
    pokli* kontrat* porosi*
    tilaus* lasku* tili kortti*
    soita* puh tellim* arve* helist* pasutijum* rekin* konts* zvan* uzsakym* saskait* skambin* gspr pontun*
    reikning* hringdu bestilling* ordre* faktura* kort* ring* kundenr* kundnr* klantnr* klantnummer* bestelling* bel
    pasnr zaakn* volgn* eenheid заказ* замовлен* счет* рахун* карт* баланс* сумм* сума* звон* позвон* дзвон* заявк*
    заяв* договор* договір* тел* телеф* поръчк* сметк* обадете* поруџбин* рачун* позов* пратк* замоўл* тапсырыс*
    нарачк* παραγγελ* λογαριασμ* καρτ* καλεστε* τηλ* αριθμος+παρ طلب* الطلب* حساب* بطاقة* البطاقة* اتصل* رصيد* مرجع*
    العملية هاتف* سفارش* کارت* تلفن* موجودی* پیگیری* آرڈر اکاؤنٹ کارڈ بیلنس ریفرنس מסתיים* המסתיים* הזמנה* חשבון*
    כרטיס* התקשר* טלפון* יתרה* אסמכתא* 'מס დარეკ* ანგარიშ* ბარათ* პატვირ* պատվեր* քարտ* հաշիվ* զանգ* ትዕዛዝ* ሂሳብ* ካርድ*
    send+to sent+to reply* text+to sms+to call+us forwarded id no nr № # pnr rut tin nif cif cui edrpou инн иин iin
    oib vat siret bsn
"""

# The same in scripts whose words are found anywhere in the text.
CODE_ANYWHERE: Final = """
    ކޯޑ कोड ओटीपी पासवर्ड पासकोड सांकेतांक संकेतांक टोकन कूट पासवड কোড ওটিপি পাসওয়ার্ড ক+ড કોડ ઓટીપી પાસવર્ડ ਕੋਡ
    ਓਟੀਪੀ ਪਾਸਵਰਡ କୋଡ ଓଟିପି ପାସୱାର୍ଡ குறியீடு ஓடிபி ஓடிபீ கடவுச்சொல் கோட் கடவுக்குறி కోడ్ ఓటీపీ ఓటిపి పాస్‌వర్డ్
    పాస్వర్డ్ సంకేతం ಕೋಡ್ ಒಟಿಪಿ ಪಾಸ್‌ವರ್ಡ್ ಪಾಸ್ವರ್ಡ್ ಸಂಕೇತ കോഡ് ഒടിപി ഒ.ടി.പി പാസ്‌വേഡ് പാസ്വേഡ് කේතය කේත මුරපදය
    ඔටීපී කේතාංක รหัส โค้ด พาสเวิร์ด ລະຫັດ ໂຄດ កូដ លេខសម្ងាត់ ពាក្យសម្ងាត់ ကုဒ် ကုတ် စကားဝှက် နံပါတ်အတည်ပြု ཨང་
    验证码 驗證碼 验证代码 校验码 校驗碼 动态码 動態碼 动态密码 動態密碼 确认码 確認碼 认证码 認證碼 安全码 安全碼
    激活码 激活碼 登录码 登入碼 登錄碼 短信码 簡訊碼 授权码 授權碼 随机码 隨機碼 识别码 識別碼 口令 密码 密碼 代码
    代碼 一次性 交易码 交易碼 驗證號碼 验证号码 检验码 检测码 コード 認証番号 確認番号 暗証番号 認証キー パスワード
    ワンタイム パスコード 認証 暗号 確認キー 인증번호 확인번호 인증+번호 확인+번호 비밀번호 코드 보안번호 인증코드
    일회용 승인코드 패스워드
"""
TYPE_ANYWHERE: Final = """
    दर्ज+कर डालें डालिए टाइप लिखें भरें टाका प्रविष्ट लिहा हाल्नुहोस् राख्नुहोस् लेख्नुहोस् दाखल লিখুন টাইপ প্রবেশ
    করান দিন ব্যবহার দিয়ক লিখক દાખલ લખો નાખો ટાઇપ ਦਰਜ ਭਰੋ ਪਾਓ ଦିଅନ୍ତୁ ଲେଖନ୍ତୁ உள்ளிட பயன்படுத்த தட்டச்சு നമൂദ నమోదు
    ఎంటర్ టైప్ వాడండి ನಮೂದಿಸ ಟೈಪ್ ಬಳಸಿ നൽകുക നല്‍കുക രേഖപ്പെടുത്തുക ഉപയോഗിക്കുക ටයිප් ඇතුළත් ඇතුල් යොදන්න กรอก ป้อน
    ใส่ ใช้รหัส พิมพ์ ໃສ່ ປ້ອນ បញ្ចូល វាយ ရိုက်ထည့် ထည့် ဖြည့် ရိုက် 输入 輸入 填写 填寫 回填 键入 鍵入 填入 入力
    ご入力 입력
"""
OTHER_ANYWHERE: Final = """
    邮政编码 郵政編碼 邮编 郵遞區號 郵便番号 二维码 二維碼 QRコード 商品コード バーコード レコード 우편번호 바코드
    상품코드 รหัสไปรษณีย์ รหัสอ้างอิง เลขอ้างอิง รหัสส่วนลด รหัสสินค้า รหัสลูกค้า पिन+कोड एरिया+कोड पिनकोड পোস্টাল
    পিন+কোড
"""
OPENS_ANYWHERE: Final = """
    取件码 取件碼 取货码 取貨碼 提货码 提貨碼 快递柜 門市 门禁 門禁 开门密码 宅配ボックス 受取 受け取り オートロック
    택배함 수령 공동현관 현관 도어락 보관함 ตู้ล็อกเกอร์ รับพัสดุ ড্রাইভার ड्राइवर 駐車 来店 取餐码 取餐號 取号 叫号
"""
VOID_ANYWHERE: Final = """
    不再有效 已不可用 無効になりました ご利用いただけません 더+이상 मान्य+नहीं अमान्य ใช้ไม่ได้ ไม่สามารถใช้ได้
    已过期 已過期 已失效 已使用 已被使用 已作废 已作廢 已取消 过期了 期限切れ 有効期限が切れ 使用済み 使用された
    無効 失効 만료되었 만료됐 만료된 사용된 이미+사용 변경되었 변경됐 변경되 หมดอายุแล้ว ถูกใช้แล้ว ถูกยกเลิก
    समाप्त+हो+गय समाप्त+हो+चुक एक्सपायर+हो মেয়াদ+শেষ ব্যবহৃত+হয়ে কালোত্তীর্ণ कालबाह्य காலாவதியானது
"""
PROMOTION_ANYWHERE: Final = """
    优惠 優惠 折扣 促销 促銷 满减 满减码 红包 クーポン 割引 쿠폰 할인 छूट कूपन ऑफर डिस्काउंट ছাড় কুপন ส่วนลด
    คูปอง โปรโมชั่น ส่งฟรี தள்ளுபடி కూపన్ తగ్గింపు 免运 包邮 送料無料 무료배송 打折
"""
NAMED_ANYWHERE: Final = """
    尾數 尾数 尾4位 尾四位 末四位 末4位 后四位 後四位 致電 查詢 查询 戶口尾 户口尾 戶口尾數 户口尾数
    戶口尾4位 戶口末四位
    订单 訂單 订单号 订单编号 單號 单号 运单号 快递 账号 账户 賬號 帳號 卡号 尾号 尾號 末四位 末四碼 编号 编码 电话
    電話 客服 热线 熱線 致电 拨打 回复 余额 餘額 金额 金額 人民币 工号 手机号 注文 注文番号 口座 伝票番号 予約番号
    追跡番号 残高 問い合わせ番号 会員番号 末尾 下4桁 受付番号 参考编号 คำสั่งซื้อ บัญชี บัตร โทร ยอดเงิน
    วงเงิน 주문 주문번호 계좌 카드 운송장 승인번호 전화 문의 ऑर्डर खाता खाते कार्ड अर्डर ग्राहक+क्र
    बुकिंग+संख्या उपभोक्ता+क्र हेल्पलाइन অর্ডার কার্ড অ্যাকাউন্ট হেল্পলাইন કાર્ડ ખાતા ఆర్డర్ కార్డు చివరి ఖాతా
    கணக்கு அட்டை ಖಾತೆ ಕಾರ್ಡ್ കാർഡ് അക്കൗണ്ട് 参考
"""

# A code with one of these in its sentence is for logging in or confirming, whatever is advertised elsewhere.
STRONG: Final = """
    conclu* finaliz* complet* authoris* autoris* autoriz* authoriz* otp one-time onetime one+time verif* authent*
    autent* einmal* tac tan 2fa login log+in sign+in confirm* bestat* logge+inn logga+in inlogg* einlog* anmeld*
    innlogg* connect* connexion iniciar+sesion inicio+sesion acced* acess* acceder* zaloguj* logowani* prihlas*
    prijav* bejelentk* autentif* conect* giris* kirish* dang+nhap masuk+log войти вход* входа входу увійти вхід*
    логин* логін* συνδεσ* εισοδ* تسجيل+الدخول ورود כניסה התחברות aktiv* activ* регистр* регістр* potvrd* potwierd*
    confirma* conferm* validat* valider validac* vahvist* kinnita* apstipr* patvirt* megeros* tvirtin* registr*
    verifik* подтвержд* підтвердж* потвърд* onay* xac+nhan xac+minh
"""

# Not to be told to anybody: what else would a text with one number ask that of.
PRIVATE: Final = """
    share shared tell disclose reveal teile teilen weitergeben mitteilen deel delen ikke+del ikke+deil aldri+del
    aldri+deil del+ikke del+aldrig dela+inte dela+aldrig inte+dela ala+jaa kerro avalda jagage nedali* neizpaud*
    neatklaj* nesidal* udostepn* podawaj nikomu nikym nesdel* nezdiel* nikomur nikome nemojte oszd arulja divulga*
    compart* partag* communiqu* condivid* comunic* partilh* paylas* kimse* kimseye hec+kim hech+kim hechkim ешкімге
    эч+кимге никому никога никого никоме некому бусдад хэлж κανεναν μοιρ* mhn min+ton kuka* usimpe usishiriki yeyote
    wina musauze musa se+e o+se kada kowa jangan bagikan beritahu berikan kongsi huwag ibahagi tiet+lo chia+se
    cung+cap ndaje ndani ikke+dele condivis* תשתף תמסור לאף אף+אחד תעבירו תשתפו нікому кас+кес надихед نشارك تشارك
    تشاركه تشاركها لاحد لأحد l7ad ندهید بگذارید هیچ+کس کسی نہ+دیں شیئر شریک נישט մի+հայտնեք ոչ+ոքի არავის ለማንም
"""
PRIVATE_ANYWHERE: Final = """
    साझा शेयर किसी को+न किसी+को कुणालाही কাউকে শেয়ার શેર કોઈને ਸਾਂਝਾ பகிர யாரிடமும் షేర్ ఎవరికీ ಹಂಚಿ ಯಾರ ആരുമായും
    പങ്കിട බෙදා ห้ามบอก อย่าบอก ห้ามแจ้ง ห้ามเปิดเผย ຢ່າບອກ ຫ້າມ កុំ မပြော 勿告 勿泄露 勿洩漏 请勿 請勿 切勿 不要告
    他人 第三者 教えない タニン 알려주지 공유하지 타인 노출
"""

STRONG_ANYWHERE: Final = """
    로그인 登录 登錄 登入 ログイン लॉगिन सत्यापन लॉग+इन লগইন যাচাই ยืนยัน เข้าสู่ระบบ OTP
"""

# What may stand between a word for a code and its number.
BETWEEN: Final = """
    is are for your the here this to now new fresh following below as a an it in of on and und ist lautet lautetet
    fur ihr ihre dein der die das la le les de del di du el es est sera e' e o ao os seu sua su tu tus votre voici
    suivant ici il lo suo tuo ed este va rog dvs jest dla twoj ten je pro vas pre tvoj van az ez az-on vart dit din
    ditt er til och ar det teie jusu jus yra ir sms whatsapp app otp pin code kod kode number no nr numer nummer бр br
    numero adalah ialah anda untuk kamu ini ay ang mo iyong ni na ya yako wa cua quy khach ban cho dir adi uchun siz
    sizin на для ваш вас это эта є твій твоят е ви вашият за је το σας ο η ειναι هو هي است شما ہے کا الخاص بك الخاصة
    لك שלך הוא היא של את de+un unico unica univoco univoca unique uso unic unikatny jednorazov* jednokratn*
    eenmalig* einmalig* temporar* temporal* provis* secur* seguranc* segurid* sicherheit* securit* bezpiec* bezpec*
    sigurnos* activ* aktiv* acces* access* toegang* zugang* dostep* pristup* login log-in giris confirm* conferm*
    potvrd* potwierd* verif* verific* validat* validac* valid* autoriz* autoris* autoryz* auth* onay* dogrul*
    tasdiq* ellenorz* biztonsag* megerosit* подтвержд* доступ* вход* входа одноразов* временн* безопасн* активац*
    авторизац* підтвердж* потвърж* потврд* провер* التحقق التفعيل الدخول المرور السري التأكيد لمرة واحدة הזיהוי
    האימות חד פעמי ב reg registrasi verifikasi rahasia sementara pengesahan keselamatan
    temporary temporaneo temporanea provvisori* temporaire* provisoire* provisorisch* personale personali personnel*
    personal personlig* persönlich* persoonlijk* pessoal individuel* individual* secret* segret* geheim* tijdelijk*
    tillfällig* midlertidig* väliaikai* henkilökohtai* tymczasow* dočasn* privremen* začasn* osobist* osobn* osebn*
    tajn* ideiglenes* személyes* ajutin* isiklik* pagaidu personīg* laikin* asmenin* geçici kişisel müvəqqəti shaxsiy
    vaqtinchalik временн* персональн* личн* секретн* тимчасов* особист* таємн* личен привремен* уақытша убактылуу
    προσωριν* προσωπικ* μυστικ* المؤقت مؤقت الشخصي موقت שאישי הזמני זמני האישי numeric numerisk* numéric* numeryczn*
    digital* cyfrow* ciffr* číseln*
"""

# How a word for any code begins, of a login or of a branch: not "password", "TAN".
PLAIN: Final = (
    "c[oò]di?[gc]?|cod|kod|koo?d|код|кад|κωδ|sifra|шифр|koda|kods|ma |msimbo|kood|kot|"
    "կոդ|კოდ|קוד|הקוד|رمز|كود|الرمز|کد|کوڈ"
)

# Names with words for a code or a door in them.
NAMES: Final = r"\botp bank(?:[aeiu]|nal|ban|tol|ja)?\b|\be-devlet kapisi\w*"

# Between one code and another.
AND: Final = """
    or and oder und ou et o y u e i a ir ja tai eller og och of en veya ve lub albo czy nebo alebo ali vagy sau hoac
    va dan или и або та і чи 或 或者 和 または 또는
"""

# To send an SMS to a number.
SENT_TO: Final = (
    r"\b(?:stop|antwoord|antworte|antworten sie|svar|vasta|odgovori|odgovorite|"
    r"send|text|reply|sms|txt|stuur|invia|envia|envie|enviar|envoyez|repondez|sende|senden|skicka|svara|"
    r"laheta|saada|wyslij|poslij|poslite|posaljite|posalji|posli|kuldje|kuldd|trimite|trimiteti|siusk|siuskite|nosuti|"
    r"dergo|manda|mande|responda|responde|kirim|kirimkan|ketik|hantar|soan|gui|nhan|tuma|aika|gonder|gonderin|yuboring|"
    r"отправь|отправьте|пришлите|надішліть|відправте|изпрати|изпратете|испрати|пошаљи|пошаљите|даслаць|στειλε|στειλτε|"
    r"otpravte|otprav|izprati|steilte)\b.{0,30}"
    r"\b(?:to|naar|al|ao|para|au|an|till|til|a|na|la|numeroon|numrile|uz|ne|ke|gui|toi|kwenda|zuwa|на|στο|sto)"
    r"(?: (?:nr|no|numer|numero|nummer|nomor|so|broj|cislo|номер|αριθμο)\.?)? \Z"
    r"|(?:ارسل|أرسل|ارسال|بفرست|שלח|שלחו|发送|發送|发|編輯|编辑|回复).{1,24}(?:الى|إلى|ل|به|אל|ל|到|至) ?\Z"
)

# Between what is sent and the number that it is sent to: `SMS BLOCK 7712 to 56767`.
TO: Final = "to ke gui"

# A text that speaks of the letters of a code wants them typed: `type all, with letters and dash`.
LETTERS: Final = (
    r"\b(?:letters|buchstaben|lettres|letras|lettere|bokstav|bogstav|kirjai|tähte|burti|liter[ay]|p[ií]smen|betű)"
    r"|букв|літер|γρ[αά]μματα|אותיות|أحرف|حروف|अक्षर|অক্ষর|ตัวอักษร|字母|文字|ハイフン|문자|글자"
)

CURRENCY_SIGNS: Final = "$€£¥₹₽₴₪₺₩฿₫₱₦₸₾₼֏৳₮₲₡"
CURRENCIES: Final = """
    usd eur gbp cny rmb jpy inr rs mrp rub uah pln czk huf ron bgn sek nok dkk kr chf tl brl r$ mxn ars clp cop aed
    sar egp irr ils nis kes ksh kshs tzs tsh ugx ngn ghs zar idr rp myr rm php thb vnd bdt tk pkr krw kzt sgd hkd
    aud cad lkr azn gel amd mnt etb uzs som tnd dzd qar kwd omr bhd jod lbp iqd syp npr mmk khr lak twd ntd nt$ nzd
    isk rsd bam mkd mdl byn kgs tjs tmt xof xaf fcfa rwf zmw mwk mzn aoa cve bob pyg uyu gtq hnl nio crc dop lek
    birr
"""

# What follows a number that is an amount, a measure, a year, the end of a USSD command or a number to send to.
COUNTED: Final = (
    r"%|euros?|dollars?|dolares|reais|pesos|pounds|rupees|руб|р\.|грн|гривен|тенге|сум\b|zl|kc|ft\b|lei\b|лв\b|元|円|원|บาท",
    r'dong|shillings?|ریال|تومان|ريال|درهم|جنيه|دينار|روپ|ש"ח|रुपय|रु|টাকা|ευρω|r\$|xu\b',
    r"p(?:cs|ts|oints?)\b|miles|km|kg|gb|mb|kb|ml|items?\b|баллов|балів|бонусов|puntos|pontos|punkt|積分|积分|ポイント|포인트",
    r"คะแนน|poin\b|puan|minut\w*|mins?\b|hours?\b|days?\b|sec(?:onds?)?\b|годин|мб\b|хв\b|минут|dakika|मिनट|分钟|分鐘|小时|秒|분|초",
    r"(?:off|rabatt?|korting|descuento|desconto|sconto|reduction|remise|znizki|slev[ay]|zlava|popust|indirim|diskon|diskaun)\b",
    r"скидк|знижк|отстъпк|попуст|εκπτωση|خصم|تخفيف|تخفیف|הנחה|छूट|ছাড়|ส่วนลด|할인|割引|giam",
    r"年|년|г\.|год|'?y?[ea] gonder|#(?!\w)",
)

# Parts of words for a code that languages bend at both ends: vahvistuskoodisi.
INSIDE: Final = ("koodi", "passwor", "salasan", "kodinn", "kodann")
