"""All settings, read from the environment and from smsbus.toml. No other file reads settings from the environment."""

import asyncio
import os
import re
import tomllib
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Final

from platformdirs import user_data_dir
from pydantic import BaseModel, Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from app.settings.file_reading import Files, Pause, secrets_of, settled
from app.settings.names import (
    CONFIG,
    FILE_SUFFIX,
    PREFIX,
    TOKEN,
    URL,
    SettingPath,
    SettingsError,
    file_variables,
    problem_lines,
    set_variable,
    unknown_keys,
    unknown_variables,
)
from app.settings.sections import (
    Account,
    AccountName,
    AdminSettings,
    HeartbeatSettings,
    LogSettings,
    NotifySettings,
    listed_if_text,
)
from bus.settings import BusSettings, Directory, KafkaSettings
from forwarding.settings import ForwardSettings
from inbox.settings import InboxSettings
from pollers.settings import PollersSettings
from receiver.settings import PingMeAccount, ReceiverSettings

FILE: Final = Path("smsbus.toml")
VERSION: Final = 1
"""Of the settings. A file of another version is for another smsbus; what its settings mean there is not known here."""
OTHER_VERSION: Final = (
    f"{{}}: settings_version is not {VERSION}, so it is for another version of smsbus: run that one (docs/upgrading.md)"
)
TOKENS: Final = {
    "SMSBUS_ADMIN__TOKEN": "token",
    "SMSBUS_ADMIN__READ_TOKEN": "read_token",
    "SMSBUS_ADMIN__READ_ACCOUNTS": "read_accounts",
}
LOOPBACK_OF: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asyncio lets `::` hear IPv6 alone


