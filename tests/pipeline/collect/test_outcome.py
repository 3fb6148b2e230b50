"""The codes of outcomes."""

import pytest

from pipeline.collect.outcome import MEANINGS, is_code, is_transient


def test_codes_are_those_with_a_meaning_and_every_status_that_a_server_can_send() -> None:
    assert all(map(is_code, MEANINGS))
    assert all(is_code(f"http_{status}") for status in range(100, 1000))
    for text in ("", "http_", "http_99", "http_099", "http_1000", "OK", "ok "):
        assert not is_code(text)


@pytest.mark.parametrize(
    ("status", "transient"), [(404, False), (451, False), (500, True), (999, True)]
)
def test_statuses_of_servers_in_trouble_are_transient(status: int, transient: bool) -> None:
    assert is_transient(f"http_{status}") == transient
