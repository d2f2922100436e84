"""A log that nobody reads, as of a terminal at Ctrl-S or a log driver that hangs: SMS are not held up."""

import asyncio
import os

import pytest

from tests.e2e.load import Load
from tests.e2e.program import PROGRAM, START_SECONDS, Replica, eventually
from tests.e2e.topic import events, problems
from tests.pipes import full_pipe


@pytest.mark.timeout(120)
@pytest.mark.parametrize("arguments", [(), ("--workers", "2")], ids=["one process", "workers"])
async def test_a_service_whose_log_nobody_reads_starts_serves_and_stops(smsbus, arguments):
    reads, writes = full_pipe()
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, "serve", *arguments, cwd=smsbus.directory, env=smsbus._environ({}), stderr=writes
    )
    replica = Replica(process, smsbus.directory / "none.log", smsbus._settings)
    replica.log.touch()
    smsbus.replicas.append(replica)

    async def serves() -> bool:
        try:
            return (await replica.get("/readyz"))[0] == 200
        except OSError:
            return False

    await eventually(serves, START_SECONDS, "the service is ready")
    async with Load(replica.url) as load:
        await load.until_answered(20)
    metrics = await replica.metrics()
    code = await replica.terminate()
    os.close(writes)
    os.close(reads)

    assert code == 0
    assert metrics["log_lines_dropped"] > 0
    assert load.refused() == []
    assert problems(load.posts, await events(smsbus), one_process=not arguments) == []
