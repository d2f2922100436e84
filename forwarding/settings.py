"""Settings of a configured target. Values only: `app/settings` reads the environment."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from forwarding.address import is_forbidden_host, is_this_machine, target_url
from forwarding.signature import key_of
from inbox.filters import Filter
from schemas.fields import known_provider
from schemas.normalize import number_written
from schemas.topics import RECEIVED, WATCH_ENDED

NOT_ALLOWED: Final = "it is on this machine or in a private network: set allow_private if that is right"


def _url(url: SecretStr) -> SecretStr:
    target_url(url.get_secret_value())
    return url


def _secret(secret: SecretStr) -> SecretStr:
    key_of(secret.get_secret_value())
    return secret


def _number(text: str) -> str:
    if not (number := number_written(text)):
        message = "it must be a number, without letters"
        raise ValueError(message)
    return number


class ForwardSettings(BaseModel):
    """Where events are sent, and which."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    allow_private: bool = False
    url: Annotated[SecretStr, AfterValidator(_url)]  # many have a token in their path
    secret: Annotated[SecretStr, AfterValidator(_secret)]
    ended: bool = False
    to: Annotated[str, AfterValidator(_number)] | None = None
    account: str | None = None
    provider: Annotated[str, AfterValidator(known_provider)] | None = None
    service: str | None = None
    ref: str | None = None
    watch: str | None = None
    order: str | None = None
    freshness: Literal["live", "recovered", "history", "replayed"] | None = None
    code: bool | None = None
    contains: str | None = Field(default=None, min_length=1)

    @field_validator("url")
    @classmethod
    def _may_be_there(cls, url: SecretStr, seen: ValidationInfo) -> SecretStr:
        host = target_url(url.get_secret_value()).host or ""
        if is_forbidden_host(host, private=True):
            message = "no request may go to a link-local address"
            raise ValueError(message)
        private = bool(seen.data.get("allow_private"))
        if is_forbidden_host(host, private=private) or (is_this_machine(host) and not private):
            raise ValueError(NOT_ALLOWED)
        return url

    def wanted(self) -> Filter:
        """Return what an event must have."""
        return Filter(
            recipient=self.to,
            account=self.account,
            provider=self.provider,
            service=self.service,
            client_ref=self.ref,
            watch_id=self.watch,
            order_id=self.order,
            freshness=self.freshness,
            has_code=self.code,
            contains=self.contains,
            topics=topics_of(ended=self.ended),
        )


def topics_of(*, ended: bool) -> tuple[str, ...]:
    """Return the topics to read; `ended`: the ends of watches, too."""
    return (RECEIVED, WATCH_ENDED) if ended else (RECEIVED,)
