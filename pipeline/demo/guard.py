"""The check that a request comes from the demo's own page, and the security headers."""

from __future__ import annotations

import re
from ipaddress import ip_address

from werkzeug.wrappers import Request

from pipeline.demo.api_error import ApiError

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Headers of every response: only the demo's own page may show, run or request anything."""

_HOST = re.compile(
    r"(?:\[(?P<ipv6>[0-9a-f:.%]+)\]|(?P<name>[^\[\]:]+))(?::\d{1,5})?", re.IGNORECASE
)
_OWN_SITES = ("same-origin", "none")  # Sec-Fetch-Site: the page itself, or the address bar


def check_origin(request: Request, host: str) -> None:
    """Raise unless a request comes from the demo's own page, or from a program of the user.

    A page of another site can send requests to the loopback; it can also point its own host name at
    127.0.0.1, and then read the responses (DNS rebinding).

    Args:
        request: the request.
        host: the `--host` that the demo listens on.

    Raises:
        ApiError: `wrong_host` or `foreign_page`.
    """
    host_header = request.headers.get("Host", "")
    if not _is_own_host(host_header, host):
        raise ApiError(
            "wrong_host",
            "The Host header names another machine. Open the demo at the address that it printed.",
        )
    if request.method not in ("GET", "HEAD") and not _is_same_origin(request, host_header):
        raise ApiError(
            "foreign_page",
            "The request comes from a page of another site. Use the demo's own page.",
        )


def _is_own_host(host_header: str, host: str) -> bool:
    match = _HOST.fullmatch(host_header)
    if not match:
        return False
    name = (match["ipv6"] or match["name"]).lower()
    return name in ("localhost", host.lower()) or _is_ip_address(name)


def _is_ip_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_same_origin(request: Request, host_header: str) -> bool:
    if request.headers.get("Sec-Fetch-Site", "none") not in _OWN_SITES:
        return False
    origin = request.headers.get("Origin")
    if origin is None:  # no browser
        return True
    _, _, origin_host = origin.partition("://")
    return origin_host.lower() == host_header.lower()
