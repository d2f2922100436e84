"""The page: static files, served by the admin listener to whoever reaches it.

They know nothing: what they show comes from the API, with the token that their user has. One of them is made from the
program: what degraded reasons mean (`app.degraded`).
"""

import json
from importlib.resources import files
from typing import Final

from aiohttp import web

from app.degraded import MEANINGS

TYPES: Final = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
)
"""Nothing from elsewhere, nothing inline, no frames; and no text ever becomes markup."""
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def _files() -> dict[str, tuple[str, str]]:
    """Return text and type of each file, by its path."""
    found = {}
    for file in files(__name__).iterdir():
        kind = file.name.rpartition(".")[2]
        if kind in TYPES:
            path = "/" if kind == "html" else f"/page/{file.name}"
            found[path] = (file.read_text("utf-8"), TYPES[kind])
    return found | {"/page/meanings.js": (_meanings(), TYPES["js"])}


def _meanings() -> str:
    """Return a module with what each degraded reason means: the page and `smsbus status` say the same."""
    texts = {reason: meaning._asdict() for reason, meaning in MEANINGS.items()}
    return f"export const MEANINGS = {json.dumps(texts, ensure_ascii=False, indent=1)};\n"


FILES: Final = _files()
"""Read once: the page of a process is the one that it was started with."""
PATHS: Final = frozenset(FILES)
"""What is served without a token, to GET and HEAD."""


def add_to(router: web.UrlDispatcher) -> None:
    """Mount the page."""
    for path in FILES:
        router.add_get(path, _serve)


async def _serve(request: web.Request) -> web.Response:
    text, kind = FILES[request.path]
    response = web.Response(text=text, content_type=kind, charset="utf-8", headers=HEADERS)
    response.enable_compression()
    return response
