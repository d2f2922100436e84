"""What the admin listener answers instead of what was asked for."""

from aiohttp import web


def problem(status: int, reason: str, detail: str, retry_after: str | None = None) -> web.Response:
    """Answer an RFC 9457 problem; of what came in it names fields only."""
    document = {"type": f"urn:smsbus:problem:{reason}", "title": reason.replace("_", " ").capitalize()}
    document |= {"status": status, "detail": detail, "reason": reason}  # type: ignore[dict-item] # a number
    headers = {"Retry-After": retry_after} if retry_after else {}
    return web.json_response(document, status=status, headers=headers, content_type="application/problem+json")
