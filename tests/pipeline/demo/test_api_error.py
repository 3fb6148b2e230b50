"""The closed set of error codes."""

from pathlib import Path

import pytest

from pipeline.demo.api_error import CODES, ApiError

DOCUMENT = Path(__file__).parents[3] / "docs" / "demo.md"


def test_every_code_is_documented() -> None:
    rows = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if "| `" in line]
    documented = [row for row in rows if row.split("|")[2].strip().isdigit()]
    expected = [f"| `{code}` | {status} | {text} |" for code, (status, text) in CODES.items()]
    assert documented == expected


@pytest.mark.parametrize("code", CODES)
def test_error_has_the_status_of_its_code(code: str) -> None:
    error = ApiError(code, "One sentence.")
    assert error.status == CODES[code][0]
    assert 400 <= error.status < 600
    assert error.body == {"error": {"code": code, "message": "One sentence."}}


def test_full_queue_has_a_retry_after_header() -> None:
    assert ApiError("queue_full", "Wait.").headers == {"Retry-After": "1"}
    assert ApiError("queue_full", "Wait.", {"Retry-After": "7"}).headers == {"Retry-After": "7"}
    assert ApiError("failed", "Sorry.").headers == {}


def test_unknown_code_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        ApiError("no_such_code", "Hm.")
