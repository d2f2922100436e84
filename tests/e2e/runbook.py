"""The commands of docs/runbook.md, with what the page says that they print."""

import re
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "runbook.md"
OPERATIONS = ROOT / "docs" / "operations.md"
LEFT_OUT = re.compile(r"\bsudo\b|\bkubectl\b|\bexample\.com\b")
BLOCK = re.compile(r"(?:<!-- (?P<stage>[^>\n]+) -->\n)?```console\n(?P<lines>.+?)```", re.DOTALL)
END = "\x1e"
USAGE, NOT_TO_BE_RUN, NOT_FOUND = "2", "126", "127"


class Command(NamedTuple):
    """One line to be typed, and the lines that follow it on the page."""

    line: str
    shown: tuple[str, ...]

    def is_shown(self, printed: str) -> bool:
        """Whether that is what the page shows; `…` stands for anything, alone in a line for any lines."""
        pattern = "".join(map(_pattern, self.shown))
        return not self.shown or re.fullmatch(pattern, f"{printed.rstrip()}\n") is not None


class Block(NamedTuple):
    """Commands that are typed into one shell. `stage` is when: empty while Kafka is there."""

    section: str
    stage: str
    commands: tuple[Command, ...]

    @property
    def script(self) -> str:
        """What to give to a shell: after each command it prints its exit code."""
        return "\n".join(f"{each.line}\nprintf '{END}%s{END}' $?" for each in self.commands)


def blocks() -> list[Block]:
    """Return the blocks of the page in its order, without what cannot be run here."""
    page = PAGE.read_text("utf-8")
    found = [
        Block(_section(page, each.start()), each["stage"] or "", _commands(each["lines"]))
        for each in BLOCK.finditer(page)
    ]
    return [block for block in found if block.commands]


def problems_of(block: Block, output: str) -> list[str]:
    """Return each command that is no command, or printed what the page does not show."""
    parts = output.split(END)
    codes, printed = parts[1::2], parts[:-1:2]
    if len(codes) != len(block.commands):
        return [f"{block.section}: {output}"]
    return [
        f"{block.section}: $ {command.line} ended with {code} and printed:\n{text}"
        for command, code, text in zip(block.commands, codes, printed, strict=True)
        if code in {USAGE, NOT_TO_BE_RUN, NOT_FOUND} or not command.is_shown(text)
    ]


def program(page: Path, words: str) -> str:
    """Return the Python program of a page that has these words in it."""
    return next(
        each for each in re.findall(r"```python\n(.+?)```", page.read_text("utf-8"), re.DOTALL) if words in each
    )


def _commands(text: str) -> tuple[Command, ...]:
    lines = text.splitlines()
    begins = [number for number, line in enumerate(lines) if line.startswith("$ ")] + [len(lines)]
    found = [Command(lines[begin][2:], tuple(lines[begin + 1 : end])) for begin, end in pairwise(begins)]
    return tuple(each for each in found if not LEFT_OUT.search(each.line))


def _pattern(line: str) -> str:
    return r"(?:.*\n)*" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + "\n"


def _section(page: str, at: int) -> str:
    return re.findall(r"^#+ (.*)$", page[:at], re.MULTILINE)[-1]
