"""Every sequence of the table, poll by poll, and again with a restart and a lost step at every place of it."""

import pytest

from pollers.tracking.advance import Step, acted, advance, opened, requested, withdrawn
from pollers.tracking.state import WatchState
from providers.observation import Observation
from schemas.identity import watch_id
from schemas.messages import SmsReceived, Watch, WatchEnded
from schemas.timestamps import to_text
from tests.unit.pollers.sequences import ASKED, SEQUENCES, After, Sequence

OPENED_MS = 1_795_368_000_000  # 2026-11-22T17:20:00Z
IDS = [f"{each.provider}-{each.kind}-{each.name}" for each in SEQUENCES]


def watch_of(sequence: Sequence) -> Watch:
    return Watch(
        watch_id=watch_id("shop", sequence.kind, "860"),
        account="shop",
        order_kind=sequence.kind,
        order_id="860",
        recipient="16470000000",
        opened_at=to_text(OPENED_MS),
        expires_at=to_text(OPENED_MS + int(sequence.lifetime * 1000)),
        history=sequence.history,
    )


def timed(sequence: Sequence) -> list[tuple[int, Observation | str]]:
    now_ms, answers = OPENED_MS, []
    for entry in sequence.answers:
        seconds, answer = (entry.seconds, entry.answer) if isinstance(entry, After) else (5, entry)
        now_ms += int(seconds * 1000)
        answers.append((now_ms, answer))
    return answers


def step(state: WatchState, now_ms: int, answer: Observation | str) -> Step:
    return acted(state, "next", "done", now_ms) if answer == ASKED else advance(state, answer, now_ms)


def play(sequence: Sequence, *, lost: int | None = None) -> tuple[list[SmsReceived | WatchEnded], WatchState]:
    """Return the messages and the last state; after step `lost` a crash: its state is lost, it is taken again."""
    state, messages = opened(watch_of(sequence), sequence.provider, OPENED_MS), []
    for place, (now_ms, answer) in enumerate(timed(sequence)):
        if place == lost:
            messages += step(state, now_ms, answer).messages
            state = WatchState.from_json(state.to_json())
        taken = step(state, now_ms, answer)
        messages += taken.messages
        state = taken.state
        assert taken.action is None, "by default an order is never touched"
    return messages, state


def told(messages: list[SmsReceived | WatchEnded]) -> list[str]:
    return [
        f"{said(each)} {each.freshness}".removesuffix(" live") for each in messages if isinstance(each, SmsReceived)
    ]


def said(sms: SmsReceived) -> str | None:
    # what the sequences name: the code of an activation if there is one, the text of a rent
    return sms.text if sms.order_kind == "rent" or sms.code is None else sms.code


@pytest.mark.parametrize("sequence", SEQUENCES, ids=IDS)
def test_a_sequence_of_answers_makes_its_events(sequence):
    messages, state = play(sequence)

    ends = [each.reason for each in messages if isinstance(each, WatchEnded)]
    assert told(messages) == sequence.events
    assert ends == ([sequence.ended] if sequence.ended else [])
    assert state.ended == sequence.ended


@pytest.mark.parametrize("sequence", SEQUENCES, ids=IDS)
def test_ids_differ_sequences_count_and_the_end_comes_last_with_the_count(sequence):
    messages, state = play(sequence)

    sms = [each for each in messages if isinstance(each, SmsReceived)]
    assert len({each.id for each in sms}) == len(sms) == state.sms_count
    assert [each.sequence for each in sms] == list(range(len(sms)))
    if sequence.ended:
        assert isinstance(messages[-1], WatchEnded)
        assert messages[-1].sms_count == len(sms)


@pytest.mark.parametrize("sequence", SEQUENCES, ids=IDS)
def test_a_step_that_is_taken_again_after_a_crash_makes_the_same_ids_and_the_same_state(sequence):
    messages, state = play(sequence)

    for lost in range(len(sequence.answers)):
        again, state_again = play(sequence, lost=lost)
        assert state_again == state
        assert list(dict.fromkeys(each.event_id for each in again)) == [each.event_id for each in messages]


@pytest.mark.parametrize("sequence", SEQUENCES, ids=IDS)
def test_a_revision_is_a_changed_state_and_an_unchanged_state_is_the_same_object(sequence):
    state = opened(watch_of(sequence), sequence.provider, OPENED_MS)

    for now_ms, answer in timed(sequence):
        after = step(state, now_ms, answer).state
        assert after is state or (after != state and after.revision == state.revision + 1)
        state = after


@pytest.mark.parametrize("sequence", [each for each in SEQUENCES if each.ended], ids=lambda each: each.name)
def test_an_ended_watch_says_nothing_more(sequence):
    _, state = play(sequence)
    stop = state.watch.model_copy(update={"desired": "stop", "request_id": "stop"})

    for now_ms, answer in timed(sequence):
        assert step(state, now_ms, answer) == Step(state)
        assert withdrawn(state, now_ms) == Step(state)
        assert requested(state, stop, now_ms).messages == ()
