"""Query parameters: each known, once, with a valid value."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from app.admin.watch_messages import unknown

ONE_OF: Final = "one of "


class WrongQuery(Exception):
    """Parameters are unknown or have invalid values; the text has a line for each."""

    safe_to_log = True


def parameters_in(
    pairs: Iterable[tuple[str, str]], must_be: Mapping[str, str], is_right: Callable[[str, str], bool]
) -> dict[str, str]:
    """Return the parameters. `must_be` has the known names and what each must be. Raises `WrongQuery`."""
    parameters: dict[str, str] = {}
    wrong = {}
    for name, value in pairs:
        if name not in must_be:
            wrong[name] = unknown(name, must_be, "not a parameter of this request")
        elif name in parameters:
            wrong[name] = f"{name} is given twice"
        elif not is_right(name, value):
            wrong[name] = f"{name} must be {must_be[name]}{_meant(value, must_be[name])}"
        parameters[name] = value
    if wrong:
        raise WrongQuery("\n".join(wrong[name] for name in sorted(wrong)))
    return parameters


def _meant(value: str, must_be: str) -> str:
    """Return which of some words was probably meant."""
    words = must_be.removeprefix(ONE_OF).split(", ") if must_be.startswith(ONE_OF) else []
    meant = get_close_matches(value, words, 1)
    return f" (did you mean {meant[0]}?)" if meant else ""
