"""The messages as a Python module of its own: frozen dataclasses that need nothing but Python."""

import textwrap
from typing import Final

from schemas.documents.reader_fields import Kind, ReaderField, reader_fields
from schemas.messages import VALUES, Value

HEAD: Final = '''\
"""The records of smsbus, made by `smsbus schema export --format python`. Copy it: it needs only Python 3.11.

    sms = SmsReceived.from_json(record.value)

Keys that it does not know are ignored; expect other words than those that are listed. Drop repeats by `id`.
"""

import json
from dataclasses import asdict, dataclass, fields
from typing import ClassVar, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """The value of a record."""

    @classmethod
    def from_json(cls, value: bytes | str) -> Self:
        """Return the value of a record. Raises ValueError where it is not JSON, TypeError where a key is missing."""
        given = json.loads(value)
        return cls(**{field.name: given[field.name] for field in fields(cls) if field.name in given})

    def to_json(self) -> bytes:
        """Return it as smsbus writes it."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":")).encode()
'''
TYPES: Final[dict[Kind, str]] = {
    "text": "str",
    "time": "str",
    "integer": "int",
    "boolean": "bool",
    "map": "dict[str, str]",
}
WIDTH: Final = 120


def python() -> str:
    """Return the text of the module."""
    return "\n\n".join([HEAD, *(_class(value) for value in VALUES)])


def _class(value: type[Value]) -> str:
    fields = "".join(f"    {_line(field)}\n{_described(field.description)}\n" for field in reader_fields(value))
    return (
        "@dataclass(frozen=True, slots=True, kw_only=True)\n"
        f"class {value.__name__}(Value):\n"
        f'    """{value.__doc__}"""\n\n'
        f'    TOPIC: ClassVar[str] = "{value.TOPIC}"\n\n'
        f"{fields}"
    )


def _line(field: ReaderField) -> str:
    kind = TYPES[field.kind] + (" | None" if field.nullable else "")
    return f"{field.name}: {kind}{_default(field)}"


def _default(field: ReaderField) -> str:
    """Return what a missing key means: a nullable one null, since the record may be older than the key."""
    if field.nullable:
        return " = None"
    if field.promised or field.default is None:
        return ""
    return f' = "{field.default}"' if isinstance(field.default, str) else f" = {field.default}"


def _described(text: str) -> str:
    return textwrap.fill(f'"""{text}"""', WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 4)
