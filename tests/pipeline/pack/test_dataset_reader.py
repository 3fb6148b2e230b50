"""Reading packed files: every storage layout, from every process, and broken files."""

import os
import pickle
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from pipeline.pack.dataset_file import Chunk, DatasetWriter, Row, picture_names
from pipeline.pack.dataset_reader import DatasetReader
from pipeline.pack.extras import EXTRAS
from sketch_models.errors import SengaError
from tests.pipeline.pack.test_verify import extras_of_picture
from tests.pipeline.pack.test_verify import write as write_valid

SIZE = 16
NAMES = picture_names()
PICTURES = {
    name: np.random.default_rng(0).integers(
        0, 256, (3, SIZE, SIZE, *((3,) if name == "color" else ())), dtype=np.uint8
    )
    for name in NAMES
}


def write(path: Path, compression: str = "gzip") -> Path:
    about = {"dataset": "d", "split": "train"}
    with DatasetWriter(
        path, 3, size=SIZE, names=NAMES, compression=compression, attributes=about
    ) as file:
        for row, post_id in enumerate([-4, 7, 9]):
            pictures = {name: Chunk.compress(PICTURES[name][row], compression) for name in NAMES}
            box = (1, 0, 15, SIZE)
            file.append(Row(id=post_id, box=box, tags="t", sha256="0" * 64, pictures=pictures))
    return path


def repack(path: Path, **storage: object) -> Path:
    """Store the colour pictures in another layout, as a user's own tools might."""
    with h5py.File(path, "r+") as file:
        del file["color"]
        file.create_dataset("color", data=PICTURES["color"], **storage)
    return path


def assert_reads_all(reader: DatasetReader) -> None:
    for name in NAMES:
        for row in (2, 0, 1):
            picture = reader.picture(name, row)
            assert picture.dtype == np.uint8
            assert (picture == PICTURES[name][row]).all()
            picture += 1  # the caller may write to it


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_packed_pictures_are_read_back(tmp_path: Path, compression: str) -> None:
    reader = DatasetReader(write(tmp_path / "t.h5", compression))
    assert (len(reader), reader.size) == (3, SIZE)
    assert reader.ids.tolist() == [-4, 7, 9]
    assert (reader.boxes.dtype, reader.boxes.tolist()) == (np.int64, [[1, 0, 15, SIZE]] * 3)
    assert reader.line_names == ("enhanced", "original", "pured")
    assert reader.attributes["split"] == "train"
    assert_reads_all(reader)


@pytest.mark.parametrize(
    "storage",
    [
        {},  # in one piece
        {"chunks": (2, SIZE, SIZE, 3)},
        {"chunks": (1, SIZE, SIZE, 3), "compression": "lzf"},
        {"chunks": (1, SIZE, SIZE, 3), "compression": "gzip", "shuffle": True},
        {"chunks": (1, SIZE, SIZE, 3), "fletcher32": True},
        {"chunks": (1, SIZE, SIZE, 3), "compression": "gzip", "compression_opts": 9},
    ],
)
def test_repacked_file_is_read(tmp_path: Path, storage: dict[str, object]) -> None:
    assert_reads_all(DatasetReader(repack(write(tmp_path / "t.h5"), **storage)))


def test_pickled_reader_reads(tmp_path: Path) -> None:
    reader = DatasetReader(write(tmp_path / "t.h5"))
    assert_reads_all(reader)
    assert_reads_all(pickle.loads(pickle.dumps(reader)))


def test_extras_are_read(tmp_path: Path) -> None:
    reader = DatasetReader(write_valid(tmp_path / "t.h5", [3, 5], extras=EXTRAS))
    assert reader.extras == EXTRAS
    expected = extras_of_picture()
    for name in ("flat_colors", "mask"):
        np.testing.assert_array_equal(reader.picture(name, 1), expected[name])
    areas = reader.flat(1)
    assert areas.dtype == np.uint16
    np.testing.assert_array_equal(areas, expected["flat"])
    areas += 1  # the caller may write to it


@pytest.mark.parametrize("extra", EXTRAS)
def test_one_extra_is_read_without_the_others(tmp_path: Path, extra: str) -> None:
    reader = DatasetReader(write_valid(tmp_path / "t.h5", [3, 5], extras=[extra]))
    assert reader.extras == (extra,)
    assert reader.picture("color", 1).shape == (32, 32, 3)


def test_a_file_without_extras_has_none(tmp_path: Path) -> None:
    assert DatasetReader(write(tmp_path / "t.h5")).extras == ()


@pytest.mark.parametrize("shape", [(2, 32, 16), (2, 32, 32, 1), (1, 32, 32)])
def test_extras_of_another_shape_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = write_valid(tmp_path / "t.h5", [3, 5], extras=["mask"])
    with h5py.File(path, "r+") as file:
        del file["mask"]
        file.create_dataset("mask", shape, "u1")
    with pytest.raises(SengaError, match="mask is uint8") as caught:
        DatasetReader(path)
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork")
def test_forked_process_opens_the_file_itself(tmp_path: Path) -> None:
    reader = DatasetReader(write(tmp_path / "t.h5"))
    assert_reads_all(reader)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            assert_reads_all(reader)
            status = 0
        finally:
            os._exit(status)
    assert_reads_all(reader)
    assert os.waitpid(child, 0)[1] == 0
    assert_reads_all(reader)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SengaError, match=r"none\.h5 is missing\. Build it first\.$"):
        DatasetReader(tmp_path / "none.h5")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + bytes(2000)])
def test_file_of_another_format_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.h5"
    path.write_bytes(content)
    with pytest.raises(SengaError, match=r"t\.h5 is not a complete HDF5 file of Senga\. Build it"):
        DatasetReader(path)


def test_truncated_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.h5")
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(SengaError, match="is not a complete HDF5 file"):
        DatasetReader(path)


@pytest.mark.parametrize("missing", ["line", "id", "box", "color"])
def test_file_without_a_dataset_is_refused(tmp_path: Path, missing: str) -> None:
    path = write(tmp_path / "t.h5")
    with h5py.File(path, "r+") as file:
        del file[missing]
    with pytest.raises(SengaError, match="is not a complete HDF5 file of Senga"):
        DatasetReader(path)


@pytest.mark.parametrize(("schema", "named"), [("senga-9", "senga-9"), (None, "missing")])
def test_other_schema_is_refused(tmp_path: Path, schema: str | None, named: str) -> None:
    path = write(tmp_path / "t.h5")
    with h5py.File(path, "r+") as file:
        del file.attrs["schema"]
        if schema:
            file.attrs["schema"] = schema
    with pytest.raises(SengaError, match=rf"its schema is {named}, expected senga-1\. Build it"):
        DatasetReader(path)


@pytest.mark.parametrize("content", [b"\x00" * 40, zlib.compress(b"too short")])
def test_damaged_picture_is_named(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path / "t.h5")
    with h5py.File(path, "r+") as file:
        file["color"].id.write_direct_chunk((1, 0, 0, 0), content)
    reader = DatasetReader(path)
    assert reader.picture("color", 2).shape == (SIZE, SIZE, 3)
    with pytest.raises(SengaError, match=r"color of post 7 cannot be read .*\. Build it again"):
        reader.picture("color", 1)
