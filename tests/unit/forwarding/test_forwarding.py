"""Forwarding in virtual time: what a target that is down, slow or in the wrong means for each partition."""

import asyncio
import base64
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from structlog.testing import capture_logs

from bus.kafka.group_reader import Share
from forwarding.delivery import NoResponse, Pause, Refuse, Response, Stop
from forwarding.metrics import ForwardMetrics
from inbox.filters import Filter
from inbox.item import Item
from schemas.topics import REJECTED
from tests.forwarding_part import WEEK_MS, Letters, Partition, Reader, Target, forward_of
from tests.inbox_records import NOW_MS
from tests.virtual_time import virtual

HOUR = 3600.0


async def run_for(forward, seconds: float) -> asyncio.Task[None]:
    """Run it for so long; it goes on."""
    running = asyncio.ensure_future(forward.run())
    await asyncio.wait([running], timeout=seconds)
    return running


async def ended(running: asyncio.Task[None]) -> None:
    running.cancel()
    await asyncio.wait([running])


@virtual
async def test_every_event_is_sent_once_and_in_order():
    partition, target = Partition(), Target()
    ids = partition.publish(250)
    reader = Reader(partition)
    forward = forward_of(reader, target)

    running = await run_for(forward, 60)
    ids += partition.publish(3)
    await asyncio.sleep(60)
    await ended(running)

    assert target.taken == ids
    assert (forward.sent, partition.committed, forward.lag) == (253, 253, 0)
    registry = CollectorRegistry()
    ForwardMetrics([forward], registry)
    at = registry.get_sample_value("smsbus_forward_last_sent_timestamp_seconds", {"forward": "hook"})
    assert at == NOW_MS / 1000


@virtual
async def test_a_target_that_is_down_for_a_day_is_waited_for_and_other_partitions_go_on():
    slow, other, began = Partition(0), Partition(1), asyncio.get_running_loop().time()

    def answer(event_id: str) -> Response | NoResponse:
        is_down = event_id.startswith("0@") and asyncio.get_running_loop().time() < began + 24 * HOUR
        return NoResponse("connect") if is_down else Response(200)

    target = Target(answer)
    ids = slow.publish(3) + other.publish(3)
    forward = forward_of(Reader(slow, other), target)

    with capture_logs() as log:
        running = await run_for(forward, 23 * HOUR)
        assert target.taken == ids[3:]
        assert forward.degraded() == ("forward_waiting:hook",)
        await asyncio.sleep(2 * HOUR)
        await ended(running)

    assert target.taken == [*ids[3:], *ids[:3]]
    assert 24 * 60 - 10 < len(target.asked) < 24 * 60 + 20  # once a minute
    assert forward.degraded() == ()
    assert [line["event"] for line in log] == ["forward_waiting", "forward_waiting_no_more"]
    assert (log[0]["forward"], log[0]["reason"]) == ("hook", "connect")


@virtual
async def test_an_event_that_is_refused_becomes_a_dead_letter_and_the_next_one_is_sent():
    partition, letters = Partition(), Letters(away=2)
    first, second = partition.publish(2)
    target = Target(lambda event_id: Response(422 if event_id == first else 200))
    forward = forward_of(Reader(partition), target, letters)

    await ended(await run_for(forward, 60))

    assert [event_id for _, event_id in target.asked] == [first] * 5 + [second]
    assert (forward.sent, forward.refused, partition.committed) == (1, 1, 2)
    letter = letters.put_there[0]
    assert (letter.stage, letter.reason, letter.provider, letter.account) == ("forward", "http_422", "pingme", "shop")
    assert base64.b64decode(letter.body_base64 or "") == partition.records[0].value
    assert letter.facts == {
        "forward": "hook", "refused_id": first, "refused_topic": "sms.received.v1", "place": "0@0"
    }  # fmt: skip
    assert (letter.TOPIC, letter.body_complete) == (REJECTED, True)


@virtual
async def test_that_an_event_is_refused_is_said_once_its_dead_letter_is_in_kafka():
    partition, letters, said = Partition(), Letters(away=2), list[int]()
    partition.publish(1)

    def on_step(_: Item, step: object) -> None:
        if isinstance(step, Refuse):
            said.append(len(letters.put_there))

    target = Target(lambda _: Response(422))
    await ended(await run_for(forward_of(Reader(partition), target, letters, on_step=on_step), 60))

    assert said == [1]


