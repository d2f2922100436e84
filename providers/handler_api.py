"""The actions that every `handler_api.php` has, called with one key.

============== ======================================================= ===========================
action         response                                                read by
============== ======================================================= ===========================
`getBalance`   `ACCESS_BALANCE:44.60`                                  `parse_balance`
`getNumber…`   `ACCESS_NUMBER:id:number`; getNumberV2: an object       `parse_number`
`getPrices`    `{country: {service: {cost, count}}}`                   `parse_prices`
`getStatus`    a token: see `handler_api_tokens`                       `parse_status` (there)
`getStatusV2`  `{"sms": {dateTime, code, text}}`, or a token           `parse_status_v2`
`setStatus`    a token                                                 `parse_done` (there)
============== ======================================================= ===========================
"""

from typing import Final, TypeVar
from urllib.parse import urlencode

from pydantic import SecretStr
from yarl import URL

from providers.client import Endpoint, Params, acted, call
from providers.handler_api_tokens import Token, error_of, parse_done, parse_status, read, status_of
from providers.http_client import Fetcher, RawResponse
from providers.observation import Gone, Last, Listing, NoCode, Observation, ProviderError, SeenSms, Unfinished, Waiting
from providers.payloads import Document, code_in, count, first, given, mapping, oldest_first, trimmed
from providers.results import Action, ActResult, Balance, Order, Price

T = TypeVar("T")

# A provider that does not offer an action responds with BAD_ACTION; siblings do so for internal errors as well.
MOST_BAD_ACTIONS: Final = 3  # in a row; then the action is not used again until the next start
STATUS_OF: Final[dict[Action, str]] = {"next": "3", "finish": "6", "cancel": "8"}
_ORDER_DETAILS: Final = ("activationTime", "activationCancel", "canGetAnotherSms", "countryCode", "currency")


def parse_balance(response: RawResponse) -> Balance | Gone | ProviderError:
    """Read `ACCESS_BALANCE:44.60`; it may be negative."""
    said = read(response)
    if isinstance(said, Token) and said.name == "ACCESS_BALANCE" and said.rest:
        return Balance(said.rest)
    return error_of(response, said)


def parse_number(response: RawResponse) -> Order | Gone | ProviderError:
    """Read getNumber (`ACCESS_NUMBER:id:number`) and getNumberV2 (an object)."""
    said = read(response)
    if isinstance(said, Token) and said.name == "ACCESS_NUMBER":
        order_id, _, number = said.rest.partition(":")
        if order_id and number:
            return Order("activation", order_id, number)
    if isinstance(said, Document):
        order = mapping(said.value)
        order_id, number = trimmed(order, "activationId") or "", trimmed(order, "phoneNumber") or ""
        if order_id and number:
            details = {name: value for name in _ORDER_DETAILS if (value := first(order, name))}
            end, cost = first(order, "activationEnd"), first(order, "activationCost")
            return Order("activation", order_id, number, end, cost, details)
    return error_of(response, said)


def parse_prices(response: RawResponse) -> tuple[Price, ...] | Gone | ProviderError:
    """Read `{country: {service: {cost, count}}}`; SMSVerified's `cost` is called `price` on the wire."""
    said = read(response)
    if not isinstance(said, Document):
        return error_of(response, said)
    prices = prices_in(said.value)
    return prices if prices or not said.value else error_of(response, said)


def prices_in(countries: object) -> tuple[Price, ...]:
    """Return the prices of `{country: {service: {cost, count, max_hours}}}`."""
    return tuple(
        Price(cost, country, service, count(price.get("count")), max_hours=first(price, "max_hours"))
        for country, services in mapping(countries).items()
        for service, price in ((name, mapping(value)) for name, value in mapping(services).items())
        if (cost := first(price, "cost", "price"))
    )


