"""What the admin listener answers instead of what was asked for: problem documents (RFC 9457)."""

from typing import Any, Final

from aiohttp import web

RETRY_AFTER: Final = "5"  # seconds; a 503 of ours is over sooner or later
LONGEST_DETAIL: Final = 600  # characters


def problem(status: int, reason: str, detail: str) -> web.Response:
    """Answer a problem, a 503 with a Retry-After; of what came in it names fields only."""
    document: dict[str, Any] = {
        "type": f"urn:smsbus:problem:{reason}",
        "title": reason.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "reason": reason,
    }
    headers = {"Retry-After": RETRY_AFTER} if status == 503 else {}
    return web.json_response(document, status=status, headers=headers, content_type="application/problem+json")


def said(lines: list[str]) -> str:
    """Return these sentences as one detail."""
    text = "; ".join(lines)
    return f"{text}." if len(text) < LONGEST_DETAIL else f"{text[: LONGEST_DETAIL - 1]}…"
