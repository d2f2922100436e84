"""A response of a simulated provider, before it is sent, with the SMS that it shows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from sandbox.sms import Sms

TEXT: Final = "text/html; charset=UTF-8"  # as both handler_api documents have it for text responses
JSON: Final = "application/json"

Query = Mapping[str, str]


class Moment(NamedTuple):
    """The time of a response, and the provider's condition at that time."""

    now: float
    """Seconds since 1970."""
    lag: float = 0.0
    """Changes in the last so many seconds are not visible yet."""
    clock: float = 0.0
    """How many seconds the provider's clock is ahead."""
    odd: bool = False
    """The response has the typos of the document's own sample."""
    resend: bool = False
    """The provider responds with STATUS_WAIT_RESEND while waiting."""


@dataclass(frozen=True)
class Response:
    """One response."""

    body: str
    content_type: str = TEXT
    shows: tuple[Sms, ...] = ()
    passes: Sms | None = None
    """The response shows the wait for the SMS after this one."""
    status: int = 200
    retry_after: int | str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Return its HTTP headers."""
        waits = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return {"Content-Type": self.content_type} | waits

    def unnoted(self) -> "Response":
        """Return the same response, without recording what it shows."""
        return replace(self, shows=(), passes=None)


def as_json(value: object, *, shows: tuple[Sms, ...] = (), passes: Sms | None = None) -> Response:
    """Return a JSON response."""
    return Response(json.dumps(value, ensure_ascii=False, separators=(",", ":")), JSON, shows, passes)
