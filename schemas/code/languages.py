"""More of what words say, a line for each language: words as in `schemas.code.words`, joined with its lists.

Each list also has what people write without the letters of their language, or in Latin ones.
"""

from typing import Final

# ---- words for a code, and orders to type it -------------------------------------------------------------------------

CODE: Final = (
    # English
    "nip nips otc ots kaod* kodhi* khodh* pwd pswd passwrd pwrd pw passcodes rvn otac otpw sign+in+code access+key "
    "security+key "
    "account+key activation+key "
    "verification+key sms+key login+key confirmation+key verification+pin security+digits verification+digits "
    "magic+number codeword vcode v-code "
    # German
    "zahlencode* ziffernfolge* bestätigungsnummer* freischaltnummer* prüfnummer* prüfziffer* kontrollnummer* losung "
    "kennung* sicherheitsnummer* smspin "
    # Dutch, Afrikaans
    "cijfercode* controlegetal* pincode* beveiligingsnummer* toegangsnummer* verificatienummer* bevestigingsnummer* "
    "kodenommer* wagkode eenmaligepin eenmalige "
    # Danish, Norwegian, Swedish, Finnish, Icelandic
    "engångs* engangs* bekræftelsesnummer* bekreftelsesnummer* verifieringsnummer* kontrollnummer* siffrekod* "
    "talkode* sifferkode* kertakäyttö* kertakoodi* varmennus* varmistusnumero* vahvistusnumero* tunnistuskoodi* "
    "leyninúmer* auðkenningarnúmer* öryggisnúmer* kóða* "
    # French
    "numéro+de+vérification numéro+de+confirmation mot+passe clé+d+accès clé+de+sécurité clef code-pin "
    # Spanish, Catalan
    "contraseñ* número+de+verificación número+de+confirmación clave+dinámica clave+temporal cod+verif cód* cód codi* "
    "palabra+clave coordenada* token+digital "
    # Portuguese
    "cód códigos senha* palavra-passe número+de+verificação número+de+confirmação chave+de+acesso chave+de+segurança "
    "código* "
    # Italian
    "parola+chiave numero+di+verifica numero+di+conferma chiave+di+accesso parola+d+ordine codice* "
    # Polish
    "hasł* kodzie kodów kodu numer+weryfikacyjny numer+potwierdzający jednorazówka "
    # Czech, Slovak
    "klíč+sms sms+klíč sms+kľúč bezpečnostní+klíč autorizační+klíč kódu kódem kódom kódů ověřovací+číslo "
    "overovacie+číslo heslom hesle "
    # Croatian, Serbian, Slovene
    "šifra* zaporka* lozinko lozinku kodom kodu broj+za+potvrdu kontrolni+broj geslom potrditvena+številka sms+ključ "
    "šifro "
    # Russian, Ukrainian, Bulgarian, Belarusian, Macedonian
    "одноразк* цифровой+код кодик смс-код пинкод пин-код кодовое+слово kod kodom kodu parol* kod+podtverzhdeniya "
    "odnorazov* kodove+slovo шифра* код-пароль пас-код кад кады кадам каду пароля код-ключ лозинка* "
    # Hungarian, Estonian, Latvian, Lithuanian, Romanian, Albanian
    "kódj* kódot kódo* jelsz* megerősítő+szám azonosítószám* biztonsági+szám salasõna parooli* kinnitusnumber kood* "
    "kontrollkood* kodin* parol* kods koda apstiprinājuma+numurs slaptažod* kodas kodą patvirtinimo+numeris codul* "
    "parola* parolă număr+de+verificare kodi* fjalëkalim* numri+i+verifikimit "
    # Turkish, Azerbaijani, Uzbek, Kazakh, Kyrgyz, Mongolian, Tajik, Turkmen
    "kodun* kodunuz* kodu şifre* şifren* parola* parolan* doğrulama+numarası onay+numarası kodunuzu kodunu kodun "
    "şifrəniz* parol* kodingiz* kod parolingiz* құпиясөз* құпия+сөз* құпия+код* кодыңыз* коды растау+саны сырсөз* "
    "купуя+сөз* сыр+сөз* купуясөз* код* нууц+үг* нууц+дугаар* баталгаажуулах+дугаар* рамзи* рамз* гузарвожа* ramzi "
    "parolyň* kodyňyz* açar+söz "
    # Greek
    "κωδικ* κωδ αριθμός+επιβεβαίωσης αριθμός+επαλήθευσης συνθηματικό kodikos kodiko kodikou kwdikos kwdiko "
    # Arabic, Persian, Urdu
    "الرقم+السري رقم+التحقق رقم+التأكيد رقم+سري رموز الرمز شفرة كلمة+السر كلمه+السر كلمة+سر kod kode ramz "
    "ramz+tahaqoq رمز+یکبار رمز+پویا رمزعبور گذرواژه* شناسه+ورود کد+تایید پن+کوڈ خفیہ+کوڈ خفیہ+نمبر تصدیقی+نمبر "
    "ramz* "
    # Hebrew, Georgian, Armenian, Amharic
    "הקוד קוד הסיסמה הסיסמא מספר+אימות קודך სადამასტურებელი* საიდენტიფიკაციო* კოდ* პინ* կոդ* ծածկագ* "
    "հաստատման+համար* "
    "գաղտնաբառ* ኮድ* የማረጋገጫ+ቁጥር የሚስጥር ፒን የይለፍ "
    # Indian languages
    "पिन पासवर्ड कोड सत्यापन+संख्या सत्यापन+नंबर ওটিপি পিন পাসকোড যাচাই+নম্বর গোপন+নম্বর পাসওয়ার্ড ઓટીપી પિન પાસકોડ "
    "ਪਿੰਨ ਪਾਸਕੋਡ பின் ஓடிபி கடவுக்குறியீடு கடவு+எண் రహస్య+సంఖ్య పిన్ పాస్‌కోడ్ పాస్కోడ్ ಪಿನ್ ಪಾಸ್‌ಕೋಡ್ ಗುಪ್ತಪದ പിൻ "
    "പിന് രഹസ്യകോഡ് පින් මුර+අංක කේතය गोप्य+नम्बर पासकोड "
    # Thai, Lao, Khmer, Burmese, Chinese, Japanese, Korean
    "รหัสผ่าน รหัสลับ ລະຫັດ លេខកូដ កូដ ကုဒ် ကုဒ်နံပါတ် လျှို့ဝှက်နံပါတ် 动态口令 动态码 校验码 检验码 驗證號 验证号 "
    "保安編碼 保安编码 保安碼 安全密碼 认证号 通行码 通行碼 一次性密碼 認證號 登入密碼 短信密码 暗码 暗号 確認コード "
    "認証コード 認証ナンバー 認証No ワンタイムパス 確認用番号 認証用番号 PINコード ログインコード 인증+번호 인증no "
    "인증키 보안코드 보안키 본인확인+번호 확인코드 핀번호 비번 접속번호 "
    # Indonesian, Malay, Vietnamese
    "kodenya kodemu kode kodnya sandi* kata+sandi kod nombor+otp nombor+tac nombor+pengesahan katalaluan "
    "nomor+verifikasi nomor+otp angka+rahasia mã+pin mã+của+bạn mã+whatsapp mã+facebook mã+zalo mã+telegram "
    "mã+google mã+tiktok mã+viber mã+instagram mật+mã mat+ma mã+số+bí+mật mã+bảo+mật "
    # Tagalog, Swahili, Hausa, Yoruba, Zulu, Xhosa, Sotho, Somali, ...
    "kodigo kowd password numerong+lihim namba+ya+siri namba+ya+uthibitisho nambari+ya+siri msimbo neno+la+siri "
    "lambar+tabbaci lambar+tantance lambar+sirri* kalmar+sirri* koodu nọ́mbà+ìdánilójú nọmba+ìdánilójú "
    "nomba+idaniloju nọmba+aṣiri "
    "ikhodi inombolo+yemfihlo iphinikhodi khoudu nomoro+ya+sephiri khodi lambarka+sirta koodhka furaha koodka "
    "nọmba+nzuzo umubare+w+ibanga kode+yawe kaody tenimiafina nambala+yachinsinsi "
    # more
    "mobiletan* smstan* handytan* او+ٹی+پی okwu+nzuzo okwuntughe "
    # compounds and bent forms: Icelandic, Faroese, Frisian, Estonian, Hungarian, Latvian, Lithuanian, Maltese
    "*kóði *kóðinn *kóðann *kóða *kóðanum *kota *kotan *koade *koaden *kodja *kodjat *kodot *kods *kodas *kodai "
    "kodici* "
    # Tatar, Bashkir, Chuvash, Ossetic, Chechen, Buryat, Yakut, Uzbek and Tajik in Cyrillic
    "кодыгыз* кодығыҙ* кодыбыз кодӗ коди кодини кодингиз* парольгез серһүҙ* "
    # Georgian, Armenian, Yiddish, Uyghur, Assamese, Maori, Hawaiian, Samoan, in Latin letters too
    "kodia kodis paroli kody kodn kodë gaghtnabar* gaxtnabar* tsatskagir* קאָד קאד פּאַראָל كودىڭىز* ক'ড waehere "
    "numera+faamaonia "
)
WEAK: Final = (
    # English
    "digits figure figures sequence pass+key passkey passphrase combination reference+key "
    # German, Dutch, Scandinavian, Finnish
    "nummern ziffern zahl zahlen zahlenfolge cijfers cijfer getal nommer siffror siffer sifre tal tallet siffran "
    "tölur tala numerot numero luku "
    # French, Spanish, Portuguese, Italian
    "chiffre* nombre número números dígitos cifras num núm xifr* cifre cifra algarism* combinación "
    # Polish, Czech, Slovak, Croatian, Slovene
    "cyfry cyfrę liczb* numeru číslo číslice číslic kombinac* klíč* kľúč* brojk* znamenk* cifr* števil* številk* "
    "ključ* "
    # Cyrillic
    "цифры цифр номера номером числа число комбинац* цыфр* лічб* число* бројк* чисел tsifr* nomer "
    # Hungarian, Estonian, Latvian, Lithuanian, Romanian, Albanian
    "számot számsor* számjegy* numbrid number numbrit skaitl* cipar* skaičių* skaitmen* cifre numărul numrin numër "
    # Turkic, Mongolian, Tajik
    "numara* numarayı sayı* rakam* nömrə* rəqəm* raqam* son+raqam нөмір* сан* номур* тоо* дугаар* рақам* "
    # Greek, Arabic, Persian, Urdu, Hebrew, ...
    "αριθμ* ψηφί* noumero arithmo* الأرقام ارقام أرقام عدد شماره نمبر ہندسہ ספרות המספר מספר რიცხვ* ნომერ* ციფრ* "
    "թիվ* "
    "համար* թվեր* ቁጥር* "
    # Indian languages
    "नंबर संख्या नम्बर अंक নম্বর সংখ্যা নাম্বার નંબર આંક ਨੰਬਰ எண் எண்ணை నంబర్ సంఖ్య నెంబర్ ಸಂಖ್ಯೆ ನಂಬರ್ നമ്പർ നമ്പര്‍ "
    "අංකය අංක क्रमांक "
    # Thai, Lao, Khmer, Burmese, Chinese, Japanese, Korean
    "หมายเลข เลขที่ ตัวเลข เลข ໝາຍເລກ ເລກ លេខ နံပါတ် 数字 數字 号码 號碼 番号 ナンバー 번호 숫자 넘버 "
    # Indonesian, Malay, Vietnamese, Tagalog, African languages
    "angka nomor nombor số con+số numero nambari namba lamba lambar lambobi nọmba nomba nọ́mbà inombolo nomoro "
    "nambarka umubare isa nambala tarakimu "
    # Welsh, Basque, Irish, Maltese
    "rhif rifau zenbakia zenbakiak zenbaki uimhir numru numerong numero+ng "
)
TYPE: Final = (
    # English
    "retype reenter key+in punch+in paste tap+in feed+in dial+in "
    # German, Dutch, Scandinavian, Finnish
    "abtippen hinein eintragen trage tragen einsetzen intoetsen invoeren overtypen tikken intikken skriva fyll taste "
    "slå+inn skrifaðu sláðu naputtele naputella kirjoita* kirjoittamalla syöttä* skrive skriver "
    # French
    "composez tapez inscrivez recopiez reportez rentrez rentre entrant saisissez saisissant "
    # Spanish, Portuguese, Italian, Catalan
    "digitando digitar coloque coloca pon ponga ingresá ingrese introduzca introduce pulsa tecle* escreva escrever "
    "mete metelo metela tipea tipee scrie scrieti colocar insira inserisci inserite immetti digitate digita scrivi "
    "introduïu escriviu "
    # Polish, Czech, Slovak, Croatian, Serbian, Slovene
    "wpisz wpisać wprowadź przepisz wklep podać zadejte zadej zadajte vyplňte opište vepište vpíšte upišite ukucajte "
    "otkucajte uneti unijeti unesite unesi upiši vpišite vpiši vnesite vnesi vtipkajte vtipkaj natipkajte prepišite "
    # Cyrillic
    "введите введи вбей вбейте впишите впиши ввод введіть впишіть наберіть впишыце увядзіце увядзі въведете въведи "
    "попълнете унесите унеси укуцајте внесете внеси vvedite vvedi vvedit vvodit vpyshit vavedete vuvedete vyvedete "
    "unesite vnesete "
    # Hungarian, Estonian, Latvian, Lithuanian, Romanian, Albanian
    "írja írd gépelje gépeld adja+meg üsse pötyögje sisesta sisestage trüki kirjuta tippige ierakstiet ievadiet "
    "ievadi suvesk* įrašyk* įvesk* surink* tastați tastează introduceți introdu scrieți tastati introduceti shkruaj "
    "shkruani vendos fusni jepni shtypni "
    # Turkic, Mongolian, Tajik
    "girin giriniz gir yaz yazın yazınız tuşlayın tuşla tuşlayınız daxil+et daxil+edin yığın kiriting kiritib yozing "
    "tering енгізіңіз енгіз теріңіз жазыңыз киргизиңиз териңиз оруулна оруулаарай бичнэ дохил ворид нависед ýazyň "
    "giriziň "
    # Greek
    "πληκτρολογ* εισάγετε εισάγεις γράψε γράψτε βάλε βάλτε καταχωρίστε συμπληρώστε plhktrolog* pliktrologiste "
    "eisagete grapse "
    # Arabic, Persian, Urdu
    "أدخل ادخل أدخله ادخله أدخلي ادخلي اكتب اكتبه دخل دخلي ktb dkhl ktebi dakhl وارد+کنید وارد+نمایید بنویسید تایپ "
    "بزنید درج vared درج+کریں لکھیں ڈالیں ٹائپ enter+karen "
    # Hebrew, Georgian, Armenian, Amharic
    "הזן הזיני הזינו הקלידי הקלידו הקלד הקישי הקישו רשמו הכניסו ჩაწერ* აკრიფ* შეიტან* შეიყვან* მიუთით* "
    "մուտքագր* գրեք* հավաք* ያስገቡ ያስገባ አስገቡ ይጻፉ ይፃፉ ይተይቡ "
    # Indian languages
    "दर्ज भरें डालें एंटर लिखें टाइप প্রবেশ+করান লিখুন দিন টাইপ+করুন বসান এন্টার દાખલ+કરો નાખો લખો એન્ટર ਦਰਜ+ਕਰੋ ਭਰੋ "
    "ਪਾਓ ਲਿਖੋ உள்ளிடவும் உள்ளிடுக உள்ளிடுங்கள் பதிவிடவும் எழுதவும் டைப் ఎంటర్ నమోదు టైప్ చేయండి ನಮೂದಿಸಿ ಟೈಪ್ ಎಂಟರ್ "
    "ടൈപ്പ് നൽകുക എന്റർ രേഖപ്പെടുത്തുക ඇතුළත් ටයිප් ලියන්න हाल्नुहोस् टाका टाइप+करा प्रविष्ट dalein daalein daale "
    "likhein darj bharen likhun "
    # Thai, Lao, Khmer, Burmese, Chinese, Japanese, Korean
    "กรอก ใส่ พิมพ์ ป้อน ກອກ ໃສ່ ປ້ອນ ພິມ បញ្ចូល វាយ ထည့် ရိုက် ဖြည့် 输入 輸入 填入 填写 填寫 键入 入力 ご入力 "
    "打ち込 入れて 입력 적어 쳐주 써주 기입 "
    # Indonesian, Malay, Vietnamese, Tagalog
    "masukan masukin ketik ketikkan isikan tulis inputkan taip masukkan isi nhập điền+mã gõ+mã nhap go+ma dien+ma "
    "bấm "
    "ilagay i-type ilagay+mo itype i-enter isulat ipasok "
    # Swahili, Hausa, Yoruba, Zulu, Xhosa, Sotho, Somali, Igbo, ...
    "ingiza weka andika charaza shigar shiga rubuta saka fi+sii faka ngenisa thayipha bhala kenya tsenya geli ku+qor "
    "qor gali tinye pịnye denta injiza andika+kode ampidiro soraty lowetsani lembani galchi "
)
WEAK_TYPE: Final = (
    # English, German, Dutch
    "instead provide quote supply apply stattdessen nenne nennen angeben verwenden benutzen gebruik gebruiken "
    "in+plaats "
    # French, Spanish, Portuguese, Italian, Catalan
    "plutôt indique indiquez donnez communiquez servez informe informá informar indica proporciona facilita dígale "
    "utiliza utilice use usá usar emplea forneça fornece usando usare usa comunica indicare utilizza utilizzi serviu "
    "empra invece "
    # Polish, Czech, Slovak, Croatian, Slovene
    "podaj podać użyj skorzystaj użyć uveďte použijte použite použij zadejte koristite iskoristite koristi navedite "
    "uporabite uporabi iskoristi "
    # Cyrillic
    "укажите сообщите назовите используй используйте примените використайте використовуйте скористайтеся вкажіть "
    "скарыстайце выкарыстоўвайце ползвайте използвайте посочете користете искористете наведите ispolzuyte "
    "vikorystayte izpolzvaite izpolzvayte "
    # Hungarian, Estonian, Finnish, Latvian, Lithuanian, Romanian, Albanian, Scandinavian
    "használd használja kasuta kasutage käytä käyttäkää naudokite panaudokite izmantojiet izmanto folosiți folosește "
    "folositi utilizați përdorni përdor bruk brug använd använda notaðu "
    # Turkic, Mongolian, Tajik
    "kullanın kullanınız kullanarak istifadə işlət ishlating foydalaning қолданыңыз пайдаланыңыз колдонуңуз ашиглана "
    "ашиглаарай хэрэглэ истифода ulanyň "
    # Greek, Arabic, Persian, Urdu, Hebrew, ...
    "χρησιμοποι* χρησιμοποιήστε xrisimopoi* استخدم استخدمي استخدموا استعمل استعملي استفاده+کنید استفاده استعمال+کریں "
    "بتائیں השתמשו השתמש השתמשי გამოიყენე* օգտագործ* ይጠቀሙ "
    # Indian languages
    "इस्तेमाल उपयोग+करें प्रयोग+करें वापरा प्रयोग ব্যবহার+করুন ব্যবহার ઉપયોગ+કરો વાપરો ਵਰਤੋ பயன்படுத்தவும் "
    "பயன்படுத்துங்கள் ఉపయోగించండి వాడండి ಬಳಸಿ ഉപയോഗിക്കുക භාවිතා istemal upyog use+karein "
    # Thai, Lao, Khmer, Burmese, Chinese, Japanese, Korean
    "ใช้ ໃຊ້ ប្រើ သုံး အသုံးပြု 使用 使って お使い ご利用 사용하 이용하 쓰세요 "
    # Indonesian, Malay, Vietnamese, Tagalog, African languages
    "pakai pake gunain gunakan pakailah guna dùng sử+dụng su+dung dung gamitin gamitin+mo gamitin+ang tumia tumieni "
    "yi+amfani yi+amfani+da lò lo sebenzisa sebedisa diriša isticmaal jiri koresha ampiasao gwiritsani "
    # it
    "nehmen nimm neem prenez prends tome toma tomar prendi weź vezměte uzmite возьмите візьміть alın πάρτε خذ קח "
    "取用 "
)
STRONG: Final = (
    # without its letters
    "tehlukesizlik* tesdiq* "
    # English
    "register* registration signup sign+up signing+in log+on logging+in approve* approval authoriz* unlock* reset* "
    "recover* link+your pair activate* enrol* "
    # German, Dutch, Afrikaans
    "anmeld* registrier* freischalt* freigabe* freigeb* bestätig* zurücksetz* entsperr* zugang* verifizier* aanmeld* "
    "registr* bevestig* goedkeur* herstel* toegang* inteken registreer* "
    # Scandinavian, Finnish, Icelandic
    "logg* inlogg* registrera* bekräft* godkänn* återställ* verifier* bekreft* godkjenn* tilgang* adgang* godkend* "
    "bekræft* nulstil* tilmeld* kirjaut* rekisteröi* vahvist* hyväksy* tunnistau* nollaa* staðfest* innskrá* nýskrá* "
    # French
    "connect* inscri* inscription vérif* confirme* valide* autorise* réinitialis* débloqu* activer accéder accès "
    "identif* "
    # Spanish, Portuguese, Italian, Catalan
    "verific* confirm* registr* inici* ingresar acceso autoriz* restable* desbloqu* valid* inscrip* accedir cadastr* "
    "entrar login redefin* valida* acesso liberar registraz* accesso sblocc* reimpost* iscri* "
    # Polish, Czech, Slovak, Croatian, Slovene
    "logowan* zaloguj* rejestr* weryfik* potwierdz* autoryz* odzysk* odblok* aktyw* přihlá* přihlaš* registrac* "
    "ověř* "
    "potvrz* obnov* odemk* prihlás* overen* overte* potvrď* prijav* registrir* potvrd* potvrđ* odobr* odobren* "
    "provjer* proveri* provera* otključ* verifik* potrdi* potrjev* overi* "
    # Cyrillic
    "войти входа вход регистр* подтверд* подтвержд* авториз* восстанов* разблок* верифик* актив* увійти входу "
    "реєстр* "
    "підтверд* відновл* розблок* регистрац* вписване потвърд* впис* пријав* потврд* активир* регистру* увайсці "
    "уваходу рэгістр* пацверд* верыфік* vhod* podtverd* pidtverd* registrac* vhid vhodu avtoriz* potvard* najava "
    "најав* "
    # Hungarian, Estonian, Latvian, Lithuanian, Romanian, Albanian
    "belép* regisztr* igazol* megerős* jóváhagy* hitelesít* visszaállít* feloldás* sisse+log* sisselog* registreeri* "
    "kinnita* kinnitus* tuvast* ielog* pieslēg* reģistr* apstipr* pierakst* prisijung* registr* patvirtin* tapatyb* "
    "autentific* înregistr* confirma* verifica* conect* logare verifiko* konfirmo* hyr* regjistr* kyç* "
    # Turkic, Mongolian, Tajik
    "giriş* doğrula* onay* kayıt* üyelik* aktivasyon* etkinleştir* sıfırla* kimlik* təsdiq* qeydiyyat* daxil+olmaq "
    "giriş tasdiq* ro'yxat* royxat* kirish* растау* тірке* кіру* кіріңіз тастыкта* ырасто* катто* кирүү* "
    "баталгаажуул* нэвтрэх* бүртгэ* тасдиқ* ворид+шудан tassyk* "
    # Greek, Arabic, Persian, Urdu
    "επιβεβαίωσ* επαλήθευσ* ταυτοποίησ* σύνδεσ* συνδεθ* εγγραφ* ενεργοποίησ* epivevaios* epalitheys* epalhtheys* "
    "syndes* eggraf* التحقق التأكيد تأكيد التفعيل تفعيل تسجيل للتسجيل التوثيق لتفعيل لتأكيد الدخول للدخول tasjil "
    "tahaqoq تایید تأیید ورود تصدیق فعال‌سازی فعالسازی ثبت‌نام ثبت+نام لاگ+ان رجسٹر* tayid vorood "
    # Hebrew, Georgian, Armenian, Amharic
    "אימות לאימות אישור לאישור התחברות להתחברות כניסה לכניסה הרשמה להרשמה זיהוי დადასტურ* ავტორიზ* რეგისტრ* ვერიფიკ* "
    "შესვლ* გააქტიურ* հաստատ* մուտք* գրանց* ակտիվ* ማረጋገ* ለማረጋገጥ ለመግባት ምዝገባ* መግቢያ "
    # Indian languages
    "सत्यापन सत्यापित लॉगिन लॉग+इन पुष्टि पंजीकरण रजिस्टर याचाइ নিশ্চিত লগইন লগ+ইন নিবন্ধন ভেরিফাই ચકાસ લોગિન પુષ્ટિ "
    "નોંધણી ਪੁਸ਼ਟੀ ਲੌਗਇਨ ਤਸਦੀਕ சரிபார் உறுதி உள்நுழை பதிவு ధృవీక లాగిన్ నిర్ధార నమోదు+చేసు ದೃಢೀಕ ಲಾಗಿನ್ ಪರಿಶೀಲ "
    "സ്ഥിരീകര പരിശോധ ലോഗിൻ സ്ഥിരീകരണ තහවුරු සත්‍යාපන පිවිස प्रमाणीकरण पडताळ लगइन प्रमाणित "
    # Thai, Lao, Khmer, Burmese, Chinese, Japanese, Korean
    "ยืนยัน เข้าสู่ระบบ ลงทะเบียน สมัคร ຢືນຢັນ ເຂົ້າ ລົງທະບຽນ បញ្ជាក់ ផ្ទៀងផ្ទាត់ ចូល အတည်ပြု ဝင်ရောက် 登录 登入 注册 "
    "註冊 验证 驗證 确认 確認 认证 認證 認証 ログイン 登録 本人確認 인증 로그인 가입 확인 본인 "
    # Indonesian, Malay, Vietnamese, Tagalog
    "verifikasi konfirmasi masuk daftar login aktivasi log+masuk pengesahan sahkan pendaftaran mendaftar xác+thực "
    "xác+nhận xác+minh đăng+nhập đăng+ký kích+hoạt xac+thuc dang+ky kich+hoat beripik* kumpirma* mag-log kumpirmahin "
    "mag-login "
    # African languages
    "thibitish* kuingia kujisajili usajili uthibitish* tabbatar* shiga+asusu tantance* ìdánilójú idaniloju "
    "ìforúkọsílẹ̀ qinisekis* qinisekisa ukungena netefats* tiisa* xaqiiji* gal* emeza* kwinjira hamarino fidirana "
    "tsimikizir* nkwenye nwerṣo "
    # Welsh, Basque, Irish, Maltese, Tagalog, Yoruba, Hausa
    "cadarnhau dilysu mewngofnodi egiazta* baiezta* dearbh* fíor* verifika konferma kumpirmasyon kumpirmahan ìfọwọ́sí "
    "tantancewa confirmaci* потвърждение* потвърд* تایید تایید* تأیید belépés* belépéshez entrar ingreso "
)
# What is done but once, or who somebody is: in a sentence with a code, it is for confirming.
ONE_TIME: Final = (
    # English, German, Dutch
    "one+time one+use single+use onetime singleuse einmal* einmalig* eenmalig* "
    # Scandinavian, Finnish, Icelandic
    "engangs* engångs* éngangs* kertakäyttö* einnota einskiptis* "
    # Romance
    "usage+unique à+usage+unique utilisation+unique un+solo+uso un+único+uso único+uso uso+único usar+una+vez "
    "un+sol+ús ús+únic uso+unico monouso único+uso uso+único utilização+única unică+folosință unica+folosinta "
    "o+singură+utilizare utilizare+unică "
    "usa+e+getta usa+getta descartável descartavel desechable descartable usage+unique à+usage jetable "
    # Slavic in Latin letters
    "jednorazow* jednorázov* jednokratn* enkratn* jednorazov* odnorazov* "
    # Cyrillic
    "одноразов* аднаразав* еднократ* једнократ* "
    # Hungarian, Estonian, Latvian, Lithuanian, Albanian
    "egyszer+használatos egyszeri ühekord* vienreiz* vienkart* njëpërdorimsh* nje+perdorimi një+përdorimi "
    # Turkic, Mongolian, Tajik
    "tek+kullanımlık tek+seferlik bir+kerelik birdəfəlik bir+martalik бір+реттік бир+жолку нэг+удаагийн якдафъаина "
    # Greek, Arabic, Persian, Urdu, Hebrew, Georgian, Armenian, Amharic
    "μίας+χρήσης μιας+χρήσης mias+xrisis mias+xrhshs mias+chrisis لمرة+واحدة مرة+واحدة یکبار+مصرف یک+بار+مصرف "
    "یکبارمصرف "
    "חד+פעמי חד+פעמית ერთჯერად* միանգամյա* mekangamya miangamya ertjeradi የአንድ+ጊዜ "
    # Indonesian, Malay, Vietnamese, Tagalog, African languages
    "sekali+pakai satu+kali sekali+guna dùng+một+lần một+lần mot+lan isang+beses pang-isahang isahang+gamit "
    "mara+moja amfani+ɗaya sau+ɗaya sau+daya kanye kamoja "
    # Asia
    "वन+टाइम एकबारगी एक+बार+का এককালীন এক+কালীন ওয়ান+টাইম વન+ટાઇમ એક+વખતનો ਵਨ+ਟਾਈਮ ஒரு+முறை ஒருமுறை వన్+టైమ్ ఒక్కసారి "
    "ಒಂದು+ಬಾರಿ വൺ+ടൈം ഒറ്റത്തവണ එක්+වරක් एक+पटक एकवेळ ครั้งเดียว ใช้ครั้งเดียว ຄັ້ງດຽວ ម្តង တစ်ခါသုံး 一次性 ワンタイム "
    "1회용 일회용 "
)
IDENTITY: Final = (
    # English, German, Dutch, Scandinavian, Finnish
    "identit* prove+it it+s+you it+is+you that+it+s+you sie+es+sind du+es+bist identifizier* legitim* dat+jij "
    "u+het+bent identific* det+är+du det+er+deg det+er+dig tunnistau* henkilöllisyy* auðkenn* "
    # Romance
    "identité c+est+vous c+est+bien+vous identidad eres+tú eres+tu sos+vos identidade é+você e+voce identità sei+tu "
    "identitate* esti+tu identitat "
    # Slavic, Baltic, Hungarian, Albanian
    "tożsamoś* totožnos* totožnost identitet* istovetnost* личност* особистіст* особи особу идентичн* самоличн* "
    "асоб* "
    "személyazonos* isikusamas* isiku* identitāt* tapatyb* identitet* "
    # Turkic, Greek, Semitic, ...
    "kimliğiniz* kimlik+doğ* şəxsiyyət* shaxsingiz* жеке+басы* ταυτότητ* هويتك هوية هویت شناخت זהותך "
    "זהות ვინაობ* ինքնութ* ማንነት* "
    # Asia, Africa
    "पहचान পরিচয় ઓળખ அடையாள గుర్తింపు ตัวตน 身份 身分 本人 본인 신원 identitas jati+diri danh+tính danh+tinh "
    "pagkakakilanlan utambulisho "
)
ACCESS: Final = (
    # to come in, in Latin letters
    "shesvl* kiru* kiriw girmek giriw nevtre* nevtrekh vorud vorood wurud dukhul dokhul doxul mutk mutq* megebiya "
    "vhod* "
    "vkhod* uvahod* eisod* isodo* knisa hitchabrut pravesh prabesh "
    "access* zugriff* zugang* toegang tillträde åtkomst* tilgang* adgang* pääsy* accès acces accés accede* acceso "
    "acesso aceder aceda accesso accedere accedi acces* dostęp* dostep* přístup* pristup* prístup* dostop* доступ* "
    "достъп* пристап* приступ* hozzáfér* ligipääs* piekļuv* piekļū* prieig* qasje* erişim* erisim* giriş+yap* "
    "πρόσβασ* prosvas* دسترسی akses capaian truy+cập truy+cap "
)
# What is gone on with, once the code is typed.
COMPLETE: Final = (
    # Germanic, Finnish
    "to+finish finish+setting finish+adding finish+signing to+complete to+continue to+proceed set+up setting+up "
    "gets+you "
    "let+you+in get+back+into abzuschließen fortzufahren einzurichten abschließen fortfahren om+door+te+gaan "
    "voltooi* "
    "afronden slutför* fortsätt* fullfør* fortsett* fortsæt* fuldfør* gennemfør* viimeistel* jatka* ljúka* "
    "halda+áfram "
    # Romance
    "pour+continuer pour+poursuivre pour+terminer finaliser para+continuar para+completar para+terminar "
    "para+finalizar "
    "per+continuare per+completare per+proseguire per+continuar pentru+a+continua pentru+a+finaliza "
    # Slavic
    "dokończ* dokoncz* kontynuow* dokonč* pokračov* nastav* nastavil* dovrš* завершит* завершен* продолжит* "
    "завершить "
    "продовжит* довърш* продълж* заврши* наставит* завяршэнн* "
    # Hungarian, Baltic, Estonian, Albanian, Turkic, Greek
    "folytatás* befejez* jätka* lõpuleviim* turpināt* pabeig* tęst* užbaig* vazhduar përfunduar tamamla* devam+et* "
    "tamamlamaq davom+ettir* yakunla* аяқтау* жалғастыр* аяктоо* үргэлжл* ολοκληρώσ* ολοκλήρωσ* συνέχισ* συνεχίσ* "
    # Asia and Africa
    "لإكمال لإتمام للمتابعة اكمال إتمام تکمیل ادامه להשלמת להשלים להמשך დასასრულებლად გასაგრძელებლად ավարտ* "
    "շարունակ* "
    "पूरा+कर जारी+रख সম্পন্ন পূরণ પૂર્ણ ਪੂਰਾ பூர்த்தி பூர்த் పూర్తి ಪೂರ್ಣ പൂർത്തി ดำเนินการต่อ ສຳເລັດ 完成 继续 繼續 続行 완료 "
    "계속 menyelesaikan melanjutkan meneruskan hoàn+tất hoan+tat tiếp+tục tiep+tuc magpatuloy makumpleto kukamilisha "
    "kuendelea kammala "
)
# What a code consists of: said of no other number.
DIGITS: Final = (
    "digits figures combination combo ziffern ziffernfolge zahlenkombination zahlenfolge kombination cijfers "
    "cijferreeks "
    "siffror siffrorna sifre sifrene cifre tallene numerosarja numerot tölustafi tölurnar chiffres cifras dígitos "
    "algarismos combinación xifres combinação combinazione cifrele cyfry cyfr číslice číslic číslicu kombinácia "
    "kombinace "
    "znamenke brojke brojeve cifara številke цифр* комбинац* лічбы цыфр* бројк* бројев* számjegyek számsor "
    "számkombináció "
    "numbrid ciparus cipari skaitmenis skaitmenys shifrat numrat rakamları rakamlarını rakamlar rəqəmləri raqamlarni "
    "raqamlar сандарды цифраларды тоонуудыг рақамҳои ψηφία ψηφια psifia الأرقام أرقام ارقام ارقام+زیر ہندسے ספרות "
    "הספרות "
    "ციფრები რიცხვები թվերը թվանշանները ቁጥሮች अंक अंकों সংখ্যাগুলো અંકો ਅੰਕ இலக்கங்கள் எண்களை అంకెలు ಅಂಕಿಗಳು അക്കങ്ങൾ "
    "ඉලක්කම් "
    "ตัวเลข ຕົວເລກ 数字 數字 숫자 angka chữ+số chu+so tarakimu lambobi "
)
# Where a code is typed.
WHERE: Final = (
    "your+screen the+screen the+app the+box the+field the+form the+page the+website our+app our+website die+app "
    "der+app "
    "das+feld im+feld formular bildschirm* het+scherm de+app het+veld appen skärmen rutan skjermen skærmen feltet "
    "sovelluks* kenttään l+appli l+app l+application la+page l+écran le+champ le+site la+app la+aplicación pantalla "
    "la+página o+app no+app no+aplicativo no+site na+tela no+ecrã nell+app sull+app sul+sito schermo aplikacji "
    "stronie "
    "ekranie polu aplikace aplikaci aplikácii stránce stránke aplikaciju aplikacijo stranici strani приложени* сайте "
    "сайт "
    "экране поле застосунк* додатк* сайті полі приложението сайта екрана апликациј* программе alkalmazás* oldalon "
    "mezőbe "
    "aplicație aplicatie site-ul rakenduses väljale lietotnē programėlė* lauką aplikacion uygulama* ekrana ekranda "
    "tətbiq* ilova* қосымша* εφαρμογή οθόνη التطبيق الشاشة الموقع برنامه سایت اپلیکیشن ایپ באפליקציה באתר במסך "
    "აპლიკაცი* "
    "հավելված* ऐप ऐप्प अॅप অ্যাপে એપમાં ਐਪ செயலி యాప్ ಆ್ಯಪ್ ആപ്പ് ในแอป หน้าจอ 页面 頁面 画面 アプリ サイト 앱 화면 aplikasi "
    "layar skrin ứng+dụng màn+hình ung+dung sa+app programu "
)
PRIVATE: Final = (
    "enikẹ́ni ẹnikẹ́ni enikeni usitume usimwambie musauze namntu kwabanye mang+kapa mang+le cidna mtu+yeyote "
    "huwag+ibigay huwag+sabihin ai+biết cho+ai jangan+berikan jangan+kongsi "
)

