"""The page as a person uses it: on a desk, in headless Chromium, on a real admin listener and inbox."""

import json
import re
from datetime import datetime
from typing import Any

import pytest

from app.degraded import MEANINGS
from bus.kafka.client import KafkaAway
from inbox.settings import InboxSettings
from receiver.auth import Caller
from schemas.timestamps import to_epoch_ms, to_text
from tests.browser.conftest import clipboard
from tests.browser.screenshots import sample_of_shape
from tests.browser.server import NUMBER, TOKEN, Smsbus, now_ms, sms
from tests.messages import rejected
from tests.unit.app.rejected.rejected_letters import SMS, refused

OTHER = "447911123456"


def clock(at: float, *, seconds: bool = False) -> str:
    """As the page writes a time (seconds since 1970): of this machine's zone, which is the browser's."""
    return datetime.fromtimestamp(at).strftime("%H:%M:%S" if seconds else "%H:%M")  # noqa: DTZ006


def rows(page: Any) -> Any:
    return page.locator(".row")


def first(page: Any) -> Any:
    """The row at the top: rows are in any order in the document."""
    return page.locator(".row[aria-posinset='1']")


def expect(locator: Any) -> Any:
    from playwright.sync_api import expect as expected

    expected.set_options(timeout=20_000)
    return expected(locator)


def shows(page: Any, *texts: str) -> None:
    """Wait until the list shows exactly the SMS with these texts, the newest first."""
    wanted = list(texts)
    page.wait_for_function(
        """wanted => {
            const rows = [...document.querySelectorAll(".row")].sort((a, b) => a.ariaPosInSet - b.ariaPosInSet);
            return JSON.stringify(rows.map(row => row.querySelector(".text").textContent)) === JSON.stringify(wanted);
        }""",
        arg=wanted,
    )


# ---- the code --------------------------------------------------------------------------------------------------------


def test_the_newest_code_is_there_by_itself_and_a_click_copies_it(page, smsbus):
    page.wait_for_selector("text=No SMS yet.")
    smsbus.sms("Your code is 482913", code="482913")

    expect(first(page).locator("button.code bdi")).to_have_text("482 913")
    expect(page.locator(".beside .big")).to_have_text("482 913")
    first(page).locator("button.code").click()
    expect(first(page).locator("button.code bdi")).to_have_text("Copied")
    assert clipboard(page) == "482913"
    expect(first(page).locator("button.code bdi")).to_have_text("482 913")


def test_lists_that_are_short_since_their_events_are_large_are_read_to_the_end(windows, smsbus, monkeypatch):
    monkeypatch.setattr("app.admin.inbox.LARGEST_BODY", 2_000)
    for number in range(9):
        smsbus.sms(f"one of nine, number {number}", ago=90 - number)

    shows(windows().open(smsbus), *[f"one of nine, number {number}" for number in reversed(range(9))])


def test_a_code_that_is_aimed_at_does_not_move_away(page, smsbus):
    smsbus.sms("one", code="1111", ago=5)
    box = first(page).locator("button.code").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    smsbus.sms("two", code="2222")
    page.wait_for_selector(".pill:has-text('1 new')")
    page.mouse.down()
    page.mouse.up()

    assert clipboard(page) == "1111"
    shows(page, "two", "one")  # once the pointer rests


def test_without_a_clipboard_it_is_copied_all_the_same_or_selected(windows, smsbus):
    window = windows()
    window.context.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page = window.open(smsbus)
    smsbus.sms("Your code is 482913", code="482913")
    first(page).locator("button.code").click()
    expect(first(page).locator("button.code bdi")).to_have_text("Copied")
    page.evaluate("document.execCommand = () => false")
    page.locator(".beside button.primary").click()

    expect(page.locator("dialog")).to_contain_text("Press Ctrl+C")
    assert page.evaluate("document.activeElement.value.slice(...[0, 6])") == "482913"


def test_an_open_sms_says_how_it_came_and_is_copied_as_a_command(page, smsbus):
    order = {
        "order_kind": "activation",
        "order_id": "38496653",
        "watch_id": "w",
        "sequence": 1,
        "client_ref": "signup-42",
    }
    message = sms(
        "Your code is 4829\n@example.com #4829", code="4829", account="grizzly", provider="grizzlysms", **order
    )
    smsbus.publish(message, via="journal")
    first(page).locator("a").click()
    detail = page.locator(".detail")

    for said in ("4829", "signup-42", "38496653", "0.3 s later", "by way of the journal", "GSM-7", "example.com"):
        expect(detail).to_contain_text(said)
    expect(detail).to_contain_text(re.compile(r"partition \d+, offset 0"))
    page.get_by_role("button", name="Copy as wait command").click()
    assert clipboard(page) == "smsbus wait grizzly 38496653 --sequence 2"
    detail.locator("summary").click()
    page.get_by_role("button", name="Copy JSON").click()
    assert json.loads(clipboard(page)) == json.loads(message.to_json())
    page.get_by_role("button", name="Copy link").click()
    assert message.id in clipboard(page)


def test_a_link_to_an_sms_that_is_gone_says_where_to_look(windows, smsbus):
    page = windows().open(smsbus)
    page.goto(f"{smsbus.url}#/inbox?sms=c7bde86d-fec7-88de-ab27-ec0557e7e002")

    expect(page.locator(".beside")).to_contain_text("smsbus trace c7bde86d-fec7-88de-ab27-ec0557e7e002")


