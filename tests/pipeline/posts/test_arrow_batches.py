"""The index of Arrow's streams and files."""

from __future__ import annotations

import contextlib
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Literal

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
    assert [batch.rows for batch in index.batches] == [4, 4, 2]
    assert index.metadata == {"a": "b", "c": "d" * 10_000}


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_one_batch_of_a_file_is_a_stream(
    tmp_path: Path, compression: Literal["lz4", "zstd"]
) -> None:
    paths = [write(tmp_path / "pyarrow", stream=False), tmp_path / "polars"]
    FRAME.write_ipc(paths[1], compression=compression, record_batch_size=4)
    for path in paths:
        index = read_index(path)
        assert pl.read_ipc_stream(BytesIO(read_stream(path, index))).schema == FRAME.schema
        parts = [
            pl.read_ipc_stream(BytesIO(read_stream(path, index, number)))
            for number in range(len(index.batches))
        ]
        assert len(parts) == 3
        assert pl.concat(parts).equals(FRAME)


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
            index = read_index(tmp_path / "t")
            assert sum(batch.rows for batch in index.batches) <= 2 * len(content)
        except ArrowError:
            refused += 1
    assert refused


def test_a_batch_has_no_more_rows_than_bytes(tmp_path: Path) -> None:
    path = write(tmp_path / "t", stream=True)
    index, content = read_index(path), bytearray(path.read_bytes())
    start = index.batches[0].start
    place = content.index((4).to_bytes(8, "little"), start)  # of the number of its rows
    content[place + 7] = 32
    path.write_bytes(content)
    with pytest.raises(ArrowError, match="damaged"):
        read_index(path)


def test_other_files_are_not_arrow(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"PAR1")
    assert not is_arrow(tmp_path / "t")
    assert not is_arrow(tmp_path / "gone")


def test_a_buffer_that_is_longer_than_its_batch_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t", stream=True)
    content = path.read_bytes()
    refused = 0
    for batch in read_index(path).batches:
        for place in range(batch.start, batch.start + batch.size - 8, 8):
            damaged = bytearray(content)
            damaged[place + 6] ^= 0x10  # of a number of 64 bits, 2^52
            path.write_bytes(damaged)
            try:
                read_stream(path, read_index(path), 0)
            except ArrowError:
                refused += 1
    assert refused >= 3 * 4  # a number of rows and some buffers in every batch


def test_a_buffer_that_unpacks_to_a_lot_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t"
    pl.DataFrame({"a": ["some text of a row"] * 500}).write_ipc(path, compression="zstd")
    content, (batch,) = path.read_bytes(), read_index(path).batches
    refused = 0
    for place in range(batch.start, batch.start + batch.size - 8, 8):
        damaged = bytearray(content)
        damaged[place : place + 8] = (1 << 40).to_bytes(8, "little")
        path.write_bytes(damaged)
        with contextlib.suppress(ArrowError):
            read_index(path)
            continue
        refused += "unpacked" in _said(path)
    assert refused >= 1


def _said(path: Path) -> str:
    with pytest.raises(ArrowError) as caught:
        read_index(path)
    return str(caught.value)
