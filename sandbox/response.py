"""An answer of a simulated provider before it goes over the wire, with what it shows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from sandbox.sms import Sms

TEXT: Final = "text/html; charset=UTF-8"  # what both handler_api documents say of their plain answers
JSON: Final = "application/json"

Query = Mapping[str, str]


class Moment(NamedTuple):
    """When a question is answered, and what is wrong with the provider then."""

    now: float
    """Seconds since 1970."""
    lag: float = 0.0
    """Changes of at most so many seconds ago are not seen yet."""
    clock: float = 0.0
    """So many seconds does the provider's clock go ahead."""
    odd: bool = False
    """The slips of the document's own sample are on the wire."""
    resend: bool = False
    """The provider wants the SMS to be requested again."""


@dataclass(frozen=True)
class Response:
    """One answer."""

    body: str
    content_type: str = TEXT
    shows: tuple[Sms, ...] = ()
    passes: Sms | None = None
    """The SMS after this one is waited for, the answer says."""
    status: int = 200
    retry_after: int | str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that it is sent with."""
        waits = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return {"Content-Type": self.content_type} | waits

    def unnoted(self) -> "Response":
        """Return the same answer where it shows nothing to whoever asked."""
        return replace(self, shows=(), passes=None)


def as_json(value: object, *, shows: tuple[Sms, ...] = (), passes: Sms | None = None) -> Response:
    """Return a JSON answer."""
    return Response(json.dumps(value, ensure_ascii=False, separators=(",", ":")), JSON, shows, passes)
