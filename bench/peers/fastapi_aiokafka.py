"""FastAPI with aiokafka, the whole job. Run by uvicorn; BENCH_KAFKA, BENCH_TOPIC and BENCH_TOKEN say where."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer
from fastapi import FastAPI
from full_job import SmsReceived, application

KAFKA, TOPIC, TOKEN = (os.environ[name] for name in ("BENCH_KAFKA", "BENCH_TOPIC", "BENCH_TOKEN"))


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.producer = AIOKafkaProducer(
        bootstrap_servers=KAFKA, acks="all", enable_idempotence=True, max_batch_size=256 * 1024
    )
    async with app.state.producer:
        yield


async def deliver(sms: SmsReceived) -> None:
    await app.state.producer.send_and_wait(TOPIC, sms.model_dump_json().encode(), key=sms.key, headers=sms.headers)


app = application(lifespan, deliver, TOKEN)
