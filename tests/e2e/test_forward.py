"""`smsbus forward`, its target in trouble and itself killed in the middle: nothing is lost, and the order is kept."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from tests.e2e.program import PROGRAM, Installation, eventually, free_port

NUMBERS = [f"1647000000{n}" for n in range(4)]


class Target:
    """A webhook of somebody. `taken` are the events that it answered with 200."""

    def __init__(self) -> None:
        self.port = free_port()
        self.status = 200
        self.slow = 0.0
        self.secret = ""
        self.forwarders: list[Forwarder] = []
        self.taken: list[dict] = []
        self.asked = 0
        self._runner: web.AppRunner | None = None

    async def up(self) -> None:
        app = web.Application()
        app.router.add_post("/hook", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def down(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        event = Webhook(self.secret).verify(await request.read(), dict(request.headers))
        assert request.headers["ce-id"] == request.headers["webhook-id"] == event["id"]
        if self.status == 200:
            self.taken.append(event)  # before it answers, as whoever dies in between does
        status = self.status
        await asyncio.sleep(self.slow)
        return web.Response(status=status)


class Forwarder:
    """A running `smsbus forward`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def secret(self) -> str:
        """What its first line says; it is ready then."""
        assert self.process.stdout
        async with asyncio.timeout(60):
            line = (await self.process.stdout.readline()).decode()
        found = re.fullmatch(r"Ready! Your webhook signing secret is (whsec_\S+) \(\^C to quit\)\n", line)
        assert found, line
        self._reading = asyncio.create_task(self.process.stdout.read())
        return found[1]

    async def killed(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def ended(self) -> int:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            return await self.process.wait()


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    target = Target()
    await target.up()
    yield target
    for each in target.forwarders:
        await each.killed()
    await target.down()


async def forwarder(smsbus: Installation, target: Target, *options: str) -> Forwarder:
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, "forward", f"localhost:{target.port}/hook", *options, cwd=smsbus.directory,
        env=smsbus._environ({}), stdout=asyncio.subprocess.PIPE, stderr=(smsbus.directory / "forward.log").open("ab"),
    )  # fmt: skip
    started = Forwarder(process)
    target.forwarders.append(started)
    target.secret = await started.secret()
    return started


class Feed:
    """SMS that keep coming, to each number in turn."""

    def __init__(self, url: str) -> None:
        self.ids: dict[str, list[str]] = {number: [] for number in NUMBERS}
        self._url = url
        self._count = 0

    async def send(self, count: int) -> None:
        async with aiohttp.ClientSession() as session:
            for _ in range(count):
                self._count += 1
                number, text = NUMBERS[self._count % len(NUMBERS)], f"Your code is {self._count:04}"
                body = {"app": "jd", "from": "14160000000", "to": number, "userId": "xxx", "text": text}
                async with session.post(self._url, json=body) as answer:
                    self.ids[number].append((await answer.json())["id"])

    def arrived(self, target: Target) -> bool:
        return {event["id"] for event in target.taken} >= {each for ids in self.ids.values() for each in ids}


@pytest.mark.long  # 12 s of a processor; its small version is tests/integration/test_group_reader.py
async def test_a_target_that_fails_and_a_kill_lose_nothing_and_keep_the_order(smsbus, target):
    feed = Feed((await smsbus.serve("--role", "receiver")).url)
    await feed.send(4)
    running = await forwarder(smsbus, target)
    secret, before = target.secret, {each for ids in feed.ids.values() for each in ids}
    for ids in feed.ids.values():
        ids.clear()  # a new name begins with what comes from now on

    await feed.send(20)
    target.status = 500
    await feed.send(20)
    await asyncio.sleep(1.5)
    target.status, target.slow = 200, 0.3
    await feed.send(8)
    await target.down()
    await feed.send(8)
    await asyncio.sleep(1)
    await target.up()
    target.slow = 2.0  # it takes one event of each partition, and its answer comes too late
    taken = len(target.taken)

    async def some_are_taken() -> bool:
        return len(target.taken) > taken

    await eventually(some_are_taken, 20, "the target takes events again")
    await running.killed()
    target.slow = 0.0
    await feed.send(20)
    running = await forwarder(smsbus, target)

    async def all_arrived() -> bool:
        return feed.arrived(target)

    await eventually(all_arrived, 40, "everything is forwarded")
    assert target.secret == secret
    assert await running.ended() == 0
    ids = [event["id"] for event in target.taken]
    assert before & set(ids) == set()
    assert len(ids) - len(set(ids)) <= 40  # what half a second before the kill brought comes again
    for number, sent in feed.ids.items():
        got = list(dict.fromkeys(event["id"] for event in target.taken if event["recipient"] == f"+{number}"))
        assert got == sent


async def test_a_later_start_goes_on_and_410_ends_it(smsbus, target):
    feed = Feed((await smsbus.serve("--role", "receiver")).url)
    running = await forwarder(smsbus, target, "--name", "mine", "--to", NUMBERS[1])
    assert await running.ended() == 0
    await feed.send(8)  # while it is away
    running = await forwarder(smsbus, target, "--name", "mine", "--to", NUMBERS[1])

    async def both() -> bool:
        return len(target.taken) == 2

    await eventually(both, 30, "what came while it was away is forwarded")
    assert [event["id"] for event in target.taken] == feed.ids[NUMBERS[1]]
    target.status = 410
    await feed.send(4)
    async with asyncio.timeout(30):
        assert await running.process.wait() == 1
    assert "the target answered 410" in (smsbus.directory / "forward.log").read_text()
