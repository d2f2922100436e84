"""The demo's verdict must be able to say no."""

import base64
import json

import pytest

from app.demo.reconcile import reconcile
from sandbox.pingme import CallbackResponse, Entry
from sandbox.sms import Sms

NONCES = ("BBBBBBBB", "CCCCCCCC", "DDDDDDDD")


def entry(order: int, *, kind: str = "sms", status: int = 200) -> Entry:
    answer = CallbackResponse(status, "accepted", f"id-{order}" if kind == "sms" else None)
    return Entry(NONCES[order], "12015550100", order, kind, 0.0, [answer])


def event(order: int, *, event_id: str | None = None) -> bytes:
    return as_event(event_id or f"id-{order}", text=f"code is 123456. ref {NONCES[order]}")


def as_event(event_id: str, **more: object) -> bytes:
    known = {
        "id": event_id,
        "received_via": "callback",
        "stage": "parse",
        "observed_at": "2026-01-01T00:00:01.000Z",
        "code": None,
    }
    return json.dumps(known | more).encode()


def letter(order: int) -> bytes:
    body = base64.b64encode(f'{{"text": "ref {NONCES[order]}'.encode()).decode()
    return as_event(f"dead-{order}", body_base64=body)


def test_what_was_sent_once_and_arrived_once_in_order_agrees() -> None:
    book = [entry(0), entry(1), entry(2, kind="malformed")]

    verdict = reconcile(book, [], [event(0), event(1)], [letter(2)])

    assert verdict.agrees
    assert (verdict.sms, verdict.dead_letters, verdict.repeats) == (2, 1, 0)


def test_a_sample_of_an_unknown_shape_is_no_callback_that_was_never_sent() -> None:
    body = base64.b64encode(b'{"day": "2026-11-28", "unknown": ["data"]}').decode()
    sample = as_event("sample", stage="shape", body_base64=body)

    verdict = reconcile([entry(2, kind="malformed")], [], [], [letter(2), sample])

    assert (verdict.disagreements, verdict.dead_letters, verdict.samples) == ([], 1, 1)


def test_a_repeat_with_the_same_id_is_counted_and_agrees() -> None:
    verdict = reconcile([entry(0), entry(1)], [], [event(0), event(1), event(0)], [])

    assert verdict.agrees
    assert verdict.repeats == 1


def test_what_was_not_promised_may_be_missing() -> None:
    assert reconcile([entry(0, status=503)], [], [], []).agrees


@pytest.mark.parametrize(
    ("received", "rejected", "said"),
    [
        ([event(0)], [letter(2)], "CCCCCCCC was answered 200 and is lost"),
        ([event(0), event(1)], [], "DDDDDDDD was answered 200 and is lost"),
        ([event(0), event(1), event(1, event_id="other")], [letter(2)], "CCCCCCCC has 2 ids"),
        ([event(0), event(1, event_id="other")], [letter(2)], "answered with an id that the topic does not have"),
        ([event(1), event(0)], [letter(2)], "BBBBBBBB came after a later SMS of its number"),
        ([event(0), event(1), as_event("x", text="hello")], [letter(2)], "event x was never sent"),
    ],
    ids=["lost SMS", "lost dead letter", "two ids for one SMS", "changed id", "swapped pair", "invented"],
)
def test_whatever_is_wrong_is_said(received: list[bytes], rejected: list[bytes], said: str) -> None:
    verdict = reconcile([entry(0), entry(1), entry(2, kind="malformed")], [], received, rejected)

    assert not verdict.agrees
    assert any(said in sentence for sentence in verdict.disagreements)


def shown(index: int, nonce: str, *, kind: str = "activation") -> Sms:
    return Sms("grizzlysms", kind, "38", "15015550100", index, nonce, nonce, "", "", float(index), shown=index + 1.0)


def polled(sequence: int, code: str, *, event_id: str | None = None, order: str = "38") -> bytes:
    return as_event(
        event_id or f"p-{sequence}",
        received_via="poll",
        provider="grizzlysms",
        order_kind="activation",
        order_id=order,
        sequence=sequence,
        text=None,
        code=code,
    )


def test_what_was_shown_is_there_once_in_order_and_its_delay_is_known() -> None:
    verdict = reconcile([], [shown(0, "1111"), shown(1, "2222")], [polled(0, "1111"), polled(1, "2222")], [])

    assert verdict.agrees
    assert verdict.sms == 2
    assert len(verdict.delays["grizzlysms"]) == 1


def test_a_delay_that_two_clocks_round_below_zero_is_none() -> None:
    verdict = reconcile([], [], [], [])
    verdict.delays["pingme"] = [-0.001]

    assert verdict.delay_lines() == ["delay pingme median=0.00 p95=0.00 s"]


def test_two_sms_of_equal_codes_are_two_ids() -> None:
    book = [shown(0, "1111"), shown(1, "1111")]

    assert reconcile([], book, [polled(0, "1111"), polled(1, "1111")], []).agrees
    assert not reconcile([], book, [polled(0, "1111")], []).agrees


@pytest.mark.parametrize(
    ("received", "said"),
    [
        ([polled(0, "1111")], "2222 of grizzlysms order 38 was shown and is lost"),
        ([polled(0, "1111"), polled(1, "2222"), polled(2, "2222")], "has 2 ids for 1 SMS"),
        ([polled(1, "2222"), polled(0, "1111")], "has the sequence [1, 0]"),
        ([polled(0, "1111"), polled(1, "2222"), polled(0, "3333", event_id="x", order="9")], "event x was never shown"),
    ],
    ids=["lost", "two ids", "swapped", "invented"],
)
def test_whatever_is_wrong_with_a_poll_is_said(received: list[bytes], said: str) -> None:
    verdict = reconcile([], [shown(0, "1111"), shown(1, "2222")], received, [])

    assert any(said in sentence for sentence in verdict.disagreements)
