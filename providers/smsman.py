"""SMS-Man (https://sms-man.com/site/docs-apiv2): the control API here, rents in `smsman_rent`.

An activation shows only a code: no text, no sender, no time. Equal codes are distinguished by a wait in between. Errors
are read by `smsman_envelope`.

============== ========================================================================= ==============================
endpoint       response                                                                  read by
============== ========================================================================= ==============================
`get-balance`  `{"balance": "799.70"}`                                                   `parse_balance`
`limits`       a list, or an object by application id: how many numbers there are        `parse_limits`
`get-number`   `{request_id, number, country_id, application_id}`                        `parse_order`
`get-sms`      `sms_code`; `error_code: wait_sms`, perhaps with the code before          `parse_sms`
`set-status`   `{"success": true}`                                                       `parse_done`
`get-prices`   `{country: {application: {cost, count}}}`                                 `parse_prices`
`countries`    an object by id, or a list                                                `parse_named`
`applications` an object by id, or a list                                                `parse_named`
============== ========================================================================= ==============================
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from pydantic import SecretStr
from yarl import URL

from providers import smsman_rent as rent
from providers.client import NO_NEXT_OF_A_RENT, Another, Endpoint, Params, acted, call, table
from providers.http_client import Fetcher, RawResponse
from providers.observation import Gone, Last, Observation, ProviderError, SeenSms, Unfinished, Waiting, WaitingNext
from providers.payloads import code_in, count, entries, first, keyed, mapping, trimmed
from providers.results import Action, ActResult, Balance, Named, Price, Stock
from providers.smsman_envelope import Failure, error_of, parse_balance, parse_done, parse_order, read

T = TypeVar("T")

DEFAULT_BASE_URL: Final = "https://api.sms-man.com"
# `retrysms` is not documented, but four independent clients request the next SMS with it. Others use `ready`, which is
# documented, and is tried where `retrysms` is not known.
_NEXT: Final = "ready"
_STATUS_OF: Final[dict[Action, str]] = {"next": "retrysms", "finish": "close", "cancel": "reject"}


def parse_sms(response: RawResponse) -> Observation:
    """Read get-sms. A wait has an `error_code` and no `success`; a code next to it is the previous one."""
    said = read(response)
    if isinstance(said, Failure) and said.code == "wait_sms":
        code = code_in(trimmed(said.details, "sms_code"))
        return WaitingNext(code) if code else Waiting()
    order = mapping(said)
    if isinstance(said, Failure | ProviderError) or not {"sms_code", "request_id"} & order.keys():
        return error_of(response, said)
    if code := code_in(trimmed(order, "sms_code")):
        return Last(SeenSms(code=code, recipient=first(order, "number"), service=first(order, "application_id")))
    return Waiting()


def parse_limits(response: RawResponse) -> tuple[Stock, ...] | Gone | ProviderError:
    """Read limits: a list, or an object by application id."""
    said = read(response)
    if not isinstance(said, list | dict):
        return error_of(response, said)
    return tuple(
        Stock(count(stock.get("numbers")), first(stock, "application_id") or id_, first(stock, "country_id"))
        for id_, stock in (keyed(said) if isinstance(said, dict) else ((None, stock) for stock in entries(said)))
    )


def parse_prices(response: RawResponse) -> tuple[Price, ...] | Gone | ProviderError:
    """Read get-prices: `{country: {application: {cost, count}}}`; without the outer level when a country was given."""
    said = read(response)
    if not isinstance(said, list | dict):
        return error_of(response, said)
    return tuple(
        Price(cost, country, service, count(price.get("count")))
        for country, service, price in _priced(said)
        if (cost := first(price, "cost"))
    )


def _priced(countries: object) -> list[tuple[str | None, str, dict[str, object]]]:
    found: list[tuple[str | None, str, dict[str, object]]] = []
    for outer, inner in keyed(countries):
        if "cost" in inner:
            found.append((None, outer, inner))
        else:
            found += [(outer, service, price) for service, price in keyed(inner)]
    return found


def parse_named(response: RawResponse) -> tuple[Named, ...] | Gone | ProviderError:
    """Read countries and applications: an object by id, formerly a list."""
    said = read(response)
    if not isinstance(said, list | dict):
        return error_of(response, said)
    return tuple(
        Named(id_, first(named, "title", "name"), first(named, "code"))
        for named in entries(said)
        if (id_ := first(named, "id"))
    )


GET_BALANCE: Final = Endpoint("get-balance", parse_balance)
LIMITS: Final = Endpoint("limits", parse_limits, optional=("country_id", "application_id"))
GET_NUMBER: Final = Endpoint(
    "get-number",
    parse_order("activation"),
    optional=("country_id", "application_id", "maxPrice", "currency", "ref", "hasMultipleSms"),
    buys=True,
)
GET_SMS: Final = Endpoint("get-sms", parse_sms, required=("request_id",))
SET_STATUS: Final = Endpoint("set-status", parse_done, required=("request_id", "status"))
GET_PRICES: Final = Endpoint("get-prices", parse_prices, optional=("country_id",))
COUNTRIES: Final = Endpoint("countries", parse_named)
APPLICATIONS: Final = Endpoint("applications", parse_named)


class SmsMan:
    """The client. `base_url` is the root of the host; `/control/` and `/rent-api/` are appended."""

    has_rents = True
    has_full_text = False
    has_list = False
    endpoints: Mapping[str, Endpoint[Any]] = table(
        GET_BALANCE,
        LIMITS,
        GET_NUMBER,
        GET_SMS,
        SET_STATUS,
        GET_PRICES,
        COUNTRIES,
        APPLICATIONS,
        rent.GET_BALANCE,
        rent.LIMITS,
        rent.GET_NUMBER,
        rent.GET_SMS,
        rent.GET_ALL_SMS,
        rent.SET_STATUS,
    )

    def __init__(
        self, *, api_key: SecretStr, base_url: str | None, fetcher: Fetcher, status_action: str | None = None
    ) -> None:
        del status_action  # there is only one
        root = (base_url or DEFAULT_BASE_URL).rstrip("/")
        self._addresses = {name: _address(root, name) for name in self.endpoints}
        self._key = SecretStr(urlencode({"token": api_key.get_secret_value()}))
        self._fetcher = fetcher

    async def call(self, endpoint: Endpoint[T], params: Params) -> T | ProviderError:
        """Send one request."""
        key = self._key.get_secret_value()
        return await call(self._fetcher, self._addresses[endpoint.name], key, params, endpoint)

    async def poll(self, order_kind: str, order_id: str, unfinished: Unfinished | None = None) -> Observation:
        """Poll an activation, or all SMS of a rent: of two SMS between polls, its get-sms would show only one."""
        del unfinished  # one response has everything
        endpoint: Endpoint[Observation] = rent.GET_ALL_SMS if order_kind == "rent" else GET_SMS
        return await self.call(endpoint, {"request_id": order_id})

    async def full_text(self, order_id: str) -> SeenSms | None:
        """Return None: there are no texts."""
        del order_id
        return None

    async def active(self) -> Mapping[str, str] | ProviderError:
        """Return an error: the control API has no list, and of the one of the rents only the name is documented."""
        return ProviderError("request_error", "no_list")

    async def act(
        self, order_kind: str, order_id: str, action: Action, another: str | None = None
    ) -> ActResult | ProviderError | Another:
        """Set the status of an activation or of a rent. A rent shows all its SMS, so `next` is refused."""
        if order_kind != "rent":
            return await self._set_status(order_id, another or _STATUS_OF[action])
        if action == "next":
            return NO_NEXT_OF_A_RENT
        status = "close" if action == "finish" else "cancel"
        return acted(await self.call(rent.SET_STATUS, {"request_id": order_id, "status": status}))

    async def _set_status(self, order_id: str, status: str) -> ActResult | ProviderError | Another:
        said = await self.call(SET_STATUS, {"request_id": order_id, "status": status})
        unknown = isinstance(said, ProviderError) and said.code == "wrong_status"
        return Another(_NEXT) if unknown and status == _STATUS_OF["next"] else acted(said)

    async def alive(self) -> ProviderError | None:
        """Return None when the key works."""
        balance = await self.balance()
        return balance if isinstance(balance, ProviderError) else None

    async def balance(self) -> Balance | Gone | ProviderError:
        """Return how much money is left on the account."""
        return await self.call(GET_BALANCE, {})

    async def price(self, endpoint: Endpoint[object], params: Params) -> str | None:
        """Return the price of a number or of a rent."""
        if endpoint.name == rent.GET_NUMBER.name:
            length = {name: params[name] for name in ("country_id", "type", "time")}
            return _cost(await self.call(rent.LIMITS, length), params["country_id"], None)
        if endpoint.name == GET_NUMBER.name:
            country, service = params.get("country_id"), params.get("application_id")
            if country and service:  # otherwise SMS-Man chooses
                return _cost(await self.call(GET_PRICES, {"country_id": country}), country, service)
        return None


def _address(root: str, name: str) -> URL:
    api, _, name = name.rpartition(":")
    return URL(f"{root}/{'rent-api' if api == 'rent' else 'control'}/{name}", encoded=True)


def _cost(prices: tuple[Price, ...] | Gone | ProviderError, country: str, service: str | None) -> str | None:
    found = prices if isinstance(prices, tuple) else ()
    return next((each.cost for each in found if each.country in {None, country} and each.service == service), None)
