"""The part of the OpenAPI document that is about watches, on the admin listener."""

from typing import Final

from schemas import timestamps
from schemas.documents.openapi_parts import Document, Problem, error_of, json_answer

PROBLEMS: Final = (
    Problem("invalid_watch", 400, "Something in the body is wrong or missing; the detail says what is right."),
    Problem("unknown_account", 400, "No polling account of this name is configured here."),
    Problem("invalid_request", 400, "The body of `next` is none of ours; the detail says what is right."),
    Problem("invalid_query", 400, "A parameter is unknown, stands there twice or makes no sense, as the detail says."),
    Problem("bad_request", 400, "The body is not what its head says."),
    Problem("unauthorized", 401, "Send the admin token as `Authorization: Bearer`."),
    Problem("unknown_watch", 404, "Nobody opened this watch."),
    Problem("not_found", 404, "A watch can be asked for `next`, `stop`, `finish` and `cancel`."),
    Problem(
        "conflict", 409, "The watch is open with other fields, which the detail names: leave them out, or repeat them."
    ),
    Problem("ended", 409, "The watch has ended: opening it again is all that can be asked."),
    Problem("unreadable", 409, "What the topics hold of the watch cannot be read by this version: it is left alone."),
    Problem("timeout", 408, "The body did not arrive within 10 seconds."),
    Problem("too_large", 413, "The body is larger than 1 MiB, as sent or unpacked."),
    Problem("internal", 500, "Something broke; our log says what."),
    Problem("not_ready", 503, "The watches are still being read: ask again."),
    Problem("kafka_away", 503, "Kafka did not confirm it: it may or may not be done. Ask again."),
)
TOKEN: Final[list[Document]] = [{"adminToken": []}]
REQUESTS: Final = ["next", "stop", "finish", "cancel"]
STATES: Final = ["open", "ended", "finished", "cancelled", "expired", "gone", "stopped", "unreadable"]
MESSAGE_TYPES: Final = ["sms", "call", "voice"]
TEXT: Final[Document] = {"type": ["string", "null"]}
AFTER: Final[Document] = {
    "type": ["integer", "null"],
    "minimum": 0,
    "description": "Ask the provider once so many SMS were seen: of the SMS that you answer, its `sequence` plus one. "
    "Without it: once those are published that the shard has seen when it applies the request.",
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
    """Return what goes in and what comes out."""
    described = _described()
    handle: Document = {"watch_id": {"type": "string"}, "request_id": {"type": "string"}}
    opened: Document = {
        **handle,
        "expected_delay_seconds": {
            "type": "number",
            "description": "Only where the account has more open orders than its budget: how long an SMS may wait.",
        },
    }
    asked: Document = {
        **handle,
        "request": {"enum": REQUESTS},
        "status": {
            "enum": ["accepted", "already", "pending"],
            "description": "`already`: a `next` that has been asked for before, or whose SMS has come by itself. "
            "`pending`: its shard has not applied it yet, and will.",
        },
    }
    viewed = {**described, "message_type": {"type": "string", "examples": MESSAGE_TYPES}}
    return {
        "WatchRequest": _strict(described, "account", "order_id"),
        "NextRequest": _strict({"after": AFTER}),
        "WatchView": {"type": "object", "properties": {"watch_id": {"type": "string"}, **viewed, **_progress()}},
        "WatchHandle": {"type": "object", "properties": opened, "required": ["watch_id", "request_id"]},
        "WatchAnswer": {"type": "object", "properties": asked, "required": list(asked)},
    }


def _described() -> Document:
    return {
        "account": {"type": "string", "description": "A configured polling account."},
        "order_kind": {"enum": ["activation", "rent"], "default": "activation"},
        "order_id": {"type": "string", "minLength": 1, "maxLength": 128, "description": "The provider's id, as text."},
        "recipient": {**TEXT, "maxLength": 64, "description": "The number, if you know it."},
        "service": {**TEXT, "maxLength": 64},
        "message_type": {"enum": MESSAGE_TYPES, "default": "sms", "description": "What was bought."},
        "expires_at": {
            **TEXT,
            "pattern": timestamps.PATTERN.replace(r"\.[0-9]{3}", r"(\.[0-9]{3})?"),
            "description": "`YYYY-MM-DDTHH:MM:SS.mmmZ`; by default 25 minutes, a rent 31 days. A later one prolongs; "
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
        "opened_at": {**moment, "description": "When it was asked for."},
        "sms_count": {"type": "integer", "minimum": 0, "description": "How many SMS were published."},
        "ended": {**TEXT, "description": "Why it ended; null: it has not."},
        "opening": {"type": ["integer", "null"], "description": "How often it was opened again; null: not known."},
        "seen_by_a_poller": {"type": "boolean"},
        "unreadable": {
            "type": "boolean",
            "description": "Its records cannot be read by this version: it is left alone.",
        },
        "requested": {**TEXT, "description": "What is still to be done at the provider, of what was asked."},
        "requested_after": {
            "type": ["integer", "null"],
            "description": "Of a requested `next`: it is asked for once so many SMS were seen.",
        },
        "performed": _nullable(done, "What was done at the provider last."),
        "refused": _nullable({**done, "code": TEXT}, "What the provider refused last, and the word it gave."),
        "waiting": _nullable(
            {"action": done["action"], "until": moment, "reason": TEXT},
            "What is put off until `not_before`, and the word for why; null: nothing is, or it is not known.",
        ),
        "not_before": {**moment, "description": "Until then nothing is asked of the provider: it was too early."},
        "last_polled_at": {
            **moment,
            "description": "When the provider last said something about the order. Where another process polls it, up "
            "to five minutes earlier than in truth.",
        },
        "last_answer": {
            **TEXT,
            "description": "What kind of answer that was: `waiting`, `last`, … or an error's word.",
        },
        "next_poll_in": {"type": ["number", "null"], "description": "Seconds; null where another process polls it."},
    }


def _nullable(properties: Document, description: str) -> Document:
    return {"type": ["object", "null"], "properties": properties, "description": description}


def _strict(properties: Document, *required: str) -> Document:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _answers(answers: Document, *reasons: str) -> Document:
    always = {"unauthorized", "not_ready", "kafka_away", "internal"}
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
        "201": json_answer("Watched from now on, perhaps again.", handle),
        "200": json_answer("It is watched already; a later `expires_at` prolongs that.", handle),
    }
    return {
        "tags": ["watch"],
        "operationId": "openWatch",
        "summary": "Watch an order: its SMS appear on `sms.received.v1`",
        "description": "Of an order that was watched before, live or ended, what is left out stays as it was, but for "
        "`expires_at`. A live one takes no other values: only a later `expires_at`.",
        "security": TOKEN,
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("WatchRequest")}}},
        "responses": _answers(
            answers, "invalid_watch", "unknown_account", "bad_request", "conflict", "unreadable", "timeout", "too_large"
        ),
    }


