"""The error responses of the admin listener: problem documents (RFC 9457)."""

from typing import Any, Final

from aiohttp import web

RETRY_AFTER: Final = "5"  # seconds; every 503 is temporary
LONGEST_DETAIL: Final = 600  # characters


def problem(status: int, reason: str, detail: str, **more: str) -> web.Response:
    """Return a problem document, a 503 with a Retry-After; it names fields of the request, never values.

    `more`: members that this reason has besides.
    """
    document: dict[str, Any] = {
        "type": f"urn:smsbus:problem:{reason}",
        "title": reason.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "reason": reason,
        **more,
    }
    headers = {"Retry-After": RETRY_AFTER} if status == 503 else {}
    return web.json_response(document, status=status, headers=headers, content_type="application/problem+json")


def said(lines: list[str]) -> str:
    """Join these sentences to one `detail`."""
    text = "; ".join(lines)
    return f"{text}." if len(text) < LONGEST_DETAIL else f"{text[: LONGEST_DETAIL - 1]}…"
