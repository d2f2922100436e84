"""The messages as TypeScript: an interface for each value, and the values by topic."""

from typing import Final

from schemas.documents.reader_fields import Kind, ReaderField, reader_fields
from schemas.messages import MESSAGES, VALUES, Value

HEAD: Final = """\
/*
 * The records of smsbus, made by `smsbus schema export --format typescript`: `JSON.parse(text) as SmsReceived`.
 *
 * Ignore keys that you do not know, and expect other words than those that are listed. Drop repeats by `id`.
 */
"""
TYPES: Final[dict[Kind, str]] = {
    "text": "string",
    "time": "string",
    "integer": "number",
    "boolean": "boolean",
    "map": "{ readonly [key: string]: string }",
}


def typescript() -> str:
    """Return the text of the module."""
    return "\n".join([HEAD, *(_interface(value) for value in VALUES), _topics()])


def _interface(value: type[Value]) -> str:
    fields = "".join(f"  /** {field.description} */\n  {_line(field)}\n" for field in reader_fields(value))
    return f"/** {value.__doc__} */\nexport interface {value.__name__} {{\n{fields}}}\n"


def _line(field: ReaderField) -> str:
    return f"readonly {field.name}{'' if field.promised else '?'}: {_type(field)};"


def _type(field: ReaderField) -> str:
    """Return the type; an open set stays open and is still completed by editors."""
    words = [f'"{word}"' for word in field.known]
    kind = [*words, "(string & {})"] if words else [TYPES[field.kind]]
    return " | ".join([*kind, "null"] if field.nullable else kind)


def _topics() -> str:
    lines = "".join(f'  readonly "{value.TOPIC}": {_value(value)};\n' for value in VALUES)
    return (
        "/** The value of a record by its topic (your installation may have put a prefix before it); null erases. */\n"
        f"export interface Values {{\n{lines}}}\n"
    )


def _value(value: type[Value]) -> str:
    return value.__name__ if value in MESSAGES else f"{value.__name__} | null"
