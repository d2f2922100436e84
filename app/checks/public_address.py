"""What this machine can say of a public address: where its name points, and what certificate is there."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from yarl import URL

from app.checks.finding import Finding
from app.settings.sections import is_loopback

CONNECT_SECONDS: Final = 10.0
MOST_ADDRESSES: Final = 8  # that are asked for their certificate
SOON: Final = timedelta(days=7)  # Caddy and certbot renew when a third is left, of 90 days 30
SOON_PART: Final = 4  # of a short one: that part of its life
PORT_OF: Final = {"http": 80, "https": 443}
HOSTS_FILE: Final = (
    "DNS: {} is {} by this machine's own names (/etc/hosts): what DNS says outside was not asked, and all that "
    "follows is this machine's"
)


async def address_findings(url: URL, now: datetime) -> list[Finding]:
    """Return what is known of the host and its certificate; raises nothing of the network."""
    host, port = url.raw_host or "", url.port or PORT_OF.get(url.scheme, 0)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no host name"
        return [Finding("failed", f"DNS: {host} is not found ({reason}): does it have an A or AAAA record?")]
    addresses = list(dict.fromkeys(str(where[0]) for *_, where in found))
    findings = [*of_addresses(host, addresses)]
    if url.scheme != "https":
        warning = "" if is_loopback(host) else "no TLS: the network can read the token in the URL"
        return [*findings, *([Finding("warning", warning)] if warning else [])]
    return [*findings, *await _certificate_findings(host, addresses[:MOST_ADDRESSES], port, now)]


def of_addresses(host: str, addresses: Sequence[str]) -> Iterator[Finding]:
    """Yield where a name points, and which of the addresses nobody outside reaches."""
    parsed = {each: ipaddress.ip_address(each.partition("%")[0]) for each in addresses}
    if all(each.is_loopback for each in parsed.values()) and not is_loopback(host):
        yield Finding("warning", HOSTS_FILE.format(host, ", ".join(addresses)))
        return
    yield Finding("ok", f"DNS: {host} is {', '.join(addresses)}, as this machine sees it")
    if inside := [each for each, address in parsed.items() if not address.is_global]:
        yield Finding("warning", f"DNS: {', '.join(inside)} cannot be reached from the internet, and so not by PingMe")


async def _certificate_findings(host: str, addresses: Sequence[str], port: int, now: datetime) -> list[Finding]:
    """Return what each address shows: one of two may be another server. None answers: the request says so."""
    told = await asyncio.gather(*(_certificate_finding(host, address, port, now) for address in addresses))
    if not any(told):
        return []
    silent = Finding("warning", f"port {port} does not answer from here")
    by_finding: dict[Finding, list[str]] = {}
    for address, finding in zip(addresses, told, strict=True):
        by_finding.setdefault(finding or silent, []).append(address)
    if len(by_finding) == 1:
        return [*by_finding]
    return [replace(each, text=f"{each.text} (at {', '.join(of)})") for each, of in by_finding.items()]


async def _certificate_finding(host: str, address: str, port: int, now: datetime) -> Finding | None:
    """Return what the server at an address shows; None: nothing answers there."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            context = ssl.create_default_context()
            _, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        return Finding("failed", f"certificate: {error.verify_message.rstrip('.')}")
    except (OSError, TimeoutError):
        return None
    certificate = writer.get_extra_info("peercert") or {}
    writer.close()
    return of_certificate(host, certificate, now)


def of_certificate(host: str, certificate: Mapping[str, Any], now: datetime) -> Finding:
    """Return for whom a valid certificate is, and how long."""
    names = [value for kind, value in certificate.get("subjectAltName", ()) if kind in {"DNS", "IP Address"}]
    begins, ends = (_time(certificate[name]) for name in ("notBefore", "notAfter"))
    left = ends - now
    text = f"certificate: for {', '.join(names) or host}, valid for {left.days} more days, to {ends:%Y-%m-%d}"
    if left < min(SOON, (ends - begins) / SOON_PART):
        return Finding("warning", f"{text}: it should have been renewed by now")
    return Finding("ok", text)


def _time(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)
