"""FastAPI with confluent-kafka, the whole job. Run by uvicorn; BENCH_KAFKA, BENCH_TOPIC and BENCH_TOKEN say where."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from confluent_kafka import KafkaError, Message, Producer
from fastapi import FastAPI, HTTPException
from full_job import SmsReceived, application

KAFKA, TOPIC, TOKEN = (os.environ[name] for name in ("BENCH_KAFKA", "BENCH_TOPIC", "BENCH_TOKEN"))
producer = Producer(
    {
        "bootstrap.servers": KAFKA,
        "acks": "all",
        "enable.idempotence": True,
        "linger.ms": 1,
        "partitioner": "murmur2_random",
    }
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    threading.Thread(target=_poll, daemon=True).start()
    yield
    await asyncio.to_thread(producer.flush, 10)


def _poll() -> None:
    while True:
        producer.poll(0.1)


async def deliver(sms: SmsReceived) -> None:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def settle(error: KafkaError | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(HTTPException(503, "not stored"))

    def on_delivery(error: KafkaError | None, _: Message) -> None:
        loop.call_soon_threadsafe(settle, error)

    producer.produce(TOPIC, sms.model_dump_json().encode(), sms.key, headers=sms.headers, on_delivery=on_delivery)
    await future


app = application(lifespan, deliver, TOKEN)
