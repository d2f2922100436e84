"""The files of an installation. Pure: text from answers."""

import json
import re
from collections.abc import Mapping
from importlib.resources import files as resources
from string import Template
from typing import Final, NamedTuple

from app.init.answers import Answers, secrets_of
from app.init.seal import MARK, sealed

ETC: Final = "etc/smsbus"
CADDYFILE: Final = "etc/caddy/Caddyfile"
WRAPPER: Final = "usr/local/bin/smsbus"
SYSUSERS: Final = "etc/sysusers.d/smsbus.conf"
UNITS: Final = "etc/systemd/system"
SERVICE: Final = "smsbus.service"
SOCKET: Final = "smsbus.socket"
KAFKA: Final = "smsbus-kafka.service"
VARIABLES: Final = f"{ETC}/smsbus.env"
SETTINGS: Final = f"{ETC}/smsbus.toml"
PRIVATE: Final = 0o600
OF_GROUP: Final = 0o640  # `smsbus check` warns of settings that everybody may read
_PROVIDER_OF: Final = re.compile(r"^SMSBUS_ACCOUNTS__(\w+?)__PROVIDER=(.*)$", re.MULTILINE)
_DOMAIN: Final = re.compile(r"^SMSBUS_RECEIVER__PUBLIC_URL=https://(.*)$", re.MULTILINE)
RECEIVER: Final = 8080
ADMIN: Final = 8081
USERS: Final = 'u smsbus - "smsbus" /var/lib/smsbus\n'
KAFKA_USER: Final = 'u smsbus-kafka - "Apache Kafka for smsbus" /var/lib/smsbus-kafka\n'


class File(NamedTuple):
    """A file by its path below the directory, or below the root of the machine."""

    path: str
    text: str
    mode: int = 0o644
    is_persons: bool = False
    """Whether it is written where it is missing, and never changed after that."""

    @property
    def is_secret(self) -> bool:
        """Whether its text must not be shown."""
        return self.mode == PRIVATE


class Installed(NamedTuple):
    """What the variables of an installation say of its answers."""

    accounts: Mapping[str, str]
    """The provider by name."""
    domain: str | None


def installed_by(variables: str) -> Installed:
    """Return the answers that the text of `VARIABLES` was made of; empty: nothing is installed."""
    accounts = {name.lower(): provider for name, provider in _PROVIDER_OF.findall(variables)}
    domain = _DOMAIN.search(variables)
    return Installed(accounts, domain and domain[1])


def files_of(answers: Answers) -> list[File]:
    """Return all files but those of secrets."""
    found = _of_systemd(answers) if answers.form == "systemd" else _of_compose(answers)
    return [file if file.is_persons else file._replace(text=sealed(file.text)) for file in found]


def folder_of_secrets(form: str) -> str:
    """Return where the files of secrets are."""
    return f"{ETC}/secrets" if form == "systemd" else "secrets"


def settings_path(answers: Answers) -> str:
    """Return where smsbus.toml is."""
    return SETTINGS if answers.form == "systemd" else "smsbus.toml"


def _of_systemd(answers: Answers) -> list[File]:
    local = answers.has_own_kafka
    after_kafka = f" {KAFKA}" if local else ""
    sandbox = _template("sandbox.conf").template
    values = {"program": answers.program, "sandbox": sandbox, "after_kafka": after_kafka}
    units = [SERVICE, SOCKET, *([KAFKA] if local else [])]
    variables = {"SMSBUS_CONFIG": f"/{SETTINGS}", **_variables(answers)} | {
        each.variable: f"/{folder_of_secrets(answers.form)}/{each.name}" for each in secrets_of(answers)
    }
    return [
        File(SETTINGS, _settings(answers), OF_GROUP, is_persons=True),
        File(
            VARIABLES,
            f"# {MARK}. Your own settings go to /{SETTINGS}.\n"
            + "".join(f"{name}={value}\n" for name, value in variables.items()),
        ),
        *_caddyfiles(answers, CADDYFILE, "127.0.0.1"),
        *(File(f"{UNITS}/{name}", _filled(name, values)) for name in units),
        File(SYSUSERS, f"# {MARK}.\n{USERS}{KAFKA_USER if local else ''}"),
        File(WRAPPER, _filled("smsbus.sh", values), 0o755),
    ]


