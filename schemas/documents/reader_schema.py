"""JSON Schema of a value for its readers: open where the writer's model is strict. Draft 2020-12, and draft-07."""

from typing import Any, Final

from schemas.messages import Message, Value

Schema = dict[str, Any]
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
DRAFT7: Final = "http://json-schema.org/draft-07/schema#"


def reader_schema(model: type[Value]) -> Schema:
    """Return the schema: unknown keys allowed, known values instead of closed sets, every promised key required."""
    strict = model.model_json_schema()
    return {
        "$schema": DIALECT,
        "$id": f"urn:smsbus:schema:{model.TOPIC}",
        "title": model.__name__,
        "description": f"{strict['description']} Topic `{model.TOPIC}`. Ignore keys that you do not know.",
        "type": "object",
        "properties": {name: _open(field) for name, field in strict["properties"].items()},
        "required": _promised(model, strict),
        "additionalProperties": True,
    }


def draft7(model: type[Value]) -> Schema:
    """Return the same schema as draft-07, which is what schema registries compare: it uses no word that is newer."""
    return reader_schema(model) | {"$schema": DRAFT7}


def _promised(model: type[Value], strict: Schema) -> list[str]:
    """List the keys of every record: messages have all; a writer of a `Watch` may leave out keys with defaults."""
    if issubclass(model, Message):
        return [name for name in strict["properties"] if name not in model.ADDED_LATER]
    return list(strict["required"])


def _open(field: Schema) -> Schema:
    opened = _with_null(field)
    for closed, introduction, end in (("enum", "One of", "."), ("examples", "Known values:", "; expect others.")):
        if known := opened.pop(closed, None):
            values = ", ".join(f"`{value}`" for value in known)
            opened["description"] += f" {introduction} {values}{end}"
            opened["examples"] = known
            break
    return opened


def _with_null(field: Schema) -> Schema:
    """Return the field without Python-only parts, and `anyOf [X, null]` as one schema for code generators."""
    described = {"description": field["description"]}
    kind = dict(field)
    if "anyOf" in field:
        kind = {**field["anyOf"][0], "type": [field["anyOf"][0]["type"], "null"]}
    elif field.get("default") is not None:
        described["default"] = field["default"]
    return described | {name: part for name, part in kind.items() if name not in {"title", "description", "default"}}