# ---- which number is meant -------------------------------------------------------------------------------------------

# Beside a word for a code: it replaces the others.
NEW: Final = (
    # English
    "new newest fresh latest the+one this+one "
    # German, Dutch, Scandinavian, Finnish
    "neuer neue neues neuen nieuwe ny nye nya nýr nýi uusi uuden nuwe "
    # French, Spanish, Catalan, Portuguese, Italian
    "nouveau nouvelle nuevo nueva nou nova novo nuovo nuova "
    # Polish, Czech, Slovak, Croatian, Slovene
    "nowy nowe nowym nový nové nová novy nove novi novo "
    # Cyrillic
    "новый новая новым новий новим нов новият нови новиот новы noviy novyi novyy "
    # Hungarian, Estonian, Latvian, Lithuanian, Romanian, Albanian
    "új uus jaunais jauns naujas naujasis nou nouă noua ri "
    # Turkic, Mongolian, Tajik
    "yeni yangi жаңа шинэ нав täze нови "
    # Greek, Arabic, Persian, Hebrew, ...
    "νέος νέο καινούργιος neos neo الجديد جديد جديدة الجديدة جدید نیا نئی חדש החדש חדשה ახალი* նոր አዲስ "
    # Asia and Africa
    "नया नई नए নতুন નવો ਨਵਾਂ புதிய కొత్త ಹೊಸ പുതിയ නව नवीन ใหม่ ໃໝ່ ថ្មី အသစ် 新的 新しい 新验证码 新驗證碼 新たな "
    "새로운 새 baru mới moi bagong mpya sabon tuntun entsha ncha cusub "
    # replaced by
    "replaced+by replaced+with ersetzt+durch vervangen+door ersatts+av erstattet+av erstattet+med remplacé+par "
    "sustituido+por reemplazado+por substituído+por sostituito+da sostituito+con zastąpiony+przez nahrazen+kódem "
    "заменен+на замінено+на заменён+на înlocuit+cu "
)

