"""Outcomes are rows that survive the disk."""

from pathlib import Path

from pipeline.outcome import Outcome, count, ok_ids, write_outcomes

ROWS = [Outcome(3, "ok"), Outcome(9, "truncated", "at byte 12"), Outcome(11, "ok")]


def test_counts() -> None:
    assert count(ROWS) == {"ok": 2, "truncated": 1}
    assert count([]) == {}


def test_the_ids_that_came_through(tmp_path: Path) -> None:
    write_outcomes(ROWS, tmp_path / "rows.parquet")
    assert ok_ids(tmp_path / "rows.parquet") == [3, 11]
    write_outcomes([], tmp_path / "none.parquet")
    assert ok_ids(tmp_path / "none.parquet") == []
