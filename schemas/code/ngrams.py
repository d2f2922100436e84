"""Whether a text reads like one with a code, by its letters: for what no list of words foresees.

A linear classifier over the n-grams of a folded text, learned from the texts of `tests/corpus/codes` by
`python -m tests.ngrams`. `weights.json` has what each n-gram counts for a code, or against it, in hundredths.
"""

import json
from collections.abc import Mapping
from math import sqrt
from pathlib import Path
from typing import Final, NamedTuple

LENGTHS: Final = (2, 3, 4)  # characters
READ: Final = 480  # characters of a text, of three SMS
FEW: Final = 60  # characters: so short a text says nothing
_DOUBTFUL: Final = -40  # hundredths: a chance of 40 % that there is a code


class Learned(NamedTuple):
    """What is known of texts: how many hundredths each n-gram counts, and a text without any."""

    weights: Mapping[str, int]
    bias: int


# Read when this is imported: later a process may have no file left to open, and an SMS at hand.
_LEARNED: Final = Learned(**json.loads(Path(__file__).with_name("weights.json").read_text(encoding="utf-8")))


def reads_like_a_code(text: str) -> bool:
    """Tell whether a folded text is one with a code as likely as not, as far as it is long enough to tell."""
    if len(text) < FEW:
        return True
    counted = [weight for each in ngrams(text) if (weight := _LEARNED.weights.get(each)) is not None]
    return _LEARNED.bias + sum(counted) / sqrt(len(counted) or 1) >= _DOUBTFUL


def ngrams(text: str) -> set[str]:
    """Return what stands beside each other in the first characters of a folded text."""
    text = text[:READ]
    return {text[start : start + length] for length in LENGTHS for start in range(len(text) - length + 1)}
