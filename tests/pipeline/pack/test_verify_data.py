"""`verify --data` finds every fault in the folder of a dataset, and changes nothing."""

import re
from collections.abc import Callable
from pathlib import Path

import h5py
import polars as pl
import pytest

from pipeline.manifest import Manifest, file_sizes, write_sizes
from pipeline.outcome import DrawnOutcome, Outcome, write_drawn_outcomes, write_outcomes
from pipeline.pack.verify import main
from pipeline.pack.verify_data import verify_data
from pipeline.shard import digests_of, write_shard
from pipeline.store import Dataset, manifest_path, outcomes_path
from pipeline.table import write_table
from sketch_models.errors import DatasetError
from tests.pipeline.pack.test_verify import write

HASH = "0123456789ab"
PARTS = {"original.png": b"a" * 700, "pured.png": b"b" * 90}


def record(path: Path, *files: Path) -> None:
    sizes = file_sizes(files, path.parent)
    Manifest(fingerprint="f", inputs={}, content="c", kept=1, files=sizes).write(path)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    dataset = Dataset(tmp_path / "sample")
    color, sketch = dataset.color(0), dataset.sketch(HASH, 0)
    for tar, parts in ((color, {"jpg": b"c" * 300}), (sketch, PARTS)):
        tar.parent.mkdir(parents=True)
        write_shard(tar, [(7, parts), (8, parts)])
        rows = [DrawnOutcome(n, "ok", sha256=digests_of(parts)) for n in (7, 8)]
        write_drawn_outcomes(rows, outcomes_path(tar))
    write_sizes([color, outcomes_path(color)], dataset.color_sizes(0))
    record(manifest_path(sketch), sketch, outcomes_path(sketch))
    packed = dataset.packed(HASH)
    packed.mkdir(parents=True)
    files = [write(packed / "train.h5", [7]), write(packed / "test.h5", [8])]
    record(packed / "manifest.json", *files)
    dataset.link_newest("train.h5", files[0])
    (dataset.root / "color" / ".shard-00001.tar.tmp").write_text("of a build that runs")
    return dataset


def test_whole_dataset_has_no_fault(dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    assert not verify_data(dataset.root).faults
    assert main(["--data", str(dataset.root)]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    assert output.out == (
        f"{dataset.root}: 1 links, 3 manifests, 2 tables, 2 shards, 6 pictures in shards, "
        "2 packed files: no fault\n"
    )


def flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 16
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip_picture(dataset: Dataset) -> None:
    path = dataset.packed(HASH) / "train.h5"
    with h5py.File(path, "r+") as file:
        file["line/pured"][0, 9, 9] ^= 1


def pack_twice(dataset: Dataset) -> None:
    write(dataset.packed(HASH) / "test.h5", [7])


@pytest.mark.parametrize(
    ("damage", "faults"),
    [
        (lambda d: flip(d.color(0), 600), [r"00000\.tar is damaged: 7\.jpg in it is not as"]),
        (lambda d: flip(d.sketch(HASH, 0), 600), ["7.original.png in it is not as"]),
        (lambda d: flip(d.sketch(HASH, 0), 5), ["it is not a complete tar file"]),
        (lambda d: flip(d.color_outcomes(0), 50), ["does not match its seal", "seal"]),
        (lambda d: cut(d.color(0)), ["its files are missing or cut"]),
        (lambda d: cut(d.packed(HASH) / "test.h5"), ["test.h5 is missing or cut", "test.h5 is"]),
        (lambda d: flip(d.packed(HASH) / "manifest.json", 30), ["manifest.json is damaged"]),
        (lambda d: d.sketch(HASH, 0).unlink(), ["00000.tar is missing or cut"]),
        (lambda d: (d.packed(HASH) / "train.h5").unlink(), ["missing or cut", "points at nothing"]),
        (pack_twice, ["it has post 7, as"]),
        (flip_picture, [r"train\.h5 is damaged: line/pured does not match"]),
    ],
)
def test_each_fault_is_a_sentence(
    dataset: Dataset,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[Dataset], None],
    faults: list[str],
) -> None:
    damage(dataset)
    before = {path: path.lstat().st_mtime_ns for path in dataset.root.rglob("*")}
    found = verify_data(dataset.root).faults
    assert len(found) == len(faults), found
    for sentence, fault in zip(sorted(found), sorted(faults), strict=True):
        assert any(re.search(each, sentence) for each in faults), (sentence, fault)
    assert main(["--data", str(dataset.root)]) == 1
    assert capsys.readouterr().err.splitlines() == found
    assert {path: path.lstat().st_mtime_ns for path in dataset.root.rglob("*")} == before


def test_all_damaged_parts_of_a_shard_are_listed(dataset: Dataset) -> None:
    for position in (600, 2050, 3100):
        flip(dataset.sketch(HASH, 0), position)
    found = verify_data(dataset.root).faults
    assert len(found) == 3
    assert len(set(found)) == 3


def test_shard_of_an_earlier_version_is_named(
    dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    tar = dataset.sketch(HASH, 0)
    write_outcomes([Outcome(7, "ok"), Outcome(8, "ok")], outcomes_path(tar))
    record(manifest_path(tar), tar, outcomes_path(tar))
    assert main(["--data", str(dataset.root)]) == 0
    assert f"{tar}: without digests" in capsys.readouterr().out


def test_table_without_a_seal_is_read(dataset: Dataset) -> None:
    frame = pl.DataFrame({"id": [1]})
    write_table(frame, dataset.root / "sealed.parquet")
    frame.write_parquet(dataset.root / "unsealed.parquet")
    assert not verify_data(dataset.root).faults


def test_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="none is no folder of a dataset"):
        verify_data(tmp_path / "none")


def test_exports_are_checked_by_their_manifests(dataset: Dataset) -> None:
    export = dataset.export(HASH)
    files = export / "webdataset"
    files.mkdir(parents=True)
    write_shard(files / "train-000000.tar", [(7, {"txt": b"solo"})])
    write_outcomes([Outcome(7, "ok")], export / "outcomes.parquet")
    record(export / "manifest.json", files / "train-000000.tar", export / "outcomes.parquet")
    summary = verify_data(dataset.root)
    assert not summary.faults
    assert not summary.without_digests
    (files / "train-000000.tar").write_bytes(b"cut")
    table = export / "outcomes.parquet"
    table.write_bytes(table.read_bytes()[:60] + b"?" + table.read_bytes()[61:])
    faults = verify_data(dataset.root).faults
    assert len(faults) == 2
    assert f"{files / 'train-000000.tar'} is missing or cut" in faults[0]
    assert f"{table} is damaged" in faults[1]
