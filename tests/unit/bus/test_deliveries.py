"""The ledger adds up after every step, everybody who waits is answered, and memory is bounded."""

import asyncio
from collections.abc import Callable

import pytest

from bus.contract import Ledger, NotDurable, Receipt
from bus.deliveries import Deliveries, PendingRecord
from bus.record import build
from tests.messages import rejected, sms

Step = Callable[[Deliveries], None]


def entry(n: int = 0, *, is_handoff: bool = False) -> PendingRecord:
    message = rejected(b"%d" % n) if is_handoff else sms(n=n)
    return PendingRecord(build(message, topic_prefix="", instance="i"), arrived=0.0, is_handoff=is_handoff)


def steps(*words: str) -> list[Step]:
    """The life of one record, in the words of its table."""
    one, letter = entry(), entry(is_handoff=True)
    known: dict[str, Step] = {
        "opened": lambda deliveries: deliveries.opened(one),
        "acknowledged": lambda deliveries: deliveries.in_kafka(one, "published"),
        "written": lambda deliveries: deliveries.in_journal(one),
        "found in the journal": lambda deliveries: deliveries.already_in_journal(one),
        "adopted": lambda deliveries: deliveries.adopted(1),
        "row acknowledged": lambda deliveries: deliveries.row_ended(one.record.id, "published"),
        "refused": lambda deliveries: deliveries.handed_over(one, letter.record.id),
        "row refused": lambda deliveries: deliveries.row_handed_over(one.record.id, letter.record.id),
        "letter acknowledged": lambda deliveries: deliveries.in_kafka(letter, "rejected"),
        "letter written": lambda deliveries: deliveries.in_journal(letter),
        "letter found in the journal": lambda deliveries: deliveries.already_in_journal(letter),
        "letter's row acknowledged": lambda deliveries: deliveries.row_ended(letter.record.id, "rejected"),
        "row skipped": lambda deliveries: deliveries.row_ended(one.record.id, "skipped"),
        "letter's row skipped": lambda deliveries: deliveries.row_ended(letter.record.id, "skipped"),
        "full": lambda deliveries: deliveries.not_durable(one, "full", cause="lane_full", dropped=True),
    }
    return [known[word] for word in words]


@pytest.mark.parametrize(
    ("words", "ledger"),
    [
        (["opened"], Ledger()),
        (["opened", "full"], Ledger()),
        (["opened", "acknowledged"], Ledger(accepted=1, published=1)),
        (["opened", "written"], Ledger(accepted=1, pending=1)),
        (["opened", "written", "row acknowledged"], Ledger(accepted=1, published=1)),
        (["opened", "written", "row skipped"], Ledger(accepted=1, skipped=1)),
        (["adopted"], Ledger(adopted=1, pending=1)),
        (["adopted", "row skipped"], Ledger(adopted=1, skipped=1)),
        (["adopted", "row acknowledged"], Ledger(adopted=1, published=1)),
        (["adopted", "opened", "found in the journal"], Ledger(adopted=1, pending=1, duplicates=1)),
        (
            ["adopted", "opened", "found in the journal", "row acknowledged"],
            Ledger(adopted=1, published=1, duplicates=1),
        ),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, list) else "",
)
async def test_the_ledger_is_balanced_after_every_step(words: list[str], ledger: Ledger) -> None:
    deliveries = Deliveries(remember=10)

    for step in steps(*words):
        step(deliveries)
        assert deliveries.ledger.balanced

    assert deliveries.ledger == ledger


