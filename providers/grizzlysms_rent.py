"""GrizzlySMS's rents (https://grizzlysms.com/docs), which answer JSON.

The newer documentation no longer names them: a BAD_ACTION here may mean that they are gone. `rent_time` is minutes in
one sentence of the document and hours in the next, so it is passed on as it was given.
"""

from dataclasses import replace
from typing import Final, NamedTuple

from providers.client import Endpoint
from providers.handler_api import prices_in
from providers.handler_api_tokens import RENT_ENDED, Done, Said, Token, error_of, read
from providers.http_client import RawResponse
from providers.observation import Ended, Gone, Listing, Observation, ProviderError, SeenSms, Unfinished, Waiting
from providers.payloads import Document, count, entries, first, given, mapping, oldest_first, trimmed
from providers.results import Order, Price, RentPeriod

Unsuccessful = Ended | Gone | ProviderError

_ENDED_STATUS: Final = {"finish": "STATUS_FINISH", "cancel": "STATUS_CANCEL", "revoke": "STATUS_REVOKE"}
MOST_PAGES: Final = 20  # ten SMS on each, at siblings: a page too many costs a request, a missing one SMS
# The body of an SMS: the document's format line says `text`, its sample `test`, siblings the rest.
_BODIES: Final = ("text", "test", "sms", "message", "code")


def _rent(response: RawResponse, said: Said) -> dict[str, object] | Unsuccessful:
    """Return a successful answer's object."""
    if isinstance(said, Document):
        rent = mapping(said.value)
        status = (trimmed(rent, "status") or "").lower()
        if status == "success":
            return rent
        said = Token(_ENDED_STATUS[status]) if status in _ENDED_STATUS else said
    if isinstance(said, Token) and said.name in RENT_ENDED:
        return Ended(RENT_ENDED[said.name])
    return error_of(response, said)


class Page(NamedTuple):
    """One answer of getRentStatus: what it shows, and how many SMS the rent has in all (None: it does not say)."""

    shows: Observation
    quantity: int | None


def parse_rent_page(response: RawResponse) -> Page | ProviderError:
    """Read getRentStatus together with its `quantity`, which may be padded, a number, or missing."""
    shows, said = parse_rent_status(response), read(response)
    if isinstance(shows, ProviderError):
        return shows
    quantity = count(trimmed(mapping(said.value), "quantity")) if isinstance(said, Document) else None
    return Page(shows, quantity)


class More(NamedTuple):
    """What to ask next of a rent that has more SMS than it has shown."""

    page: int
    quantity: int


def first_page(page: Page) -> Observation | Unfinished:
    """Return what the first page shows; unfinished where the rent says that it has more, as siblings page."""
    if not isinstance(page.shows, Listing) or len(page.shows.sms) >= (page.quantity or 0):
        return page.shows
    return Unfinished(replace(page.shows, complete=False), More(2, page.quantity or 0))


def next_page(newer: Listing, asked: More, page: Page) -> Observation | Unfinished:
    """Return the newer pages together with the one that was asked for now.

    A page that adds nothing is the last: a provider that shows the same again does not page, and has no more to show.
    A rent that ended meanwhile will say so at the next poll.
    """
    if isinstance(page.shows, Ended | Gone):
        return newer
    older = page.shows.sms if isinstance(page.shows, Listing) else ()
    shown = set(newer.sms)
    added = tuple(sms for sms in older if sms not in shown)
    quantity = asked.quantity if page.quantity is None else page.quantity
    is_last = not added or asked.page == MOST_PAGES  # what is older than that cannot be had, now or later
    together = Listing((*added, *newer.sms), complete=is_last or len(added) + len(newer.sms) >= quantity)
    if together.complete:
        return together
    return Unfinished(together, More(asked.page + 1, quantity))


def parse_rent_status(response: RawResponse) -> Observation:
    """Read getRentStatus. `values` may be an object with padded numbers, a list, an empty list, null or missing."""
    said = read(response)
    if isinstance(said, Token) and said.name == "STATUS_WAIT_CODE":  # how siblings say "no SMS yet"
        return Waiting()
    rent = _rent(response, said)
    if not isinstance(rent, dict):
        return rent
    if not (values := rent.get("values")):
        return Waiting()
    listed = oldest_first([_seen(entry) for entry in entries(values) if entry])
    return Listing(listed) if listed else ProviderError("unrecognised", "unknown_shape", answered=True)


def _seen(entry: dict[str, object]) -> SeenSms:
    return SeenSms(
        text=given(entry, *_BODIES),
        sender=trimmed(entry, "phoneFrom"),
        time_raw=trimmed(entry, "date", "dateTime"),
        service=trimmed(entry, "service"),
    )


def parse_rent_number(response: RawResponse) -> Order | Unsuccessful:
    """Read getRentNumber and continueRentNumber."""
    rent = _rent(response, read(response))
    if not isinstance(rent, dict):
        return rent
    phone = mapping(rent.get("phone"))
    order_id, number = trimmed(phone, "id"), trimmed(phone, "number")
    if not order_id or not number:
        return ProviderError("unrecognised", "unknown_shape", answered=True)
    return Order("rent", order_id, number, trimmed(phone, "endDate"))


def parse_rent_history(response: RawResponse) -> tuple[RentPeriod, ...] | Unsuccessful:
    """Read getRentHistory."""
    rent = _rent(response, read(response))
    if not isinstance(rent, dict):
        return rent
    return tuple(
        RentPeriod(trimmed(entry, "date"), first(entry, "price"), first(entry, "hours"))
        for entry in entries(rent.get("values"))
    )


def parse_rent_done(response: RawResponse) -> Done | Unsuccessful:
    """Read setRentStatus. A rent that had already ended answers so, which is `Ended`."""
    rent = _rent(response, read(response))
    return Done("success") if isinstance(rent, dict) else rent


def parse_rent_prices(response: RawResponse) -> tuple[Price, ...] | Unsuccessful:
    """Read getRentPrices."""
    rent = _rent(response, read(response))
    return prices_in(rent.get("values")) if isinstance(rent, dict) else rent


GET_RENT_NUMBER: Final = Endpoint(
    "getRentNumber", parse_rent_number, required=("service", "country", "rent_time"), buys=True
)
CONTINUE_RENT_NUMBER: Final = Endpoint("continueRentNumber", parse_rent_number, required=("id", "rent_time"), buys=True)
GET_RENT_HISTORY: Final = Endpoint("getRentHistory", parse_rent_history, required=("id",))
SET_RENT_STATUS: Final = Endpoint("setRentStatus", parse_rent_done, required=("id", "status"))
GET_RENT_STATUS: Final = Endpoint("getRentStatus", parse_rent_status, required=("id",))
RENT_PAGE: Final = Endpoint(GET_RENT_STATUS.name, parse_rent_page, required=("id",), optional=("page",))
GET_RENT_PRICES: Final = Endpoint("getRentPrices", parse_rent_prices, required=("service", "country", "rent_time"))
