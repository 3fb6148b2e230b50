"""Records: a run that was stopped goes on, and the first run of a change is remembered."""

from pathlib import Path

import pytest

from benchmarks.mutation.changes import mutants
from benchmarks.mutation.records import Record, Records, read_reasons, unseen


def make(key: str, result: str, seed: int = 1, module: str = "a.py") -> Record:
    return Record(seed=seed, module=module, key=key, line=1, result=result, test="")


@pytest.mark.parametrize(
    ("result", "noticed"), [("passed", False), ("failed", True), ("timed out", True)]
)
def test_a_change_is_noticed_if_tests_fail_or_hang(result: str, *, noticed: bool) -> None:
    assert make("x", result).is_noticed is noticed


def test_first_and_last_run_of_a_change(tmp_path: Path) -> None:
    records = Records(tmp_path / "records")
    for new in (make("x", "passed"), make("y", "failed"), make("x", "passed"), make("x", "failed")):
        records.add(new)
    for known in (records, Records(tmp_path / "records")):
        x, y = known.fates()
        assert (x.first.key, x.first.result, x.last.result) == ("x", "passed", "failed")
        assert (y.first.key, y.first.result, y.last.result) == ("y", "failed", "failed")


def test_changes_of_a_seed_and_of_a_module(tmp_path: Path) -> None:
    records = Records(tmp_path / "records")
    records.add(make("x", "passed", seed=3))
    records.add(make("x", "failed", seed=2, module="b.py"))
    assert records.seeds() == [3, 2]
    assert [fate.first.module for fate in records.fates(2)] == ["b.py"]
    assert [fate.first.seed for fate in records.fates(module="a.py")] == [3]


def test_mutants_that_have_not_run(tmp_path: Path) -> None:
    records = Records(tmp_path / "records")
    less, more = mutants("a < b\nc > d\n")
    records.add(make(less.key, "passed"))
    assert unseen([less, more], records.fates()) == [more]


def test_reasons(tmp_path: Path) -> None:
    file = tmp_path / "reasons.json"
    assert read_reasons(file) == {}
    file.write_text('{"a.py": {"x": "Only speed."}}')
    assert read_reasons(file) == {"a.py": {"x": "Only speed."}}
