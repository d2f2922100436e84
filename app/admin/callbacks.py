"""Which callback tokens are valid, and when each was last used, which rotating one needs; and test SMS."""

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, TypedDict

import structlog
from aiohttp import web

from app.admin.problems import problem
from app.admin.token import accounts_of
from receiver.server import TokenUse
from sandbox.pingme_wire import CallbackResponse
from schemas import timestamps

PATH: Final = "/v1/callbacks"
TEST: Final = "/v1/callbacks/{account}/test"
NO_BODY: Final = "This request has no body: the SMS is always the same (`smsbus trigger pingme --text` sends others)."
UNKNOWN: Final = "No PingMe account of this name is configured."
REFUSED: Final = "The receiver answered {} ({}), so the test SMS was not taken."
SILENT: Final = "The receiver of this process does not answer, so the test SMS was not taken."

_log = structlog.get_logger("smsbus")


class TokenView(TypedDict):
    """A token as it is shown: by its fingerprint."""

    fingerprint: str
    newest: bool
    last_used_at: str | None
    """UTC; None: not since `since`."""


class AccountView(TypedDict):
    """An account with its tokens, the newest first."""

    account: str
    tokens: list[TokenView]


class CallbacksView(TypedDict):
    """The response."""

    since: str
    """UTC: uses before it are not known."""
    accounts: list[AccountView]


async def nobody_sends(_: str) -> CallbackResponse | None:
    """Default for `send`: there is no account."""
    return None


class CallbackApi:
    """`GET /v1/callbacks`, `POST /v1/callbacks/{account}/test`. The listener checks the token (`app.admin.token`)."""

    def __init__(
        self,
        uses: Callable[[], Iterable[TokenUse]],
        since_ms: Callable[[], int],
        *,
        send: Callable[[str], Awaitable[CallbackResponse | None]] = nobody_sends,
    ) -> None:
        """`uses` has been noted from `since_ms` on, milliseconds since 1970 as the clock is set by now.

        `send` sends a test SMS to an account's callback URL; None: there is no such account.
        """
        self._uses = uses
        self._since_ms = since_ms
        self._send = send

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Mount the routes."""
        router.add_get(PATH, self._show)
        router.add_post(TEST, self._test)

    async def _show(self, request: web.Request) -> web.Response:
        among = accounts_of(request)
        uses = (use for use in self._uses() if among is None or use.account in among)
        return web.json_response(view(uses, self._since_ms()))

    async def _test(self, request: web.Request) -> web.Response:
        if await request.read():
            return problem(400, "invalid_request", NO_BODY)
        name = request.match_info["account"]
        answer = await self._send(name)
        if answer is None:
            return problem(404, "unknown_account", UNKNOWN)
        _log.info("test_sms", account=name, answer=answer.http)
        if answer.http != 200:
            detail = REFUSED.format(answer.http, answer.reason or "no reason") if answer.http else SILENT
            return problem(503, "not_taken", detail)
        return web.json_response({"status": answer.status, "id": answer.id, "reason": answer.reason})


def view(uses: Iterable[TokenUse], since_ms: int) -> CallbacksView:
    """Return the response of one process. Pure."""
    accounts: dict[str, AccountView] = {}
    for use in uses:
        at = timestamps.to_text(use.last_used_ms) if use.last_used_ms is not None else None
        token: TokenView = {"fingerprint": use.fingerprint, "newest": use.newest, "last_used_at": at}
        accounts.setdefault(use.account, {"account": use.account, "tokens": []})["tokens"].append(token)
    return {"since": timestamps.to_text(since_ms), "accounts": [*accounts.values()]}


def together(texts: Sequence[str]) -> CallbacksView:
    """Merge the responses of several receivers: each token's latest use, and the latest `since`. Pure.

    A token is listed if any receiver lists it, and is the newest if all say so: they differ until each has reloaded.
    """
    views: list[CallbacksView] = [json.loads(text) for text in texts]
    accounts: dict[str, dict[str, list[TokenView]]] = {}
    for each in views:
        for account in each["accounts"]:
            tokens = accounts.setdefault(account["account"], {})
            for token in account["tokens"]:
                tokens.setdefault(token["fingerprint"], []).append(token)
    return {
        "since": max(each["since"] for each in views),
        "accounts": [
            {"account": name, "tokens": [_joined(said, len(views)) for said in tokens.values()]}
            for name, tokens in accounts.items()
        ],
    }


def _joined(said: Sequence[TokenView], receivers: int) -> TokenView:
    return {
        "fingerprint": said[0]["fingerprint"],
        "newest": len(said) == receivers and all(token["newest"] for token in said),
        "last_used_at": max((token["last_used_at"] for token in said if token["last_used_at"]), default=None),
    }
