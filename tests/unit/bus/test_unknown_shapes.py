"""One sample for each shape and day, and never more than a few."""

import base64
import json

from prometheus_client import CollectorRegistry

from bus.memory import MemoryBus
from bus.unknown_shapes import DAY_MS, MOST, MOST_OF_PROVIDER, UnknownShapes
from schemas.messages import Message, SmsRejected

NOON_MS = 1_795_867_200_000


class World:
    def __init__(self) -> None:
        self.now_ms = NOON_MS
        self.bus, self.registry = MemoryBus(), CollectorRegistry()
        self.shapes = UnknownShapes(self.bus, self.registry, now_ms=lambda: self.now_ms)

    def saw(self, shape: str, provider: str = "smsman", account: str = "market") -> None:
        self.shapes.saw(provider, account, "poll", shape, lambda: {"shape": shape})

    def count(self, provider: str = "smsman") -> float | None:
        return self.registry.get_sample_value("smsbus_unknown_shapes_total", {"provider": provider})


def content(letter: Message) -> dict[str, str]:
    assert isinstance(letter, SmsRejected)
    assert letter.body_complete
    found: dict[str, str] = json.loads(base64.b64decode(letter.body_base64 or ""))
    return found


async def test_a_shape_is_a_record_once_a_day_and_a_count_each_time():
    world = World()
    for _ in range(1000):
        world.saw("a")
    assert len(world.bus.messages) == 1

    world.now_ms += DAY_MS
    for _ in range(1000):
        world.saw("a")

    first, second = world.bus.messages
    assert content(first) == {"day": "2026-11-28", "shape": "a"}
    assert content(second) == {"day": "2026-11-29", "shape": "a"}
    assert first.event_id != second.event_id
    assert world.count() == 2000


async def test_the_record_says_what_it_is():
    world = World()
    world.saw("a")

    [letter] = world.bus.messages

    assert isinstance(letter, SmsRejected)
    assert (letter.provider, letter.account, letter.received_via) == ("smsman", "market", "poll")
    assert (letter.stage, letter.reason) == ("shape", "unknown_shape")


async def test_the_same_sample_of_two_processes_has_one_id():
    one, other = World(), World()
    other.now_ms += 3_600_000
    one.saw("a")
    other.saw("a")

    assert one.bus.messages[0].event_id == other.bus.messages[0].event_id


async def test_endless_shapes_are_a_count_and_no_memory():
    world = World()
    for number in range(10_000):
        world.saw(f"shape {number}")
        world.saw("of another", provider="pingme")

    assert len(world.bus.messages) == MOST + 1
    assert world.count() == 10_000
    assert sum(map(len, world.shapes._seen.values())) == MOST + 1


async def test_endless_shapes_of_one_account_leave_room_for_those_of_others_and_all_of_them_are_few():
    world = World()
    for number in range(1000):
        world.saw(f"shape {number}", account="leaked")
    world.saw("news", account="shop")
    assert (len(world.bus.messages), content(world.bus.messages[-1])["shape"]) == (MOST + 1, "news")

    for number in range(20_000):
        world.saw(f"of many {number}", account=f"account{number % 100}")

    assert len(world.bus.messages) == MOST_OF_PROVIDER
    world.now_ms += DAY_MS
    world.saw("shape 0", account="leaked")
    assert len(world.bus.messages) == MOST_OF_PROVIDER + 1


async def test_a_bus_that_is_full_is_not_asked_for_each():
    world = World()
    world.bus.full = True
    for _ in range(1000):
        world.saw("a")

    assert world.bus.ledger.not_durable == 1
