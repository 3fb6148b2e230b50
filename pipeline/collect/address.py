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
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(*prefixes: str) -> tuple[_Network, ...]:
    return tuple(ipaddress.ip_network(prefix) for prefix in prefixes)


# Three tables, looked through in this order. They are written out, since what `ipaddress` calls
# global changes with the version of Python; the tests hold them against IANA's registries.

_METADATA = _networks(  # where clouds keep the secrets of a machine: refused whatever is allowed
    "169.254.0.0/16",  # link-local: AWS, Azure, Google, Oracle, Tencent, Scaleway and others
    "fe80::/10",  # link-local: OpenStack and others
    "168.63.129.16/32",  # Azure's WireServer
    "100.100.100.200/32",  # Alibaba
    "fd00:100::100:200/128",  # Alibaba
    "192.0.0.192/32",  # Oracle Cloud Classic
    "fd00:c1::a9fe:a9fe/128",  # Oracle
    "fd00:ec2::/32",  # AWS: metadata, credentials of pods, and other services of its own
    "fd20:ce::254/128",  # Google
    "fd00:42::42/128",  # Scaleway
    "fd00:a9fe:a9fe::1/128",  # Akamai, formerly Linode
)
_PRIVATE = _networks(  # allowed with `allow_private`
    "127.0.0.0/8",  # loopback
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",  # unique local
    "100.64.0.0/10",  # shared by the customers of a provider; VPNs give it to their machines
    "198.18.0.0/15",  # benchmarking; proxies answer with it in place of a host's own address
)
_SPECIAL = _networks(  # no web server is there
    "0.0.0.0/8",
    "192.0.0.0/24",  # protocol assignments
    "192.0.2.0/24",  # documentation
    "192.88.99.0/24",  # relays of 6to4
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, and broadcast
    # All IPv6 but global unicast, 2000::/3: 5f00::/16, fec0::/10, 64:ff9b:1::/48, multicast, ...
    "::/3",
    "4000::/2",
    "8000::/1",
    "2001::/23",  # protocol assignments, benchmarking
    "2001:db8::/32",  # documentation
    "3fff::/20",  # documentation
)

# Prefixes of IPv6 addresses whose last 32 bits are the IPv4 address that packets end up at.
_EMBEDS_IPV4 = _networks(
    "::/96",  # IPv4-compatible
    "::ffff:0:0/96",  # IPv4-mapped
    "::ffff:0:0:0/96",  # IPv4-translated, RFC 2765
    "64:ff9b::/96",  # NAT64, RFC 6052
)


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
        allow_private: whether to allow the loopback and private networks; link-local addresses and
            the metadata services of clouds are refused all the same.

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
    address = ipaddress.ip_address(text.partition("%")[0])
    embedded = _embedded_ipv4(address)
    return all(_is_allowed(each, allow_private) for each in embedded or (address,))


def _is_allowed(address: _IPAddress, allow_private: bool) -> bool:
    if _is_in(_METADATA, address):
        return False
    if _is_in(_PRIVATE, address):
        return allow_private
    return not _is_in(_SPECIAL, address)


def _embedded_ipv4(address: _IPAddress) -> tuple[ipaddress.IPv4Address, ...]:
    """Return the IPv4 addresses that an IPv6 address embeds, which decide about it."""
    if isinstance(address, ipaddress.IPv4Address) or address.is_loopback:
        return ()
    if _is_in(_EMBEDS_IPV4, address):
        return (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF),)
    if address.sixtofour:
        return (address.sixtofour,)
    return address.teredo or ()  # of its server, and of the client behind it


def _is_in(networks: tuple[_Network, ...], address: _IPAddress) -> bool:
    return any(address in network for network in networks)


def urllib3_agrees(url: str, host: str) -> bool:
    """Return whether urllib3, which connects, reads the same host in a URL as `check_url` did."""
    return (urllib3.util.parse_url(url).host or "").strip("[]").lower() == host
