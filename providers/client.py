"""What every client of a provider can do, and how it asks: one request a question, never a second one by itself."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, Literal, Protocol, TypeVar
from urllib.parse import quote_plus

from pydantic import SecretStr
from yarl import URL

from providers.handler_api_tokens import Done
from providers.http_client import Fetcher, FetchFailed, RawResponse, Requester
from providers.observation import Ended, Gone, Observation, ProviderError, SeenSms, Unfinished
from providers.payloads import Document, mapping, parse_json, text_of, trimmed
from providers.results import Action, ActResult

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Params = Mapping[str, str]

# Under these names, at the top of an answer, providers say whose it is.
_ORDER_IDS: Final = ("request_id", "activationId", "id")
_ID: Final = re.compile(r"[0-9]{1,20}")

NO_NEXT_OF_A_RENT: Final = ProviderError("denied", "a_rent_shows_all")
"""Of asking a rent for its next SMS, without a request."""
# "Not in this state", in the words of three providers: no mistake of ours, the order has moved on.
_NOT_NOW: Final = frozenset({"bad_status", "incorect_status", "incorrect_status", "wrong_status"})


@dataclass(frozen=True)
class Endpoint(Generic[T_co]):
    """One line of a provider's manual. `buys`: calling it costs money."""

    name: str
    """As the provider's document has it; `rent:` stands before those of SMS-Man's rent API."""
    parse: Callable[[RawResponse], T_co]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    buys: bool = False
    http: Literal["GET", "POST"] = "GET"


@dataclass(frozen=True, slots=True)
class Another:
    """The provider does not know this way to act, and nothing was done: `act` once more with `how` tries the other."""

    how: str


class Api(Protocol):
    """The documented methods of a provider, called with one key. Nothing is raised for a failed request."""

    endpoints: Mapping[str, Endpoint[Any]]

    def __init__(self, *, api_key: SecretStr, base_url: str | None, fetcher: Requester) -> None:
        """Use this key at this address; None: the provider's own."""

    async def call(self, endpoint: Endpoint[T], params: Params) -> T | ProviderError:
        """Ask once. `transient`: for what costs money, look at the account before asking again."""
        ...

    async def price(self, endpoint: Endpoint[object], params: Params) -> str | None:
        """Return what this purchase would cost, in the provider's words; None: it does not tell beforehand."""
        ...


class Client(Api, Protocol):
    """A provider that is polled. No method raises for what the network or the provider does.

    Each call of `poll`, `full_text`, `act`, `active` and `alive` makes at most one request, so that the caller can
    keep to a budget; where an answer takes two, it is told so.
    """

    has_rents: bool
    has_full_text: bool
    has_list: bool
    """`active` may be asked; not any more after the provider refused it again and again."""

    def __init__(
        self, *, api_key: SecretStr, base_url: str | None, fetcher: Fetcher, status_action: str | None = None
    ) -> None:
        """Use this key at this address and poll with this action; None: the provider's own."""

    async def poll(
        self, order_kind: str, order_id: str, unfinished: Unfinished | None = None
    ) -> Observation | Unfinished:
        """Return what the order shows: the poll. With what was unfinished, ask for the rest of it."""
        ...

    async def full_text(self, order_id: str) -> SeenSms | ProviderError | None:
        """Return the newest SMS with its whole text, of an activation and where `has_full_text`; None: it has none."""
        ...

    async def act(
        self, order_kind: str, order_id: str, action: Action, another: str | None = None
    ) -> ActResult | ProviderError | Another:
        """Ask for the next SMS, finish or cancel. `transient`: it may or may not have been done; look before again.

        `another`: the `how` of an `Another` that was returned for the same action.
        """
        ...

    async def active(self) -> Mapping[str, str] | ProviderError:
        """Return the running activations: their ids, and a text that changes when an SMS comes or the next is awaited.

        Only where `has_list`. It is a hint where to look: no provider promises what stands in the list, or when, and
        an id that is missing proves no end.
        """
        ...

    async def alive(self) -> ProviderError | None:
        """Return None when the key works."""
        ...


async def call(fetcher: Fetcher, address: URL, query: str, params: Params, endpoint: Endpoint[T]) -> T | ProviderError:
    """Return the parsed answer to one GET. `query` is encoded and has the key; `params` have the names of a manual.

    An answer about another order than the one that was asked for says nothing about this one, and is dropped here;
    but none to a purchase, which may give a new order.
    """
    query += "".join(f"&{name}={quote_plus(value)}" for name, value in params.items())
    try:
        response = await fetcher.get(_with_query(address, query))
    except FetchFailed as failed:
        return ProviderError("transient", failed.code)
    said = endpoint.parse(response)
    if endpoint.buys or isinstance(said, ProviderError) or not _is_of_another_order(response, params):
        return said
    return ProviderError("unrecognised", "other_order", answered=True)


def _is_of_another_order(response: RawResponse, params: Params) -> bool:
    """Tell an answer that carries an order's id, as a number or a text, but not the one in the question.

    What is no number is not an order's id, but perhaps a trace's; nor is 0.
    """
    asked = (params.get("request_id") or params.get("id") or "").strip().lstrip("0")
    text = text_of(response) if asked and b"{" in response.body else ""
    document = parse_json(response, text) if text.startswith("{") else None
    said = mapping(document.value) if isinstance(document, Document) else {}
    told = [trimmed(said, name) or "" for name in _ORDER_IDS]
    ids = {each.lstrip("0") for each in told if _ID.fullmatch(each)} - {""}
    return bool(ids) and asked not in ids


def _with_query(address: URL, query: str) -> URL:
    """Return the address with this encoded query: of its parts, since to parse it each time costs twice as much."""
    return URL.build(
        scheme=address.scheme,
        authority=address.raw_authority,
        path=address.raw_path,
        query_string=query,
        encoded=True,
    )


def acted(said: Done | Ended | Gone | ProviderError) -> ActResult | ProviderError:
    """Return what came of an action; trouble that is `denied` is final, and its word is the provider's."""
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
