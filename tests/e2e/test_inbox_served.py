"""The inbox as a client has it: curl, a wait, a stream, on a service with a real Kafka."""

import asyncio
import json
import time

import aiohttp
import pytest

from tests.e2e.program import ADMIN_HEADER, eventually, free_port

NUMBER = "16470000000"


def body(text: str, number: str = NUMBER) -> dict[str, str]:
    return {"app": "jd", "from": "14160000000", "to": number, "userId": "xxx", "text": text}


class Client:
    """What a person does with curl."""

    def __init__(self, session: aiohttp.ClientSession, replica) -> None:
        self._session = session
        self._replica = replica

    async def send(self, text: str, number: str = NUMBER) -> str:
        async with self._session.post(self._replica.url, json=body(text, number)) as answer:
            return (await answer.json())["id"]

    async def get(self, path: str, **headers: str) -> tuple[int, dict]:
        async with self._session.get(self._replica.admin + path, headers={**ADMIN_HEADER, **headers}) as answer:
            return answer.status, await answer.json(content_type=None)

    async def text(self, path: str) -> tuple[int, str]:
        headers = {**ADMIN_HEADER, "Accept": "text/plain"}
        async with self._session.get(self._replica.admin + path, headers=headers) as answer:
            return answer.status, await answer.text()

    def stream(self, path: str, **headers: str):
        timeout = aiohttp.ClientTimeout(total=None)
        return self._session.get(self._replica.admin + path, headers={**ADMIN_HEADER, **headers}, timeout=timeout)


@pytest.fixture
async def client(smsbus):
    replica = await smsbus.serve()
    async with aiohttp.ClientSession() as session:
        client = Client(session, replica)
        assert (await client.get("/v1/cursor"))[0] == 200  # the inbox has read the topics
        yield client


async def test_what_came_is_listed_shown_and_found(client):
    first, second = await client.send("Your code is 4711"), await client.send("Hello there", "16470000001")

    async def both() -> bool:
        return len((await client.get("/v1/sms"))[1]["items"]) == 2

    await eventually(both, 10, "both are in the inbox")
    _, of_number = await client.get(f"/v1/sms?recipient=+{NUMBER}")
    _, containing = await client.get("/v1/sms?contains=HELLO")
    status, shown = await client.get(f"/v1/sms/{first}")
    after = await client.get(f"/v1/sms?since={(await client.get('/v1/cursor'))[1]['cursor']}")

    assert [item["id"] for item in of_number["items"]] == [first]
    assert [item["id"] for item in containing["items"]] == [second]
    assert (status, shown["sms"]["code"], shown["way"]["via"]) == (200, "4711", "kafka")
    assert after[1]["items"] == []
    assert await client.text("/v1/sms") == (200, "4711\n")
    assert (await client.text("/v1/sms?recipient=16470000001"))[0] == 404
    assert (await client.get("/v1/sms?recipent=1"))[1]["detail"].endswith("(did you mean recipient?).")


async def test_a_wait_returns_the_next_code_and_no_old_one(client):
    await client.send("Your code is 1482")
    waiting = asyncio.create_task(client.text(f"/v1/wait?recipient={NUMBER}&timeout=20"))
    await asyncio.sleep(1)
    assert not waiting.done()
    began = time.monotonic()
    await client.send("Your code is 2593", "16470000009")
    await client.send("Your code is 3614")

    assert await waiting == (200, "3614\n")
    assert time.monotonic() - began < 5
    status, nothing = await client.get(f"/v1/wait?recipient={NUMBER}&timeout=1")
    assert (status, nothing["items"]) == (200, [])
    late = asyncio.create_task(client.get(f"/v1/wait?recipient={NUMBER}&since={nothing['cursor']}"))
    await client.send("Your code is 4725")
    assert [item["code"] for item in (await late)[1]["items"]] == ["4725"]


