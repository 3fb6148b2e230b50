"""Which hosts and which network addresses may be asked: a list of URLs is not to be trusted."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

import urllib3.util

from pipeline.collect.fetch_error import FetchError

ANY = "*"
"""In a list of allowed hosts: every host."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


def host_of(url: str, allowed: Collection[str]) -> str:
    """The host of a URL that may be asked for.

    Args:
        url: as untrusted metadata or a redirect has it.
        allowed: names of hosts, their subdomains included; `ANY` for all.

    Returns:
        Its name, in lower case.

    Raises:
        FetchError: `wrong_scheme`, `bad_url` or `wrong_host`.
    """
    try:
        parts = urlsplit(url)
        scheme, host, _ = parts.scheme, parts.hostname or "", parts.port
    except ValueError as error:
        raise FetchError("bad_url", f"{error}: {url[:80]!r}") from error
    if scheme not in ("http", "https"):
        raise FetchError("wrong_scheme", f"{url[:80]!r}")
    # What programs read in different ways, so that one checks what the other does not ask for.
    if not host or "@" in parts.netloc or any(c in "\\ \x7f" or c < " " for c in url):
        raise FetchError("bad_url", f"{url[:80]!r}")
    if ANY not in allowed and not any(is_within(host, name) for name in allowed):
        raise FetchError("wrong_host", host)
    return host


def is_within(host: str, name: str) -> bool:
    """Whether a host has this name, or is a subdomain of it."""
    return host == name or host.endswith("." + name)


def resolve(host: str, port: int, *, allow_private: bool) -> list[str]:
    """The addresses of a host that may be connected to, in the order of the resolver.

    Args:
        host: its name, or an address.
        port: to connect to.
        allow_private: whether to allow the loopback and private networks; link-local addresses,
            where clouds keep their secrets, are refused all the same.

    Raises:
        FetchError: `private_address` where there are others alone.
        OSError: where the name cannot be resolved.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    good = [address for address in addresses if _may_be_asked(address, allow_private)]
    if not good:
        raise FetchError("private_address", f"{host} is {', '.join(addresses)[:100]}")
    return good


def _may_be_asked(text: str, allow_private: bool) -> bool:
    address = _inner(ipaddress.ip_address(text.partition("%")[0]))
    if address.is_multicast or address.is_link_local or address.is_unspecified:
        return False
    return address.is_global or (allow_private and (address.is_private or address.is_loopback))


def _inner(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo and address.teredo[1]
    return address.ipv4_mapped or address.sixtofour or teredo or address


def same_host(url: str, host: str) -> bool:
    """Whether the library that connects reads the same host in a URL as `host_of` did."""
    return (urllib3.util.parse_url(url).host or "").strip("[]").lower() == host