# Right before a number, or the word for a code before it.
NOT: Final = (
    # English, German, Dutch, Scandinavian, Finnish, French
    "not nicht kein keinen niet geen ikke inte ei ekki pas "
    # for example
    "e+g i+e eg example z+b beispiel* bijv bijvoorbeeld t+ex exempelvis f+eks eksempel* esim dæmi ex exemple par+ex "
    "p+ej ej ejemplo p+ex exemplo esempio ad+es np przykład* např príklad* napr npr primjer* primer* "
    "например напр наприклад примерно напрыклад például pl näiteks nt piemēram pvz exemplu shembull örn örneğin "
    "məsələn masalan мысалы мисалы жишээ παράδειγμα πχ π+χ مثلا مثال לדוגמה למשל მაგალითად օրինակ ለምሳሌ उदाहरण "
    "जैसे যেমন উদাহরণ ઉદાહરણ உதாரண ఉదాహరణ ಉದಾಹರಣೆ ഉദാഹരണ เช่น ตัวอย่าง 例如 比如 例えば 例: 例) 예: 예) 예를 contoh "
    "misalnya ví+dụ vi+du halimbawa mfano misali "
    # others
    "nie nikoli ne není nije не нет nu nem nav δεν όχι μην ليس ليست وليس نیست نہیں לא არა ոչ չէ 不是 並非 并非 bukan "
    "không+phải khong+phai hindi siyo ba+shi "
)
# Right before a number, in a sentence that confirms: `log in with 482913`.
WITH: Final = """
    with using mit met med avec con com amb z ze s se sa cu с со з із със cu me ile ilə bilan με bằng bang dengan
"""
INSTEAD_OF: Final = (
    # Germanic
    "instead+of rather+than anstelle statt anstatt in+plaats+van istället+för i+stedet+for istedenfor i+staðinn "
    # Romance
    "au+lieu lieu+de à+la+place+de+l en+lugar en+vez vez+del em+vez vez+do ao+invés invece+di invece+del al+posto "
    "al+posto+del en+lloc enlloc în+loc in+loc+de în+locul "
    # Slavic, Baltic, Albanian, Greek
    "zamiast místo namiesto umjesto umesto namesto вместо замість замест наместо vmesto zamist zamest vietoj vietā "
    "në+vend αντί anti+tou "
    # others
    "بدلا+من بدلاً+من بدل به+جای بجای במקום փոխարեն thay+vì thay+cho thay+vi bukannya daripada kaysa badala+ya "
    "maimakon dipo esikhundleni "
)
INSTEAD_BEHIND: Final = (
    # Turkic, Finnish, Estonian, Hungarian
    "yerine yerinə əvəzinə o'rniga orniga орнына ордуна оронд sijaan sijasta asemel helyett vietā değil deyil emas "
    "емес эмес "
    # Indian languages, Urdu, ...
    "के+बजाय की+जगह के+स्थान এর+পরিবর্তে পরিবর্তে ને+બદલે બદલે ਦੀ+ਬਜਾਏ பதிலாக బదులుగా బదులు ಬದಲಿಗೆ ಬದಲು പകരം වෙනුවට "
    "ऐवजी को+सट्टा کی+بجائے کے+بجائے کی+جگہ ნაცვლად փոխարեն "
    # Japanese, Korean
    "の代わり に代わり ではなく じゃなく 대신 말고 아니라 아닌 "
)

