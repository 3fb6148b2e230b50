"""Who may talk to the demo."""

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from pipeline.demo.api_error import Problem
from pipeline.demo.guard import HEADERS, check


def asked(host: str = "127.0.0.1:7860", method: str = "POST", **headers: str) -> Request:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(EnvironBuilder(method=method, headers={"Host": host} | sent).get_environ())


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:7860", "[::1]:7860", "[::1]", "LocalHost:1", "192.168.1.7", "atelier"],
)
def test_addresses_and_its_own_names_are_the_demo(host: str) -> None:
    check(asked(host), "Atelier")


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:7860", "127.0.0.1.evil.example", "localhost.evil.example",
     "127.0.0.1:7860@evil.example", "[evil.example]", "localhost:", "::1", "a b", "[::1]x"],
)  # fmt: skip
def test_names_of_others_are_not(host: str) -> None:
    for method in ("GET", "POST"):
        with pytest.raises(Problem) as refused:
            check(asked(host, method), "127.0.0.1")
        assert refused.value.code == "wrong_host"
        assert "evil" not in refused.value.message


@pytest.mark.parametrize(
    "headers",
    [
        {},  # no browser
        {"Origin": "http://127.0.0.1:7860", "Sec_Fetch_Site": "same-origin"},
        {"Origin": "http://127.0.0.1:7860"},
        {"Sec_Fetch_Site": "none"},
    ],
)
def test_its_own_page_may_post(headers: dict[str, str]) -> None:
    check(asked(**headers), "127.0.0.1")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site", "Origin": "http://127.0.0.1:7860"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ],
)
def test_pages_of_others_may_not(headers: dict[str, str]) -> None:
    for method in ("POST", "OPTIONS"):
        with pytest.raises(Problem) as refused:
            check(asked(method=method, **headers), "127.0.0.1")
        assert refused.value.code == "foreign_page"
    check(asked(method="GET", **headers), "127.0.0.1")  # a link; nobody else reads the answer


def test_the_policy_has_no_holes() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "*" not in policy
