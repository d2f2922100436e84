"""A slow network: TCP proxies on loopback that delay responses.

`delay.py MILLISECONDS LISTEN:TARGET …` serves until it is stopped. A round trip takes so long and up to a
millisecond more, the resolution of the loop's timers.
"""

import asyncio
import sys
from typing import Final

HOST: Final = "127.0.0.1"
CHUNK: Final = 64 * 1024


async def serve(listen: int, target: int, seconds: float) -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, onward = await asyncio.open_connection(HOST, target)
        await asyncio.gather(pump(reader, onward, 0.0), pump(back, writer, seconds))

    await asyncio.start_server(accept, HOST, listen)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    try:
        while chunk := await reader.read(CHUNK):
            loop.call_later(seconds, writer.write, chunk)
    except ConnectionError:
        pass
    loop.call_later(seconds, writer.close)


async def main(milliseconds: str, *ways: str) -> None:
    for way in ways:
        listen, target = map(int, way.split(":"))
        await serve(listen, target, float(milliseconds) / 1000)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
