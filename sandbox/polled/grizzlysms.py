"""GrizzlySMS activations, from its document: https://grizzlysms.com/docs; V2 actions from its public clients."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from sandbox.account import Account
from sandbox.orders import ENDED, Activation, Phase, State
from sandbox.polled.handler_api import PRICE, Action, buy, find, get_number, get_status, showing
from sandbox.response import Moment, Query, Response, as_json
from sandbox.settings import GrizzlySmsSettings
from sandbox.sms import Sms

CANCEL_AFTER: Final = 300  # seconds: activationCancel of the sample
# 1 (waiting) is from the sample; the others are Tiger's: 3 waits for the next SMS, 6 has one.
STATUS: Final = {Phase.WAIT: 1, Phase.RETRY: 3, Phase.SMS: 6}


def naive(moment: Moment, seconds: float) -> str:
    """Return a time in the format of its documents: without a zone, by the provider's own clock."""
    return datetime.fromtimestamp(seconds + moment.clock, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _balance(account: Account, _query: Query, _moment: Moment) -> Response:
    return Response(f"ACCESS_BALANCE:{account.balance:.4f}")


def _number_v2(account: Account, query: Query, moment: Moment) -> Response:
    order = buy(account, query, moment)
    if isinstance(order, Response):
        return order
    return as_json(
        {
            "activationCancel": naive(moment, order.opened + CANCEL_AFTER),
            "activationCost": PRICE,
            "activationEnd": naive(moment, order.ends),
            "activationId": int(order.id),
            "activationTime": naive(moment, order.opened),
            "canGetAnotherSms": "1",
            "countryCode": order.country,
            "currency": 643,
            "phoneNumber": order.number,
        }
    )


def _status_v2(account: Account, query: Query, moment: Moment) -> Response:
    """Return the SMS as JSON; everything else as the tokens of getStatus."""

    def show(_: Activation, sms: Sms) -> Response:
        said = {"dateTime": naive(moment, sms.at), "code": sms.code, "text": sms.text}
        return as_json({"verificationType": 2, "sms": said}, shows=(sms,))

    return showing(account, query, moment, show)


def _active(account: Account, _query: Query, moment: Moment) -> Response:
    """Return the orders that have not ended as an array; null if there are none."""
    return as_json([_row(order, order.state(moment.now, moment.lag)) for order in account.running(moment.now)] or None)


def _row(order: Activation, state: State) -> dict[str, str | int | float]:
    """Return a row as in the sample; with an SMS, the keys of its public client, and a sibling's status numbers."""
    row: dict[str, str | int | float] = {
        "activationCost": PRICE,
        "activationId": order.id,
        "activationStatus": STATUS[state.phase],
        "countryCode": order.country,
        "phoneNumber": order.number,
        "serviceCode": order.service,
    }
    return row if state.sms is None else row | {"smsCode": state.sms.code, "smsText": state.sms.text}


def _set_status(account: Account, query: Query, moment: Moment) -> Response:
    order = find(account, query, moment)
    return Response("NO_ACTIVATION" if order is None else _changed(account, order, query.get("status", ""), moment.now))


def _changed(account: Account, order: Activation, status: str, now: float) -> str:
    ended = order.state(now).phase in ENDED
    match status:
        case "8" | "-1":
            return _cancelled(account, order, now)
        case "1" | "3" | "6" if ended:
            return "STATUS_ALREADY_CHANGED"
        case "1":
            return "ACCESS_READY"
        case "3":
            order.next(now)
            return "ACCESS_RETRY_GET"
        case "6":
            order.close(now, Phase.FINISHED)
            return "ACCESS_ACTIVATION"
    return "BAD_STATUS"


def _cancelled(account: Account, order: Activation, now: float) -> str:
    state = order.state(now)
    if state.phase in ENDED:
        return "ALREADY_CANCEL"
    if isinstance(account.settings, GrizzlySmsSettings) and now - order.opened < account.settings.no_cancel:
        return "EARLY_CANCEL_DENIED"
    if state.phase is Phase.SMS:
        return "STATUS_ALREADY_CHANGED"
    order.close(now, Phase.CANCELLED)
    return "ACCESS_CANCEL"


def _prices(_account: Account, query: Query, _moment: Moment) -> Response:
    country, service = query.get("country") or "0", query.get("service") or "tg"
    return as_json({country: {service: {"count": 831358, "cost": PRICE, "retry": 0}}})


def offered(account: Account) -> Mapping[str, Action]:
    """Return the actions that are offered to the account: the V2 ones are not documented."""
    settings = account.settings
    if not isinstance(settings, GrizzlySmsSettings):
        return ACTIONS
    hidden = {"getStatusV2": not settings.status_v2, "getActiveActivations": not settings.active_list}
    return {name: action for name, action in ACTIONS.items() if not hidden.get(name)}


ACTIONS: Final[Mapping[str, Action]] = {
    "getBalance": _balance,
    "getNumber": get_number,
    "getNumberV2": _number_v2,
    "getStatus": get_status,
    "getStatusV2": _status_v2,
    "getActiveActivations": _active,
    "setStatus": _set_status,
    "getPrices": _prices,
}
