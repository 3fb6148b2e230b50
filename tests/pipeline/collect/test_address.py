"""The hosts and addresses that URLs of an untrusted list may lead to."""

import ipaddress
import socket

import numpy as np
import pytest

from pipeline.collect.address import check_url, resolve, urllib3_agrees
from pipeline.collect.fetch_error import FetchError

ALLOWED = ("safebooru.org",)


@pytest.mark.parametrize(
    "url",
    [
        "https://safebooru.org/a.jpg",
        "http://SAFEBOORU.org:8080/a.jpg?1",
        "https://img2.safebooru.org//a.jpg",
    ],
)
def test_allowed_hosts_include_their_subdomains(url: str) -> None:
    assert check_url(url, ALLOWED).endswith("safebooru.org")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("file:///etc/passwd", "wrong_scheme"),
        ("ftp://safebooru.org/a.jpg", "wrong_scheme"),
        ("data:image/png;base64,AAAA", "wrong_scheme"),
        ("//safebooru.org/a.jpg", "wrong_scheme"),
        ("/etc/passwd", "wrong_scheme"),
        ("", "wrong_scheme"),
        ("http://", "bad_url"),
        ("http://[::1/a.jpg", "bad_url"),
        ("http://safebooru.org:port/a.jpg", "bad_url"),
        ("http://safebooru.org@evil.org/a.jpg", "bad_url"),
        ("http://evil.org\\@safebooru.org/a.jpg", "bad_url"),
        ("http://safebooru.org/a b.jpg", "bad_url"),
        ("http://safebooru.org/a\nb.jpg", "bad_url"),
        ("http://evil.org/a.jpg", "wrong_host"),
        ("http://safebooru.org.evil.org/a.jpg", "wrong_host"),
        ("http://notsafebooru.org/a.jpg", "wrong_host"),
        ("http://127.0.0.1/a.jpg", "wrong_host"),
        ("http://2130706433/a.jpg", "wrong_host"),
    ],
)
def test_refused_url_has_its_code(url: str, code: str) -> None:
    with pytest.raises(FetchError) as caught:
        check_url(url, ALLOWED)
    assert caught.value.code == code


def test_star_allows_every_host() -> None:
    assert check_url("http://evil.org/a.jpg", ("*",)) == "evil.org"
    assert check_url("http://cdn.donmai.us/a.jpg", (*ALLOWED, "donmai.us")) == "cdn.donmai.us"


def test_urls_that_urllib3_reads_differently_are_detected() -> None:
    assert urllib3_agrees("http://safebooru.org/a", "safebooru.org")
    assert urllib3_agrees("http://[::1]:80/a", "::1")
    assert not urllib3_agrees("http://evil.org/a", "safebooru.org")


PRIVATE = [
    "127.0.0.1",
    "127.9.9.9",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "198.18.0.1",
    "::1",
    "fc00::1",
    "fd12:3456::1",
]
METADATA = [  # of clouds, and credentials of their containers
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "169.254.0.23",
    "169.254.42.42",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "fd00:c1::a9fe:a9fe",
    "fd00:42::42",
    "fd00:a9fe:a9fe::1",
    "fd00:100::100:200",
    "fe80::a9fe:a9fe%eth0",
]
FORBIDDEN = [
    *METADATA,
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "239.255.255.250",
    "ff02::1",
    "fec0::1",
    "feff::1",
    "4000::1",
    "64:ff9b:1::5db8:d822",
    "64:ff9b:1:5db8:d8:2200::",
]
PUBLIC = [
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.0",
    "168.63.129.15",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:200::1",
    "2606:2800:220:1::1",
    "2a00:1450:4001:80b::200e",
]