def test_a_test_sms_is_sent_from_where_there_is_none_and_from_the_status(page, smsbus):
    expect(page.locator(".empty")).to_contain_text("whoever consumes the topic gets it, too")
    page.get_by_role("button", name="Send a test SMS").click()
    expect(page.locator(".toast")).to_contain_text("Test SMS sent.")
    shows(page, "Test SMS from smsbus: your code is 482913.")
    page.locator("a", has_text="Status").click()
    page.get_by_role("button", name="Send a test SMS").click()
    expect(page.locator(".views a", has_text="Inbox").locator("i")).to_have_text("1")
    smsbus.condition.can_accept = False
    page.get_by_role("button", name="Send a test SMS").click()

    expect(page.locator(".toast")).to_contain_text("The receiver answered 503 (not_durable)")


# ---- the token -------------------------------------------------------------------------------------------------------


def test_the_token_leaves_the_address_and_a_reload_keeps_the_session(page, smsbus):
    assert "token" not in page.url
    smsbus.sms("hello")
    page.reload()

    shows(page, "hello")
    assert page.evaluate("document.cookie") == ""
    assert TOKEN not in page.content()


def test_a_pasted_token_opens_the_page_and_a_wrong_one_says_so(windows, smsbus):
    smsbus.sms("hello")
    page = windows().open(smsbus, "", live=False)
    expect(page.locator("main")).to_contain_text("smsbus open")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("[role=alert]")).to_contain_text("not the one of this smsbus")
    page.locator("#token").fill(TOKEN)
    page.get_by_role("button", name="Open").click()

    shows(page, "hello")


def test_a_link_with_a_wrong_token_says_that_it_was_not_accepted(windows, smsbus):
    window = windows()
    page = window.open(smsbus, "#token=wrong", live=False)
    expect(page.locator("[role=alert]")).to_contain_text("This token was not accepted")
    page.reload()
    expect(page.locator("h1")).to_have_text("Open the inbox")  # it is not kept
    page.evaluate(f"location.hash = 'token={TOKEN}'")
    expect(page.locator(".link")).to_have_text("Live")
    page.evaluate("location.hash = 'token=wrong'")

    expect(page.locator("[role=alert]")).to_contain_text("This token was not accepted")


def test_a_link_in_another_tab_says_why_it_asks_and_opens_then(windows, smsbus):
    window = windows()
    message = smsbus.sms("hello", code="482913")
    page = window.open(smsbus)
    first(page).locator("a").click()
    page.get_by_role("button", name="Copy link").click()
    other = window.open(smsbus, clipboard(page).removeprefix(smsbus.url), live=False)
    expect(other.locator("main")).to_contain_text("Each tab asks for it once, and forgets it when it is closed.")
    expect(other.locator("main")).to_contain_text("What your link shows opens then.")
    other.locator("#token").fill(TOKEN)
    other.keyboard.press("Enter")

    expect(other.locator(".beside .big")).to_have_text("482 913")
    assert message.id in other.url


def test_a_session_that_ends_keeps_its_filters(page, smsbus):
    page.locator("#search").fill("service:tg")
    smsbus.stop()
    smsbus.token = "another-token-of-the-admin"
    smsbus.start()
    expect(page.locator("[role=alert]")).to_have_text("This session ended. Your filters are kept.")
    page.locator("#token").fill(smsbus.token)
    page.keyboard.press("Enter")

    expect(page.locator("#search")).to_have_value("service:tg")


READER = "a-token-that-reads-and-waits-only"


def test_a_token_that_only_reads_is_offered_nothing_else(windows, smsbus):
    smsbus.stop()
    smsbus.admin = {"read_token": READER}
    smsbus.start()
    smsbus.order("38496653", "48500100200", "tg")
    smsbus.sms("hello", order_kind="activation", order_id="38496653", watch_id="w", sequence=0)
    page = windows().open(smsbus, f"#token={READER}")
    shows(page, "hello")
    expect(page.locator(".rail .chip")).to_have_text("Reads only")
    page.locator("a", has_text="Orders").click()

    expect(page.locator("tbody tr")).to_contain_text("38496653")
    expect(page.locator("tbody button")).to_have_count(0)


def test_a_token_that_reads_one_account_sees_no_other(windows, smsbus):
    smsbus.stop()
    smsbus.admin = {"read_token": READER, "read_accounts": ("grizzly",)}
    smsbus.start()
    smsbus.sms("for others", ago=5)
    smsbus.sms("for us", account="grizzly")
    page = windows().open(smsbus, f"#token={READER}")

    shows(page, "for us")
    expect(page.locator(".rail .chip")).to_have_text("grizzly only")
    page.locator("a", has_text="Orders").click()
    expect(page.locator("main")).to_contain_text("This token does not show orders.")


