"""The part of the OpenAPI document that is about the inbox, on the admin listener."""

from typing import Final

from schemas.documents.openapi_parts import Document, Problem, error_of, json_answer
from schemas.documents.reader_schema import reader_schema
from schemas.fields import PROVIDERS
from schemas.messages import SmsReceived

PROBLEMS: Final = (
    Problem(
        "invalid_query", 400, "A parameter is unknown, given twice or invalid, or `Last-Event-ID`; see the detail."
    ),
    Problem(
        "cursor_gone",
        400,
        "What follows this cursor is not in the inbox any more, or was in another Kafka: something may be missing. Go "
        "on from `cursor`, the one of now.",
    ),
    Problem(
        "cursor_of_other_filters",
        400,
        "Repeat the filters that the cursor was returned for, or take one from `/v1/cursor`, which serves all.",
    ),
    Problem("unauthorized", 401, "Send the admin token, or `admin.read_token`, as `Authorization: Bearer`."),
    Problem("other_account", 403, "The token is limited to other accounts; the detail names them."),
    Problem("unknown_sms", 404, "It is not in the inbox, which forgets by itself: read the topic."),
    Problem(
        "unknown_watch",
        404,
        "This order is not watched, or this is no watch's id: open a watch first (`POST /v1/watches`).",
    ),
    Problem("no_code", 404, "With `Accept: text/plain`: there is no such SMS with a code, or none came in time."),
    Problem(
        "account_paused",
        409,
        "The account is not polled, so nothing can come; the detail says why. Only a process that polls can see it.",
    ),
    Problem("watch_ended", 410, "The watch ended without this SMS; `ended` is the reason."),
    Problem("not_ready", 503, "What was published is still being read after a start: try again."),
    Problem("inbox_blind", 503, "Kafka cannot be read now, so nobody knows what is new. Nothing is lost: try again."),
    Problem("too_many_waits", 503, "1,200 waits and streams are open here: one stream can follow many numbers."),
    Problem("closing", 503, "This process is about to end: ask again, from the cursor that you have."),
)
AT_MOST: Final = "At most so many; fewer where they have 4 MB together. All is read when a page is empty."
ALWAYS: Final = frozenset({"invalid_query", "unauthorized", "not_ready", "inbox_blind"})
OF_CURSORS: Final = ("cursor_gone", "cursor_of_other_filters")
CURSOR: Final[Document] = {
    "type": "string",
    "pattern": "^[A-Za-z0-9_-]{40,512}$",
    "description": "Where to go on: give it as `since`. It is the same for every replica, survives restarts, and "
    "belongs to the filters that it was returned for.",
}
ENDS: Final = ["finished", "cancelled", "expired", "gone", "stopped"]
TEXT: Final[Document] = {"type": "string", "minLength": 1}
FILTERS: Final[dict[str, tuple[Document, str]]] = {
    "recipient": (
        {"type": "string", "pattern": "[0-9]"},
        "The whole number that received it, no letters; digits are compared, so a `+` may be left out, or unescaped.",
    ),
    "account": (TEXT, "The name of an account."),
    "provider": ({"enum": [*PROVIDERS]}, "Who received it."),
    "service": (TEXT, "The provider's word for the service."),
    "client_ref": (TEXT, "Your own text from the watch."),
    "watch_id": (TEXT, "The handle that opening the watch returned."),
    "order_id": (TEXT, "The provider's id of the order."),
    "freshness": ({"enum": ["live", "recovered", "history", "replayed"]}, "Only `live` is news."),
    "has_code": ({"type": "boolean"}, "Only with a code, or only without one."),
    "contains": (TEXT, "This is in the text, in upper or lower case."),
}
TIMES: Final = "a time (`2026-03-25T03:17:06Z`), or how long ago (`10m`: also `s`, `h`, `d`)"
SINCE: Final = f"A cursor, {TIMES}."


def paths(servers: list[Document]) -> Document:
    """Return the paths."""
    event_id = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "/v1/sms": {"servers": servers, "get": _list()},
        "/v1/sms/{id}": {"servers": servers, "parameters": [event_id], "get": _show()},
        "/v1/cursor": {"servers": servers, "get": _cursor()},
        "/v1/wait": {"servers": servers, "get": _wait()},
        "/v1/stream": {"servers": servers, "get": _stream()},
        "/v1/token": {"servers": servers, "get": _token()},
    }


