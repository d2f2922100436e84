"""What this machine can say of a public address: where its name points, and what certificate is there."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from yarl import URL

from app.checks.finding import Finding
from app.settings.sections import is_loopback

CONNECT_SECONDS: Final = 10.0
SOON: Final = timedelta(days=7)  # Caddy and certbot renew when a third is left, 30 days
PORT_OF: Final = {"http": 80, "https": 443}


async def address_findings(url: URL, now: datetime) -> list[Finding]:
    """Return what is known of the host and its certificate; raises nothing of the network."""
    host, port = url.host or "", url.port or PORT_OF.get(url.scheme, 0)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        return [Finding("failed", f"DNS: {host} is not found ({error.strerror}): does it have an A or AAAA record?")]
    addresses = list(dict.fromkeys(str(where[0]) for *_, where in found))
    findings = [*of_addresses(host, addresses)]
    if url.scheme != "https":
        warning = "" if is_loopback(host) else "no TLS: the network can read the token in the URL"
        return [*findings, *([Finding("warning", warning)] if warning else [])]
    return [*findings, *await _certificate_findings(host, port, now)]


def of_addresses(host: str, addresses: Sequence[str]) -> Iterator[Finding]:
    """Yield where a name points, and which of the addresses nobody outside reaches."""
    yield Finding("ok", f"DNS: {host} is {', '.join(addresses)}, as this machine sees it")
    inside = [each for each in addresses if not ipaddress.ip_address(each.partition("%")[0]).is_global]
    if inside:
        yield Finding("warning", f"DNS: {', '.join(inside)} cannot be reached from the internet, and so not by PingMe")


async def _certificate_findings(host: str, port: int, now: datetime) -> list[Finding]:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        return [Finding("failed", f"certificate: {error.verify_message.rstrip('.')}")]
    except (OSError, TimeoutError):
        return []  # the request says so
    certificate = writer.get_extra_info("peercert") or {}
    writer.close()
    return [of_certificate(host, certificate, now)]


def of_certificate(host: str, certificate: Mapping[str, Any], now: datetime) -> Finding:
    """Return for whom a valid certificate is, and how long."""
    names = [value for kind, value in certificate.get("subjectAltName", ()) if kind in {"DNS", "IP Address"}]
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    left = ends - now
    text = f"certificate: for {', '.join(names) or host}, valid for {left.days} more days, to {ends:%Y-%m-%d}"
    if left < SOON:
        return Finding("warning", f"{text}: it should have been renewed by now")
    return Finding("ok", text)
