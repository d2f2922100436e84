"""Signing secrets and signatures as Standard Webhooks 1.0 defines them (https://www.standardwebhooks.com)."""

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Final

PREFIX: Final = "whsec_"
SHORTEST: Final = 24  # bytes of a secret
LONGEST: Final = 64


def new_secret() -> str:
    """Return a random signing secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SHORTEST)).decode()


def key_of(secret: str) -> bytes:
    """Return the key of a secret. Raises `ValueError`."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or not SHORTEST <= len(key) <= LONGEST:
        message = (
            f"it must be {PREFIX} and {SHORTEST} to {LONGEST} bytes in base64; `openssl rand -base64 32` makes them"
        )
        raise ValueError(message)
    return key


def signed(key: bytes, event_id: str, body: bytes, seconds: int) -> dict[str, str]:
    """Return the three headers. `seconds` is the time of the request, since 1970: receivers refuse old ones."""
    content = f"{event_id}.{seconds}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return {"webhook-id": event_id, "webhook-timestamp": str(seconds), "webhook-signature": f"v1,{signature}"}
