"""The floor: a bare aiohttp handler on uvloop that reads the body and discards it. `floor.py PORT`."""

import asyncio
import sys

import uvloop
from aiohttp import web


async def answer(request: web.Request) -> web.Response:
    await request.read()
    return web.json_response({"status": "accepted"})


async def main() -> None:
    app = web.Application()
    app.router.add_post("/v1/pingme/{token}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1]), backlog=1024).start()
    await asyncio.Event().wait()


uvloop.run(main())
