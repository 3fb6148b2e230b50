"""Packed files in parts are read as one, by Senga and by any HDF5 library."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.pack import dataset_reader
from pipeline.pack.dataset_file import content_digest
from pipeline.pack.dataset_reader import DatasetReader
from pipeline.pack.extras import EXTRAS
from pipeline.pack.isolated import read_isolated
from pipeline.pack.parts import find_parts, is_part, part_path
from pipeline.pack.verify_files import verify
from sketch_models.errors import DatasetError
from tests.pipeline.pack.test_verify import write

IDS = [3, 5, 6, 9, 12, 40, 41]


def assert_reads_as_one(index: Path, whole: Path) -> None:
    parts, one = DatasetReader(index), DatasetReader(whole)
    assert parts.ids.tolist() == one.ids.tolist()
    assert (parts.line_names, parts.extras, parts.size) == (one.line_names, one.extras, one.size)
    for row in [*range(len(one)), *range(len(one))[::-1]]:
        for name in ("color", *(f"line/{line}" for line in one.line_names)):
            np.testing.assert_array_equal(parts.picture(name, row), one.picture(name, row))
        if "flat" in one.extras:
            np.testing.assert_array_equal(parts.flat(row), one.flat(row))


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("extras", [(), EXTRAS])
def test_parts_are_read_as_one_file(tmp_path: Path, rows: int, extras: tuple[str, ...]) -> None:
    whole = write(tmp_path / "whole.h5", IDS, extras=extras)
    index = write(tmp_path / "train.h5", IDS, extras=extras, rows_per_file=rows)
    assert len(find_parts(index)) == -(-len(IDS) // rows)
    assert_reads_as_one(index, whole)
    with h5py.File(index) as parts, h5py.File(whole) as one:
        assert content_digest(parts) == content_digest(one)
        for name in ("color", "line/pured", "tags", "box"):
            np.testing.assert_array_equal(parts[name][:], one[name][:])
    summaries = verify([index]) + verify([whole])
    assert summaries[0].content == summaries[1].content
    assert summaries[0].pictures == len(IDS)


def test_a_part_is_a_packed_file_of_its_own(tmp_path: Path) -> None:
    index = write(tmp_path / "train.h5", IDS, rows_per_file=3)
    verified = verify(find_parts(index))
    assert [summary.ids.tolist() for summary in verified] == [[3, 5, 6], [9, 12, 40], [41]]


def test_no_pictures_make_an_index_without_parts(tmp_path: Path) -> None:
    index = write(tmp_path / "train.h5", [], rows_per_file=3)
    assert find_parts(index) == []
    assert len(DatasetReader(index)) == 0
    assert verify([index])[0].pictures == 0


def test_parts_are_found_from_a_link_and_after_a_move(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.h5", IDS)
    (tmp_path / "draft").mkdir()
    write(tmp_path / "draft/train.h5", IDS, rows_per_file=2)
    (tmp_path / "draft").rename(tmp_path / "final")
    link = tmp_path / "train.h5"
    link.symlink_to("final/train.h5")
    assert_reads_as_one(link, whole)
    with h5py.File(link) as file, h5py.File(whole) as one:
        np.testing.assert_array_equal(file["color"][:], one["color"][:])


def _sum_of_rows(reader: DatasetReader) -> int:
    return sum(int(reader.picture("color", row).sum()) for row in range(len(reader)))


def test_parts_are_read_in_other_processes_and_few_stay_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_reader, "_MAX_OPEN", 2)
    reader = DatasetReader(write(tmp_path / "train.h5", IDS, rows_per_file=1))
    expected = _sum_of_rows(reader)
    assert sum(bool(each._datasets) for each in reader._readers.values()) == 2
    assert _sum_of_rows(pickle.loads(pickle.dumps(reader))) == expected
    with get_context("fork").Pool(1) as pool:
        assert pool.apply(_sum_of_rows, (reader,)) == expected
    reader.close()
    assert _sum_of_rows(reader) == expected


def _delete(path: Path) -> None:
    path.unlink()


def _of_others(path: Path) -> None:
    write(path, [1, 2])


def _of_other_pictures(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["color"][0] = 255


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (_delete, "its part .*train-00001.h5 is missing"),
        (_of_others, "does not match its checksum|has another id|is not paper|its part"),
        (_of_other_pictures, "color does not match its checksum"),
        (_cut, "train-00001.h5|checksum|HDF5"),
    ],
)
def test_each_fault_of_a_part_is_one_sentence(
    tmp_path: Path, spoil: Callable[[Path], None], fault: str
) -> None:
    index = write(tmp_path / "train.h5", IDS, rows_per_file=2)
    spoil(part_path(index, 1))
    with pytest.raises(DatasetError, match=fault) as caught:
        verify([index])
    assert "\n" not in str(caught.value)
    if spoil is not _of_other_pictures:
        with pytest.raises(DatasetError, match=r"train.*[Bb]uild") as caught:
            _sum_of_rows(DatasetReader(index))
        assert "\n" not in str(caught.value)


def test_an_index_is_read_by_a_child_again_once_a_part_has_changed(tmp_path: Path) -> None:
    index = write(tmp_path / "train.h5", IDS, rows_per_file=2)
    assert read_isolated("layout", index) is None  # this process has written it
    _of_other_pictures(part_path(index, 1))
    assert read_isolated("layout", index) is not None


def test_a_part_of_another_build_is_refused(tmp_path: Path) -> None:
    index = write(tmp_path / "train.h5", IDS, rows_per_file=2)
    (tmp_path / "other").mkdir()
    other = write(tmp_path / "other/train.h5", [1, 2, 3, 4, *IDS], rows_per_file=2)
    shutil.copy(part_path(other, 1), part_path(index, 1))
    with pytest.raises(DatasetError, match="has other pictures than its index"):
        _sum_of_rows(DatasetReader(index))


@pytest.mark.parametrize(
    "name", ["/etc/other.h5", "../train-00000.h5", "test-00000.h5", "train.h5"]
)
def test_index_of_foreign_files_is_refused(tmp_path: Path, name: str) -> None:
    index = write(tmp_path / "train.h5", IDS)
    with h5py.File(index, "r+") as file:
        shape, dtype = file["color"].shape, file["color"].dtype
        del file["color"]
        layout = h5py.VirtualLayout(shape, dtype)
        layout[:] = h5py.VirtualSource(name, "color", shape, dtype)
        file.create_virtual_dataset("color", layout)
    for read in (DatasetReader, lambda path: verify([path])):
        with pytest.raises(DatasetError, match="color is stored in other files"):
            read(index)


def test_index_of_pictures_that_take_gigabytes_is_refused(tmp_path: Path) -> None:
    index = write(tmp_path / "train.h5", IDS, rows_per_file=7)
    with h5py.File(index, "r+") as file:
        del file["color"]
        shape = (len(IDS), 20_000, 20_000, 3)
        layout = h5py.VirtualLayout(shape, "u1")
        layout[:] = h5py.VirtualSource("train-00000.h5", "color", shape, "u1")
        file.create_virtual_dataset("color", layout)
    for read in (DatasetReader, lambda path: verify([path])):
        with pytest.raises(DatasetError, match="a row or chunk of color takes more than 256 MiB"):
            read(index)


@given(stem=st.sampled_from(["train", "a-b", "x.y"]), number=st.integers(0, 10**6))
def test_names_of_parts_are_told_apart(stem: str, number: int) -> None:
    index = Path(f"/data/{stem}.h5")
    part = part_path(index, number)
    assert is_part(part, index)
    assert not is_part(index, index)
    assert not is_part(part, Path("/data/test.h5"))
    assert not is_part(part.with_suffix(".h5x"), index)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(ids=st.lists(st.integers(0, 99), max_size=9, unique=True), rows=st.integers(1, 10))
def test_any_rows_in_any_parts(tmp_path: Path, ids: list[int], rows: int) -> None:
    index = write(tmp_path / "train.h5", sorted(ids), rows_per_file=rows)
    assert verify([index])[0].ids.tolist() == sorted(ids)
    for part in find_parts(index):
        part.unlink()
