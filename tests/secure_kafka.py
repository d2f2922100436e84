"""A real Apache Kafka that clients reach over TLS only: with a certificate of their own, or with a password."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, NamedTuple

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509 import load_pem_x509_certificate

from app.local_kafka.config import HOST, ClientPorts
from tests.kafka_fixtures import TestKafka, free_client_ports, running_kafka

Mechanism = Literal["mtls", "PLAIN", "SCRAM-SHA-512"]
MECHANISMS: Final[tuple[Mechanism, ...]] = ("mtls", "PLAIN", "SCRAM-SHA-512")
USER, PASSWORD = "smsbus", "a-password-of-the-tests"
USERS: Final = (USER, "receiver", "pollers", "inbox", "forward", "nobody")
# As real ones are, with what a shell and a subject must escape. A unit that is not named gets a `#`, which Java escapes
# wherever it stands, and OpenSSL at the beginning only.
ORGANIZATION: Final = {"organization_name": "Müller & Sons, Inc.", "organization_unit_name": "SMS"}
LOGIN_MODULES: Final = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule required "
    + " ".join(f'user_{name}="{PASSWORD}"' for name in USERS)
    + ";",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
}


class User(NamedTuple):
    """One of `USERS`."""

    name: str
    """By which ACLs name it, without `User:`."""
    settings: dict[str, str]
    """With which it comes in, besides those of the cluster."""


@dataclass(frozen=True)
class SecureKafka:
    """The cluster, and what a client of ours must be told."""

    kafka: TestKafka
    settings: dict[str, str]
    """By the setting's name without SMSBUS_: those of `USER`."""
    users: Mapping[str, User] = field(default_factory=dict)


@contextmanager
def secure_kafka(directory: Path, mechanism: Mechanism) -> Iterator[SecureKafka]:
    """Run one node whose clients must come in this way; `kafka.bootstrap_servers` is open, for who checks.

    `USER` may do everything, others nothing that an administrator has not allowed.
    """
    [port] = free_client_ports(1)
    certificates = Certificates(directory, trustme.CA())
    users = {user: _user(user, mechanism, certificates) for user in USERS}
    told = certificates.for_brokers() | _login(mechanism) | _authorizer(users[USER].name)
    with running_kafka(directory / "kafka", 1, clients={1: ClientPorts(port, port)}, more=told) as kafka:
        if mechanism == "SCRAM-SHA-512":
            _give_passwords(kafka)
        address = {"KAFKA__BOOTSTRAP_SERVERS": f"{HOST}:{port}"}
        yield SecureKafka(kafka, address | certificates.for_clients(mechanism) | _credentials(mechanism), users)


@contextmanager
def sasl_ssl_kafka(directory: Path) -> Iterator[SecureKafka]:
    """Run three nodes whose clients must come in over TLS, with a password and with a certificate of their own.

    They may do what they want with whatever there are no ACLs for.
    """
    ports = free_client_ports(3)
    certificates = Certificates(directory, trustme.CA())
    told = certificates.for_brokers() | _login("PLAIN")
    told |= _authorizer() | {"allow.everyone.if.no.acl.found": "true"}
    told["listener.name.client.ssl.client.auth"] = "required"
    clients = {number: ClientPorts(port, port) for number, port in enumerate(ports, 1)}
    with running_kafka(directory / "kafka", 3, clients=clients, more=told) as kafka:
        servers = {"KAFKA__BOOTSTRAP_SERVERS": ",".join(f"{HOST}:{port}" for port in ports)}
        yield SecureKafka(kafka, servers | certificates.for_clients("mtls") | _credentials("PLAIN"))


def renew(settings: Mapping[str, str]) -> None:
    """Put new certificates of a new authority into the files of a Kafka whose clients have these settings."""
    Certificates(Path(settings["KAFKA__SSL_CAFILE"]).parent, trustme.CA())


