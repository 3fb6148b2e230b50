"""The page of results."""

from pathlib import Path

from benchmarks.mutation.page import results_page
from benchmarks.mutation.records import Record, Records


def test_shares_at_first_and_now_and_reasons(tmp_path: Path) -> None:
    records = Records(tmp_path / "records")
    made = [("f: a < b", "passed"), ("f: c | d", "passed"), ("e", "failed"), ("f: a < b", "failed")]
    for key, result in [*made, ("g", "passed")]:
        seed = 2 if key == "g" else 1
        records.add(Record(seed=seed, module="a.py", key=key, line=1, result=result, test=""))
    reasons = {"a.py": {"f: c | d": "Only speed."}, "samples": {"1": "old tests"}}
    text = results_page(records, reasons)
    assert "| 1 | old tests | 3 | 1 (33.3%) | 2 (66.7%) | 1 of 1 |\n" in text
    assert "| 2 |  | 1 | 0 (0.0%) | 0 (0.0%) | 0 of 1 |\n" in text
    assert "| `a.py` | 4 | 1 | 2 |\n" in text
    assert "| `a.py` | `f: c \\| d` | Only speed. |\n" in text
    assert "| `a.py` | `g` | not explained |\n" in text
    assert "a < b" not in text  # noticed now
