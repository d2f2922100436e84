"""What every client of a provider can do, and how it asks: one request a question, never a second one by itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, Protocol, TypeVar
from urllib.parse import quote_plus

from pydantic import SecretStr
from yarl import URL

from pollers.dialect import Done
from pollers.fetch import Fetcher, FetchFailed, RawAnswer
from pollers.observation import Ended, Gone, Observation, SeenSms, Trouble
from pollers.providers.answers import ActResult

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Action = Literal["next", "finish", "cancel"]
Params = Mapping[str, str]

# "Not in this state", in the words of three providers: no mistake of ours, the order has moved on.
_NOT_NOW: Final = frozenset({"bad_status", "incorect_status", "incorrect_status", "wrong_status"})


@dataclass(frozen=True)
class Endpoint(Generic[T_co]):
    """One line of a provider's manual. `buys`: calling it costs money."""

    name: str
    """As the provider's document has it; `rent:` stands before those of SMS-Man's rent API."""
    parse: Callable[[RawAnswer], T_co]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    buys: bool = False


class Client(Protocol):
    """A provider, seen with one key. No method raises for what the network or the provider does."""

    endpoints: Mapping[str, Endpoint[Any]]
    has_full_text: bool

    def __init__(
        self, *, api_key: SecretStr, base_url: str | None, fetcher: Fetcher, status_action: str = "getStatus"
    ) -> None:
        """Use this key at this address; None: the provider's own."""

    async def observe(self, order_kind: str, order_id: str) -> Observation:
        """Return what the order shows: the poll."""
        ...

    async def full_text(self, order_id: str) -> SeenSms | None:
        """Return the newest SMS with its whole text, for an activation that has one and where `has_full_text`."""
        ...

    async def act(self, order_kind: str, order_id: str, action: Action) -> ActResult | Trouble:
        """Ask for the next SMS, finish or cancel. `transient`: it may or may not have been done; look before again."""
        ...

    async def alive(self) -> Trouble | None:
        """Return None when the key works."""
        ...

    async def ask(self, endpoint: Endpoint[T], params: Params) -> T | Trouble:
        """Ask once. `transient`: for what costs money, look at the account before asking again."""
        ...

    async def price(self, endpoint: Endpoint[object], params: Params) -> str | None:
        """Return what this purchase would cost, in the provider's words; None: it does not tell beforehand."""
        ...


async def ask(fetcher: Fetcher, address: URL, query: str, params: Params, endpoint: Endpoint[T]) -> T | Trouble:
    """Return the parsed answer to one GET. `query` is encoded and has the key; `params` have the names of a manual."""
    query += "".join(f"&{name}={quote_plus(value)}" for name, value in params.items())
    try:
        answer = await fetcher.get(_with_query(address, query))
    except FetchFailed as failed:
        return Trouble("transient", failed.word)
    return endpoint.parse(answer)


def _with_query(address: URL, query: str) -> URL:
    """Return the address with this encoded query: of its parts, since to parse it each time costs twice as much."""
    return URL.build(
        scheme=address.scheme,
        authority=address.raw_authority,
        path=address.raw_path,
        query_string=query,
        encoded=True,
    )


def acted(said: Done | Ended | Gone | Trouble) -> ActResult | Trouble:
    """Return what came of an action."""
    match said:
        case Done() | Ended():
            return "done"
        case Trouble(word="early_cancel_denied"):
            return "too_early"
        case Gone() | Trouble(kind="denied"):
            return "refused"
        case Trouble(word=word) if word in _NOT_NOW:
            return "refused"
        case _:
            return said


def table(*endpoints: Endpoint[object]) -> dict[str, Endpoint[Any]]:
    """Return the endpoints by their names."""
    return {endpoint.name: endpoint for endpoint in endpoints}
