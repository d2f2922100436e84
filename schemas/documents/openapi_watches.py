"""The part of the OpenAPI document that is about watches, on the admin listener."""

from typing import Final

from schemas import timestamps
from schemas.documents.openapi_parts import Document, Problem, error_of, json_answer

PROBLEMS: Final = (
    Problem("invalid_watch", 400, "Something in the body is invalid or missing; see the detail."),
    Problem("unknown_account", 400, "No polled account of this name is configured."),
    Problem("invalid_request", 400, "The body of `next` is invalid; see the detail."),
    Problem("invalid_query", 400, "A parameter is unknown, given twice or invalid; see the detail."),
    Problem("bad_request", 400, "The body does not match its headers."),
    Problem("unauthorized", 401, "Send the admin token as `Authorization: Bearer`."),
    Problem("read_only", 403, "`admin.read_token` reads and waits only; limited to accounts, it reads no watches."),
    Problem("forbidden", 403, "Kafka lets this process read watches only: ask one with pollers."),
    Problem("unknown_watch", 404, "There is no such watch."),
    Problem("not_found", 404, "The requests for a watch are `next`, `stop`, `finish` and `cancel`."),
    Problem(
        "conflict", 409, "The watch is open with other values; the detail names them: leave them out, or repeat them."
    ),
    Problem("ended", 409, "The watch has ended: it can only be opened again."),
    Problem("unreadable", 409, "This version cannot read the records of the watch and leaves it unchanged."),
    Problem("timeout", 408, "The body did not arrive within 10 seconds."),
    Problem("too_large", 413, "The body is larger than 1 MiB, as sent or unpacked."),
    Problem("internal", 500, "Internal error; see the log."),
    Problem("not_ready", 503, "The watches are still being read: try again."),
    Problem("kafka_away", 503, "Kafka did not confirm the request: it may or may not be performed. Send it again."),
)
TOKEN: Final[list[Document]] = [{"adminToken": []}]
REQUESTS: Final = ["next", "stop", "finish", "cancel"]
STATES: Final = ["open", "ended", "finished", "cancelled", "expired", "gone", "stopped", "unreadable"]
MESSAGE_TYPES: Final = ["sms", "call", "voice"]
TEXT: Final[Document] = {"type": ["string", "null"]}
AFTER: Final[Document] = {
    "type": ["integer", "null"],
    "minimum": 0,
    "description": "Request it once so many SMS were received: the `sequence` of the SMS that you used, plus one. "
    "Without it: once all SMS are published that the shard knows when it applies the request.",
}


def paths(servers: list[Document]) -> Document:
    """Return the paths."""
    watch_id = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    request = {"name": "request", "in": "path", "required": True, "schema": {"enum": ["stop", "finish", "cancel"]}}
    return {
        "/v1/watches": {"servers": servers, "post": _open(), "get": _list()},
        "/v1/watches/{id}": {"servers": servers, "parameters": [watch_id], "get": _show()},
        "/v1/watches/{id}/next": {"servers": servers, "parameters": [watch_id], "post": _next()},
        "/v1/watches/{id}/{request}": {"servers": servers, "parameters": [watch_id, request], "post": _request()},
    }


