"""What other codes and numbers are for, a line for each language: words as in `schemas.code.words`.

Each list also has what people write without the letters of their language, or in Latin ones.
"""

from typing import Final

# ---- other kinds of codes --------------------------------------------------------------------------------------------

POSTAL: Final = (
    # English
    "zip zipcode postal* postcode* satnav "
    # German
    "postleitzahl* plz "
    # Dutch, Afrikaans
    "postcodes postbus postkode* poskode* "
    # Danish, Norwegian, Swedish, Finnish, Icelandic
    "postnummer* postnr postinumero* póstnúmer* "
    # French, Spanish, Catalan, Italian, ...
    "postal postaux codipostal postale codpoștal poștal* postais cap cep "
    # Polish, Czech, Slovak, Serbian, Croatian, Slovene
    "pocztow* poštov* psč postansk* poštansk* poštn* "
    # Russian, Ukrainian, Bulgarian, ...
    "почтов* поштов* пощенск* поштенск* поштанск* паштов* індекс* индекс* pochtov* pochtovyj poshtov* poshtensk* "
    "indeks* "
    # Hungarian, Estonian, Lithuanian, Latvian, Albanian
    "irányítószám* sihtnumber* sihtnumbri* pašto pasta+ind* pasta+indekss postare postal+kodi "
    # Turkish, Azerbaijani, Uzbek, Kazakh, Kyrgyz, Mongolian
    "posta+kodu posta+kodunuz poçt* pocht* pochta* пошта* почта* шуудан* "
    # Greek
    "ταχυδρομικ* τκ taxydromik* tachydromik* taxidromik* "
    # Arabic, Persian, Urdu
    "بريدي* البريدي* پستی ڈاک barid* baridi posti kodeposti "
    # Hebrew, Georgian, Armenian, Amharic
    "מיקוד* דואר საფოსტო* փոստ* ፖስታ* "
    # Indian languages
    "डाक পোস্টকোড পোস্টাল ডাক টপাল પોસ્ટલ ਡਾਕ అంచల పోస్టల్ తపాలా ಅಂಚೆ പോസ്റ്റൽ തപാൽ அஞ்சல் තැපැල් හුලාක් हुलाक टपाल "
    # Thai, Lao, Khmer, Burmese, Chinese, Japanese, Korean
    "ไปรษณีย์ ໄປສະນີ ប្រៃសណីយ៍ စာတိုက် 邮编 邮政 郵便 郵政 郵遞 우편 "
    # Indonesian, Malay, Vietnamese, Swahili
    "kode+pos kodepos poskod* bưu+chính bưu+điện buu+chinh msimbo+wa+posta "
)
DRESS: Final = (
    "dress dresscode* kleiderordnung kleidungs* kledingvoorschrift* kledingcode* klädkod* kleskode* påklædning* "
    "pukukoodi* pukeutumis* tenue vestimentaire vestimentar* vestimenta* vestuario abbigliamento ubior* ubioru "
    "stroju "
    "oblečen* odijevan* oblačen* obleke дресс* дрес* дрэс* одежд* öltözködési* öltözet* riietus* apģērb* aprangos "
    "veshje* kıyafet* giyim* geyim* ενδυμασ* ενδυματολογικ* ملابس اللباس لباس لبس پوشش הלבוש לבוש ჩაცმ* 着装 著裝 "
    "服装 ドレス 드레스 복장 เดรส ड्रेस ড্রেস pakaian busana trang+phục trang+phuc mavazi "
)
AREA: Final = (
    # English
    "area+code area+codes region+code country+code country+codes city+code dial+code dial+codes dialling+code "
    "dialing+code roaming "
    # German, Dutch, Scandinavian
    "vorwahl* landesvorwahl* ländervorwahl* netnummer* netnr kengetal landnummer landcode* riktnummer* landskod* "
    "landkode* landekode* retningsnummer* "
    # French, Spanish, Portuguese, Italian
    "indicatif* prefijo* prefixo* prefisso* prefix* ddd+da ddi código+de+área código+de+país código+do+país "
    "código+de+area código+de+ciudad codice+paese "
    # Polish, Czech, Slovak, Croatian, Slovene
    "kierunkow* předvolb* predvoľb* predvolb* pozivni* predbroj* klicna omrežna předčíslí* "
    # Cyrillic
    "код+города код+міста код+региона код+страны код+країни код+горада код+краіны телефонный+код kod+goroda "
    "kod+strany kod+mista kod+krainy kod+krayiny kod+krajiny позивен повикв* "
    # Finnish, Estonian, Hungarian, ...
    "suunta* suuntanumero* maakoodi* suunakood* riigikood* körzetszám* országhív* előhív* valsts+kods šalies+kodas "
    "miesto+kodas țării prefixul* "
    # Turkish, Azerbaijani, Uzbek
    "ülke ölkə şəhər+kodu şehir+kodu sehir+kodu alan+kodu seher+kodu olke+kodu shahar+kodi davlat+kodi mamlakat+kodi "
    # Indonesian, Malay, Vietnamese, Swahili
    "kode+area kode+negara kod+negara kod+kawasan mã+vùng ma+vung msimbo+wa+nchi msimbo+wa+eneo "
    # Arabic, Persian, Hebrew
    "الدولة المنطقة+رمز مفتاح+الدولة رمز+الدولة كود+الدولة رمز+المنطقة رمز+البلد شهرستان کد+کشور کد+شهر پیش‌شماره "
    "קידומת* הקידומת* "
    # Greek, Chinese, Japanese, Korean, Thai, Hindi
    "κωδικός+χώρας κωδικός+περιοχής κωδικός+κλήσης 区号 區號 市外局番 国番号 지역번호 국가번호 รหัสประเทศ "
    "รหัสพื้นที่ "
    "एरिया देश+कोड एसटीडी "
)
ERROR: Final = (
    # Indian and other languages
    "એરર ભૂલ ত্রুটি एरर त्रुटी பிழை లోపం ఎర్రర్ ದೋಷ പിശക് ਗਲਤੀ දෝෂ အမှား កំហុស "
    "error+code error fault+code status+code fehler* fehlercode* foutcode* foutmelding felkod* feilkode* fejlkod* "
    "villukóð* virhekood* veakood* vikakood* erreur* errore errori erro error+codigo código+de+error eroare eroarea "
    "błąd* błędu chyby chybov* greška* greške napake napaka hibakód* ошибк* помилк* памылк* грешк* oshibk* klaida* "
    "klaidos kļūda* hata hatası xəta xato қате ката алдаа gabim* lỗi σφάλμα* σφάλματος خطأ الخطأ خطا ایرر שגיאה "
    "השגיאה שגיאת შეცდომ* սխալ* ስህተት エラー 错误码 錯誤碼 故障 에러 오류코드 오류 त्रुटि এরর ข้อผิดพลาด ralat "
    "kesalahan kosa hitilafu "
)
BUSINESS: Final = (
    # services, registers of a state
    "centre+code center+code paper+code office+code agency+code school+code distributor+code dealer+code payer+code "
    "cod+de+oficina código+de+oficina código+de+convenio código+convenio código+del+centro codi+del+centre "
    "código+da+escola "
    "cod+client cod+de+client codul+de+client cod+loc codul+locului kód+banky kód+platby šifra+kupca sifra+kupca "
    "mokėtojo+kodas įmonės+kodas pvm+kodas kurum+kodu birim+kodu okul+kodu код+паслугі код+угд код+послуги "
    "код+установы "
    "código+de+comercio código+do+estabelecimento code+établissement code+commune code+marchand dienststellencode "
    "机关代码 機關代碼 学校代码 學校代碼 加盟店コード 機関コード 기관코드 학교코드 केंद्र+कोड केंद्र कोड+वितरक "
    "वितरक विद्यालय কেন্দ্র বিদ্যালয় "
    "கடை രസീത് സെക്ഷൻ ਪਿੰਨ+ਕੋਡ "
    "کد+پذیرنده کد+پستی شماره+پذیرنده բաժանորդային* "
    "кызматтын+коду қызметтің+коды insee єдрпоу едрпоу огрн ogrn clientecode* coursecode* "
    # English
    "branch+code sort+code swift+code bank+code ifsc* iban bic micr tax+code staff+code employee+code staff+id "
    "store+code shop+code client+code customer+code member+code supplier+code product+code item+code model+code "
    "colour+code color+code style+code source+code bar+code barcode* qr-code qr sku erp agent+code affiliate+code "
    "case+code approval+code approval+no "
    # German
    "bankleitzahl* blz filialnummer* filialcode* mitarbeiter* lieferanten* artikel* farbcode* strichcode* "
    "bestellcode* steuer* "
    # Dutch, Scandinavian, Finnish
    "filiaal* personeels* streepjescode* klantcode* artikelcode* streckkod* strekkode* stregkode* varekod* varekode* "
    "kundekode* kundkod* viivakood* "
    # French, Spanish, Portuguese, Italian
    "code+agence code+guichet code+client code+magasin code+produit code+barres code+ape siren siret código+sucursal "
    "código+de+sucursal código+de+barras codigo+de+barras cod+barras código+de+producto código+do+produto "
    "código+do+cliente código+de+cliente codice+fiscale código+fiscal da+agência codice+prodotto codice+cliente "
    "codice+a+barre barre barras codice+filiale "
    # Polish, Czech, Slovak, Croatian
    "kod+oddziału kod+kreskowy kreskow* kod+produktu kod+klienta kód+pobočky čárov* čiarov* kód+produktu kód+zboží "
    "poslovnic* bar-kod šifra+artikla sifra+artikla šifra+proizvoda sifra+proizvoda "
    # Cyrillic
    "код+филиала код+отделения код+відділення штрихкод* штрих код+товара код+товару код+продукт* код+клиента "
    "код+клієнта инкоторм* бик окпо shtrikh* tovara tovaru "
    # Hungarian, Estonian, Latvian, Lithuanian, Romanian
    "vonalkód* vöötkood* svītrkod* brūkšnin* cod+de+bare toimipiste* "
    # Turkish, Azerbaijani, Uzbek
    "şube* sube subesi barkod* ürün+kodu urun+kodu müşteri+kodu musteri+kodu bayi+kodu filialın ürün* mahsulot+kodi "
    # Indonesian, Vietnamese, Malay
    "kode+barang kode+produk kod+produk mã+sản mã+vạch mã+khách+hàng ma+vach kode+cabang cabang cawangan "
    # Arabic, Persian, Hebrew, Greek
    "رمز+الفرع الباركود باركود المنتج منتج کالا شعبه بارکد برانچ סניף ברקוד מוצר κατάστημ* γραμμωτ* προϊόν* ფილიალ* "
    "շտրիխ* "
    # Chinese, Japanese, Korean, Thai, Hindi
    "条形码 條碼 二维码 二維碼 商品代码 支店 バーコード QRコード 商品コード 店舗コード 지점 바코드 상품코드 บาร์โค้ด "
    "สาขา คิวอาร์ शाखा बारकोड শাখা 工号 "
    # appointments, vacancies
    "appointment+code termincode* afspraakcode* tidsbeställningskod code+rdv code+rendez-vous código+de+cita "
    "código+da+consulta codice+appuntamento kod+wizyty kód+termínu код+записи код+приёма код+запису randevu+kodu "
    "κωδικός+ραντεβού رمز+الموعد کد+نوبت קוד+תור 预约码 預約碼 予約コード 예약코드 kode+janji mã+lịch+hẹn "
    # tariffs, packages, services, jobs
    "service+code package+code tariff+code plan+code bundle+code job+code vacancy+code tarifcode paketcode "
    "dienstcode pakketcode tjänstekod* tjenestekode palvelukoodi* code+service code+forfait code+offre "
    "código+de+servicio código+del+plan código+de+paquete código+do+serviço código+do+plano codice+servizio "
    "codice+ente "
    "codice+tributo codice+offerta codice+tariffa kod+usługi kod+taryfy kod+pakietu kód+služby kód+balíčku "
    "kód+tarifu "
    "kod+usluge kod+paketa kod+tarife код+услуги код+тарифа код+пакета код+вакансии код+опции код+послуги код+тарифу "
    "код+пакету код+вакансії код+на+услуга код+на+пакет код+за+услуга kod+uslugi kod+tarifa szolgáltatáskód* "
    "csomagkód* teenuse+kood pakalpojuma+kods paslaugos+kodas paketo+kodas cod+serviciu codul+serviciului "
    "codul+pachetului hizmet+kodu paket+kodu tarife+kodu xidmət+kodu tarif+kodi xizmat+kodi қызмет+коды пакет+коды "
    "κωδικός+υπηρεσίας κωδικός+πακέτου كود+الخدمة رمز+الخدمة كود+الباقة رمز+الباقة کد+دستوری کد+سرویس کد+بسته "
    "קוד+שירות קוד+חבילה सेवा+कोड पैक+कोड সেবা+কোড รหัสโปร รหัสบริการ รหัสแพ็กเกจ 业务代码 套餐代码 服务代码 "
    "서비스코드 "
    "サービスコード kode+layanan kode+paket kod+perkhidmatan kod+pakej mã+gói mã+dịch+vụ ma+goi ma+dich+vu "
    # tracking
    "tracking* reference+code port+code rastreio rastreamento rastreo seguimiento suivi tracciamento spedizione "
    "sendungsverfolgung* traceringscode track+trace sporingskod* sporingsnummer kollinummer seuranta* śledzenia "
    "sledování sledovania praćenj* pracenj* sledenje отслеживани* трек* відстежен* проследяван* követés* követő* "
    "jälgimis* sekimo urmărire takip izləmə αποστολής تتبع التتبع رهگیری پیگیری מעקב ट्रैकिंग ট্র্যাকিং ติดตาม 追跡 "
    "物流 운송장 resi lacak vận+đơn van+don mã+vận "
    # reference
    "código+de+referencia código+de+referência kode+referensi référence+code kod+referencyjny referans+kodu "
    "mã+tham+chiếu код+заявки код+справки "
    # meetings, classes, surveys
    "survey class course+code return+code meeting conference webinar zoom termin* terminbuchung* kurs* classe cours "
    "clase curso aula riunione réunion reunión reunião spotkani* schůzk* зустріч* встреч* конференц* опрос* анкет* "
    "encuesta enquête umfrage* sondage sondaggio ankieta anket* dersin toplantı* اجتماع جلسه मीटिंग 会议 會議 会議 "
    "회의 การประชุม rapat mesyuarat "
)

