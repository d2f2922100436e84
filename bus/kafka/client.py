"""How all our Kafka clients connect and stop, and the error when no broker responds."""

import asyncio
import ssl
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, errors
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.helpers import create_ssl_context

from bus.settings import KafkaSettings

# How requests to failing brokers end. RuntimeError: uvloop's `write` to a closing connection (aiokafka issue 1038).
FAILURES: Final = (errors.KafkaError, TimeoutError, RuntimeError)
SESSION_MS: Final = 6_000  # with it, the shards of a killed member ran elsewhere within 5-6 s
HEARTBEAT_MS: Final = 1_000
# For the others to rejoin; each learns of it with its next heartbeat. The broker keeps a JoinGroup
# waiting for so long; one that ends at the timeout of a request leaves a ghost that the next one has to wait for.
REBALANCE_MS: Final = 3_000
REQUEST_TIMEOUT_MS: Final = 5_000  # one request; a healthy broker responds in milliseconds
PRODUCER_STOP_TIMEOUT: Final = 3.0  # seconds for its batches in flight to end by themselves
CONSUMER_STOP_TIMEOUT: Final = 5.0  # seconds, and as many again for its connections
VARIABLE: Final = "SMSBUS_KAFKA__BOOTSTRAP_SERVERS"


class KafkaAway(Exception):
    """No broker responds. The text is a message for the operator."""

    safe_to_log = True


class CertificateUnusable(OSError):
    """A file of a certificate or key cannot be used. The text is a sentence that names it."""

    is_setting = True


def options(kafka: KafkaSettings) -> dict[str, Any]:
    """Return the options of every aiokafka client: addresses, TLS and authentication.

    Raises OSError, of a file that is no certificate or key `CertificateUnusable`.
    """
    return {
        "bootstrap_servers": kafka.servers,
        "security_protocol": kafka.security_protocol,
        "ssl_context": _ssl_context(kafka),
        **_sasl(kafka),
    }


def away(kafka: KafkaSettings) -> KafkaAway:
    """Return the exception for brokers that do not respond at the configured addresses."""
    hint = "is it running, and is the address right?"
    return KafkaAway(f"no Kafka broker answers at {kafka.bootstrap_servers} ({VARIABLE}): {hint}")


def _ssl_context(kafka: KafkaSettings) -> ssl.SSLContext | None:
    if kafka.security_protocol not in {"SSL", "SASL_SSL"}:
        return None
    # Never None: OpenSSL would prompt for it on the terminal.
    password = kafka.ssl_password.get_secret_value() if kafka.ssl_password else ""
    try:
        context: ssl.SSLContext = create_ssl_context(
            cafile=kafka.ssl_cafile, certfile=kafka.ssl_certfile, keyfile=kafka.ssl_keyfile, password=password
        )
    except ssl.SSLError as error:
        raise CertificateUnusable(_unusable(kafka, error)) from None
    return context


def _unusable(kafka: KafkaSettings, error: ssl.SSLError) -> str:
    wrong = next((name for name in ("ssl_cafile", "ssl_certfile") if _is_no_certificate(getattr(kafka, name))), None)
    name = wrong or ("ssl_keyfile" if kafka.ssl_keyfile else "ssl_certfile")
    hint = ": is it a certificate in PEM?" if wrong else "; an encrypted key needs SMSBUS_KAFKA__SSL_PASSWORD"
    return f"SMSBUS_KAFKA__{name.upper()}={getattr(kafka, name)} cannot be used ({error.reason or error}){hint}"


def _is_no_certificate(file: Path | None) -> bool:
    if file is None:
        return False
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except ssl.SSLError:
        return True
    return False


def _sasl(kafka: KafkaSettings) -> dict[str, Any]:
    if kafka.security_protocol not in {"SASL_PLAINTEXT", "SASL_SSL"}:
        return {}
    password = kafka.sasl_plain_password
    return {
        "sasl_mechanism": kafka.sasl_mechanism,
        "sasl_plain_username": kafka.sasl_plain_username,
        "sasl_plain_password": password.get_secret_value() if password else None,
    }


def seen(future: asyncio.Future[Any]) -> None:
    """Retrieve the exception, so that asyncio does not warn about it."""
    if not future.cancelled():
        future.exception()


def group_consumer(kafka: KafkaSettings, group: str, **more: int) -> AIOKafkaConsumer:
    """Return a consumer that is to be a member of a group; its positions and its progress are in the caller's hands."""
    return AIOKafkaConsumer(
        **options(kafka),
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",  # each reading begins with a seek; retention may overtake it later
        session_timeout_ms=SESSION_MS,
        heartbeat_interval_ms=HEARTBEAT_MS,
        rebalance_timeout_ms=REBALANCE_MS,
        partition_assignment_strategy=[StickyPartitionAssignor],
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        metadata_max_age_ms=5_000,
        **more,
    )


def check_fetching(consumer: AIOKafkaConsumer) -> None:
    """Raise `KafkaError` if nothing will ever be fetched again.

    An exception, such as uvloop's for a closing connection, ends the task that fetches. aiokafka only logs that (0.14):
    the consumer stays in its group, answers questions, and `getmany` returns nothing without end.

    Raises `CancelledError` if the task was cancelled and the client lost that (`wait_for` of Python 3.11 can).
    """
    if is_cancelled():
        raise asyncio.CancelledError
    fetching: asyncio.Task[None] = consumer._fetcher._fetch_task  # noqa: SLF001 - nothing public tells
    if fetching.done():
        raise errors.KafkaError("the consumer has ended its fetching")


def _answer_askers(inner: AIOKafkaProducer) -> None:
    """Fail everything that waits for metadata, now and later: aiokafka does not."""
    client = inner.client
    asked = client._md_update_fut  # noqa: SLF001 - what all of them wait for
    if asked is None:
        asked = client._md_update_fut = asyncio.get_running_loop().create_future()  # noqa: SLF001
    if not asked.done():
        asked.set_result(False)


def is_cancelled() -> bool:
    """Tell whether the current task was cancelled; a stray `CancelledError` is raised without that."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def discard(inner: AIOKafkaProducer) -> None:
    """Stop it in bounded time. `stop` would wait for an absent broker, so its parts are stopped one by one."""
    inner._closed = True  # noqa: SLF001 - what `stop` would set; else its destructor complains
    task = inner._sender.sender_task  # noqa: SLF001 - the only way to end it
    if task is not None:
        task.add_done_callback(seen)
        task.cancel()
    with suppress(Exception):
        async with asyncio.timeout(PRODUCER_STOP_TIMEOUT):
            await inner.client.close()
    if task is None:
        return
    await asyncio.wait([task], timeout=0.5)  # its requests end with their connections
    _answer_askers(inner)
    await asyncio.wait([task], timeout=0.5)


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Stop within a few seconds. Without a broker, one of aiokafka's own tasks cancels `stop` half way (0.14)."""
    if not await _is_done(consumer.stop()):
        await _is_done(consumer._client.close())  # noqa: SLF001 - the half that is left; a second `stop` does nothing


async def _is_done(work: Coroutine[Any, Any, None]) -> bool:
    """Run it for a few seconds in its own task; a cancellation within it must not look like ours.

    Closing a TLS connection outlasts them under uvloop, and aiokafka then gathers futures that we have cancelled.
    """
    task = asyncio.ensure_future(work)
    await asyncio.wait([task], timeout=CONSUMER_STOP_TIMEOUT)
    if task.cancel() or task.cancelled():
        return False
    task.exception()  # retrieved: what cannot be stopped is left behind
    return True
