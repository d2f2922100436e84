"""What an installation is to be: asked once, kept in `init.toml` beside its files, without a secret."""

import json
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from app.settings.sections import POLLED, AccountName
from schemas import fields

FILE: Final = "init.toml"
SSH: Final = "ssh"
LOCAL: Final = "local"
ACCOUNTS: Final = "shop=pingme"
HOST: Final = re.compile(
    r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
)  # no address, no localhost
HOST_LENGTH: Final = 253
ADDRESS: Final = re.compile(r"(?:[\w.-]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})", re.ASCII)
PORTS: Final = range(1, 65536)
FORM: Final = "systemd"
QUESTIONS: Final = {
    "form": "How it runs: systemd or compose",
    "domain": "Host name of this machine for callbacks, with a DNS record that points here",
    "accounts": "Accounts, NAME=PROVIDER, separated by commas",
    "page": "How the page is reached: ssh (a tunnel), or a host name of its own",
}
FLAGS: Final = {"form": "--systemd or --compose", "accounts": "--account"}
"""The flag of an answer, where it is not `--` and the answer's name."""
EXAMPLES: Final = {
    "form": "one of the two is needed",
    "domain": "a host name like sms.example.org is needed (an international one as xn--…)",
    "page": "ssh, or a host name like page.example.org is needed, another one than for callbacks",
    "accounts": "NAME=PROVIDER is needed, a name of lower-case letters and digits with _ between, and one of "
    + ", ".join(fields.PROVIDERS),
    "kafka": "HOST:PORT is needed, or local",
    "program": "an absolute path is needed",
}

Ask = Callable[[str, str | None], str]
"""Asks a person a question, with a default or without."""


class InitError(Exception):
    """It cannot be written or installed like this. The text says what to change, and never a secret."""

    safe_to_log = True


def _host(value: str) -> str:
    name = value.lower()
    if len(name) > HOST_LENGTH or HOST.fullmatch(name) is None:
        message = "not a host name with a dot"
        raise ValueError(message)
    return name


def _servers(value: str) -> str:
    found = [ADDRESS.fullmatch(each) for each in value.split(",")]
    if value != LOCAL and not all(each is not None and int(each[1]) in PORTS for each in found):
        message = "not HOST:PORT"
        raise ValueError(message)
    return value


class Answers(BaseModel):
    """The answers."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    form: Literal["systemd", "compose"]
    domain: Annotated[str, AfterValidator(_host)]
    accounts: Annotated[dict[AccountName, Annotated[str, AfterValidator(fields.known_provider)]], Field(min_length=1)]
    page: str = SSH
    kafka: Annotated[str, AfterValidator(_servers)] = LOCAL
    proxy: Literal["caddy", "own"] = "caddy"
    program: Annotated[str, Field(pattern=r"^/[\w./+-]+$")] = "/opt/smsbus/bin/smsbus"
    image: Annotated[str, Field(pattern=r"^[\w./:@-]+$")] = "smsbus:local"

    @field_validator("page")
    @classmethod
    def _ssh_or_another_host(cls, value: str, info: ValidationInfo) -> str:
        page = value if value == SSH else _host(value)
        if page == info.data.get("domain"):
            message = "the same host name as for callbacks"
            raise ValueError(message)
        return page

    @property
    def has_own_kafka(self) -> bool:
        """Whether a Kafka on this machine belongs to it."""
        return self.kafka == LOCAL

    @property
    def page_host(self) -> str | None:
        """The page's host name; None: it is reached with ssh."""
        return None if self.page == SSH else self.page

    def as_toml(self) -> str:
        """Return what `kept` reads."""
        plain = {name: value for name, value in self.model_dump().items() if name != "accounts"}
        lines = [f"{name} = {json.dumps(value)}" for name, value in plain.items()]
        accounts = [f"{name} = {json.dumps(provider)}" for name, provider in self.accounts.items()]
        return "\n".join(["# The answers of `smsbus init`.", *lines, "", "[accounts]", *accounts, ""])


class Secret(NamedTuple):
    """A secret of an installation."""

    name: str
    """Of its file."""
    variable: str
    """What names the file to the service."""
    key_of: str | None
    """The polled account whose key it is, which only a person knows; None: it is generated."""


