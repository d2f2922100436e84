"""The OpenAPI 3.1 document: the PingMe callback; the admin listener's health, metrics, inbox, watches and journals."""

from typing import Final

from schemas.documents import openapi_callbacks, openapi_inbox, openapi_journals, openapi_rejected, openapi_watches
from schemas.documents.openapi_parts import Document, callback, errors, json_answer, problem, result, status

DESCRIPTION: Final = """\
Two listeners. The **public** one takes PingMe's callbacks; its only secret is the token in the path, which selects \
the account: keep paths out of logs. The **admin** one is for your own network.

A 200 means that the callback is durable: in Kafka with acks=all, or fsynced in the journal. Repeats are welcome: they \
get `duplicate` and have the same id. Errors are RFC 9457 problem documents; `reason` is a stable code, and \
nothing of the request is ever echoed.
"""


def openapi() -> Document:
    """Return the document."""
    public = [{"url": "http://localhost:8080", "description": "Public listener (`receiver.host`, `receiver.port`)."}]
    admin = [{"url": "http://localhost:8081", "description": "Admin listener (`admin.host`, `admin.port`)."}]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "smsbus",
            "version": "1.0.0",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": public,
        "tags": [
            {"name": "receive", "description": "Receive SMS."},
            {"name": "inbox", "description": "Read and wait for what was received lately."},
            {"name": "watch", "description": "Watch orders for SMS; only with polled accounts."},
            {
                "name": "operate",
                "description": "Health, metrics and these documents, without credentials; with the admin token, "
                "callback tokens in use, the journals' rows, and replays of dead letters.",
            },
        ],
        "paths": {
            "/v1/pingme/{token}": _pingme(),
            "/livez": {"servers": public + admin, "get": _livez()},
            "/readyz": {"servers": admin, "get": _readyz()},
            "/metrics": {"servers": admin, "get": _metrics()},
            "/openapi.json": {"servers": admin, "get": _document("OpenAPI", "The HTTP API")},
            "/asyncapi.json": {"servers": admin, "get": _document("AsyncAPI", "The topics")},
            **openapi_callbacks.paths(admin),
            **openapi_inbox.paths(admin),
            **openapi_rejected.paths(admin),
            **openapi_watches.paths(admin),
            **openapi_journals.paths(admin),
        },
        "components": {
            "schemas": {
                "Callback": callback(),
                "Result": result(),
                "Problem": problem(),
                **openapi_callbacks.schemas(),
                **openapi_inbox.schemas(),
                **openapi_rejected.schemas(),
                **openapi_watches.schemas(),
                **openapi_journals.schemas(),
            },
            "securitySchemes": {"adminToken": {"type": "http", "scheme": "bearer"}},
        },
    }


def _pingme() -> Document:
    token = {
        "name": "token",
        "in": "path",
        "required": True,
        "description": "Unguessable; selects the account, and is the only credential. Several are valid while one is "
        "replaced.",
        "schema": {"type": "string", "format": "password"},
    }
    ready = json_answer("The token is valid. Nothing is published.", status("ready"))
    probe = {"200": ready, **errors(404, 503)}
    return {
        "parameters": [token],
        "post": {
            "tags": ["receive"],
            "operationId": "receivePingMe",
            "summary": "Take an SMS from PingMe",
            "description": "JSON whatever the Content-Type says, or a form. Numbers may be JSON numbers, keys may be "
            "missing, unknown keys are kept. What is authenticated but cannot be parsed goes to `sms.rejected.v1` with "
            "its exact bytes and gets a 200 `rejected`: repeating it would not help.",
            "security": [],
            "requestBody": _callback_body(),
            "responses": {"200": _accepted(), **errors(400, 404, 408, 413, 415, 429, 503)},
        },
        "get": {
            "tags": ["receive"],
            "operationId": "probePingMe",
            "summary": "Check whether the URL works",
            "security": [],
            "responses": probe,
        },
        "head": {
            "tags": ["receive"],
            "operationId": "probePingMeHead",
            "summary": "Check whether the URL works, without a body",
            "security": [],
            "responses": {status: {"description": answer["description"]} for status, answer in probe.items()},
        },
    }


def _callback_body() -> Document:
    one = {"$ref": "#/components/schemas/Callback"}
    sample = {
        "app": "jd",
        "from": "14160000000",
        "to": "16470000000",
        "userId": "xxx",
        "text": "[jd] code is 5611",
        "time": "2021-03-25T03:17:06.050Z",
    }
    either = {"oneOf": [one, {"type": "array", "items": one, "minItems": 1}]}
    return {
        "required": True,
        "content": {
            "application/json": {"schema": either, "example": sample},
            "application/x-www-form-urlencoded": {"schema": one, "example": sample},
        },
    }


def _accepted() -> Document:
    result = {"$ref": "#/components/schemas/Result"}
    several = {
        "type": "object",
        "description": "The response to an array: one result for each element, in its order.",
        "properties": {"status": {"const": "accepted"}, "results": {"type": "array", "items": result}},
        "required": ["status", "results"],
    }
    return json_answer("Durable, or dead-lettered for good.", {"oneOf": [result, several]})


def _livez() -> Document:
    return {
        "tags": ["operate"],
        "operationId": "livez",
        "summary": "Is the process alive?",
        "description": "Does not depend on other systems: a restart would not bring Kafka back. The admin listener "
        "also checks the lanes that publish (503: restart it), and serves the same as `/healthz`.",
        "security": [],
        "responses": {"200": json_answer("Alive.", status("alive")), "503": json_answer("Restart it.", status("dead"))},
    }


def _readyz() -> Document:
    words = {"type": "array", "items": {"type": "string"}, "description": "The degraded reasons, as stable codes."}
    answer = status("ready", "starting", "full", "stopping")
    answer["properties"]["degraded"] = words
    answer["required"].append("degraded")
    return {
        "tags": ["operate"],
        "operationId": "readyz",
        "summary": "Can anything be accepted?",
        "description": "503 while it starts or stops, and when nothing can be made durable; other problems are "
        "listed in `degraded`.",
        "security": [],
        "responses": {"200": json_answer("It can.", answer), "503": json_answer("Send nothing here now.", answer)},
    }


def _metrics() -> Document:
    return {
        "tags": ["operate"],
        "operationId": "metrics",
        "summary": "Metrics for Prometheus",
        "description": "Names start with `smsbus_`; no label holds a number, a code, a text or a token.",
        "security": [],
        "responses": {
            "200": {"description": "Exposition format.", "content": {"text/plain": {"schema": {"type": "string"}}}}
        },
    }


def _document(name: str, subject: str) -> Document:
    return {
        "tags": ["operate"],
        "operationId": f"{name.lower()}Document",
        "summary": f"{subject} as an {name} document",
        "description": "The one of this version; nothing in it is of this installation.",
        "security": [],
        "responses": {"200": json_answer("The document.", {"type": "object", "required": [name.lower()]})},
    }
