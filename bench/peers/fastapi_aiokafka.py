"""FastAPI with aiokafka, the whole job. Run by uvicorn; BENCH_KAFKA, BENCH_TOPIC and BENCH_TOKEN say where."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, HTTPException
from full_job import Callback, sms_received

KAFKA, TOPIC, TOKEN = (os.environ[name] for name in ("BENCH_KAFKA", "BENCH_TOPIC", "BENCH_TOKEN"))


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.producer = AIOKafkaProducer(
        bootstrap_servers=KAFKA, acks="all", enable_idempotence=True, max_batch_size=256 * 1024
    )
    async with app.state.producer:
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/v1/pingme/{token}")
async def receive(token: str, callback: Callback) -> dict[str, str]:
    if token != TOKEN:
        raise HTTPException(404)
    sms = sms_received(callback)
    await app.state.producer.send_and_wait(TOPIC, sms.model_dump_json().encode(), key=sms.key, headers=sms.headers)
    return {"status": "accepted", "id": sms.id}