# In the clause of one of several numbers.
PASSED_OVER: Final = (
    # English
    "yesterday earlier last+time ignore disregard do+not+enter don+t+enter do+not+type not+enter for+reference+only "
    "not+this "
    # German, Dutch, Scandinavian, Finnish
    "gestern ignorieren ignoriere vergessen nicht+eingeben früher vorhin zuvor gisteren negeer eerder niet+invoeren "
    "eerst igår i+går ignorer ignorera tidligere tidigare eilen aiempi aiemmin ohita "
    # Romance
    "ignorez ignorer ne+saisissez précédemment oubliez ayer ignora ignore anterior anteriormente olvida ontem "
    "esqueça "
    "esqueca precedente ieri ignorare dimentica d+abans ignoreu "
    # Slavic in Latin letters
    "wczoraj zignoruj pomiń poprzedni* wcześniejsz* včera ignorujte předchozí předešlý predchádzajúci jučer juče "
    "zanemarite prethodni* ignorirajte včeraj prejšnj* "
    # Cyrillic
    "вчера прошл* прежн* предыдущ* игнорируй* забудьте не+вводите не+вводи раньше вчора попередн* минул* ігноруйте "
    "не+вводьте не+вводіть предишн* предходн* игнорирайте јуче претходн* учора папярэдн* predydush* proshl* "
    "poperedn* "
    # Hungarian, Estonian, Latvian, Lithuanian, Romanian, Albanian
    "tegnap előző korábbi ne+írja eile eelmi* ignoreeri vakar iepriekš* ignorējiet anksčiau ankstesn* ignoruokite "
    "ieri anterior* precedent* dje i+mëparshëm "
    # Turkic, Mongolian, Tajik
    "dün önceki yok+sayın dikkate+almayın girmeyin dünən əvvəlki kecha oldingi avvalgi кеше алдыңғы бұрынғы мурунку "
    "кечээ өчигдөр өмнөх гузашта "
    # Greek, Arabic, Persian, Hebrew, ...
    "χθες προηγούμεν* αγνοήστε prohgoumen* proigoumen* أمس السابق السابقة تجاهل لا+تدخل دیروز قبلی وارد+نکنید گزشتہ "
    "پچھلا אתמול הקודם התעלמו אל+תזינו გუშინ* წინა* երեկ* նախորդ* ትናንት ቀደም "
    # Asia
    "कल पिछला पिछले पुराना গতকাল আগের পূর্বের ગઈકાલ પાછલો ਪਿਛਲਾ முந்தைய నిన్న మునుపటి ಹಿಂದಿನ മുമ്പത്തെ පෙර मागील "
    "ก่อนหน้า อย่ากรอก อันเดิม ກ່ອນໜ້າ មុន ယခင် 昨天 之前 上次 请勿输入 請勿輸入 不要输入 仅供核对 僅供核對 仅供参考 "
    "昨日 前回 以前 先ほど 어제 이전 지난 입력하지 "
    # Indonesian, Malay, Vietnamese, Tagalog, African languages
    "kemarin sebelumnya abaikan jangan+masukkan semalam hôm+qua trước+đó bỏ+qua hom+qua truoc+do kahapon nauna jana "
    "iliyopita jiya ana+da izolo yangaphambili "
    # do not use
    "no+use no+uses no+utilice no+utilices no+ingrese no+introduzca não+use não+utilize não+digite non+usare "
    "non+utilizzare non+inserire n+utilisez+pas n+utilisez nicht+verwenden nicht+benutzen nicht+nutzen "
    "niet+gebruiken "
    "använd+inte bruk+ikke brug+ikke nie+używaj nie+wpisuj nepoužívejte nezadávejte nepoužívajte ne+koristite "
    "nemojte+koristiti не+используйте не+використовуйте не+използвайте kullanmayın ne+használja älä+käytä "
    "ärge+kasutage nu+folosiți nu+folositi nu+introduceți μη+χρησιμοποιήσετε لا+تستخدم استفاده+نکنید אל+תשתמשו "
    "请勿使用 請勿使用 不要使用 使わないで 사용하지 jangan+gunakan jangan+pakai đừng+dùng khong+dung ห้ามใช้ อย่าใช้ "
    "usitumie "
)