# ---- finding ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("to:0000", ["Telegram 1111", "no code"]),
        (f"to:{OTHER}", ["Hi from GO"]),
        ("+44 7911 123456", ["Hi from GO"]),
        ('"+44 7911-123456"', ["Hi from GO"]),
        ("service:tg", ["Telegram 1111"]),
        ("account:GRIZZLY", ["Hi from GO"]),
        ("ref:signup-42", ["Hi from GO"]),
        ("has:code", ["Hi from GO", "Telegram 1111"]),
        ("has:code to:0000", ["Telegram 1111"]),
        ("client_ref:signup-42 recipient:44-7911-123456", ["Hi from GO"]),
        ("has_code:false freshness:live", ["no code"]),
        ("provider:pingme contains:gram", ["Telegram 1111"]),
        ("order:38496653", ["Hi from GO"]),
        ("watch:w", []),
        ("TELEGRAM", ["Telegram 1111"]),
        ("to:", ["Hi from GO", "Telegram 1111", "no code"]),
        ("time:out", []),
    ],
)
def test_the_search_finds(page, smsbus, query, texts):
    smsbus.sms("no code", ago=30)
    smsbus.sms("Telegram 1111", code="1111", service="tg", ago=20)
    ordered = {"account": "grizzly", "order_kind": "activation", "order_id": "38496653", "client_ref": "signup-42"}
    smsbus.sms("Hi from GO", OTHER, code="2222", **ordered, watch_id="v", sequence=0, ago=10)
    shows(page, "Hi from GO", "Telegram 1111", "no code")
    page.locator("#search").fill(query)
    page.locator("#search").press("Enter")

    shows(page, *texts)
    if not texts:
        expect(page.locator(".empty")).to_contain_text(f"No SMS matches {query}.")
        expect(page.locator(".empty")).to_contain_text("3 others are here.")
        expect(page.locator(".beside .big")).to_have_count(0)
    page.reload()  # the address has it
    shows(page, *texts)


def test_the_search_suggests_what_is_there(page, smsbus):
    smsbus.sms("one", service="tg")
    smsbus.sms("two", OTHER, service="wa", ago=4)
    shows(page, "one", "two")
    page.keyboard.press("/")
    page.keyboard.type("serv")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=option]:has-text('service:wa')")
    page.keyboard.type("w")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    shows(page, "two")
    expect(page.locator("#search")).to_have_value("service:wa ")


def test_a_number_is_a_mailbox(page, smsbus):
    smsbus.sms("for one", ago=10)
    smsbus.sms("for another", OTHER, ago=5)
    page.locator(".numbers a", has_text=NUMBER[-4:]).click()
    shows(page, "for one")
    smsbus.sms("for another again", OTHER)

    expect(page.locator(".numbers a", has_text=OTHER[-4:]).locator("i")).to_have_text("1")
    page.goto(f"{smsbus.url}#/n/12015550100")
    expect(page.locator(".empty")).to_contain_text("Nothing for …0100 here.")
    expect(page.locator(".empty")).to_contain_text("smsbus trace 12015550100")


def test_start_from_here_hides_what_came_before_and_can_be_undone(page, smsbus):
    smsbus.sms("old", ago=5)
    shows(page, "old")
    page.get_by_role("button", name="Start from here").click()
    shows(page)
    smsbus.sms("new")
    shows(page, "new")
    page.get_by_role("button", name="Undo").click()
    shows(page, "new", "old")
    page.get_by_role("button", name="Start from here").click()
    page.reload()
    expect(page.locator(".tabs")).to_contain_text("2 earlier SMS are hidden.")
    page.get_by_role("button", name="Show again").click()
    shows(page, "new", "old")


# ---- keys ------------------------------------------------------------------------------------------------------------


def test_the_keys_do_what_their_table_says(page, smsbus):
    for number in (1, 2, 3):
        smsbus.sms(f"text {number}", code=f"{number}{number}{number}{number}", ago=10 - number)
    shows(page, "text 3", "text 2", "text 1")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(".row.at")).to_contain_text("text 2")
    assert page.evaluate("document.activeElement.closest('.row')?.textContent").find("text 2") > 0
    page.keyboard.press("c")
    page.wait_for_selector(".toast:has-text('Copied 2222')")
    assert clipboard(page) == "2222"
    smsbus.sms("text 4")
    expect(first(page)).to_contain_text("text 4")
    assert page.evaluate("document.activeElement.closest('.row')?.textContent").find("text 2") > 0  # the focus is kept
    page.keyboard.press("k")
    expect(page.locator(".row.at")).to_contain_text("text 3")
    page.keyboard.press("Escape")
    expect(page.locator(".beside")).to_contain_text("Newest SMS")
    page.keyboard.press("d")
    expect(page.locator(".frame.dense")).to_have_count(1)
    for key, view in (("o", "Orders"), ("s", "Everything works."), ("i", "Inbox")):
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page.locator("h1")).to_contain_text(view)
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_contain_text("Copy its code")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()


def test_no_key_acts_while_somebody_types(page, smsbus):
    page.locator("#search").press_sequentially("jmdg?c.")

    expect(page.locator("#search")).to_have_value("jmdg?c.")
    expect(page.locator("dialog")).to_be_hidden()


def test_everything_is_hidden_for_screen_sharing(page, smsbus):
    smsbus.sms("Your code is 482913", code="482913", sender="Telegram")
    shows(page, "Your code is 482913")
    page.keyboard.press("m")

    expect(first(page).locator("button.code bdi")).to_have_text("••• •••")
    said = page.locator("body").inner_text() + page.content()
    assert not re.search(r"482|913|Telegram|Your code|0000", said)
    page.get_by_role("button", name="Show again").first.click()
    shows(page, "Your code is 482913")


