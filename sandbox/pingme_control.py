"""PingMe's control API, from its document: locking, subscribing and listing numbers."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any, Final

from aiohttp import web

from sandbox.pingme_callbacks import APPS, number
from sandbox.settings import PingMeSettings

MISSING_PARAMETER: Final = 100004
NOT_LOCKED: Final = 500002
FIRST_NUMBER: Final = 70_000


class _Endpoints:
    """The endpoints of one account; `_locked`: (app, number) → whether it is subscribed."""

    def __init__(self, settings: PingMeSettings) -> None:
        self._settings = settings
        self._locked: dict[tuple[str, str], bool] = {}
        self._numbers = (number(index) for index in itertools.count(FIRST_NUMBER))

    async def apps(self, request: web.Request) -> web.Response:
        """`getAppList`; the document does not show its response."""
        self._permit(request)
        return _success({"apps": [{"app": app, "name": app.upper()} for app in APPS]})

    async def lock(self, request: web.Request) -> web.Response:
        """`lockNumber`: a new number, or one that was locked before."""
        asked = await self._asked(request)
        if not asked.get("app"):
            return _failure(MISSING_PARAMETER)
        phone = asked.get("number") or next(self._numbers)
        if asked.get("number") and (asked["app"], phone) not in self._locked:
            return _failure(NOT_LOCKED)
        self._locked.setdefault((asked["app"], phone), False)
        return _success({"number": int(phone), "price": 0.5})

    async def subscribe(self, request: web.Request) -> web.Response:
        """`subNumber`."""
        return self._set(await self._asked(request), subscribed=True)

    async def unsubscribe(self, request: web.Request) -> web.Response:
        """`unSubNumber`."""
        return self._set(await self._asked(request), subscribed=False)

    async def numbers(self, request: web.Request) -> web.Response:
        """`getNumberList`, of one app or of all."""
        self._permit(request)
        if request.query.get("userId") != self._settings.user_id:
            return _failure(MISSING_PARAMETER)
        app_filter = request.query.get("app", "")
        rows = [_row(app, phone, on) for (app, phone), on in self._locked.items() if app_filter in ("", app)]
        return _success({"numbers": rows})

    def _set(self, asked: Mapping[str, str], *, subscribed: bool) -> web.Response:
        if not asked.get("app") or not asked.get("number"):
            return _failure(MISSING_PARAMETER)
        if (asked["app"], asked["number"]) not in self._locked:
            return _failure(NOT_LOCKED)
        self._locked[asked["app"], asked["number"]] = subscribed
        return _success({})

    def _permit(self, request: web.Request) -> None:
        if request.headers.get("x-app-key") != self._settings.app_key:
            raise web.HTTPForbidden

    async def _asked(self, request: web.Request) -> dict[str, str]:
        self._permit(request)
        try:
            asked = await request.json()
        except ValueError:
            return {}
        own = isinstance(asked, dict) and asked.get("userId") == self._settings.user_id
        return {name: str(value) for name, value in asked.items()} if own else {}


def routes(settings: PingMeSettings) -> Iterable[web.RouteDef]:
    """Return the routes of the control endpoints."""
    endpoints = _Endpoints(settings)
    yield web.get("/pingme/thirdparty/getAppList", endpoints.apps)
    yield web.post("/pingme/thirdparty/lockNumber", endpoints.lock)
    yield web.post("/pingme/thirdparty/subNumber", endpoints.subscribe)
    yield web.post("/pingme/thirdparty/unSubNumber", endpoints.unsubscribe)
    yield web.get("/pingme/thirdparty/getNumberList", endpoints.numbers)


def _success(result: dict[str, Any]) -> web.Response:
    return web.json_response({"retcode": 0, "retmsg": "success", "result": result})


def _failure(code: int) -> web.Response:
    return web.json_response({"retcode": code, "retmsg": "", "result": {}})


def _row(app: str, phone: str, subscribed: bool) -> dict[str, str | int]:  # noqa: FBT001 - it is a row's cell
    return {
        "phone": phone,
        "nextPaymentDate": "2099-11-22 (Expiry Date)",
        "subStatus": int(subscribed),
        "subRent": "$0.5 / Month",
        "app": app,
        "monthRent": "$0.5" if subscribed else "",
        "name": app.upper(),
        "telCode": "1",
        "codeRate": "$0.2 / SMS",
    }
