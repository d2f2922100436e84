"""The part of the OpenAPI document that is about callback tokens and test SMS, on the admin listener."""

from typing import Final

from schemas import timestamps
from schemas.documents.openapi_parts import Document, Problem, error_of, json_answer
from schemas.documents.openapi_watches import TOKEN

PROBLEMS: Final = (
    Problem("unauthorized", 401, "Send the admin token, or `admin.read_token`, as `Authorization: Bearer`."),
    Problem("not_found", 404, "No receiver runs here: the process has the role `pollers`."),
    Problem("not_ready", 503, "With `--workers`: a receiver is being restarted. Try again."),
)
OF_TEST: Final = (
    Problem("invalid_request", 400, "There is a body, and this takes none."),
    Problem("unauthorized", 401, "Send the admin token as `Authorization: Bearer`."),
    Problem("read_only", 403, "This token reads and waits only."),
    Problem("unknown_account", 404, "No PingMe account of this name is configured."),
    Problem("not_found", 404, "No receiver runs here: the process has the role `pollers`."),
    Problem("not_taken", 503, "The receiver refused it, or does not answer; the detail says which."),
    Problem("not_ready", 503, "With `--workers`: the receiver is being restarted. Try again."),
)
MOMENT: Final[Document] = {"type": "string", "pattern": timestamps.PATTERN}


ACCOUNT: Final[Document] = {
    "name": "account",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1},
    "description": "A PingMe account's name.",
}


def paths(servers: list[Document]) -> Document:
    """Return the paths."""
    answer = json_answer("The currently valid tokens.", {"$ref": "#/components/schemas/Callbacks"})
    return {
        "/v1/callbacks": {
            "servers": servers,
            "get": {
                "tags": ["operate"],
                "operationId": "listCallbackTokens",
                "summary": "Which callback tokens are valid, and when each was last used",
                "description": "Tokens are shown by fingerprint only: the first twelve hexadecimal digits of the "
                "SHA-256. With `--workers` one response for all workers. Other replicas have their own. A token "
                "that is limited to accounts is shown theirs alone.",
                "security": TOKEN,
                "responses": {"200": answer, **{str(each.status): error_of([each]) for each in PROBLEMS}},
            },
        },
        "/v1/callbacks/{account}/test": {"servers": servers, "parameters": [ACCOUNT], "post": _test()},
    }


def schemas() -> Document:
    """Return the schemas of the response."""
    token: Document = {
        "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{12}$"},
        "newest": {
            "type": "boolean",
            "description": "The account's first token, the one to give to PingMe. With `--workers`: in all workers.",
        },
        "last_used_at": {
            **MOMENT,
            "type": ["string", "null"],
            "description": "When a callback last used it; null: not since `since`.",
        },
    }
    account: Document = {"account": {"type": "string"}, "tokens": _list(token)}
    callbacks: Document = {
        "since": {**MOMENT, "description": "Uses are recorded since then: the start of the process."},
        "accounts": _list(account),
    }
    answer: Document = {
        "status": {"enum": ["accepted", "rejected"]},
        "id": {"type": ["string", "null"], "format": "uuid", "description": "The SMS's id."},
        "reason": {"type": ["string", "null"], "description": "Why it was rejected."},
    }
    return {"Callbacks": _object(callbacks), "TestSms": _object(answer)}


def _test() -> Document:
    statuses = sorted({each.status for each in OF_TEST})
    answer = json_answer("What the receiver said.", {"$ref": "#/components/schemas/TestSms"})
    return {
        "tags": ["operate"],
        "operationId": "sendTestSms",
        "summary": "Send a test SMS to an account's callback URL",
        "description": "The process posts it to its own receiver, as PingMe would; it gets into Kafka, and whoever "
        "consumes the topic gets it. Its service is `test`, its sender `smsbus`, its code new each time.",
        "security": TOKEN,
        "responses": {"200": answer}
        | {str(status): error_of([each for each in OF_TEST if each.status == status]) for status in statuses},
    }


def _object(properties: Document) -> Document:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(properties: Document) -> Document:
    return {"type": "array", "items": _object(properties)}
