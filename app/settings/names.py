"""The names of the settings: the known ones, the one that was probably meant, the one of a validation error."""

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError

PREFIX: Final = "SMSBUS_"
CONFIG: Final = "SMSBUS_CONFIG"
URL: Final = "SMSBUS_URL"
TOKEN: Final = "SMSBUS_TOKEN"  # noqa: S105 - a name
NO_SETTINGS: Final = (CONFIG, URL, TOKEN)
"""Variables that are no settings: of all commands, and of those that are clients of a service."""

FILE_SUFFIX: Final = "_file"
ANY: Final = "*"  # in a place: any account's name

SettingPath = tuple[str, ...]
"""The path of a setting: `("accounts", "shop", "api_key")`."""

# What Kubernetes injects for a Service whose name begins with "smsbus". Its plain `…_PORT` always holds a URL, so that
# SMSBUS_RECEIVER_PORT=8080, one underscore short, is still reported.
_INJECTED_NAME = re.compile(
    r"_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$"
)
_INJECTED_VALUE = re.compile(r"^(tcp|udp|sctp)://")

RENAMED: Final = {
    "adopt_every": "orphan_scan_interval",
    "repeats_remembered": "dedup_cache_size",
    "workers": "max_concurrent_polls",
}
"""Names of settings before 0.1.0, with the current ones."""


SECTION: Final = "it is a section of settings, not a value"
WHOLE: Final = "a whole number (an integer) is needed"
NUMBER: Final = "a number is needed"
EITHER: Final = "true or false is needed"
FORMS: Final = {
    "model_type": SECTION,
    "dict_type": SECTION,
    "int_type": WHOLE,
    "int_parsing": WHOLE,
    "string_too_short": "it must not be empty",
    "int_from_float": WHOLE,
    "float_type": NUMBER,
    "float_parsing": NUMBER,
    "bool_type": EITHER,
    "bool_parsing": EITHER,
    "string_type": "a text is needed, in quotes",
    "path_type": "a path is needed, in quotes",
}
"""What a value must be, by pydantic's type of error."""
SHAPES: Final = {
    "base_url": "it must match https://HOST/… or http://HOST/…",
    "topic_prefix": "each character must match A-Z, a-z, 0-9 or . _ -",
}
"""What a text must be that has a pattern, by the setting's name."""


class SettingsError(Exception):
    """The settings are invalid. `lines` name each variable or key at fault, and never a value."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def variable_of(place: SettingPath) -> str:
    """Return the variable that sets this place."""
    return PREFIX + "__".join(place).upper()


def set_variable(place: SettingPath, environ: Mapping[str, str]) -> str | None:
    """Return the variable that sets this place in `environ`, itself or by a file; None: neither does."""
    variable = variable_of(place)
    there = {name.upper() for name in environ}
    return next((name for name in (variable, variable + FILE_SUFFIX.upper()) if name in there), None)


def places(model: type[BaseModel], above: SettingPath = ()) -> Iterator[tuple[SettingPath, bool]]:
    """Yield every setting's place, and whether it is a secret."""
    for name, field in model.model_fields.items():
        place = (*above, name)
        section, is_map = _section(field.annotation)
        if section is None:
            yield place, _holds_secret(field.annotation)
        else:
            yield from places(section, (*place, ANY) if is_map else place)


def unknown_variables(model: type[BaseModel], environ: Mapping[str, str]) -> list[str]:
    """Return one line for each variable with our prefix that is not a setting, so that typos are noticed."""
    known = _variables(model)
    ours = {name: _place_of(name) for name in sorted(environ) if _is_ours(name, environ[name])}
    return [_unknown(name, place, known) for name, place in ours.items() if _pattern(place, known) is None]


def unknown_keys(model: type[BaseModel], tree: Mapping[str, object], file: Path | None) -> list[str]:
    """Return one line for each key at the top of the file that is no section and no setting, letter for letter."""
    known = list(dict(places(model)))
    return [_unknown_key((name,), known, file) for name in tree if name not in model.model_fields]


def file_variables(model: type[BaseModel], environ: Mapping[str, str | None]) -> dict[str, SettingPath]:
    """Return the variables that name a secret's file, each with the secret's place."""
    known = [place for place, secret in places(model) if secret]
    ours = {name: _place_of(name) for name in environ if name.upper().startswith(PREFIX)}
    named = {name: (*place[:-1], place[-1].removesuffix(FILE_SUFFIX)) for name, place in ours.items()}
    return {name: secret for name, secret in named.items() if secret != ours[name] and _pattern(secret, known)}


