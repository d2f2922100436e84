"""PingMe's control API (https://pingme.tel/pingme-verfication-code-helper-apidoc): what people do with numbers.

Receiving needs none of it. The key travels in the header `x-app-key`; an answer is `{retcode, retmsg, result}`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, Protocol, TypeVar
from urllib.parse import urlencode

from pydantic import SecretStr
from yarl import URL

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

DEFAULT_BASE_URL: Final = "https://api.pingme.tel"
# A number stays the text that was written: `0.5`, and phone numbers that come as numbers or as texts.
_JSON: Final = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, strict=False)


class Answer(Protocol):
    """What HTTP brought back."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def body(self) -> bytes:
        """The whole body."""
        ...


class Asker(Protocol):
    """Asks once over HTTP, never again by itself. What it raises passes through here."""

    async def request(
        self, method: str, url: URL, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Return the answer, whatever its status."""
        ...


@dataclass(frozen=True, slots=True)
class PingMeRefusal:
    """It was not done. `transient`: it may have been, look before trying again."""

    kind: Literal["auth", "throttled", "transient", "denied", "gone", "request_error", "unrecognised"]
    word: str
    """A machine word of ours."""


@dataclass(frozen=True, slots=True)
class LockedNumber:
    """A number to receive one verification code with."""

    number: str
    price: str | None


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The subscription is as it was asked for."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that has not run out. Prices are PingMe's sentences: `$0.5 / Month`."""

    phone: str
    app: str | None
    name: str | None
    subscribed: bool
    next_payment: str | None
    """A date, and words behind it."""
    new_rent: str | None
    rent: str | None
    per_sms: str | None
    dialling_code: str | None


@dataclass(frozen=True, slots=True)
class Apps:
    """The names that `app` may have, in a form that no document shows."""

    listed: object


_RETCODES: Final = {
    "100000": PingMeRefusal("transient", "internal_error"),
    "100004": PingMeRefusal("request_error", "missing_parameter"),
    "300002": PingMeRefusal("denied", "no_balance"),
    "500000": PingMeRefusal("denied", "no_numbers"),
    "500001": PingMeRefusal("denied", "too_many_locked_numbers"),
    "500002": PingMeRefusal("gone", "number_unknown_or_expired"),
}


def _result(answer: Answer) -> object | PingMeRefusal:
    """Return the `result` of a success; the retcode decides, and the HTTP status where there is none."""
    try:
        said = _JSON.decode(answer.body.decode("utf-8", "replace").strip().removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return _by_status(answer.status) or PingMeRefusal("transient", "no_json")
    retcode = said.get("retcode") if isinstance(said, dict) else None
    if retcode == "0":
        return _by_status(answer.status) or said.get("result")
    return _RETCODES.get(str(retcode)) or _by_status(answer.status) or PingMeRefusal("unrecognised", "unknown_retcode")


def _by_status(status: int) -> PingMeRefusal | None:
    if 200 <= status < 300:
        return None
    if status in {401, 403}:  # the document: no permission
        return PingMeRefusal("auth", "no_permission")
    return PingMeRefusal("throttled" if status == 429 else "transient", f"http_{status}")


def _text(entry: Mapping[str, object], name: str) -> str | None:
    value = entry.get(name)
    return value if isinstance(value, str) and value.strip() else None


def parse_apps(answer: Answer) -> Apps | PingMeRefusal:
    """Read getAppList."""
    result = _result(answer)
    return result if isinstance(result, PingMeRefusal) else Apps(result)


def parse_locked(answer: Answer) -> LockedNumber | PingMeRefusal:
    """Read lockNumber."""
    result = _result(answer)
    if isinstance(result, dict) and (number := _text(result, "number")):
        return LockedNumber(number, _text(result, "price"))
    return result if isinstance(result, PingMeRefusal) else PingMeRefusal("unrecognised", "unknown_shape")


def parse_subscribed(answer: Answer) -> Subscribed | PingMeRefusal:
    """Read subNumber and unSubNumber."""
    result = _result(answer)
    return result if isinstance(result, PingMeRefusal) else Subscribed()


def parse_numbers(answer: Answer) -> tuple[Number, ...] | PingMeRefusal:
    """Read getNumberList. Lengths of numbers are not checked: the document's own sample has a digit too many."""
    result = _result(answer)
    if isinstance(result, PingMeRefusal):
        return result
    listed = result.get("numbers") if isinstance(result, dict) else None
    if not isinstance(listed, list):
        return PingMeRefusal("unrecognised", "unknown_shape")
    return tuple(_number(entry) for entry in listed if isinstance(entry, dict) and _text(entry, "phone"))


def _number(entry: Mapping[str, object]) -> Number:
    return Number(
        phone=_text(entry, "phone") or "",
        app=_text(entry, "app"),
        name=_text(entry, "name"),
        subscribed=_text(entry, "subStatus") == "1",
        next_payment=_text(entry, "nextPaymentDate"),
        new_rent=_text(entry, "subRent"),
        rent=_text(entry, "monthRent"),
        per_sms=_text(entry, "codeRate"),
        dialling_code=_text(entry, "telCode"),
    )


@dataclass(frozen=True)
class Endpoint(Generic[T_co]):
    """One line of the manual. `buys`: calling it costs money."""

    name: str
    http: Literal["GET", "POST"]
    parse: Callable[[Answer], T_co]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    buys: bool = False


# A newer copy of the document names a userId here; the older ones none.
GET_APP_LIST: Final = Endpoint("getAppList", "GET", parse_apps, optional=("userId",))
LOCK_NUMBER: Final = Endpoint(
    "lockNumber", "POST", parse_locked, required=("userId", "app"), optional=("number", "countryCode"), buys=True
)
SUB_NUMBER: Final = Endpoint("subNumber", "POST", parse_subscribed, required=("userId", "app", "number"), buys=True)
UN_SUB_NUMBER: Final = Endpoint("unSubNumber", "POST", parse_subscribed, required=("userId", "app", "number"))
GET_NUMBER_LIST: Final = Endpoint("getNumberList", "GET", parse_numbers, required=("userId",), optional=("app",))

# An empty number is a new one, an empty app is every app; the document's samples send them so.
_DEFAULTS: Final = {LOCK_NUMBER.name: {"number": ""}, GET_NUMBER_LIST.name: {"app": ""}}


class PingMeControl:
    """A client. `base_url` is the host's root; `/thirdparty/` follows it."""

    endpoints: Mapping[str, Endpoint[Any]] = {
        endpoint.name: endpoint for endpoint in (GET_APP_LIST, LOCK_NUMBER, SUB_NUMBER, UN_SUB_NUMBER, GET_NUMBER_LIST)
    }

    def __init__(self, *, app_key: SecretStr, base_url: str | None, asker: Asker) -> None:
        self._root = (base_url or DEFAULT_BASE_URL).rstrip("/")
        self._app_key = app_key
        self._asker = asker

    async def ask(self, endpoint: Endpoint[T], params: Mapping[str, str]) -> T:
        """Ask once; raises what the asker raises."""
        url = f"{self._root}/thirdparty/{endpoint.name}"
        fields = {**_DEFAULTS.get(endpoint.name, {}), **params}
        headers = {"Accept": "application/json", "x-app-key": self._app_key.get_secret_value()}
        if endpoint.http == "POST":
            headers["Content-Type"] = "application/json"
            body = json.dumps(fields, ensure_ascii=False).encode()
            return endpoint.parse(await self._asker.request("POST", URL(url), headers=headers, body=body))
        where = URL(f"{url}?{urlencode(fields)}" if fields else url, encoded=True)
        return endpoint.parse(await self._asker.request("GET", where, headers=headers))

    async def price(self, endpoint: Endpoint[object], params: Mapping[str, str]) -> str | None:
        """Return what a number that the account already has would cost; None: PingMe tells it only afterwards."""
        if not endpoint.buys or not params.get("number"):
            return None
        numbers = await self.ask(GET_NUMBER_LIST, {"userId": params["userId"], "app": params["app"]})
        known = numbers if isinstance(numbers, tuple) else ()
        found = next((number for number in known if number.phone == params["number"]), None)
        if found is None:
            return None
        return found.new_rent if endpoint.name == SUB_NUMBER.name else found.per_sms
