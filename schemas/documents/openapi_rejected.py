"""The part of the OpenAPI document that is about replaying dead letters, on the admin listener."""

from typing import Final

from schemas.documents.openapi_parts import Document, Problem, error_of, json_answer

PROBLEMS: Final = (
    Problem("invalid_request", 400, "Something in the body is invalid; see the detail."),
    Problem("bad_request", 400, "The body does not match its headers."),
    Problem("unauthorized", 401, "Send the admin token as `Authorization: Bearer`."),
    Problem("read_only", 403, "This token reads and waits only."),
    Problem("forbidden", 403, "Kafka does not let this process write to the topic; the detail names it."),
    Problem("unknown_letter", 404, "It is no dead letter in the inbox: `smsbus rejected replay ID` finds older ones."),
    Problem("timeout", 408, "The body did not arrive within 10 seconds."),
    Problem("too_large", 413, "The body is larger than 1 MiB, as sent or unpacked."),
    Problem("not_ready", 503, "The inbox is still being read, or its process restarted: try again."),
    Problem("too_long", 503, "The topic is too long to be read here: use `smsbus rejected replay ID`."),
    Problem("kafka_away", 503, "Kafka does not respond: send it again. Nothing is published twice."),
)


def paths(servers: list[Document]) -> Document:
    """Return the paths."""
    letter = {
        "name": "id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
        "description": "The dead letter's id.",
    }
    return {"/v1/rejected/{id}/replay": {"servers": servers, "parameters": [letter], "post": _replay()}}


def schemas() -> Document:
    """Return the schemas of requests and responses."""
    count: Document = {"type": "integer", "minimum": 0}
    answer: Document = {
        "letters": {**count, "description": "Dead letters that were tried: 1."},
        "sms": {
            "type": "array",
            "items": {"type": "string", "format": "uuid"},
            "description": "Ids of the SMS that the present parser accepts, and that are not on the topic yet.",
        },
        "already": {**count, "description": "SMS that are on the topic already."},
        "failing": {
            "type": "object",
            "additionalProperties": count,
            "description": "Callbacks that still fail, by reason.",
        },
        "published": {"type": "boolean", "description": "Whether `sms` were published by this request."},
    }
    dry_run = {"type": "boolean", "default": False, "description": "Publish nothing, only say what would be."}
    return {
        "ReplayRequest": {"type": "object", "properties": {"dry_run": dry_run}, "additionalProperties": False},
        "Replayed": {"type": "object", "properties": answer, "required": list(answer)},
    }


def _replay() -> Document:
    return {
        "tags": ["operate"],
        "operationId": "replayRejected",
        "summary": "Try the present parser on a dead letter, and publish what it accepts",
        "description": "As `smsbus rejected replay`, of a dead letter that the inbox has. The SMS have the ids that "
        "they would have had, and `freshness: replayed`; what is on the topic already is left out, so a repeat "
        "publishes nothing. Ask with `dry_run` first. It takes up to 20 seconds.",
        "security": [{"adminToken": []}],
        "requestBody": {
            "required": False,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ReplayRequest"}}},
        },
        "responses": _answers(json_answer("What was done.", {"$ref": "#/components/schemas/Replayed"})),
    }


def _answers(done: Document) -> Document:
    statuses = sorted({problem.status for problem in PROBLEMS})
    return {"200": done} | {
        str(status): error_of([each for each in PROBLEMS if each.status == status]) for status in statuses
    }