@virtual
async def test_while_a_dead_letter_cannot_be_written_what_follows_waits():
    partition, letters = Partition(), Letters(away=1000)
    first, _ = partition.publish(2)
    target = Target(lambda event_id: Response(422 if event_id == first else 200))
    forward = forward_of(Reader(partition), target, letters)

    with capture_logs() as log:
        await ended(await run_for(forward, 60))

    assert {event_id for _, event_id in target.asked} == {first}
    assert (forward.refused, partition.committed) == (0, 0)
    assert [line["event"] for line in log] == ["forward_letter_waits"]


@virtual
async def test_a_dead_letter_s_id_is_that_of_the_event_and_the_target():
    letters = Letters()
    for name in ("hook", "hook", "other"):
        partition = Partition()
        partition.publish(1)
        forward = forward_of(Reader(partition), Target(lambda _: Response(404)), letters)
        forward.name = name
        await ended(await run_for(forward, 60))
    ids = [letter.id for letter in letters.put_there]

    assert ids[0] == ids[1] != ids[2]


@virtual
async def test_410_stops_the_target_and_keeps_the_progress():
    partition = Partition()
    ids = partition.publish(3)
    target = Target(lambda event_id: Response(410 if event_id == ids[1] else 200))
    forward = forward_of(Reader(partition, other := Partition(1)), target)

    with capture_logs() as log:
        running = await run_for(forward, 60)
        other.publish(2)
        await asyncio.sleep(60)
    await ended(running)

    assert (partition.committed, other.committed, target.taken) == (1, 0, ids[:1])
    assert len(target.asked) == 2
    assert forward.degraded() == ("forward_stopped:hook",)
    assert [line["event"] for line in log] == ["forward_stopped"]


@virtual
async def test_what_waits_for_a_target_that_is_gone_is_measured_until_kafka_deletes_it():
    reader = Reader(partition := Partition())
    partition.publish(2)
    began, loop = NOW_MS / 1000 - asyncio.get_running_loop().time(), asyncio.get_running_loop()
    forward = forward_of(reader, Target(lambda _: Response(410)), now=lambda: began + loop.time())
    running = await run_for(forward, HOUR)
    partition.publish(3)
    reader.commit()
    gone = forward.lag, forward.ms_until_deleted, forward.degraded()
    await asyncio.sleep(6 * 24 * HOUR)

    assert gone == (5, WEEK_MS - HOUR * 1000, ("forward_stopped:hook",))
    assert forward.degraded() == ("forward_stopped:hook", "forward_expiring:hook")
    await ended(running)


@virtual
async def test_a_410_that_comes_while_its_partition_is_given_up_stops_the_target():
    target = Target(lambda _: Response(410), seconds=0.5)
    partition, steps = Partition(), list[object]()
    partition.publish(1)
    forward = forward_of(Reader(partition), target, on_step=lambda _, step: steps.append(step))

    await ended(await run_for(forward, 0.1))

    assert (forward.stopped, steps, partition.committed) == (True, [Stop()], 0)


@virtual
async def test_a_refusal_is_told_with_its_dead_letter_when_that_is_in_kafka():
    steps = list[object]()
    partition, letters = Partition(), Letters(away=1)
    partition.publish(1)
    target = Target(lambda _: Response(422))
    forward = forward_of(Reader(partition), target, letters, on_step=lambda _, step: steps.append(step))

    running = await run_for(forward, 17)
    before = [*steps]
    await asyncio.sleep(10)
    await ended(running)

    assert {type(step) for step in before} == {Pause}
    assert all(step.is_refusal for step in before)
    assert steps[4:] == [Refuse(422, letters.put_there[0].id)]


@virtual
async def test_what_is_not_wanted_is_passed_over_and_so_is_what_is_no_event():
    partition, target = Partition(), Target()
    partition.publish(2, account="market")
    partition.put("junk")
    ids = partition.publish(1)
    forward = forward_of(Reader(partition), target, wanted=Filter(account="shop"))

    await ended(await run_for(forward, 10))

    assert target.taken == ids
    assert (partition.committed, forward.sent, forward.skipped) == (4, 1, 1)


