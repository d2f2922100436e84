"""GrizzlySMS (https://grizzlysms.com/docs): activations here, rents in `grizzlysms_rent`. Its times have no zone."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import SecretStr

from pollers.dialect import Token, read, refusal
from pollers.fetch import Fetcher, RawAnswer
from pollers.json_answers import Document, code_in, entries, given, mapping, trimmed
from pollers.observation import Gone, Listing, Observation, SeenSms, Trouble
from pollers.providers import grizzlysms_rent as rent
from pollers.providers.answers import ActiveActivation, ActResult
from pollers.providers.client import Action, Endpoint, Params, acted, table
from pollers.providers.handler_api import (
    GET_BALANCE,
    GET_STATUS,
    GET_STATUS_V2,
    SET_STATUS,
    HandlerApi,
    parse_number,
    parse_prices,
)

T = TypeVar("T")

DEFAULT_BASE_URL: Final = "https://api.grizzlysms.com/stubs/handler_api.php"
_RENT_STATUS_OF: Final[dict[Action, str]] = {"finish": "1", "cancel": "2"}
_FILTERS: Final = ("country", "maxPrice", "minPrice", "providerIds", "exceptProviderIds", "phoneException")


def parse_active_activations(answer: RawAnswer) -> tuple[ActiveActivation, ...] | Gone | Trouble:
    """Read getActiveActivations: a list, `null` for none, or a list in one of two wrappers of siblings."""
    said = read(answer)
    if isinstance(said, Token) and said.word == "NO_ACTIVATIONS":
        return ()
    if not isinstance(said, Document):
        return refusal(answer, said)
    wrapper = mapping(said.value)
    listed = wrapper.get("activeActivations", wrapper.get("data")) if wrapper else said.value
    if isinstance(listed, dict):
        listed = listed.get("rows")
    if listed is not None and not isinstance(listed, list):
        return refusal(answer, said)
    return tuple(_active(entry) for entry in entries(listed) if trimmed(entry, "activationId"))


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
    """Return the last of each list: a sibling's `smsCode` is one."""
    return {name: value[-1] if isinstance(value, list) and value else value for name, value in entry.items()}


MOST_PAGES: Final = 20  # of a rent's SMS, ten on each: a page too many costs a request, a missing one SMS
GET_NUMBER: Final = Endpoint("getNumber", parse_number, required=("service",), optional=_FILTERS, buys=True)
GET_NUMBER_V2: Final = Endpoint("getNumberV2", parse_number, required=("service",), optional=_FILTERS, buys=True)
GET_ACTIVE_ACTIVATIONS: Final = Endpoint("getActiveActivations", parse_active_activations)
GET_PRICES: Final = Endpoint("getPrices", parse_prices, optional=("service", "country"))


class GrizzlySms:
    """A client. `status_action` getStatusV2 brings texts and times; getStatus, the documented one, codes only."""

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
        self, *, api_key: SecretStr, base_url: str | None, fetcher: Fetcher, status_action: str = GET_STATUS.name
    ) -> None:
        self._api = HandlerApi(base_url or DEFAULT_BASE_URL, api_key, fetcher, status_action)

    async def ask(self, endpoint: Endpoint[T], params: Params) -> T | Trouble:
        """Ask once."""
        return await self._api.ask(endpoint, params)

    async def observe(self, order_kind: str, order_id: str) -> Observation:
        """Poll an activation or a rent."""
        if order_kind == "rent":
            return await self._rent(order_id)
        return await self._api.status(order_id)

    async def _rent(self, order_id: str) -> Observation:
        """Read a rent page by page while it says that it has more SMS than it shows, as siblings page (`page`, from 1).

        An older page that cannot be had leaves the newer ones: the next poll asks for it again.
        """
        page = await self.ask(rent.RENT_PAGE, {"id": order_id})
        if isinstance(page, Trouble):
            return page
        shows = page.shows
        for number in range(2, MOST_PAGES + 1):
            if not isinstance(shows, Listing) or len(shows.sms) >= (page.quantity or 0):
                break
            older = await self.ask(rent.RENT_PAGE, {"id": order_id, "page": str(number)})
            if isinstance(older, Trouble) or not isinstance(older.shows, Listing):
                break
            more = rent.joined(older.shows, shows)
            if len(more.sms) == len(shows.sms):
                break
            shows = more
        return shows

    async def full_text(self, order_id: str) -> SeenSms | None:
        """Return None: what getStatusV2 knows is in the poll's answer."""
        del order_id
        return None

    async def act(self, order_kind: str, order_id: str, action: Action) -> ActResult | Trouble:
        """Set an activation's or a rent's status. A rent shows all its SMS, so `next` is refused."""
        if order_kind != "rent":
            return await self._api.set_status(order_id, action)
        if action not in _RENT_STATUS_OF:
            return "refused"
        return acted(await self.ask(rent.SET_RENT_STATUS, {"id": order_id, "status": _RENT_STATUS_OF[action]}))

    async def alive(self) -> Trouble | None:
        """Return None when the key works."""
        return await self._api.alive()

    async def price(self, endpoint: Endpoint[object], params: Params) -> str | None:
        """Return the price of a number or of a rent; that of prolonging a rent is not told."""
        lists: dict[str, Endpoint[Any]] = {
            GET_NUMBER.name: GET_PRICES,
            GET_NUMBER_V2.name: GET_PRICES,
            rent.GET_RENT_NUMBER.name: rent.GET_RENT_PRICES,
        }
        if endpoint.name not in lists:
            return None
        asked = {name: params[name] for name in ("service", "country", "rent_time") if name in params}
        prices = await self.ask(lists[endpoint.name], asked)
        if not isinstance(prices, tuple):
            return None
        # Without a country, a price list and a purchase mean the same one; where several are listed, who knows.
        country, service = params.get("country"), params["service"]
        costs = [price.cost for price in prices if price.service == service and country in {None, price.country}]
        return costs[0] if len(costs) == 1 else None
