"""The headers of a response, whatever a server sends."""

import math
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import HTTPHeaderDict

from pipeline.collect.headers import MAX_LENGTH, read_headers

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
YEAR = 365 * 24 * 3600


def read(**headers: str) -> tuple[str, int | None, float]:
    found = read_headers(HTTPHeaderDict({k.replace("_", "-"): v for k, v in headers.items()}), NOW)
    return found.media_type, found.length, found.retry_after


def test_ordinary_headers() -> None:
    found = read(content_type="Image/PNG; q=1", content_length=" 12 ", retry_after="7")
    assert found == ("image/png", 12, 7)
    assert read() == ("", None, 0)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("0", 0),
        ("007", 7),
        ("9223372036854775807", 9223372036854775807),  # the largest number of 64 bits
        ("9223372036854775808", 9223372036854775807),
        ("9" * 5000, MAX_LENGTH),
        ("0" * 5000 + "5", 5),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("1e3", None),
        ("12, 12", None),
        ("\u0663", None),  # an Arabic 3
        ("\u00b2", None),  # a superscript 2
    ],
)
def test_length(text: str, length: int | None) -> None:
    assert read(content_length=text)[1] == length


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("9" * 5000, YEAR),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60),
        ("Sun, 01 Mar 2026 12:01:00", 60),  # without a zone: UTC
        ("Sun, 01 Mar 2026 13:01:00 +0100", 60),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),  # past
        ("Fri, 01 Jan 9999 00:00:00 GMT", YEAR),
        ("Fri, 01 Jan 99999999999999999999 00:00:00 GMT", 0),
        ("Sun, 01 Mar 2026 12:01:00 +9999999999999999", 0),
        ("Sun, 99 Mar 2026 12:01:00 GMT", 0),
        ("soon", 0),
        ("-5", 0),
        ("inf", 0),
        ("nan", 0),
    ],
)
def test_retry_after(text: str, seconds: float) -> None:
    assert read(retry_after=text)[2] == seconds


@given(
    st.text(st.characters(max_codepoint=255), max_size=40)
    | st.from_regex(r"\w{3}, \d{1,30} \w{3} \d{1,30} \d+:\d+:\d+ [+-]?\w+", fullmatch=True)
)
def test_no_text_raises(text: str) -> None:
    media_type, length, wait = read(content_type=text, content_length=text, retry_after=text)
    assert media_type == media_type.lower()
    assert length is None or 0 <= length <= MAX_LENGTH
    assert 0 <= wait <= YEAR
    assert not math.isnan(wait)


def test_dates_count_from_now() -> None:
    hour = format_datetime(datetime.now(timezone.utc) + timedelta(hours=1), usegmt=True)
    found = read_headers(HTTPHeaderDict({"Retry-After": hour}))
    assert 3000 < found.retry_after <= 3600
