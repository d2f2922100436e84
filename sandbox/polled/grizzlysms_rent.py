"""GrizzlySMS rents, from its document, in JSON; with the typos of its sample if `moment.odd`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from sandbox.account import Account
from sandbox.orders import Phase, Rent
from sandbox.polled.grizzlysms import naive
from sandbox.polled.handler_api import Action, wrong_key
from sandbox.response import Moment, Query, Response, as_json
from sandbox.settings import GrizzlySmsSettings, OrderRequest
from sandbox.sms import Sms

NO_CANCEL_AFTER: Final = 1200.0  # seconds
HOURLY: Final = 0.9  # the price; 3.6 for the sample's four hours


def respond(account: Account, query: Query, moment: Moment) -> Response:
    """Return the response to one of the rent actions."""
    if (refused := wrong_key(account, query)) is not None:
        return _error(refused)
    return ACTIONS[query["action"]](account, query, moment)


def _error(code: str) -> Response:
    return as_json({"status": "error", "error": code})


def _phone(order: Rent, moment: Moment) -> Response:
    ends = datetime.fromtimestamp(order.ends + moment.clock, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return as_json({"status": "success", "phone": {"id": order.id, "endDate": ends, "number": order.number}})


def _minutes(query: Query) -> int | None:
    return _whole(query, "rent_time")


def _whole(query: Query, name: str) -> int | None:
    given = query.get(name, "")
    return int(given) if given.isascii() and given.isdecimal() and 0 < int(given) < 10**6 else None


def _get_number(account: Account, query: Query, moment: Moment) -> Response:
    minutes = _minutes(query)
    for missing, code in (
        (not query.get("country"), "BAD_COUNTRY"),
        (not query.get("service"), "BAD_SERVICE"),
        (minutes is None, "INVALID_TIME"),
        (account.balance < HOURLY, "NO_BALANCE"),
    ):
        if missing:
            return _error(code)
    seconds = (minutes or 0) * 60.0
    account.balance -= HOURLY * seconds / 3600
    request = OrderRequest(
        provider="grizzlysms", kind="rent", service=query["service"], country=query["country"], lifetime=seconds
    )
    return _phone(account.rent(request, moment.now), moment)


def _continue(account: Account, query: Query, moment: Moment) -> Response:
    minutes, order = _minutes(query), account.rents.get(query.get("id", ""))
    if not query.get("id"):
        return _error("NO_ID_RENT")
    if minutes is None:
        return _error("INVALID_TIME")
    if order is None or order.over(moment.now):
        return _error("RENT_DIE")
    order.ends += minutes * 60.0
    return _phone(order, moment)


def _history(account: Account, query: Query, moment: Moment) -> Response:
    if not query.get("id"):
        return _error("NO_ID_RENT")
    order = account.rents.get(query["id"])
    if order is None:
        return as_json({"status": "success", "values": {}})
    hours = round((order.ends - order.opened) / 3600)
    date = (" " if moment.odd else "") + naive(moment, order.opened)
    rows = {"1": {"date": date, "price": round(hours * HOURLY, 2), "hours": hours}}
    return as_json({"status": "success", "quantity": "1", "values": rows})


def _set_status(account: Account, query: Query, moment: Moment) -> Response:
    if not query.get("id"):
        return _error("NO_ID_RENT")
    order = account.rents.get(query["id"])
    if order is None:
        return _error("INVALID_PHONE")
    refused = _refused(order, query.get("status", ""), moment.now)
    if refused is not None:
        return _error(refused)
    order.close(moment.now, Phase.FINISHED if query["status"] == "1" else Phase.CANCELLED)
    return as_json({"status": "success"})


def _refused(order: Rent, status: str, now: float) -> str | None:
    if status not in {"1", "2"}:
        return "INCORECT_STATUS"
    if order.over(now):
        return "ALREADY_CANCEL" if order.ended is Phase.CANCELLED else "ALREADY_FINISH"
    late = now - order.opened > NO_CANCEL_AFTER
    return "CANT_CANCEL" if status == "2" and (late or order.arrived(now)) else None


def _get_status(account: Account, query: Query, moment: Moment) -> Response:
    if not query.get("id"):
        return _error("NO_ID_RENT")
    order = account.rents.get(query["id"])
    if order is None or order.over(moment.now):
        return _error("INVALID_PHONE")
    everything = order.listing(moment.now, moment.lag)
    if not everything:
        return as_json({"status": "success", "values": {}})
    pad = " " if moment.odd else ""
    listing = _page(account, query, everything)
    values = _values(order, listing, moment)
    quantity = f"{len(everything)}{pad}"
    return as_json({"status": "success", "quantity": quantity, "values": values}, shows=tuple(listing))


def _page(account: Account, query: Query, everything: list[Sms]) -> list[Sms]:
    """Return the requested page, as siblings do: `page` from 1, `size`, and the newest SMS on the first.

    https://sms-online.pro/docs/api/en/get_rent_status.html; it is unknown whether GrizzlySMS has pages.
    """
    usual = account.settings.page if isinstance(account.settings, GrizzlySmsSettings) else 0
    if not usual:
        return everything
    page, size = _whole(query, "page") or 1, _whole(query, "size") or usual
    return everything[(page - 1) * size : page * size]


def _values(order: Rent, listing: list[Sms], moment: Moment) -> dict[str, dict[str, str]]:
    pad = " " if moment.odd else ""
    return {
        f"{place}{pad if not place else ''}": {
            f"phoneFrom{pad if place else ''}": sms.sender,
            "service": order.service,
            "test" if moment.odd else "text": sms.text,
            "date": naive(moment, sms.at),
        }
        for place, sms in enumerate(listing)
    }


def _prices(_account: Account, query: Query, _moment: Moment) -> Response:
    if _minutes(query) is None:
        return _error("INVALID_TIME")
    country, service = query.get("country") or "0", query.get("service") or "tg"
    return as_json({"status": "success", "values": {country: {service: {"cost": 12, "max_hours": 10, "count": 15}}}})


ACTIONS: Final[Mapping[str, Action]] = {
    "getRentNumber": _get_number,
    "continueRentNumber": _continue,
    "getRentHistory": _history,
    "setRentStatus": _set_status,
    "getRentStatus": _get_status,
    "getRentPrices": _prices,
}
