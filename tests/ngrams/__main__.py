"""`python -m tests.ngrams`: learn from the texts of the corpus what each n-gram counts; half a minute.

Logistic regression with L2 regularization, by stochastic gradient descent in a fixed order: the same corpus gives the
same weights. Learned twice: with all n-grams of two texts or more, then with those that matter most.
"""

import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from math import exp, sqrt
from pathlib import Path
from typing import Final

from schemas.code import as_judged, ngrams
from schemas.code.lexicon import folded
from schemas.identity_code.forms import readable

CORPUS: Final = Path(__file__).parents[1] / "corpus" / "codes"
UNREAD: Final = "eleventh_held_out"  # it says how good the rules are, and these weights
KEPT: Final = 4000  # n-grams
ROUNDS: Final = 30
STEP: Final = 2.0
REGULARIZED: Final = 1.0  # in all, shared by the texts

Text = tuple[Sequence[str], bool]  # its n-grams, and whether it has a code


def main() -> None:
    """Write the weights."""
    texts = [*_texts()]
    seen = Counter(ngram for its, _ in texts for ngram in its)
    first, _ = learned(texts, {ngram for ngram, times in seen.items() if times > 1})
    most = sorted(first, key=lambda ngram: (-abs(first[ngram]) * sqrt(seen[ngram]), ngram))
    weights, bias = learned(texts, {*most[:KEPT]})
    known = {"bias": round(bias * 100), "weights": {each: round(weights[each] * 100) for each in sorted(weights)}}
    written = json.dumps(known, ensure_ascii=False, indent=0)
    Path(ngrams.__file__).with_name("weights.json").write_text(f"{written}\n", encoding="utf-8")


def _texts() -> Iterable[Text]:
    for part in sorted(each for each in CORPUS.glob("*.jsonl") if each.stem != UNREAD):
        for row in map(json.loads, part.open(encoding="utf-8")):
            shape = re.sub("[1-9]", "0", as_judged(readable(row["text"])))
            yield sorted(ngrams.ngrams(folded(shape))), row["code"] is not None


def learned(texts: Sequence[Text], known: set[str]) -> tuple[dict[str, float], float]:
    """Return the weight of each n-gram that is to be known, and the bias; both kinds of texts count the same."""
    rows = [([ngram for ngram in its if ngram in known], has) for its, has in texts]
    with_code = sum(has for _, has in rows)
    fair = {True: len(rows) / 2 / with_code, False: len(rows) / 2 / (len(rows) - with_code)}
    weights, bias, shrink = dict.fromkeys(known, 0.0), 0.0, REGULARIZED / len(rows)
    order = random.Random(15)  # the same order each time
    for turn in range(ROUNDS):
        step = STEP / (1 + turn)
        for its, has in order.sample(rows, len(rows)):
            length = sqrt(len(its) or 1)
            error = fair[has] * (has - 1 / (1 + exp(-bias - sum(map(weights.__getitem__, its)) / length)))
            bias += step * error / 10
            for ngram in its:
                weights[ngram] += step * (error / length - shrink * weights[ngram])
    return weights, bias


if __name__ == "__main__":
    main()
