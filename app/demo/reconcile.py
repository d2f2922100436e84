"""Do the topics contain what the simulators sent? Compared by the simulators' own nonces, not by our ids."""

import base64
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from bus.unknown_shapes import STAGE as SHAPE
from sandbox.pingme import Entry
from sandbox.sms import Sms
from schemas.timestamps import to_epoch_ms

_NONCE: Final = re.compile(rb"[BCDFGHJKLMNPQRSTVWXZ]{8}")
Event = Mapping[str, Any]


@dataclass
class Verdict:
    """What was compared, with one sentence for each disagreement."""

    sms: int = 0
    dead_letters: int = 0
    samples: int = 0  # of unknown shapes: dead letters, too, and of no callback
    repeats: int = 0  # records with the id of an earlier record: allowed, and counted
    disagreements: list[str] = field(default_factory=list)
    delays: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Seconds from the delivery to the event, by provider."""

    @property
    def agrees(self) -> bool:
        """Everything that was accepted or shown is there, with one id, in order; and nothing else."""
        return not self.disagreements

    def delay_lines(self) -> list[str]:
        """Return one line for each provider, for scripts."""
        return [
            f"delay {provider} median={median(seconds):z.2f} p95={sorted(seconds)[int(len(seconds) * 0.95)]:z.2f} s"
            for provider, seconds in sorted(self.delays.items())
        ]


def reconcile(
    callbacks: Sequence[Entry], shown: Sequence[Sms], received: Iterable[bytes], rejected: Iterable[bytes]
) -> Verdict:
    """Compare both records with the values of the topics, each in the order of its partitions.

    `callbacks`: what PingMe posted. `shown`: what the polled providers' complete responses contained.
    """
    verdict = Verdict()
    events = [json.loads(value) for value in received]
    verdict.repeats = len(events) - len({event["id"] for event in events})
    letters = [json.loads(value) for value in rejected]
    verdict.samples = sum(letter["stage"] == SHAPE for letter in letters)
    firsts = list(_first_occurrences(events).values())
    _compare_callbacks(
        callbacks,
        [event for event in firsts if event["received_via"] == "callback"],
        [letter for letter in letters if letter["stage"] != SHAPE],
        verdict,
    )
    _compare_polled(shown, [event for event in firsts if event["received_via"] == "poll"], verdict)
    return verdict


def _first_occurrences(events: Iterable[Event]) -> dict[str, Event]:
    found: dict[str, Event] = {}
    for event in events:
        found.setdefault(event["id"], event)
    return found


# ---- callbacks -----------------------------------------------------------------------------------------------------


def _compare_callbacks(
    book: Sequence[Entry], events: Sequence[Event], letters: Sequence[Event], verdict: Verdict
) -> None:
    nonces = {entry.nonce for entry in book}
    sms = _by_nonce(((event["text"].encode(), event) for event in events), nonces, verdict)
    dead = _by_nonce(((base64.b64decode(letter["body_base64"]), letter) for letter in letters), nonces, verdict)
    verdict.sms += len(sms)
    verdict.dead_letters += len(dead)
    for entry in book:
        _compare(entry, (sms if entry.kind == "sms" else dead).get(entry.nonce, []), verdict)
    _compare_order(book, list(sms), verdict)


def _by_nonce(carriers: Iterable[tuple[bytes, Event]], nonces: set[str], verdict: Verdict) -> dict[str, list[Event]]:
    """Nonce → the events that carry it, in the order of the first occurrences."""
    found: dict[str, list[Event]] = defaultdict(list)
    for carrier, event in carriers:
        nonce = next((word.decode() for word in _NONCE.findall(carrier) if word.decode() in nonces), None)
        if nonce is None:
            verdict.disagreements.append(f"event {event['id']} was never sent")
        else:
            found[nonce].append(event)
    return found


def _compare(entry: Entry, found: Sequence[Event], verdict: Verdict) -> None:
    ids = {event["id"] for event in found}
    if entry.promised and not ids:
        verdict.disagreements.append(f"{entry.nonce} was answered 200 and is lost")
    if len(ids) > 1:
        verdict.disagreements.append(f"{entry.nonce} has {len(ids)} ids")
    if ids and not entry.ids <= ids:
        verdict.disagreements.append(f"{entry.nonce} was answered with an id that the topic does not have")
    if ids:
        verdict.delays["pingme"].append(to_epoch_ms(found[0]["observed_at"]) / 1000 - entry.first_sent)


def _compare_order(book: Sequence[Entry], arrived: Sequence[str], verdict: Verdict) -> None:
    order = {entry.nonce: (entry.number, entry.order) for entry in book}
    newest: dict[str, int] = {}
    for nonce in arrived:
        number, position = order[nonce]
        if position < newest.get(number, -1):
            verdict.disagreements.append(f"{nonce} came after a later SMS of its number")
        newest[number] = max(position, newest.get(number, -1))


# ---- polled --------------------------------------------------------------------------------------------------------


def _compare_polled(shown: Sequence[Sms], events: Sequence[Event], verdict: Verdict) -> None:
    """SMS with the same code in one order are only counted: there must be as many ids as were shown."""
    book: dict[tuple[str, str, str], list[Sms]] = defaultdict(list)
    for sms in shown:
        book[sms.provider, sms.order, sms.nonce].append(sms)
    found: dict[tuple[str, str, str], list[Event]] = defaultdict(list)
    for event in events:
        found[_polled_key(event, book)].append(event)
    for key, sent in book.items():
        _compare_shown(key, sent, found.pop(key, []), verdict)
    verdict.disagreements += [f"event {event['id']} was never shown" for strays in found.values() for event in strays]
    _compare_sequences(events, verdict)


def _polled_key(event: Event, book: Mapping[tuple[str, str, str], object]) -> tuple[str, str, str]:
    carried = [word.decode() for word in _NONCE.findall((event["text"] or "").encode())]
    keys = [
        (event["provider"], event["order_id"], each) for each in (*carried, event["code"] or "", event["text"] or "")
    ]
    return next((key for key in keys if key in book), keys[-1])


def _compare_shown(key: tuple[str, str, str], sent: Sequence[Sms], found: Sequence[Event], verdict: Verdict) -> None:
    verdict.sms += len(found)
    what = f"{key[2]} of {key[0]} order {key[1]}"
    if len(found) < len(sent):
        verdict.disagreements.append(f"{what} was shown and is lost" if not found else f"one of equal {what} is lost")
    if len(found) > len(sent):
        verdict.disagreements.append(f"{what} has {len(found)} ids for {len(sent)} SMS")
    for sms, event in zip(sorted(sent, key=lambda each: each.index), found, strict=False):
        if sms.index == 0 or sms.kind == "rent":  # the others were hidden behind the one before them
            verdict.delays[sms.provider].append(to_epoch_ms(event["observed_at"]) / 1000 - sms.at)


def _compare_sequences(events: Sequence[Event], verdict: Verdict) -> None:
    """Within an order the sequences are 0, 1, 2 … in the order of the topic: nothing missing, nothing out of order."""
    sequences: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for event in events:
        sequences[event["provider"], event["order_kind"], event["order_id"]].append(event["sequence"])
    for (provider, _, order), seen in sequences.items():
        if seen != list(range(len(seen))):
            verdict.disagreements.append(f"{provider} order {order} has the sequence {seen}")
