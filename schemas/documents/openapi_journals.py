"""The part of the OpenAPI document that is about rows of the journals, on the admin listener."""

from typing import Final

from schemas.documents.openapi_parts import Document, Problem, error_of, json_answer

PROBLEMS: Final = (
    Problem("invalid_query", 400, "A parameter is unknown, given twice or invalid; see the detail."),
    Problem("invalid_request", 400, "Something in the body is invalid or missing; see the detail."),
    Problem("bad_request", 400, "The body does not match its headers."),
    Problem("unauthorized", 401, "Send the admin token as `Authorization: Bearer`."),
    Problem("unknown_journal", 404, "No process behind this listener holds this journal."),
    Problem("unknown_row", 404, "The journal has no such row; it may already be published. Give number and id."),
    Problem("acknowledged", 409, "Kafka has acknowledged it."),
    Problem("under_way", 409, "It is being sent to Kafka and cannot be withdrawn: try again."),
    Problem("timeout", 408, "The body did not arrive within 10 seconds."),
    Problem("too_large", 413, "The body is larger than 1 MiB, as sent or unpacked."),
    Problem("journal_unreadable", 503, "The journal cannot be read: the log says why."),
    Problem("journal_unwritable", 503, "The disk did not accept the write: the row is kept, and the log says why."),
    Problem("not_ready", 503, "With `--workers`: one did not respond, perhaps the one that holds it. Try again."),
)
NAME: Final[Document] = {"type": "string", "minLength": 1, "maxLength": 250}
LAST: Final = 2**63 - 1


def paths(servers: list[Document]) -> Document:
    """Return the paths."""
    return {
        "/v1/journal/rows": {"servers": servers, "get": _rows()},
        "/v1/journal/skip": {"servers": servers, "post": _skip()},
    }


def schemas() -> Document:
    """Return the schemas of requests and responses."""
    named: Document = {
        "journal": {**NAME, "description": "The name of its directory."},
        "seq": {"type": "integer", "minimum": 1, "maximum": LAST, "description": "Its number in the journal."},
        "id": {**NAME, "description": "The id of its event."},
    }
    row: Document = {
        "journal": {"type": "string"},
        "seq": {"type": "integer"},
        "intact": {"type": ["boolean", "null"], "description": "Its checksum matches; null: another version wrote it."},
        "id": {"type": "string"},
        "topic": {"type": "string"},
        "partition": {"type": "integer"},
        "timestamp_ms": {"type": "integer"},
        "size": {"type": "integer", "description": "Bytes."},
        "sms": {"type": ["object", "null"], "description": "Its SMS, masked; absent with `reveal`."},
        "dead_letter": {
            "type": ["object", "null"],
            "description": "Stage and reason of a dead letter; not of a row that is revealed.",
        },
    }
    return {
        "JournalRow": {
            "type": "object",
            "description": "With `reveal` every column, bytes as `…_base64`.",
            "properties": row,
            "required": ["journal", "seq", "intact"],
        },
        "SkipRequest": {
            "type": "object",
            "properties": named,
            "required": list(named),
            "additionalProperties": False,
        },
    }


def _rows() -> Document:
    names: Document = {
        "type": "array",
        "items": {"type": "string"},
        "description": "Journals held behind this listener.",
    }
    rows: Document = {"type": "array", "items": {"$ref": "#/components/schemas/JournalRow"}}
    page = {"type": "object", "properties": {"journals": names, "rows": rows}, "required": ["journals", "rows"]}
    number: Document = {"type": "integer", "minimum": 0, "maximum": LAST, "default": 0}
    return {
        "tags": ["operate"],
        "operationId": "showJournalRows",
        "summary": "The oldest rows of the journals, about 1 MiB of each at most",
        "security": [{"adminToken": []}],
        "parameters": [
            _parameter("journal", {"type": "string", "pattern": "^[^/]{1,255}$"}, "Only of this journal."),
            _parameter("after", number, "Only rows with higher numbers."),
            _parameter(
                "limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, "Rows of each journal."
            ),
            _parameter("lane", {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,249}/[0-9]{1,9}$"}, "TOPIC/PARTITION."),
            _parameter("row", {"type": "string", "pattern": "^[!-~]{1,250}$"}, "Only the row with this number or id."),
            _parameter("reveal", {"type": "boolean", "default": False}, "Include the contents. This is logged."),
        ],
        "responses": _answers(json_answer("Rows, in order.", page), "invalid_query", "journal_unreadable"),
    }


def _skip() -> Document:
    done: Document = {
        "type": "object",
        "properties": {"journal": NAME, "seq": {"type": "integer"}, "id": NAME, "status": {"const": "skipped"}},
        "required": ["journal", "seq", "id", "status"],
    }
    schema = {"$ref": "#/components/schemas/SkipRequest"}
    return {
        "tags": ["operate"],
        "operationId": "skipJournalRow",
        "summary": "Remove a row that cannot be published; its bytes are kept in `skipped.jsonl`",
        "description": "The bytes are on disk before the row is deleted. Its lane continues with the next row.",
        "security": [{"adminToken": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": _answers(
            json_answer("Removed.", done),
            *("invalid_request", "bad_request", "unknown_journal", "unknown_row", "acknowledged", "under_way"),
            *("timeout", "too_large", "journal_unwritable"),
        ),
    }


def _parameter(name: str, schema: Document, description: str) -> Document:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _answers(done: Document, *reasons: str) -> Document:
    problems = [problem for problem in PROBLEMS if problem.reason in {"unauthorized", "not_ready", *reasons}]
    statuses = sorted({problem.status for problem in problems})
    return {"200": done} | {
        str(status): error_of([each for each in problems if each.status == status]) for status in statuses
    }
