"""`python -m tests.browser.screenshots DIRECTORY`: the page in each of its states, to be looked at."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from schemas.dead_letter import rejected as dead_letter
from schemas.identity import watch_id
from schemas.messages import SmsRejected
from schemas.timestamps import to_text
from tests.browser.server import TOKEN, Smsbus, now_ms, sms
from tests.messages import rejected

CHROMIUM = "/usr/bin/chromium"
SIZES = {"light": (1440, 900), "dark": (1440, 900), "phone": (390, 844), "middle": (900, 700)}

TEXTS: list[tuple[str | None, str | None, str, str, str]] = [
    ("Your Telegram code is 482913. Do not give it to anyone, even if they say they are from Telegram!", "482913",
     "16470000000", "Telegram", "tg"),
    ("G-551208 is your Google verification code.", "G-551208", "447911123456", "Google", "go"),
    ("رمز واتساب الخاص بك هو: 118-402. لا تطلع أحداً عليه", "118-402", "48500100200", "WhatsApp", "wa"),
    ("【京东】验证码 561177，您正在登录京东，请勿泄露。", "561177", "16470000001", "JD", "jd"),
    ("Ваш код: 7734. Никому его не сообщайте.", "7734", "79990001122", "VK", "vk"),
    ("Your parcel arrives tomorrow between 9 and 12.", None, "16470000000", "+14165550123", "other"),
    ("482911 is your Uber code. Never share this code.\n\n@uber.com #482911", "482911", "16470000002", "Uber", "ub"),
    (None, "20518", "79990001122", "", "122"),
    ("Use 90210044 to verify your Instagram account.", "90210044", "12015550100", "Instagram", "ig"),
    ("Your codes are 482913 and 551182", None, "16470000003", "72727", "jd"),
]  # fmt: skip


def fill(smsbus: Smsbus) -> None:
    """SMS as they come in half an hour, three orders, and something that was rejected."""
    for number in range(40):
        text, code, to, sender, service = TEXTS[(number * 7 + 3) % 10]
        smsbus.publish(_of(text, code, to, sender, service, ago=150 + number * 97.0))
    for number, (text, code, to, sender, service) in reversed([*enumerate(TEXTS)]):
        smsbus.publish(_of(text, code, to, sender, service, ago=1.5 + number * number * 1.7), via="kafka")
    body = b'{"app": "jd", "to": "16470000000", "text": "Your code is 4821'
    smsbus.publish(rejected(body).model_copy(update={"observed_at": to_text(now_ms() - 90_000)}))
    smsbus.publish(sample_of_shape("grizzlysms"))
    smsbus.forwards = {"crm": False, "shop-hook": True}
    _orders(smsbus)


def sample_of_shape(provider: str, why: str = "unknown_key") -> SmsRejected:
    """What is published of an answer that nobody knew."""
    body = json.dumps({"day": "2026-11-28", "why": why, "unknown": ["smsStatus"], "shape": "{smsStatus: text}"})
    return dead_letter(
        body.encode(), provider=provider, account="grizzly", received_via="poll", stage="shape",
        reason="unknown_shape", facts={}, observed_ms=now_ms() - 40_000,
    )  # fmt: skip


def _orders(smsbus: Smsbus) -> None:
    waiting = smsbus.order("38496653", "48500100201", "tg", minutes=12, sms_count=0)
    having = smsbus.order("38496654", "48500100200", "wa", minutes=7, sms_count=1, opening=1)
    smsbus.order(
        "38496655", "48500100202", "vk", minutes=18, sms_count=0, refused="cancel", refused_ms=now_ms(),
        refused_code="EARLY_CANCEL_DENIED",
    )  # fmt: skip
    of_order = {"provider": "grizzlysms", "account": "grizzly", "received_via": "poll", "order_kind": "activation"}
    message = sms(
        "WhatsApp code 118-402", "48500100200", code="118402", ago=45, order_id="38496654", watch_id=having, sequence=0,
        client_ref="signup-42", provider_time=to_text(now_ms() - 47_000), sender="WhatsApp", service="wa", **of_order,
    )  # fmt: skip
    smsbus.publish(message, via="journal")
    assert waiting


def _of(text: str | None, code: str | None, to: str, sender: str, service: str, *, ago: float) -> Any:
    freshness = "recovered" if text is None else "live"
    who = {"sender": sender or None, "sender_raw": sender or None, "sender_kind": "alphanumeric" if sender else None}
    return sms(text, to, code=code, ago=ago, service=service, freshness=freshness, **who)


@contextmanager
def opened(browser: Browser, smsbus: Smsbus, kind: str) -> Iterator[Page]:
    """The page with its token, in a window of this kind."""
    width, height = SIZES[kind]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if kind == "dark" else "light",
        device_scale_factor=2 if kind == "phone" else 1,
        has_touch=kind == "phone",
    )
    page = context.new_page()
    page.goto(f"{smsbus.url}#token={TOKEN}")
    page.wait_for_selector(".link[data-stream='live']", state="attached")
    page.wait_for_timeout(400)
    yield page
    context.close()


def _open(page: Page) -> None:
    page.locator(".row a").nth(2).click()


def _open_rejected(page: Page) -> None:
    _go("/rejected")(page)
    page.locator(".row a").first.click()


def _replay(page: Page) -> None:
    _go("/rejected")(page)
    page.get_by_role("button", name="Replay").first.click()


def _add(page: Page) -> None:
    _go("/orders")(page)
    page.get_by_role("button", name="Add an order").click()


def _open_menu(page: Page) -> None:
    _go("/orders")(page)
    page.get_by_role("button", name="More").nth(1).click()


def _go(where: str) -> Callable[[Page], None]:
    return lambda page: page.evaluate(f"location.hash = '{where}'")


VIEWS: dict[str, Callable[[Page], None]] = {
    "inbox": _go("/inbox"),
    "detail": _open,
    "number": _go("/n/16470000000"),
    "no-match": _go("/inbox?q=service:xx"),
    "rejected": _go("/rejected"),
    "rejected-detail": _open_rejected,
    "replay": _replay,
    "orders": _go("/orders"),
    "add": _add,
    "order": _go(f"/orders?watch={watch_id('grizzly', 'activation', '38496654')}"),
    "menu": _open_menu,
    "status": _go("/status"),
    "keys": lambda page: page.keyboard.press("?"),
    "masked": lambda page: page.keyboard.press("m"),
}


def main(directory: Path) -> None:
    """Make them all."""
    directory.mkdir(parents=True, exist_ok=True)
    full, empty = Smsbus(), Smsbus()
    full.start()
    empty.start()
    fill(full)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for kind in SIZES:
            for name, do in VIEWS.items():
                with opened(browser, full, kind) as page:
                    do(page)
                    page.wait_for_timeout(900)
                    page.screenshot(path=directory / f"{name}-{kind}.png")
            with opened(browser, empty, kind) as page:
                page.wait_for_timeout(2500)
                page.screenshot(path=directory / f"empty-{kind}.png")
        full.kafka_goes(away=True)
        time.sleep(6)
        for kind in SIZES:
            for name in ("away", "status-away"):
                with opened(browser, full, kind) as page:
                    _go("/status" if name == "status-away" else "/inbox")(page)
                    page.wait_for_timeout(1200)
                    page.screenshot(path=directory / f"{name}-{kind}.png")
        browser.close()
    full.close()
    empty.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
