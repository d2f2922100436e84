"""Which changes of a schema would break readers of the released one, or reading old records with the new one."""

from typing import Final

from schemas.documents.reader_schema import Schema

ANNOTATIONS: Final = frozenset(("title", "description", "default", "examples"))


def breaks(released: Schema, now: Schema) -> list[str]:
    """Return a readable line for each incompatibility; none: both schemas can read all records."""
    return [*_broken_fields(released, now), *_broken_presence(released, now), *_closed(now)]


def _broken_fields(released: Schema, now: Schema) -> list[str]:
    lines = []
    for name, before in released["properties"].items():
        after = now["properties"].get(name)
        if after is None:
            lines.append(f"`{name}` was removed: keep it, or make a v2 topic")
        elif _constraints(before) != _constraints(after):
            lines.append(f"`{name}` was {_constraints(before)} and is {_constraints(after)}: make a v2 topic")
    return lines


def _broken_presence(released: Schema, now: Schema) -> list[str]:
    before, after = set(released["required"]), set(now["required"])
    lost = [f"`{name}` is no longer always there: readers rely on it" for name in sorted(before - after)]
    new = [f"`{name}` is required, and old records lack it: name it in ADDED_LATER" for name in sorted(after - before)]
    return lost + new


def _closed(now: Schema) -> list[str]:
    lines = [] if now.get("additionalProperties") is True else ["unknown keys are refused: leave the schema open"]
    shut = [name for name, field in now["properties"].items() if {"enum", "const"} & field.keys()]
    return lines + [f"`{name}` has a closed set of values: leave it open" for name in shut]


def _constraints(field: Schema) -> Schema:
    return {name: part for name, part in field.items() if name not in ANNOTATIONS}
