"""What a dead letter keeps of a body."""

import base64
from hashlib import sha256
from typing import Any, Final

PREFIX_BYTES: Final = 64 * 1024  # of an oversized value: enough to see what it was, small enough for any topic


def evidence(body: bytes) -> dict[str, Any]:
    """Return the fields of a dead letter that keep a body: the exact bytes, of an oversized one a prefix."""
    return {
        "body_base64": base64.b64encode(body[:PREFIX_BYTES]).decode(),
        "body_bytes": len(body),
        "body_sha256": sha256(body).hexdigest(),
        "body_complete": len(body) <= PREFIX_BYTES,
    }