# ---- void ------------------------------------------------------------------------------------------------------------

VOID: Final = (
    # Used, refused, locked
    "uhr+verwendet uhr+benutzt uhr+eingelost uhr+eingegeben wurde+abgelehnt wurde+gesperrt ist+gesperrt "
    "zuruckgewiesen ble+brukt ble+avvist avvist afvist avvisad avvisades anvandes anvants brugtes nekades "
    "nektet sparrad sperret hylattiin hylatty kaytettiin var+hafnad geweigerd afgekeurd geblokkeerd "
    "werd+geweigerd was+rejected was+refused was+declined is+locked was+used+at a+ete+refuse refuse+a "
    "a+ete+rejete a+ete+bloque fue+rechazado fue+usada ha+sido+rechazado rechazado se+uso se+utilizo "
    "foi+recusado foi+rejeitado foi+utilizada foi+bloqueado bloqueado e+stato+rifiutato rifiutato "
    "e+stato+bloccato bloccato rebutjat a+fost+respins a+fost+folosit respins blocat odrzucon* "
    "zablokowan* zostal+odrzucony byl+zamitnut zamietnut* zamitnut* zablokovan* bol+zamietnuty odbijen* "
    "zavrnjen* отклонен* отклонён* відхилен* отхвърлен* одбиен* одбијен* заблокирован* заблокован* "
    "блокиран* elutasitva elutasitott* letiltva letiltott* visszautasit* lukatti lukustat* noraidits "
    "noraidits* blokets atmest* uzblokuot* refuzuar* bllokuar* u+perdor reddedildi kilitlendi "
    "bloke+edildi redd+edil* bloklan* rad+etil* απορριφθηκε κλειδωθηκε μπλοκαριστηκε مرفوض رفض محظور "
    "نامعتبر נדחה נחסם अस्वीकृत अस्वीकार ब्लॉक+हो প্রত্যাখ্যাত ব্লক+করা ditolak diblokir disekat "
    "bi+tu+choi da+bi+khoa imekataliwa imezuiwa imetumiwa 逾時失效 已逾時 逾时失效 已超时 已逾期 已锁定 已鎖定 "
    "被拒绝 被拒絕 拒否され "
    "ロックされ 거부되 거부됐 잠겼 잠금+처리 ถูกปฏิเสธ ถูกล็อก ถูกระงับ "
    # English
    "tried+to+use attempted+to+use used+code that+used that+s+wrong is+wrong was+wrong is+incorrect was+incorrect "
    "is+not+valid not+valid isn+t+valid is+invalid did+not+send didn+t+send didnt+send never+sent scam revoked "
    "deactivated withdrawn superseded obsolete outdated lapsed timed+out blocked+a we+blocked was+blocked won+t+work "
    "does+not+work doesn+t+work stopped+working was+entered accepted+successfully failed previous earlier+code "
    "last+code "
    # German, Dutch
    "widerrufen erfolgreich+eingelöst wurde+verwendet wurde+benutzt wurde+eingegeben war+falsch ist+falsch "
    "nicht+gültig nicht+von+uns betrug gefälscht abgelaufener außer+kraft wurde+storniert gelöscht hinfällig "
    "vorherig* bisherig* verbruikt ingetrokken is+gebruikt werd+gebruikt niet+geldig onjuist geannuleerd vervallen "
    "vorige oplichting "
    # Scandinavian, Finnish, Icelandic
    "har+brukts är+använd har+använts används+redan ikke+gyldig ikke+længere er+brukt blev+brugt er+brugt "
    "brukes+ikke "
    "udløbne annulleret annullert makulerad upphört felaktig forkert inte+giltig gått+ut tidligere forrige tidigare "
    "föregående bluff svindel käytettiin on+käytetty mitätöity peruttu ei+kelpaa väärä ei+voimassa huijaus aiempi "
    "edellinen ógild* útrunni* rann+út var+notað fyrri "
    # French
    "périmé* a+expiré a+été+utilisé est+expiré n+est+plus est+incorrect est+erroné est+invalide pas+valide "
    "plus+valide désactivé révoqué annulé annulée arnaque précédent precedent "
    # Spanish, Portuguese, Catalan
    "caducó expiró venció vencido fue+utilizado ha+sido+usado ha+caducado ha+expirado incorrecto inválido anulado "
    "anulada revocado quedó+sin reemplazado no+enviamos estafa falso anterior no+es+válido cancelado cancelada "
    "expirou expirado venceu foi+usado inválida incorreto substituído não+é+mais golpe não+enviamos caducat caducada "
    "cancel·lat ja+no no+és+vàlid expirat utilitzat anul·lat "
    # Italian
    "è+scaduto scaduto scaduta è+stato+usato già+usato annullato annullata errato errata sbagliato non+valido "
    "revocato sostituito truffa non+è+più "
    # Polish, Czech, Slovak
    "wygasł* stracił* nieaktualn* nieważn* nieprawidłow* błędny wykorzystan* użyty+już został+wykorzystany anulowan* "
    "unieważnion* poprzedni* oszust* vypršel* vypršal* expiroval* expirova* neplatn* nesprávn* použit+již byl+použit "
    "bol+použitý zrušen* zrušený zastaral* předchoz* podvod* "
    # Croatian, Serbian, Slovene
    "istekao istekla isteklo poništen* ponisten* iskorišten* iskorišćen* iskoriscen* nevažeć* nevazec* neispravn* "
    "pogrešan pogresan blokiran* zamijenjen* zamenjen* otkazan* prevara potekel potekla pretekla preklican* "
    "uporabljen* neveljav* napačn* prejšnj* ne+velja ne+važi ne+vazi "
    # Cyrillic
    "истёк истек просрочен* аннулир* недейств* неверн* неправильн* погашен* использован* отозван* устарел* мошенник* "
    "спливл* анульован* скасован* недійсн* невірн* використан* застарі* шахра* изтекъл изтекла невалид* анулиран* "
    "грешен използван* отменен* измам* истечен* поништ* искористен* неважечк* погреш* неважећ* несапраўд* скончы* "
    "скасаван* анулява* istek* prosroch* nedeystvitel* nedijsn* ispolzovan* vykorystan* otmenen* annulirovan* "
    # Hungarian, Estonian, Latvian, Lithuanian, Romanian, Albanian
    "lejárt érvénytelen* felhasználták felhasznált elavult visszavont* hibás törölve törölt aegunud aegus kehtetu* "
    "tühistat* kasutati kasutatud beidzies beidzās nederīg* atcelts anulēts izmantots nepareiz* pasibaig* baigės "
    "negalioj* atšaukt* panaudot* neteising* expirat* expirată anulat* folosit folosita incorect* invalid* revocat* "
    "skadoi skaduar* anuluar* përdorur pavlefshm* gabuar mashtrim "
    # Turkic, Mongolian, Tajik
    "geçersiz* süresi+doldu suresi+doldu süresi+geçti süresi+dolmuş kullanıldı kullanılmış iptal+edildi "
    "iptal+edilmiş "
    "hatalı yanlış eski önceki sahte etibarsız* müddəti+bitib vaxtı+bitib istifadə+olunub ləğv+edil* köhnə yanlışdır "
    "muddati+tugadi muddati+tugagan bekor+qilin* ishlatilgan eskirgan yaroqsiz жарамсыз* мерзімі+өтті "
    "мерзімі+аяқталды күшін+жойды қолданылған ескі жараксыз* мөөнөтү+бүттү эски хүчингүй* хугацаа+дууссан хуучин "
    "ашиглагдсан беэътибор* бекор кӯҳна könelişen "
    # Greek
    "έληξε ακυρώθηκε άκυρος άκυρο χρησιμοποιήθηκε ληγμένος λανθασμένος λάθος παλιός παλιό προηγούμενος απάτη elikse "
    "elhxe akyrothike palios proigoumenos "
    # Arabic, Persian, Urdu
    "انتهت+صلاحية انتهت+صلاحيته منتهي+الصلاحية ملغي ملغى ألغي الغي تم+استخدام تم+استخدامه استخدم+بالفعل خاطئ "
    "غير+صحيح "
    "القديم قديم السابقة احتيال منقضی منقضی‌شده باطل+شد نامعتبر* استفاده+شده اشتباه قبلی لغو+شد کلاهبرداری میعاد+ختم "
    "ختم+ہو منسوخ غلط استعمال+ہو پرانا سابقہ "
    # Hebrew, Georgian, Armenian, Amharic
    "פג+תוקף פג+תוקפו פג בוטל בוטלה שגוי כבר+נוצל נוצל לא+תקף לא+בתוקף אינו+בתוקף אינה+בתוקף אינו+תקף "
    "אינה+תקפה אינו+פעיל אינו+תקין לא+תקין ישן הישן ვადაგასულ* გაუქმებულ* "
    "გაუქმდა* ვადა+გაუვიდა* გამოყენებულ* არასწორ* ძველი* ժամկետանց* չեղարկ* ժամկետը+լրացել անվավեր* սխալ* հին "
    "ጊዜው+አልፎ* ጊዜው+ያለፈ* ተሰርዟል* የተሰረዘ* አሮጌ "
    # Indian languages
    "समाप्त+हो+गय समाप्त+हो+चुक समाप्त+हुआ अमान्य रद्द गलत इस्तेमाल+हो+चुक पुराना पुराने बंद+कर মেয়াদোত্তীর্ণ "
    "মেয়াদ+শেষ বাতিল ভুল পুরনো পুরোনো ব্যবহৃত સમાપ્ત+થઈ સમાપ્ત રદ+કર રદ અમાન્ય જૂનો ਮਿਆਦ+ਪੁੱਗ ਰੱਦ ਪੁਰਾਣਾ காலாவதி "
    "ரத்து செல்லாது தவறான பழைய గడువు+ముగిసింది గడువు+తీరింది రద్దు చెల్లదు పాత తప్పు ಅವಧಿ+ಮುಗಿದ ರದ್ದು ಅಮಾನ್ಯ ಹಳೆಯ "
    "കാലഹരണപ്പെട്ട റദ്ദാക്കി അസാധു പഴയ කල්+ඉකුත් අවලංගු පැරණි कालबाह्य अवैध जुनो expire+ho+gaya expire+ho+chuka "
    "khatam+ho+gaya khatam+ho+chuka radd "
    # Thai, Lao, Khmer, Burmese, Chinese, Japanese, Korean
    "หมดอายุแล้ว ใช้แล้ว ถูกใช้ ยกเลิก ไม่ถูกต้อง ใช้ไม่ได้ รหัสเก่า รหัสเดิม หลอกลวง ໝົດອາຍຸແລ້ວ ຍົກເລີກ ផុតកំណត់ "
    "លុបចោល သက်တမ်းကုန်ဆုံးသွား ပယ်ဖျက် 已过期 已失效 失效了 已作废 无效 無效 作廢 已取消 旧验证码 "
    "舊驗證碼 旧的 舊的 错误 已被使用 已停用 已注销 期限切れ 失効 無効 使用済み 取り消 取消され 古い 旧コード "
    "間違って 만료되 만료됐 만료된 취소되 취소됐 취소된 사용된 사용되었 사용됐 무효 이미+사용 잘못된 기존 폐기 "
    # Indonesian, Malay, Vietnamese
    "kadaluarsa kedaluwarsa hangus tidak+berlaku sudah+tidak telah+digunakan sudah+dipakai sudah+digunakan "
    "dibatalkan "
    "kode+salah kode+lama palsu penipuan telah+tamat sudah+tamat telah+luput tamat+tempoh telah+dibatalkan tidak+sah "
    "hết+hạn đã+hết bị+hủy đã+hủy đã+sử+dụng không+còn không+hợp vô+hiệu mã+cũ ma+cu bị+sai lừa+đảo het+han da+huy "
    "da+su+dung vo+hieu "
    # Tagalog, African languages
    "nag-expire expired+na paso+na wala+nang+bisa hindi+na lumang nagamit+na kanselado hindi+kami+nagpadala "
    "muda+wake "
    "umekwisha limeisha umeisha imekwisha imebatilishwa umefutwa ya+zamani ta+ƙare ya+ƙare ya+kare ta+kare an+soke "
    "tsohuwar ti+pari ti+dópin ti+dopin iphelelwe+yisikhathi iphelile endala e+feletswe dhacay duugoobay "
    "waa+la+kansalay emechiela yarangiye lany+daty "
    # it could not be
    "could+not+be couldn+t+be cannot+be can+t+be konnte+nicht kon+niet kunde+inte kunne+ikke ei+voitu n+a+pas "
    "a+pas+pu no+se+pudo no+pudo não+foi+possível nao+foi+possivel non+è+stato non+e+stato nie+udało nie+udalo "
    "nepodařilo nepodarilo nije+uspjelo nije+uspelo ni+uspelo не+удалось не+вдалося не+успя nem+sikerült "
    "ei+õnnestunud neizdevās nepavyko nu+a+putut doğrulanamadı onaylanamadı δεν+ήταν تعذر לא+אומת tidak+dapat "
    "không+thể+xác khong+the+xac "
    # its time is over
    "минув минула сплив сплинув закінчився закінчилась закончился закончилось кончился समाप्त+हो+ग समाप्त+हुई "
    "समय+सीमा+समाप्त अवधि+समाप्त সময়সীমা+শেষ সময়+শেষ समाप्त+भयो "
    # no longer valid
    "gilt+nicht nicht+gültig gilt+nicht+mehr geldt+niet gäller+inte gælder+ikke gjelder+ikke ei+kehti ei+kelpaa "
    "ne+sert+plus ne+fonctionne+plus ya+no+sirve no+sirve já+não não+serve non+vale non+funziona już+nieważn* "
    "jest+nieważn* nieaktywn* nie+działa již+neplatí už+neplatí neplatí nefunguje už+nefunguje ne+vrijedi ne+važi "
    "više+ne ne+velja ne+deluje больше+не не+работает не+діє більше+не не+важи повече+не не+дзейнічае "
    "érvényét+vesztette nem+érvényes nebegalioja negalioja nav+derīgs vairs+nav nu+mai+este nu+mai nuk+vlen "
    "nuk+është "
    "artık+geçerli artik+gecerli geçerli+değil etibarlı+deyil yaroqli+emas жарамайды жараксыз хүчингүй δεν+ισχύει "
    "δεν+λειτουργεί لم+يعد لا+يعمل غير+صالح دیگر+معتبر معتبر+نیست کارآمد+نہیں درست+نہیں אינו+תקף לא+פעיל אינו+פעיל "
    "აღარ+არის* այլևս+վավեր* አይሰራም मान्य+नहीं वैध+नहीं काम+नहीं বৈধ+নয় কার্যকর+নয় আর+বৈধ માન્ય+નથી ਵੈਧ+ਨਹੀਂ "
    "செல்லுபடியாகாது చెల్లదు ಮಾನ್ಯವಾಗಿಲ್ಲ സാധുവല്ല වලංගු+නැත ใช้ไม่ได้ ไม่สามารถใช้ 使用できません 使えません "
    "ご利用になれません 無効です 사용할+수+없 쓸+수+없 不能使用 无法使用 無法使用 不可使用 tidak+lagi tidak+sah "
    "sudah+tidak không+còn không+dùng+được khong+con wala+nang+bisa haifanyi+kazi haitumiki "
    # its time has run out
    "истече истекоа истекла истекло истекнал het+verval is+verval het+verstryk uplynula uplynulo skončila+platnost "
    "platnost+skončila propadl* prepadol έληξαν έχει+λήξει εχει+ληξη exei+liksei exei+lhxei exei+lixei "
    "खत्म+हो+गय खत्म+हो+गई खत्म+हो+चुक खतम+हो+गय म्याद+सकियो म्याद+सकिएको म्याद+समाप्त+भ मुदत+संपली मुदत+संपले "
    "संपला+आहे "
    "संपली+आहे "
    "শেষ+হয়েছে শেষ+হয়ে+গেছে উত্তীর্ণ+হয়েছে મુદત+પૂરી+થઈ સમય+પૂરો+થઈ સમય+પૂરો+થયો ਸਮਾਪਤ+ਹੋ+ਗ ਖਤਮ+ਹੋ+ਗ ਖ਼ਤਮ+ਹੋ+ਗ "
    "முடிந்துவிட்டது முடிந்து+விட்டது గడువు+ముగిసి గడువు+తీరి ముగిసిపోయింది ಮುಗಿದಿದೆ ಅವಧಿ+ಮೀರಿದೆ കാലഹരണപ്പെട്ടു "
    "കാലഹരണപ്പെട്ടിരി "
    "കാലാവധി+കഴിഞ്ഞു අවසන්+වී หมดเวลาแล้ว หมดอายุไปแล้ว หมดอายุการใช้งานแล้ว สิ้นสุดแล้ว ໝົດກຳນົດແລ້ວ ໝົດເວລາແລ້ວ "
    "ហួសកំណត់ហើយ ផុតកំណត់ហើយ ផុតសុពលភាពហើយ အသုံးပြုပြီးသား သက်တမ်းကုန်သွား သက်တမ်းကုန်ပြီ သက်တမ်းကုန်ဆုံးပြီး 已超时 已超時 "
    "期限を過ぎました 期限を過ぎて 期限が切れて 期限が切れました 期限が終了しました 시간이+초과되었 시간이+초과됐 "
    "시간이+지났 기간이+지났 기한이+지났 "
    "utgången utgånget förfallit utløpt udløbet vanhentui vanhentuneet umhentunut ei+ole+voimassa aegus lõppes "
    "kehtivus+lõppenud notecējis notecēja vairs+neder pasibaigė lejárt hatályát+vesztette ka+përfunduar nuk+vlen+më "
    "süresi+bitti süresi+sona+erdi sona+ermiş zaman+aşımına vaxtı+keçib vaxtı+bitdi müddəti+bitmiş muddati+o'tgan "
    "muddati+otdi eskirdi мерзімі+өтіп уақыты+өтті уақыты+аяқталды мөөнөтү+өттү мөөнөтү+өтүп убактысы+бүттү "
    "вакыты+чыкты вакыты+узды хугацаа+нь+дууссан мӯҳлаташ+гузашт мӯҳлат+гузашт möhleti+gutardy möhleti+doldy "
    "ვადა+ამოიწურა ვადაამოწურულ* ժամկետն+անցել ժամկետն+ավարտվել ուժը+կորցրել ጊዜው+አልፏል* አልፎበታል* ጊዜ+አልፏል* "
    "ختم+ہوگئی ختم+ہوگیا ختم+ہو+چکی پایان+یافت پایان+یافته دیگر+اعتبار منقضي انقضت لم+تعد بطل+مفعول פגה פקע "
    "đã+hết+hiệu da+het+hieu đã+quá+hạn da+qua+han mất+hiệu+lực telah+habis sudah+habis sudah+lewat telah+lewat "
    "lumipas+na napaso muda+umeisha imepitwa umepitwa ya+wuce akoko+re+ti àkókò+rẹ+ti selidlulelwe e+fetile "
    "yarangije dhacday yeroon+darbeera perdió+validez perdeu+validade perdeu+a+validade caducats iraungi wedi+dod "
    # it is wrong
    "virheellinen virheellisen vääri väärin+syötetty rangur rangt rangar no+és+correcte no+és+correcta incorrecte "
    "okerra okerrekoa anghywir mícheart imithe+in+éag in+éag as+feidhm ayilungile ayivumelekile engalungile khaldan "
    "khalad buruu буруу таарсангүй verkeerde i+gabuar i+pasaktë jo+i+saktë yanlışdır keçərsiz "
    "noto'g'ri xato+kiritilgan қате+енгізілген дұрыс+емес туура+эмес нодуруст хато nädogry дөрес+түгел ялгыш "
    "nepravilno nepravilan netačan neispravan нетачан неисправан неточен неточно неверен неверна няправільн* "
    "памылков* "
    "si+sahihi sio+sahihi siyo+sahihi ba+daidai kuskure ko+tọ́ kò+tọ̀nà adịghị+mma e+fosahetseng "
    "ਗਲਤ ਗ਼ਲਤ ચૂક चुकीचा चुकीची चुकीचे चूक मिलेन मिलेनन् मेल+खाएन ठीक+छैन மதிப்பற்ற பிழையான சரியானதல்ல "
    "సరైనది+కాదు తప్పుగా "
    "ತಪ್ಪಾಗಿದೆ ತಪ್ಪು+ಕೋಡ್ ಸರಿಯಲ್ಲ തെറ്റായ തെറ്റാണ് ശരിയല്ല වැරදියි වැරදි+කේත වැරදි වලංගු+නොවේ "
    "មិនត្រឹមត្រូវ ບໍ່ຖືກຕ້ອງ မှားနေ မှားယွင်း မမှန်ကန် မမှန် ትክክል+አይደለ* ትክክል+ያልሆነ* ስህተት+ነው "
    "არასწორია* არ+არის+სწორი սխալ+է ճիշտ+չէ incorrek שגויה אינו+נכון לא+נכון לא+נכונה نادرست نادرسته صحیح+نمی "
    "ناسم غلط+دی 不對 不对 错了 錯了 有误 エラーです 틀린 틀립니다 유효하지+않 keliru tidak+benar tidak+tepat "
    "chưa+đúng "
    "chua+dung bị+sai nhập+chưa hindi+tama hindi+tugma hindi+wasto mali+ang+code maling+code "
    # it has been used already
    "has+been+used already+been+used was+already+used bereits+verwendet bereits+eingelöst schon+benutzt "
    "reeds+gebruik "
    "reeds+gebruikt al+gebruik is+reeds allerede+brukt allerede+anvendt redan+använts þegar+verið+notað* "
    "hefur+verið+notað* verið+notaður jo+käytetty déjà+été+utilisé déjà+utilisé* ya+se+usó ya+se+utilizó "
    "ya+fue+utilizad* já+foi+utilizad* já+utilizad* già+utilizzat* già+stato+usato ja+s'ha ja+utilitzat* "
    "deja+utilizat* już+użyt* został+użyt* już+wykorzystan* już+zużyt* již+použit* už+použit* byl+použit* "
    "bol+použit* byl+uplatn* bol+uplatn* već+iskorišt* vec+iskorist* već+iskorišć* već+upotreb* že+uporabljen* "
    "bila+uporabljen* уже+использ* уже+применен* вже+викорис* вече+използ* веќе+искорис* већ+искориш* ўжо+выкарыст* "
    "már+felhasznál* már+használt* juba+kasutatud juba+kasutati jau+izmantot* jau+lietot* jau+panaud* jau+buvo "
    "është+përdorur përdorur+tashmë daha+önce+kullan* önceden+kullan* zaten+kullan* artıq+istifadə "
    "allaqachon+ishlat* "
    "allaqachon+foydalan* бұрын+қолдан* мурун+колдон* әлдеқашан+қолдан* элек+кулланыл* аллакай+истифода аль+хэдийн "
    "eýýäm+ulan* ήδη+χρησιμ* idi+xrisimopoi* تم+استعمال استخدامه+من+قبل استخدم+من+قبل قبلا+استفاده قبلاً+استفاده "
    "پہلے+ہی+استعمال استعمال+ہو+چکا استعمال+ہوچکا כבר+נעשה כבר+שומש უკვე+გამოყენ* արդեն+օգտագործ* ጥቅም+ላይ+ውሏል* "
    "पहले+ही+इस्तेमाल पहले+ही+उपयोग पहले+ही+प्रयोग इस्तेमाल+किया+जा+चुक उपयोग+किया+जा+चुक आधीच+वापर वापरला+आहे "
    "वापरला+गेला प्रयोग+भइसक "
    "পূর্বেই+ব্যব আগেই+ব্যব ইতিমধ্যে+ব্যব ব্যবহার+করা+হয়েছে ব্যবহৃত+হয়েছে পূর্বে+ব্যব પહેલેથી+વપરા વપરાઈ+ગય "
    "પહેલેથી+ઉપયોગ "
    "પહેલાથી ਪਹਿਲਾਂ+ਹੀ+ਵਰਤ "
    "ਵਰਤਿਆ+ਜਾ+ਚੁੱਕ ஏற்கனவே+பயன் ఇప్పటికే+ఉప ఇప్పటికే+వాడ ಈಗಾಗಲೇ+ಬಳಸ ഇതിനകം+ഉപയോഗി දැනටමත්+භාවිත භාවිතා+කර+ඇත ใช้ไปแล้ว "
    "ถูกใช้งานแล้ว ຖືກໃຊ້ໄປແລ້ວ ຖືກໃຊ້ແລ້ວ ໃຊ້ໄປແລ້ວ ប្រើរួចហើយ បានប្រើរួច ប្រើប្រាស់រួច အသုံးပြုပြီးဖြစ် "
    "သုံးပြီးသား 既に使用 "
    "すでに使用 既に利用 "
    "すでに利用 使用されています 已用过 已經使用 已被用 이미+쓰 이미+사용 sudah+pernah pernah+digunakan "
    "pernah+dipakai "
    "sudah+terpakai telah+dipakai telah+diguna đã+được+sử+dụng đã+được+sử đã+được+dùng da+duoc+su da+duoc+dung "
    "nagamit+na ginamit+na tayari+imetumi* tayari+umetumi* imeshatumika umeshatumika an+riga+an isetshenzisiwe "
    "isisetshenzisiwe isetyenzisiwe hore+loo dagoeneko+erabili jada+erabili eisoes+wedi úsáidte+cheana intuża+diġà "
    # entered wrongly
    "entered+incorrectly entered+wrongly wrongly wrong+code incorrectly falsch+eingegeben verkeerd fout+ingevoerd "
    "fel+kod feil+kode forkert+kode väärin mal+saisi incorrectement incorrectamente incorretamente errada erróneo "
    "erroneo errata błędnie nesprávně nesprávne pogrešno pogresno napačno неверно неправильно невірно хибно погрешно "
    "hibásan valesti nepareizi neteisingai greșit gresit gabimisht yanlış+girildi hatalı+girildi səhv noto'g'ri "
    "қате+енгіз* λάθος λανθασμένα خطأ اشتباه غلط שגוי არასწორად սխալ गलत ভুল ખોટો தவறு తప్పు ತಪ್ಪು തെറ്റ ผิด 错误 "
    "錯誤 間違 틀렸 잘못 salah+dimasukkan salah+memasukkan sai+mã nhập+sai nhap+sai mali+ang umekosea "
    # it does not match
    "did+not+match does+not+match doesn+t+match didn+t+match not+correct has+run+out been+redeemed already+redeemed "
    "you+entered you+typed you+submitted stimmt+nicht eingegebene eingegebener sie+eingegeben klopt+niet ingevoerde "
    "är+fel är+felaktig du+angav stemmer+ikke stemmer+inte er+feil er+forkert du+skrev du+indtastede indtastede "
    "ei+täsmää antamasi syöttämäsi est+faux est+erronée ne+correspond code+saisi no+coincide no+es+correcto "
    "no+es+correcta ingresado ingresada introducido está+errado está+incorreto não+confere digitado digitada "
    "inserido "
    "non+corrisponde non+è+corretto non+e+corretto inserito inserita niepoprawn* nie+zgadza wpisany wprowadzony "
    "není+správn* nie+je+správn* nesouhlasí nesúhlasí neodpovídá zadaný zadaný+kód nije+ispravan nije+točan "
    "nije+tačan unesen* uneti+kod uneseni ni+pravilen ni+pravilna vneseni не+подходит не+подходят не+совпадает "
    "не+підходить не+підходять "
    "не+збігається введенный введённый введений не+съвпада не+е+верен въведеният не+одговара внесениот унети "
    "nem+egyezik nem+helyes beírt megadott ei+ole+õige sisestatud nesakrīt ievadītais nesutampa įvestas "
    "nu+este+corect nu+corespunde nu+se+potriveste codul+introdus nuk+përputhet girdiğiniz uyuşmuyor eşleşmiyor "
    "daxil+etdiyiniz mos+kelmadi kiritgan сәйкес+келмейді таарахгүй δεν+ταιριάζει δεν+είναι+σωστός δεν+είναι+σωστό "
    "που+εισάγατε غير+مطابق لا+يتطابق أدخلته صحیح+نیست وارد+شده مطابقت+ندارد درج+کردہ לא+תואם שהזנת არ+ემთხვევა "
    "չի+համընկնում मेल+नहीं सही+नहीं মেলেনি সঠিক+নয় பொருந்தவில்லை సరిపోలలేదు ไม่ตรง ไม่ถูก 有误 有誤 不正确 不正確 "
    "不匹配 不符 您输入的 您輸入的 正しくありません 一致しません 入力された 일치하지 올바르지 맞지+않 입력한 "
    "입력하신 "
    "anda+masukkan yang+salah masukkan+salah tidak+cocok tidak+sesuai tidak+sepadan không+đúng không+khớp "
    "không+chính+xác bạn+nhập khong+dung khong+khop ban+nhap hindi+tugma hailingani простроч* просроч* "
)

