"""What people outside are told, and when: hours of it in virtual time."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Mapping
from typing import Any

import pytest
import structlog
from prometheus_client import CollectorRegistry
from pydantic import SecretStr, ValidationError
from yarl import URL

from app.admin.listener import Health
from app.degraded import MEANINGS
from app.notify import notifying, words
from app.notify.lasting import GONE, LASTING
from app.settings.load import Settings
from app.settings.sections import HeartbeatSettings, NotifySettings
from providers.http_client import FetchFailed, RawResponse
from tests.virtual_time import virtual

SECRET = "kept-to-ourselves"
NTFY = f"https://ntfy.test/{SECRET}"
PING = f"https://ping.test/{SECRET}"


class Service:
    """The health that a test plays."""

    def __init__(self) -> None:
        self.degraded: tuple[str, ...] = ()
        self.status = "ready"
        self.alive = True
        self.fails = False

    async def health(self) -> Health:
        if self.fails:
            raise KeyError("degraded")
        return Health(self.status, self.degraded)

    async def lives(self) -> bool:
        return self.alive


class Outside:
    """The services that are told, in the place of an HTTP client."""

    def __init__(self) -> None:
        self.status = 200
        self.problem: str | None = None
        self.hangs = False
        self.most_at_once = self.now = 0
        self.requests: list[tuple[float, str, str, Mapping[str, str], bytes]] = []

    async def request(
        self, method: str, url: URL, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> RawResponse:
        self.requests.append((asyncio.get_running_loop().time(), method, str(url), headers or {}, body or b""))
        self.now += 1
        self.most_at_once = max(self.most_at_once, self.now)
        try:
            if self.hangs:
                await asyncio.sleep(10.0)
                raise FetchFailed("timeout")
            if self.problem:
                raise FetchFailed(self.problem)
            return RawResponse(self.status, {}, b"")
        finally:
            self.now -= 1

    async def get(self, url: URL) -> RawResponse:
        return await self.request("GET", url)

    def posts(self) -> list[str]:
        return [headers["Title"] for _, method, _, headers, _ in self.requests if method == "POST"]

    def beats(self) -> list[float]:
        return [at for at, method, *_ in self.requests if method == "GET"]


class World:
    """A service, those that are told of it, and what follows the one for the others."""

    def __init__(self, **changed: Any) -> None:
        urls = {"notify": NotifySettings(url=SecretStr(NTFY)), "heartbeat": HeartbeatSettings(url=SecretStr(PING))}
        self.service, self.outside, self.registry = Service(), Outside(), CollectorRegistry()
        settings = Settings(**urls | changed)
        self.task = asyncio.create_task(notifying.follow(settings, self.service, self.registry, self.outside))

    def count(self, name: str, result: str) -> float | None:
        return self.registry.get_sample_value(f"smsbus_{name}_total", {"result": result})


MINUTE = 60.0


# ---- notifications ---------------------------------------------------------------------------------------------------


@virtual
async def test_a_reason_that_lasts_for_two_minutes_is_told_once_and_its_end_once():
    world = World()
    await asyncio.sleep(MINUTE)
    world.service.degraded = ("kafka_away",)
    await asyncio.sleep(LASTING - 1)
    assert world.outside.posts() == []

    await asyncio.sleep(60 * MINUTE)
    assert world.outside.posts() == ["smsbus: kafka_away"]

    world.service.degraded = ()
    await asyncio.sleep(60 * MINUTE)
    assert world.outside.posts() == ["smsbus: kafka_away", "smsbus: ended: kafka_away"]
    assert world.count("notifications", "sent") == 2


@virtual
async def test_what_is_over_before_two_minutes_is_told_nobody():
    world = World()
    for _ in range(20):
        world.service.degraded = ("kafka_away",)
        await asyncio.sleep(LASTING - 6)
        world.service.degraded = ()
        await asyncio.sleep(MINUTE)

    assert world.outside.posts() == []


@virtual
async def test_a_worker_that_answers_late_once_does_not_end_its_reasons():
    world = World()
    world.service.degraded = ("account_paused:shop",)
    await asyncio.sleep(3 * MINUTE)
    for _ in range(10):
        world.service.degraded = ()
        await asyncio.sleep(GONE - 6)
        world.service.degraded = ("account_paused:shop",)
        await asyncio.sleep(MINUTE)

    assert world.outside.posts() == ["smsbus: account_paused:shop"]


@virtual
async def test_reasons_that_begin_together_are_one_notification():
    world = World()
    world.service.degraded = ("kafka_away", "messages_in_journal")
    await asyncio.sleep(3 * MINUTE)

    assert world.outside.posts() == ["smsbus: kafka_away, messages_in_journal"]


@virtual
async def test_what_begins_within_half_a_minute_of_another_is_said_with_it_and_what_begins_later_by_itself():
    world = World()
    world.service.degraded = ("kafka_away",)
    await asyncio.sleep(20)
    world.service.degraded += ("inbox_blind",)
    await asyncio.sleep(40)
    world.service.degraded += ("messages_in_journal",)
    await asyncio.sleep(LASTING - 60 + 2 * notifying.LOOK_EVERY)
    assert world.outside.posts() == ["smsbus: kafka_away, inbox_blind"]

    await asyncio.sleep(MINUTE)
    assert world.outside.posts() == ["smsbus: kafka_away, inbox_blind", "smsbus: messages_in_journal"]


@virtual
async def test_it_is_told_after_two_minutes_and_over_after_15_seconds_and_at_most_a_look_later():
    world = World(heartbeat=HeartbeatSettings())
    await asyncio.sleep(1)
    began = asyncio.get_running_loop().time()
    world.service.degraded = ("kafka_away",)
    await asyncio.sleep(3 * MINUTE)
    over = asyncio.get_running_loop().time()
    world.service.degraded = ()
    await asyncio.sleep(MINUTE)

    told, ended = (at for at, *_ in world.outside.requests)
    assert LASTING <= told - began <= LASTING + notifying.LOOK_EVERY
    assert GONE <= ended - over <= GONE + notifying.LOOK_EVERY


@virtual
async def test_nobody_is_woken_for_what_nobody_notices():
    world = World()
    world.service.degraded = ("bulk_hint_off",)
    await asyncio.sleep(60 * MINUTE)

    assert world.outside.posts() == []
    assert len(world.outside.beats()) in {60, 61}


@virtual
async def test_what_could_not_be_told_is_told_when_it_can_be_and_never_more_than_once_a_minute():
    world = World(heartbeat=HeartbeatSettings())
    world.service.degraded = ("kafka_away",)
    world.outside.problem = "dns"
    await asyncio.sleep(32 * MINUTE)
    tries = len(world.outside.requests)
    assert 28 <= tries <= 30

    world.outside.problem = None
    await asyncio.sleep(60 * MINUTE)
    assert len(world.outside.requests) == tries + 1
    assert (world.count("notifications", "sent"), world.count("notifications", "failed")) == (1, tries)


@virtual
async def test_what_is_over_before_it_could_be_told_is_told_nobody():
    world = World()
    world.service.degraded, world.outside.status = ("kafka_away",), 500
    await asyncio.sleep(5 * MINUTE)
    world.service.degraded, world.outside.status = (), 200
    tries = len(world.outside.posts())
    await asyncio.sleep(60 * MINUTE)

    assert len(world.outside.posts()) == tries


@virtual
async def test_a_service_that_hangs_never_has_two_requests():
    world = World()
    world.outside.hangs = True
    for each in range(60):
        world.service.degraded = tuple(f"account_paused:a{number}" for number in range(each % 7))
        await asyncio.sleep(3 * MINUTE)

    assert world.outside.most_at_once == 1
    assert len(world.outside.requests) < 2 * 60 * 3


@virtual
async def test_failures_are_one_line_of_the_log_until_one_succeeds_and_no_line_has_the_url():
    with structlog.testing.capture_logs() as lines:
        world = World(heartbeat=HeartbeatSettings())
        world.service.degraded = ("kafka_away",)
        for status in (404, 200):
            world.outside.status = status
            await asyncio.sleep(10 * MINUTE)
        world.outside.status, world.service.degraded = 500, ()
        await asyncio.sleep(10 * MINUTE)

    assert [(line["event"], line["setting"], line["reason"]) for line in lines] == [
        ("notify_failed", "notify.url", "http_404"),
        ("notify_failed", "notify.url", "http_500"),
    ]
    assert SECRET not in str(lines)


# ---- heartbeats ------------------------------------------------------------------------------------------------------


@virtual
async def test_the_heartbeat_comes_every_minute_while_all_is_well():
    world = World()
    await asyncio.sleep(60 * MINUTE + 1)
    beats = world.outside.beats()

    assert len(beats) == 61
    assert max(b - a for a, b in itertools.pairwise(beats)) <= MINUTE + notifying.LOOK_EVERY


@pytest.mark.parametrize(
    "ill",
    [{"status": "full"}, {"status": "stopping"}, {"status": "starting"}, {"alive": False}],
    ids=["full", "stopping", "starting", "dead"],
)
def test_no_heartbeat_while_it_cannot_accept_or_should_be_restarted(ill: dict[str, Any]):
    @virtual
    async def whole() -> None:
        world = World()
        await asyncio.sleep(1)
        for name, value in ill.items():
            setattr(world.service, name, value)
        await asyncio.sleep(60 * MINUTE)
        assert len(world.outside.beats()) == 1
        world.service.status, world.service.alive = "ready", True
        await asyncio.sleep(2 * notifying.LOOK_EVERY)
        assert len(world.outside.beats()) == 2

    whole()


@virtual
async def test_the_heartbeat_ceases_when_a_reason_lasts_and_goes_on_when_it_is_over():
    world = World()
    await asyncio.sleep(1)
    world.service.degraded = ("kafka_away",)
    await asyncio.sleep(60 * MINUTE)
    assert len(world.outside.beats()) in {2, 3}

    world.service.degraded = ()
    await asyncio.sleep(10 * MINUTE)
    assert len(world.outside.beats()) >= 12


@virtual
async def test_a_health_that_cannot_be_told_is_no_heartbeat_and_the_next_one_is_looked_at_again():
    world = World()
    await asyncio.sleep(1)
    world.service.fails = True
    await asyncio.sleep(10 * MINUTE)
    assert len(world.outside.beats()) == 1

    world.service.fails = False
    world.service.degraded = ("kafka_away",)
    await asyncio.sleep(3 * MINUTE)
    assert world.outside.posts() == ["smsbus: kafka_away"]
    assert len(world.outside.beats()) > 1


@virtual
async def test_what_nobody_can_tell_is_not_over():
    world = World()
    world.service.degraded = ("kafka_away",)
    await asyncio.sleep(3 * MINUTE)
    world.service.fails = True
    await asyncio.sleep(10 * MINUTE)
    assert world.outside.posts() == ["smsbus: kafka_away"]

    world.service.fails = False
    await asyncio.sleep(10 * MINUTE)
    assert world.outside.posts() == ["smsbus: kafka_away"]

    world.service.degraded = ()
    await asyncio.sleep(MINUTE)
    assert world.outside.posts() == ["smsbus: kafka_away", "smsbus: ended: kafka_away"]


# ---- words and settings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", sorted(MEANINGS))
def test_a_notification_says_what_people_notice_and_what_to_do(reason: str):
    said = words.begun([f"{reason}:shop"], "host-1")

    what, users, do = (text.replace("NAME", "shop") for text in MEANINGS[reason])
    assert said.lines == [f"{reason}:shop: {what} {users} {do}", "On host-1."]


def test_another_versions_reason_is_told_by_its_name():
    assert words.begun(["of_tomorrow"], "host-1").text == "of_tomorrow\nOn host-1."


def test_a_hundred_reasons_stay_within_what_ntfy_shows_as_a_message():
    many = [f"account_limited:{'a' * 64}{number}" for number in range(100)]
    headers, body = words.request_of(words.begun(many, "h" * 64), "ntfy")

    assert len(body) < 4096
    assert headers["Title"].endswith(" and 92 more")


def test_ntfy_gets_text_with_a_title():
    headers, body = words.request_of(words.over(["kafka_away"], "host-1"), "ntfy")

    assert headers["Content-Type"].startswith("text/plain")
    assert (headers["Title"], headers["Tags"], headers["Priority"]) == (
        "smsbus: ended: kafka_away",
        "white_check_mark",
        "default",
    )
    assert body == b"Over: kafka_away.\nOn host-1."


def test_slack_gets_one_text_in_json_with_its_own_signs_escaped():
    headers, body = words.request_of(words.begun(["x<y>&z"], "host-1"), "slack")

    assert headers == {"Content-Type": "application/json"}
    assert json.loads(body) == {"text": "*smsbus: x&lt;y&gt;&amp;z*\nx&lt;y&gt;&amp;z\nOn host-1."}


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("https://hooks.slack.com/services/T0/B0/x", "slack"),
        ("https://ntfy.sh/topic", "ntfy"),
        ("https://hooks.slack.com.evil.test/x", "ntfy"),
    ],
)
def test_the_form_is_chosen_by_slacks_own_host(url: str, form: str):
    assert words.format_of(url) == form


@pytest.mark.parametrize(
    "url", ["", SECRET, f"ntfy.sh/{SECRET}", f"ftp://ntfy.sh/{SECRET}", f"https:///{SECRET}", f"https://[::1/{SECRET}"]
)
@pytest.mark.parametrize("section", [NotifySettings, HeartbeatSettings])
def test_what_is_no_url_is_refused_without_showing_it(section: Any, url: str):
    with pytest.raises(ValidationError) as refused:
        section(url=SecretStr(url))

    assert SECRET not in str(refused.value)


def test_the_urls_are_secrets_of_the_settings():
    settings = Settings(notify=NotifySettings(url=SecretStr(NTFY)), heartbeat=HeartbeatSettings(url=SecretStr(PING)))

    assert {NTFY, PING} <= set(settings.secrets())
    assert SECRET not in repr(settings)


@virtual
async def test_without_a_url_nothing_runs():
    with contextlib.suppress(TimeoutError):
        async with notifying.notifying(Settings(), Service(), CollectorRegistry()):
            assert len(asyncio.all_tasks()) == 1
