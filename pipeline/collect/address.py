"""Check which hosts and network addresses may be requested: URLs of a list are untrusted."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

import urllib3.util

from pipeline.collect.fetch_error import FetchError

ANY_HOST = "*"
"""In a list of allowed hosts: every host."""

_IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


def check_url(url: str, allowed_hosts: Collection[str]) -> str:
    """Return the host of a URL if it may be requested.

    Args:
        url: as untrusted metadata or a redirect has it.
        allowed_hosts: names of hosts, their subdomains included; `ANY_HOST` for all.

    Returns:
        The name of the host, in lower case.

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
    # Programs read these in different ways: one would check a host, and another connect elsewhere.
    if not host or "@" in parts.netloc or any(c in "\\ \x7f" or c < " " for c in url):
        raise FetchError("bad_url", f"{url[:80]!r}")
    if not is_allowed(host, allowed_hosts):
        raise FetchError("wrong_host", host)
    return host


def is_allowed(host: str, allowed_hosts: Collection[str]) -> bool:
    """Return whether a host, or a domain that it is a subdomain of, is in the list."""
    return ANY_HOST in allowed_hosts or any(
        host == name or host.endswith("." + name) for name in allowed_hosts
    )


def resolve(host: str, port: int, *, allow_private: bool) -> list[str]:
    """Return the addresses of a host that may be connected to, in the order of the resolver.

    Args:
        host: its name, or an address.
        port: to connect to.
        allow_private: whether to allow the loopback and private networks; link-local addresses,
            where clouds keep their secrets, are refused all the same.

    Raises:
        FetchError: `private_address` if it has no allowed address.
        OSError: if the name cannot be resolved.
    """
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(info[4][0]) for info in infos))
    allowed = [address for address in addresses if _is_allowed_address(address, allow_private)]
    if not allowed:
        raise FetchError("private_address", f"{host} is {', '.join(addresses)[:100]}")
    return allowed


def _is_allowed_address(text: str, allow_private: bool) -> bool:
    address = _embedded_ipv4(ipaddress.ip_address(text.partition("%")[0]))
    if address.is_multicast or address.is_link_local or address.is_unspecified:
        return False
    return address.is_global or (allow_private and (address.is_private or address.is_loopback))


def _embedded_ipv4(address: _IPAddress) -> _IPAddress:
    """Return the IPv4 address that an IPv6 address embeds, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo and address.teredo[1]
    return address.ipv4_mapped or address.sixtofour or teredo or address


def urllib3_agrees(url: str, host: str) -> bool:
    """Return whether urllib3, which connects, reads the same host in a URL as `check_url` did."""
    return (urllib3.util.parse_url(url).host or "").strip("[]").lower() == host