def origin_of(host: str, port: int) -> str:
    """Return the URL of a listener; an address of IPv6 needs brackets in it."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class _Tokens(BaseModel):
    """The part of the settings that `tokens_of_environment` reads."""

    admin: AdminSettings


class Settings(BaseSettings):
    """All settings. Read with `load`."""

    model_config = SettingsConfigDict(
        env_prefix="SMSBUS_",
        env_nested_delimiter="__",
        enable_decoding=False,  # lists are comma lists, not JSON
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )

    of_file: ClassVar[dict[str, Any]] = {}  # what smsbus.toml says

    settings_version: int = Field(VERSION, ge=VERSION, le=VERSION)
    # For the journal and the local Kafka, which must outlive the process, unless a section sets another directory.
    data_dir: Directory = Field(default_factory=lambda: Path(user_data_dir("smsbus")))
    kafka: KafkaSettings = KafkaSettings()
    bus: BusSettings = Field(default_factory=BusSettings)
    receiver: ReceiverSettings = ReceiverSettings()
    pollers: PollersSettings = PollersSettings()
    inbox: InboxSettings = InboxSettings()
    admin: AdminSettings = AdminSettings()
    log: LogSettings = LogSettings()
    notify: NotifySettings = NotifySettings()
    heartbeat: HeartbeatSettings = HeartbeatSettings()
    accounts: dict[AccountName, Account] = Field(default_factory=dict)
    forwards: dict[AccountName, ForwardSettings] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _as_people_write(cls, tree: dict[str, Any]) -> dict[str, Any]:
        """Put the journal under a data directory that was chosen; take apart a comma list of another's section."""
        tree = {"bus": {}, "receiver": {}, **tree}
        bus, receiver = tree["bus"], tree["receiver"]
        if "data_dir" in tree and isinstance(bus, dict) and "\0" not in str(tree["data_dir"]):
            with suppress(RuntimeError, TypeError):  # its own validator says what is wrong with it
                tree["bus"] = {"journal_dir": Path(tree["data_dir"]).expanduser() / "journal", **bus}
        if isinstance(receiver, dict) and "trusted_proxies" in receiver:
            tree["receiver"] = {**receiver, "trusted_proxies": listed_if_text(receiver["trusted_proxies"])}
        return tree

    @field_validator("admin")
    @classmethod
    def _another_port(cls, admin: AdminSettings, seen: ValidationInfo) -> AdminSettings:
        receiver = seen.data.get("receiver")
        if receiver is not None and receiver.port == admin.port != 0:
            hosts = {receiver.host, admin.host}
            if len(hosts) == 1 or hosts & LOOPBACK_OF.keys():
                message = "its port is receiver.port, too (8081 and 8080 where they are not set): they must differ"
                raise ValueError(message)
        return admin

    @field_validator("accounts")
    @classmethod
    def _distinct_tokens(cls, accounts: dict[str, Account]) -> dict[str, Account]:
        owners: dict[str, list[str]] = {}
        for name in sorted(accounts):
            for token in accounts[name].callback_tokens:
                owners.setdefault(token.get_secret_value(), []).append(name)
        if shared := next((names for names in owners.values() if len(names) > 1), None):
            message = f"a callback token is given twice, in {' and '.join(shared)}: each selects one account"
            raise ValueError(message)
        return accounts

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables win over smsbus.toml; the secrets that `load` read from files come in as arguments."""
        del dotenv_settings, file_secret_settings
        if isinstance(env_settings, EnvSettingsSource):
            files = file_variables(settings_cls, env_settings.env_vars)
            env_settings.env_vars = {
                name: value.strip() if value else value  # as a file's: a Kubernetes secret often ends with a newline
                for name, value in env_settings.env_vars.items()
                if name not in files
            }
        return env_settings, init_settings, InitSettingsSource(settings_cls, cls.of_file)

    def pingme_accounts(self) -> list[PingMeAccount]:
        """Return the accounts that the receiver serves."""
        return [
            PingMeAccount(name=name, tokens=account.callback_tokens, user_id=account.user_id)
            for name, account in self.accounts.items()
            if account.provider == "pingme"
        ]

    def callback_url(self, token: str, port: int | None = None) -> str:
        """Return the callback URL with this token; without `receiver.public_url` the local one."""
        host = "localhost" if self.receiver.host in {"0.0.0.0", "::"} else self.receiver.host  # noqa: S104 - compared
        origin = self.receiver.public_url or origin_of(host, port or self.receiver.port)
        return f"{origin.rstrip('/')}/v1/pingme/{token}"

    def admin_url(self) -> str:
        """Return the URL of the admin listener for commands on this machine."""
        host = LOOPBACK_OF.get(self.admin.host, self.admin.host)
        return origin_of(host, self.admin.port)

    def secrets(self) -> list[str]:
        """Return every secret value, only to keep them out of logs."""
        return [secret.get_secret_value() for secret in _secrets(self)]


def load(config: Path | None = None) -> Settings:
    """Read the settings: variables win over `config`, else SMSBUS_CONFIG, else ./smsbus.toml where it exists.

    Raises `SettingsError` with one line for each problem; no line contains a value.
    """
    return settings_of(files(config))


def findable(config: Path | None = None) -> Settings | None:
    """Return, of settings that are wrong, what a service that runs with older ones is found by: data_dir and [admin].

    Lines of smsbus.toml that are no TOML are left out. None: these are wrong, too, or a variable is.
    """
    try:
        found = files(config)
        secrets = secrets_of(found, file_variables(Settings, os.environ), os.environ)
        tree = _parsed_by_line(found)

        class Findable(Settings):
            of_file: ClassVar = {name: tree[name] for name in ("data_dir", "admin") if name in tree}

        return Findable(**{name: secrets[name] for name in secrets if name == "admin"})
    except (SettingsError, ValidationError):
        return None


def files(config: Path | None = None) -> Files:
    """Read the files that `load` reads. Raises `SettingsError` when a given one does not exist."""
    return Files.read(config_file(config), secret_files())


def secret_files() -> Iterator[str]:
    """Yield the files that variables like `SMSBUS_ADMIN__TOKEN_FILE` name."""
    return (os.environ[name] for name in sorted(file_variables(Settings, os.environ)))


def settings_of(files: Files) -> Settings:
    """Return the settings of these files and of the environment; raises as `load` does."""
    if lines := unknown_variables(Settings, os.environ):
        raise SettingsError(lines)
    secrets = secrets_of(files, file_variables(Settings, os.environ), os.environ)
    file = Path(files.config) if files.config is not None else None

    tree = _parsed(files)
    lines = unknown_keys(Settings, tree, file)

    class Configured(Settings):
        of_file: ClassVar = {name: tree[name] for name in tree if name in Settings.model_fields}

    try:
        settings = Configured(**secrets)
    except ValidationError as error:
        raise SettingsError(lines + problem_lines(error, Settings, os.environ, file)) from None
    if lines:
        raise SettingsError(lines)
    return settings


def _parsed(files: Files) -> dict[str, Any]:
    if files.config is None:
        return {}
    file = files.each[files.config]
    if file.problem is not None:
        raise SettingsError([f"{files.config} cannot be read: {file.problem}"])
    try:
        tree = tomllib.loads(file.text)
    except tomllib.TOMLDecodeError as error:  # with line and column
        raise SettingsError([f"{files.config}: {error}"]) from None
    if tree.get("settings_version", VERSION) != VERSION:
        raise SettingsError([OTHER_VERSION.format(files.config)])
    return tree


def _parsed_by_line(files: Files) -> dict[str, Any]:
    """Return what smsbus.toml has in lines that are TOML by themselves; nothing where these are none together."""
    text = files.each[files.config].text if files.config is not None else ""
    return _toml("\n".join(line for line in text.splitlines() if _toml(line) is not None)) or {}


def _toml(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


Read = tuple[Settings, Files]


def reader(config: Path | None = None, pause: Pause = asyncio.sleep) -> Callable[[], Awaitable[Read]]:
    """Return a function that reads the settings again as `load` does, once nobody writes the files; and the files.

    It raises `SettingsError`, too, when the file of now is no longer there (an editor may be about to replace it), for
    what is no regular file, and when reading takes seconds.
    """
    file = config_file(config)

    def read() -> Files:
        if file is not None and not file.exists():
            raise SettingsError([f"{file} is not there any longer"])
        return Files.read(file or config_file(config), secret_files(), only_regular=True)

    async def again() -> Read:
        found = await settled(read, pause)
        return await asyncio.to_thread(settings_of, found), found

    return again


def config_file(config: Path | None = None) -> Path | None:
    """Return the file that `load` reads. Raises `SettingsError` for one that is named, or found, and is no file."""
    named = config or (Path(os.environ[CONFIG]) if os.environ.get(CONFIG) else None)
    if named is None and not os.path.lexists(FILE):
        return None
    file = named or FILE
    if not file.is_file():
        problem = "is not there" if not file.exists() else "is a directory" if file.is_dir() else "is no regular file"
        why = f"it was named by {'--config' if config else CONFIG}" if named else "move it away to start without one"
        raise SettingsError([f"{file} {problem}: {why}"])
    return file


def process_environment() -> MutableMapping[str, str]:
    """Return the environment, for what is no setting of ours: variables of the service manager."""
    return os.environ


def take_root_as_home() -> None:
    """Set HOME, for this process and those that it starts."""
    os.environ["HOME"] = "/"


def data_dir_of_environment() -> Path:
    """Return `data_dir` for a command that reads no settings."""
    return Path(os.environ.get("SMSBUS_DATA_DIR") or user_data_dir("smsbus")).expanduser()


def client_variables() -> tuple[str | None, str | None]:
    """Return the URL and the token of the service that a client's commands are to ask."""
    return os.environ.get(URL, "").strip() or None, os.environ.get(TOKEN, "").strip() or None


