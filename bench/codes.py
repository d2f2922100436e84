"""`python -m bench.codes`: what finding the code of an SMS costs, where its shape is new and where it is known."""

import json
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from schemas import code

TEXTS: Final = Path("tests/corpus/codes")
ROUNDS: Final = 12


def texts() -> list[str]:
    """Return each text of the corpora once."""
    lines = (line for path in sorted(TEXTS.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines())
    return [*dict.fromkeys(json.loads(line)["text"] for line in lines)]


def spent(each: str) -> float:
    """Return microseconds of this thread's processor time."""
    began = time.thread_time_ns()
    code.extract_code(each)
    return (time.thread_time_ns() - began) / 1000


def turn(all_texts: list[str]) -> tuple[list[float], list[float]]:
    """Return what each text costs at first, and once its shape is known."""
    for remembers in (code._plain_shape, code._found, code._chosen):
        remembers.cache_clear()
    return [spent(each) for each in all_texts], [min(spent(each), spent(each)) for each in all_texts[:500]]


def main() -> None:
    """Print both, of each text's calmest round: other programs make every figure larger."""
    all_texts = texts()
    for each in all_texts:
        spent(each)  # the tables of words are made with the first use
    rounds = [turn(all_texts) for _ in range(ROUNDS)]
    for name, found in zip(("a new shape", "a known shape"), zip(*rounds, strict=True), strict=True):
        calmest = [min(times) for times in zip(*found, strict=True)]
        p99 = quantiles(calmest, n=100)[98]
        print(f"{name}: median {median(calmest):.0f} µs, p99 {p99:.0f} µs ({len(calmest)} texts)")


if __name__ == "__main__":
    main()
