"""The closed set of codes."""

from pathlib import Path

import pytest

from pipeline.demo.api_error import CODES, Problem

DOCUMENT = Path(__file__).parents[3] / "docs" / "demo_api.md"


def test_every_code_is_documented() -> None:
    rows = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if "| `" in line]
    told = [row for row in rows if row.split("|")[2].strip().isdigit()]
    assert told == [f"| `{code}` | {status} | {said} |" for code, (status, said) in CODES.items()]


@pytest.mark.parametrize("code", CODES)
def test_a_problem_has_the_status_of_its_code(code: str) -> None:
    problem = Problem(code, "One sentence.")
    assert problem.status == CODES[code][0]
    assert 400 <= problem.status < 600
    assert problem.body == {"error": {"code": code, "message": "One sentence."}}


def test_a_full_queue_says_when_to_ask_again() -> None:
    assert Problem("queue_full", "Wait.").headers == {"Retry-After": "1"}
    assert Problem("queue_full", "Wait.", {"Retry-After": "7"}).headers == {"Retry-After": "7"}
    assert Problem("failed", "Sorry.").headers == {}


def test_there_are_no_other_codes() -> None:
    with pytest.raises(KeyError):
        Problem("no_such_code", "Hm.")
