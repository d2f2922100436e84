"""One account's callback URL in foreign hands: nobody else may notice, whatever comes by it."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.e2e.program import ROOT
from tests.e2e.topic import records
from tests.faults import topics
from tests.faults.cases.brokers import drained
from tests.faults.checker import percentile
from tests.faults.history import Fault, Post
from tests.faults.process import Part
from tests.faults.stage import Stage

LEAKED, TOKEN = "leaked", "a-leaked-token-a-leaked-token"
HERE_SECONDS, AWAY_SECONDS = 90.0, 300.0  # of malice, with Kafka and without
END_SECONDS = 10
P99_SECONDS, SLOWEST_SECONDS = 0.25, 2.0  # of genuine answers
MOST_MIB = 300  # of the receiver's memory
LIMITED = "account_limited"
OUTCOMES = ("over_allowance", "too_many_at_once")


async def second_account(stage: Stage) -> None:
    """Give the receivers an account whose URL was leaked; what arrives of it is judged by the case."""
    name = f"ACCOUNTS__{LEAKED.upper()}__"
    stage.settings |= {f"{name}PROVIDER": "pingme", f"{name}CALLBACK_TOKENS": TOKEN}
    stage.apart.add(LEAKED)


async def leaked_url(stage: Stage) -> None:
    """Its holder does what he can, at 10 Mbit/s: while Kafka is there, and while it is away for minutes."""
    receiver = stage.receivers[0]
    async with _malice(stage, "malice") as here:
        await stage.sleep(HERE_SECONDS)
    await _counted(stage, receiver)
    async with _malice(stage, "malice, Kafka away") as away:
        await asyncio.gather(*(node.kill() for node in stage.kafka.nodes))
        await stage.sleep(AWAY_SECONDS)
    await stage.kafka.start()
    for fault in stage.faults:
        _genuine_unharmed(stage, fault)
    memory = _peak_mib(receiver)
    if memory > MOST_MIB:
        stage.wrong(f"{receiver.label} took {memory:.0f} MiB of memory")
    await drained(stage)
    await _nothing_lost(stage, [here, away])


@asynccontextmanager
async def _malice(stage: Stage, name: str) -> AsyncIterator[dict[str, Any]]:
    """Inside, he is at it; what he was answered stands in what was yielded when the block is over."""
    url = f"{stage.receivers[0].url.rsplit('/', 1)[0]}/{TOKEN}"
    command = (sys.executable, "-m", "tests.faults.evil", url, "--seed", str(stage.rng.randrange(10**6)))
    evil = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    told: dict[str, Any] = {}
    try:
        async with stage.fault(name):
            yield told
        evil.terminate()
        async with asyncio.timeout(END_SECONDS):
            out, _ = await evil.communicate()
        told |= json.loads(out)
        (stage.directory / f"{name}.json").write_text(json.dumps(told["statuses"], indent=1))
        stage.met(f"{name}: he was answered 200 and more", told["ids"] and told["bytes"])
    finally:
        if evil.returncode is None:
            evil.kill()


async def _counted(stage: Stage, receiver: Part) -> None:
    """That he is limited is said, in one line and by its count."""
    if not receiver.replica.said(LIMITED):
        stage.wrong(f"{receiver.label} did not say {LIMITED}")
    _, metrics = await receiver.replica.get("/metrics")
    lines = [line for line in metrics.splitlines() if f'account="{LEAKED}"' in line]
    counted = (line for line in lines if any(f'outcome="{outcome}"' in line for outcome in OUTCOMES))
    if not sum(float(line.split()[-1]) for line in counted):
        stage.wrong(f"no callback of {LEAKED} was counted as {' or '.join(OUTCOMES)}")


def _genuine_unharmed(stage: Stage, fault: Fault) -> None:
    during = [post for post in stage.callbacks.posts if fault.at <= post.at <= fault.until]
    stage.met(f"{fault.name}: genuine callbacks came", during)
    if not during:
        return
    if failed := [post for post in during if post.status != 200]:
        stage.wrong(f"{fault.name}: {len(failed)} of {len(during)} genuine callbacks were answered {_said(failed[0])}")
    p99, slowest = percentile(0.99, _seconds(during)), max(_seconds(during))
    if p99 > P99_SECONDS:
        stage.wrong(f"{fault.name}: one genuine answer of a hundred took {p99:.3f} s or more")
    if slowest > SLOWEST_SECONDS:
        stage.wrong(f"{fault.name}: a genuine answer took {slowest:.1f} s")


async def _nothing_lost(stage: Stage, told: list[dict[str, Any]]) -> None:
    """What he was answered 200 for is there as anybody else's is."""
    accepted = {record.value for record in await records(stage.reader, topics.RECEIVED)}
    ids = {each["id"] for each in map(json.loads, accepted) if each["account"] == LEAKED}
    letters = [json.loads(record.value) for record in await records(stage.reader, topics.REJECTED)]
    own = {letter["id"] for letter in letters if letter["account"] == LEAKED}
    if lost := {each for part in told for each in part["ids"]} - ids - own:
        stage.wrong(f"lost: {len(lost)} SMS of {LEAKED} were answered 200 and are not in the topic")
    rejected = sum(part["rejected"] for part in told)
    if len(own) < rejected:
        stage.wrong(f"lost: {rejected} answers to {LEAKED} rejected something, and {len(own)} dead letters are there")


def _seconds(during: list[Post]) -> list[float]:
    return [post.seconds for post in during]


def _said(post: Post) -> str:
    return f"{post.status or post.failure} {post.body}"


def _peak_mib(part: Part) -> float:
    status = Path(f"/proc/{part.replica.process.pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+)", status, re.MULTILINE)
    return float(found[1]) / 1024 if found else 0.0
