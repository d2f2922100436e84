"""The simplest program: aiohttp in front of aiokafka, each body sent and awaited. `naive.py PORT KAFKA TOPIC`."""

import asyncio
import sys

import uvloop
from aiohttp import web
from aiokafka import AIOKafkaProducer

PORT, KAFKA, TOPIC = sys.argv[1:]


async def main() -> None:
    producer = AIOKafkaProducer(bootstrap_servers=KAFKA, acks="all", enable_idempotence=True, max_batch_size=256 * 1024)
    await producer.start()

    async def answer(request: web.Request) -> web.Response:
        await producer.send_and_wait(TOPIC, await request.read())
        return web.json_response({"status": "accepted"})

    app = web.Application()
    app.router.add_post("/v1/pingme/{token}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(PORT), backlog=1024).start()
    await asyncio.Event().wait()


uvloop.run(main())
