"""Does the topic hold what the simulator sent? Compared by the simulator's own nonces, not through our ids."""

import base64
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sandbox.pingme import Entry

_NONCE = re.compile(rb"[BCDFGHJKLMNPQRSTVWXZ]{8}")


@dataclass
class Verdict:
    """What was compared, and one sentence for each thing that does not agree."""

    sms: int = 0
    dead_letters: int = 0
    repeats: int = 0  # records with an id that an earlier record has: allowed, and counted
    disagreements: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Everything that was promised is there, once, in order; and nothing else."""
        return not self.disagreements


def reconcile(book: Sequence[Entry], received: Iterable[bytes], rejected: Iterable[bytes]) -> Verdict:
    """Compare the simulator's book with the values of both topics, each in the order of its partitions."""
    verdict = Verdict()
    nonces = {entry.nonce for entry in book}
    sms = _by_nonce(((event["text"].encode(), event["id"]) for event in map(json.loads, received)), nonces, verdict)
    dead = _by_nonce(
        ((base64.b64decode(event["body_base64"]), event["id"]) for event in map(json.loads, rejected)), nonces, verdict
    )
    verdict.sms, verdict.dead_letters = len(sms), len(dead)
    for entry in book:
        _compare(entry, sms if entry.kind == "sms" else dead, verdict)
    _compare_order(book, list(sms), verdict)
    return verdict


def _by_nonce(events: Iterable[tuple[bytes, str]], nonces: set[str], verdict: Verdict) -> dict[str, Counter[str]]:
    """Nonce → how often each id carries it, in the order of the first occurrences."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for carrier, event_id in events:
        nonce = next((word.decode() for word in _NONCE.findall(carrier) if word.decode() in nonces), None)
        if nonce is None:
            verdict.disagreements.append(f"event {event_id} was never sent")
        else:
            found[nonce][event_id] += 1
    verdict.repeats += sum(ids.total() - len(ids) for ids in found.values())
    return found


def _compare(entry: Entry, found: dict[str, Counter[str]], verdict: Verdict) -> None:
    ids = set(found.get(entry.nonce, ()))
    if entry.promised and not ids:
        verdict.disagreements.append(f"{entry.nonce} was answered 200 and is lost")
    if len(ids) > 1:
        verdict.disagreements.append(f"{entry.nonce} has {len(ids)} ids")
    if ids and not entry.ids <= ids:
        verdict.disagreements.append(f"{entry.nonce} was answered with an id that the topic does not have")


def _compare_order(book: Sequence[Entry], arrived: Sequence[str], verdict: Verdict) -> None:
    order = {entry.nonce: (entry.number, entry.order) for entry in book}
    newest: dict[str, int] = {}
    for nonce in arrived:
        number, position = order[nonce]
        if position < newest.get(number, -1):
            verdict.disagreements.append(f"{nonce} came after a later SMS of its number")
        newest[number] = max(position, newest.get(number, -1))