def _list() -> Document:
    watches: Document = {"type": "array", "items": _ref("WatchView")}
    more: Document = {**TEXT, "description": "Give it as `after` for the next page; null: there is none."}
    page = {"type": "object", "properties": {"watches": watches, "next": more}, "required": ["watches", "next"]}
    return {
        "tags": ["watch"],
        "operationId": "listWatches",
        "summary": "The watches of the installation, newest first, a page at a time",
        "security": TOKEN,
        "parameters": [
            _parameter("account", {"type": "string", "minLength": 1}, "Of this account."),
            _parameter("state", {"enum": STATES}, "Open, ended, or ended for this reason."),
            _parameter("client_ref", {"type": "string", "minLength": 1}, "With this text of yours."),
            _parameter(
                "recipient", {"type": "string", "pattern": "[0-9]"}, "Of this number; only its digits are compared."
            ),
            _parameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, "Watches a page."),
            _parameter("after", {"type": "string"}, "The `next` of the page before."),
        ],
        "responses": _answers({"200": json_answer("One page.", page)}, "invalid_query"),
    }


def _parameter(name: str, schema: Document, description: str) -> Document:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _show() -> Document:
    return {
        "tags": ["watch"],
        "operationId": "showWatch",
        "summary": "One watch and how far it has come",
        "description": "`/v1/watches/ACCOUNT/ORDER` shows the same by the provider's id: a live watch before an ended "
        "one, then the newest. An ended watch is shown until it is forgotten: an activation 24 hours, a rent 7 days.",
        "security": TOKEN,
        "responses": _answers(
            {"200": json_answer("As its shard last committed it.", _ref("WatchView"))}, "unknown_watch"
        ),
    }


def _next() -> Document:
    body = {"required": False, "content": {"application/json": {"schema": _ref("NextRequest")}}}
    asked = _asked("invalid_request", "bad_request", "timeout", "too_large")
    summary = "Ask the provider for the next SMS on the same number"
    return {"tags": ["watch"], "operationId": "nextOfWatch", "summary": summary, "requestBody": body, **asked}


def _request() -> Document:
    summary = "Stop watching, or finish or cancel the order at the provider"
    return {"tags": ["watch"], "operationId": "requestOfWatch", "summary": summary, **_asked("not_found")}


def _asked(*reasons: str) -> Document:
    answers = {"202": json_answer("Asked for.", _ref("WatchAnswer"))}
    return {
        "description": "Each is a request of its own, also when it was made before. The shard's owner does it after "
        "one more poll; whether it was done stands in `performed` or `refused` of the watch.",
        "security": TOKEN,
        "responses": _answers(answers, "unknown_watch", "ended", "unreadable", *reasons),
    }