# Of weather and alarms.
COLOURS: Final = (
    "code+red code+orange code+yellow code+amber code+blue code+black alarmstufe* cod+rosu cod+roșu cod+galben "
    "cod+portocaliu codul+rosu codul+galben codul+portocaliu code+rouge code+jaune code+orange código+rojo "
    "codigo+rojo "
    "código+naranja codigo+naranja código+amarillo código+azul código+vermelho código+amarelo codice+rosso "
    "codice+giallo codice+arancione code+rood code+oranje code+geel rode+code rød+kode röd+kod kod+czerwony "
    "kod+żółty crveni+kod žuti+kod красный+код жёлтый+код желтый+код червоний+код жовтий+код код+красный код+червен "
    "код+жълт kırmızı+kod sarı+kod turuncu+kod kode+merah kod+merah "
)

# Where and when somebody is to be, or what is sold.
PLACES: Final = (
    # examinations
    "exam* examination* prüfungs* pruefungs* klausur* tentamen* eksamen* eksamens* tentti* koe próf* épreuve* "
    "examen* "
    "esame* egzamin* zkoušk* skúšk* ispit* izpit* экзамен* іспит* изпит* испит* vizsga* eksami* eksāmen* provim* "
    "sınav* "
    "imtahan* imtihon* емтихан* экзамен* шалгалт* εξετάσ* exetas* امتحان* الامتحان اختبار* آزمون בחינה* מבחן* "
    "გამოცდ* "
    "քննութ* ፈተና परीक्षा পরীক্ষা પરીક્ષા ਪ੍ਰੀਖਿਆ தேர்வு పరీక్ష ಪರೀಕ್ಷೆ പരീക്ഷ විභාග สอบ ສອບເສັງ ប្រឡង 考试 "
    "考試 考场 考場 "
    "准考 "
    "試験 受験 시험 수험 ujian peperiksaan thi kỳ+thi phòng+thi pagsusulit mtihani jarabawa idanwo "
    # parts of an organisation
    "department* division abteilung* dienststelle* afdeling* avdeling* avdelning* osasto* département service+code "
    "departamento* dipartimento* oddział* oddzial* oddělení oddelenie odjel* odeljenj* oddelek подразделени* "
    "отделени* "
    "подраздел* підрозділ* відділенн* отдел* одделени* аддзялен* osztály* osakon* nodaļ* skyri* departament* bölüm* "
    "birim+kod* şöbə* bo'lim* бөлімше* бөлүм* τμήμα* القسم قسم الإدارة بخش שם+המחלקה מחלקה განყოფ* բաժն* विभाग বিভাগ "
    "વિભાગ துறை+குறி శాఖ ವಿಭಾಗ แผนก 部门 部門 부서 bagian jabatan phòng+ban idara "
    # shops
    "store+code shop+code store+no shop+no filial* ladencode* winkelcode* butikskod* butikkode* myymälä* magasin "
    "boutique "
    "tienda+cod código+tienda código+de+tienda codigo+de+tienda código+da+loja codigo+da+loja codice+negozio "
    "codice+punto+vendita kod+sklepu kod+prodejny kód+prodejny kód+predajne šifra+trgovine kod+prodavnice "
    "код+магазина "
    "код+магазину код+на+магазин üzlet+kód* üzlet+kod* bolt+kód* kaupluse+kood* veikala+kod* parduotuvės+kod* "
    "cod+magazin codul+magazinului mağaza+kod* mağaza magaza dükkan+kodu κωδικός+καταστήματος رمز+المتجر رمز+المحل "
    "کد+فروشگاه קוד+חנות दुकान+कोड দোকান+কোড รหัสร้าน 门店编号 門市編號 店舗 매장코드 kode+toko kod+kedai "
    "mã+cửa+hàng "
)

