"""GrizzlySMS (https://grizzlysms.com/docs): activations here, rents in `grizzlysms_rent`. Times without a zone.

====================== ===================================================== ============================
action                 response                                              read by
====================== ===================================================== ============================
`getNumber`            `ACCESS_NUMBER:id:number`                             `parse_number`
`getNumberV2`          an object: activationId, phoneNumber, activationEnd … `parse_number`
`getStatus`            a token                                               `parse_status`
`getStatusV2`          `{"sms": {dateTime, code, text}}`, or a token         `parse_status_v2`
`getActiveActivations` a list of running activations; `null` for none        `parse_active_activations`
the same, by `active`  the same, only what changes with an SMS               `parse_active_rows`
`setStatus`            a token                                               `parse_done`
`getBalance`           `ACCESS_BALANCE:44.6000`                              `parse_balance`
`getPrices`            `{country: {service: {cost, count}}}`                 `parse_prices`
====================== ===================================================== ============================
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import SecretStr

from providers import grizzlysms_rent as rent
from providers.client import NO_NEXT_OF_A_RENT, Endpoint, Params, acted, table
from providers.handler_api import (
    GET_BALANCE,
    GET_STATUS,
    GET_STATUS_V2,
    SET_STATUS,
    HandlerApi,
    OptionalEndpoint,
    parse_number,
    parse_prices,
)
from providers.handler_api_tokens import Token, error_of, read
from providers.http_client import Fetcher, RawResponse
from providers.observation import Gone, Listing, Observation, ProviderError, SeenSms, Unfinished
from providers.payloads import Document, code_in, entries, given, mapping, trimmed
from providers.results import Action, ActiveActivation, ActResult, Balance

T = TypeVar("T")

DEFAULT_BASE_URL: Final = "https://api.grizzlysms.com/stubs/handler_api.php"
_RENT_STATUS_OF: Final[dict[Action, str]] = {"finish": "1", "cancel": "2"}
_FILTERS: Final = ("country", "maxPrice", "minPrice", "providerIds", "exceptProviderIds", "phoneException")


def parse_active_activations(response: RawResponse) -> tuple[ActiveActivation, ...] | Gone | ProviderError:
    """Read getActiveActivations: a list, `null` for none, or one or two lists in a wrapper, as siblings have it.

    A response that is not understood never counts as an empty list: that would look as if every order had changed.
    """
    said = read(response)
    if isinstance(said, Token) and said.name == "NO_ACTIVATIONS":
        return ()
    rows = _rows(said.value) if isinstance(said, Document) else None
    active = tuple(_active(row) for row in entries(rows) if trimmed(row, "activationId"))
    return error_of(response, said) if rows is None or (rows and not active) else active


def _rows(said: object) -> list[object] | None:
    """Return the rows of a list or a wrapper; None for an unknown shape.

    hero-sms has two lists in its wrapper, only one of which has rows.
    """
    wrapper = mapping(said)
    lists = [wrapper[name] for name in ("activeActivations", "data") if name in wrapper] if wrapper else [said]
    found = [[] if each is None else each.get("rows") if isinstance(each, dict) else each for each in lists]
    if not found or not all(isinstance(each, list) for each in found):
        return None
    return next(filter(None, found), [])


def _active(entry: dict[str, object]) -> ActiveActivation:
    return ActiveActivation(
        order_id=trimmed(entry, "activationId") or "",
        number=trimmed(entry, "phoneNumber"),
        service=trimmed(entry, "serviceCode"),
        country=trimmed(entry, "countryCode"),
        status=trimmed(entry, "activationStatus"),
        cost=trimmed(entry, "activationCost"),
        code=code_in(trimmed(_unlisted(entry), "smsCode")),
        text=given(_unlisted(entry), "smsText"),
    )


def _unlisted(entry: dict[str, object]) -> dict[str, object]:
    """Return the row with each list replaced by its last element: one sibling's `smsCode` is a list."""
    return {name: value[-1] if isinstance(value, list) and value else value for name, value in entry.items()}


def parse_active_rows(response: RawResponse) -> Mapping[str, str] | Gone | ProviderError:
    """Read getActiveActivations for `active`: by id, the row's status, code and text, unchanged.

    Takes a tenth of the time of `parse_active_activations`: the list is read every other second, and may have 500 rows.
    """
    said = read(response)
    if isinstance(said, Token) and said.name == "NO_ACTIVATIONS":
        return {}
    rows = _rows(said.value) if isinstance(said, Document) else None
    listed = dict(_row(row) for row in rows or () if isinstance(row, dict))
    listed.pop("", None)
    return error_of(response, said) if rows is None or (rows and not listed) else listed


def _row(row: dict[str, object]) -> tuple[str, str]:
    if "activationId" not in row:
        row = mapping(row)  # the keys may be padded
    order_id = trimmed(row, "activationId") or ""
    return order_id, f"{row.get('activationStatus')} {row.get('smsCode')} {row.get('smsText')}"


