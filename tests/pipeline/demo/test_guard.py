"""Which requests are accepted, by Host, Origin and Sec-Fetch-Site."""

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from pipeline.demo.api_error import ApiError
from pipeline.demo.guard import SECURITY_HEADERS, check_origin


def request(host: str = "127.0.0.1:7860", method: str = "POST", **headers: str) -> Request:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(EnvironBuilder(method=method, headers={"Host": host} | sent).get_environ())


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:7860", "[::1]:7860", "[::1]", "LocalHost:1", "192.168.1.7", "atelier"],
)
def test_addresses_and_own_host_names_are_accepted(host: str) -> None:
    check_origin(request(host), "Atelier")


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:7860", "127.0.0.1.evil.example", "localhost.evil.example",
     "127.0.0.1:7860@evil.example", "[evil.example]", "localhost:", "::1", "a b", "[::1]x"],
)  # fmt: skip
def test_other_host_names_are_refused(host: str) -> None:
    for method in ("GET", "POST"):
        with pytest.raises(ApiError) as refused:
            check_origin(request(host, method), "127.0.0.1")
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
def test_post_of_the_own_page_is_accepted(headers: dict[str, str]) -> None:
    check_origin(request(**headers), "127.0.0.1")


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
def test_post_of_another_site_is_refused(headers: dict[str, str]) -> None:
    for method in ("POST", "OPTIONS"):
        with pytest.raises(ApiError) as refused:
            check_origin(request(method=method, **headers), "127.0.0.1")
        assert refused.value.code == "foreign_page"
    check_origin(
        request(method="GET", **headers), "127.0.0.1"
    )  # a link; the other site cannot read the response


def test_headers_let_nobody_but_the_own_page_show_run_or_request_anything() -> None:
    headers = dict(SECURITY_HEADERS)
    directives = headers.pop("Content-Security-Policy").split("; ")
    policy = dict(directive.split(" ", 1) for directive in directives)
    assert len(policy) == len(directives)  # of a repeated one, browsers take the first
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' blob: data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert headers == {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
