"""The simulated PingMe, on a clock that passes when everybody waits."""

import asyncio
import heapq
import itertools
import json
from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from sandbox import pingme_callbacks
from sandbox.pingme import CallbackResponse, PingMe
from sandbox.pingme_wire import read_response
from schemas.code import extract_code

OK = CallbackResponse(200, "accepted", "an-id")


class VirtualClock:
    """Time stands still while anybody has something to do."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.time + seconds, next(self._numbers), woken))
        await woken

    async def drive(self, running: asyncio.Task[None]) -> None:
        while not running.done():
            for _ in range(20):
                await asyncio.sleep(0)
            if self._sleepers and not running.done():
                self.time, _, woken = heapq.heappop(self._sleepers)
                if not woken.done():
                    woken.set_result(None)
        await running


class Receiver:
    """Answers every body with the next answer of its script, `OK` when it has no more, after `delay` seconds."""

    def __init__(self, clock: VirtualClock, *script: CallbackResponse, delay: float = 0.0) -> None:
        self.posts: list[tuple[float, bytes]] = []
        self._clock = clock
        self._script = list(script)
        self._delay = delay

    async def __call__(self, body: bytes) -> CallbackResponse:
        self.posts.append((self._clock.now(), body))
        await self._clock.sleep(self._delay)
        return self._script.pop(0) if self._script else OK


async def run(
    *script: CallbackResponse,
    seconds: float,
    numbers: int = 1,
    rate: float = 1.0,
    delay: float = 0.0,
    seed: int = 1,
    duplicates: float = 0.0,
    malformed: float = 0.0,
) -> tuple[PingMe, Receiver]:
    clock = VirtualClock()
    receiver = Receiver(clock, *script, delay=delay)
    provider = PingMe(
        "",
        numbers=numbers,
        rate=rate,
        rng=Random(seed),
        duplicates=duplicates,
        malformed=malformed,
        clock=clock,
        post=receiver,
    )
    await clock.drive(asyncio.create_task(provider.run(seconds)))
    return provider, receiver


async def test_new_callbacks_keep_to_the_rate_and_reach_every_number() -> None:
    provider, _ = await run(seconds=60, numbers=10, rate=20)

    assert len(provider.book) == pytest.approx(60 * 20, abs=20)
    assert len({entry.number for entry in provider.book}) == 10


async def test_the_callbacks_of_one_number_are_posted_one_after_another() -> None:
    _, receiver = await run(seconds=60, numbers=1, rate=100, delay=2.0)

    times = [at for at, _ in receiver.posts]
    assert len(times) == pytest.approx(30, abs=1)
    assert all(later - earlier >= 2.0 for earlier, later in itertools.pairwise(times))


async def test_one_slow_number_does_not_hold_back_the_others() -> None:
    provider, _ = await run(seconds=60, numbers=100, rate=40, delay=2.0)

    assert len(provider.book) == pytest.approx(60 * 40, rel=0.05)


@pytest.mark.parametrize(
    "failure",
    [CallbackResponse(0), CallbackResponse(500), CallbackResponse(503), CallbackResponse(404), CallbackResponse(302)],
)
async def test_the_same_body_is_posted_until_it_is_answered_2xx(failure: CallbackResponse) -> None:
    provider, receiver = await run(*[failure] * 5, seconds=25, rate=0.05)

    (entry, *_) = provider.book
    assert [answer.http for answer in entry.answers] == [failure.http] * 5 + [200]
    assert len({body for _, body in receiver.posts[:6]}) == 1
    assert entry.promised


async def test_repeats_back_off_up_to_a_bound() -> None:
    _, receiver = await run(*[CallbackResponse(500)] * 12, seconds=60, rate=0.01)

    pauses = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(receiver.posts[:13])]
    assert pauses[0] <= 0.2
    assert 2.5 <= pauses[-1] <= 5.0
    assert max(pauses) <= 5.0


@pytest.mark.parametrize(("asked", "kept"), [(2.0, 2.0), (3600.0, 5.0)])
async def test_a_retry_after_is_honoured_within_a_bound(asked: float, kept: float) -> None:
    _, receiver = await run(CallbackResponse(503, retry_after=asked), seconds=60, rate=0.01)

    (first, _), (second, _), *_ = receiver.posts
    assert second - first == pytest.approx(kept)


async def test_a_stop_ends_endless_repeats_and_the_book_says_that_nothing_was_promised() -> None:
    provider, _ = await run(*[CallbackResponse(503)] * 1000, seconds=30, rate=0.01)

    (entry,) = provider.book
    assert not entry.promised
    assert entry.ids == set()


async def test_some_callbacks_are_posted_again_although_they_were_answered() -> None:
    provider, receiver = await run(seconds=200, rate=1, duplicates=0.25)

    repeated = len(receiver.posts) - len(provider.book)
    bodies = Counter(body for _, body in receiver.posts)
    assert repeated == pytest.approx(50, abs=20)
    assert sum(count - 1 for count in bodies.values()) == repeated
    assert sum(len(entry.answers) for entry in provider.book) == len(receiver.posts)


async def test_the_malformed_have_their_share_and_their_place_in_the_book() -> None:
    provider, _ = await run(seconds=500, rate=1, malformed=0.1)

    kinds = Counter(entry.kind for entry in provider.book)
    assert kinds["malformed"] == pytest.approx(50, abs=25)
    assert [entry.order for entry in provider.book] == list(range(len(provider.book)))


async def test_the_same_seed_posts_the_same_bodies() -> None:
    _, first = await run(seconds=30, seed=5, malformed=0.2, duplicates=0.2)
    _, again = await run(seconds=30, seed=5, malformed=0.2, duplicates=0.2)
    _, other = await run(seconds=30, seed=6, malformed=0.2, duplicates=0.2)

    assert first.posts == again.posts
    assert first.posts != other.posts


async def test_an_event_stops_the_run() -> None:
    clock = VirtualClock()
    stop = asyncio.Event()
    provider = PingMe("", numbers=3, rate=1, rng=Random(1), clock=clock, post=Receiver(clock))
    running = asyncio.create_task(provider.run(stop))
    await asyncio.sleep(0)

    stop.set()
    await clock.drive(running)

    assert len(provider.book) <= 3


def bodies(make: Callable[..., pingme_callbacks.Callback], count: int = 300) -> list[pingme_callbacks.Callback]:
    rng = Random(2)
    return [
        make(rng, user_id="xxx", recipient=pingme_callbacks.number(index), nonce=pingme_callbacks.nonce(rng), now=1.7e9)
        for index in range(count)
    ]


def test_an_sms_has_the_documented_keys_and_its_nonce_at_the_end_of_its_text() -> None:
    made = bodies(pingme_callbacks.sms)

    for callback in made:
        fields = json.loads(callback.body)
        assert fields.keys() == {"app", "from", "to", "userId", "text", "time"}
        assert fields["text"].endswith(f"ref {callback.nonce}")
        assert str(fields["to"]) == callback.number
        assert fields["time"] == "2023-11-14T22:13:20.000Z"
    assert {type(json.loads(callback.body)["to"]) for callback in made} == {str, int}
    assert len({json.loads(callback.body)["from"] for callback in made}) == len(pingme_callbacks.SENDERS)


def test_nothing_malformed_has_a_text_and_everything_malformed_has_its_nonce() -> None:
    for callback in bodies(pingme_callbacks.malformed):
        assert callback.nonce.encode() in callback.body
        try:
            fields = json.loads(callback.body)
        except ValueError:
            continue
        assert not isinstance(fields.get("text"), str)


def test_numbers_differ_and_belong_to_nobody() -> None:
    numbers = [pingme_callbacks.number(index) for index in range(5000)]

    assert len(set(numbers)) == 5000
    assert all(len(number) == 11 and number[4:9] == "55501" for number in numbers)


@pytest.mark.parametrize("template", pingme_callbacks.TEXTS)
def test_a_nonce_is_never_taken_for_the_code(template: str) -> None:
    rng = Random(4)
    for _ in range(50):
        text = template.format(code="482913", nonce=pingme_callbacks.nonce(rng))

        assert extract_code(text) == ("482913" if "{code}" in template else None)


@pytest.mark.parametrize(
    ("body", "headers", "answer"),
    [
        (b'{"status":"accepted","id":"x"}', {}, CallbackResponse(200, "accepted", "x", at=1.0)),
        (b'{"status":"rejected","reason":"y"}', {}, CallbackResponse(200, "rejected", reason="y", at=1.0)),
        (
            b'{"status":503,"reason":"z"}',
            {"Retry-After": "7"},
            CallbackResponse(200, reason="z", retry_after=7.0, at=1.0),
        ),
        (b"<html>", {"Retry-After": "soon"}, CallbackResponse(200, at=1.0)),
        (b"[1]", {}, CallbackResponse(200, at=1.0)),
        (b"\xff", {}, CallbackResponse(200, at=1.0)),
    ],
)
def test_an_answer_is_read_as_far_as_it_says_something(
    body: bytes, headers: dict[str, str], answer: CallbackResponse
) -> None:
    assert read_response(200, body, headers, 1.0) == answer
