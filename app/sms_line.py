"""One received SMS as a line for people. As a reader it tolerates unknown and missing keys."""

import json
import re
from dataclasses import astuple, dataclass
from typing import Self

from schemas.normalize import digits

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class SmsLine:
    """The fields of an event to show, without control characters: texts come from strangers."""

    observed_at: str
    account: str
    recipient: str
    sender: str
    code: str
    text: str

    @classmethod
    def of(cls, value: bytes | None) -> Self | None:
        """Read an event's JSON; None for what is not one."""
        try:
            event = json.loads(value or b"")
            return cls(
                observed_at=printable(event["observed_at"]),
                account=printable(event["account"]),
                recipient=printable(event.get("recipient") or event.get("recipient_raw")),
                sender=printable(event.get("sender") or event.get("sender_raw")),
                code=printable(event.get("code")),
                text=printable(event.get("text")),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    def masked(self) -> Self:
        """Return it with numbers, codes and texts masked."""
        return type(self)(
            self.observed_at,
            self.account,
            masked_number(self.recipient),
            masked_number(self.sender),
            "•" * len(self.code),
            _length(self.text),
        )

    def plain(self) -> str:
        """Return the fields with tabs between them."""
        return "\t".join(astuple(self))


def printable(value: str | None) -> str:
    """Return it without control characters."""
    return _UNPRINTABLE.sub(lambda match: repr(match[0])[1:-1], value or "")


def masked_number(number: str) -> str:
    """Keep names, and the ends of a number, which are enough to recognize your own."""
    many = len(digits(number)) >= 7
    return f"{number[:3]}{'•' * (len(number) - 5)}{number[-2:]}" if many else number


def _length(text: str) -> str:
    return f"({len(text)} characters)" if text else ""
