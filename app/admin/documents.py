"""The API's own descriptions, as JSON, to whoever reaches the listener: they know nothing of this installation."""

import asyncio
from functools import cache
from importlib.resources import files
from typing import Final

from aiohttp import web

import schemas

PATHS: Final = {"/openapi.json": "openapi.json", "/asyncapi.json": "asyncapi.json"}
HEADERS: Final = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}


def add_to(router: web.UrlDispatcher) -> None:
    """Mount them."""
    for path in PATHS:
        router.add_get(path, _serve)


async def _serve(request: web.Request) -> web.Response:
    text = await asyncio.to_thread(_text, request.path)
    response = web.Response(text=text, content_type="application/json", headers=HEADERS)
    response.enable_compression()
    return response


@cache
def _text(path: str) -> str:
    """Return a document, which no start has to read; a test holds it against the program."""
    return (files(schemas) / "json" / PATHS[path]).read_text("utf-8")
