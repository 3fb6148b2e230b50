"""The headers of a response that decide something; whatever a server sends, they are read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

MAX_LENGTH = (1 << 63) - 1  # the largest that a table holds
_YEAR = 365 * 86_400.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Headers:
    """What the headers of a response say.

    Attributes:
        media_type: of `Content-Type`, lower case; empty if there is none.
        length: of `Content-Length`, in bytes, at most `MAX_LENGTH`; None if there is none, or it
            is no number.
        retry_after: the seconds of `Retry-After`, from now on, at most a year; 0 if there are none,
            or they are not valid.
    """

    media_type: str
    length: int | None
    retry_after: float


def read_headers(headers: Mapping[str, str], now: datetime | None = None) -> Headers:
    """Read the headers of a response; raises nothing, whatever they are.

    Args:
        headers: by name, in any case.
        now: with a time zone; the current time if None.
    """
    media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    length = _number(headers.get("Content-Length", ""))
    wait = headers.get("Retry-After", "")
    seconds = _number(wait)
    if seconds is None:
        seconds = _seconds_until(wait, now or datetime.now(timezone.utc))
    return Headers(
        media_type=media_type,
        length=None if length is None else int(min(length, MAX_LENGTH)),
        retry_after=min(seconds, _YEAR),
    )


def _number(text: str) -> float | None:
    """Return a whole number of ASCII digits; infinity for one that no table holds."""
    text = text.strip()
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0") or "0"
    return int(digits) if len(digits) <= len(str(MAX_LENGTH)) else math.inf


def _seconds_until(date: str, now: datetime) -> float:
    """Return the seconds until an HTTP date; 0 if it is past, or none."""
    try:
        then = parsedate_to_datetime(date)
        then = then if then.tzinfo else then.replace(tzinfo=timezone.utc)
        return max(0.0, (then - now).total_seconds())
    except Exception:  # noqa: BLE001, RUF100 - of absurd years and zones it raises many kinds
        return 0.0