# Rows of the IANA IPv4 and IPv6 Special-Purpose Address Registries as of 18 July 2026, and whether
# they are globally reachable; False also where the registry has no word or says N/A.
REGISTRIES = {
    "0.0.0.0/8": False,
    "0.0.0.0/32": False,
    "10.0.0.0/8": False,
    "100.64.0.0/10": False,
    "127.0.0.0/8": False,
    "169.254.0.0/16": False,
    "172.16.0.0/12": False,
    "192.0.0.0/24": False,
    "192.0.0.0/29": False,
    "192.0.0.8/32": False,
    "192.0.0.9/32": True,
    "192.0.0.10/32": True,
    "192.0.0.170/32": False,
    "192.0.0.171/32": False,
    "192.0.2.0/24": False,
    "192.31.196.0/24": True,
    "192.52.193.0/24": True,
    "192.88.99.0/24": False,
    "192.88.99.2/32": False,
    "192.168.0.0/16": False,
    "192.175.48.0/24": True,
    "198.18.0.0/15": False,
    "198.51.100.0/24": False,
    "203.0.113.0/24": False,
    "240.0.0.0/4": False,
    "255.255.255.255/32": False,
    "::1/128": False,
    "::/128": False,
    "::ffff:0:0/96": False,  # judged by the IPv4 address inside
    "64:ff9b::/96": True,  # judged by the IPv4 address inside
    "64:ff9b:1::/48": False,
    "100::/64": False,
    "100:0:0:1::/64": False,
    "2001::/23": False,
    "2001::/32": False,  # judged by the IPv4 addresses inside
    "2001:1::1/128": True,
    "2001:1::2/128": True,
    "2001:1::3/128": True,
    "2001:2::/48": False,
    "2001:3::/32": True,
    "2001:4:112::/48": True,
    "2001:10::/28": False,
    "2001:20::/28": True,
    "2001:30::/28": True,
    "2001:db8::/32": False,
    "2002::/16": False,  # judged by the IPv4 address inside
    "2620:4f:8000::/48": True,
    "3fff::/20": False,
    "5f00::/16": False,
    "fc00::/7": False,
    "fe80::/10": False,
}
JUDGED_INSIDE = ("::ffff:0:0/96", "64:ff9b::/96", "2001::/32", "2002::/16")
# Reachable, but not as web servers: relays and identifiers within protocol assignments.
NO_SERVERS = ("192.0.0.0/24", "2001::/23")


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    infos = [(0, 0, 0, "", (address, 80)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: infos)


def is_allowed(monkeypatch: pytest.MonkeyPatch, address: str, *, allow_private: bool) -> bool:
    resolve_to(monkeypatch, address)
    try:
        return resolve("safebooru.org", 80, allow_private=allow_private) == [address]
    except FetchError:
        return False


def embeddings(ipv4: str) -> list[str]:
    """The IPv6 addresses that stand for an IPv4 address."""
    number = int(ipaddress.IPv4Address(ipv4))
    high, low = number >> 16, number & 0xFFFF
    teredo, inverted = (0x2001 << 112) | (0x5DB8D822 << 64), number ^ 0xFFFFFFFF
    numbers = (teredo | inverted, (0x2001 << 112) | (number << 64) | (0x5DB8D822 ^ 0xFFFFFFFF))
    return [
        f"::{high:x}:{low:x}",
        f"::ffff:{ipv4}",
        f"::ffff:0:{high:x}:{low:x}",
        f"64:ff9b::{high:x}:{low:x}",
        f"2002:{high:x}:{low:x}::1",
        *(str(ipaddress.IPv6Address(each)) for each in numbers),
    ]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused_unless_allowed(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    assert not is_allowed(monkeypatch, address, allow_private=False)
    assert is_allowed(monkeypatch, address, allow_private=True)


@pytest.mark.parametrize("address", FORBIDDEN)
def test_metadata_and_special_addresses_are_always_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    for allow_private in (False, True):
        resolve_to(monkeypatch, address)
        with pytest.raises(FetchError) as caught:
            resolve("safebooru.org", 80, allow_private=allow_private)
        assert caught.value.code == "private_address"


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    assert is_allowed(monkeypatch, address, allow_private=False)


@pytest.mark.parametrize(
    "address", [each for each in (*PRIVATE, *FORBIDDEN, *PUBLIC) if ":" not in each]
)
@pytest.mark.parametrize("allow_private", [False, True])
def test_address_that_embeds_another_is_judged_by_it(
    monkeypatch: pytest.MonkeyPatch, address: str, allow_private: bool
) -> None:
    expected = is_allowed(monkeypatch, address, allow_private=allow_private)
    for outer in embeddings(address):
        assert is_allowed(monkeypatch, outer, allow_private=allow_private) == expected, outer


@pytest.mark.parametrize("row", [each for each in REGISTRIES if each not in JUDGED_INSIDE])
def test_rows_of_the_registries_are_judged_as_they_say(
    monkeypatch: pytest.MonkeyPatch, row: str
) -> None:
    network = ipaddress.ip_network(row)
    first, last = int(network.network_address), int(network.broadcast_address)
    random = np.random.default_rng(first % 2**32)
    inside = [first + int(random.random() * (last - first)) for _ in range(20)]
    for number in (first, *inside, last):
        address = type(network.network_address)(number)
        # That of the smallest row that it is in, as the registries mean it.
        rows = [ipaddress.ip_network(each) for each in REGISTRIES]
        smallest = max((each for each in rows if address in each), key=lambda each: each.prefixlen)
        if str(smallest) in JUDGED_INSIDE:
            continue
        expected = REGISTRIES[str(smallest)] and not any(
            address in ipaddress.ip_network(each) for each in NO_SERVERS
        )
        found = is_allowed(monkeypatch, str(address), allow_private=False)
        assert found == expected, address


def test_only_public_addresses_of_a_name_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "127.0.0.1", PUBLIC[0], "169.254.169.254", PUBLIC[0], PUBLIC[-1])
    assert resolve("safebooru.org", 80, allow_private=False) == [PUBLIC[0], PUBLIC[-1]]


def test_private_addresses_can_be_allowed_but_not_link_local_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve_to(monkeypatch, "192.168.1.1", "169.254.169.254", "127.0.0.1")
    assert resolve("booru.lan", 80, allow_private=True) == ["192.168.1.1", "127.0.0.1"]
