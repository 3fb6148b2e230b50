"""Hosts and addresses that a list of URLs must not lead to."""

import socket

import pytest

from pipeline.collect.address import host_of, resolve, same_host
from pipeline.collect.fetch_error import FetchError

GOOD = ("safebooru.org",)


@pytest.mark.parametrize(
    "url",
    [
        "https://safebooru.org/a.jpg",
        "http://SAFEBOORU.org:8080/a.jpg?1",
        "https://img2.safebooru.org//a.jpg",
    ],
)
def test_hosts_of_the_source_and_their_subdomains(url: str) -> None:
    assert host_of(url, GOOD).endswith("safebooru.org")


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
def test_everything_else_has_its_code(url: str, code: str) -> None:
    with pytest.raises(FetchError) as caught:
        host_of(url, GOOD)
    assert caught.value.code == code


def test_any_host_where_the_user_says_so() -> None:
    assert host_of("http://evil.org/a.jpg", ("*",)) == "evil.org"
    assert host_of("http://cdn.donmai.us/a.jpg", (*GOOD, "donmai.us")) == "cdn.donmai.us"


def test_what_reads_and_what_connects_must_agree() -> None:
    assert same_host("http://safebooru.org/a", "safebooru.org")
    assert same_host("http://[::1]:80/a", "::1")
    assert not same_host("http://evil.org/a", "safebooru.org")


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
NEVER = ["169.254.169.254", "fe80::1%eth0", "0.0.0.0", "::", "224.0.0.1", "::ffff:169.254.169.254"]
PUBLIC = ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"]


def answer(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    found = [(0, 0, 0, "", (address, 80)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


@pytest.mark.parametrize("address", [*PRIVATE, *NEVER])
def test_a_name_may_not_lead_inside(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    answer(monkeypatch, address)
    with pytest.raises(FetchError) as caught:
        resolve("safebooru.org", 80, allow_private=False)
    assert caught.value.code == "private_address"


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_fine(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    answer(monkeypatch, address)
    assert resolve("safebooru.org", 80, allow_private=False) == [address]


def test_of_a_mixed_answer_the_public_addresses_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "127.0.0.1", PUBLIC[0], "169.254.169.254", PUBLIC[0], PUBLIC[1])
    assert resolve("safebooru.org", 80, allow_private=False) == PUBLIC[:2]


def test_a_booru_of_ones_own_may_be_private(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "192.168.1.1", "169.254.169.254", "127.0.0.1")
    assert resolve("booru.lan", 80, allow_private=True) == ["192.168.1.1", "127.0.0.1"]
    answer(monkeypatch, *NEVER)
    with pytest.raises(FetchError):
        resolve("booru.lan", 80, allow_private=True)