def secrets_of(answers: Answers) -> list[Secret]:
    """Return the secrets that the installation needs."""
    found = []
    for account, provider in answers.accounts.items():
        name, key_of = ("api_key", account) if provider in POLLED else ("callback_tokens", None)
        variable = f"SMSBUS_ACCOUNTS__{account.upper()}__{name.upper()}_FILE"
        found.append(Secret(f"{account}.{name}", variable, key_of))
    if answers.form == "compose":  # published to loopback, so its listener is not bound to loopback in the container
        found.append(Secret("admin.token", "SMSBUS_ADMIN__TOKEN_FILE", None))
    return found


def kept(directory: Path) -> dict[str, Any]:
    """Return the answers that an earlier run has left there; empty: none has. Raises `InitError`."""
    try:
        return tomllib.loads((directory / FILE).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:  # no TOML, or no UTF-8
        message = f"{directory / FILE}: {error}"
        raise InitError(message) from None


def accounts_of(text: str) -> dict[str, str]:
    """Parse `shop=pingme,grizzly=grizzlysms`. Raises `InitError` for a name that is there twice."""
    parted = [each.partition("=") for each in text.split(",")]
    found = {name.strip(): provider.strip() for name, _, provider in parted}
    if len(found) < len(parted):
        message = "--account: a name is given twice"
        raise InitError(message)
    return found


def accounts_after(before: Mapping[str, str], added: Mapping[str, str], removed: Collection[str]) -> dict[str, str]:
    """Return the accounts of before without those removed, and those added. Raises `InitError`."""
    for name in removed:
        if name not in before:
            message = f"--remove-account: there is no account {name}; there are: {', '.join(before) or 'none'}"
            raise InitError(message)
    stay = {name: provider for name, provider in before.items() if name not in removed}
    for name, provider in added.items():
        if stay.get(name, provider) != provider:
            message = f"--account: {name} is of {stay[name]}: take another name, or add --remove-account {name}"
            raise InitError(message)
    if removed and not stay and not added:
        message = "--remove-account: the last account stays, unless --account adds another"
        raise InitError(message)
    return {**stay, **added}


def complete(
    given: Mapping[str, Any],
    before: Mapping[str, Any],
    ask: Ask | None,
    *,
    takes_defaults: bool,
    removed: Collection[str] = (),
) -> Answers:
    """Return all answers: those of the flags, else those of before, else defaults, else those to questions.

    Accounts are added to those of before, but for those `removed`. `ask` is None where nobody can be asked. Raises
    `InitError` that names the flag of what is missing or wrong.
    """
    tree: dict[str, Any] = {**before, **given}
    there = before.get("accounts")
    if isinstance(there, dict) or removed:
        added = accounts_of(given["accounts"]) if "accounts" in given else {}
        tree["accounts"] = accounts_after(there or {}, added, removed)
    for name, default in (("form", FORM), ("domain", None), ("accounts", ACCOUNTS), ("page", SSH)):
        if name not in tree:
            tree[name] = _answer(name, default, tree, ask, takes_defaults=takes_defaults)
    if isinstance(tree["accounts"], str):
        tree["accounts"] = accounts_of(tree["accounts"])
    if wrong := _wrong(tree):
        raise InitError("\n".join(f"{_flag(name)}: {EXAMPLES.get(name, 'unknown')}" for name in wrong))
    return Answers.model_validate(tree)


def _wrong(tree: Mapping[str, Any]) -> list[str]:
    """Return the names of the answers that are wrong, or missing."""
    try:
        Answers.model_validate(tree)
    except ValidationError as error:
        return list(dict.fromkeys(str(each["loc"][0]) for each in error.errors(include_input=False)))
    return []


def _answer(name: str, default: str | None, tree: Mapping[str, Any], ask: Ask | None, *, takes_defaults: bool) -> str:
    if takes_defaults and default is not None:
        return default
    if ask is None or takes_defaults:
        message = f"{_flag(name)} is missing, and there is nobody to ask. {QUESTIONS[name]}"
        raise InitError(message)
    answer = ask(QUESTIONS[name], default).strip()
    while name in _wrong({**tree, name: _accounts_or_none(answer) if name == "accounts" else answer}):
        answer = ask(f"{EXAMPLES[name]}. {QUESTIONS[name]}", default).strip()
    return answer


def _accounts_or_none(text: str) -> dict[str, str] | None:
    try:
        return accounts_of(text)
    except InitError:
        return None


def _flag(name: str) -> str:
    return FLAGS.get(name, f"--{name}")
