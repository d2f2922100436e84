"""Query parameters: each known, once, with a valid value."""

from collections.abc import Callable, Iterable, Mapping

from app.admin.watch_messages import unknown


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
            wrong[name] = f"{name} must be {must_be[name]}"
        parameters[name] = value
    if wrong:
        raise WrongQuery("\n".join(wrong[name] for name in sorted(wrong)))
    return parameters
