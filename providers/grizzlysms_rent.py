"""GrizzlySMS's rents (https://grizzlysms.com/docs). All responses are JSON.

Newer documents do not mention rents: a BAD_ACTION here may mean that they no longer exist. `rent_time` is minutes in
one sentence of the document and hours in the next, so it is passed on unchanged.

==================== ========================================================== ==========================
action               response, with `"status": "success"`                       read by
==================== ========================================================== ==========================
`getRentNumber`      `{"phone": {id, number, endDate}}`                         `parse_rent_number`
`continueRentNumber` the same                                                   `parse_rent_number`
`getRentStatus`      `{"quantity", "values": {"0": {phoneFrom, text, date}}}`,  `parse_rent_status`,
                     in several shapes; the newest SMS first                    `parse_rent_page` (polls)
`setRentStatus`      nothing else                                               `parse_rent_done`
`getRentHistory`     `{"values": {"1": {date, price, hours}}}`                  `parse_rent_history`
`getRentPrices`      `{"values": {country: {service: {cost, count}}}}`          `parse_rent_prices`
any                  `{"status": "finish" | "cancel" | "revoke"}`: ended        `_rent`
any                  `{"status": "error", "error": TOKEN}`                      `handler_api_tokens.error_of`
==================== ========================================================== ==========================
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
# Siblings have ten SMS per page; reading one page too many costs a request, one too few loses SMS.
MOST_PAGES: Final = 20
# Keys of the text: `text` in the document's description, `test` in its sample, the others at siblings.
_BODIES: Final = ("text", "test", "sms", "message", "code")


def _rent(response: RawResponse, said: Said) -> dict[str, object] | Unsuccessful:
    """Return the object of a successful response."""
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
    """One response of getRentStatus: what it shows, and how many SMS the rent has in total (None: not given)."""

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
    """Which page to request next of a rent that has more SMS than it has shown."""

    page: int
    quantity: int


def first_page(page: Page) -> Observation | Unfinished:
    """Return what the first page shows; `Unfinished` where the rent has more SMS, on further pages as at siblings."""
    if not isinstance(page.shows, Listing) or len(page.shows.sms) >= (page.quantity or 0):
        return page.shows
    return Unfinished(replace(page.shows, complete=False), More(2, page.quantity or 0))


def next_page(newer: Listing, more: More, page: Page) -> Observation | Unfinished:
    """Return the newer pages together with the one that was just requested.

    A page that adds nothing is the last: a provider that repeats the first page does not use pages. A rent that has
    ended meanwhile will say so at the next poll.
    """
    if isinstance(page.shows, Ended | Gone):
        return newer
    older = page.shows.sms if isinstance(page.shows, Listing) else ()
    shown = set(newer.sms)
    added = tuple(sms for sms in older if sms not in shown)
    quantity = more.quantity if page.quantity is None else page.quantity
    is_last = not added or more.page == MOST_PAGES  # older SMS cannot be fetched, now or later
    together = Listing((*added, *newer.sms), complete=is_last or len(added) + len(newer.sms) >= quantity)
    if together.complete:
        return together
    return Unfinished(together, More(more.page + 1, quantity))


def parse_rent_status(response: RawResponse) -> Observation:
    """Read getRentStatus. `values` may be an object with padded numbers, a list, an empty list, null or missing."""
    said = read(response)
    if isinstance(said, Token) and said.name == "STATUS_WAIT_CODE":  # siblings: no SMS yet
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
    """Read setRentStatus. For a rent that had ended before, the response says so: `Ended`."""
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
