"""A browser, a service to show, and what a person does with both."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.server import TOKEN, Smsbus

CHROMIUM = shutil.which("chromium")
HIDEABLE = """
let hidden = false;
Object.defineProperty(document, "hidden", { get: () => hidden });
Object.defineProperty(document, "visibilityState", { get: () => (hidden ? "hidden" : "visible") });
window.hide = (value) => { hidden = value; document.dispatchEvent(new Event("visibilitychange")); };
"""
"""A headless browser hides no tab: this does what another tab in front does."""


SHORT = (
    "test_the_newest_code_is_there_by_itself",
    "test_a_lost_connection_is_said",
    "test_every_text_from_outside_is_text",
    "test_the_token_leaves_the_address",
    "test_the_typescript_of_the_guide",
)
"""What `make test` runs of these: they take six minutes in all."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the others to `make test-long`."""
    for item in items:
        if "tests/browser" in item.nodeid and not item.name.startswith(SHORT):
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    if CHROMIUM is None:
        pytest.skip("apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def smsbus() -> Iterator[Smsbus]:
    smsbus = Smsbus()
    smsbus.start()
    yield smsbus
    smsbus.close()


class Window:
    """Windows of one browser profile. What a page complains of fails the test."""

    def __init__(self, browser: Any, **options: Any) -> None:
        options = {
            "viewport": {"width": 1440, "height": 900},
            "permissions": ["clipboard-read", "clipboard-write"],
        } | options
        self.context = browser.new_context(**options)
        self.context.add_init_script(HIDEABLE)
        self.complaints: list[str] = []

    def open(self, smsbus: Smsbus, hash_: str = f"#token={TOKEN}", *, live: bool = True) -> Any:
        page = self.context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)
        page.goto(smsbus.url + hash_)
        if live:
            page.wait_for_selector(".link[data-stream='live']", state="attached")
        return page

    def _heard(self, message: Any) -> None:
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)


@pytest.fixture
def windows(browser: Any) -> Iterator[Any]:
    """Call it to get a `Window` with these options."""
    opened: list[Window] = []

    def window(**options: Any) -> Window:
        opened.append(Window(browser, **options))
        return opened[-1]

    yield window
    complaints = [said for window in opened for said in window.complaints]
    for window in opened:
        window.context.close()
    assert complaints == []


@pytest.fixture
def page(windows: Any, smsbus: Smsbus) -> Any:
    """The page of a service that has received nothing yet, on a desk."""
    return windows().open(smsbus)


def clipboard(page: Any) -> str:
    return page.evaluate("navigator.clipboard.readText()")
