"""What a trace prints: all that is known, and neither number nor code nor text."""

import json

from app.trace.report import as_json, limits, lines
from app.trace.searching import Round
from app.trace.waiting_rows import Waiting
from bus.kafka.reader import ReadRecord
from bus.kafka.topics_reader import Part
from bus.record import partition_of
from inbox.item import Item
from schemas.messages import Message
from schemas.topics import RECEIVED
from tests.messages import rejected, sms
from tests.unit.app.trace.trace_records import NOW_MS, end_of, record

NUMBER = "16470000000"
AT = "2026-11-18T11:06:40.000Z"
WATCHED = sms(NUMBER, 1, text="your code is 471147").model_copy(
    update={"watch_id": "w", "order_id": "7", "order_kind": "activation", "sequence": 0}
)


def partition(message: Message) -> int:
    return partition_of(message.key().encode())


def found_of(*messages: Message, **more: object) -> Round:
    found = Round(None, whole=True)
    for offset, message in enumerate(messages):
        each = record(message, offset, **more)
        item = Item.of(Part(message.TOPIC, each.partition), each)
        assert item is not None
        found.add(message.TOPIC, item, each)
    return found


def test_people_see_when_where_how_often_and_of_which_watch() -> None:
    found = found_of(WATCHED, WATCHED, rejected(b"hello"), end_of("w"))
    row = {"journal": "j", "seq": 7, "id": "i", "topic": "sms.received.v1", "partition": 3, "timestamp_ms": NOW_MS}

    assert [*lines(found, Waiting([row]), 20)] == [
        f"received {WATCHED.id} pingme/shop live",
        f"  accepted  {AT} by one",
        f"  Kafka     sms.received.v1/{partition(WATCHED)}@0, directly, {AT}",
        f"  repeat    sms.received.v1/{partition(WATCHED)}@1, directly, {AT}",
        "  watch     w: activation 7, SMS 0",
        f"rejected {rejected(b'hello').id} pingme/shop parse not_json",
        f"  accepted  {AT} by one",
        f"  Kafka     sms.rejected.v1/{partition(rejected(b'hello'))}@2, directly, {AT}",
        f"watch_ended {end_of('w').event_id} grizzlysms/pool expired",
        f"  ended     {AT} by one",
        f"  Kafka     sms.watch-ended.v1/{partition(end_of('w'))}@3, directly, {AT}",
        "  watch     w: activation 7",
        f"waits for Kafka: i, accepted {AT}, for sms.received.v1/3, row 7 of journal j",
    ]


def test_what_a_target_refused_is_said_with_its_dead_letter_and_the_letter_names_both() -> None:
    facts = {"forward": "orders", "refused_id": WATCHED.id, "refused_topic": RECEIVED, "place": "1@0"}
    letter = rejected(WATCHED.to_json()).model_copy(update={"stage": "forward", "reason": "http_422", "facts": facts})
    found = found_of(WATCHED, letter)
    found.of(RECEIVED)[0].forwards = {"mine": True, "orders": True, "slow": False}

    shown = [*lines(found, Waiting(), 20)]
    events = as_json(found, Waiting())["events"]

    assert [line for line in shown if "  forward" in line or "  refused" in line] == [
        f"  forward   orders: refused (http_422), dead letter {letter.id}",
        "  forward   mine: passed",
        "  forward   slow: not yet",
        f"  refused   by orders: {WATCHED.id}",
    ]
    assert events[0]["refused"] == {"orders": {"reason": "http_422", "letter": letter.id}}
    assert (events[1]["forward"], events[1]["refused_id"]) == ("orders", WATCHED.id)


def test_programs_see_the_same() -> None:
    report = as_json(found_of(WATCHED, WATCHED), Waiting(unseen=["a journal"]))

    assert report["events"][0]["accepted"] == {"at": AT, "instance": "one", "via": "kafka"}
    assert [each["offset"] for each in report["events"][0]["records"]] == [0, 1]
    assert report["events"][0]["repeats"] == 1
    assert (report["since"], report["whole"], report["not_seen"]) == (None, True, ["a journal"])


def test_neither_number_nor_code_nor_text_is_shown() -> None:
    found = found_of(WATCHED, rejected(NUMBER.encode()), end_of("w", NUMBER))

    everything = "\n".join(lines(found, Waiting(), 20)) + json.dumps(as_json(found, Waiting()))
    assert [secret for secret in (NUMBER, "471147", "your code") if secret in everything] == []


def test_a_record_of_another_program_is_shown_as_it_is() -> None:
    part, odd = Part(RECEIVED, 0), {"id": "x", "provider": "p", "account": "a", "freshness": 7, "watch_id": {"a": 1}}
    found = Round(None, whole=True)
    for offset, time_ms in enumerate((-1, 2**62)):
        each = ReadRecord(0, offset, time_ms, b"", json.dumps(odd).encode(), {})
        item = Item.of(part, each)
        assert item is not None
        found.add(RECEIVED, item, each)

    shown = [*lines(found, Waiting(), 20)]

    assert shown[0] == "received x p/a 7"
    assert shown[3] == "  repeat    sms.received.v1/0@1, nobody knows how, 9999-12-31T23:59:59.999Z"
    assert as_json(found, Waiting())["events"][0]["watch_id"] == {"a": 1}


def test_of_many_the_newest_are_shown_and_the_others_counted() -> None:
    found = found_of(*(sms(NUMBER, n) for n in range(5)))

    shown = [line for line in lines(found, Waiting(), 2) if line.startswith("received")]
    assert shown == [f"received {sms(NUMBER, n).id} pingme/shop live" for n in (3, 4)]
    assert [*limits(found, Waiting(), 2)] == ["only the newest 2 of 5 SMS are shown: -n shows more"]
    assert [*limits(found, Waiting(), None)] == []


def test_a_replay_is_said_to_be_one() -> None:
    assert any("by a replay" in line for line in lines(found_of(WATCHED, via="replay"), Waiting(), 20))


def test_control_characters_of_strangers_do_not_reach_the_terminal() -> None:
    found = found_of(end_of("w\x1b[31m"))

    assert "\x1b" not in "".join(lines(found, Waiting(), 20))


def test_it_says_what_was_not_read() -> None:
    some = Round(NOW_MS, whole=True)
    part = Round(NOW_MS)

    assert [*limits(some, Waiting(unseen=["it is held"]), 20)] == [
        f"read since {AT}: an earlier --since, like 7d, reads further back",
        "not seen: it is held",
    ]
    assert [*limits(part, Waiting(), 20)] == [
        f"time ran out: not all since {AT} was read. --seconds gives it more, a later --since less to do"
    ]
    assert some.of(RECEIVED) == []
