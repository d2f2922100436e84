"""The admin listener's token: configured, or generated at the first start and kept in `data_dir`."""

import hmac
import ipaddress
import secrets
from pathlib import Path
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import SecretStr

from app.admin import documents
from app.admin.problems import problem
from app.errors import StartupError
from app.kept_secret import kept
from app.page import PATHS as PAGE
from app.settings.load import Settings
from receiver.strangers import Strangers, client_of

OPEN: Final = frozenset({"/livez", "/healthz", "/readyz", "/metrics"})
STATIC: Final = PAGE | documents.PATHS.keys()
"""What is the same for everybody: GET and HEAD need no token."""
ABOUT: Final = "/v1/token"
"""What the token may do."""
LIMITED: Final = ("/v1/sms", "/v1/cursor", "/v1/wait", "/v1/stream", "/v1/callbacks", ABOUT)
"""What a token for reading some accounts may read."""
READ: Final = (*LIMITED, "/v1/watches")
"""What a token for reading all accounts may read."""
AMONG: Final = web.RequestKey[tuple[str, ...] | None]("accounts", tuple)
READ_ONLY: Final = "This token (admin.read_token) reads and waits only; limited to accounts, it reads only their SMS."
LOOPBACK: Final = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
"""Requests from this machine with the token may be forwarded ones: by the parent of `--workers`, or by a proxy."""
UNAUTHORIZED: Final = (
    "Send the admin token: Authorization: Bearer …; it is SMSBUS_ADMIN__TOKEN, or is in the file "
    "admin-token of the data directory."
)
READS_TOO: Final = " A token for reading (admin.read_token) is enough for this."

_log = structlog.get_logger("smsbus")


def token_file(settings: Settings) -> Path:
    """Return the path of the generated token."""
    return settings.data_dir / "admin-token"


def with_admin_token(settings: Settings) -> Settings:
    """Return the settings with a token, generated if none is configured; processes that start at once share one.

    Raises `StartupError` when it can be neither read nor generated.
    """
    if settings.admin.token:
        return settings
    path = token_file(settings)
    try:
        token, is_new = kept(path, lambda: secrets.token_urlsafe(24))
    except OSError as error:
        message = f"SMSBUS_DATA_DIR: the admin token cannot be stored in {path}: {error.strerror}"
        raise StartupError([message]) from error
    if is_new:
        _log.info("admin_token_made", file=str(path))
    if not token:
        message = f"SMSBUS_DATA_DIR: {path} contains no token: remove the file, and the next start generates one"
        raise StartupError([message])
    return settings.model_copy(update={"admin": settings.admin.model_copy(update={"token": SecretStr(token)})})


def admin_header(settings: Settings) -> dict[str, str]:
    """Return the header that a client sends, from settings that `with_admin_token` returned."""
    token = settings.admin.token
    return {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}


def guard(
    token: SecretStr | None, read_token: SecretStr | None = None, read_accounts: tuple[str, ...] = ()
) -> Middleware:
    """Return a middleware: without the token, all except health, metrics and what is static gets a 401; None: always.

    With the token for reading a GET of what is read is passed on, and limited to these accounts (none: all); health
    and metrics, too, are then those of these accounts.
    """
    ours, readers = (_bytes(each) for each in (token, read_token))
    strangers = Strangers("wrong_admin_token")
    among = tuple(sorted(read_accounts)) or None
    readable = READ if among is None else LIMITED

    def is_read(request: web.Request) -> bool:
        return request.method in {"GET", "HEAD"} and request.path.startswith(readable)

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        reads = bool(readers) and _shows(request, readers)
        if reads:
            request[AMONG] = among
        if request.path in OPEN or (request.path in STATIC and request.method in {"GET", "HEAD"}):
            return await handler(request)
        if ours and _shows(request, ours):
            with structlog.contextvars.bound_contextvars(client=client_of(request, LOOPBACK)):
                return await handler(request)
        if reads:
            return await handler(request) if is_read(request) else problem(403, "read_only", READ_ONLY)
        strangers.refused(request)
        return problem(401, "unauthorized", UNAUTHORIZED + (READS_TOO if readers and is_read(request) else ""))

    return guarded


def accounts_of(request: web.Request) -> tuple[str, ...] | None:
    """Return the accounts that whoever sent the request may see; None: all."""
    among: tuple[str, ...] | None = request.get(AMONG)
    return among


async def answer_token(request: web.Request) -> web.Response:
    """Respond with what whoever sent the request may do: a program that is given a token offers nothing else."""
    among = accounts_of(request)
    may = {"reads_only": AMONG in request, "accounts": list(among) if among is not None else None}
    return web.json_response(may, headers={"Cache-Control": "no-store"})


def _bytes(token: SecretStr | None) -> bytes:
    return (token.get_secret_value() if token else "").encode()


def _shows(request: web.Request, token: bytes) -> bool:
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(shown.strip().encode("utf-8", "surrogateescape"), token)
