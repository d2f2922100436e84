"""The files of an installation. Pure: text from answers."""

import json
from importlib.resources import files as resources
from string import Template
from typing import Final, NamedTuple

from app.init.answers import Answers, secrets_of

MARK: Final = "Written by `smsbus init`"
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
RECEIVER: Final = 8080
ADMIN: Final = 8081
USERS: Final = 'u smsbus - "smsbus" /var/lib/smsbus\n'
KAFKA_USER: Final = 'u smsbus-kafka - "Apache Kafka for smsbus" /var/lib/smsbus-kafka\n'


class File(NamedTuple):
    """A file by its path below the directory, or below the root of the machine."""

    path: str
    text: str
    mode: int = 0o644

    @property
    def is_secret(self) -> bool:
        """Whether its text must not be shown."""
        return self.mode == PRIVATE


def files_of(answers: Answers) -> list[File]:
    """Return all files but those of secrets."""
    return _of_systemd(answers) if answers.form == "systemd" else _of_compose(answers)


def folder_of_secrets(answers: Answers) -> str:
    """Return where the files of secrets are."""
    return f"{ETC}/secrets" if answers.form == "systemd" else "secrets"


def _of_systemd(answers: Answers) -> list[File]:
    local = answers.has_own_kafka
    after_kafka = f" {KAFKA}" if local else ""
    sandbox = _template("sandbox.conf").template
    values = {"program": answers.program, "sandbox": sandbox, "after_kafka": after_kafka}
    units = [SERVICE, SOCKET, *([KAFKA] if local else [])]
    variables = {"SMSBUS_CONFIG": f"/{ETC}/smsbus.toml"} | {
        each.variable: f"/{folder_of_secrets(answers)}/{each.name}" for each in secrets_of(answers)
    }
    return [
        File(SETTINGS, _settings(answers), OF_GROUP),
        File(VARIABLES, f"# {MARK}.\n" + "".join(f"{name}={value}\n" for name, value in variables.items())),
        *_caddyfiles(answers, CADDYFILE, "127.0.0.1"),
        *(File(f"{UNITS}/{name}", _filled(name, values)) for name in units),
        File(SYSUSERS, f"# {MARK}.\n{USERS}{KAFKA_USER if local else ''}"),
        File(WRAPPER, _filled("smsbus.sh", values), 0o755),
    ]


def _of_compose(answers: Answers) -> list[File]:
    secrets, local, has_caddy = secrets_of(answers), answers.has_own_kafka, answers.proxy == "caddy"
    volumes = ["journal", *(["kafka-data"] if local else []), *(["caddy-data", "caddy-config"] if has_caddy else [])]
    values = {
        "image": answers.image,
        "kafka": _filled("compose.kafka.yaml", {"image": answers.image}) if local else "",
        "after_kafka": "    depends_on:\n      topics: {condition: service_completed_successfully}\n" if local else "",
        "variables": "\n".join(f"      {each.variable}: /run/secrets/{each.name}" for each in secrets),
        "secrets": ", ".join(each.name for each in secrets),
        "secret_files": "\n".join(f"  {each.name}: {{file: ./secrets/{each.name}}}" for each in secrets),
        "caddy": _template("compose.caddy.yaml").template if has_caddy else "",
        "volumes": "\n".join(f"  {name}:" for name in volumes),
    }
    return [
        File("smsbus.toml", _settings(answers)),
        *_caddyfiles(answers, "Caddyfile", "smsbus"),
        File("compose.yaml", _filled("compose.yaml", values)),
    ]


def _settings(answers: Answers) -> str:
    """Return smsbus.toml. In containers ports are published to loopback, and Caddy is in a network of theirs."""
    on_machine = answers.form == "systemd"
    kafka = ("127.0.0.1:9092" if on_machine else "kafka:9092") if answers.has_own_kafka else answers.kafka
    sections: dict[str, dict[str, object]] = {
        "receiver": {
            "host": "127.0.0.1" if on_machine else "0.0.0.0",  # noqa: S104 - of the container
            "port": RECEIVER,
            "public_url": f"https://{answers.domain}",
            "trusted_proxies": ["127.0.0.1/32" if on_machine else "172.16.0.0/12"],
        },
        "admin": {"host": "127.0.0.1" if on_machine else "0.0.0.0", "port": ADMIN},  # noqa: S104 - as above
        "kafka": {"bootstrap_servers": kafka},
        "log": {"format": "json"},
        **{f"accounts.{name}": {"provider": provider} for name, provider in answers.accounts.items()},
    }
    lines = [f"# {MARK}. Secrets are in files of their own.", 'data_dir = "/var/lib/smsbus"']
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
