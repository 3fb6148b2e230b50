"""Folders of unfinished exports: what a later run finds of an earlier one."""

from pathlib import Path

import pytest

from pipeline.export.unfinished import WORK, PartRecord, Unfinished


@pytest.fixture
def begun(tmp_path: Path) -> Unfinished:
    unfinished = Unfinished(tmp_path / "parquet", "a")
    (unfinished.files / "one").write_bytes(b"123")
    unfinished.complete("train-00000", PartRecord(files={"one": 3}, outcomes=[(1, "ok", "")]))
    return unfinished


def test_later_run_finds_the_records(tmp_path: Path, begun: Unfinished) -> None:
    again = Unfinished(tmp_path / "parquet", "a")
    record = again.record("train-00000")
    assert record is not None
    assert record.files == {"one": 3}
    assert again.record("train-00001") is None
    assert again.files == begun.files


@pytest.mark.usefixtures("begun")
def test_other_fingerprint_finds_nothing(tmp_path: Path) -> None:
    again = Unfinished(tmp_path / "parquet", "b")
    assert again.record("train-00000") is None
    assert list(again.files.iterdir()) == []


@pytest.mark.parametrize("byte", [0, 64, 70, -1])
def test_damaged_record_is_none(tmp_path: Path, begun: Unfinished, byte: int) -> None:
    path = tmp_path / WORK / "parts" / "train-00000.json"
    content = bytearray(path.read_bytes())
    content[byte] ^= 1
    path.write_bytes(content)
    assert begun.record("train-00000") is None
    path.write_bytes(b"")
    assert begun.record("train-00000") is None


def test_published_files_have_their_final_name(tmp_path: Path, begun: Unfinished) -> None:
    (tmp_path / "parquet").mkdir()
    (tmp_path / "parquet" / "old").touch()
    begun.publish()
    assert [path.name for path in (tmp_path / "parquet").iterdir()] == ["one"]
    assert [path.name for path in tmp_path.iterdir()] == ["parquet"]


def test_run_that_ended_after_the_move_begins_anew(tmp_path: Path, begun: Unfinished) -> None:
    begun.files.rename(tmp_path / "parquet")  # and no more
    again = Unfinished(tmp_path / "parquet", "a")
    assert again.record("train-00000") is None
    assert again.files.is_dir()
