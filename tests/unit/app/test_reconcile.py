"""The demo's verdict must be able to say no."""

import base64
import json

import pytest

from app.reconcile import reconcile
from sandbox.pingme import Answer, Entry

NONCES = ("BBBBBBBB", "CCCCCCCC", "DDDDDDDD")


def entry(order: int, *, kind: str = "sms", status: int = 200) -> Entry:
    answer = Answer(status, "accepted", f"id-{order}" if kind == "sms" else None)
    return Entry(NONCES[order], "12015550100", order, kind, 0.0, [answer])


def event(order: int, *, event_id: str | None = None) -> bytes:
    return json.dumps({"id": event_id or f"id-{order}", "text": f"code is 123456. ref {NONCES[order]}"}).encode()


def letter(order: int) -> bytes:
    body = base64.b64encode(f'{{"text": "ref {NONCES[order]}'.encode()).decode()
    return json.dumps({"id": f"dead-{order}", "body_base64": body}).encode()


def test_what_was_sent_once_and_arrived_once_in_order_agrees() -> None:
    book = [entry(0), entry(1), entry(2, kind="malformed")]

    verdict = reconcile(book, [event(0), event(1)], [letter(2)])

    assert verdict.agrees
    assert (verdict.sms, verdict.dead_letters, verdict.repeats) == (2, 1, 0)


def test_a_repeat_with_the_same_id_is_counted_and_agrees() -> None:
    verdict = reconcile([entry(0), entry(1)], [event(0), event(1), event(0)], [])

    assert verdict.agrees
    assert verdict.repeats == 1


def test_what_was_not_promised_may_be_missing() -> None:
    assert reconcile([entry(0, status=503)], [], []).agrees


@pytest.mark.parametrize(
    ("received", "rejected", "said"),
    [
        ([event(0)], [letter(2)], "CCCCCCCC was answered 200 and is lost"),
        ([event(0), event(1)], [], "DDDDDDDD was answered 200 and is lost"),
        ([event(0), event(1), event(1, event_id="other")], [letter(2)], "CCCCCCCC has 2 ids"),
        ([event(0), event(1, event_id="other")], [letter(2)], "answered with an id that the topic does not have"),
        ([event(1), event(0)], [letter(2)], "BBBBBBBB came after a later SMS of its number"),
        ([event(0), event(1), b'{"id": "x", "text": "hello"}'], [letter(2)], "event x was never sent"),
    ],
    ids=["lost SMS", "lost dead letter", "two ids for one SMS", "changed id", "swapped pair", "invented"],
)
def test_whatever_is_wrong_is_said(received: list[bytes], rejected: list[bytes], said: str) -> None:
    verdict = reconcile([entry(0), entry(1), entry(2, kind="malformed")], received, rejected)

    assert not verdict.agrees
    assert any(said in sentence for sentence in verdict.disagreements)