async def test_a_stream_goes_on_where_it_was_cut(client):
    async with client.stream("/v1/stream") as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        first = await client.send("Your code is 5836")
        frame = await next_event(stream)
    second = await client.send("Your code is 6947")
    async with client.stream("/v1/stream", **{"Last-Event-ID": frame["id"]}) as stream:
        again = await next_event(stream)

    assert (frame["event"], json.loads(frame["data"])["id"]) == ("received", first)
    assert json.loads(again["data"])["id"] == second


async def test_the_same_words_filter_on_the_command_line(smsbus, client):
    await client.send("Your code is 1482")
    cursor = (await smsbus.run("cursor")).out.strip()
    await client.send("Hello there", "16470000001")
    await client.send("Your code is 2593")

    async def shown(*options: str) -> list[str | None]:
        ended = await smsbus.run("tail", "--json", *options)
        assert ended.code == 0, ended
        return [json.loads(line)["code"] for line in ended.out.splitlines()]

    assert await shown("-n", "5") == ["1482", None, "2593"]
    assert await shown("-n", "1", "--to", NUMBER) == ["2593"]
    assert await shown("--since", "10m", "--code", "--account", "shop") == ["1482", "2593"]
    assert await shown("--since", cursor, "--no-code", "--contains", "HELLO") == [None]
    assert await shown("--since", "10m", "--service", "other") == []

    async def works() -> bool:
        return (await smsbus.run("status")).out.startswith("Everything works.\n")

    await eventually(works, 60, "everything works")  # a busy machine is late, and says so


async def test_a_stop_waits_for_nobody_who_waits(client, smsbus):
    waiting = asyncio.create_task(client.get(f"/v1/wait?recipient={NUMBER}&timeout=50"))
    async with client.stream("/v1/stream") as stream:
        await stream.content.readuntil(b"\n\n")
        asked = time.monotonic()
        code = await smsbus.replicas[0].terminate()
        seconds = time.monotonic() - asked
    status, told = await waiting

    assert (code, status, told["reason"]) == (0, 503, "closing")
    assert seconds < 5


async def test_an_inbox_of_its_own_serves_what_another_process_published(smsbus, tmp_path):
    receiver = await smsbus.serve("--role", "receiver")
    settings = {"ADMIN__PORT": str(free_port()), "DATA_DIR": str(tmp_path / "inbox"), "BUS__JOURNAL_DIR": "/proc/none"}
    inbox = await smsbus.serve("--role", "inbox", accounts_in_file=True, **settings)
    async with aiohttp.ClientSession() as session:
        client = Client(session, inbox)
        _, now = await client.get("/v1/cursor")
        wait = f"/v1/wait?recipient={NUMBER}&since={now['cursor']}&timeout=20"
        waiting = asyncio.create_task(client.text(wait))
        await Client(session, receiver).send("Your code is 4711")
        came = await waiting
        watches = await client.get("/v1/watches")
        async with session.post(f"{inbox.admin}/v1/watches", json={}, headers=ADMIN_HEADER) as refused:
            problem = await refused.json()
        _, metrics = await inbox.get("/metrics")
        await eventually(inbox.is_well, 60, "it is ready, and not degraded")

    assert came == (200, "4711\n")
    assert watches == (200, {"watches": [], "next": None, "total": 0})
    assert (refused.status, "No account that is polled" in problem["detail"]) == (400, True)
    assert "smsbus_inbox_events 1.0" in metrics
    assert await inbox.terminate() == 0
    assert not (tmp_path / "inbox" / "journal").exists()
    assert "journal" not in inbox.said("serving")[0]


async def next_event(stream: aiohttp.ClientResponse) -> dict[str, str]:
    """Return the next event."""
    found: dict[str, str] = {}
    async with asyncio.timeout(20):
        async for line in stream.content:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name in {"id", "event", "data"}:
                found[name] = value
            elif not name and "data" in found:
                return found
    raise AssertionError(found)