def parse_status_v2(response: RawResponse) -> Observation:
    """Read getStatusV2: an object with `sms`, `call` or `data`, or any token of getStatus."""
    said = read(response)
    if isinstance(said, Token):
        return status_of(said) or error_of(response, said)
    order = mapping(said.value) if isinstance(said, Document) else {}
    if not {"sms", "call", "data", "verificationType"} & order.keys():
        return error_of(response, said)
    if isinstance(listed := order.get("sms"), list):
        return _listed([seen(mapping(sms)) for sms in listed])
    for name in ("sms", "data", "call"):
        if sms := mapping(order.get(name)):
            return _last(seen(sms, message_type="call" if name == "call" else "sms"))
    return Waiting()


def _last(sms: SeenSms) -> Last | NoCode:
    return Last(sms) if sms.code or sms.text else NoCode()


def _listed(all_sms: list[SeenSms]) -> Observation:
    if not all_sms:
        return Waiting()
    return _last(all_sms[0]) if len(all_sms) == 1 else Listing(oldest_first(all_sms[::-1]))


def seen(sms: dict[str, object], message_type: str = "sms") -> SeenSms:
    """Return the SMS in an object of getStatusV2."""
    return SeenSms(
        code=code_in(trimmed(sms, "code")),
        text=given(sms, "text"),
        sender=trimmed(sms, "phoneFrom", "from"),
        time_raw=trimmed(sms, "dateTime", "date"),
        service=trimmed(sms, "service"),
        message_type=message_type,
    )


GET_BALANCE: Final = Endpoint("getBalance", parse_balance)
GET_STATUS: Final = Endpoint("getStatus", parse_status, required=("id",))
GET_STATUS_V2: Final = Endpoint("getStatusV2", parse_status_v2, required=("id",))
SET_STATUS: Final = Endpoint("setStatus", parse_done, required=("id", "status"), optional=("forward",))


class OptionalEndpoint:
    """Tracks whether an action is offered: not after `MOST_BAD_ACTIONS` responses of BAD_ACTION in a row."""

    def __init__(self) -> None:
        self._bad_actions = 0

    @property
    def offered(self) -> bool:
        """The action can be used."""
        return self._bad_actions < MOST_BAD_ACTIONS

    def is_missing(self, said: object) -> bool:
        """Record the result of a call; return whether it was BAD_ACTION."""
        missing = isinstance(said, ProviderError) and said.code == "bad_action"
        self._bad_actions = self._bad_actions + 1 if missing else 0
        return missing


class HandlerApi:
    """One address with one key. `status_action` is the action of a poll; where V2 is not offered, getStatus is used."""

    def __init__(self, url: str, api_key: SecretStr, fetcher: Fetcher, status_action: str) -> None:
        self._address = URL(url, encoded=True)
        self._key = SecretStr(urlencode({"api_key": api_key.get_secret_value()}))
        self._fetcher = fetcher
        self._wants_v2 = status_action == GET_STATUS_V2.name
        self._v2 = OptionalEndpoint()

    async def call(self, endpoint: Endpoint[T], params: Params) -> T | ProviderError:
        """Ask once."""
        query = f"{self._key.get_secret_value()}&action={endpoint.name}"
        return await call(self._fetcher, self._address, query, params, endpoint)

    async def status(self, order_id: str, unfinished: Unfinished | None) -> Observation | Unfinished:
        """Poll an activation. `Unfinished` where V2 was refused: the second request is getStatus."""
        if unfinished is None and self._wants_v2 and self._v2.offered:
            observation = await self.call(GET_STATUS_V2, {"id": order_id})
            return Unfinished(None, GET_STATUS.name) if self._v2.is_missing(observation) else observation
        return await self.call(GET_STATUS, {"id": order_id})

    async def set_status(self, order_id: str, action: Action) -> ActResult | ProviderError:
        """Perform an action on an activation."""
        return acted(await self.call(SET_STATUS, {"id": order_id, "status": STATUS_OF[action]}))

    async def alive(self) -> ProviderError | None:
        """Return None when the key works."""
        balance = await self.balance()
        return balance if isinstance(balance, ProviderError) else None

    async def balance(self) -> Balance | Gone | ProviderError:
        """Return how much money is left on the account."""
        return await self.call(GET_BALANCE, {})
