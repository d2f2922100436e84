"""Targets' URLs as people write them, and the addresses that a request may go to."""

import ipaddress
import socket
from collections.abc import Callable, Iterable
from typing import Any, Final

from yarl import URL

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
STANDING_FOR_IPV4: Final = tuple(
    map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96"))
)
"""Networks of translators, and an obsolete one: an IPv4 address is in the last four bytes."""
NOT_PUBLIC: Final = tuple(
    map(ipaddress.ip_network, ("fec0::/10", "192.0.0.0/24", "192.88.99.0/24", "3fff::/20", "5f00::/16"))
)
"""Networks that are not public, and that `ipaddress` of Python 3.11 takes for public ones."""
OF_CLOUDS: Final = tuple(map(ipaddress.ip_network, ("fd00:ec2::/32", "fd20:ce::/32")))
"""Private networks at whose addresses AWS and Google hand out credentials, as they do at link-local ones."""
HOW: Final = "write it as https://example.com/hook, or localhost:3000/hook"


class Forbidden(OSError):
    """No request may go to this address."""


def target_url(text: str) -> URL:
    """Return the URL of a target. Without a scheme it is http for this machine, else https. Raises `ValueError`."""
    try:
        has_scheme = "://" in text.partition("?")[0]
        url = URL(text if has_scheme else f"https://{text}")
        port, host = url.port, url.host or ""
    except ValueError:
        raise ValueError(HOW) from None
    if url.scheme not in {"http", "https"} or not host or not port or set(text) & set(" \t\r\n"):
        raise ValueError(HOW)
    if _is_odd_number(host) or not _can_be_user(url):
        raise ValueError(HOW)
    if not has_scheme and is_this_machine(host):
        return URL(f"http://{text}").with_fragment(None)
    return url.with_fragment(None)


def is_this_machine(host: str) -> bool:
    """Tell whether a host is a name or an address of loopback."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _is_odd_number(host: str) -> bool:
    """Tell whether a host is an address as no standard writes it (`127.1`): the HTTP client cannot connect to it."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host.replace(".", "").isdigit()
    return False


def _can_be_user(url: URL) -> bool:
    """Tell whether Basic authentication can carry the URL's user and password."""
    try:
        f"{url.user}{url.password}".encode("latin-1")
    except UnicodeEncodeError:
        return False
    return ":" not in (url.user or "")


def is_allowed(text: str, *, private: bool) -> bool:
    """Tell whether requests may go to this address; `private`: also to this machine and to private networks.

    Never to link-local addresses, and to those like them: clouds hand out credentials there.
    """
    address = _plain(ipaddress.ip_address(text.partition("%")[0]))
    if address.is_link_local or address.is_multicast or str(address) == "255.255.255.255" or _is_in(address, OF_CLOUDS):
        return False
    return private or (address.is_global and not _is_in(address, NOT_PUBLIC))


def _is_in(address: Address, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    return any(address in network for network in networks)


def is_forbidden_host(host: str, *, private: bool) -> bool:
    """Tell whether a URL's host is an address that is not allowed; what a name means is known only when connecting."""
    try:
        return not is_allowed(host, private=private)
    except ValueError:
        return False


def guarded(*, private: bool) -> Callable[[tuple[Any, ...]], socket.socket]:
    """Return what makes a connector's sockets: it raises `Forbidden` for an address that is not allowed.

    It sees each address that is connected to, after the name was resolved, so no answer of a name server gets past it.
    """

    def make(found: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, place = found
        if not is_allowed(place[0], private=private):
            raise Forbidden
        return socket.socket(family, kind, protocol)

    return make


def _plain(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped or address.sixtofour:
            return address.ipv4_mapped or address.sixtofour or address
        if _is_in(address, STANDING_FOR_IPV4):
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
