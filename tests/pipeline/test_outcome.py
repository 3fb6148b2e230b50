"""Outcomes: counts by code, and the table on disk."""

from pathlib import Path

from pipeline.outcome import (
    DrawnOutcome,
    Outcome,
    count_codes,
    read_digests,
    read_ok_ids,
    write_drawn_outcomes,
    write_outcomes,
)

ROWS = [Outcome(3, "ok"), Outcome(9, "truncated", "at byte 12"), Outcome(11, "ok")]


def test_codes_are_counted() -> None:
    assert count_codes(ROWS) == {"ok": 2, "truncated": 1}
    assert count_codes([]) == {}


def test_ok_ids_are_read_from_the_table(tmp_path: Path) -> None:
    write_outcomes(ROWS, tmp_path / "rows.parquet")
    assert read_ok_ids(tmp_path / "rows.parquet") == [3, 11]
    write_outcomes([], tmp_path / "none.parquet")
    assert read_ok_ids(tmp_path / "none.parquet") == []


def test_digests_of_drawings_are_in_their_table(tmp_path: Path) -> None:
    rows = [DrawnOutcome(3, "ok", sha256=("a", "b")), DrawnOutcome(9, "no_ink", "blank")]
    write_drawn_outcomes(rows, tmp_path / "rows.parquet")
    assert read_digests(tmp_path / "rows.parquet") == {3: ["a", "b"]}
    assert read_ok_ids(tmp_path / "rows.parquet") == [3]


def test_tables_of_earlier_versions_have_no_digests(tmp_path: Path) -> None:
    write_outcomes(ROWS, tmp_path / "rows.parquet")
    assert read_digests(tmp_path / "rows.parquet") == {}
