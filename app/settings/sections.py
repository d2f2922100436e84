"""The sections of the settings that belong to no other package: accounts, the admin listener, logs."""

import ipaddress
import re
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveFloat,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from receiver.settings import PingMeAccount, has_host
from schemas import fields

UNGUESSABLE: Final = 22  # characters of base64 for 128 random bits
POLLED: Final = ("smsverified", "grizzlysms", "smsman")

_OFFSET: Final = re.compile(r"(?P<sign>[+-])(?P<hours>[01]?[0-9])(?::?00)?")

LogLevel = Literal["debug", "info", "warning", "error"]
AccountName = Annotated[fields.Account, StringConstraints(max_length=64)]


def listed(value: str | list[str]) -> list[str]:
    """Return the items of a list, in either form that smsbus.toml allows."""
    return list(value) if isinstance(value, list) else [part.strip() for part in value.split(",") if part.strip()]


def listed_if_text(value: object) -> object:
    """Split a text at its commas; return a list as it is."""
    return listed(value) if isinstance(value, str) else value


def is_loopback(host: str) -> bool:
    """Tell whether a host is a loopback address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_tokens(tokens: tuple[SecretStr, ...]) -> None:
    """Raise ValueError unless the receiver takes these tokens: it decides what a token must look like."""
    if not tokens:
        message = "PingMe needs at least one: a long random text at the end of the callback URL"
        raise ValueError(message)
    try:
        PingMeAccount(name="any", tokens=tokens)
    except ValidationError as error:
        raise ValueError(error.errors(include_input=False)[0]["msg"].removeprefix("Value error, ")) from None


def _zone(name: str) -> str:
    """Return the IANA name of a zone; `+03:00` is `Etc/GMT-3` there, whose sign is the other way round."""
    if offset := _OFFSET.fullmatch(name.strip()):
        hours = int(offset["sign"] + offset["hours"])
        name = f"Etc/GMT{-hours:+d}" if hours else "UTC"
    try:
        return name if name == "UTC" else ZoneInfo(name.strip()).key
    except (ValueError, KeyError, OSError):  # not a name, an unknown one, or a directory
        message = "a name like Europe/Moscow, or whole hours like +03:00 (for other offsets a name is needed)"
        raise ValueError(message) from None


def _address(url: str) -> str:
    if not has_host(url):
        message = "an address like https://example.org/stubs/handler_api.php is needed"
        raise ValueError(message)
    return url


def _outside(url: SecretStr) -> SecretStr:
    """Raise ValueError unless it is the URL of an HTTP service."""
    text = url.get_secret_value()
    if not text.startswith(("https://", "http://")) or not has_host(text):
        message = "an address that begins with https:// (or http://) and a host is needed"
        raise ValueError(message)
    return url


def _not_guessable(token: SecretStr) -> None:
    if 0 < len(token.get_secret_value()) < UNGUESSABLE:
        message = (
            f"a token of fewer than {UNGUESSABLE} characters can be guessed; "
            "make one: python3 -c 'import secrets; print(secrets.token_urlsafe(24))'"
        )
        raise ValueError(message)


class Section(BaseModel):
    """A section of the settings: immutable, no unknown keys, and no values in errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


class Account(Section):
    """One account at a provider, under the name that events carry."""

    provider: Annotated[str, AfterValidator(fields.known_provider)]
    callback_tokens: Annotated[tuple[SecretStr, ...], BeforeValidator(listed_if_text)] = Field(
        default=(), validate_default=True
    )
    user_id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] | None = None
    app_key: SecretStr | None = None
    api_key: SecretStr | None = Field(default=None, validate_default=True)
    base_url: Annotated[str, Field(pattern=r"^https?://[^/\s]+"), AfterValidator(_address)] | None = None
    proxy_url: SecretStr | None = None  # may carry a password
    max_requests_per_second: PositiveFloat | None = None
    # The method for polling a handler_api; None: the best one for the provider. V2 has texts and times.
    status_action: Literal["getStatus", "getStatusV2"] | None = None
    # For a provider's times without a zone. Not documented; one client of GrizzlySMS assumes UTC.
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    # Seconds without an SMS that are worth an alert. None: nobody knows how often one comes, so nobody is alerted.
    quiet_after: PositiveFloat | None = None

    @field_validator("api_key")
    @classmethod
    def _has_a_key(cls, key: SecretStr | None, seen: ValidationInfo) -> SecretStr | None:
        if seen.data.get("provider") in POLLED and not (key and key.get_secret_value().strip()):
            message = "needed: the key (or token) that the provider's site shows in your profile"
            raise ValueError(message)
        return key

    @field_validator("callback_tokens")
    @classmethod
    def _takes_its_tokens(cls, tokens: tuple[SecretStr, ...], seen: ValidationInfo) -> tuple[SecretStr, ...]:
        if seen.data.get("provider") == "pingme":
            _check_tokens(tokens)
            for token in tokens:
                _not_guessable(token)
        return tokens


class AdminSettings(Section):
    """The internal listener: health and metrics."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: int = Field(default=8081, ge=0, le=65535)
    token: SecretStr | None = Field(default=None, validate_default=True)
    read_token: SecretStr | None = None  # reads and waits only
    # The accounts that it may see; none named: all.
    read_accounts: Annotated[tuple[AccountName, ...], BeforeValidator(listed_if_text)] = ()

    @field_validator("read_token")
    @classmethod
    def _another_one(cls, token: SecretStr | None, seen: ValidationInfo) -> SecretStr | None:
        if token is not None:
            _not_guessable(token)
            if token == seen.data.get("token"):
                message = "must not be admin.token, which may do everything"
                raise ValueError(message)
        return token

    @field_validator("token")
    @classmethod
    def _guarded(cls, token: SecretStr | None, seen: ValidationInfo) -> SecretStr | None:
        if token:
            _not_guessable(token)
        elif not is_loopback(seen.data.get("host", "")):
            message = "needed, since the admin listener is not bound to loopback (SMSBUS_ADMIN__HOST)"
            raise ValueError(message)
        return token


class NotifySettings(Section):
    """Who is told of a problem that lasts. The URL is secret: whoever knows it can write there."""

    url: Annotated[SecretStr, AfterValidator(_outside)] | None = None
    format: Literal["auto", "ntfy", "slack"] = "auto"  # `auto`: `slack` for Slack's own host


class HeartbeatSettings(Section):
    """Who notices when this service is no longer well, or no longer there."""

    url: Annotated[SecretStr, AfterValidator(_outside)] | None = None


class LogSettings(Section):
    """Log format and level. `auto`: lines for people on a terminal, JSON elsewhere."""

    format: Literal["auto", "json", "console"] = "auto"
    level: LogLevel = "info"
