"""The responses of `handler_api.php`, as SMSVerified and GrizzlySMS send them, with the variants of sibling services.

A response is `TOKEN`, `TOKEN:rest` or JSON, whatever the action's document says. The token is compared as a whole, and
the rest is split off once, at the first colon: an SMS may contain colons, line breaks and the names of error tokens.

=============================================== =================================================== =================
response                                        meaning                                             read by
=============================================== =================================================== =================
`STATUS_WAIT_CODE`, `STATUS_WAIT_RESEND`        waiting                                             `status_of`
`STATUS_WAIT_RETRY:code`                        waiting for the next SMS; the code is the last one  `status_of`
`STATUS_OK:code`                                the newest SMS                                      `status_of`
the tokens of `ENDED`                           the activation has ended                            `status_of`
the tokens of `RENT_ENDED`                      the rent has ended                                  `grizzlysms_rent`
the tokens of `DONE`                            setStatus: done                                     `parse_done`
the tokens of `GONE`                            the order is not known                              `error_of`
the tokens of `ERRORS`, and any with `SQL`      an error, by its kind                               `error_of`
`{"status": "error", "error": TOKEN}` and alike a token in an error envelope                        `_unwrapped`
=============================================== =================================================== =================
"""

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from providers.http_client import RawResponse
from providers.observation import Ended, Gone, Last, NoCode, Observation, ProviderError, SeenSms, Waiting, WaitingNext
from providers.payloads import (
    Document,
    by_status,
    code_in,
    first,
    mapping,
    parse_json,
    retry_after,
    text_of,
    without_content,
)

_TOKEN: Final = re.compile(r"[A-Z][A-Z0-9_]*")

GONE: Final = frozenset({"NO_ACTIVATION", "WRONG_ACTIVATION_ID", "INVALID_ACTIVATION_ID", "NOT_FOUND", "INVALID_PHONE"})

ERRORS: Final[dict[str, Literal["auth", "throttled", "transient", "denied", "request_error"]]] = {
    "BAD_KEY": "auth",
    "NO_KEY": "auth",
    "BANNED": "auth",  # `BANNED:2020-12-31 23-59-59`
    "ACCOUNT_INACTIVE": "auth",
    "SERVICE_UNAVAILABLE_REGION": "auth",  # concerns our IP address; another key would not help
    "USERS_IP_IS_NOT_ALLOWED": "auth",
    "RATE_LIMIT": "throttled",
    "TOO_MANY_REQUESTS": "throttled",
    "CHANNELS_LIMIT": "throttled",
    "ERROR_SQL": "transient",
    "SQL_ERROR": "transient",
    "SERVER_ERROR": "transient",
    "NO_NUMBERS": "denied",
    "NO_BALANCE": "denied",
    "WRONG_MAX_PRICE": "denied",  # `WRONG_MAX_PRICE:<lowest accepted price>`
    "EARLY_CANCEL_DENIED": "denied",
    "STATUS_ALREADY_CHANGED": "denied",
    "ACTION_NOT_AVAILABLE": "denied",
    "OTP_RECEIVED": "denied",
    "NEW_OTP_RECEIVED": "denied",
    "FREE_CANCELLATION_EXPIRED": "denied",
    "ACTIVATION_NOT_ACTIVE": "denied",
    "CANT_CANCEL": "denied",
    "BAD_ACTION": "request_error",
    "BAD_SERVICE": "request_error",
    "BAD_STATUS": "request_error",
    "BAD_COUNTRY": "request_error",
    "INVALID_TIME": "request_error",
    "NO_ID_RENT": "request_error",
    "INCORECT_STATUS": "request_error",  # spelled like this by the provider
    "INCORRECT_STATUS": "request_error",
    "UNPROCESSABLE_ENTITY": "request_error",
}