def test_while_everything_is_hidden_so_is_the_address(page, smsbus):
    smsbus.sms("one", code="4829", ago=9)
    smsbus.sms("two", OTHER)
    shows(page, "two", "one")
    page.locator(".numbers a", has_text=NUMBER[-4:]).click()
    shows(page, "one")
    page.locator("#search").fill("to:0000")
    page.locator("#search").press("Enter")
    page.keyboard.press("m")
    expect(page.locator(".row")).to_contain_text("•")
    assert page.url == f"{smsbus.url}#/inbox"
    page.reload()
    expect(page.locator(".row")).to_contain_text("•")  # still hidden, still this number
    assert page.url == f"{smsbus.url}#/inbox"
    page.locator(".row a").click()
    expect(page.locator(".detail .big")).to_have_text("••••")
    page.go_back()
    page.go_back()  # to where it was not hidden yet
    expect(rows(page)).to_have_count(2)
    page.go_forward()
    expect(rows(page)).to_have_count(1)
    links = [page.url, *(each.get_attribute("href") for each in page.locator("a").all())]
    assert not [link for link in links if re.search(r"0000|3456|sms=", link.removeprefix(smsbus.url))]
    page.locator(".views a", has_text="Inbox").click()  # the address is the same
    expect(rows(page)).to_have_count(2)
    page.go_back()
    page.keyboard.press("m")

    shows(page, "one")
    assert page.url == f"{smsbus.url}#/n/{NUMBER}?q=to%3A0000"


# ---- reading while more comes ----------------------------------------------------------------------------------------


def test_the_list_does_not_move_under_a_reader(page, smsbus):
    smsbus.publish(*(sms(f"text {number}", ago=300 - number) for number in range(60)))
    expect(first(page)).to_contain_text("text 59")
    page.locator(".scroll").evaluate("element => element.scrollTop = 1000")
    read = page.locator(".row", has_text="text 39")
    page.wait_for_timeout(100)
    before = read.bounding_box()
    for number in range(3):
        smsbus.sms(f"new {number}")
    page.wait_for_selector(".pill:has-text('3 new')")

    assert read.bounding_box() == before
    page.locator(".pill").click()
    expect(first(page)).to_contain_text("new 2")
    expect(page.locator(".pill")).to_have_count(0)


def test_twenty_thousand_sms_are_listed_and_few_are_drawn(windows, smsbus):
    smsbus.publish(*(sms(f"text {number}", f"1647{number % 300:07}", ago=30_000 - number) for number in range(20_000)))
    page = windows().open(smsbus)
    expect(first(page)).to_contain_text("text 19999")
    page.wait_for_selector(".row[aria-setsize='20000']")
    assert rows(page).count() < 60
    page.locator(".scroll").evaluate("element => element.scrollTop = element.scrollHeight")
    page.wait_for_selector(".row[aria-posinset='20000']:has-text('text 0')")
    page.locator("#search").fill('"text 12345"')

    shows(page, "text 12345")


# ---- the connection --------------------------------------------------------------------------------------------------


def test_a_lost_connection_is_said_and_nothing_is_missed(page, smsbus):
    smsbus.sms("before", ago=1)
    shows(page, "before")
    smsbus.stop()
    smsbus.publish(*(sms(f"meanwhile {number}", ago=0.5 - number / 100) for number in range(42)))
    expect(page.locator(".bar")).to_contain_text("Reconnecting. Nothing is missed.")
    expect(page.locator(".bar")).to_have_text(
        re.compile(r"Connection lost \d+ s ago. Reconnecting. Nothing is missed.")
    )
    expect(page.locator(".link")).to_contain_text("Not connected")
    smsbus.start()

    expect(page.locator(".bar")).to_have_text("42 arrived meanwhile.")
    page.wait_for_selector(".row[aria-setsize='43']")
    shows_first = first(page)
    expect(shows_first).to_contain_text("meanwhile 41")
    smsbus.sms("after")
    expect(first(page)).to_contain_text("after")
    page.wait_for_selector(".row[aria-setsize='44']")


def test_what_the_service_says_is_said(windows, smsbus):
    window = windows()
    busy = json.dumps({"reason": "too_many_waits", "detail": "Too many wait already."})
    window.context.route("**/v1/stream*", lambda route: route.fulfill(status=503, body=busy))
    page = window.open(smsbus, live=False)
    smsbus.sms("hello")

    expect(page.locator(".bar")).to_have_text("Too many wait already. Trying again by itself.")
    window.context.unroute_all()
    shows(page, "hello")


def test_silence_is_a_lost_connection(monkeypatch, windows, smsbus):
    monkeypatch.setattr("app.admin.inbox.PING_EVERY", 1000.0)
    window = windows()
    window.context.clock.install()
    page = window.open(smsbus)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.fast_forward(19_000)
    assert not [url for url in asked if "/v1/stream" in url]
    page.clock.fast_forward(2_000)
    page.clock.fast_forward(2_000)
    page.wait_for_selector(".link:has-text('Live')")

    assert len([url for url in asked if "/v1/stream" in url]) == 1


def test_what_left_the_inbox_meanwhile_is_a_line_in_the_list(windows):
    smsbus = Smsbus(InboxSettings(events=20))
    smsbus.start()
    try:
        page = windows().open(smsbus)
        smsbus.sms("before", ago=60)
        shows(page, "before")
        smsbus.stop()
        smsbus.publish(*(sms(f"text {number}", f"1647000{number:04}", ago=50 - number) for number in range(40)))
        smsbus.start()
        expect(page.locator(".gap")).to_have_text(re.compile(r"\d\d:\d\d–\d\d:\d\d is no longer in this inbox"))

        expect(first(page)).to_contain_text("text 39")
        page.wait_for_selector(".row:has-text('before')")
    finally:
        smsbus.close()