def schemas() -> Document:
    """Return the schemas of the responses."""
    items: Document = {"type": "array", "items": _ref("SmsReceived")}
    following: Document = {
        "type": "integer",
        "minimum": 0,
        "description": "Only of an activation: the `sequence` to wait for next.",
    }
    listed: Document = {"type": "array", "items": {"anyOf": [_ref("SmsReceived"), _event()]}}
    page: Document = {"items": listed, "cursor": CURSOR}
    waited: Document = {"items": {**items, "maxItems": 1}, "cursor": CURSOR}
    return {
        "SmsReceived": {
            name: part for name, part in reader_schema(SmsReceived).items() if name not in {"$schema", "$id"}
        },
        "SmsPage": _object(page),
        "SmsWaited": _object({**waited, "next_sequence": following}, required=[*waited]),
        "SmsShown": _object({"sms": _event(), "way": _object(_way()), "forwards": _forwards()}),
        "InboxProblem": _problem(),
        "TokenShown": _object(_may()),
    }


def _may() -> Document:
    return {
        "reads_only": {"type": "boolean", "description": "It is `admin.read_token`: it changes nothing."},
        "accounts": {
            "type": ["array", "null"],
            "items": {"type": "string"},
            "description": "`admin.read_accounts`: the accounts whose SMS it shows; null: all.",
        },
    }


def _event() -> Document:
    return {
        "type": "object",
        "description": "As on its topic: `SmsReceived`. A dead letter, or the end of a watch, has its own fields.",
    }


def _forwards() -> Document:
    return {
        "type": ["object", "null"],
        "additionalProperties": {"type": "boolean"},
        "description": "For each target of forwarding whether it is past this event: sent, not wanted, or a dead "
        "letter. Null: Kafka cannot be asked now.",
    }


def _way() -> Document:
    return {
        "via": {
            "type": ["string", "null"],
            "description": "`kafka`: directly; `journal`: it waited on disk; `replay`: an operator sent it; null: not "
            "known.",
        },
        "topic": {"type": "string", "description": "Without the prefix of your installation."},
        "partition": {"type": "integer", "minimum": 0},
        "offset": {"type": "integer", "minimum": 0},
        "provider_delay": {
            "type": ["number", "null"],
            "description": "Seconds from the provider's time to when smsbus first saw it, as far as clocks agree; "
            "null: the provider gives no time.",
        },
    }


def _problem() -> Document:
    members: Document = {
        "cursor": {**CURSOR, "description": "Of `cursor_gone`: the cursor of now."},
        "ended": {"type": "string", "examples": ENDS, "description": "Of `watch_ended`: why the watch ended."},
    }
    return {"allOf": [_ref("Problem"), {"type": "object", "properties": members}]}


def _list() -> Document:
    return {
        "tags": ["inbox"],
        "operationId": "listSms",
        "summary": "The SMS of the last hours",
        "description": "Without `since` the newest ones, oldest first; with it the first ones that follow. An empty "
        "list means that there is nothing yet. `Accept: text/plain`: the newest code alone, whatever `limit` says.",
        "security": [{"adminToken": []}],
        "parameters": [
            *_filters(),
            _parameter("since", TEXT, SINCE),
            _parameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, AT_MOST),
            _events(),
        ],
        "responses": _answers(
            _or_code(_ref("SmsPage"), "SMS, and the cursor after them."), *OF_CURSORS, "other_account", "no_code"
        ),
    }


def _show() -> Document:
    return {
        "tags": ["inbox"],
        "operationId": "showSms",
        "summary": "One event, and how it came",
        "description": "`Accept: text/plain`: its code alone.",
        "security": [{"adminToken": []}],
        "responses": _answers(_or_code(_ref("SmsShown"), "The event and its way."), "unknown_sms", "no_code"),
    }


def _cursor() -> Document:
    answer = json_answer("The cursor; with `Accept: text/plain` nothing else.", _object({"cursor": CURSOR}))
    answer["content"]["text/plain"] = {"schema": {"type": "string"}}
    return {
        "tags": ["inbox"],
        "operationId": "cursorOfNow",
        "summary": "The cursor after all that is published by now",
        "description": "Take it before you do what sends an SMS, and wait `since` then. It serves any filters.",
        "security": [{"adminToken": []}],
        "responses": _answers(answer, "closing"),
    }


def _token() -> Document:
    refused = next(each for each in PROBLEMS if each.reason == "unauthorized")
    return {
        "tags": ["operate"],
        "operationId": "showToken",
        "summary": "What this token may do",
        "description": "For programs that are given a token, like the page: they offer nothing that would be refused.",
        "security": [{"adminToken": []}],
        "responses": {"200": json_answer("What it may do.", _ref("TokenShown")), "401": error_of([refused])},
    }


