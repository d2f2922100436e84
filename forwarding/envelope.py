"""An event as an HTTP request: CloudEvents 1.0, binary mode. The body is the event as Kafka has it."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

_ATTRIBUTE: Final = re.compile(r"ce_[a-z0-9]{1,40}")
# All printable characters of ASCII but those that the HTTP binding wants encoded: blank, `"` and `%`.
PLAIN: Final = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


def encoded(value: str | bytes) -> str:
    """Return a value as a header can carry it."""
    return quote(value, safe=PLAIN)


def headers_of(headers: Mapping[str, bytes | None], event_id: str) -> dict[str, str]:
    """Return the headers of a request from those of a record, but for the signature. `event_id` is encoded already."""
    attributes = {
        name.replace("_", "-", 1): encoded(value or b"")
        for name, value in headers.items()
        if _ATTRIBUTE.fullmatch(name)
    }
    return {"content-type": "application/json", **attributes, "ce-id": event_id}
