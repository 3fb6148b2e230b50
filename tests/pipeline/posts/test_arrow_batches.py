"""The index of Arrow's streams and files."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from random import Random

import polars as pl
import pytest

from pipeline.posts.arrow_batches import ArrowError, is_arrow, read_index, read_stream

FRAME = pl.DataFrame({"number": range(10), "text": [str(n) * n for n in range(10)]})


def write(path: Path, *, stream: bool) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    table = FRAME.to_arrow().replace_schema_metadata({"a": "b", "c": "d" * 10_000})
    make = pyarrow.ipc.new_stream if stream else pyarrow.ipc.new_file
    with make(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=4)
    return path


@pytest.mark.parametrize("stream", [True, False])
def test_batches_and_metadata_are_found(tmp_path: Path, stream: bool) -> None:
    path = write(tmp_path / "t", stream=stream)
    assert is_arrow(path)
    index = read_index(path)
    assert index.is_stream == stream
    assert [batch.rows for batch in index.batches] == [4, 4, 2]
    assert index.metadata == {"a": "b", "c": "d" * 10_000}


def test_one_batch_of_a_stream_is_a_stream(tmp_path: Path) -> None:
    path = write(tmp_path / "t", stream=True)
    index = read_index(path)
    assert pl.read_ipc_stream(BytesIO(read_stream(path, index, 1))).equals(FRAME.slice(4, 4))
    assert pl.read_ipc_stream(BytesIO(read_stream(path, index))).schema == FRAME.schema
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(ArrowError, match="its end is missing"):
        read_stream(path, index, 2)


def test_a_stream_may_lack_its_end(tmp_path: Path) -> None:
    path = write(tmp_path / "t", stream=True)
    path.write_bytes(path.read_bytes()[:-8])
    assert len(read_index(path).batches) == 3


@pytest.mark.parametrize("stream", [True, False])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, stream: bool) -> None:
    content = write(tmp_path / "t", stream=stream).read_bytes()
    for size in (12, 2_000, len(content) // 2, len(content) - 9):
        (tmp_path / "t").write_bytes(content[:size])
        with pytest.raises(ArrowError, match=r"its end is missing|it has no schema|damaged"):
            read_index(tmp_path / "t")


@pytest.mark.parametrize("stream", [True, False])
def test_any_damage_is_an_index_or_a_refusal(tmp_path: Path, stream: bool) -> None:
    content = write(tmp_path / "t", stream=stream).read_bytes()
    random, refused = Random(0), 0
    for _ in range(400):
        damaged = bytearray(content)
        for _ in range(3):
            damaged[random.randrange(len(content))] = random.choice((0, 1, 127, 128, 255))
        (tmp_path / "t").write_bytes(damaged)
        try:
            read_index(tmp_path / "t")
        except ArrowError:
            refused += 1
    assert refused


def test_other_files_are_not_arrow(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"PAR1")
    assert not is_arrow(tmp_path / "t")
    assert not is_arrow(tmp_path / "gone")
