"""Whether a contender responds 2xx before Kafka has the SMS: each gets a callback while the broker is paused.

`python -m bench.frozen_broker` prints each response before and meanwhile. smsbus responds 200 meanwhile, too: after
250 ms its journal has it.
"""

import asyncio
import http.client
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from app import process
from app.local_kafka.cluster import Cluster, local_kafka
from bench.callbacks import PATH, Callbacks
from bench.contenders import NOTHING, Place, contenders
from bench.figures import Cells, aligned
from bench.interleave import start
from bench.kafka import make_topics, scratch
from bench.machine import available, together
from bench.server import Server, free_port

PATIENCE: Final = 2.0  # seconds for a response; normally it takes milliseconds


def asked(server: Server, request: bytes) -> str:
    """Return its response to a callback, and the status."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    body = request.partition(b"\r\n\r\n")[2]
    try:
        connection.request("POST", PATH, body, {"Content-Type": "application/json"})
        return str(connection.getresponse().status)
    except TimeoutError:
        return "nothing"
    finally:
        connection.close()


async def compare(cluster: Cluster, directory: Path) -> Cells:
    """Return each contender's responses before the broker was paused, and meanwhile."""
    with ExitStack() as stack:
        servers = [
            (contender.name, runner.server)
            for contender in contenders()
            if contender.work != NOTHING
            for runner in start(contender, _place(cluster, directory), together(available()), stack)[:1]
            if runner.server
        ]
        requests = Callbacks().batch(2 * len(servers))
        before = [await asyncio.to_thread(asked, server, next(requests)) for _, server in servers]
        await cluster.nodes[0].pause()
        meanwhile = [await asyncio.to_thread(asked, server, next(requests)) for _, server in servers]
        await cluster.nodes[0].resume()
    lines = zip((name for name, _ in servers), before, meanwhile, strict=True)
    return [["server", "healthy", "frozen"], *(list(line) for line in lines)]


def _place(cluster: Cluster, directory: Path) -> Place:
    return Place(free_port(), cluster.bootstrap_servers, directory)


async def main() -> None:
    with scratch() as directory:
        async with local_kafka(directory / "kafka") as cluster:
            await make_topics(cluster.bootstrap_servers)
            print(aligned(await compare(cluster, directory)))


if __name__ == "__main__":
    process.run(main())
