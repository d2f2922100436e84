"""Is a broker ready? Tested with real requests, since an open port is not enough."""

import asyncio

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import KafkaError

PAUSE = 0.1  # seconds between two tries
ANSWER_MS = 2_000


async def brokers_ready(bootstrap: str, count: int, timeout: float) -> bool:  # noqa: ASYNC109  a bound, not a failure
    """Return True once every address of `bootstrap` responds, names at least `count` brokers and its groups work.

    Returns False when that has not happened within `timeout` seconds. Plain-text connections only.
    The first call on a fresh cluster makes the broker create its `__consumer_offsets`.
    """
    try:
        async with asyncio.timeout(timeout):
            for address in bootstrap.split(","):
                while not await _answers(address, count):  # noqa: ASYNC110  a broker sets no event of ours
                    await asyncio.sleep(PAUSE)
    except TimeoutError:
        return False
    return True


async def _answers(address: str, count: int) -> bool:
    if not await _listens(address):
        return False
    client = AIOKafkaClient(bootstrap_servers=address, request_timeout_ms=ANSWER_MS)
    try:
        await client.bootstrap()
        await client.coordinator_lookup(CoordinationType.GROUP, "smsbus-probe")
    except (KafkaError, OSError, AssertionError, AttributeError):  # aiokafka's errors if no broker is named
        return False
    else:
        return len(client.cluster.brokers()) >= count
    finally:
        await client.close()


async def _listens(address: str) -> bool:
    """Try the port first: aiokafka logs every refused connection as an error."""
    host, port = address.rsplit(":", 1)
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    return True
