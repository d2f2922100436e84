"""Scenario files in TOML, and readable errors for invalid ones."""

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from sandbox.settings import Scenario

SHIPPED: Final = Path(__file__).parent / "scenarios"
Checked = TypeVar("Checked", bound=BaseModel)


class ScenarioError(Exception):
    """A scenario is invalid; each line of the text says what is wrong and where."""

    safe_to_log = True


def shipped() -> list[str]:
    """Return the names of the scenarios that come with the sandbox."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def load(name: str) -> Scenario:
    """Read a scenario file, or one that comes with the sandbox by its name. Raises ScenarioError."""
    path = SHIPPED / f"{name}.toml" if name in shipped() else Path(name)
    try:
        return parse(path.read_text(), str(path.name))
    except (OSError, UnicodeDecodeError):
        message = f"{name} cannot be read; shipped scenarios: {', '.join(shipped())}"
        raise ScenarioError(message) from None


def parse(text: str, name: str = "scenario") -> Scenario:
    """Return the scenario that a TOML text describes. Raises ScenarioError."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{name} is not valid TOML: {error}"
        raise ScenarioError(message) from None
    try:
        return checked(Scenario, tables)
    except ScenarioError as error:
        message = "\n".join(f"{name}: {line}" for line in str(error).splitlines())
        raise ScenarioError(message) from None


def checked(model: type[Checked], value: object) -> Checked:
    """Validate a value. Raises ScenarioError with one line for each mistake."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        lines = [_sentence(model, dict(mistake)) for mistake in error.errors(include_url=False)]
        raise ScenarioError("\n".join(lines)) from None


def _sentence(model: type[BaseModel], mistake: dict[str, Any]) -> str:
    place = ".".join(str(part + 1 if isinstance(part, int) else part) for part in mistake["loc"])
    if mistake["type"] != "extra_forbidden":
        return f"{place}: {mistake['msg']}".removeprefix(": ").replace("Value error, ", "")
    known = _known(model, mistake["loc"][:-1])
    close = get_close_matches(str(mistake["loc"][-1]), known, n=1)
    return f"{place}: no such key" + (f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known)}")


def _known(model: type[BaseModel], place: tuple[str | int, ...]) -> list[str]:
    """Return the keys that a table may have, as they are spelled in a file."""
    for part in place:
        if isinstance(part, str):
            model = _table(model.model_fields[part].annotation) or model
    return sorted(field.alias or name for name, field in model.model_fields.items())


def _table(annotation: object) -> type[BaseModel] | None:
    """Return the table in an annotation like `tuple[Table, ...] | None`."""
    if isinstance(annotation, type) and not get_args(annotation) and issubclass(annotation, BaseModel):
        return annotation
    return next((table for inner in get_args(annotation) if (table := _table(inner))), None)