class Certificates:
    """Made on the spot, in files."""

    def __init__(self, directory: Path, authority: trustme.CA) -> None:
        self.authority = directory / "ca.pem"
        self.broker = directory / "broker.pem"
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        authority.cert_pem.write_to_path(str(self.authority))
        of_broker = authority.issue_cert(HOST, "localhost")
        self.broker.write_bytes(_pkcs8(of_broker) + b"".join(each.bytes() for each in of_broker.cert_chain_pems))
        for user in USERS:
            client = authority.issue_cert("smsbus.example", common_name=user, **ORGANIZATION)
            self.of(user).write_bytes(b"".join(each.bytes() for each in client.cert_chain_pems))
            self.of(user).with_suffix(".key").write_bytes(_pkcs8(client))

    def of(self, user: str) -> Path:
        """Return the certificate of a client; its key lies beside it."""
        return self.directory / f"{user}.pem"

    def for_brokers(self) -> dict[str, object]:
        """What a node is told."""
        stores = {"keystore": self.broker, "truststore": self.authority}
        files = {f"ssl.{name}.location": path for name, path in stores.items()}
        return {**files, **{f"ssl.{name}.type": "PEM" for name in stores}}

    def for_clients(self, mechanism: Mechanism) -> dict[str, str]:
        """What our settings are."""
        return {"KAFKA__SSL_CAFILE": str(self.authority)} | (self.own(USER) if mechanism == "mtls" else {})

    def own(self, user: str) -> dict[str, str]:
        """What the settings of this client alone are."""
        key = self.of(user).with_suffix(".key")
        return {"KAFKA__SSL_CERTFILE": str(self.of(user)), "KAFKA__SSL_KEYFILE": str(key)}


def _pkcs8(certificate: trustme.LeafCert) -> bytes:
    """Java reads no other private keys."""
    key = load_pem_private_key(certificate.private_key_pem.bytes(), None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _user(user: str, mechanism: Mechanism, certificates: Certificates) -> User:
    if mechanism != "mtls":
        return User(user, {"KAFKA__SASL_PLAIN_USERNAME": user})
    certificate = load_pem_x509_certificate(certificates.of(user).read_bytes())
    return User(certificate.subject.rfc4514_string(), certificates.own(user))


def _authorizer(*administrators: str) -> dict[str, object]:
    """Whoever comes in by the open port may do everything, too: so does the node itself."""
    names = [json.dumps(name)[1:-1] for name in ("ANONYMOUS", *administrators)]  # a properties file's escapes
    return {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": ";".join(f"User:{name}" for name in names),
    }


def _login(mechanism: Mechanism) -> dict[str, object]:
    protocol = "SSL" if mechanism == "mtls" else "SASL_SSL"
    told: dict[str, object] = {
        "listener.security.protocol.map": f"PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,CLIENT:{protocol}"
    }
    if mechanism == "mtls":
        return told | {"listener.name.client.ssl.client.auth": "required"}
    module = f"listener.name.client.{mechanism.lower()}.sasl.jaas.config"
    return told | {"listener.name.client.sasl.enabled.mechanisms": mechanism, module: LOGIN_MODULES[mechanism]}


def _credentials(mechanism: Mechanism) -> dict[str, str]:
    if mechanism == "mtls":
        return {"KAFKA__SECURITY_PROTOCOL": "SSL"}
    return {
        "KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA__SASL_MECHANISM": mechanism,
        "KAFKA__SASL_PLAIN_USERNAME": USER,
        "KAFKA__SASL_PLAIN_PASSWORD": PASSWORD,
    }


def _give_passwords(kafka: TestKafka) -> None:
    """All at once: each takes a Java of its own."""
    [node] = kafka.nodes
    config = f"SCRAM-SHA-512=[password={PASSWORD}]"
    options = ("--bootstrap-server", kafka.bootstrap_servers, "--alter", "--add-config", config)
    tool = node.command("kafka.admin.ConfigCommand", *options, "--entity-type", "users", "--entity-name")
    running = [subprocess.Popen([*tool, user], stdout=subprocess.DEVNULL) for user in USERS]
    assert [each.wait(timeout=60) for each in running] == [0] * len(USERS)
