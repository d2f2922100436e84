"""Whatever points into the pages leads somewhere: pages, headings, sections, guarantees, limits, traps, decisions.

Read are the pages, the program and the tests; a citation looks the same in all of them: `docs/operations.md#alerts`,
`docs/providers.md 5.1`, `G1`, `L12`, `trap 33`, `decision 2`.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PROGRAM = ("app", "bus", "forwarding", "inbox", "receiver", "pollers", "providers", "schemas", "sandbox")
FOLDERS = (*PROGRAM, "bench", "deploy", "docs", "tests", ".github")
KINDS = {".py", ".md", ".toml", ".yaml", ".yml"}
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
NUMBERS = r"\d(?:\.\d)?(?:(?:, | and )\d\.\d)*"
PAGE = re.compile(
    r"(?<![\w:/.~-])(?<!/ [\"'])((?:[\w.-]+/)*[\w-]+\.md)\b(?:#([\w-]+))?"
    rf"(?:,? (?:sections? )?({NUMBERS})(?![\d,]))?"
)
IN_DOCS = re.compile(r"(?<![\w:/.-])(docs/[\w./-]*[\w/])")
PROMISE = re.compile(r"\b([GL][1-9]\d?)\b")
SECTION = re.compile(r"\bsection (\d(?:\.\d+)?)")
MANY = r"(\d+(?:(?:, | and | to )\d+)*)"
TRAP, DECISION = re.compile(rf"\btraps? {MANY}"), re.compile(rf"\bdecisions? {MANY}")
SIGN = re.compile(r"(?<!RFC \d{4} )§")
EXCEPT = frozenset({Path(__file__)})  # it plants breaks


def files() -> list[Path]:
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in KINDS]
    found += [*ROOT.glob("*.md"), *ROOT.glob("*.toml"), ROOT / "Makefile", ROOT / ".ci" / "run"]
    return [path for path in found if path not in EXCEPT and "node_modules" not in path.parts]


@cache
def text_of(page: Path) -> str:
    return page.read_text("utf-8")


@cache
def headings(page: Path) -> list[str]:
    without_code = re.sub(r"^```.*?^```", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ (.*)$", without_code, re.MULTILINE)


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors that GitHub gives to a page's headings."""
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings(page))


def has_section(page: Path, number: str) -> bool:
    return any(re.match(rf"{re.escape(number)}\.? ", heading) for heading in headings(page))


@cache
def promises() -> list[str]:
    found = re.findall(r"^(?:### (G\d+)|- \*\*(L\d+))\.", text_of(DOCS / "guarantees.md"), re.MULTILINE)
    return [guarantee or limit for guarantee, limit in found]


@cache
def traps() -> frozenset[str]:
    part = text_of(DOCS / "providers.md").partition("\n## 7. Traps\n")[2].partition("\n## 8")[0]
    return frozenset(re.findall(r"^(\d+)\. ", part, re.MULTILINE))


@cache
def decisions() -> frozenset[str]:
    return frozenset(str(int(page.name[:4])) for page in (DOCS / "decisions").glob("0*.md"))


def dangling(path: Path, text: str) -> Iterator[str]:
    """Yield whatever in this file's text leads nowhere."""
    yield from _links(path, text) if path.suffix == ".md" else ()
    yield from _pages(path, text)
    for name in IN_DOCS.findall(text):
        if not (ROOT / name).exists():
            yield name
    yield from (each for each in PROMISE.findall(text) if each not in promises())
    for pattern, known in ((TRAP, traps()), (DECISION, decisions())):
        for cited in pattern.findall(text):
            yield from (number for number in re.findall(r"\d+", cited) if number not in known)
    if path.is_relative_to(DOCS):
        yield from (f"section {number}" for number in SECTION.findall(text) if not has_section(path, number))
    if SIGN.search(text):
        yield "§: cite a section of a page, or a promise"


def _links(path: Path, text: str) -> Iterator[str]:
    for target, anchor in LINK.findall(text):
        page = path.parent / target if target else path
        if not page.exists() or (anchor and anchor not in anchors(page.resolve())):
            yield f"{target}#{anchor}"


def _pages(path: Path, text: str) -> Iterator[str]:
    for name, anchor, cited in PAGE.findall(text):
        page = next((each for each in (path.parent / name, ROOT / name) if each.is_file()), None)
        numbers = re.findall(r"[\d.]+", cited)
        if (
            page is None
            or (anchor and anchor not in anchors(page))
            or not all(has_section(page, each) for each in numbers)
        ):
            yield " ".join(filter(None, (name, anchor, cited)))


@pytest.mark.parametrize("path", files(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_reference_leads_somewhere(path: Path):
    assert list(dangling(path, text_of(path))) == []


@pytest.mark.parametrize(
    "broken",
    [
        "docs/nowhere.md",
        "nowhere.md",
        "docs/nowhere/",
        "docs/providers.md 9.9",
        "docs/providers.md, section 9",
        "docs/providers.md 5.1, 5.2 and 9.9",
        "docs/operations.md#nowhere",
        "as G99 promises",
        "limit L99",
        "trap 99",
        "traps 1 and 99",
        "decision 99",
        "design §3",
    ],
)
def test_a_reference_that_leads_nowhere_is_found(broken: str):
    assert len(list(dangling(ROOT / "bus" / "made_up.py", f'"""Why: {broken}."""'))) >= 1


@pytest.mark.parametrize(
    "good",
    [
        "docs/providers.md 5.1",
        "docs/providers.md, section 5.1",
        "docs/providers.md 5.1, 5.2 and 5.4",
        "docs/operations.md#alerts",
        "docs/decisions/",
        "G1, L12",
        "traps 44 and 45",
        "decision 2",
        "RFC 9562 §5.8",
        "https://example.com/docs/nowhere.md",
    ],
)
def test_a_reference_that_leads_somewhere_is_left_alone(good: str):
    assert list(dangling(ROOT / "bus" / "made_up.py", f'"""Why: {good}."""')) == []


@pytest.mark.parametrize("link", ["nowhere.md", "operations.md#nowhere", "#nowhere", "../nowhere.py"])
def test_a_link_of_a_page_is_relative_to_the_page(link: str):
    assert list(dangling(DOCS / "made_up.md", f"[there]({link})")) != []


def test_no_number_of_a_guarantee_or_limit_is_given_twice():
    assert len(set(promises())) == len(promises()) >= 40