def tokens_of_environment() -> AdminSettings:
    """Return the tokens that variables set, for a command that reads no other settings. Raises `SettingsError`."""
    given = {field: os.environ[name].strip() for name, field in TOKENS.items() if os.environ.get(name)}
    try:
        return _Tokens.model_validate({"admin": given}).admin
    except ValidationError as error:
        raise SettingsError(problem_lines(error, _Tokens, os.environ, None)) from None


def unused_variables() -> list[str]:
    """Return the variables of ours that such a command does not use."""
    return sorted(name for name in os.environ if name.upper().startswith(PREFIX) and name not in {*TOKENS, URL, TOKEN})


def variable_in_charge(place: SettingPath) -> str | None:
    """Return the variable that overrides this place in smsbus.toml; None: the file decides."""
    return set_variable(place, os.environ)


def file_in_charge(variable: str) -> str | None:
    """Return the file that this variable names; None: it contains the setting itself."""
    return os.environ.get(variable) if variable.endswith(FILE_SUFFIX.upper()) else None


def _secrets(value: object) -> Iterator[SecretStr]:
    match value:
        case SecretStr():
            yield value
        case BaseModel():
            for name in type(value).model_fields:
                yield from _secrets(getattr(value, name))
        case dict():
            for item in value.values():
                yield from _secrets(item)
        case Sequence() if not isinstance(value, str):
            for item in value:
                yield from _secrets(item)


def leaves(settings: Settings) -> Iterator[tuple[str, object]]:
    """Yield each setting's key and its value."""
    yield from _leaves((), settings)


def shown(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield each setting's key and its value for display: secrets are masked."""
    for key, value in leaves(settings):
        match value:
            case tuple():
                yield key, ", ".join(map(str, value))
            case None:
                yield key, ""
            case _:
                yield key, without_secrets(str(value))


def without_secrets(address: str) -> str:
    """Return a URL without its user, password and query, which may be secret; any other text as it is."""
    return re.sub(r"^(https?://)(?:[^/@\s?]*@)?([^?\s]*)(\?\S*)?$", _masked, address)


def _masked(found: re.Match[str]) -> str:
    user = "***@" if "@" in found[0].split("/")[2].split("?")[0] else ""
    return found[1] + user + found[2] + ("?***" if found[3] else "")


def _leaves(place: SettingPath, value: object) -> Iterator[tuple[str, object]]:
    match value:
        case BaseModel():
            for name in type(value).model_fields:
                yield from _leaves((*place, name), getattr(value, name))
        case dict():
            for name, item in value.items():
                yield from _leaves((*place, str(name)), item)
        case _:
            yield ".".join(place), value