def test_a_hidden_tab_lets_go_of_its_stream_and_catches_up(page, smsbus):
    smsbus.sms("before", ago=1)
    shows(page, "before")
    page.evaluate("hide(true)")
    page.wait_for_timeout(300)
    assert _until(lambda: smsbus.streams == 0)
    smsbus.sms("while hidden")
    page.wait_for_timeout(300)
    page.evaluate("hide(false)")

    shows(page, "while hidden", "before")
    assert smsbus.streams == 1


def test_eight_tabs_do_not_block_each_other(windows, smsbus):
    window = windows()
    smsbus.sms("hello", code="1111")
    pages = []
    for _ in range(8):
        for each in pages:
            each.evaluate("hide(true)")
        pages.append(window.open(smsbus))
    for page in pages:
        for each in pages:
            each.evaluate("hide(true)")
        page.evaluate("hide(false)")
        page.wait_for_selector(".link:has-text('Live')")
        page.locator(".row a").first.click()
        expect(page.locator(".beside")).to_contain_text("directly")  # an answer of the API

    assert _until(lambda: smsbus.streams == 1)


def _until(holds: Any, seconds: float = 10) -> bool:
    import time

    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return holds()


# ---- what comes from strangers ---------------------------------------------------------------------------------------

HOSTILE = {
    "html": '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script><b>bold</b>',
    "template": "${alert(1)} {{1+1}} </textarea><iframe src=javascript:window.hacked=1>",
    "override": "code \u202e319284\u202c is yours \u2066\u2067",
    "arabic": "رمز واتساب الخاص بك هو: ١١١-٢٢٢",
    "long": "x" * 10_000,
    "controls": "a\u0000b\u0007c\u001b[31md\u007f\u0085\r\n\tend",
    "tall": "Z̸̧̢̛̗̲̖̺͔̱͚̯̈́̐͛͑́̀͐͋̇̆̕͘͝" * 50,
    "emoji": "👩‍👩‍👧‍👦" * 100,
}


def test_every_text_from_outside_is_text(page, smsbus):
    for name, text in HOSTILE.items():
        odd = {"sender": text[:60], "sender_raw": text[:60], "service": text[:60], "client_ref": text[:60]}
        order = {"order_id": f"{name} {text}"[:60], "order_kind": "activation", "sequence": 0}
        smsbus.sms(text, code=text[:40], watch_id=text[:60], **order, **odd)
        shown = first(page).locator(".text")
        expect(shown).to_have_text(re.compile(re.escape("a" if name == "controls" else text[:3])))
        first(page).locator("a").click()
        page.locator(".detail summary").click()
        page.wait_for_timeout(300)

        assert page.evaluate("window.hacked") is None
        assert page.locator("main img, main b b, aside img, aside iframe, aside script, main iframe").count() == 0
        assert first(page).bounding_box()["height"] == 56
        assert page.evaluate("document.documentElement.scrollWidth") <= 1440
        assert not set(page.locator("main, aside").all_inner_texts()[0]) & set("\u0000\u0007\u001b\u202e")
        page.keyboard.press("c")  # what is copied is the code as it came
        page.wait_for_selector(".toast p")
        assert shown.text_content()[:3] == text[:3] or name == "controls"


def test_a_command_that_is_copied_has_no_text_from_outside(page, smsbus):
    smsbus.sms("hi", order_id="1; rm -rf ~\n", order_kind="activation", watch_id="aaaa", sequence=0)
    first(page).locator("a").click()
    page.get_by_role("button", name="Copy as wait command").click()
    page.wait_for_timeout(100)

    assert clipboard(page) == "smsbus wait --watch aaaa --sequence 1"


# ---- the other views -------------------------------------------------------------------------------------------------


def test_what_was_rejected_is_shown_with_its_bytes(page, smsbus):
    message = rejected(b'{"text": "Your code is 48').model_copy(update={"observed_at": to_text(now_ms() - 3000)})
    smsbus.publish(message)
    expect(page.locator(".tabs")).to_contain_text("Rejected 1")
    page.get_by_role("link", name="Rejected").click()
    expect(page.locator(".row")).to_contain_text("not_json")
    expect(page.locator(".row")).to_contain_text("The body is not JSON.")
    page.locator(".row a").click()

    expect(page.locator(".detail pre").first).to_have_text('{"text": "Your code is 48')
    expect(page.locator(".detail pre").nth(1)).to_contain_text("7b 22 74 65 78 74")


@pytest.fixture
def refused_callback(monkeypatch, smsbus) -> str:
    """The id of a callback that is refused until `smsbus.user_id` is what it says."""
    monkeypatch.setattr("app.admin.rejected.published", smsbus.published)
    monkeypatch.setattr("app.admin.rejected.publish", smsbus.replay)
    letter = refused(SMS, Caller("shop", "other")).model_copy(update={"observed_at": to_text(now_ms() - 60_000)})
    smsbus.user_id = "other"
    smsbus.publish(letter)
    return letter.id


