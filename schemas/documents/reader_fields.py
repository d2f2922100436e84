"""The fields of a value as its readers meet them, for documents in languages that have no JSON Schema."""

from typing import Final, Literal, NamedTuple

from schemas import timestamps
from schemas.documents.reader_schema import Schema, reader_schema
from schemas.messages import Value

Kind = Literal["text", "time", "integer", "boolean", "map"]
KINDS: Final[dict[str, Kind]] = {"string": "text", "integer": "integer", "boolean": "boolean", "object": "map"}


class ReaderField(NamedTuple):
    """One field. What is not `promised` may be missing, which means `default`."""

    name: str
    kind: Kind
    description: str
    nullable: bool
    promised: bool
    default: str | int | None
    known: tuple[str, ...]
    """The values of today; none where any text may stand."""


def reader_fields(model: type[Value]) -> list[ReaderField]:
    """Return the fields in the order in which they are written."""
    schema = reader_schema(model)
    return [_field(name, part, promised=name in schema["required"]) for name, part in schema["properties"].items()]


def _field(name: str, part: Schema, *, promised: bool) -> ReaderField:
    types = part["type"] if isinstance(part["type"], list) else [part["type"]]
    return ReaderField(
        name=name,
        kind="time" if part.get("pattern") == timestamps.PATTERN else KINDS[types[0]],
        description=part["description"],
        nullable="null" in types,
        promised=promised,
        default=part.get("default"),
        known=tuple(part.get("examples", ())),
    )
