"""The part of the OpenAPI document that is about watches, on the admin listener."""

from typing import Final

from schemas import timestamps
from schemas.openapi_parts import Document, Problem, error_of, json_answer

PROBLEMS: Final = (
    Problem("invalid_watch", 400, "Something in the body is wrong or missing; the detail names the fields."),
    Problem("unknown_account", 400, "No polling account of this name is configured here."),
    Problem("bad_request", 400, "The body is not what its head says."),
    Problem("unauthorized", 401, "Send the admin token as `Authorization: Bearer`."),
    Problem("unknown_watch", 404, "Nobody opened this watch."),
    Problem("not_found", 404, "A watch can be asked for `next`, `stop`, `finish` and `cancel`."),
    Problem("conflict", 409, "The watch is open with other fields."),
    Problem("ended", 409, "The watch has ended."),
    Problem("too_large", 413, "The body is larger than 1 MiB, as sent or unpacked."),
    Problem("not_ready", 503, "The watches are still being read: ask again."),
    Problem("kafka_away", 503, "Commands are not kept while Kafka is away: ask again."),
)
FREE: Final[list[Document]] = [{}, {"adminToken": []}]
"""Where no token is configured, which only a listener on loopback may do, nobody is asked for it."""


def paths(servers: list[Document]) -> Document:
    """Return the paths."""
    watch_id = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    wish = {"name": "wish", "in": "path", "required": True, "schema": {"enum": ["next", "stop", "finish", "cancel"]}}
    return {
        "/v1/watches": {"servers": servers, "post": _open(), "get": _list()},
        "/v1/watches/{id}": {"servers": servers, "parameters": [watch_id], "get": _show()},
        "/v1/watches/{id}/{wish}": {"servers": servers, "parameters": [watch_id, wish], "post": _wish()},
    }


def schemas() -> Document:
    """Return what goes in and what comes out."""
    text: Document = {"type": ["string", "null"]}
    fields: Document = {
        "account": {"type": "string", "description": "A configured polling account."},
        "order_kind": {"enum": ["activation", "rent"], "default": "activation"},
        "order_id": {"type": "string", "minLength": 1, "maxLength": 128, "description": "The provider's id, as text."},
        "recipient": {**text, "maxLength": 64, "description": "The number, if you know it."},
        "service": {**text, "maxLength": 64},
        "expires_at": {
            **text,
            "pattern": timestamps.PATTERN,
            "description": "`YYYY-MM-DDTHH:MM:SS.mmmZ`; by default 25 minutes, a rent 31 days.",
        },
        "history": {"enum": ["emit", "skip"], "default": "emit"},
        "after_sms": {"enum": ["keep", "request_next", "finish"], "default": "keep"},
        "client_ref": {**text, "maxLength": 128, "description": "Your own text, echoed in every event."},
    }
    told: Document = {
        "sms_count": {"type": "integer", "minimum": 0},
        "ended": {**text, "description": "Why it ended; null: it has not."},
        "seen_by_a_poller": {"type": "boolean"},
    }
    return {
        "WatchRequest": _strict(fields, "account", "order_id"),
        "WatchTold": {"type": "object", "properties": {"watch_id": {"type": "string"}, **fields, **told}},
        "WatchHandle": {"type": "object", "properties": {"watch_id": {"type": "string"}}, "required": ["watch_id"]},
    }


def _strict(properties: Document, *required: str) -> Document:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _answers(answers: Document, *reasons: str) -> Document:
    always = {"unauthorized", "not_ready", "kafka_away"}
    problems = [problem for problem in PROBLEMS if problem.reason in always.union(reasons)]
    statuses = sorted({problem.status for problem in problems})
    return answers | {
        str(status): error_of([each for each in problems if each.status == status]) for status in statuses
    }


def _ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def _open() -> Document:
    handle = _ref("WatchHandle")
    answers = {
        "201": json_answer("Watched from now on.", handle),
        "200": json_answer("It was watched already.", handle),
    }
    return {
        "tags": ["watch"],
        "operationId": "openWatch",
        "summary": "Watch an order: its SMS appear on `sms.received.v1`",
        "security": FREE,
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("WatchRequest")}}},
        "responses": _answers(answers, "invalid_watch", "unknown_account", "bad_request", "conflict", "too_large"),
    }


def _list() -> Document:
    listed = {"type": "object", "properties": {"watches": {"type": "array", "items": _ref("WatchTold")}}}
    return {
        "tags": ["watch"],
        "operationId": "listWatches",
        "summary": "All watches of the installation, newest first",
        "security": FREE,
        "responses": _answers({"200": json_answer("All of them.", listed)}),
    }


def _show() -> Document:
    return {
        "tags": ["watch"],
        "operationId": "showWatch",
        "summary": "One watch and how far it has come",
        "security": FREE,
        "responses": _answers(
            {"200": json_answer("As its shard last committed it.", _ref("WatchTold"))}, "unknown_watch"
        ),
    }


def _wish() -> Document:
    return {
        "tags": ["watch"],
        "operationId": "wishOfWatch",
        "summary": "Ask for the next SMS, stop watching, or finish or cancel the order at the provider",
        "description": "The wish becomes part of the watch's record; its shard's owner acts on it, after a last look.",
        "security": FREE,
        "responses": _answers(
            {"202": json_answer("Asked for.", _ref("WatchHandle"))}, "unknown_watch", "not_found", "ended"
        ),
    }