def test_a_rejected_callback_is_replayed_once_its_result_is_confirmed(page, smsbus, refused_callback):
    page.get_by_role("link", name="Rejected").click()
    row = page.locator(".row")
    row.get_by_role("button", name="Replay").click()
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("It still cannot be read.")
    expect(dialog).to_contain_text("Its userId is not the one of this account.")
    expect(dialog.get_by_role("button")).to_have_text(["Close"])
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    smsbus.user_id = SMS["userId"]
    row.locator("a").click()
    page.locator(".detail").get_by_role("button", name="Replay").click()
    expect(dialog).to_contain_text("It can be read now: 1 SMS.")
    page.wait_for_function("document.activeElement.textContent === 'Leave it'")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator(".views a", has_text="Inbox").locator("i")).to_have_count(0)  # nothing was published
    page.locator(".detail").get_by_role("button", name="Replay").click()
    dialog.get_by_role("button", name="Publish 1 SMS").click()
    expect(dialog).to_contain_text("1 SMS published.")
    dialog.get_by_role("link", name="Show it").click()
    expect(page.locator(".detail")).to_contain_text(SMS["text"])
    expect(page.locator(".detail .badge")).to_have_text("replayed")
    page.go_back()
    row.get_by_role("button", name="Replay").click()

    expect(dialog).to_contain_text("Nothing to publish: its SMS is there already.")


def test_why_a_replay_was_not_done_is_said(monkeypatch, page, smsbus, refused_callback):
    async def published(*_: object) -> set[str]:
        raise KafkaAway

    monkeypatch.setattr("app.admin.rejected.published", published)
    smsbus.user_id = SMS["userId"]
    page.get_by_role("link", name="Rejected").click()
    page.locator(".row").get_by_role("button", name="Replay").click()

    expect(page.locator("dialog")).to_contain_text("Not done.")
    expect(page.locator("dialog")).to_contain_text("Kafka does not respond.")


def test_a_replay_is_offered_only_to_who_may_and_where_it_can_help(windows, smsbus, refused_callback):
    sample = sample_of_shape("grizzlysms")
    smsbus.stop()
    smsbus.admin = {"read_token": READER}
    smsbus.start()
    smsbus.publish(sample)
    mine, theirs = windows().open(smsbus), windows().open(smsbus, f"#token={READER}")
    for page in (mine, theirs):
        page.get_by_role("link", name="Rejected").click()
        expect(page.locator(".row")).to_have_count(2)

    expect(mine.get_by_role("button", name="Replay")).to_have_count(1)
    expect(theirs.get_by_role("button", name="Replay")).to_have_count(0)
    for id_, buttons in ((refused_callback, 1), (sample.id, 0)):
        for page in (mine, theirs):
            page.locator(f".row[data-id='{id_}'] a").click()
        expect(mine.locator(".detail").get_by_role("button", name="Replay")).to_have_count(buttons)
        expect(theirs.locator(".detail h2").first).to_be_visible()
        expect(theirs.locator(".detail").get_by_role("button", name="Replay")).to_have_count(0)


def test_one_quiet_line_says_that_a_provider_sends_something_new(page, smsbus):
    page.locator("a", has_text="Status").click()
    expect(page.locator("h1")).to_have_text("Everything works.")
    assert "something new" not in page.locator("main").text_content()
    for why in ("unknown_key", "unknown_token"):
        smsbus.publish(sample_of_shape("grizzlysms", why))
    line = page.locator("p", has_text="GrizzlySMS sends something new")
    expect(line).to_have_count(1)
    line.get_by_role("link", name="Show").click()

    expect(page.locator(".detail pre").first).to_contain_text("unknown_token")


def test_an_sms_says_which_targets_have_passed_it(page, smsbus):
    smsbus.forwards = {"crm": False, "shop-hook": True}
    smsbus.sms("hello")
    first(page).locator("a").click()
    detail = page.locator(".detail")
    for name, said in (("crm", "waits to be sent"), ("shop-hook", "passed: sent, or not wanted there")):
        expect(detail.locator("dl div", has_text=name)).to_contain_text(said)
    smsbus.forwards = {"crm": True, "shop-hook": True}
    expect(detail.locator("dl div", has_text="crm")).to_contain_text("passed")
    smsbus.forwards = None
    smsbus.sms("another")
    page.locator(".row a", has_text="another").click()

    expect(detail).to_contain_text("Kafka cannot say now which targets have it")


def test_an_order_gets_its_next_sms_and_is_cancelled_only_when_confirmed(page, smsbus):
    smsbus.order("38496653", "48500100200", "tg", sms_count=0)
    page.keyboard.press("g")
    page.keyboard.press("o")
    row = page.locator("tbody tr")
    for said in ("Waiting", "38496653", "0200", "tg", "11 min"):
        expect(row).to_contain_text(said)
    row.get_by_role("button", name="Next SMS").click()
    expect(row).to_contain_text("Next SMS requested.")
    row.get_by_role("button", name="More").click()
    row.get_by_role("button", name="Cancel").click()
    expect(page.locator("dialog")).to_contain_text("Cancel order 38496653 at grizzly?")
    assert page.evaluate("document.activeElement.textContent") == "Keep"
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_be_hidden()
    assert [watch.desired for watch in smsbus.writer.put_values] == ["next"]
    assert page.evaluate("document.activeElement.textContent") == "⋯"  # where it was
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(row.locator(".choices")).to_have_count(0)
    page.keyboard.press("Enter")
    row.get_by_role("button", name="Cancel").click()
    page.locator("dialog").get_by_role("button", name="Cancel order").click()

    expect(row).to_contain_text("Cancel requested.")
    assert [watch.desired for watch in smsbus.writer.put_values] == ["next", "cancel"]


