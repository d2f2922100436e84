"""What people call a filter, and what the event calls it: commands and the page's search take both, HTTP the latter."""

from typing import Final

FIELD_OF: Final = {
    "to": "recipient",
    "account": "account",
    "provider": "provider",
    "service": "service",
    "ref": "client_ref",
    "watch": "watch_id",
    "order": "order_id",
    "freshness": "freshness",
    "code": "has_code",
    "contains": "contains",
}
WORD_OF: Final = {field: word for word, field in FIELD_OF.items()}
