"""Settings of the callback endpoint and of each PingMe account."""

from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
)
from yarl import URL

from schemas import fields

KIB = 1024
TOKEN_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")  # RFC 3986: unreserved


def _fit_for_a_url(tokens: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    """Accept at least one token, each of characters that need no escaping in a URL."""
    values = [token.get_secret_value() for token in tokens]
    if not values or not all(1 <= len(value) <= 128 and TOKEN_ALPHABET.issuperset(value) for value in values):
        message = (
            "give at least one callback token of up to 128 of the characters A-Z a-z 0-9 - . _ ~ "
            "(make one: python3 -c 'import secrets; print(secrets.token_urlsafe(24))')"
        )
        raise ValueError(message)
    return tokens


def has_host(url: str) -> bool:
    """Tell whether a URL names a host that can be looked up: each of its labels has 1 to 63 characters."""
    try:
        host = URL(url).raw_host or ""
    except ValueError:  # an invalid port, half of an IPv6 address
        return False
    return all(0 < len(label) < 64 for label in host.rstrip(".").split("."))


def _address(text: str) -> str:
    """Accept the address of a server, with a path where a proxy has one before ours; no query, no login."""
    is_address = text.startswith(("https://", "http://")) and has_host(text) and not URL(text).user
    if not is_address or "?" in text or "#" in text:  # a callback's path is added to it
        message = "an address like https://sms.example.org is needed"
        raise ValueError(message)
    return text


def _as_text(network: object) -> object:
    """Refuse what pydantic would take for an address: 5 is 0.0.0.5."""
    if not isinstance(network, str):
        message = 'a network like "10.0.0.0/8" is needed'
        raise ValueError(message)
    return network


class ReceiverSettings(BaseModel):
    """Where the callback endpoint listens, and its limits."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    # The one public listener; without a token it serves nothing but /livez.
    host: Annotated[str, Field(min_length=1)] = "0.0.0.0"  # noqa: S104 - see above; the admin listener is the one on loopback
    port: NonNegativeInt = Field(default=8080, le=65535)  # 0: any free one; 8080 needs no privilege
    # As seen by the providers, for example https://sms.example.org; only shown in output.
    public_url: Annotated[str, AfterValidator(_address)] | None = None
    # Proxies whose X-Forwarded-For is believed, for the client's address in the log line about a wrong token.
    trusted_proxies: tuple[Annotated[IPvAnyNetwork, BeforeValidator(_as_text)], ...] = ()
    # An SMS is 1 KiB: ten seconds suffice on the worst line, and limit how long a slow sender holds a connection.
    body_deadline: float = Field(default=10.0, ge=0.1)
    # 250 times the longest plausible SMS. At most what fits, in base64, into the smallest record that the dead-letter
    # topic may be limited to (512 KiB): a larger dead letter would always be refused.
    max_body: PositiveInt = Field(default=256 * KIB, le=360 * KIB)
    # Of one account, in bytes a second with a burst of a minute: callbacks beyond 4 KiB each, and dead letters. 500
    # times what a busy account sends. A minute of the minimum is the largest callback and its dead letter.
    allowance: PositiveInt = Field(default=512 * KIB, ge=16 * KIB)
    # Of one account. At 500 a second that is four seconds without Kafka, twice as long as the bus waits for it.
    max_in_flight: PositiveInt = 2000
    # At this limit the longest idle one is closed, those without a valid token first. No way was found to make one
    # hold more than 220 KiB: 1.8 GB in all.
    max_connections: PositiveInt = 8000
    # Longer than proxies keep theirs (nginx and AWS: 60 s), so that a proxy never writes into a closed connection.
    keepalive_timeout: PositiveFloat = 75.0
    # Seconds after SIGTERM for which callbacks are still taken while /readyz is 503: the time a load balancer needs to
    # notice. 0 where nothing probes /readyz.
    lame_duck: NonNegativeFloat = Field(default=0.0, le=300)
    # Answer plain callbacks before aiohttp builds a request object. Off: the same behaviour for more CPU.
    fast_lane: bool = True


class PingMeAccount(BaseModel):
    """One PingMe account, authenticated by a token in the path: `/v1/pingme/{token}`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    name: fields.Account
    tokens: Annotated[tuple[SecretStr, ...], AfterValidator(_fit_for_a_url)]
    user_id: str | None = Field(default=None, min_length=1)  # None: a callback's userId is not checked
