"""SMS-Man's rent API, from https://sms-man.com/api/rent and, where that is silent, from public clients."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.account import Account
from sandbox.orders import Phase, Rent
from sandbox.polled.grizzlysms import naive
from sandbox.polled.handler_api import Action
from sandbox.polled.smsman import balance, error, names, number, unknown
from sandbox.response import Moment, Query, Response, as_json
from sandbox.settings import OrderRequest
from sandbox.sms import Sms

PRICE: Final = 151.68
SECONDS: Final = {"hour": 3600, "day": 86400, "week": 7 * 86400, "month": 30 * 86400}
NO_CANCEL_AFTER: Final = 1200.0  # seconds
LONGEST: Final = 1000  # of a unit


def _limits(_account: Account, query: Query, _moment: Moment) -> Response:
    row = {"country_id": query.get("country_id") or "1", "count": "127", "cost": f"{PRICE:.2f}"}
    return as_json({"type": query.get("type") or "hour", "time": query.get("time") or "4", "limits": [row]})


def _get_number(account: Account, query: Query, moment: Moment) -> Response:
    unit, time = SECONDS.get(query.get("type", "")), number(query.get("time", ""), 0)
    if unit is None or not 0 < time <= LONGEST:
        return error("wrong_time", "Wrong type or time!")
    if account.balance < PRICE:
        return error("balance", "Not enough balance")
    account.balance -= PRICE
    service, country = query.get("application_id") or "0", query.get("country_id") or "1"
    request = OrderRequest(
        provider="smsman", kind="rent", service=service, country=country, lifetime=float(unit * time)
    )
    return as_json(names(account.rent(request, moment.now)))


def _find(account: Account, query: Query, moment: Moment) -> Rent | None:
    order = account.rents.get(query.get("request_id", ""))
    return None if order is None or order.over(moment.now) else order


def _as_shown(sms: Sms, moment: Moment) -> dict[str, str]:
    return {"text": sms.text, "code": sms.code, "time": naive(moment, sms.at)}


def _get_sms(account: Account, query: Query, moment: Moment) -> Response:
    """Return the newest SMS; if there is none, the wait of the control API: the document does not show that case."""
    order = _find(account, query, moment)
    if order is None:
        return unknown()
    newest = order.listing(moment.now, moment.lag)[:1]
    if not newest:
        return as_json(names(order) | {"error_code": "wait_sms", "error_msg": "Still waiting..."})
    return as_json(names(order) | {"sms": _as_shown(newest[0], moment)}, shows=tuple(newest))


def _get_all_sms(account: Account, query: Query, moment: Moment) -> Response:
    order = _find(account, query, moment)
    if order is None:
        return unknown()
    listing = order.listing(moment.now, moment.lag)
    return as_json(names(order) | {"sms": [_as_shown(sms, moment) for sms in listing]}, shows=tuple(listing))


def _get_all_requests(account: Account, _query: Query, moment: Moment) -> Response:
    """Return the open rents; of this endpoint the document has only the name."""
    open_ones: list[dict[str, Any]] = [names(order) for order in account.rents.values() if not order.over(moment.now)]
    return as_json({"requests_info": open_ones})


def _set_status(account: Account, query: Query, moment: Moment) -> Response:
    order = _find(account, query, moment)
    if order is None:
        return unknown()
    match query.get("status"):
        case "close":
            order.close(moment.now, Phase.FINISHED)
        case "cancel" if not order.arrived(moment.now) and moment.now - order.opened <= NO_CANCEL_AFTER:
            order.close(moment.now, Phase.CANCELLED)
        case _:
            return error("wrong_status", "Wrong status!")
    return as_json({"request_id": int(order.id), "success": True})


ACTIONS: Final[Mapping[str, Action]] = {
    "get-balance": balance,
    "limits": _limits,
    "get-number": _get_number,
    "set-status": _set_status,
    "get-sms": _get_sms,
    "get-all-sms": _get_all_sms,
    "get-all-requests": _get_all_requests,
}
