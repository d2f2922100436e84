"""The interface of every client, and how a client sends a request: one per call, never repeated by itself."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, Literal, Protocol, TypeVar
from urllib.parse import quote_plus

from pydantic import SecretStr
from yarl import URL

from providers.handler_api_tokens import Done
from providers.http_client import Fetcher, FetchFailed, RawResponse, Requester
from providers.noticing import NoticingFetcher
from providers.observation import Ended, Gone, Observation, ProviderError, SeenSms, Unfinished
from providers.payloads import Document, mapping, parse_json, text_of, trimmed
from providers.results import Action, ActResult, Balance

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Params = Mapping[str, str]

# The top-level keys under which responses carry the id of their order.
_ORDER_IDS: Final = ("request_id", "activationId", "id")
_ID: Final = re.compile(r"[0-9]{1,20}")

NO_NEXT_OF_A_RENT: Final = ProviderError("denied", "a_rent_shows_all")
"""The result of `next` for a rent; no request is sent."""
# "Not in this state", as three providers spell it: the request was right, but the order has changed meanwhile.
_NOT_NOW: Final = frozenset({"bad_status", "incorect_status", "incorrect_status", "wrong_status"})


@dataclass(frozen=True)
class Endpoint(Generic[T_co]):
    """One documented method of a provider. `buys`: calling it costs money."""

    name: str
    """As in the provider's document; with the prefix `rent:` for SMS-Man's rent API."""
    parse: Callable[[RawResponse], T_co]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    buys: bool = False
    http: Literal["GET", "POST"] = "GET"


@dataclass(frozen=True, slots=True)
class Another:
    """The provider does not know this variant of the action, and nothing was done: call `act` again with `how`."""

    how: str


class Api(Protocol):
    """The documented methods of a provider, called with one key. Nothing is raised for a failed request."""

    endpoints: Mapping[str, Endpoint[Any]]

    def __init__(self, *, api_key: SecretStr, base_url: str | None, fetcher: Requester) -> None:
        """Use this key at this address; None: the provider's default address."""

    async def call(self, endpoint: Endpoint[T], params: Params) -> T | ProviderError:
        """Send one request. After `transient`, check the account before repeating a call that costs money."""
        ...

    async def price(self, endpoint: Endpoint[object], params: Params) -> str | None:
        """Return the price of this purchase as the provider writes it; None: the provider does not say beforehand."""
        ...


class Client(Api, Protocol):
    """A provider that is polled. No method raises for what the network or the provider does.

    Each call of `poll`, `full_text`, `act`, `active`, `alive` and `balance` sends at most one request, so that the
    caller can keep to a budget. Where two are needed, the result says so (`Unfinished`, `Another`).
    """

    has_rents: bool
    has_full_text: bool
    has_list: bool
    """`active` can be called. Becomes False after the provider has refused it repeatedly."""

    def __init__(
        self, *, api_key: SecretStr, base_url: str | None, fetcher: Fetcher, status_action: str | None = None
    ) -> None:
        """Use this key at this address, and poll with this action; None: the provider's defaults."""

    async def poll(
        self, order_kind: str, order_id: str, unfinished: Unfinished | None = None
    ) -> Observation | Unfinished:
        """Poll the order once. With an `Unfinished`, fetch the next part of that response."""
        ...

    async def full_text(self, order_id: str) -> SeenSms | ProviderError | None:
        """Return the newest SMS of an activation with its full text, where `has_full_text`; None: there is none."""
        ...

    async def act(
        self, order_kind: str, order_id: str, action: Action, another: str | None = None
    ) -> ActResult | ProviderError | Another:
        """Request the next SMS, finish, or cancel. After `transient` it may have been done: poll before repeating it.

        `another`: the `how` of an `Another` that was returned for this action.
        """
        ...

    async def active(self) -> Mapping[str, str] | ProviderError:
        """Return the running activations: a fingerprint by order id, which changes with each SMS and each wait.

        Only where `has_list`. It is only a hint which orders to poll: no provider documents what the list contains, or
        when, and an order that is missing from it has not necessarily ended.
        """
        ...

    async def alive(self) -> ProviderError | None:
        """Return None when the key works."""
        ...

    async def balance(self) -> Balance | Gone | ProviderError:
        """Return how much money is left on the account."""
        ...


async def call(fetcher: Fetcher, address: URL, query: str, params: Params, endpoint: Endpoint[T]) -> T | ProviderError:
    """Return the parsed response to one GET. `query` is already encoded and contains the key.

    A response about a different order is discarded here, since it says nothing about this one. Responses to purchases
    are exempt: they carry the id of a new order.
    """
    query += "".join(f"&{name}={quote_plus(value)}" for name, value in params.items())
    try:
        response = await fetcher.get(_with_query(address, query))
    except FetchFailed as failed:
        return ProviderError("transient", failed.code)
    said = endpoint.parse(response)
    if isinstance(fetcher, NoticingFetcher):
        fetcher.parsed(endpoint.name, response, said)
    if endpoint.buys or isinstance(said, ProviderError) or not _is_of_another_order(response, params):
        return said
    return ProviderError("unrecognised", "other_order", answered=True)


def _is_of_another_order(response: RawResponse, params: Params) -> bool:
    """Return whether the response carries an order's id, but not the one in the request.

    Only numbers other than 0 count as ids, written as a number or as text: anything else may be a trace id.
    """
    requested = (params.get("request_id") or params.get("id") or "").strip().lstrip("0")
    text = text_of(response) if requested and b"{" in response.body else ""
    document = parse_json(response, text) if text.startswith("{") else None
    said = mapping(document.value) if isinstance(document, Document) else {}
    values = [trimmed(said, name) or "" for name in _ORDER_IDS]
    ids = {each.lstrip("0") for each in values if _ID.fullmatch(each)} - {""}
    return bool(ids) and requested not in ids


def _with_query(address: URL, query: str) -> URL:
    """Return the address with this encoded query; built from its parts, which takes half the time of parsing it."""
    return URL.build(
        scheme=address.scheme,
        authority=address.raw_authority,
        path=address.raw_path,
        query_string=query,
        encoded=True,
    )


def acted(said: Done | Ended | Gone | ProviderError) -> ActResult | ProviderError:
    """Return the result of an action. A `denied` error is final, and its code is the provider's."""
    match said:
        case Done() | Ended():
            return "done"
        case ProviderError(code="early_cancel_denied"):
            return "too_early"
        case Gone():
            return ProviderError("denied", "no_such_order", answered=True)
        case ProviderError(code=code) if code in _NOT_NOW:
            return replace(said, kind="denied")
        case _:
            return said


def table(*endpoints: Endpoint[object]) -> dict[str, Endpoint[Any]]:
    """Return the endpoints by their names."""
    return {endpoint.name: endpoint for endpoint in endpoints}
