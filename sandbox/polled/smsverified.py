"""SMSVerified, from its document: https://smsverified.com/api."""

from collections.abc import Mapping
from typing import Final

from sandbox.account import Account
from sandbox.orders import ENDED, Phase
from sandbox.polled.handler_api import Action, find, get_number, get_status, showing
from sandbox.response import Moment, Query, Response, as_json

COUNTRIES: Final = {
    "31": {"id": 48, "rus": "Нидерланды", "eng": "Netherlands", "chn": "荷兰", "visible": 1, "rent": 0},
    "33": {"id": 78, "rus": "Франция", "eng": "France", "chn": "法國", "visible": 1, "rent": 0},
}
STOCK: Final = {
    "yahoo_0": 167,
    "wolt_0": 416,
    "telegram_0": 76,
    "snapchat_0": 391,
    "yemeksepeti_0": 416,
    "amazon_0": 83,
}
PRICES: Final = {
    "england": {"mb": {"count": 4123, "price": 0.4}, "am": {"count": 4017, "price": 0.11}},
    "france": {"mb": {"count": 2123, "price": 0.13}, "am": {"count": 2014, "price": 0.2}},
}


def _balance(account: Account, _query: Query, _moment: Moment) -> Response:
    return Response(f"ACCESS_BALANCE:{account.balance:.2f}")


def _full_sms(account: Account, query: Query, moment: Moment) -> Response:
    """Return `FULL_SMS:[vk] 877613`, or a token of getStatus. In the sample the sender is the service."""
    return showing(
        account, query, moment, lambda order, sms: Response(f"FULL_SMS:[{order.service}] {sms.text}", shows=(sms,))
    )


def _set_status(account: Account, query: Query, moment: Moment) -> Response:
    order = find(account, query, moment)
    if order is None or (query.get("status") != "8" and order.state(moment.now).phase in ENDED):
        return Response("NO_ACTIVATION")
    match query.get("status"):
        case "1":
            return Response("ACCESS_READY")
        case "3":
            order.next(moment.now)
            return Response("ACCESS_RETRY_GET")
        case "6":
            order.close(moment.now, Phase.FINISHED)
            return Response("ACCESS_ACTIVATION")
        case "8":
            order.close(moment.now, Phase.CANCELLED)
            return Response("ACCESS_CANCEL")
        case _:
            return Response("BAD_ACTION")


ACTIONS: Final[Mapping[str, Action]] = {
    "getBalance": _balance,
    "getCountries": lambda _account, _query, _moment: as_json(COUNTRIES),
    "getNumbersStatus": lambda _account, _query, _moment: as_json(STOCK),
    "getNumber": get_number,
    "getStatus": get_status,
    "getFullSms": _full_sms,
    "setStatus": _set_status,
    "getPrices": lambda _account, _query, _moment: as_json(PRICES),
}
