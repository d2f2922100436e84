"""What the responses of both of SMS-Man's APIs have in common.

An error is an `error_code` with an `error_msg`, which is a text, an object of texts or an object of lists. A success
has neither, and `success: true` only for set-status. The HTTP status is usually 200, but is not relied on.

=========================================== ================================== ================================
response                                    meaning                            read by
=========================================== ================================== ================================
`error_code: wait_sms`                      waiting                            `parse_sms`, `parse_rent_sms`
`error_msg` with "request not exists"       the order is not known             `error_of`
the other codes of `ERRORS`                 an error, by its kind              `error_of`
`success: false`, or any other error code   an error that is not recognised    `error_of`
=========================================== ================================== ================================
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from providers.handler_api_tokens import Done
from providers.http_client import RawResponse
from providers.observation import Gone, ProviderError
from providers.payloads import Document, by_status, first, mapping, parse_json, retry_after, text_of, without_content
from providers.results import Balance, Order

ERRORS: Final[dict[str, Literal["auth", "throttled", "denied", "request_error"]]] = {
    "wrong_token": "auth",
    "bad_token": "auth",
    "too_many_requests": "throttled",
    "balance": "denied",
    "not_enough_balance": "denied",
    "no_numbers": "denied",
    "no_free_phones": "denied",
    "wrong_status": "request_error",
    "wrong_application_id": "request_error",
    "wrong_country_id": "request_error",
}
NOT_EXISTS: Final = "request not exists"  # in the message; its error_code is not documented


@dataclass(frozen=True, slots=True)
class Failure:
    """A response with an `error_code`, or with `success: false`."""

    code: str
    details: dict[str, object] = field(repr=False)


Json = dict[str, object] | list[object]


def read(response: RawResponse) -> Json | Failure | ProviderError:
    """Return the object or list of a successful response."""
    text = text_of(response)
    if nothing := without_content(response, text):
        return nothing
    if text[0] not in "{[":
        return by_status(response) or ProviderError("unrecognised", "not_json")
    document = parse_json(response, text)
    return _sorted_out(response, document) if isinstance(document, Document) else document


def _sorted_out(response: RawResponse, document: Document) -> Json | Failure | ProviderError:
    if isinstance(document.value, list):
        return by_status(response) or document.value
    said = mapping(document.value)
    if (code := first(said, "error_code")) or str(said.get("success")).lower() in {"false", "0"}:
        return Failure(code or "", said)
    return by_status(response) or said


def error_of(response: RawResponse, said: object) -> Gone | ProviderError:
    """Return the meaning of a response that is not one of its endpoint's successful ones."""
    if isinstance(said, ProviderError):
        return said
    if not isinstance(said, Failure):
        return ProviderError("unrecognised", "unknown_shape", answered=True)
    if any(NOT_EXISTS in message.lower() for message in _messages(said.details.get("error_msg"))):
        return Gone()
    if said.code in ERRORS:
        return ProviderError(ERRORS[said.code], said.code, retry_after(response), answered=True)
    return by_status(response) or ProviderError("unrecognised", "unknown_error_code", answered=True)


def _messages(message: object) -> Iterator[str]:
    if isinstance(message, str):
        yield message
    inner = message.values() if isinstance(message, dict) else message if isinstance(message, list) else ()
    for part in inner:
        yield from _messages(part)


def parse_balance(response: RawResponse) -> Balance | Gone | ProviderError:
    """Read get-balance."""
    said = read(response)
    if not isinstance(said, dict) or not (amount := first(said, "balance")):
        return error_of(response, said)
    return Balance(amount, {name: value for name in said if name != "balance" and (value := first(said, name))})


def parse_order(kind: Literal["activation", "rent"]) -> Callable[[RawResponse], Order | Gone | ProviderError]:
    """Return the parser of get-number."""

    def parse(response: RawResponse) -> Order | Gone | ProviderError:
        said = read(response)
        order = said if isinstance(said, dict) else {}
        order_id, number = first(order, "request_id"), first(order, "number")
        if not order_id or not number:
            return error_of(response, said)
        details = {name: value for name in ("country_id", "application_id") if (value := first(order, name))}
        return Order(kind, order_id, number, details=details)

    return parse


def parse_done(response: RawResponse) -> Done | Gone | ProviderError:
    """Read set-status."""
    said = read(response)
    if isinstance(said, dict) and (first(said, "success") or "").lower() in {"true", "1"}:
        return Done("success")
    return error_of(response, said)