@virtual
async def test_a_request_under_way_at_a_stop_is_not_repeated_if_its_answer_comes_within_a_second():
    for seconds, repeats in ((0.5, 0), (5.0, 1)):
        partition, target = Partition(), Target(seconds=seconds)
        first, second = partition.publish(2)
        await ended(await run_for(forward_of(Reader(partition), target), 0.1))
        assert target.taken == [first]
        await ended(await run_for(forward_of(Reader(partition), target), 60))
        assert target.taken == [first, *[first] * repeats, second]


@virtual
async def test_what_waits_and_how_long_kafka_still_keeps_it_is_measured():
    reader = Reader(partition := Partition())
    partition.publish(5)
    began, loop = NOW_MS / 1000 - asyncio.get_running_loop().time(), asyncio.get_running_loop()
    forward = forward_of(reader, Target(lambda _: Response(503)), now=lambda: began + loop.time())

    running = await run_for(forward, 6 * 24 * HOUR - 60)
    reader.commit()
    registry = CollectorRegistry()
    ForwardMetrics([forward], registry)
    text = generate_latest(registry).decode()
    assert 'smsbus_forward_lag_records{forward="hook"} 5.0' in text
    assert f'smsbus_forward_deleted_in_seconds{{forward="hook"}} {WEEK_MS / 1000 - 6 * 24 * HOUR + 60}' in text
    assert 'smsbus_forward_failures_total{forward="hook",reason="http_503"}' in text
    assert forward.degraded() == ("forward_waiting:hook",)
    await asyncio.sleep(120)
    assert forward.degraded() == ("forward_waiting:hook", "forward_expiring:hook")
    await ended(running)


@virtual
async def test_a_rebalance_does_not_begin_the_waiting_anew_and_what_is_given_up_does_not_wait():
    class Assigned(Reader):
        async def run(self, work):
            self.work = work
            await asyncio.Event().wait()

        async def have(self, share: Share | None, seconds: float) -> None:
            self.shares = {share.part: share} if share else {}
            tasks = [asyncio.ensure_future(self.work(each)) for each in self.shares.values()]
            await asyncio.sleep(seconds)
            for task in tasks:
                await ended(task)

    reader, target = Assigned(partition := Partition()), Target(lambda _: Response(503))
    partition.publish(1)
    forward = forward_of(reader, target)
    running = await run_for(forward, 1)

    await reader.have(partition.share(), 2 * HOUR)
    assert forward.degraded() == ("forward_waiting:hook",)
    await reader.have(None, 5)
    assert forward.degraded() == ()
    await reader.have(partition.share(), 1)
    assert forward.degraded() == ("forward_waiting:hook",)

    await reader.have(None, 5)
    partition.committed = 1  # by the other member
    await reader.have(partition.share(), 1)
    assert forward.degraded() == ()
    await ended(running)


@virtual
async def test_without_an_answer_from_kafka_for_long_it_is_blind():
    reader = Reader(Partition())
    forward = forward_of(reader, Target())
    reader.heard_at = asyncio.get_running_loop().time()

    await ended(await run_for(forward, 14))
    assert forward.degraded() == ()
    await asyncio.sleep(2)
    assert forward.degraded() == ("forward_blind:hook",)


@virtual
async def test_an_address_that_is_not_allowed_is_said_at_once_with_the_setting_and_any_other_trouble_later():
    for reason, said in (("address_forbidden", 1), ("connect", 0)):
        partition = Partition()
        partition.publish(1)
        with capture_logs() as log:
            await ended(await run_for(forward_of(Reader(partition), Target(lambda _, r=reason: NoResponse(r))), 30))

        assert [(line["event"], line["reason"]) for line in log] == [("forward_waiting", reason)] * said
        assert all("allow_private" in line["hint"] for line in log)


@virtual
async def test_a_target_that_answers_429_is_left_alone_for_as_long_as_it_says():
    partition = Partition()
    partition.publish(1)
    answers: Iterator[Response] = iter([Response(429, 300.0), Response(200)])
    target = Target(lambda _: next(answers))

    await ended(await run_for(forward_of(Reader(partition), target), HOUR))

    assert 300 <= target.asked[1][0] - target.asked[0][0] < 301