def test_an_sms_links_to_its_order_and_the_order_to_its_sms(page, smsbus):
    watch = smsbus.order("38496653", "48500100200", "tg", sms_count=1, ended="expired", ended_at=to_text(now_ms()))
    smsbus.order("38496654", "48500100201", "tg")
    ordered = {"account": "grizzly", "order_kind": "activation", "order_id": "38496653", "watch_id": watch}
    smsbus.sms("of the order", **ordered, sequence=0, ago=5)
    smsbus.sms("of none")
    shows(page, "of none", "of the order")
    page.locator(".row a", has_text="of the order").click()
    page.locator(".detail").get_by_role("link", name="38496653").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("Ended: expired")
    page.reload()  # the address names the order
    expect(page.locator("tbody tr")).to_contain_text("38496653")
    page.locator("tbody").get_by_role("link", name="38496653").click()
    shows(page, "of the order")
    page.go_back()
    page.get_by_role("link", name="Show its SMS").click()
    shows(page, "of the order")
    page.go_back()
    page.get_by_role("link", name="All orders").click()

    expect(page.locator("tbody tr")).to_contain_text("38496654")


def test_an_order_is_added_where_there_is_none(page, smsbus):
    page.get_by_role("button", name="Add an order").click()
    dialog = page.locator("dialog")
    expect(dialog.get_by_label("Account")).to_be_focused()
    page.keyboard.type("grizly")
    page.keyboard.press("Tab")
    page.keyboard.type(" 38496653 ")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text(
        "No polled account of this name is configured; there are: grizzly."
    )
    dialog.get_by_label("Account").fill("grizzly")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("h1")).to_have_text("Order")
    expect(page.locator("tbody tr")).to_contain_text("38496653")
    [asked] = smsbus.writer.put_values
    assert (asked.account, asked.order_id, asked.order_kind, asked.desired) == (
        "grizzly", "38496653", "activation", "watch",
    )  # fmt: skip
    page.get_by_role("link", name="All orders").click()
    page.get_by_role("button", name="Add an order").click()
    dialog.get_by_role("button", name="Close").click()

    expect(dialog).to_be_hidden()


def test_a_link_to_an_order_that_is_forgotten_says_so(page, smsbus):
    page.evaluate("location.hash = '/orders?watch=c7bde86d-fec7-88de-ab27-ec0557e7e002'")

    expect(page.locator("main")).to_contain_text("This order is not watched, or it ended too long ago.")


def test_more_orders_than_are_read_are_counted_so(windows, smsbus):
    for number in range(203):
        smsbus.order(str(number), f"48500{number:06}", "tg")
    page = windows().open(smsbus)
    orders = page.locator(".views a", has_text="Orders")

    expect(orders.locator("i")).to_have_text("200+")
    orders.click()
    expect(page.locator("tbody tr")).to_have_count(200)
    expect(page.locator("main")).to_contain_text("Only the newest 200 orders are shown.")


def test_a_refused_action_is_said_in_the_row_with_when_it_is_tried_again(page, smsbus):
    refused = "EARLY_CANCEL_DENIED"
    smsbus.order("38496653", "48500100200", "tg", refused="cancel", refused_ms=now_ms(), refused_code=refused)
    smsbus.order("38496654", "48500100201", "tg", desired="cancel", not_before_ms=now_ms() + 100_000, held_code=refused)
    page.locator("a", has_text="Orders").click()
    row = page.locator("tbody tr")

    expect(row.filter(has_text="38496653")).to_contain_text(f"Cancel was refused: {refused}.")
    expect(row.filter(has_text="38496654")).to_contain_text(
        re.compile(rf"Refused: {refused}. Trying again in 1:[34]\d.")
    )


def test_an_ended_order_is_watched_again(page, smsbus):
    smsbus.order("38496653", "48500100200", "tg", ended="expired", ended_at=to_text(now_ms()))
    page.locator("a", has_text="Orders").click()
    page.get_by_role("button", name="Show ended orders").click()
    row = page.locator("tbody tr")
    expect(row).to_contain_text("Ended: expired")
    expect(row.get_by_role("button", name="Next SMS")).to_have_count(0)
    row.get_by_role("button", name="More").click()
    page.mouse.click(600, 600)
    expect(row.locator(".choices")).to_have_count(0)
    row.get_by_role("button", name="More").click()
    row.get_by_role("button", name="Reopen").click()

    expect(row).to_contain_text("Reopened.")
    [asked] = smsbus.writer.put_values
    assert (asked.order_id, asked.recipient, asked.service, asked.desired) == ("38496653", "48500100200", "tg", "watch")


def test_the_accounts_say_how_much_of_their_budget_they_use(page, smsbus):
    page.locator("a", has_text="Status").click()
    row = page.locator(".accounts tbody tr", has_text="grizzly")
    expect(row).to_contain_text(re.compile(r"2 requests a second|0\.0 of 2/s"))  # before the second look, and after it
    expect(row).to_contain_text("1.4 times slower")
    smsbus.polls.labels("grizzly", "waiting").inc(7)

    expect(row).to_contain_text(re.compile(r"[012]\.\d of 2/s"))
    expect(page.locator(".accounts tbody tr", has_text="shop").locator("[data-name=Budget]")).to_have_text("–")


def test_the_status_is_fresh_when_it_is_opened(page, smsbus):
    page.wait_for_timeout(1200)
    for number in range(3):
        smsbus.sms(f"code {number}")
    shows(page, "code 2", "code 1", "code 0")
    page.locator("a", has_text="Status").click()

    expect(page.locator(".strip li", has_text="Inbox").locator("b")).to_have_text("3", timeout=700)