@pytest.mark.parametrize(
    ("words", "ledger"),
    [
        (["opened", "letter acknowledged", "refused"], Ledger(accepted=1, rejected=1)),
        (["opened", "letter written", "refused"], Ledger(accepted=1, pending=1)),
        (["opened", "letter written", "refused", "letter's row acknowledged"], Ledger(accepted=1, rejected=1)),
        (["opened", "written", "letter acknowledged", "row refused"], Ledger(accepted=1, rejected=1)),
        (["adopted", "letter acknowledged", "row refused"], Ledger(adopted=1, rejected=1)),
        (["adopted", "letter written", "row refused", "letter's row acknowledged"], Ledger(adopted=1, rejected=1)),
        (["opened", "letter written", "letter's row skipped", "refused"], Ledger(accepted=1, skipped=1)),
        (["opened", "letter written", "refused", "letter's row skipped"], Ledger(accepted=1, skipped=1)),
        # The process died between the two, and both rows were adopted.
        (
            ["adopted", "adopted", "letter found in the journal", "row refused", "letter's row acknowledged"],
            Ledger(adopted=2, rejected=2),
        ),
        (["adopted", "letter written", "letter's row acknowledged", "row refused"], Ledger(adopted=1, rejected=1)),
        # Its dead letter was written, then it spilled.
        (["opened", "letter acknowledged", "written", "row refused"], Ledger(accepted=1, rejected=1)),
        # An orphan's row of the dead letter is drained beside our own.
        (
            [
                *("adopted", "adopted", "letter written", "letter's row acknowledged", "letter's row acknowledged"),
                "row refused",
            ],
            Ledger(adopted=2, rejected=2),
        ),
        # Refused once more, after its id was forgotten.
        (
            ["opened", "letter acknowledged", "refused", "opened", "refused"],
            Ledger(accepted=2, rejected=2),
        ),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, list) else "",
)
async def test_a_refused_record_and_its_dead_letter_are_one_rejected_message(words: list[str], ledger: Ledger) -> None:
    deliveries = Deliveries(remember=10)

    for step in steps(*words):
        step(deliveries)
        assert deliveries.ledger.balanced

    assert deliveries.ledger == ledger


async def test_everybody_who_gives_an_id_under_way_gets_the_same_receipt_the_later_ones_as_duplicates() -> None:
    deliveries, one = Deliveries(remember=10), entry()
    first = one.wait()
    deliveries.opened(one)
    second = deliveries.known(one.record.id)
    assert isinstance(second, asyncio.Future)

    deliveries.in_kafka(one, "published")

    receipts = [await first, await second]
    assert [(receipt.id, receipt.via, receipt.duplicate) for receipt in receipts] == [
        (one.record.id, "kafka", False),
        (one.record.id, "kafka", True),
    ]
    assert deliveries.ledger == Ledger(accepted=1, published=1, duplicates=1)


async def test_a_caller_who_gave_up_disturbs_nobody_and_still_counts_as_one() -> None:
    deliveries, one = Deliveries(remember=10), entry()
    first, second = one.wait(), one.wait(duplicate=True)
    deliveries.opened(one)
    first.cancel()

    deliveries.in_journal(one)

    assert (await second).via == "journal"
    assert deliveries.ledger == Ledger(accepted=1, pending=1, duplicates=1)


async def test_a_durable_id_is_answered_from_memory_with_the_way_it_went() -> None:
    deliveries, one = Deliveries(remember=10), entry()
    deliveries.opened(one)
    deliveries.in_journal(one)

    receipt = deliveries.known(one.record.id)

    assert isinstance(receipt, Receipt)
    assert (receipt.via, receipt.duplicate) == ("journal", True)


async def test_nothing_is_remembered_as_durable_before_it_is() -> None:
    deliveries, one = Deliveries(remember=10), entry()
    deliveries.opened(one)

    deliveries.not_durable(one, "full", cause="lane_full", dropped=True)

    assert deliveries.known(one.record.id) is None


