"""A real Apache Kafka that clients reach over TLS only: with a certificate of their own, or with a password."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from app.local_kafka.config import HOST, ClientPorts
from tests.kafka_fixtures import TestKafka, free_client_ports, running_kafka

Mechanism = Literal["mtls", "PLAIN", "SCRAM-SHA-512"]
MECHANISMS: Final[tuple[Mechanism, ...]] = ("mtls", "PLAIN", "SCRAM-SHA-512")
USER, PASSWORD = "smsbus", "a-password-of-the-tests"
LOGIN_MODULES: Final = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule required "
    + " ".join(f'user_{name}="{PASSWORD}"' for name in (USER, "door", "pollers", "nobody"))
    + ";",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
}


AUTHORIZER: Final[dict[str, object]] = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",  # whoever comes in by the open port, and the node itself
}


@dataclass(frozen=True)
class SecureKafka:
    """The cluster, and what a client of ours must be told."""

    kafka: TestKafka
    settings: dict[str, str]
    """By the setting's name without SMSBUS_."""


@contextmanager
def secure_kafka(directory: Path, mechanism: Mechanism, *, acls: bool = False) -> Iterator[SecureKafka]:
    """Run one node whose clients must come in this way; `kafka.bootstrap_servers` is open, for who checks.

    `acls`: who comes in may do nothing that an administrator has not allowed.
    """
    [port] = free_client_ports(1)
    authority = trustme.CA()
    certificates = Certificates(directory, authority)
    told = certificates.for_brokers() | _login(mechanism) | (AUTHORIZER if acls else {})
    with running_kafka(directory / "kafka", 1, clients={1: ClientPorts(port, port)}, more=told) as kafka:
        if mechanism == "SCRAM-SHA-512":
            _give_password(kafka)
        address = {"KAFKA__BOOTSTRAP_SERVERS": f"{HOST}:{port}"}
        yield SecureKafka(kafka, address | certificates.for_clients(mechanism) | _credentials(mechanism))


@contextmanager
def sasl_ssl_kafka(directory: Path) -> Iterator[SecureKafka]:
    """Run three nodes whose clients must come in over TLS, with a password and with a certificate of their own."""
    ports = free_client_ports(3)
    certificates = Certificates(directory, trustme.CA())
    told = certificates.for_brokers() | _login("PLAIN")
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
        self.client, self.key = directory / "client.pem", directory / "client.key"
        directory.mkdir(exist_ok=True)
        authority.cert_pem.write_to_path(str(self.authority))
        of_broker, of_client = authority.issue_cert(HOST, "localhost"), authority.issue_cert("smsbus.example")
        self.broker.write_bytes(_pkcs8(of_broker) + b"".join(each.bytes() for each in of_broker.cert_chain_pems))
        self.client.write_bytes(b"".join(each.bytes() for each in of_client.cert_chain_pems))
        self.key.write_bytes(_pkcs8(of_client))

    def for_brokers(self) -> dict[str, object]:
        """What a node is told."""
        stores = {"keystore": self.broker, "truststore": self.authority}
        files = {f"ssl.{name}.location": path for name, path in stores.items()}
        return {**files, **{f"ssl.{name}.type": "PEM" for name in stores}}

    def for_clients(self, mechanism: Mechanism) -> dict[str, str]:
        """What our settings are."""
        own = {"KAFKA__SSL_CERTFILE": str(self.client), "KAFKA__SSL_KEYFILE": str(self.key)}
        return {"KAFKA__SSL_CAFILE": str(self.authority)} | (own if mechanism == "mtls" else {})


def _pkcs8(certificate: trustme.LeafCert) -> bytes:
    """Java reads no other private keys."""
    key = load_pem_private_key(certificate.private_key_pem.bytes(), None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


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


def _give_password(kafka: TestKafka) -> None:
    [node] = kafka.nodes
    config = f"SCRAM-SHA-512=[password={PASSWORD}]"
    options = ("--alter", "--add-config", config, "--entity-type", "users", "--entity-name", USER)
    command = node.command("kafka.admin.ConfigCommand", "--bootstrap-server", kafka.bootstrap_servers, *options)
    subprocess.run(command, check=True, capture_output=True, timeout=60)