def schemas() -> Document:
    """Return the schemas of requests and responses."""
    described = _described()
    handle: Document = {"watch_id": {"type": "string"}, "request_id": {"type": "string"}}
    opened: Document = {
        **handle,
        "expected_delay_seconds": {
            "type": "number",
            "description": "Only if the account has too many open orders for its budget: how long an SMS may wait.",
        },
    }
    asked: Document = {
        **handle,
        "request": {"enum": REQUESTS},
        "status": {
            "enum": ["accepted", "already", "pending"],
            "description": "`already`: a `next` that was requested before, or whose SMS has arrived by itself. "
            "`pending`: its shard has not applied it yet, and will.",
        },
    }
    next_sequence: Document = {
        "type": ["integer", "null"],
        "minimum": 0,
        "description": "The `sequence` of the SMS that it brings: `GET /v1/wait` with it never returns an older one. "
        "With `after` it is that number. Null: without `after`, while the request is `pending`, nobody knows which "
        "SMS the shard will find; ask again with `after`.",
    }
    viewed = {**described, "message_type": {"type": "string", "examples": MESSAGE_TYPES}}
    return {
        "WatchRequest": _strict(described, "account", "order_id"),
        "NextRequest": _strict({"after": AFTER}),
        "WatchView": {"type": "object", "properties": {"watch_id": {"type": "string"}, **viewed, **_progress()}},
        "WatchHandle": {"type": "object", "properties": opened, "required": ["watch_id", "request_id"]},
        "WatchAnswer": {"type": "object", "properties": asked, "required": list(asked)},
        "NextAnswer": {
            "type": "object",
            "properties": {**asked, "next_sequence": next_sequence},
            "required": [*asked, "next_sequence"],
        },
    }


def _described() -> Document:
    return {
        "account": {"type": "string", "description": "A configured polled account."},
        "order_kind": {"enum": ["activation", "rent"], "default": "activation"},
        "order_id": {"type": "string", "minLength": 1, "maxLength": 128, "description": "The provider's id, as text."},
        "recipient": {**TEXT, "maxLength": 64, "description": "The number, if you know it."},
        "service": {**TEXT, "maxLength": 64},
        "message_type": {"enum": MESSAGE_TYPES, "default": "sms", "description": "What was bought."},
        "expires_at": {
            **TEXT,
            "pattern": timestamps.PATTERN.replace(r"\.[0-9]{3}", r"(\.[0-9]{3})?"),
            "description": "`YYYY-MM-DDTHH:MM:SS.mmmZ`; default: 25 minutes, for a rent 31 days. A later one extends; "
            "one in the past is refused.",
        },
        "history": {"enum": ["emit", "skip"], "default": "emit"},
        "after_sms": {"enum": ["keep", "request_next", "finish"], "default": "keep"},
        "client_ref": {**TEXT, "maxLength": 128, "description": "Your own text, echoed in every event."},
    }


def _progress() -> Document:
    moment: Document = {**TEXT, "pattern": timestamps.PATTERN}
    done: Document = {"action": {"enum": ["next", "finish", "cancel"]}, "at": moment}
    return {
        "opened_at": {**moment, "description": "When it was requested."},
        "sms_count": {"type": "integer", "minimum": 0, "description": "How many SMS were published."},
        "ended": {**TEXT, "description": "Why it ended; null: it has not."},
        "opening": {"type": ["integer", "null"], "description": "How often it was reopened; null: not known."},
        "seen_by_a_poller": {"type": "boolean"},
        "unreadable": {
            "type": "boolean",
            "description": "This version cannot read its records and leaves it unchanged.",
        },
        "requested": {**TEXT, "description": "The requested action that is not performed yet."},
        "requested_after": {
            "type": ["integer", "null"],
            "description": "For a requested `next`: it is performed once so many SMS were received.",
        },
        "performed": _nullable(done, "The last action performed at the provider."),
        "refused": _nullable({**done, "code": TEXT}, "The last action that the provider refused, with its error code."),
        "waiting": _nullable(
            {"action": done["action"], "until": moment, "reason": TEXT},
            "The action that is postponed until `not_before`, and the reason's code; null: none, or not known.",
        ),
        "not_before": {**moment, "description": "No action before this: the provider said that it was too early."},
        "last_polled_at": {
            **moment,
            "description": "When the provider last reported on the order. If another process polls it, this can be up "
            "to five minutes too early.",
        },
        "last_answer": {
            **TEXT,
            "description": "The kind of that response: `waiting`, `last`, … or an error's code.",
        },
        "next_poll_in": {"type": ["number", "null"], "description": "Seconds; null if another process polls it."},
    }