def test_an_account_that_was_never_heard_says_so(page, smsbus):
    smsbus.heard.labels("grizzly").set(0)
    page.locator("a", has_text="Status").click()
    row = page.locator(".accounts tbody tr", has_text="grizzly")

    expect(row.locator("[data-name='Last contact']")).to_have_text("not heard since it started")


def test_kafka_away_is_said_in_words_and_over_when_it_is(page, smsbus):
    smsbus.sms("before", ago=1)
    shows(page, "before")
    smsbus.kafka_goes(away=True)
    said = (
        f"Kafka has been unreachable since {clock(smsbus.since('kafka_away'))}. SMS are still accepted (1,204 in the "
    )
    expect(page.locator(".bar")).to_have_text(f"{said}journal) and appear here when it returns. What to do")
    smsbus.sms("while away")
    page.get_by_role("link", name="What to do").click()
    expect(page.locator("h1")).to_contain_text("things need attention.")
    expect(page.locator(".page")).to_contain_text(MEANINGS["kafka_away"].users)
    expect(page.locator(".reason").first).to_contain_text(f"since {clock(smsbus.since('kafka_away'), seconds=True)}")
    page.locator(".reason").first.get_by_role("button", name="Copy").click()
    assert clipboard(page) == "smsbus check"
    smsbus.kafka_goes(away=False)

    expect(page.locator("h1")).to_have_text("Everything works.")
    page.keyboard.press("g")
    page.keyboard.press("i")
    shows(page, "while away", "before")


@pytest.mark.parametrize(
    ("reason", "word", "means"),
    [
        ("kafka_away", "Kafka away", "SMS are still accepted"),
        ("inbox_blind", "Not live", "SMS that come now are not shown yet. Nothing is lost"),
        ("inbox_behind", "Behind", "It catches up by itself."),
    ],
)
def test_what_is_shown_is_called_live_only_while_it_is(page, smsbus, reason, word, means):
    expect(page.locator(".link")).to_have_text("Live")
    page.wait_for_timeout(200)
    for holds in (True, False):
        smsbus.condition.degraded = (reason,) if holds else ()
        page.wait_for_timeout(1500)  # a second, and what a busy machine takes
        assert page.locator(".link").text_content() == (word if holds else "Live")
        assert page.locator(".link .dot.green").count() == (not holds)
        assert (means in page.locator("[role=status]").first.text_content()) == holds


def test_the_metrics_are_read_seldom_though_the_health_is_asked_every_second(page, smsbus):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    smsbus.condition.degraded = ("polls_overdue",)
    page.wait_for_timeout(4_500)

    assert asked.count("readyz") >= 3
    assert 1 <= asked.count("metrics") <= 2


def test_an_inbox_that_is_behind_says_up_to_when_it_shows_and_how_much_is_to_go(windows, smsbus):
    smsbus.condition.degraded = ("inbox_behind",)
    window = windows()
    window.context.route("**/metrics", lambda route: route.fulfill(body="smsbus_inbox_behind_records 3200.0\n"))
    message = smsbus.sms("before", ago=20)
    page = window.open(smsbus)
    newest = clock(to_epoch_ms(message.observed_at) / 1000, seconds=True)

    expect(page.locator(".bar")).to_have_text(f"Showing up to {newest}, 3,200 to go. It catches up by itself.")


def test_since_when_is_the_earliest_of_all_processes(windows, smsbus):
    smsbus.condition.degraded = ("account_paused:shop",)
    name, began = "smsbus_degraded_since_timestamp_seconds", 1_795_850_200
    said = [
        f'{name}{{reason="account_paused",account="shop",process="pollers-{turn}"}} {began + turn}.0'
        for turn in (7, 0, 3)
    ]
    window = windows()
    window.context.route("**/metrics", lambda route: route.fulfill(body="\n".join(said)))
    page = window.open(smsbus)
    page.locator("a", has_text="Status").click()

    expect(page.locator(".reason")).to_contain_text(f"since {clock(began, seconds=True)}")


def test_a_reason_that_the_page_does_not_know_is_shown_as_it_is(page, smsbus):
    smsbus.condition.degraded = ("account_paused:shop", "something_new:<b>x</b>")
    page.locator("a", has_text="Status").click()

    expect(page.locator("h1")).to_have_text("2 things need attention.")
    expect(page.locator(".page")).to_contain_text("Account shop is paused: the provider refuses its key.")
    expect(page.locator(".page")).to_contain_text("something_new:<b>x</b>")


# ---- who does not see it ---------------------------------------------------------------------------------------------


def test_a_row_is_a_sentence_and_arrivals_are_announced_seldom(page, smsbus):
    smsbus.sms("Your code is 4829", code="4829", sender="Telegram")
    name = first(page).locator("a .sr").text_content()
    expect(page.locator("[aria-live]")).to_contain_text("Code 4 8 2 9 for number ending 0 0 0 0, from Telegram")
    assert re.fullmatch(r"Code 4 8 2 9 for number ending 0 0 0 0, from Telegram, (just now|\d+ seconds? ago)", name)
    for number in range(5):
        smsbus.sms(f"more {number}")
    page.wait_for_timeout(1000)
    expect(page.locator("[aria-live]")).to_contain_text("Code 4 8 2 9")

    expect(page.locator("[aria-live]")).to_have_text("5 new SMS")


def test_the_title_counts_what_nobody_has_seen(page, smsbus):
    page.keyboard.press("g")
    page.keyboard.press("s")
    smsbus.sms("secret 4829", code="4829")

    page.wait_for_function("() => document.title === '(1) smsbus'")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_function("() => document.title === 'smsbus'")