ENDED: Final[dict[str, Literal["finished", "cancelled"]]] = {"STATUS_CANCEL": "cancelled", "ACCESS_CANCEL": "cancelled"}
RENT_ENDED: Final[dict[str, Literal["finished", "cancelled"]]] = {
    "STATUS_FINISH": "finished",
    "STATUS_CANCEL": "cancelled",
    "STATUS_REVOKE": "cancelled",
    "ALREADY_FINISH": "finished",
    "ALREADY_CANCEL": "cancelled",
    "RENT_DIE": "finished",
}
DONE: Final = frozenset(
    {"ACCESS_READY", "ACCESS_RETRY_GET", "ACCESS_ACTIVATION", "ACCESS_CANCEL"}
    | {"ALREADY_CANCEL", "ACCESS_CANCEL_ALREADY", "ALREADY_FINISH"}  # it was in the requested state already
)


@dataclass(frozen=True, slots=True)
class Token:
    """A text response, or the token in an error envelope."""

    name: str
    rest: str = field(default="", repr=False)
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The provider performed the request."""

    word: str


Said = Token | Document | ProviderError


def read(response: RawResponse) -> Said:
    """Return the token or the JSON of a response; `ProviderError` where there is neither.

    A token counts whatever the HTTP status: `EARLY_CANCEL_DENIED` comes with 200, 400 and 409.
    """
    text = text_of(response)
    if nothing := without_content(response, text):
        return nothing
    if text[0] in "{[" or text == "null":
        document = parse_json(response, text)
        return _unwrapped(response, document) if isinstance(document, Document) else document
    name, _, rest = text.partition(":")
    if _TOKEN.fullmatch(name):
        return Token(name, rest.strip(), retry_after(response))
    return by_status(response) or ProviderError("unrecognised", "no_token")


def _unwrapped(response: RawResponse, document: Document) -> Said:
    """Return the token in an error envelope, whose shape differs between siblings; else the document."""
    envelope = mapping(document.value)
    status = first(envelope, "status")
    if status in {"STATUS_OK", "STATUS_WAIT_RETRY"}:  # one sibling sends JSON instead of the plain text
        return Token(status, first(envelope, "code") or "")
    said = first(envelope, "title") or first(envelope, "error")
    if said is None and status in {"error", "false", "0"}:
        said = first(envelope, "message", "msg") or ""
    if said is None:
        return by_status(response) or document
    name, _, rest = said.strip().partition(":")
    if not _TOKEN.fullmatch(name):
        return by_status(response) or ProviderError("unrecognised", "error_in_prose", answered=True)
    seconds = first(mapping(envelope.get("info")), "retry_after_seconds")
    return Token(name, rest, retry_after(response, seconds))


def error_of(response: RawResponse, said: Said) -> ProviderError | Gone:
    """Return the meaning of a response that is not one of its action's successful ones."""
    match said:
        case ProviderError():
            return said
        case Token(name) if name in GONE:
            return Gone()
        case Token(name, retry_after=seconds) if name in ERRORS or "SQL" in name:
            known = name.lower() if name in ERRORS else "sql_error"
            return ProviderError(ERRORS.get(name, "transient"), known, seconds, answered=True)
        case _:
            unknown = "unknown_token" if isinstance(said, Token) else "unknown_shape"
            return by_status(response) or ProviderError("unrecognised", unknown, answered=True)


def parse_status(response: RawResponse) -> Observation:
    """Read getStatus: the state of an activation."""
    said = read(response)
    if not isinstance(said, Token):
        return error_of(response, said)
    return status_of(said) or error_of(response, said)


def status_of(token: Token) -> Observation | None:
    """Return what a token says about an activation; None for other tokens."""
    match token.name:
        # On RESEND the document tells clients to set status 6, which would end the order (docs/providers.md, trap 30).
        case "STATUS_WAIT_CODE" | "STATUS_WAIT_RESEND":
            return Waiting()
        case "STATUS_WAIT_RETRY":
            return WaitingNext(code_in(token.rest))
        case "STATUS_OK":
            code = code_in(token.rest)
            return Last(SeenSms(code=code)) if code is not None else NoCode()
        case name if name in ENDED:
            return Ended(ENDED[name])
        case _:
            return None


def parse_done(response: RawResponse) -> Done | Gone | ProviderError:
    """Read setStatus. Any success token counts for any status: SMSVerified's own sample is inconsistent."""
    if response.status == 204 and not response.body:  # how one sibling confirms
        return Done("no_content")
    said = read(response)
    if isinstance(said, Token) and said.name in DONE:
        return Done(said.name.lower())
    return error_of(response, said)