def _nullable(properties: Document, description: str) -> Document:
    return {"type": ["object", "null"], "properties": properties, "description": description}


def _strict(properties: Document, *required: str) -> Document:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _answers(answers: Document, *reasons: str) -> Document:
    always = {"unauthorized", "read_only", "not_ready", "kafka_away", "internal"}
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
        "201": json_answer("Watched from now on, possibly again.", handle),
        "200": json_answer("It is watched already; a later `expires_at` extends that.", handle),
    }
    return {
        "tags": ["watch"],
        "operationId": "openWatch",
        "summary": "Watch an order: its SMS appear on `sms.received.v1`",
        "description": "For an order that was watched before, fields that are left out keep their values, except for "
        "`expires_at`. Of an open watch only `expires_at` can be changed, to a later time.",
        "security": TOKEN,
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("WatchRequest")}}},
        "responses": _answers(
            answers,
            "invalid_watch",
            "unknown_account",
            "forbidden",
            "bad_request",
            "conflict",
            "unreadable",
            "timeout",
            "too_large",
        ),
    }


def _list() -> Document:
    watches: Document = {"type": "array", "items": _ref("WatchView")}
    more: Document = {**TEXT, "description": "The `after` of the next page; null: there is none."}
    total: Document = {"type": "integer", "minimum": 0, "description": "How many watches match, on all pages."}
    properties: Document = {"watches": watches, "next": more, "total": total}
    page: Document = {"type": "object", "properties": properties, "required": [*properties]}
    return {
        "tags": ["watch"],
        "operationId": "listWatches",
        "summary": "The watches of the installation, newest first, a page at a time",
        "security": TOKEN,
        "parameters": [
            _parameter("account", {"type": "string", "minLength": 1}, "Only of this account."),
            _parameter("state", {"enum": STATES}, "Only open ones, ended ones, or those ended for this reason."),
            _parameter("client_ref", {"type": "string", "minLength": 1}, "Only with this `client_ref`."),
            _parameter(
                "recipient",
                {"type": "string", "pattern": "[0-9]"},
                "Only of this number, without letters; only digits are compared.",
            ),
            _parameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, "Per page."),
            _parameter("after", {"type": "string"}, "The `next` of the previous page."),
        ],
        "responses": _answers({"200": json_answer("One page.", page)}, "invalid_query"),
    }


def _parameter(name: str, schema: Document, description: str) -> Document:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _show() -> Document:
    return {
        "tags": ["watch"],
        "operationId": "showWatch",
        "summary": "One watch and its progress",
        "description": "`/v1/watches/ACCOUNT/ORDER` shows the same by the provider's id: an open watch before an ended "
        "one, then the newest. An ended watch is shown until it is deleted: an activation 24 hours, a rent 7 days.",
        "security": TOKEN,
        "responses": _answers(
            {"200": json_answer("As its shard last committed it.", _ref("WatchView"))}, "unknown_watch"
        ),
    }


def _next() -> Document:
    body = {"required": False, "content": {"application/json": {"schema": _ref("NextRequest")}}}
    asked = _asked("NextAnswer", "invalid_request", "bad_request", "timeout", "too_large")
    summary = "Ask the provider for the next SMS on the same number"
    return {"tags": ["watch"], "operationId": "nextOfWatch", "summary": summary, "requestBody": body, **asked}


def _request() -> Document:
    summary = "Stop watching, or finish or cancel the order at the provider"
    return {
        "tags": ["watch"],
        "operationId": "requestOfWatch",
        "summary": summary,
        **_asked("WatchAnswer", "not_found"),
    }


def _asked(answer: str, *reasons: str) -> Document:
    answers = {"202": json_answer("Requested.", _ref(answer))}
    return {
        "description": "Each call is a new request. The shard's owner performs it after one more poll; the result is "
        "in `performed` or `refused` of the watch.",
        "security": TOKEN,
        "responses": _answers(answers, "unknown_watch", "ended", "unreadable", "forbidden", *reasons),
    }
