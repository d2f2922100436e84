"""SMSVerified (https://smsverified.com/api). Activations only; their ids have 16 digits. No times, no lifetime.

Plain text, read by `handler_api_tokens`; lists are JSON.

=================== =============================================================== =======================
action              response                                                        read by
=================== =============================================================== =======================
`getBalance`        `ACCESS_BALANCE:44.60`                                          `parse_balance`
`getCountries`      JSON by dialling prefix; requests want the `id` in it           `parse_countries`
`getNumbersStatus`  `{"yahoo_0": 167}`; the suffix is the forwarding flag           `parse_numbers_status`
`getNumber`         `ACCESS_NUMBER:id:number`                                       `parse_number`
`getStatus`         a token                                                         `parse_status`
`getFullSms`        `FULL_SMS:[sender] text`; otherwise the tokens of getStatus     `parse_full_sms`
`setStatus`         a token                                                         `parse_done`
`getPrices`         JSON by the name of the country                                 `parse_prices`
=================== =============================================================== =======================
"""

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import SecretStr

from providers.client import Endpoint, Params, table
from providers.handler_api import (
    GET_BALANCE,
    GET_STATUS,
    SET_STATUS,
    HandlerApi,
    OptionalEndpoint,
    parse_number,
    parse_prices,
)
from providers.handler_api_tokens import Token, error_of, read, status_of
from providers.http_client import Fetcher, RawResponse
from providers.observation import Gone, Last, NoCode, Observation, ProviderError, SeenSms, Unfinished
from providers.payloads import Document, count, first, keyed, mapping, says_nothing
from providers.results import Action, ActResult, Balance, Named, Price, Stock

T = TypeVar("T")

DEFAULT_BASE_URL: Final = "https://activate-api.smsverified.com/stubs/handler_api.php"
_FORWARDING: Final = re.compile(r"_[01]$")
_SENDER: Final = re.compile(r"\[([^\]]*)\]\s?(.*)", re.DOTALL)


def parse_countries(response: RawResponse) -> tuple[Named, ...] | Gone | ProviderError:
    """Read getCountries. The key is the dialling prefix; requests want the `id` in the value."""
    said = read(response)
    if not isinstance(said, Document):
        return error_of(response, said)
    found = ((prefix, country, first(country, "id")) for prefix, country in keyed(said.value))
    countries = tuple(Named(id_, first(country, "eng"), prefix) for prefix, country, id_ in found if id_)
    return countries if countries or not said.value else error_of(response, said)


def parse_numbers_status(response: RawResponse) -> tuple[Stock, ...] | Gone | ProviderError:
    """Read `{"yahoo_0": 167}`; the suffix of the key is the forwarding flag."""
    said = read(response)
    if not isinstance(said, Document):
        return error_of(response, said)
    stock = tuple(
        Stock(number, _FORWARDING.sub("", key), forwarding=key.endswith("_1"))
        for key, number in ((key, count(value)) for key, value in mapping(said.value).items())
        if number is not None
    )
    return stock if stock or not said.value else error_of(response, said)


def parse_full_sms(response: RawResponse) -> Observation:
    """Read `FULL_SMS:[sender] text`. Without a closing bracket everything is text."""
    said = read(response)
    if not isinstance(said, Token):
        return error_of(response, said)
    if said.name != "FULL_SMS":
        return status_of(said) or error_of(response, said)
    bracket = _SENDER.fullmatch(said.rest)
    sender, text = bracket.groups() if bracket else (None, said.rest)
    return NoCode() if says_nothing(text) else Last(SeenSms(text=text, sender=sender or None))


GET_COUNTRIES: Final = Endpoint("getCountries", parse_countries)
GET_NUMBERS_STATUS: Final = Endpoint("getNumbersStatus", parse_numbers_status, required=("country",))
GET_NUMBER: Final = Endpoint(
    "getNumber", parse_number, required=("country", "service"), optional=("maxPrice", "activationType"), buys=True
)
GET_FULL_SMS: Final = Endpoint("getFullSms", parse_full_sms, required=("id",))
GET_PRICES: Final = Endpoint("getPrices", parse_prices)


class SmsVerified:
    """The client. Full texts as long as getFullSms is offered."""

    has_rents = False
    has_list = False
    endpoints: Mapping[str, Endpoint[Any]] = table(
        GET_BALANCE,
        GET_COUNTRIES,
        GET_NUMBERS_STATUS,
        GET_NUMBER,
        GET_STATUS,
        GET_FULL_SMS,
        SET_STATUS,
        GET_PRICES,
    )

    def __init__(
        self, *, api_key: SecretStr, base_url: str | None, fetcher: Fetcher, status_action: str | None = None
    ) -> None:
        self._api = HandlerApi(base_url or DEFAULT_BASE_URL, api_key, fetcher, status_action or GET_STATUS.name)
        self._full_sms = OptionalEndpoint()
        self.has_full_text = True

    async def call(self, endpoint: Endpoint[T], params: Params) -> T | ProviderError:
        """Send one request."""
        return await self._api.call(endpoint, params)

    async def poll(
        self, order_kind: str, order_id: str, unfinished: Unfinished | None = None
    ) -> Observation | Unfinished:
        """Poll an activation; there are no rents."""
        if order_kind != "activation":
            return ProviderError("request_error", "no_such_order_kind")
        return await self._api.status(order_id, unfinished)

    async def full_text(self, order_id: str) -> SeenSms | ProviderError | None:
        """Return the newest SMS with its full text; None where there is none."""
        observation = await self.call(GET_FULL_SMS, {"id": order_id})
        self._full_sms.is_missing(observation)
        self.has_full_text = self._full_sms.offered
        if isinstance(observation, ProviderError):
            return observation
        return observation.sms if isinstance(observation, Last) else None

    async def act(
        self, order_kind: str, order_id: str, action: Action, another: str | None = None
    ) -> ActResult | ProviderError:
        """Set the status of an activation."""
        del another
        if order_kind != "activation":
            return ProviderError("request_error", "no_such_order_kind")
        return await self._api.set_status(order_id, action)

    async def active(self) -> Mapping[str, str] | ProviderError:
        """Return an error: no list is documented."""
        return ProviderError("request_error", "no_list")

    async def alive(self) -> ProviderError | None:
        """Return None when the key works."""
        return await self._api.alive()

    async def balance(self) -> Balance | Gone | ProviderError:
        """Return how much money is left on the account."""
        return await self._api.balance()

    async def price(self, endpoint: Endpoint[object], params: Params) -> str | None:
        """Return the price of a number. The price list has countries by name, requests have their ids."""
        if endpoint is not GET_NUMBER:
            return None
        prices, countries = await self.call(GET_PRICES, {}), await self.call(GET_COUNTRIES, {})
        if not isinstance(prices, tuple):
            return None
        names = {params["country"]}
        if isinstance(countries, tuple):
            names |= {country.name.lower() for country in countries if country.id in names and country.name}
        return _price(prices, names, params["service"])


def _price(prices: tuple[Price, ...], countries: set[str], service: str) -> str | None:
    found = (price.cost for price in prices if (price.country or "").lower() in countries and price.service == service)
    return next(found, None)