# ---- what a number opens or fetches ----------------------------------------------------------------------------------

ENTRANCES: Final = (
    # to open
    "kód+pro+otevření kód+k+otevření kod+do+otwarcia pro+otevření otevření+schránky "
    "open+it+with open+the+locker open+the+box open+the+door vakje deurtje portkoden ukse+avamise avamise "
    "개폐 택배함 무인택배함 宅配ボックス ロッカー 開錠 解錠 "
    "opening+code öffnungscode* openingscode* öppningskod* åbningskode* åpningskode* code+d+ouverture "
    "código+de+apertura "
    "codigo+de+apertura codi+d+obertura código+de+abertura codigo+de+abertura codice+di+apertura kod+otwarcia "
    "kód+na+otevření "
    "avauskood* avaamiskood* шифра+за+отварање код+за+отварање kod+za+otvaranje šifra+za+otvaranje koda+za+odpiranje "
    "kód+na+otvorenie atidarymo+kod* atvēršanas+kod* cod+de+deschidere codul+de+deschidere opnúnarkóð* schlass "
    "κωδικός+ανοίγματος رمز+الفتح كود+الفتح رمز+فتح کد+باز קוד+פתיחה קוד+הפתיחה kode+buka kode+pembuka mã+mở "
    "mã+mở+tủ "
    "开柜码 開櫃碼 开锁码 解錠コード 解錠番号 열림+비밀번호 รหัสเปิด "
    "код+открытия код+відкриття код+для+открытия код+за+отваряне nyitókód* açma+kodu código+para+abrir "
    "code+zum+öffnen "
    # English
    "gate+code gate+codes gate+pin door* doors garage+code alarm+code entry+code building+code lobby keypad keybox "
    "key+box lockbox lock+box keysafe safe+code barrier+code gatecode* intercom elevator smart+lock padlock "
    "toilet+code restroom wc "
    # German
    "tür türcode* haustür* torcode* toilettencode* schlüsselbox* schlüsselsafe schlüsseltresor* garagen* tresor* "
    "eingangst* klingel* "
    # Dutch
    "deurcode* poortcode* poort sleutelkluis* voordeur* toegangspoort slagboom* hek "
    # Scandinavian, Finnish
    "portkod* dörrkod* portkode* dørkode* dørkod* nøkkelboks* nøgleboks* nyckelbox* larmkod* alarmkod* alarmkode* "
    "hurðar* dyrakóð* ovikood* porttikood* avainboks* hälytys* "
    # French
    "digicode* interphone porte code+portail code+du+portail immeuble garage boîte+à+clés boite+a+cles portillon "
    # Spanish, Portuguese, Italian, Catalan
    "portero puerta portón porton verja garaje cochera edificio casillero caja+fuerte llavero candado portão portao "
    "portaria prédio cadeado cofre garagem interfone portone cancello citofono palazzo lucchetto serrat* cassetta "
    # Polish, Czech, Slovak, Croatian, Slovene
    "bramy bramka brama furtki furtka drzwi domofon* klatki garaż* skrytki sejf* klatka brány brána brankou branky "
    "dveř* dver* vrata vratima kapij* ulazna trezor* ključavnic* ušaj "
    # Cyrillic
    "домофон* двер* ворот* подъезд* калитк* шлагбаум* сейф* гараж* подъїзд* під'їзд* під+їзд* хвіртк* брами "
    "вхідна+двер* врата* вратата капиј* дзвер* брамы камор* domofon* podezd* dveri kalitk* vorota vorot shlagbaum* "
    # Hungarian, Estonian, Latvian, Lithuanian, Romanian, Albanian
    "kapukód* kapukod* kapu kapuhoz kaputelefon* ajtókód* ajtó bejárati széf* uksekood* uks värava* väravakood* "
    "fonolukk* fonoluku durvju durvīm vārtu vārtiem seifa durų vartų laiptinės ușii usii poart* porții portii scării "
    "scarii interfon* deres porta portes "
    # Turkish, Azerbaijani, Uzbek, Kazakh, Mongolian
    "kapı+kodu kapi+kodu kapı+şifresi kapi+sifresi kapı+şifre kapısı kapısının kapının site+giriş bina+kodu "
    "apartman* "
    "qapı* blok+kodu kasa+şifresi eshik* darvoza* есік* эшик* қақпа* хаалга* үүд* "
    # Greek
    "πόρτα* πόρτας θυροτηλ* πολυκατοικ* γκαράζ χρηματοκιβ* portas polykatoik* "
    # Arabic, Persian, Urdu, Hebrew, Georgian, Armenian, Amharic
    "باب الباب العمارة المبنى خزنة الخزنة درب درِ دروازه دروازے گیٹ لاکر גלאי השער שער הדלת דלת הבניין בניין הכספת "
    "כספת חניון אינטרקום კარ* კარის ჭიშკ* სადარბაზო* դռան* դուռ* մուտքի+դռան በር* የበር* "
    # Indian languages
    "दरवाजे दरवाज़े गेट फाटक দরজা গেট ગેટ દરવાજ ਗੇਟ ਦਰਵਾਜ਼ கதவு கேட் வாயில் తలుపు గేటు గేట్ ಗೇಟ್ ಬಾಗಿಲು ഗേറ്റ് വാതിൽ "
    "ගේට්ටු දොර ढोका प्रवेशद्वार "
    # Thai, Lao, Khmer, Burmese, Chinese, Japanese, Korean
    "ประตู รั้ว ປະຕູ ទ្វារ တံခါး 门禁 門禁 门锁 門鎖 大门 大門 门口 單元門 单元门 密码锁 密碼鎖 保险箱 閘 "
    "玄関 ドア 門扉 暗証ロック キーボックス オートロック エントランス 현관 도어 출입문 대문 게이트 금고 "
    # Indonesian, Vietnamese, Tagalog, Swahili, Hausa, Yoruba, Zulu, Afrikaans
    "pintu kode+pagar pin+pagar gerbang brankas cửa+cổng mã+cửa ma+cua pinto mlango lango geti kofa ilẹkun iyango "
    "umnyango hek "
    # Arabic, Hebrew
    "رمز+البوابة رمز+بوابة كود+البوابة كود+العمارة הכניסה+לבניין כניסה+לבניין לבניין לבנין "
    # more
    "alarm alarma alarme alarmanlage* alarmsystem* shed gartentor* hoftor* *tür alarmi hälytin alarmei poplach* "
    "alarmu сигнализац* alarmo signalizācij* alarmın αλαρμ συναγερμ* إنذار דזעקה אזעקה अलार्म 警报 警報 경보 "
    "cổng+báo "
    "ukselukk* ukselu* lukk fonoluk* "
)
PARKING: Final = (
    "parking* car+park carpark parkhaus* parkplatz* tiefgarage* kofferraum* parkeer* fietsenstalling* parkering* "
    "p-hus "
    "pysäköint* stationnement aparcamiento estacionamiento estacionamento parcheggio* parking* parkovišt* parkovisk* "
    "parkirališ* parkirišč* парков* стоянк* паркинг* паркінг* parkoló* parkla* stāvviet* autostāvviet* "
    "automobilių+stov* "
    "parcare* parcarea otopark* avtopark* тұрақ* зогсоол* πάρκινγκ parkingk σταθμευσ* مواقف موقف+السيارات موقف "
    "پارکینگ "
    "پارکنگ חניון חנייה חניה პარკინგ* կայանատեղ* पार्किंग পার্কিং પાર્કિંગ ਪਾਰਕਿੰਗ பார்க்கிங் పార్కింగ్ ಪಾರ್ಕಿಂಗ್ "
    "പാർക്കിംഗ് "
    "ที่จอดรถ จอดรถ 停车 停車 駐車 주차 parkir letak+kereta bãi+xe gửi+xe gui+xe bai+xe maegesho "
)
WIFI: Final = (
    "wifi* wi+fi wlan* hotspot* ssid router* modem* guest+network вайфай вай+фай роутер* wi-fi وايفاي واي+فاي "
    "وای+فای "
    "וויי+פיי וייפיי ワイファイ 와이파이 无线 無線 वाईफाई वाई+फाई ওয়াইফাই ไวไฟ "
    # more
    "вайфа* вайфай* вай+фа* الواي+فاي واي+فاي הוויי+פיי הווייפיי ווי+פי ווייפי wi-fi-passwort* wifi-wachtwoord* "
)
PARCELS: Final = (
    # English
    "parcel+code pickup* pick+up collect+from collection+code collection+pin collection+number delivery+code "
    "delivery+pin delivery+otp locker* drop+box courier* rider* driver* delivery+partner handover click+collect "
    "hand+over+code "
    # German
    "abhol* paketfach* packstation* paketbox* zusteller* lieferant* lieferung* lieferbote* zustellcode* liefercode* "
    # Dutch
    "afhaal* ophaal* bezorg* pakketkluis* pakketautomaat* kluis* koerier* "
    # Scandinavian, Finnish
    "hämta* uthämt* avhämt* hämtkod* hentekod* hente* hentes afhent* utlever* utlämn* noutokood* nouto* noutopist* "
    "lokero* lähett* afhend* "
    # French
    "retrait* casier* livreur* coursier* relais+colis consigne colis "
    # Spanish, Portuguese, Italian
    "recogid* retiro retirada taquilla* repartid* mensajero* motorizado domiciliario casillero* retirar+en "
    "levantamento levantar+a entregador* motoboy* cacifo* estafeta* armário ritiro corriere fattorino rider "
    # Polish, Czech, Slovak, Croatian, Slovene
    "kod+odbioru odbierz odebra* paczkomat* skrytk* kurier* výdej* vyzvedn* vyzdvih* kurýr* zásilkovn* balíkomat* "
    "box+kód preuzim* preuzet* prevzem* prevzet* paketomat* dostavljač* kurir* dostavljac* "
    # Cyrillic
    "выдач* получени* постамат* курьер* ячейк* самовывоз* отриманн* видач* поштомат* кур'єр* кур+єр* комірк* "
    "скриньк* "
    "получаван* куриер* пратка* преузим* курир* достављач* атрыманн* pvz пвз vydach* poluchen* kuryer* yacheyk* "
    # Hungarian, Estonian, Latvian, Lithuanian, Romanian, Albanian
    "átvételi+kód átvételi+pin átvevő* futár* csomagautomat* csomagpont* automata rekesz* pakiautomaat* pakikapi* "
    "kapi+kood väljastus* kuller* pakomāt* pakomat* saņemš* kurjer* paštomat* atsiėm* ridicare* ridic* curier* "
    "easybox* lockerul* tërheq* korrier* "
    # Turkish, Azerbaijani, Uzbek, Kazakh, Mongolian
    "teslim* teslimat* kurye* dolap* kargomat* teslimatçı* çatdırılma* kuryer* yetkazib* жеткіз* курьер* хүргэлт* "
    "жолооч* "
    # Greek
    "παραλαβ* θυρίδ* κούριερ courier διανομ* paralav* "
    # Arabic, Persian, Urdu, Hebrew, ...
    "استلام التوصيل المندوب مندوب السائق سائق الشحنة خزانة پیک مرسوله تحویل ڈیلیوری رائیڈر ڈرائیور איסוף שליח השליח "
    "לוקר לאיסוף כורייר კურიერ* მიტან* առաքիչ* առաքման* አስረካቢ* "
    # Indian languages
    "डिलीवरी डिलिवरी राइडर ड्राइवर कूरियर लॉकर ডেলিভারি রাইডার ড্রাইভার কুরিয়ার ડિલિવરી டெலிவரி ஓட்டுநர் డెలివరీ "
    "డ్రైవర్ ಡೆಲಿವರಿ ಚಾಲಕ ഡെലിവറി ഡ്രൈവർ ඩිලිවරි "
    # Thai, Lao, Chinese, Japanese, Korean
    "รับพัสดุ ล็อกเกอร์ ตู้รับ ไรเดอร์ คนขับ พนักงานส่ง ຮັບເຄື່ອງ 取件 取货 取貨 提货 提貨 快递柜 快遞櫃 驿站 骑手 "
    "騎手 司机 司機 外卖 柜 受取 受け取り 宅配 配達員 ロッカー 택배 수령 기사님 라이더 보관함 픽업 "
    # Indonesian, Malay, Vietnamese, Swahili
    "pengambilan* ambil+paket kurir* loker* pengemudi driver* penghantar* pemandu nhận+hàng giao+hàng tài+xế tai+xe "
    "nhan+hang giao+hang shipper* dereva mtoa+mzigo kabati "
    # lockers and machines, and those who ask for a code
    "szafk* armadietto vestiaire* spind* garderob* skap skåp skab kaappi шкаф* шафк* skříňk* skrink* omaric* "
    "ormarić* "
    "garderobn* szekrény* kapp* skapītis spintel* dollap* dolab* ντουλάπ* خزانة کمد לוקר washing+machine laundry "
    "machine "
    "waschmaschine* techniker* monteur* technician* engineer* tecnico técnico technicien* technik* tekniker* "
    "teknikko* asentaja* мастер* майстр* техник* технік* majstor* szerelő* teknisyen* usta tehnik* τεχνικ* الفني فني "
    "تکنسین טכנאי टेक्नीशियन টেকনিশিয়ান 师傅 師傅 技师 작업자 기사 ช่าง teknisi "
    "juruteknik kỹ+thuật+viên fundi nurse locker+room "
    # those who ask for it
    "водител* водій водія водію водієві таксист* шофьор* возач* vodič* vozač* vozac* voznik* šofér* sofőr* kuljetta* "
    "juht juhile vairuotoj* vadītāj* şoför* sürücü* haydovchi* οδηγ* מונית לנהג נהג chófer conductor conductora "
    "chauffeur autista tassista kierowc* bike+shed delivery+boy डिलीवरी+बॉय budet budbilen bezorger bezorg* "
)
SHOWN: Final = (
    # Germanic, Finnish
    "cashier* waiter* waitress* barista* counter+staff at+the+counter at+the+till to+staff our+staff the+staff "
    "front+desk the+desk der+kasse kassemedarbejder kassierer* kellner* theke de+kassa kassalla kassamedewerker "
    "kassan kassalla myyjälle "
    # Romance
    "caisse caissier* comptoir en+caja a+la+caja cajero+a mostrador camarero no+caixa ao+caixa balcão garçom "
    "in+cassa alla+cassa cassiere bancone "
    "casa+de+marcat casier* "
    # Slavic, Hungarian, Baltic
    "kasie kasjer* kasy pokladn* prodavač* blagajn* prodavcu konobar* кассе касса кассир* касі касир* касата каса+е "
    "официант* сотруднику продавцу оператору der+kasse kassemedarbejder pénztár* kassas kases kasoje kasininkui "
    # Turkic, Greek, Semitic
    "kasada kasiyer* garson* kassada kassir* касса* ταμείο ταμείου ταμία الكاشير الصندوق صندوق פקיד קופה בקופה מלצר "
    "მოლარე* "
    # Asia, Africa
    "काउंटर कैशियर কাউন্টার ক্যাশিয়ার เคาน์เตอร์ พนักงานร้าน แสดงรหัส 收银 收銀 店员 店員 出示 店頭 レジ 見せて "
    "카운터 직원에게 보여주 kasir kaunter thu+ngân quầy keshia karani "
    # orders to show it
    "show+this show+code show+your show+it present+this zeigen+sie zeige vorzeigen vorzeig* toon laat+zien "
    "visa+koden "
    "visa+upp vis+koden vis+kode fremvis näytä esitä framvísaðu montrez présentez montrer muestra muestre enseña "
    "mostre apresente mostra+il mostri presenta ensenya presenteu pokaż okaż ukažte ukaž preukážte pokažite pokaži "
    "покажите покажи предъявите покажіть пред'явіть покажете паказ* mutassa mutasd arătați arată arata prezintă "
    "näita "
    "näidake uzrādiet parādiet parodykite rodykite tregoni gösterin göster göstərin ko'rsating көрсетіңіз көрсөтүңүз "
    "үзүүлнэ δείξτε επιδείξτε أظهر اعرض أبرز نشان+دهید دکھائیں הציגו הציגי הראו აჩვენეთ* ցույց ያሳዩ दिखाएं दिखाएँ "
    "दाखवा দেখান બતાવો ਦਿਖਾਓ காட்டவும் காட்டுங்கள் చూపించండి ತೋರಿಸಿ കാണിക്കുക පෙන්වන්න แสดง ສະແດງ បង្ហាញ ပြပါ 出示 "
    "見せ 提示して を提示 보여 제시 tunjukkan tunjukan tunjuk xuất+trình xuat+trinh ipakita onyesha nuna "
    # at a chemist's, with a prescription
    "e+recept* erecept* e+recet* receta+electronica prescripti* farmaceut* farmaceuc* фармацевт* w+aptece w+aptekach "
    "в+аптеке в+аптеці v+lékárně v+lekárni ljekarni eczanede apteegis apteekissa φαρμακοποι* 处方 處方 処方箋 "
    # where
    "reception rezeption receptie receptionen recepción recepção accueil vastaanotto recepcj* recepc* recepcij* "
    "ресепшн ресепшен* рецепци* resepsiyon* رسپشن الاستقبال קבלה post+office helpdesk box+office museum+desk kassen "
    "kassan kassalla arata+codul "
)
TRAVEL: Final = (
    # English
    "pnr booking* flight* hotel* trip seat* boarding itinerary rental reservation* "
    # German
    "buchung* flug* sitzplatz* reservierung* zimmer* "
    # Dutch, Scandinavian, Finnish
    "boeking* reservering* vlucht* stoel bokning* bestillingsnummer* flyg* varaus* lento* bókun* flug* "
    # French, Spanish, Portuguese, Italian
    "réservation* siège chambre reserva vuelo* asiento habitación embarque reservas voo assento quarto prenotazion* "
    "volo localizador* localizzatore "
    # Polish, Czech, Slovak, Croatian
    "rezerwac* lotu rezervac* rezervác* rezervace sedadlo pokoj* rezervacij* sjedalo sedište soba soby sobe "
    # Cyrillic
    "бронирован* брони бронь рейс* бронюван* резервац* полета лет+бр браніраван* bronirovan* bron+kod reys* "
    # Hungarian, Estonian, Latvian, Lithuanian, Romanian, Albanian
    "foglalás* járat* broneering* broneeringu rezervācij* rezervacij* skrydis reiss rezervar* zbor rezervim* "
    # Turkish, Azerbaijani, Kazakh, Mongolian
    "rezervasyon* uçuş* ucus koltuk rezervasiya* reys* bron* брондау* захиалгын "
    # Greek, Arabic, Persian, Urdu, Hebrew, ...
    "κράτηση* κράτησης πτήση* kratisis حجز الحجز رحلة الرحلة رزرو پرواز بکنگ فلائٹ הזמנת+טיסה טיסה ההזמנה ჯავშნ* "
    "ფრენ* ամրագր* չվերթ* "
    # Asia
    "बुकिंग उड़ान পিএনআর বুকিং முன்பதிவு బుకింగ్ ಬುಕಿಂಗ್ ബുക്കിംഗ് การจอง เที่ยวบิน 航班 预订 預訂 訂位 酒店 予約 "
    "便名 搭乗 예약 항공편 pemesanan penerbangan tempahan đặt+chỗ dat+cho chuyến+bay chuyen+bay "
    # more
    "จอง รหัสจอง รหัสการจอง đặt+phòng boekingscode bookingkode bokningskod varauskood* broneeringukood rezervacijos "
    "rezervācijas kode+booking "
)