async def test_a_record_in_flight_that_was_not_promised_is_still_shared() -> None:
    deliveries, one = Deliveries(remember=10), entry()
    refused = one.wait()
    deliveries.opened(one)

    deliveries.not_durable(one, "no disk", cause="journal_unwritable", dropped=False)
    with pytest.raises(NotDurable, match="no disk"):
        await refused
    again = deliveries.known(one.record.id)
    deliveries.in_kafka(one, "published")

    assert isinstance(again, asyncio.Future)
    assert (await again).duplicate
    assert deliveries.ledger == Ledger(accepted=1, published=1, duplicates=1, not_durable=1)
    assert {cause for cause, count in deliveries.not_durable_by_cause.items() if count} == {"journal_unwritable"}


async def test_the_oldest_durable_id_is_forgotten_first_and_a_repeat_makes_an_id_young() -> None:
    deliveries, entries = Deliveries(remember=2), [entry(n) for n in range(3)]
    for one in entries[:2]:
        deliveries.opened(one)
        deliveries.in_kafka(one, "published")
    deliveries.known(entries[0].record.id)

    deliveries.opened(entries[2])
    deliveries.in_kafka(entries[2], "published")

    assert [deliveries.known(one.record.id) is not None for one in entries] == [True, False, True]


@pytest.mark.parametrize(
    ("ended_by", "outcome"), [("acknowledged", "published"), ("refused", "rejected"), ("skipped", "skipped")]
)
async def test_a_receipt_given_before_the_end_learns_the_end(ended_by: str, outcome: str) -> None:
    deliveries, one = Deliveries(remember=10), entry()
    waiter = one.wait()
    deliveries.opened(one)
    deliveries.in_journal(one)
    published = asyncio.ensure_future((await waiter).published)
    await asyncio.sleep(0)
    assert not published.done()

    if ended_by == "acknowledged":
        deliveries.row_ended(one.record.id, "published")
    elif ended_by == "skipped":
        deliveries.row_ended(one.record.id, "skipped")
    else:
        deliveries.row_handed_over(one.record.id, "letter")

    assert await published == outcome


async def test_the_end_of_a_row_reaches_everybody_who_holds_its_receipt_although_the_id_is_forgotten() -> None:
    deliveries, one, other = Deliveries(remember=1), entry(0), entry(1)
    waiter = one.wait()
    for each in (one, other):
        deliveries.opened(each)
        deliveries.in_journal(each)
    receipt = await waiter
    assert deliveries.known(one.record.id) is None

    deliveries.row_ended(one.record.id, "published")

    assert await asyncio.wait_for(receipt.published, 1) == "published"


async def test_who_gives_up_waiting_for_the_end_does_not_end_it_for_others() -> None:
    deliveries, one = Deliveries(remember=10), entry()
    waiters = [one.wait(), one.wait(duplicate=True)]
    deliveries.opened(one)
    deliveries.in_journal(one)
    first, second = [asyncio.ensure_future((await waiter).published) for waiter in waiters]
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)

    deliveries.row_ended(one.record.id, "published")

    assert await asyncio.wait_for(second, 1) == "published"


@pytest.mark.parametrize("missing", ["accepted", "adopted", "published", "pending", "rejected", "skipped"])
def test_a_ledger_that_lost_or_invented_one_is_not_balanced(missing: str) -> None:
    ledger = Ledger(accepted=5, adopted=5, published=4, pending=2, rejected=3, skipped=1, duplicates=7, not_durable=9)
    assert ledger.balanced

    setattr(ledger, missing, getattr(ledger, missing) - 1)

    assert not ledger.balanced


@pytest.mark.parametrize("way", [["opened", "refused"], ["opened", "written", "row refused"]])
def test_what_kafka_refused_is_tried_again_when_it_comes_again_and_has_ended(way: list[str]) -> None:
    """Somebody may have raised `max.message.bytes`: a duplicate would never be published."""
    deliveries, record_id = Deliveries(remember=10), entry().record.id

    async def live() -> None:
        for step in steps(*way):
            step(deliveries)

    asyncio.run(live())
    assert deliveries.known(record_id) is None
    assert deliveries.has_ended(record_id)
