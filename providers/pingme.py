"""PingMe's control API (https://pingme.tel/pingme-verfication-code-helper-apidoc): methods that people call.

Receiving SMS does not need it. The key is in the header `x-app-key`; a response is `{retcode, retmsg, result}`, of
which `_result` reads the retcode (`_RETCODES`), and the HTTP status where there is none.

================ ============================================================ ===================
method           `result`                                                     read by
================ ============================================================ ===================
`getAppList`     the apps, in a form that is not documented                   `parse_apps`
`lockNumber`     `{number, price}`, a number for one verification code        `parse_locked`
`subNumber`      nothing: subscribed                                          `parse_subscribed`
`unSubNumber`    nothing: unsubscribed                                        `parse_subscribed`
`getNumberList`  `{numbers: [{phone, app, subStatus, subRent, codeRate …}]}`  `parse_numbers`
================ ============================================================ ===================
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from pydantic import SecretStr
from yarl import URL

from providers.client import Endpoint, Params, table
from providers.http_client import FetchFailed, RawResponse, Requester
from providers.observation import Gone, ProviderError
from providers.payloads import Document, by_status, first, mapping, parse_json, text_of

T = TypeVar("T")

DEFAULT_BASE_URL: Final = "https://api.pingme.tel"
Unsuccessful = Gone | ProviderError


@dataclass(frozen=True, slots=True)
class LockedNumber:
    """A number for one verification code."""

    number: str
    price: str | None


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The subscription is as requested."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that has not expired. Prices are PingMe's text: `$0.5 / Month`."""

    phone: str
    app: str | None
    name: str | None
    subscribed: bool
    next_payment: str | None
    """A date with text after it: `2099-11-22 (Expiry Date)`."""
    new_rent: str | None
    rent: str | None
    per_sms: str | None
    dialling_code: str | None


@dataclass(frozen=True, slots=True)
class Apps:
    """The possible values of `app`, in a form that is not documented."""

    listed: object


_RETCODES: Final[Mapping[str, Unsuccessful]] = {
    "100000": ProviderError("transient", "internal_error", answered=True),
    "100004": ProviderError("request_error", "missing_parameter", answered=True),
    "300002": ProviderError("denied", "no_balance", answered=True),
    "500000": ProviderError("denied", "no_numbers", answered=True),
    "500001": ProviderError("denied", "too_many_locked_numbers", answered=True),
    "500002": Gone(),  # the number is unknown or expired
}
_UNKNOWN_SHAPE: Final = ProviderError("unrecognised", "unknown_shape", answered=True)


def _result(response: RawResponse) -> object | Unsuccessful:
    """Return the `result` of a success; the retcode decides, and the HTTP status where there is none."""
    document = parse_json(response, text_of(response))
    if not isinstance(document, Document):
        return _by_status(response) or ProviderError("transient", "no_json")
    said = mapping(document.value)
    retcode = said.get("retcode")
    if retcode == "0":
        return _by_status(response) or said.get("result")
    unknown = ProviderError("unrecognised", "unknown_retcode", answered=True)
    return _RETCODES.get(str(retcode)) or _by_status(response) or unknown


def _by_status(response: RawResponse) -> ProviderError | None:
    if response.status in {401, 403}:  # the document: no permission
        return ProviderError("auth", "no_permission")
    return by_status(response)


def parse_apps(response: RawResponse) -> Apps | Unsuccessful:
    """Read getAppList."""
    result = _result(response)
    return result if isinstance(result, Unsuccessful) else Apps(result)


def parse_locked(response: RawResponse) -> LockedNumber | Unsuccessful:
    """Read lockNumber."""
    result = _result(response)
    if isinstance(result, dict) and (number := first(result, "number")):
        return LockedNumber(number, first(result, "price"))
    return result if isinstance(result, Unsuccessful) else _UNKNOWN_SHAPE


def parse_subscribed(response: RawResponse) -> Subscribed | Unsuccessful:
    """Read subNumber and unSubNumber."""
    result = _result(response)
    return result if isinstance(result, Unsuccessful) else Subscribed()