# ---- advertising -----------------------------------------------------------------------------------------------------

ADVERTISING: Final = (
    # votes
    "vote voting votes abstimm* stem+op stemme* röst* votez votar votá vota glosuj* głosuj* hlasuj* glasuj* голосу* "
    "голосов* szavaz* hääleta* balso* oy+ver ψήφισ* صوت تصویت הצביעו वोट ভোট 投票 투표 โหวต bình+chọn binh+chon "
    # English
    "claim+code claim+your prize* lottery jackpot lucky+draw winner* giveaway raffle loyalty+points free+coffee "
    "free+entry gift+code redeem+code giftcard* bonus+code referral+code invite+code cash+back flash+sale "
    # German
    "gewinnspiel* verlosung* lotterie gutschein* rabattcode* einlösen aktionscode* geschenk* freunde+werben "
    # Dutch
    "kortings* actiecode* kadobon* cadeaubon* winactie prijsvraag loterij staatsloterij inwisselen "
    # Scandinavian, Finnish
    "rabatkod* rabattkod* rabattkode* rabatkode* værdikod* presentkort* gavekort* konkurranse* lotteri* erbjudand* "
    "tilbud* tilbudskod* alennuskood* etukood* lahjakort* arvonta* tarjouskood* afsláttar* gjafakort* "
    # French
    "réduc* remise* bon+d+achat cadeau* loterie tombola gagné gagnez parrainage "
    # Spanish, Portuguese, Italian, Catalan
    "descuent* rebaja* sorteo* premio* lotería cupón* canje* canjea promoción* regalo* descont* sorteio* prêmio* "
    "loteria promoç* brinde* sconti buono* omaggio concorso estrazione vinto lotteria riscatta* "
    # Polish, Czech, Slovak, Croatian, Slovene
    "zniżk* rabatow* promocyjn* nagrod* loteri* konkurs* wygrał* slevov* dárkov* výhr* soutěž* vyhrál* zľav* zľavov* "
    "darčekov* súťaž* popust* poklon* nagrad* nagrada akcijsk* darilni* "
    # Cyrillic
    "скидоч* скидк* акци* акці* подароч* розыгрыш* лотере* приз приза призы призов выиграл* сертификат* сертифікат* "
    "виграл* розіграш* подарунк* отстъпк* промоц* награда* наград* игра+с+награди печелиш* попуст* поклон* зніжк* "
    "прызы skidk* znyzhk* lotere* rozygrysh* "
    # Hungarian, Estonian, Latvian, Lithuanian, Romanian, Albanian
    "kedvezmén* nyeremény* nyerj* ajándék* kupon* nyeremeny* soodus* allahindlus* kinkekaart* loosimi* auhind* "
    "atlaižu* atlaide* dāvan* loterij* nuolaid* dovan* reducer* câștig* castig* premiu* voucher* tombol* zbritje* "
    "dhurat* shpërblim* lotari* "
    # Turkic, Mongolian, Tajik
    "indirim* kampanya* hediye* çekiliş* cekilis ödül* promosyon* kazandın* endirim* kampaniya* hədiyyə* chegirma* "
    "aksiya* sovg'a* sovga* жеңілдік* жеңілдет* сыйлық* ұтыс* арзандат* сыйлык* белек* хямдрал* урамшуулал* бэлэг* "
    "сугалаа* тахфиф* ташлама* скидкалар* arzanlad* "
    # Greek
    "έκπτωση* εκπτώσ* δώρο* δώρου κλήρωση* διαγωνισμ* προσφορ* ekptos* ekptwsh* "
    # Arabic, Persian, Urdu, Hebrew, ...
    "خصم الخصم تخفيض العرض هدية جائزة جوائز مسابقة تخفیف هدیه جایزه قرعه‌کشی قرعه رعایت ڈسکاؤنٹ انعام لاٹری inaam "
    "inam jeeta jeet lottery מתנה פרס הגרלה זכית קופון* הטבה ფასდაკლ* საჩუქ* აქცი* զեղչ* նվեր* ակցիա* ቅናሽ* ሽልማት* "
    # Indian languages
    "छूट डिस्काउंट कूपन इनाम लॉटरी पुरस्कार ছাড় ডিসকাউন্ট কুপন পুরস্কার লটারি સવલત ડિસ્કાઉન્ટ કૂપન ઇનામ ਛੂਟ ਇਨਾਮ "
    "தள்ளுபடி பரிசு கூப்பன் డిస్కౌంట్ బహుమతి కూపన్ ರಿಯಾಯಿತಿ ಬಹುಮಾನ ಕೂಪನ್ കിഴിവ് സമ്മാനം കൂപ്പൺ වට්ටම තෑග්ග सवलत "
    # Thai, Lao, Khmer, Burmese, Chinese, Japanese, Korean
    "ส่วนลด คูปอง โปรโค้ด ลุ้นรับ รางวัล ສ່ວນຫຼຸດ ລາງວັນ បញ្ចុះតម្លៃ លេខកូដបញ្ចុះ လျှော့စျေး ပရိုမို 优惠 優惠 折扣 "
    "抽奖 抽獎 中奖 中獎 礼品 禮品 立减 立減 代金券 兑换码 兌換碼 クーポン 割引 プレゼント 抽選 特典 招待コード 쿠폰 "
    "할인 당첨 경품 추천인 "
    # Indonesian, Malay, Vietnamese, Tagalog, Swahili, Hausa, Yoruba
    "diskon hadiah undian voucher* kupon* potongan+harga diskaun baucar hadiah+cabutan giảm+giá giam+gia khuyến+mãi "
    "khuyen+mai trúng+thưởng trung+thuong quà+tặng qua+tang premyo diskuwento manalo punguzo zawadi ofa "
    "bahati+nasibu "
    "rangwame kyauta ẹbun "
    # recommend us
    "refer+a refer+friends invite+friends invite+a freunde+werben freunde+ein empfiehl vrienden+uit värva tuo+kaveri "
    "parraine* invita+a invita+tus recomienda indique+amigos indica+amigos convide+amigos convida invita+amici "
    "porta+un+amico poleć polecaj doporuč* odporuč* pozovi+prijatelja povabi пригласи+друга пригласите+друга "
    "приведи+друга приведите+друга запроси+друга покани+приятел ajánld ajánlj kutsu+sõber pakvies* uzaicini "
    "invită+un "
    "recomandă arkadaşını dostunu do'stingizni ajak+teman jemput+rakan giới+thiệu 推荐码 推薦碼 邀请码 邀請碼 紹介 "
    "추천 แนะนำเพื่อน "
    # discount codes
    "alekood* εκπτωτικ* rabattcode "
    # the least to spend for it
    "min+spend minimum+spend min+order minimum+order min+purchase minimum+purchase orders+over orders+above "
    "mindestbestellwert* mindesteinkauf* minimale+besteding minimum+besteding vanaf+een+besteding minsta+köp "
    "minimiostos* compra+mínima compras+superiores compras+acima pedido+mínimo achat+minimum dès+d+achat "
    "commande+minimum spesa+minima ordine+minimo compra+mínima comandă+minimă comanda+minima min+zakup* "
    "minimalne+zamówienie "
    "min+nákup* minimální+nákup min+nákup minimalna+kupnja minimalna+kupovina минимальный+заказ мин+заказ "
    "мінімальне+замовлення минимална+поръчка min+kosárérték minimális+rendelés miinimumost* alt+limit alt+limitsiz "
    "minimum+sepet min+sifariş минималды+тапсырыс ελάχιστη+αγορά ελάχιστη+παραγγελία حد+أدنى الحد+الأدنى حداقل+خرید "
    "کم+از+کم+آرڈر מינימום+הזמנה בקנייה+מעל न्यूनतम+ऑर्डर न्यूनतम+खरीद ন্যূনতম+অর্ডার ขั้นต่ำ 满减 滿額 滿減 可用券 "
    "以上で使える 이상+구매 "
    "이상+주문 min+belanja minimum+belanja minimal+belanja min+transaksi min+pembelian đơn+từ đơn+tối+thiểu don+tu "
    "don+toi+thieu "
    # to save money
    "save+up+to sparen+sie spare+bis bespaar spar+penge économisez economisez ahorra ahorre aforra economize "
    "economiza risparmia risparmi economisește economisești oszczędź oszczędzaj ušetřete ušetrite uštedite "
    "prihranite "
    "сэкономь* экономьте сэкономите економ* зекономь* заощадж* спестете спести заштедете megtakarít* spórolj säästä "
    "säästke säästa ietaupi* ietaupiet sutaupyk* kurse kurseni tasarruf qənaət* tejang үнемде* εξοικονομ* وفّر وفري "
    "وفر "
    "صرفه‌جویی بچت חסכו लाभ+उठाएं बचाएं বাঁচান सूट ประหยัด ลดทันที ลดสูงสุด 立省 节省 節省 현금 절약 hemat jimat "
    "tiết+kiệm "
    "tiet+kiem makatipid okoa promokodo* promocja* промоакц* "
    # draws
    "tirage+au+sort au+sort tirage verlosung ziehung trekking dragning lodtrekning arvonnan sorteo sorteio "
    "estrazione "
    "losowani* slosování žreb* nagradn* розыгрыш* розыгрыша жеребкуванн* томбол* loosimine loterija çekiliş* tiraj "
    "抽签 抽選 추첨 จับรางวัล undian cabutan bốc+thăm שובר שוברים voucheri "
)

