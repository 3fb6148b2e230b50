"""The hosts and addresses that URLs of an untrusted list may lead to."""

import socket

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
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fc00::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
]
FORBIDDEN = [
    "169.254.169.254",
    "fe80::1%eth0",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "::ffff:169.254.169.254",
]
PUBLIC = ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"]


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    infos = [(0, 0, 0, "", (address, 80)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: infos)


@pytest.mark.parametrize("address", [*PRIVATE, *FORBIDDEN])
def test_name_of_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    resolve_to(monkeypatch, address)
    with pytest.raises(FetchError) as caught:
        resolve("safebooru.org", 80, allow_private=False)
    assert caught.value.code == "private_address"


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    resolve_to(monkeypatch, address)
    assert resolve("safebooru.org", 80, allow_private=False) == [address]


def test_only_public_addresses_of_a_name_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "127.0.0.1", PUBLIC[0], "169.254.169.254", PUBLIC[0], PUBLIC[1])
    assert resolve("safebooru.org", 80, allow_private=False) == PUBLIC[:2]


def test_private_addresses_can_be_allowed_but_not_link_local_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve_to(monkeypatch, "192.168.1.1", "169.254.169.254", "127.0.0.1")
    assert resolve("booru.lan", 80, allow_private=True) == ["192.168.1.1", "127.0.0.1"]
    resolve_to(monkeypatch, *FORBIDDEN)
    with pytest.raises(FetchError):
        resolve("booru.lan", 80, allow_private=True)
