"""SMS-Man's rents (https://sms-man.com/site/rent-api), under `/rent-api/`. Errors are read by `smsman_envelope`.

=================== ============================================================ =====================
endpoint            response                                                     read by
=================== ============================================================ =====================
`rent:get-balance`  `{"balance": "799.70"}`                                      `parse_balance`
`rent:limits`       `{type, time, "limits": [{country_id, count, cost}]}`        `parse_rent_limits`
`rent:get-number`   `{request_id, number, country_id, application_id}`           `parse_order`
`rent:get-sms`      `{"sms": {text, code, time}}`: the last one; not polled      `parse_rent_sms`
`rent:get-all-sms`  `{"sms": [{text, code, time}]}`, newest first                `parse_rent_sms`
`rent:set-status`   `{"success": true}`                                          `parse_done`
=================== ============================================================ =====================
"""

from typing import Final

from providers.client import Endpoint
from providers.http_client import RawResponse
from providers.observation import Gone, Last, Listing, NoCode, Observation, ProviderError, SeenSms, Waiting
from providers.payloads import code_in, count, entries, first, given, mapping, oldest_first, trimmed
from providers.results import Price
from providers.smsman_envelope import Failure, error_of, parse_balance, parse_done, parse_order, read

FULL_RENT: Final = "0"  # as application_id: the number receives SMS of every service


def parse_rent_sms(response: RawResponse) -> Observation:
    """Read get-all-sms (newest first) and get-sms (only the last SMS)."""
    said = read(response)
    if isinstance(said, Failure) and said.code == "wait_sms":
        return Waiting()
    order = mapping(said)
    if isinstance(said, Failure | ProviderError) or not {"sms", "request_id"} & order.keys():
        return error_of(response, said)
    if not (shown := order.get("sms")):
        return Waiting()
    if {"text", "code"} & mapping(shown).keys():
        sms = _seen(order, mapping(shown))
        return Last(sms) if sms.text or sms.code else NoCode()
    listed = oldest_first([_seen(order, entry) for entry in entries(shown) if entry])
    return Listing(listed) if listed else ProviderError("unrecognised", "unknown_shape", answered=True)


def _seen(order: dict[str, object], sms: dict[str, object]) -> SeenSms:
    service = first(order, "application_id")
    return SeenSms(
        code=code_in(trimmed(sms, "code")),
        text=given(sms, "text"),
        time_raw=trimmed(sms, "time"),
        service=None if service == FULL_RENT else service,
        recipient=first(order, "number"),
    )


def parse_rent_limits(response: RawResponse) -> tuple[Price, ...] | Gone | ProviderError:
    """Read limits: the price of a rent of this length, and how many numbers there are."""
    said = read(response)
    if not isinstance(said, dict) or "limits" not in said:
        return error_of(response, said)
    period = " ".join(part for part in (first(said, "time"), first(said, "type")) if part)
    return tuple(
        Price(cost, first(limit, "country_id"), count=count(limit.get("count")), period=period or None)
        for limit in entries(said["limits"])
        if (cost := first(limit, "cost"))
    )


GET_BALANCE: Final = Endpoint("rent:get-balance", parse_balance)
LIMITS: Final = Endpoint("rent:limits", parse_rent_limits, required=("type", "time"), optional=("country_id",))
GET_NUMBER: Final = Endpoint(
    "rent:get-number",
    parse_order("rent"),
    required=("country_id", "type", "time"),
    optional=("application_id", "partial"),
    buys=True,
)
GET_SMS: Final = Endpoint("rent:get-sms", parse_rent_sms, required=("request_id",))
GET_ALL_SMS: Final = Endpoint("rent:get-all-sms", parse_rent_sms, required=("request_id",))
SET_STATUS: Final = Endpoint("rent:set-status", parse_done, required=("request_id", "status"))
