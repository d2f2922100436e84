"""The shared parts of the OpenAPI document: requests, responses, errors."""

from typing import Any, Final, NamedTuple

Document = dict[str, Any]


class Problem(NamedTuple):
    """An error's reason, status and what to do about it."""

    reason: str
    status: int
    advice: str


PROBLEMS: Final = (
    Problem("bad_request", 400, "Not valid HTTP/1.1."),
    Problem("unknown_token", 404, "No account has this callback URL: configure the current one."),
    Problem("not_found", 404, "Nothing is served at this path."),
    Problem("method_not_allowed", 405, "See the `Allow` header."),
    Problem("timeout", 408, "The body did not arrive in time: send it again."),
    Problem("too_large", 413, "The body is larger than 256 KiB, as sent or unpacked."),
    Problem("unsupported_encoding", 415, "Send the body as it is, or with gzip or deflate."),
    Problem("over_allowance", 429, "Too many large, compressed or unreadable callbacks for one URL: wait."),
    Problem("too_many_at_once", 429, "Too many requests to this URL are in progress: wait, or send fewer at once."),
    Problem("not_durable", 503, "Not stored: send it again after `Retry-After` seconds."),
    Problem("closing", 503, "This process is about to end: send it again."),
    Problem("internal_error", 503, "Internal error: send it again later."),
)
RETRIED: Final = "Seconds to wait before the next attempt."


def callback() -> Document:
    """Return the schema of a callback."""

    def scalar(description: str) -> Document:
        return {"type": ["string", "number", "boolean", "null"], "description": description}

    return {
        "type": "object",
        "description": "What PingMe sends for an SMS.",
        "properties": {
            "userId": scalar("PingMe's id of its customer; checked where one is configured."),
            "app": scalar("The service that the number was locked for; becomes `service`."),
            "from": scalar("The sender: a number, a short code or a name."),
            "to": scalar("The number that received the SMS."),
            "text": scalar("The SMS."),
            "time": scalar("ISO-8601 or seconds or milliseconds since 1970."),
        },
        "required": ["text"],
        "additionalProperties": True,
    }


def result() -> Document:
    """Return the schema of a 200 for one callback."""
    return {
        "type": "object",
        "properties": {
            "status": {"type": "string", "enum": ["accepted", "duplicate", "rejected"]},
            "id": {"type": "string", "format": "uuid", "description": "The SMS's id on `sms.received.v1`."},
            "reason": {"type": "string", "description": "Why it was rejected: a stable code."},
        },
        "required": ["status"],
        "oneOf": [{"required": ["id"]}, {"required": ["reason"]}],
    }


def problem() -> Document:
    """Return the schema of an error."""
    return {
        "type": "object",
        "description": "RFC 9457.",
        "properties": {
            "type": {"type": "string", "format": "uri", "description": "`urn:smsbus:problem:` and the reason."},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "For people; quotes no value of the request."},
            "reason": {"type": "string", "examples": [problem.reason for problem in PROBLEMS]},
        },
        "required": ["type", "title", "status", "detail", "reason"],
    }


def errors(*statuses: int) -> Document:
    """Return the error responses with these statuses."""
    return {str(status): error_of([problem for problem in PROBLEMS if problem.status == status]) for status in statuses}


def error_of(problems: list[Problem]) -> Document:
    """Return the response that these problems share."""
    answer = {
        "description": " ".join(f"`{problem.reason}`: {problem.advice}" for problem in problems),
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if problems[0].status in {429, 503}:
        answer["headers"] = {"Retry-After": {"description": RETRIED, "schema": {"type": "integer"}}}
    return answer


def json_answer(description: str, schema: Document) -> Document:
    """Return a response with a JSON body."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def status(*words: str) -> Document:
    """Return the schema of a body whose `status` is one of the words."""
    return {
        "type": "object",
        "properties": {"status": {"type": "string", "enum": list(words)}},
        "required": ["status"],
    }
