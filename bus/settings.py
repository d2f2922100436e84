"""Settings of Kafka and of the bus. Values only: `app/settings` reads the environment."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from platformdirs import user_data_dir
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

T = TypeVar("T")
MIB = 1024 * 1024
_HOST = re.compile(r"[^\s:\[\]]+|\[[0-9A-Fa-f:.%]+\]")  # an address of IPv6 stands in brackets
_PORT = re.compile(r"[0-9]{1,5}")


def _expanded(path: Path) -> Path:
    """Take `~` as a shell does: files of settings, and those of systemd, have none."""
    try:
        return path.expanduser()
    except RuntimeError:
        message = "what stands behind ~ is no user of this machine"
        raise ValueError(message) from None


def _is_path(value: object) -> object:
    """Refuse an empty text, which would be the working directory, and what no path contains."""
    if value == "" or "\0" in str(value):
        message = "the path of a directory is needed; without this setting a default is used"
        raise ValueError(message)
    return value


Directory = Annotated[Path, BeforeValidator(_is_path), AfterValidator(_expanded)]


def _addresses(servers: str) -> str:
    """Accept `host:port,host:port`; a missing port would silently become 9092, so it is required."""
    for server in servers.split(","):
        host, _, port = server.strip().rpartition(":")
        if not _HOST.fullmatch(host) or not _PORT.fullmatch(port) or not 0 < int(port) < 65536:
            message = "write it as host:port, several separated by commas, for example localhost:9092"
            raise ValueError(message)
    return servers


def shown_path(path: str) -> str:
    """Return a path for an error; one that may be a secret put in the wrong place is not repeated."""
    return path if path.startswith(("/", "./", "../")) and path.isprintable() else "that file"


def _file(path: Path) -> Path:
    try:
        if path.is_file():
            return path
        problem = "is not a file" if path.exists() else "does not exist"
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    message = f"{shown_path(str(path))} {problem}"
    raise ValueError(message)


File = Annotated[Path, AfterValidator(_file)]


class KafkaSettings(BaseModel):
    """Kafka's address and our credentials. The names of the security settings are Kafka's own."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    bootstrap_servers: Annotated[str, AfterValidator(_addresses)] = "localhost:9092"
    topic_prefix: str = Field(default="", max_length=100, pattern=r"^[A-Za-z0-9._-]*$")  # what Kafka allows in a name
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    sasl_plain_username: str | None = Field(default=None, validate_default=True)
    sasl_plain_password: SecretStr | None = Field(default=None, validate_default=True)
    ssl_cafile: File | None = None
    ssl_certfile: File | None = None
    ssl_keyfile: File | None = None
    ssl_password: SecretStr | None = None  # of the key; without one an encrypted key stops the start

    @field_validator("sasl_plain_username", "sasl_plain_password")
    @classmethod
    def _logs_in(cls, value: T, seen: ValidationInfo) -> T:
        protocol = str(seen.data.get("security_protocol"))
        if protocol.startswith("SASL") and not value:
            message = f"needed for the login of {protocol}"
            raise ValueError(message)
        return value

    @property
    def servers(self) -> list[str]:
        """The addresses one by one, without blanks."""
        return [server.strip() for server in self.bootstrap_servers.split(",")]

    def topic(self, name: str) -> str:
        """Return the name that the topic has on this installation's brokers."""
        return self.topic_prefix + name


class BusSettings(BaseModel):
    """Limits of how a message waits for Kafka."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    # Must outlive the process: with the default it is the user's data directory, in a container a volume.
    journal_dir: Directory = Field(default_factory=lambda: Path(user_data_dir("smsbus")) / "journal")
    # At 1 KiB an SMS about a million of them: days of an outage for most, small beside any disk.
    journal_max_bytes: int = Field(default=1024 * MIB, ge=16 * 1024)
    # Webhook senders wait 15-30 s; 2 s leaves them time for a retry and outlasts eight spills.
    accept_deadline: PositiveFloat = 2.0
    # A healthy acks=all takes 1-40 ms; a lane that waits 250 ms has a problem, and no sender has noticed yet.
    spill_after: PositiveFloat = 0.25
    # One lane's memory: ten seconds of a thousand SMS a second, reached only together with a spill.
    lane_max_records: PositiveInt = 10_000
    lane_max_bytes: PositiveInt = 8 * MIB
    # Ids of 16 bytes: a few MiB, and at 100 SMS a second still a quarter of an hour of repeats.
    dedup_cache_size: int = Field(default=100_000, ge=0)
    # A journal left by a dead process waits at most this long for another one to adopt it.
    orphan_scan_interval: NonNegativeFloat = 30.0

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.spill_after >= self.accept_deadline:
            message = (
                "bus.spill_after must be below bus.accept_deadline, else the response is 503 before the journal is "
                "tried: lower one or raise the other"
            )
            raise ValueError(message)
        return self
