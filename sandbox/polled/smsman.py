"""SMS-Man activations, from https://sms-man.com/site/docs-apiv2 and, where that is silent, from public clients."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sandbox.account import Account
from sandbox.orders import ENDED, Activation, Order, Phase
from sandbox.polled.handler_api import Action
from sandbox.response import Moment, Query, Response, as_json
from sandbox.settings import OrderRequest
from sandbox.sms import OrderKind

PRICE: Final = 0.15


def respond(actions: Mapping[str, Action], name: str, account: Account, query: Query, moment: Moment) -> Response:
    """Return the response to one of these endpoints, which must exist."""
    if query.get("token") != account.settings.key:
        wrong = "Wrong token!"
        return error(
            "wrong_token", {"token": wrong} if name == "limits" else wrong
        )  # one page of the document has both forms
    return actions[name](account, query, moment)


def error(code: str, message: str | dict[str, Any]) -> Response:
    """Return an error response."""
    return as_json({"success": False, "error_code": code, "error_msg": message})


def unknown() -> Response:
    """Return the error for an unknown id or an ended order; clients agree only on the message."""
    return error("wrong_request_id", {"request_id": ["Current request not exists"]})


def number(text: str, default: int) -> int:
    """Return an id as a number; any other text counts as missing."""
    return int(text) if text.isascii() and text.isdecimal() else default


def names(order: Order) -> dict[str, Any]:
    """Return the keys that every response about an order begins with."""
    return {
        "request_id": int(order.id),
        "country_id": number(order.country, 1),
        "application_id": number(order.service, 0),
        "number": order.number,
    }


def balance(account: Account, _query: Query, _moment: Moment) -> Response:
    """`{"balance":"799.70"}`."""
    return as_json({"balance": f"{account.balance:.2f}"})


def _limits(_account: Account, query: Query, _moment: Moment) -> Response:
    row = {"application_id": query.get("application_id") or "1", "country_id": query.get("country_id") or "1"}
    return as_json([row | {"numbers": "32302"}])


def _get_number(account: Account, query: Query, moment: Moment) -> Response:
    if account.balance < PRICE:
        return error("balance", "Not enough balance")
    account.balance -= PRICE
    service, country = query.get("application_id") or "1", query.get("country_id") or "1"
    return as_json(
        names(account.activate(OrderRequest(provider="smsman", service=service, country=country), moment.now))
    )


def _find(account: Account, query: Query, moment: Moment) -> Activation | None:
    order = account.activations.get(query.get("request_id", ""))
    return None if order is None or order.state(moment.now).phase in ENDED else order


def _get_sms(account: Account, query: Query, moment: Moment) -> Response:
    order = _find(account, query, moment)
    if order is None:
        return unknown()
    state = order.state(moment.now, moment.lag)
    if state.phase is Phase.SMS and state.sms is not None:
        return as_json(names(order) | {"sms_code": state.sms.code}, shows=(state.sms,))
    waiting = {"error_code": "wait_sms", "error_msg": "Still waiting..."}
    return as_json(names(order) | waiting, passes=state.sms)


def another(account: Account, kind: OrderKind, query: Query, moment: Moment) -> Query | None:
    """Return a request for SMS changed to another open order; None: there is none, or it is another request."""
    asked = query.get("request_id")
    if asked is None or "status" in query:
        return None
    rents = (rent for rent in account.rents.values() if not rent.over(moment.now))
    orders: Iterable[Order] = account.running(moment.now) if kind == "activation" else rents
    return next(({**query, "request_id": order.id} for order in orders if order.id != asked), None)


def _set_status(account: Account, query: Query, moment: Moment) -> Response:
    order = _find(account, query, moment)
    if order is None:
        return unknown()
    match query.get("status"):
        case "ready" | "retrysms":
            order.next(moment.now)
        case "close" | "used":
            order.close(moment.now, Phase.FINISHED)
        case "reject":
            order.close(moment.now, Phase.CANCELLED)
        case _:
            return error("wrong_status", "Wrong status!")
    return as_json({"request_id": int(order.id), "success": True})


def _prices(_account: Account, query: Query, _moment: Moment) -> Response:
    services = {"3": {"cost": f"{PRICE:.2f}", "count": 32302}}
    return as_json(services if query.get("country_id") else {"4": services})


def _countries(_account: Account, _query: Query, _moment: Moment) -> Response:
    return as_json({"1": {"id": "1", "title": "Russia", "code": "RU"}})


def _applications(_account: Account, _query: Query, _moment: Moment) -> Response:
    return as_json({"3": {"id": "3", "title": "Telegram", "code": "tg"}})


ACTIONS: Final[Mapping[str, Action]] = {
    "get-balance": balance,
    "limits": _limits,
    "get-number": _get_number,
    "get-sms": _get_sms,
    "set-status": _set_status,
    "get-prices": _prices,
    "countries": _countries,
    "applications": _applications,
}
