"""Why no broker responds: try a connection to each configured address, and say why it fails.

aiokafka's clients only report "unable to bootstrap", and log the reason elsewhere.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from bus.kafka.client import VARIABLE, away, options
from bus.settings import KafkaSettings

CONNECT_MS: Final = 3_000
PROTOCOL: Final = "SMSBUS_KAFKA__SECURITY_PROTOCOL"


class CertificateFault(IntEnum):
    """What is wrong with a certificate, as OpenSSL numbers it (X509_V_ERR_…)."""

    NOT_YET = 9
    EXPIRED = 10
    SELF_SIGNED = 18
    WRONG_NAME = 62
    WRONG_ADDRESS = 64


async def why_away(kafka: KafkaSettings) -> str:
    """Return one sentence about what fails and which setting fixes it; nothing is changed on the brokers.

    Of several addresses it is about the one where the connection got furthest.
    """
    try:
        told = options(kafka)
    except OSError as error:
        return str(error)
    del told["bootstrap_servers"]
    reasons = await asyncio.gather(*(_reason(kafka, server, told) for server in kafka.servers))
    _, text = max(reasons)
    return text or str(away(kafka))


async def _reason(kafka: KafkaSettings, server: str, told: Mapping[str, Any]) -> tuple[int, str]:
    """Return how far a connection to this address got, and the sentence about it."""
    host, _, port = server.rpartition(":")
    host = host.strip("[]")
    try:
        connection = await create_conn(host, int(port), request_timeout_ms=CONNECT_MS, **told)
    except Exception as error:  # noqa: BLE001 - whatever it is, the person is told of it
        return _said(kafka, server, host, error)
    return await _answers(server, connection)


async def _answers(server: str, connection: AIOKafkaConnection) -> tuple[int, str]:
    try:
        await connection.send(MetadataRequest([]))
    except (KafkaError, TimeoutError):
        return 2, f"{server} closes the connection after a request: does it want a login? See {PROTOCOL}"
    finally:
        connection.close()
    return 0, ""


def _said(kafka: KafkaSettings, server: str, host: str, error: Exception) -> tuple[int, str]:
    match error:
        case UnsupportedSaslMechanismError() | AuthenticationFailedError() | SaslAuthenticationFailed():
            return 4, _of_login(kafka, server, error)
        case ssl.SSLError():
            return 3, _of_tls(kafka, server, host, error)
        case KafkaConnectionError() | ConnectionResetError():
            return 2, _of_its_end(kafka, server, error)
        case socket.gaierror():
            text = f"the name {host} cannot be resolved ({VARIABLE}): is it correct, and known to this machine's DNS?"
            return 1, text
        case _:
            return 0, ""  # nothing listens there: reported once for all addresses


def _of_login(kafka: KafkaSettings, server: str, error: Exception) -> str:
    if isinstance(error, UnsupportedSaslMechanismError):
        wanted = f"SMSBUS_KAFKA__SASL_MECHANISM={kafka.sasl_mechanism}"
        return f"{server} does not offer this way to log in: {wanted} is not enabled there"
    user = f"SMSBUS_KAFKA__SASL_PLAIN_USERNAME={kafka.sasl_plain_username}"
    return f"{server} refuses the login of {user}: are the name and the password correct, and known there?"


def _of_its_end(kafka: KafkaSettings, server: str, error: Exception) -> str:
    if isinstance(error.__cause__, ssl.SSLError):
        return _of_our_certificate(kafka, server)
    if kafka.security_protocol in {"SSL", "SASL_SSL"}:
        return _speaks_no_tls(kafka, server)
    return f"{server} closes the connection: does it want TLS? {PROTOCOL} is {kafka.security_protocol}"


def _of_tls(kafka: KafkaSettings, server: str, host: str, error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {server}{_of_their_certificate(kafka, host, error)}"
    if "WRONG_VERSION_NUMBER" in str(error.reason):
        return _speaks_no_tls(kafka, server)
    return f"TLS with {server} fails ({error.reason or error}): see SMSBUS_KAFKA__SSL_…"


def _of_their_certificate(kafka: KafkaSettings, host: str, error: ssl.SSLCertVerificationError) -> str:
    authority = kafka.ssl_cafile or "the system's authorities, since SMSBUS_KAFKA__SSL_CAFILE is not set"
    match error.verify_code:
        case CertificateFault.WRONG_NAME | CertificateFault.WRONG_ADDRESS:
            return (
                f" is not for the name {host}: use a name that it is for in {VARIABLE} "
                "(`openssl s_client` shows them), or have it made for this one, too"
            )
        case CertificateFault.EXPIRED:
            return ", or that of its authority, has expired: renew it, or correct this machine's clock"
        case CertificateFault.NOT_YET:
            return ", or that of its authority, is not valid yet: correct this machine's clock, or have it made anew"
        case CertificateFault.SELF_SIGNED:
            return (
                f" is signed by itself, and not in {authority}: "
                "set SMSBUS_KAFKA__SSL_CAFILE to that certificate, or have it signed by an authority"
            )
        case _:
            return (
                f" is not signed by {authority} ({error.verify_message}): "
                "set SMSBUS_KAFKA__SSL_CAFILE to the authority that signed it"
            )


def _speaks_no_tls(kafka: KafkaSettings, server: str) -> str:
    return f"{server} does not use TLS, but {PROTOCOL}={kafka.security_protocol} needs it: is it another port?"


def _of_our_certificate(kafka: KafkaSettings, server: str) -> str:
    if kafka.ssl_certfile is None:
        return f"{server} wants a client certificate: set SMSBUS_KAFKA__SSL_CERTFILE and SMSBUS_KAFKA__SSL_KEYFILE"
    refused = f"{server} does not accept the client certificate {kafka.ssl_certfile}"
    return f"{refused}: has it expired, or is its issuer unknown there?"