# Before what a number is for: `to enter: 482913`.
FOR: Final = """
    for to zum zur zu voor om for til till att pour para per a i do dla pro na za för pentru la для за για untuk utk
    de icin uchun үчүн үшін kwa
"""

# What was done to a password, PIN or card: a notice, unless a code is named right behind it.
CHANGED: Final = (
    # blocked
    "blocked locked suspended gesperrt geblokkeerd spärrat spärrats spärrades spærret sperret lukittu suljettu lokað "
    "bloqué bloquée bloqueado bloqueada bloquejada bloccato bloccata blocat blocată zablokowan* zablokován* "
    "zablokovan* blokiran* blokirana blokirano заблокирован* заблоковано заблокована блокиран* заблакіраван* "
    "letiltva "
    "letiltottuk zárolva blokeeriti blokeeritud bloķēta nobloķēta užblokuota bllokua bloke bloklandı bloklanıb "
    "bloklandi "
    "bloklangan бұғатталды блоктолду блоклогдсон баста+шуд μπλοκαρίστηκε μπλοκαριστεί تم+إيقاف تم+حظر تم+قفل مسدود "
    "بلاک+کر بلاک+ہو נחסם ננעל დაიბლოკა* արգելափակ* ታግዷል* ब्लॉक+हो ब्लॉक+कर ब्लॉक+हुआ अवरुद्ध ব্লক+করা "
    "ব্লক+হয়েছে બ્લોક+કર "
    "ਬਲਾਕ+ਹੋ முடக்கப்பட்ட బ్లాక్+అయి ಬ್ಲಾಕ್+ಆಗಿ ബ്ലോക്ക്+ചെയ് අවහිර ถูกระงับ ถูกล็อก ຖືກລະງັບ ត្រូវបានចាក់សោ "
    "ပိတ်ထား 已锁定 "
    "已鎖定 已冻结 已凍結 "
    "停止されました ロックされました 정지되 잠겼 잠금되 diblokir terblokir disekat bị+khóa bi+khoa na-block "
    "na-lock imefungwa imezuiwa "
    "an+toshe ivaliwe waa+la+xiray "
    # English
    "changed+on changed+via changed+at changed+from changed+through changed+successfully successfully+changed "
    "been+updated was+updated been+modified was+modified successfully+updated successfully+reset been+set was+set "
    # German, Dutch, Afrikaans
    "geändert* geaendert* zurückgesetzt* zurueckgesetzt* gewijzigd* aangepast* veranderd* "
    # Scandinavian, Finnish, Icelandic
    "ändrats ändrades ändrad bytts ændret aendret skiftet endret byttet breytt var+breytt vaihdettu vaihdettiin "
    "muutettu vaihtunut "
    # Romance
    "modifié modifiée modifiés a+changé été+changé changée réinitialisé modificado modificada cambiado cambiada "
    "se+cambió "
    "se+modificó cambió modificó actualizada restablecid* alterado alterada alterou trocada trocado redefinida "
    "redefinido modificato modificata cambiato cambiata reimpostato modificat modificată canviat canviada schimbat "
    "schimbată resetat "
    # Polish, Czech, Slovak, Croatian, Serbian, Slovene
    "zmienion* zmieniono změněn* zmenen* promijenjen* promenjen* izmijenjen* izmenjen* promena+pin promjena+pin "
    "spremenjen* zamenjan* "
    # Cyrillic
    "изменен изменён изменена изменено изменены изменился сменен сменён сменена сменили обновлён обновлен змінений "
    "змінено змінена змінені сменен сменена променен променена променет* сменет* "
    "промењен* измењен* промена+пин зменены зменена izmenen izmenena smenen zmineno "
    # Hungarian, Estonian, Latvian, Lithuanian, Romanian, Albanian
    "megváltozott megváltoztatta megváltoztatták módosította módosították módosult módosítás+sikeres muudetud "
    "muudeti vahetatud mainīts mainīta "
    "nomainīts nomainīta nomainījāt pakeistas pakeista pakeitėte ndryshuar ndryshua "
    # Turkic, Mongolian, Tajik
    "değiştirildi değiştirilmiş* değişti değişmiştir güncellendi güncellenmiş* dəyişdirildi dəyişdirilib dəyişdi "
    "o'zgartirildi ozgartirildi o'zgardi өзгертілді ауыстырылды өзгөртүлдү алмаштырылды өөрчлөгдлөө өөрчлөгдсөн "
    "солигдлоо солигдсон иваз+шуд "
    "тағйир+ёфт үзгәртелде üýtgedildi "
    # Greek, Arabic, Persian, Urdu, Hebrew, Georgian, Armenian, Amharic
    "άλλαξε αλλάχθηκε τροποποιήθηκε allakse allaxe تم+تغيير تغيير+رقمك تغيرت تم+تعديل تم+تحديث تغییر+کرد تغییر+یافت "
    "عوض+شد تبدیل+کر تبدیل+ہو تبدیل+کیا שונה שונתה הוחלף הוחלפה შეიცვალა* შეცვლილ* փոխվել* փոխվեց* ተቀይሯል* ተለውጧል* "
    # Indian languages
    "बदल+दिया बदल+दी बदला+गया बदल+गय बदली+गई बदलला बदलण्यात परिवर्तन+भयो परिवर्तन+गरि পরিবর্তন+করা+হয়েছে পরিবর্তিত "
    "পরিবর্তন+হয়েছে બદલાઈ બદલવામાં+આવ્ ਬਦਲ+ਦਿੱਤਾ ਬਦਲਿਆ+ਗਿਆ மாற்றப்பட்ட మార్చబడింది మార్చబడినది ಬದಲಾಯಿಸಲಾಗಿದೆ ಬದಲಾಗಿದೆ "
    "മാറ്റിയിരിക്കുന്നു മാറ്റപ്പെട്ടു වෙනස්+කර+ඇත වෙනස්+කරන+ලද badal+diya badal+di badla+gaya "
    # Thai, Lao, Khmer, Burmese, Chinese, Japanese, Korean
    "ถูกเปลี่ยน ได้เปลี่ยน เปลี่ยนเรียบร้อย ຖືກປ່ຽນ ត្រូវបានផ្លាស់ប្តូរ ត្រូវបានប្ដូរ ပြောင်းလဲပြီး 已修改 已更改 已变更 已變更 "
    "已重置 修改成功 "
    "变更成功 變更成功 変更されました 変更しました 変更が完了 변경이+완료 재설정되 "
    # Indonesian, Malay, Vietnamese, Tagalog, African languages
    "telah+diubah berhasil+diubah sudah+diubah telah+diganti berhasil+diganti telah+ditukar berjaya+ditukar "
    "đã+được+thay đã+thay+đổi đã+đổi đã+được+đổi da+duoc+thay da+thay+doi na-change pinalitan napalitan binago "
    "imebadilishwa umebadilishwa yamebadilishwa an+canza an+sauya ishintshiwe la+beddelay jijjiirameera "
    # Celtic, Basque, Maltese
    "newidiwyd wedi+newid athraíodh aldatuta inbidel inbidlet "
)
# Right behind a number that is to be called, or that an SMS is to be sent to.
CALLED: Final = (
    # Turkic, Mongolian
    "arayın arayınız arayarak aranarak arayabilirsiniz aramanız hattını zəng+edin nömrəsinə "
    "raqamiga qo'ng'iroq нөміріне қоңырау чалыңыз номерине дугаарт утасд* залга* рақамига номерына шалтырат* "
    # Hungarian, Finnish, Estonian, Georgian, Armenian, Basque, Amharic
    "számot+hív* számon számra+küld* telefonszámon numeroon helista numbrile ნომერზე დარეკეთ დაგვირეკეთ "
    "համարով զանգահար* հեռախոսահամար* deitu zenbakira ይደውሉ በመደወል "
    # Indian languages, Urdu, Persian
    "पर+कॉल पर+काल पर+फोन पर+फ़ोन पर+संपर्क पर+सम्पर्क पर+भेज पर+एसएमएस पर+मिस्ड नंबर+पर नम्बर+पर वर+कॉल "
    "वर+फोन वर+संपर्क "
    "वर+पाठव या+क्रमांकावर "
    "क्रमांकावर मा+कल मा+फोन मा+सम्पर्क मा+पठाउ নম্বরে নাম্বারে এ+কল এ+ফোন তে+কল তে+ফোন પર+કૉલ પર+કોલ પર+ફોન પર+સંપર્ક "
    "ਤੇ+ਕਾਲ ਤੇ+ਫ਼ੋਨ ਤੇ+ਸੰਪਰਕ "
    "ஐ+அழை எண்ணை+அழை எண்ணில்+அழை எண்ணுக்கு க்கு+அழை க்கு+கால் కి+కాల్ కు+కాల్ నంబర్‌కు ಗೆ+ಕರೆ ಸಂಖ್ಯೆಗೆ+ಕರೆ ಗೆ+ಕಾಲ್ "
    "ലേക്ക്+വിളി എന്ന+നമ്പറിൽ നമ്പറിലേക്ക് ൽ+വിളി අමතන්න අංකයට+අමත پر+کال پر+رابطہ پر+فون پر+ایس پر+بھیج تماس "
    "par+call pe+call par+sampark pe+sampark par+phone pe+phone par+sms par+bhej* pe+bhej* par+missed "
    # Japanese, Korean, Burmese
    "へお電話 にお電話 に電話 へ電話 までお電話 へ発信 までご連絡 へご連絡 にご連絡 までお問い合わせ "
    "へお問い合わせ に送信 へ送信 로+전화 으로+전화 로+연락 으로+연락 "
    "로+문의 으로+문의 번으로 로+문자 သို့+ဖုန်း ကို+ဖုန်း ကိုခေါ် "
)

