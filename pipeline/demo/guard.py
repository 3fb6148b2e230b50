"""Who may talk to the demo, and what browsers may do with its answers."""

from __future__ import annotations

import re
from ipaddress import ip_address

from werkzeug.wrappers import Request

from pipeline.demo.api_error import Problem

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of every answer: only the demo's own page may show, run or ask for anything."""

_HOST = re.compile(r"(?:\[(?P<six>[0-9a-f:.%]+)\]|(?P<name>[^\[\]:]+))(?::\d{1,5})?", re.IGNORECASE)
_OWN = ("same-origin", "none")  # Sec-Fetch-Site: the page itself, or the address bar


def check(request: Request, host: str) -> None:
    """Refuses what did not come from the demo's own page, or from a program of the user.

    A page of another site can send requests to the loopback; it can also give its own name the
    address 127.0.0.1, and then read the answers (DNS rebinding).

    Args:
        request: any.
        host: that the demo was told to listen on.

    Raises:
        Problem: `wrong_host` or `foreign_page`.
    """
    asked = request.headers.get("Host", "")
    if not _is_here(asked, host):
        raise Problem(
            "wrong_host",
            "The Host header names another machine, expected an address or localhost; open the "
            "demo by the address that it printed.",
        )
    if request.method not in ("GET", "HEAD") and not _is_own(request, asked):
        raise Problem(
            "foreign_page",
            "The request comes from a page of another site, expected the demo's own; use its page.",
        )


def _is_here(asked: str, host: str) -> bool:
    found = _HOST.fullmatch(asked)
    if not found:
        return False
    name = (found["six"] or found["name"]).lower()
    return name in ("localhost", host.lower()) or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_own(request: Request, asked: str) -> bool:
    if request.headers.get("Sec-Fetch-Site", "none") not in _OWN:
        return False
    origin = request.headers.get("Origin")
    if origin is None:  # no browser
        return True
    _, _, place = origin.partition("://")
    return place.lower() == asked.lower()
