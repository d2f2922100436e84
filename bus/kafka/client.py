"""How every Kafka client of ours connects, and what we say when nobody answers."""

import ssl
from typing import Any, Final

from aiokafka import errors
from aiokafka.helpers import create_ssl_context

from bus.settings import KafkaSettings

# How a question to bad brokers ends. RuntimeError: uvloop's `write` to a closing connection (aiokafka issue 1038).
FAILURES: Final = (errors.KafkaError, TimeoutError, RuntimeError)
VARIABLE: Final = "SMSBUS_KAFKA__BOOTSTRAP_SERVERS"


class KafkaAway(Exception):
    """No broker answers. The text is a whole sentence for the person who can change that."""

    safe_to_log = True


def options(kafka: KafkaSettings) -> dict[str, Any]:
    """Return what any aiokafka client needs to reach and to trust the brokers.

    Raises OSError, whose text is a sentence, when a certificate file cannot be used.
    """
    return {
        "bootstrap_servers": kafka.servers,
        "security_protocol": kafka.security_protocol,
        "ssl_context": _ssl_context(kafka),
        **_sasl(kafka),
    }


def away(kafka: KafkaSettings) -> KafkaAway:
    """Return the exception for brokers that do not answer at the configured addresses."""
    hint = "is it running, and is the address right?"
    return KafkaAway(f"no Kafka broker answers at {kafka.bootstrap_servers} ({VARIABLE}): {hint}")


def _ssl_context(kafka: KafkaSettings) -> ssl.SSLContext | None:
    if kafka.security_protocol not in {"SSL", "SASL_SSL"}:
        return None
    # Never None: OpenSSL would ask on the terminal, and wait for somebody to type.
    password = kafka.ssl_password.get_secret_value() if kafka.ssl_password else ""
    try:
        context: ssl.SSLContext = create_ssl_context(
            cafile=kafka.ssl_cafile, certfile=kafka.ssl_certfile, keyfile=kafka.ssl_keyfile, password=password
        )
    except ssl.SSLError as error:
        raise OSError(_unusable(kafka, error)) from None
    return context


def _unusable(kafka: KafkaSettings, error: ssl.SSLError) -> str:
    names = ("ssl_cafile", "ssl_certfile", "ssl_keyfile")
    files = ", ".join(f"SMSBUS_KAFKA__{name.upper()}={value}" for name in names if (value := getattr(kafka, name)))
    return f"one of {files} cannot be used ({error.reason or error}); an encrypted key needs SMSBUS_KAFKA__SSL_PASSWORD"


def _sasl(kafka: KafkaSettings) -> dict[str, Any]:
    if kafka.security_protocol not in {"SASL_PLAINTEXT", "SASL_SSL"}:
        return {}
    password = kafka.sasl_plain_password
    return {
        "sasl_mechanism": kafka.sasl_mechanism,
        "sasl_plain_username": kafka.sasl_plain_username,
        "sasl_plain_password": password.get_secret_value() if password else None,
    }
