"""Who means harm does what is said of him, and tells what he was answered."""

import asyncio
import gzip
import json
import sys
import unicodedata
from collections.abc import AsyncIterator, Callable
from functools import partial
from random import Random
from typing import NamedTuple

import pytest

from tests.e2e.program import ROOT
from tests.faults.evil import GZIP, KINDS, LIGATURE, MOST

ACCEPTED = json.dumps({"status": "accepted", "results": [{"status": "accepted", "id": "a"}, {"status": "rejected"}]})
SECONDS = (1.5, 7.0, 20.0)  # he is niced: where others work, it takes longer until he gets anywhere


class Received(NamedTuple):
    """A receiver that answers everything alike, and how many octets came to it."""

    url: str
    octets: list[int]


@pytest.fixture
async def heard(request: pytest.FixtureRequest) -> AsyncIterator[Received]:
    status, body = request.param
    octets: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
                octets.append(len(head) + len(await reader.readexactly(length)))
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=MOST)
    yield Received(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/pingme/t", octets)
    server.close()


async def _evil(heard: Received, is_enough: Callable[[dict], bool], *arguments: str) -> dict:
    """Return what he tells when he was given enough time, or the most."""
    for seconds in SECONDS:
        heard.octets.clear()
        command = (sys.executable, "-m", "tests.faults.evil", heard.url, "--seconds", str(seconds), *arguments)
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        async with asyncio.timeout(seconds + 20):
            out, _ = await process.communicate()
        if is_enough(told := json.loads(out)):
            break
    return told | {"seconds": seconds}


def _answers(told: dict, kind: str, status: str) -> int:
    return told["statuses"].get(kind, {}).get(status, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_bodies_are_alike_and_each_is_one_that_a_receiver_reads(kind):
    rng = Random(1)
    bodies = [KINDS[kind](rng) for _ in range(3)]
    contents = [gzip.decompress(body.content) if body.head == GZIP else body.content for body in bodies]

    assert len(set(contents)) == 3
    assert max(map(len, contents)) <= MOST


def test_the_arrays_hold_what_their_names_say():
    one_bad, all_bad = (json.loads(gzip.decompress(KINDS[kind](Random(1)).content)) for kind in list(KINDS)[:2])

    assert [isinstance(each, dict) for each in one_bad].count(False) == 1
    assert not any(isinstance(each, dict) for each in all_bad)
    assert len(one_bad) == len(all_bad) == 100


def test_a_ligature_grows_when_it_is_normalized():
    assert len(unicodedata.normalize("NFKC", LIGATURE)) == 18


@pytest.mark.parametrize("heard", [(200, ACCEPTED)], indirect=True)
async def test_what_was_answered_is_told_kind_by_kind(heard):
    kinds = ("plain_sms", "array_one_bad")
    told = await _evil(
        heard, lambda told: all(_answers(told, kind, "200") for kind in kinds), "--kinds", ",".join(kinds)
    )

    answers = {kind: each["200"] for kind, each in told["statuses"].items()}
    assert set(answers) == {*kinds}
    assert told["rejected"] == len(told["ids"]) == sum(answers.values()) > 0


@pytest.mark.parametrize("heard", [(429, "{}")], indirect=True)
async def test_he_does_not_stop_where_he_is_refused_and_keeps_to_his_line(heard):
    refused = partial(_answers, kind="junk", status="429")
    told = await _evil(heard, lambda told: refused(told) > 2, "--kinds", "junk", "--megabits", "10")

    assert told["ids"] == []
    assert refused(told) > 2
    assert sum(heard.octets) <= 10e6 / 8 * (told["seconds"] + 1.0)


@pytest.mark.parametrize("heard", [(200, ACCEPTED)], indirect=True)
async def test_who_is_asked_to_end_tells_all_the_same(heard):
    command = (sys.executable, "-m", "tests.faults.evil", heard.url, "--kinds", "plain_sms")
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(20):
        while not heard.octets:
            await asyncio.sleep(0.05)
        process.terminate()
        out, _ = await process.communicate()

    assert json.loads(out)["bytes"] >= sum(heard.octets)


@pytest.mark.parametrize("heard", [(200, ACCEPTED)], indirect=True)
async def test_half_bodies_are_sent_and_broken_off(heard):
    broken_off = partial(_answers, kind="connections", status="ConnectionAbortedError")
    told = await _evil(heard, broken_off, "--kinds", "half")

    assert broken_off(told) > 0
    assert heard.octets == []