def problem_lines(
    error: ValidationError, model: type[BaseModel], environ: Mapping[str, str], file: Path | None
) -> list[str]:
    """Return one readable line for each problem, naming the variable and the key in the file."""
    known = list(dict(places(model)))
    details = error.errors(include_input=False, include_url=False, include_context=False)
    details.sort(key=lambda detail: detail["type"] != "extra_forbidden")  # a misspelt key first: others follow from it
    return list(dict.fromkeys(_problem(detail, known, environ, file) for detail in details))


def _section(annotation: Any) -> tuple[type[BaseModel] | None, bool]:  # noqa: ANN401 - an annotation can be anything
    if get_origin(annotation) is dict:
        return _section(get_args(annotation)[1])[0], True
    return (annotation, False) if isinstance(annotation, type) and issubclass(annotation, BaseModel) else (None, False)


def _holds_secret(annotation: Any) -> bool:  # noqa: ANN401 - an annotation can be anything
    return annotation is SecretStr or any(_holds_secret(inner) for inner in get_args(annotation))


def _variables(model: type[BaseModel]) -> list[SettingPath]:
    known = list(places(model))
    files = [(*place[:-1], place[-1] + FILE_SUFFIX) for place, secret in known if secret]
    return [*(place for place, _ in known), *files, *map(_place_of, NO_SETTINGS)]


def _place_of(variable: str) -> SettingPath:
    return tuple(variable.upper().removeprefix(PREFIX).lower().split("__"))


def _is_ours(name: str, value: str) -> bool:
    injected = "__" not in name and (_INJECTED_NAME.search(name) or _INJECTED_VALUE.match(value))
    return name.upper().startswith(PREFIX) and not injected


def _pattern(place: SettingPath, known: list[SettingPath]) -> SettingPath | None:
    """Return the known place that this one is an instance of."""
    for pattern in known:
        if len(pattern) == len(place) and all(a in {ANY, b} for a, b in zip(pattern, place, strict=True)):
            return pattern
    return None


def _unknown(name: str, place: SettingPath, known: list[SettingPath]) -> str:
    account = place[1] if len(place) > 1 else "name"
    names = [variable_of(tuple(account if part == ANY else part for part in pattern)) for pattern in known]
    word = name.upper().removeprefix(PREFIX)
    return f"{name} is not a setting" + _did_you_mean(word, [each.removeprefix(PREFIX) for each in names], PREFIX)


def _did_you_mean(word: str, words: list[str], prefix: str = "", between: str = "__") -> str:
    head, dots, last = word.rpartition(between)
    sections = {each.rpartition(between)[0] for each in words}
    if head not in sections and (section := difflib.get_close_matches(head, sorted(sections), n=1)):
        return _did_you_mean(f"{section[0]}{dots}{last}", words, prefix, between)
    renamed = f"{head}{dots}{RENAMED.get(last.lower(), '')}".lower()
    close = [each for each in words if each.lower() == renamed] or difflib.get_close_matches(word, words, n=1)
    return f": did you mean {prefix}{close[0]}?" if close else "; `smsbus check --print` lists all settings"


def _problem(detail: Mapping[str, Any], known: list[SettingPath], environ: Mapping[str, str], file: Path | None) -> str:
    place = tuple(part for part in detail["loc"] if isinstance(part, str))
    if detail["type"] == "extra_forbidden":
        return _unknown_key(place, known, file)
    if place[-1] == "[key]":
        return f"{_named(place[:-1], environ, file)}: its name is lower-case letters and digits, with _ between"
    if detail["type"] == "missing":
        return f"{_named(place, environ, file)} is missing"
    return f"{_named(place, environ, file)}: {_sentence(place, detail)}"


def _sentence(place: SettingPath, detail: Mapping[str, Any]) -> str:
    if detail["type"] == "string_pattern_mismatch" and place[-1] in SHAPES:
        return SHAPES[place[-1]]
    text: str = FORMS.get(detail["type"], detail["msg"])
    return text.removeprefix("Value error, ").replace("Input should be", "it must be")


def _unknown_key(place: SettingPath, known: list[SettingPath], file: Path | None) -> str:
    meant = known if len(place) > 1 else [pattern[:1] for pattern in known]
    keys = {".".join(_instance(pattern, place)) for pattern in meant if len(pattern) == len(place)}
    return f"{'.'.join(place)} in {file} is not a setting" + _did_you_mean(
        ".".join(place).lower(), sorted(keys), between="."
    )


def _instance(pattern: SettingPath, place: SettingPath) -> SettingPath:
    return tuple(name if part == ANY else part for part, name in zip(pattern, place, strict=True))


def _named(place: SettingPath, environ: Mapping[str, str], file: Path | None) -> str:
    if variable := set_variable(place, environ):
        return variable
    return f"{variable_of(place)} ({'.'.join(place)} in {file})" if file else variable_of(place)