def _of_compose(answers: Answers) -> list[File]:
    secrets, local, has_caddy = secrets_of(answers), answers.has_own_kafka, answers.proxy == "caddy"
    variables = _variables(answers) | {each.variable: f"/run/secrets/{each.name}" for each in secrets}
    volumes = ["journal", *(["kafka-data"] if local else []), *(["caddy-data", "caddy-config"] if has_caddy else [])]
    values = {
        "image": json.dumps(answers.image),
        "kafka": _filled("compose.kafka.yaml", {"image": json.dumps(answers.image)}) if local else "",
        "after_kafka": "    depends_on:\n      topics: {condition: service_completed_successfully}\n" if local else "",
        "variables": "\n".join(f"      {name}: {value}" for name, value in variables.items()),
        "secrets": ", ".join(each.name for each in secrets),
        "secret_files": "\n".join(f"  {each.name}: {{file: ./secrets/{each.name}}}" for each in secrets),
        "caddy": _template("compose.caddy.yaml").template if has_caddy else "",
        "volumes": "\n".join(f"  {name}:" for name in volumes),
    }
    return [
        File("smsbus.toml", _settings(answers), is_persons=True),
        *_caddyfiles(answers, "Caddyfile", "smsbus"),
        File("compose.yaml", _filled("compose.yaml", values)),
    ]


def _variables(answers: Answers) -> dict[str, str]:
    """Return the settings that are of the answers: in variables, which win over smsbus.toml."""
    own = "127.0.0.1:9092" if answers.form == "systemd" else "kafka:9092"
    return {
        "SMSBUS_RECEIVER__PUBLIC_URL": f"https://{answers.domain}",
        "SMSBUS_KAFKA__BOOTSTRAP_SERVERS": own if answers.has_own_kafka else answers.kafka,
        **{f"SMSBUS_ACCOUNTS__{name.upper()}__PROVIDER": provider for name, provider in answers.accounts.items()},
    }


def _settings(answers: Answers) -> str:
    """Return the first smsbus.toml. In containers ports are published to loopback, and Caddy is in their network."""
    on_machine = answers.form == "systemd"
    variables = VARIABLES.rpartition("/")[2] if on_machine else "compose.yaml"
    sections: dict[str, dict[str, object]] = {
        "receiver": {
            "host": "127.0.0.1" if on_machine else "0.0.0.0",  # noqa: S104 - of the container
            "port": RECEIVER,
            "trusted_proxies": ["127.0.0.1/32" if on_machine else "172.16.0.0/12"],
        },
        "admin": {"host": "127.0.0.1" if on_machine else "0.0.0.0", "port": ADMIN},  # noqa: S104 - as above
        "log": {"format": "json"},
    }
    lines = [
        f"# {MARK}, and yours from now on: no later run changes it. Secrets are in files of their own.",
        f"# Variables in {variables} win: receiver.public_url, kafka.bootstrap_servers, and each account's provider.",
        'data_dir = "/var/lib/smsbus"',
    ]
    for name, section in sections.items():
        lines += ["", f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in section.items())]
    return "\n".join([*lines, ""])


def _caddyfiles(answers: Answers, path: str, host: str) -> list[File]:
    if answers.proxy == "own":
        return []
    restarts = _template(f"Caddyfile.{answers.form}").template
    values = {"domain": answers.domain, "receiver": f"{host}:{RECEIVER}", "restarts": restarts}
    text = _filled("Caddyfile", values)
    if answers.page_host is not None:
        text += _filled("Caddyfile.page", {"page": answers.page_host, "admin": f"{host}:{ADMIN}"})
    return [File(path, text)]


def _filled(name: str, values: dict[str, str]) -> str:
    return _template(name).substitute(values, mark=MARK)


def _template(name: str) -> Template:
    return Template((resources("app.init") / "templates" / name).read_text("utf-8"))
