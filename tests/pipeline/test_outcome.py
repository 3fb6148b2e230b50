"""Outcomes: counts by code, and the table on disk."""

from pathlib import Path

from pipeline.outcome import Outcome, count_codes, read_ok_ids, write_outcomes

ROWS = [Outcome(3, "ok"), Outcome(9, "truncated", "at byte 12"), Outcome(11, "ok")]


def test_codes_are_counted() -> None:
    assert count_codes(ROWS) == {"ok": 2, "truncated": 1}
    assert count_codes([]) == {}


def test_ok_ids_are_read_from_the_table(tmp_path: Path) -> None:
    write_outcomes(ROWS, tmp_path / "rows.parquet")
    assert read_ok_ids(tmp_path / "rows.parquet") == [3, 11]
    write_outcomes([], tmp_path / "none.parquet")
    assert read_ok_ids(tmp_path / "none.parquet") == []