GET_NUMBER: Final = Endpoint("getNumber", parse_number, required=("service",), optional=_FILTERS, buys=True)
GET_NUMBER_V2: Final = Endpoint("getNumberV2", parse_number, required=("service",), optional=_FILTERS, buys=True)
GET_ACTIVE_ACTIVATIONS: Final = Endpoint("getActiveActivations", parse_active_activations)
ACTIVE_ROWS: Final = Endpoint(GET_ACTIVE_ACTIVATIONS.name, parse_active_rows)
GET_PRICES: Final = Endpoint("getPrices", parse_prices, optional=("service", "country"))


class GrizzlySms:
    """The client. `status_action`: getStatusV2 returns text and time, getStatus (the documented one) only the code.

    Two public clients poll with getStatusV2; where it is refused, getStatus is used.
    """

    has_rents = True
    has_full_text = False
    endpoints: Mapping[str, Endpoint[Any]] = table(
        GET_NUMBER,
        GET_NUMBER_V2,
        SET_STATUS,
        GET_STATUS,
        GET_STATUS_V2,
        GET_ACTIVE_ACTIVATIONS,
        GET_BALANCE,
        GET_PRICES,
        rent.GET_RENT_NUMBER,
        rent.CONTINUE_RENT_NUMBER,
        rent.GET_RENT_HISTORY,
        rent.SET_RENT_STATUS,
        rent.GET_RENT_STATUS,
        rent.GET_RENT_PRICES,
    )

    def __init__(
        self, *, api_key: SecretStr, base_url: str | None, fetcher: Fetcher, status_action: str | None = None
    ) -> None:
        self._api = HandlerApi(base_url or DEFAULT_BASE_URL, api_key, fetcher, status_action or GET_STATUS_V2.name)
        self._list = OptionalEndpoint()
        self.has_list = True

    async def call(self, endpoint: Endpoint[T], params: Params) -> T | ProviderError:
        """Send one request."""
        return await self._api.call(endpoint, params)

    async def poll(
        self, order_kind: str, order_id: str, unfinished: Unfinished | None = None
    ) -> Observation | Unfinished:
        """Poll an activation or a rent; a rent that says that it has more SMS than it shows is read page by page."""
        if order_kind != "rent":
            return await self._api.status(order_id, unfinished)
        if unfinished is not None and isinstance(more := unfinished.more, rent.More):
            page = await self.call(rent.RENT_PAGE, {"id": order_id, "page": str(more.page)})
            newer = unfinished.shows if isinstance(unfinished.shows, Listing) else Listing(())
            return page if isinstance(page, ProviderError) else rent.next_page(newer, more, page)
        page = await self.call(rent.RENT_PAGE, {"id": order_id})
        return page if isinstance(page, ProviderError) else rent.first_page(page)

    async def full_text(self, order_id: str) -> SeenSms | None:
        """Return None: getStatusV2 has the text in the response to the poll."""
        del order_id
        return None

    async def active(self) -> Mapping[str, str] | ProviderError:
        """Return the rows of getActiveActivations: status, code and text of each order.

        That a row changes when an SMS comes is documented for siblings (sms-activate, hero-sms), and one public client
        of GrizzlySMS relies on it; GrizzlySMS's own documents do not say.
        """
        said = await self.call(ACTIVE_ROWS, {})
        self._list.is_missing(said)
        self.has_list = self._list.offered
        if isinstance(said, Gone):  # it is about a single activation, which was not requested
            return ProviderError("unrecognised", "unknown_token", answered=True)
        return said

    async def act(
        self, order_kind: str, order_id: str, action: Action, another: str | None = None
    ) -> ActResult | ProviderError:
        """Set the status of an activation or a rent. A rent shows all its SMS, so `next` is refused."""
        del another  # there is only one variant
        if order_kind != "rent":
            return await self._api.set_status(order_id, action)
        if action not in _RENT_STATUS_OF:
            return NO_NEXT_OF_A_RENT
        return acted(await self.call(rent.SET_RENT_STATUS, {"id": order_id, "status": _RENT_STATUS_OF[action]}))

    async def alive(self) -> ProviderError | None:
        """Return None when the key works."""
        return await self._api.alive()

    async def balance(self) -> Balance | Gone | ProviderError:
        """Return how much money is left on the account."""
        return await self._api.balance()

    async def price(self, endpoint: Endpoint[object], params: Params) -> str | None:
        """Return the price of a number or of a rent; the price of extending a rent is not available."""
        lists: dict[str, Endpoint[Any]] = {
            GET_NUMBER.name: GET_PRICES,
            GET_NUMBER_V2.name: GET_PRICES,
            rent.GET_RENT_NUMBER.name: rent.GET_RENT_PRICES,
        }
        if endpoint.name not in lists:
            return None
        given_ones = {name: params[name] for name in ("service", "country", "rent_time") if name in params}
        prices = await self.call(lists[endpoint.name], given_ones)
        if not isinstance(prices, tuple):
            return None
        # Without a country, list and purchase use the same default; if several are listed, it is unknown which.
        country, service = params.get("country"), params["service"]
        costs = [price.cost for price in prices if price.service == service and country in {None, price.country}]
        return costs[0] if len(costs) == 1 else None
