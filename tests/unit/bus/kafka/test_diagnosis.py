"""Why no broker answers: what a person is told, without a Kafka. Logins are in `tests/e2e/test_secure_kafka.py`."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from bus.kafka.client import options
from bus.kafka.diagnosis import why_away
from bus.settings import KafkaSettings

LONG_AGO, FAR_AHEAD = datetime(2020, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)


async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@asynccontextmanager
async def listening(context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def self_signed() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kafka")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, LONG_AGO, FAR_AHEAD)
        .add_extension(address, critical=False)
        .sign(key, SHA256())
    )
    return made.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Authority:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._ca = trustme.CA()
        self._ca.cert_pem.write_to_path(str(path))

    def context(self, host: str, **valid: datetime) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(host, **valid).configure_cert(context)
        return context


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ours.pem")


def kafka(server: str, protocol: str = "PLAINTEXT", **more: Any) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=server, security_protocol=protocol, **more)  # type: ignore[arg-type]


@pytest.mark.loopback
async def test_nobody_listens(unused_tcp_port: int) -> None:
    said = await why_away(kafka(f"127.0.0.1:{unused_tcp_port}"))

    assert said.startswith(f"no Kafka broker answers at 127.0.0.1:{unused_tcp_port} (SMSBUS_KAFKA__BOOTSTRAP_SERVERS)")


@pytest.mark.loopback
async def test_a_name_without_an_address() -> None:
    assert "the name nowhere.invalid cannot be resolved" in await why_away(kafka("nowhere.invalid:9092"))


@pytest.mark.loopback
async def test_a_certificate_of_somebody_else_s_authority(ours: Authority, tmp_path: Path) -> None:
    theirs = Authority(tmp_path / "theirs.pem")
    async with listening(ours.context("127.0.0.1")) as server:
        wrong = await why_away(kafka(server, "SSL", ssl_cafile=theirs.path))
        none = await why_away(kafka(server, "SSL"))

    assert f"is not signed by {theirs.path} (" in wrong
    assert "set SMSBUS_KAFKA__SSL_CAFILE to the authority that signed it" in wrong
    assert "is not signed by the system's authorities, since SMSBUS_KAFKA__SSL_CAFILE is not set" in none


@pytest.mark.loopback
@pytest.mark.parametrize(
    ("valid", "is_wrong"),
    [({"not_after": LONG_AGO}, "has expired"), ({"not_before": FAR_AHEAD}, "is not valid yet")],
    ids=["expired", "not yet"],
)
async def test_a_certificate_of_another_time_needs_no_other_authority(
    ours: Authority, valid: dict[str, datetime], is_wrong: str
) -> None:
    async with listening(ours.context("127.0.0.1", **valid)) as server:
        said = await why_away(kafka(server, "SSL", ssl_cafile=ours.path))

    assert said.startswith(f"the certificate of {server}, or that of its authority, {is_wrong}")
    assert "clock" in said
    assert "SMSBUS_KAFKA__SSL_CAFILE" not in said


@pytest.mark.loopback
async def test_a_certificate_that_no_authority_signed(ours: Authority, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    alone = tmp_path / "alone.pem"
    alone.write_bytes(self_signed())
    context.load_cert_chain(alone)
    async with listening(context) as server:
        said = await why_away(kafka(server, "SSL", ssl_cafile=ours.path))
        trusted = await why_away(kafka(server, "SSL", ssl_cafile=alone))

    assert said.startswith(f"the certificate of {server} is signed by itself, and not in {ours.path}")
    assert "SMSBUS_KAFKA__SSL_CAFILE" in said
    assert "is signed by itself" not in trusted


@pytest.mark.loopback
async def test_a_certificate_for_another_name(ours: Authority) -> None:
    async with listening(ours.context("kafka.example")) as server:
        said = await why_away(kafka(server, "SSL", ssl_cafile=ours.path))

    assert f"the certificate of {server} is not for the name 127.0.0.1" in said


@pytest.mark.loopback
async def test_tls_where_none_is_spoken_and_none_where_it_is(ours: Authority) -> None:
    async with listening() as server:
        no_tls = await why_away(kafka(server, "SSL", ssl_cafile=ours.path))
    async with listening(ours.context("127.0.0.1")) as server:
        tls = await why_away(kafka(server))

    assert "does not use TLS, but SMSBUS_KAFKA__SECURITY_PROTOCOL=SSL needs it" in no_tls
    assert "closes the connection: does it want TLS? SMSBUS_KAFKA__SECURITY_PROTOCOL is PLAINTEXT" in tls


@pytest.mark.loopback
async def test_of_several_addresses_the_one_that_was_reached_furthest_is_told_about(
    ours: Authority, unused_tcp_port: int
) -> None:
    async with listening(ours.context("kafka.example")) as server:
        servers = f"127.0.0.1:{unused_tcp_port},{server},nowhere.invalid:9092"
        said = await why_away(kafka(servers, "SSL", ssl_cafile=ours.path))

    assert "is not for the name 127.0.0.1" in said


@pytest.mark.parametrize("wrong", ["ssl_cafile", "ssl_certfile", "ssl_keyfile"])
async def test_of_several_files_the_one_that_cannot_be_used_is_named(
    tmp_path: Path, ours: Authority, wrong: str
) -> None:
    issued = trustme.CA().issue_cert("smsbus.example")
    certificate, key, bad = tmp_path / "client.pem", tmp_path / "client.key", tmp_path / "no.pem"
    certificate.write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    bad.write_text("no certificate")
    files = {"ssl_cafile": ours.path, "ssl_certfile": certificate, "ssl_keyfile": key}

    said = await why_away(kafka("x:1", "SSL", **files | {wrong: bad}))

    assert said.startswith(f"SMSBUS_KAFKA__{wrong.upper()}={bad} cannot be used (")
    assert said.count("=") == 1
    assert options(kafka("x:1", "SSL", **files))["ssl_context"] is not None


@pytest.mark.parametrize(("password", "usable"), [("hunter2", True), ("wrong", False), (None, False)])
def test_an_encrypted_key_needs_its_password_and_asks_nobody_for_it(
    tmp_path: Path, password: str | None, usable: bool
) -> None:
    certificate, key = tmp_path / "client.pem", tmp_path / "client.key"
    issued = trustme.CA().issue_cert("smsbus.example")
    certificate.write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    private = load_pem_private_key(issued.private_key_pem.bytes(), None)
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hunter2")))
    settings = kafka("x:1", "SSL", ssl_certfile=certificate, ssl_keyfile=key, ssl_password=password)

    if usable:
        assert options(settings)["ssl_context"] is not None
    else:
        with pytest.raises(OSError, match="an encrypted key needs SMSBUS_KAFKA__SSL_PASSWORD"):
            options(settings)