def _wait() -> Document:
    return {
        "tags": ["inbox"],
        "operationId": "waitForSms",
        "summary": "Wait for the next SMS of a number, or for one of an order",
        "description": "Name a `recipient`; or an order, by `account` and `order_id`, or by `watch_id`. Where an "
        "activation and a rent have the same id, the activation is meant: name the rent by its `watch_id`. The answer "
        "comes with the first SMS, or without one (`items` is empty) when the time is over: ask again, from its "
        "`cursor` or `next_sequence`.\n\nOf a number, or of a rent: an SMS that is published after the request "
        "arrived (or after `since`), was observed at most 5 seconds before, and is `live`, unless `freshness` says "
        "otherwise. Of an activation: the first SMS with at least this `sequence`, of any freshness but `replayed`, "
        "also if it is there already.\n\n`Accept: text/plain`: the code alone, of the first such SMS that has one.",
        "security": [{"adminToken": []}],
        "parameters": [
            *_filters(),
            _parameter("since", TEXT, f"Not of an activation. {SINCE} An SMS that came since then is taken at once."),
            _parameter(
                "sequence",
                {"type": "integer", "minimum": 0, "maximum": 999_999_999},
                "Only of an activation; without it 0, the first SMS. Else the `next_sequence` of the answer before, "
                "or of the answer to `next`.",
            ),
            _parameter("timeout", {"type": "integer", "minimum": 1, "maximum": 55, "default": 30}, "Seconds."),
        ],
        "responses": _answers(
            _or_code(_ref("SmsWaited"), "The SMS, or none in time."),
            *(*OF_CURSORS, "other_account", "unknown_watch", "no_code", "account_paused", "watch_ended"),
            *("too_many_waits", "closing"),
        ),
    }


def _stream() -> Document:
    last = {
        "name": "Last-Event-ID",
        "in": "header",
        "schema": CURSOR,
        "description": "What a client of server-sent events sends by itself when it connects again: go on after that "
        "event. It wins over `since`.",
    }
    example = "retry: 1000\nid: …\n\nevent: received\ndata: {…}\nid: …\n\n"
    text: Document = {"schema": {"type": "string"}, "example": example}
    return {
        "tags": ["inbox"],
        "operationId": "streamSms",
        "summary": "Events as they come, as server-sent events",
        "description": "Each has its topic's name as `event` and the record as `data`. A cursor comes as `id`: at the "
        "beginning, with the last of the events that are sent together, and with a comment every 15 seconds when "
        "nothing comes, so that nothing is missed wherever it is cut off. A client that does not read for 10 seconds "
        "is cut off; it connects again and goes on.",
        "security": [{"adminToken": []}],
        "parameters": [
            *_filters(),
            _parameter("since", TEXT, f"{SINCE} Without it: what comes from now on."),
            _events(),
            last,
        ],
        "responses": _answers(
            {"description": "The stream.", "content": {"text/event-stream": text}},
            *OF_CURSORS,
            "other_account",
            "too_many_waits",
            "closing",
        ),
    }


def _events() -> Document:
    names: Document = {"type": "array", "items": {"enum": ["received", "rejected", "watch_ended"]}, "minItems": 1}
    return {
        **_parameter("events", names, "Which topics; default: `received`. A cursor belongs to them."),
        "style": "form",
        "explode": False,
    }


def _filters() -> list[Document]:
    return [_parameter(name, schema, description) for name, (schema, description) in FILTERS.items()]


def _or_code(schema: Document, description: str) -> Document:
    answer = json_answer(f"{description} As text: a code, and a line feed.", schema)
    answer["content"]["text/plain"] = {"schema": {"type": "string"}, "example": "482913\n"}
    return answer


def _answers(done: Document, *reasons: str) -> Document:
    problems = [problem for problem in PROBLEMS if problem.reason in ALWAYS.union(reasons)]
    statuses = sorted({problem.status for problem in problems})
    return {"200": done} | {
        str(status): _error([each for each in problems if each.status == status]) for status in statuses
    }


def _error(problems: list[Problem]) -> Document:
    answer = error_of(problems)
    if {"cursor_gone", "watch_ended"} & {problem.reason for problem in problems}:
        answer["content"]["application/problem+json"]["schema"] = _ref("InboxProblem")
    return answer


def _parameter(name: str, schema: Document, description: str) -> Document:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _object(properties: Document, required: list[str] | None = None) -> Document:
    return {"type": "object", "properties": properties, "required": required or list(properties)}


def _ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}