# After a word of `VOID` that speaks of what will be: `expired in 10 minutes`, in an SMS of a second language.
LATER: Final = (
    r"(?: tempoh)?(?: (?:in|after|within|dalam|dlm|jam|pada|pukul|selepas|setelah|tgl|sa|loob))?"
    r" ?[0-9]{1,2}(?![0-9])(?!\D{1,8} (?:ago|lalu))"
)
HAS_BEEN: Final = ("has ", "have ", "is ", "was ", "already ", "telah ", "sudah ", "udah ")

# Between a word for a code and what it is of: `code of the order`.
GENITIVE: Final = """
    of the your de la le les l du des del el su votre mon ma di il della dell tuo suo da do dos das seu sua van de het
    uw je der des deiner ihrer ihres von av på af din ditt dit na no nr
"""

# The words for "is".
IS: Final = (
    # Germanic, Finnish, Estonian
    "is ist sind are lautet lautetet lautete luidt er är on "
    # Romance, Albanian, Greek, Latvian, Lithuanian, Hungarian
    "es est sera era e è é és este ito është eshte είναι einai ir yra "
    # Slavic, Armenian, Georgian
    "jest są sú jsou jesu su so se sunt sono son sont são sao eren са се to je това это є е гэта есть ye է არის aris "
    # Arabic, Persian, Hebrew, Turkic
    "هو هي است هست ہے הוא היא budur bu бул "
    # Indonesian, Malay, Vietnamese, Tagalog
    "adalah ialah yaitu la là ang ay "
    # African languages, Welsh, Irish, Basque
    "ni shine ce ne ke ngu yiyi ngoku waa bụ jẹ yw da dira dia ithi nguye mooy howa ndi dha "
    # Yiddish, Kurdish, Pashto, Maltese, Esperanto, Luxembourgish, Frisian, Scots Gaelic
    "איז دی ده hu estas ass "
)