def parse_numbers(response: RawResponse) -> tuple[Number, ...] | Unsuccessful:
    """Read getNumberList. Lengths of numbers are not checked: the document's own sample has a digit too many."""
    result = _result(response)
    if isinstance(result, Unsuccessful):
        return result
    listed = result.get("numbers") if isinstance(result, dict) else None
    if not isinstance(listed, list):
        return _UNKNOWN_SHAPE
    return tuple(_number(entry) for entry in listed if isinstance(entry, dict) and first(entry, "phone"))


def _number(entry: Mapping[str, object]) -> Number:
    return Number(
        phone=first(entry, "phone") or "",
        app=first(entry, "app"),
        name=first(entry, "name"),
        subscribed=first(entry, "subStatus") == "1",
        next_payment=first(entry, "nextPaymentDate"),
        new_rent=first(entry, "subRent"),
        rent=first(entry, "monthRent"),
        per_sms=first(entry, "codeRate"),
        dialling_code=first(entry, "telCode"),
    )


# A newer copy of the document has a userId here, older ones do not.
GET_APP_LIST: Final = Endpoint("getAppList", parse_apps, optional=("userId",))
LOCK_NUMBER: Final = Endpoint(
    "lockNumber",
    parse_locked,
    required=("userId", "app"),
    optional=("number", "countryCode"),
    buys=True,
    http="POST",
)
SUB_NUMBER: Final = Endpoint(
    "subNumber", parse_subscribed, required=("userId", "app", "number"), buys=True, http="POST"
)
UN_SUB_NUMBER: Final = Endpoint("unSubNumber", parse_subscribed, required=("userId", "app", "number"), http="POST")
GET_NUMBER_LIST: Final = Endpoint("getNumberList", parse_numbers, required=("userId",), optional=("app",))

# An empty number requests a new one, an empty app means every app: as in the document's samples.
_DEFAULTS: Final = {LOCK_NUMBER.name: {"number": ""}, GET_NUMBER_LIST.name: {"app": ""}}


class PingMeControl:
    """The client. `base_url` is the root of the host; `/thirdparty/` is appended."""

    endpoints: Mapping[str, Endpoint[Any]] = table(
        GET_APP_LIST, LOCK_NUMBER, SUB_NUMBER, UN_SUB_NUMBER, GET_NUMBER_LIST
    )

    def __init__(self, *, api_key: SecretStr, base_url: str | None, fetcher: Requester) -> None:
        self._root = (base_url or DEFAULT_BASE_URL).rstrip("/")
        self._key = api_key
        self._fetcher = fetcher

    async def call(self, endpoint: Endpoint[T], params: Params) -> T | ProviderError:
        """Send one request."""
        try:
            return endpoint.parse(await self._request(endpoint, {**_DEFAULTS.get(endpoint.name, {}), **params}))
        except FetchFailed as failed:
            return ProviderError("transient", failed.code)

    async def _request(self, endpoint: Endpoint[object], fields: Params) -> RawResponse:
        url = f"{self._root}/thirdparty/{endpoint.name}"
        headers = {"Accept": "application/json", "x-app-key": self._key.get_secret_value()}
        if endpoint.http == "POST":
            headers["Content-Type"] = "application/json"
            body = json.dumps(fields, ensure_ascii=False).encode()
            return await self._fetcher.request("POST", URL(url), headers=headers, body=body)
        where = URL(f"{url}?{urlencode(fields)}" if fields else url, encoded=True)
        return await self._fetcher.request("GET", where, headers=headers)

    async def price(self, endpoint: Endpoint[object], params: Params) -> str | None:
        """Return the price of a number that the account has; None for others: PingMe says it only afterwards."""
        if not endpoint.buys or not params.get("number"):
            return None
        numbers = await self.call(GET_NUMBER_LIST, {"userId": params["userId"], "app": params["app"]})
        known = numbers if isinstance(numbers, tuple) else ()
        found = next((number for number in known if number.phone == params["number"]), None)
        if found is None:
            return None
        return found.new_rent if endpoint.name == SUB_NUMBER.name else found.per_sms
