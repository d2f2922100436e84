"""What was found, for people and for programs. Neither has a number, a code or a text."""

import json
from collections.abc import Iterator
from typing import Any, Final

from app.sms_line import printable
from app.trace.searching import TOPICS, Event, Place, Round
from app.trace.waiting_rows import Waiting
from forwarding.letters import STAGE
from schemas.timestamps import nearest_text, to_text
from schemas.topics import RECEIVED, REJECTED, WATCH_ENDED

TYPES: Final = {RECEIVED: "received", REJECTED: "rejected", WATCH_ENDED: "watch_ended"}
WAYS: Final = {"kafka": "directly", "journal": "after it waited in the journal", "replay": "by a replay"}
Refusals = dict[str, dict[str, dict[str, Any]]]
FACTS: Final = ("freshness", "stage", "reason", "watch_id", "order_kind", "order_id", "sequence")


def as_json(found: Round, waiting: Waiting) -> dict[str, Any]:
    """Return it for JSON."""
    refused = _refused(found)
    return {
        "events": [_facts(event, refused) for event in _events(found)],
        "waiting": waiting.rows,
        "since": to_text(found.since_ms) if found.since_ms is not None else None,
        "whole": found.whole,
        "not_seen": waiting.unseen,
    }


def lines(found: Round, waiting: Waiting, at_most: int) -> Iterator[str]:
    """Yield it for people: the newest `at_most` SMS, and all else."""
    refused = _refused(found)
    for event in _events(found, at_most):
        yield from _lines(_facts(event, refused))
    for row in waiting.rows:
        at = f"accepted {to_text(row['timestamp_ms'] or 0)}, for {row['topic']}/{row['partition']}"
        yield printable(f"waits for Kafka: {row['id']}, {at}, row {row['seq']} of journal {row['journal']}")


def limits(found: Round, waiting: Waiting, at_most: int | None) -> Iterator[str]:
    """Yield what was not looked at, or is not shown: of more SMS than so many. None: all are shown."""
    if at_most is not None and len(found.of(RECEIVED)) > at_most:
        yield f"only the newest {at_most} of {len(found.of(RECEIVED))} SMS are shown: -n shows more"
    since = "the beginning of the topics" if found.since_ms is None else to_text(found.since_ms)
    if not found.whole:
        yield f"time ran out: not all since {since} was read. --seconds gives it more, a later --since less to do"
    elif found.since_ms is not None:
        yield f"read since {since}: an earlier --since, like 7d, reads further back"
    yield from (f"not seen: {line}" for line in waiting.unseen)


def _events(found: Round, at_most: int | None = None) -> list[Event]:
    """Return the events in the order of their first records, of SMS the last ones."""
    kept = [event for topic in TOPICS for event in (found.of(topic)[-at_most:] if at_most else found.of(topic))]
    return sorted(kept, key=lambda event: event.item.time_ms)


def _refused(found: Round) -> Refusals:
    """Return for the id of each event which targets refused it, with the reason and the dead letter's id."""
    refused: Refusals = {}
    for letter in (json.loads(event.item.value) for event in found.of(REJECTED)):
        if facts := _of_forwarding(letter):
            outcome = {"reason": letter.get("reason"), "letter": letter.get("id")}
            refused.setdefault(facts["refused_id"], {})[facts["forward"]] = outcome
    return refused


def _of_forwarding(content: dict[str, Any]) -> dict[str, str] | None:
    """Return of the dead letter of a target which target refused what; None: it is something else."""
    facts = content.get("facts") if content.get("stage") == STAGE else None
    return {name: str(facts.get(name)) for name in ("forward", "refused_id")} if isinstance(facts, dict) else None


def _facts(event: Event, refused: Refusals) -> dict[str, Any]:
    item, content = event.item, json.loads(event.item.value)
    first = event.places[0]
    at = content.get("observed_at") or content.get("ended_at")
    return {
        "type": TYPES[item.part.topic],
        "id": item.id,
        "provider": item.provider,
        "account": item.account,
        **{name: content[name] for name in FACTS if content.get(name) is not None},
        "accepted": {"at": at, "instance": first.instance, "via": first.via},
        "records": [_record(item.part.topic, place) for place in event.places],
        "repeats": len(event.places) - 1,
        "forwards": event.forwards,
        "refused": refused.get(item.id, {}),
        **(_of_forwarding(content) or {}),
    }


def _record(topic: str, place: Place) -> dict[str, Any]:
    return {
        "topic": topic,
        "partition": place.partition,
        "offset": place.offset,
        "timestamp": nearest_text(place.timestamp_ms),
        "via": place.via,
        "instance": place.instance,
    }


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    words = [str(facts[name]) for name in ("freshness", "stage", "reason") if name in facts]
    yield printable(" ".join([facts["type"], facts["id"], f"{facts['provider']}/{facts['account']}", *words]))
    what = "ended   " if facts["type"] == TYPES[WATCH_ENDED] else "accepted"
    yield printable(f"  {what}  {facts['accepted']['at']} by {facts['accepted']['instance'] or '?'}")
    for name, record in zip(("Kafka ", *["repeat"] * facts["repeats"]), facts["records"], strict=True):
        yield printable(f"  {name}    {_place(record)}")
    if "watch_id" in facts:
        nth = f", SMS {facts['sequence']}" if "sequence" in facts else ""
        order = f"{facts.get('order_kind', 'order')} {facts.get('order_id', '?')}"
        yield printable(f"  watch     {facts['watch_id']}: {order}{nth}")
    if "refused_id" in facts:
        yield printable(f"  refused   by {facts['forward']}: {facts['refused_id']}")
    refused = facts["refused"]
    for name, is_passed in {**dict.fromkeys(refused, True), **(facts["forwards"] or {})}.items():
        outcome = "passed" if is_passed else "not yet"
        if name in refused:
            outcome = f"refused ({refused[name]['reason']}), dead letter {refused[name]['letter']}"
        yield printable(f"  forward   {name}: {outcome}")


def _place(record: dict[str, Any]) -> str:
    way = WAYS.get(record["via"], record["via"] or "nobody knows how")
    return f"{record['topic']}/{record['partition']}@{record['offset']}, {way}, {record['timestamp']}"