# ---- what names a number ---------------------------------------------------------------------------------------------

NAMES: Final = (
    # who somebody is
    "usuario usuaria usuário usuari username benutzername roll রোল रोल "
    # English
    "roll table seat* floor* lane platform stand pier channel chapter employee* student* patient* agreement* "
    "token+no "
    "lot lote slot bus coach locker box till paybill merchant* terminal* invoice* batch serial* imei model folder "
    "apartment* apt unit desk kiosk pump protocol* receipt* voucher+no "
    # German
    "tisch* sitz* gleis* zimmer* stock personalnr* matrikel* patient* vertrag* beleg* kundennummer* aktenzeichen* "
    "auftragsnr* vorgangsnr* filiale* kassen* zählernummer* kennzeichen* sendungsnr* bestellnr* rechnungsnr* "
    "ticketnr* "
    # Dutch
    "tafel* stoel* spoor kamer* contract* kenmerk* dossiernr* factuur* ordernr* zaaknr* kenteken* zone* "
    "personeelsnr* "
    "pakketnr* meterstand* "
    # Scandinavian, Finnish
    "bord* plats rum avtal* patient* order* ärende* paket* sete rom avtale* sag* pakke* spor* borð* poltti pöytä* "
    "huone* tilausnro* asiakas* sopimus* potilas* laituri* raide "
    # French
    "table* chambre* siège* étage quai voie contrat* dossier* patient* facture* commande* matricule* abonné* client* "
    # Spanish
    "mesa habitación* asiento* andén* expediente* contrato* paciente* boleto* boleta* turno* socio* matrícula* "
    "legajo* recibo* remesa guía* trámite* terminada+en acabada+en terminada "
    # Portuguese
    "quarto* assento* plataforma processo* protocolo* matrícula* boleto* senha+de+atendimento nota+fiscal fatura* "
    "guia* terminado+em final+do final "
    # Italian
    "tavolo* stanza* posto* binario* contratto* paziente* matricola* scontrino* bolletta* ricevuta* utenza* "
    "che+termina termina+con "
    # Polish, Czech, Slovak, Croatian
    "stolik* pokoj* miejsc* peron* tor* umow* pacjent* klient* nr+klienta nr+umowy bilet* rachun* polis* stůl* stolu "
    "pokoje sedad* nástup* kolej* smlouv* pacient* jízden* lístek* letenk* objednáv* faktur* zmluv* izb* stol soba "
    "mjest* ugovor* pacijent* kart* račun* predmet* "
    # Cyrillic
    "стол* столик* номер+стола комнат* мест* платформ* вагон* договор* пациент* клиент* билет* чек* квитанц* полис* "
    "талон* лицев* абонент* кімнат* місц* пацієнт* клієнт* квиток* квитк* поліс* маса* стая* място* перон* фактур* "
    "соба* сто+бр уговор* пацыент* квітк* stolik* komnat* vagon* dogovor* klient* bilet* zakaz* zamovlen* schet* "
    # Hungarian, Estonian, Latvian, Lithuanian, Romanian, Albanian
    "asztal* szoba* vágány* szerződés* beteg* ügyfél* jegy* számla* ügyszám* laud* tuba toas leping* klien* pilet* "
    "patsien* galds* istaba* līgum* klient* biļet* stalas* kambar* sutart* biliet* camera contract* pacient* client* "
    "bilet* factur* dosar* peron* tavolin* dhom* kontrat* "
    # Turkish, Azerbaijani, Uzbek, Kazakh, Mongolian
    "masa masanız oda peron* sözleşme* hasta* bilet* dosya* başvuru* basvuru* tesisat* sıra* fatura* poliçe* otaq* "
    "müqavilə* xona* shartnoma* mijoz* чипта* шарт* бөлме* орын* абонент* билет* гэрээ* тасалбар* "
    # Greek
    "τραπέζι* δωμάτι* θέση* συμβόλαι* πελάτ* εισιτήρι* πρωτόκολλ* τιμολόγι* δέμα* dema paraggelia* "
    # Arabic, Persian, Urdu, Hebrew, ...
    "طاولة غرفة مقعد عقد مريض فاتورة تذكرة رحلة عميل العميل الفاتورة التذكرة الغرفة المعاملة الموعد میز اتاق قرارداد "
    "بیمار قبض بلیط مشتری پرونده نوبت اشتراک ٹکٹ بل کمرہ שולחן חדר מושב חוזה מטופל חשבונית כרטיס לקוח תיק תור רציף "
    "מגיד* ოთახ* ბილეთ* კლიენტ* სენ* սենյակ* տոմս* հաճախորդ* ክፍል* ትኬት* ደንበኛ* "
    # Indian languages
    "मेज टेबल कमरा सीट टिकट ग्राहक रोगी बिल टोकन+नंबर টেবিল কক্ষ আসন টিকিট গ্রাহক বিল ટિકિટ ગ્રાહક ટેબલ ਟਿਕਟ "
    "டிக்கெட் "
    "வாடிக்கையாளர் அறை டோக்கன் టికెట్ కస్టమర్ గది ಟಿಕೆಟ್ ಗ್ರಾಹಕ ಕೊಠಡಿ ടിക്കറ്റ് ഉപഭോക്താ മുറി ටිකට් කාමර "
    # Thai, Lao, Khmer, Burmese, Chinese, Japanese, Korean
    "โต๊ะ ห้อง ที่นั่ง คิว ตั๋ว ลูกค้า ใบเสร็จ กรมธรรม์ พัสดุ ຫ້ອງ ໂຕະ បន្ទប់ អតិថិជន အခန်း လက်မှတ် 桌号 桌號 房间 "
    "房間 座位 座号 合同 客户 票号 票號 序號 序号 发票 發票 保单 車次 车次 排队 部屋 座席 契約 お客様番号 チケット "
    "請求書 整理券 伝票 荷物 테이블 객실 좌석 계약 고객번호 티켓 접수번호 대기번호 송장 승인번호 "
    # Indonesian, Malay, Vietnamese, Tagalog, Swahili, Hausa, Yoruba
    "meja kamar kursi peron kontrak pasien pelanggan tiket antrian faktur bilik kerusi pesakit giliran invois phòng "
    "ghế hợp+đồng khách+hàng hóa+đơn vé hop+dong hoa+don mesa kwarto upuan meza chumba kiti mkataba mteja tiketi "
    "akaunti paybill lipa tebur ɗaki abokin yàrá "
    # English, more
    "port ports course puk extension ext "
    # what was asked for
    "application* request+no request+id antrag* demande+n solicitud* pedido+n pratica wniosek wniosku žádost* "
    "žiadosť "
    "zahtjev* zahtev* заявк* заявлени* заяв* kérelem taotlus* iesniegum* prašym* cerere* başvuru* müraciət* αίτησ* "
    "درخواست طلبك आवेदन আবেদন 申请 申請 신청 permohonan đơn+số hồ+sơ ho+so ombi "
    # members and complaints
    "member* membership* mitglied* lidnummer* medlem* jäsen* adhérent* socio socia sócio membro member+no członk* "
    "clen* "
    "člen* clan* član* участник* учасник* член* liikme* dalībniek* nario anëtar* üye* uye* uzv* мүше* гишүүн* "
    "μέλους μελους العضوية عضوية عضویت חבר+מספר מספר+חבר სადრო* անդամ* सदस्य সদস্য সদস্যপদ સભ્ય உறுப்பினர் "
    "సభ్య ಸದಸ್ಯ "
    "สมาชิก ສະມາຊິກ 会员 會員 会員 회원 anggota peserta ahli hội+viên thành+viên mwanachama keanggotaan startnummer* "
    "dossard* dorsal pettorale startnr rajtszám* complaint* beschwerde* klacht* klagomål* réclamation* reclamación "
    "reclamação reclamo reklamac* жалоб* скарг* şikayet* شكوى شکایت תלונה शिकायत অভিযোগ ફરિયાદ புகார் ఫిర్యాదు ದೂರು "
    "പരാതി "
    "ร้องเรียน 投诉 投訴 苦情 민원 keluhan aduan khiếu+nại last+four पंजीकरण+संख्या নিবন্ধন+নম্বর autorización+no "
    # appointments
    "موعد* موعدك "
    # automats, and what was taken out of them
    "atm atms geldautomat* bankautomat* geldautomaat automaat bankautomat uttagsautomat minibank distributeur "
    "guichet "
    "dab cajero+automático cajero+nro caixa+eletrônico multibanco bancomat* bankomat* bancomatul pankkiautomaat* "
    "automaatista pankautomaadi bankomātā bankomate bankomatas банкомат* банкомата банкомату αυτόματη+ταμειακή صراف "
    "خودپرداز כספומט ბანკომატ* բանկոմատ* एटीएम এটিএম ઍટીએમ ஏடிஎம் ఏటీఎం เอทีเอ็ม ที่ตู้ ตู้+ATM ถอนเงิน 取款 "
    "引き出し 출금 "
    "withdrawal withdrawn uttag udbetaling nosto wypłata výběr výber opname retragere készpénzfelvétel снятие зняття "
    "теглене исплата подизање tarik+tunai pengeluaran+tunai rút+tiền rut+tien umetoa "
    # voicemail, lists of codes, tickets
    "voicemail* voicemails+from messages+from mailbox* calls+from mailboxnachricht* itan+liste tan+liste tan-liste* "
    "list+no liste+nr lista+nr "
    # cards
    "kad kadi kaart kaardi kaardil kortelė* korteles kortelei kartei cartão картк* карточк* kartica* kaad katin "
    "kati+ya "
    "کارڈ కార్డ్ കാർഡ കാർഡ് கார்டு કાર્ડ ਕਾਰਡ කාඩ් කාඩ්පත ບັດ កាត ကတ် "
    # what was paid: `payment of 3499`
    "payment+of payments+of purchase+of purchases+of fee+of fees+of charge+of sum+of refund+of deposit+of "
    "withdrawal+of transfer+of debit+of credit+of debited+by credited+by debited+with credited+with bill+of fine+of "
    "zahlung+von zahlung+über betrag+von überweisung+von betaling+van bedrag+van betaling+på betalning+på beløb+på "
    "belopp+på paiement+de achat+de montant+de virement+de retrait+de pago+de pago+por compra+de compra+por "
    "cargo+de cargo+por abono+de retiro+de pagamento+de compra+no+valor no+valor valor+de saque+de pagamento+di "
    "importo+di acquisto+di addebito+di prelievo+di plată+de plata+de kwotę kwota kwote částku castku sumu iznos "
    "iznosu iznosa znesek znesku сумму суммой суму сумою сумата износ износу összeg összegű summas summā summa suma "
    "sumai shuma tutar tutarında tutarı məbləğ məbləğində miqdorida сомасы суммасы ποσό ποσού "
    "مبلغ مبلغا بمبلغ رقم+المبلغ סך בסך jumlah sejumlah sebesar jumlahnya số+tiền so+tien halagang kiasi "
)