# The words for "your".
YOUR: Final = (
    # Germanic, Finnish
    "your ur yr yo ihr ihre ihrer dein deine deiner uw je jouw jou din ditt dit dykk þinn þín sinun tín "
    # Romance, Celtic, Basque
    "votre ton vos tu su tus suo tuo sua tua seu teu tau vostra teva zure eich bhur "
    # Slavic, Baltic, Hungarian, Albanian, Greek
    "twój twoj twoje państwa vas váš vaš vase tvoj tvuj tvůj ваш твой твій ваша твоят вашият вашиот jusu jūsu jūsų "
    "tavo tavs "
    "sinu teie juaj yt σας σου sas sou vash vashiat "
    # Turkic, Semitic, ...
    "sizin sizning senin tanii таны сіздің сиздин شما שלך شما آپ aap tumhara aapka "
    # Indonesian, Malay, Tagalog, African languages; Sinhala in Latin letters
    "oyage oyaage obage obe anda kamu kau sampeyan mo iyong yako yawe yawo yakho yenyu yenu rẹ gị naka taka "
    "keessan kaaga wena hao "
    # Georgian, Armenian, Cyrillic of the Turkic and other languages, in Latin letters too
    "თქვენი შენი თქვენს tkveni tqveni sheni ձեր քո dzer dzez сезнең синең һеҙҙең сирӗн сиздин сиздердин сизнинг "
    "сенин шумо шуморо хьан танай аның siziň siziniň vaša vaše vaši ваше ваши ваш вашия вашего вашу "
    "vostro voastră dumneavoastră dvs dumneavoastra vostru äre tín tiegħek juaj "
)

# The ends of a word for a code that is somebody's, or that says "is": кодыңыз, kodunuz, koodisi, კოდია.
OWNED: Final = (
    "ңыз ңіз ңуз ңүз ңиз гыз гез ғыз ғыҙ гыҙ нгиз ingiz ıngız iniz ınız unuz ünüz ynyz yňyz uňyz ингиз ийгиз "
    "koodisi koodinne tunnuksesi tunnuslukusi salasanasi kódod kódja jelszava კოდია კოდი kodia kodn կոդն kodë "
)

# Before what a number is for, in one word with it.
FOR_PREFIX: Final = ("لل", "لت", "לה", "לכניסה", "ל")

# Right before a time of day, as in `at 1830`.
AT: Final = (
    r"\b(?:at|from|til+|until|between|um|ab|gegen|om|kl|klo|klukkan|a las|as|alle|ore|orele|ora|godz|"
    r"godzinie|hod|ve?|u|"
    r"ob|в|о|об|у|во|kell|plkst|val|saat|soat|сағат|саат|цаг|στις|ωρα|الساعة|ساعت|בשעה|jam|pukul|luc|"
    r"vao|alas|saa)[.:]? \Z"
)

# How long a code lives, in folded letters and with noughts for digits.
MINUTES: Final = (
    r"(?<![0-9:.,])00? ?-?(?:min|mnt|nathi|nati|hvil|khvil|daqi|dakik|daghighe|lept|rope|wuti|menit|"
    r"phut|perc|dakika|dk\b|deq|daq|dak|мин|хв|хвил|мүнөт|дақ|"
    r"λεπτ|lept|دقيق|دقائق|دقیق|منٹ|דק|წუთ|րոպե|rope|ደቂቃ|daqiiqo|"
    r"मिनट|मिनेट|मिनिट|মিনিট|મિનિટ|ਮਿੰਟ|நிமிட|నిమిష|ನಿಮಿಷ|മിനി|විනාඩි|นาที|ນາທີ|នាទី|မိနစ်|分|분|мінут|tund|iseju)"
    r"|(?:minuto|dakika|دقيقة|dakiki|iminota|imizuzu|metsotso|iseju|miniti|mintuna|ደቂቃ|විනාඩි) (?:ng |za )?[0-9]"
)

# Words for several codes: each number behind one of them is as good as the first.
CODES: Final = """
    codes codigos codici codis coder kody kodov kodova kodovi kode-kode koodid koodit kodai coduri kodok codice-uri
    коды кодове кодови кодове kodes pins otps passwords tans passcodes kodlar kodlari kodlariniz kodikoi κωδικοι רמזים
    קודים رموز اكواد कोड्स passworter kennworter
"""
