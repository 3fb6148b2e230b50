"""Tables with pictures: which column has them, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from pipeline.posts import picture_table
from pipeline.posts.picture_table import PictureTable, TableError, open_table, pictures_of
from tests.pipeline.posts.picture_tables import dataset, png

IMAGE = pl.Struct({"bytes": pl.Binary, "path": pl.String})


def table(columns: dict[str, Any], features: dict[str, str] | None = None) -> PictureTable:
    kinds = {name: {"_type": kind} for name, kind in (features or {}).items()}
    return PictureTable(columns, kinds, [], lambda _number, _columns: pl.DataFrame())


@pytest.mark.parametrize(
    ("found", "columns", "features"),
    [
        ("photo", {"text": pl.String(), "photo": IMAGE}, {}),
        ("photo", {"photo": pl.Binary()}, {}),
        ("image", {"mask": IMAGE, "image": IMAGE}, {}),
        ("color", {"jpg": IMAGE, "color": pl.Binary()}, {}),
        ("photo", {"image": pl.Binary(), "photo": IMAGE}, {"image": "Value", "photo": "Image"}),
        ("photo", {"voice": IMAGE, "photo": pl.Binary()}, {"voice": "Audio"}),
    ],
)
def test_the_column_of_pictures_is_found(
    found: str, columns: dict[str, Any], features: dict[str, str]
) -> None:
    assert table(columns, features).find_pictures() == found


def test_a_person_may_name_the_column() -> None:
    some = table({"image": IMAGE, "mask": IMAGE, "text": pl.String()})
    assert some.find_pictures("mask") == "mask"
    with pytest.raises(TableError, match=r"no column text .*image, mask"):
        some.find_pictures("text")


def test_several_columns_that_may_be_meant_are_listed() -> None:
    with pytest.raises(TableError, match=r"the columns a, b have bytes.*image_column"):
        table({"a": IMAGE, "b": IMAGE}).find_pictures()


def test_a_table_without_pictures_lists_its_columns() -> None:
    with pytest.raises(TableError, match="no column has the bytes of pictures; its columns: text"):
        table({"text": pl.String()}).find_pictures()


ROWS = {"image": [png(number) for number in range(7)], "text": list("abcdefg")}


def write_parquet(path: Path) -> None:
    dataset(ROWS).to_parquet(path, batch_size=3)


def write_stream(path: Path) -> None:
    dataset(ROWS).save_to_disk(path.parent / "saved")
    (path.parent / "saved" / "data-00000-of-00001.arrow").rename(path)


def write_file(path: Path) -> None:
    pl.DataFrame(ROWS).write_ipc(path, record_batch_size=3)


def write_compressed_file(path: Path) -> None:
    pl.DataFrame(ROWS).write_ipc(path, compression="zstd", record_batch_size=3)


def write_categories(path: Path) -> None:
    frame = pl.DataFrame(ROWS).with_columns(pl.col("text").cast(pl.Categorical))
    frame.write_ipc(path, record_batch_size=3)


@pytest.mark.parametrize(
    "write", [write_parquet, write_stream, write_file, write_compressed_file, write_categories]
)
def test_every_batch_is_read_alone(tmp_path: Path, write: Any) -> None:
    write(tmp_path / "t")
    some = open_table(tmp_path / "t")
    assert some.rows == 7
    contents: list[bytes] = []
    texts: list[str] = []
    for number, rows in enumerate(some.batches):
        assert rows.start == len(contents)
        column = some.find_pictures()
        contents += pictures_of(some.read(number, [column]), column)[0].to_list()
        texts += some.read(number, ["text"])["text"].to_list()
    assert (contents, texts) == (ROWS["image"], ROWS["text"])
    if write is not write_stream:
        assert len(some.batches) == 3


def test_features_are_read_from_parquet_and_arrow(tmp_path: Path) -> None:
    for write in (write_parquet, write_stream):
        write(tmp_path / "t")
        assert open_table(tmp_path / "t").features["image"]["_type"] == "Image"


def test_features_that_are_odd_are_ignored(tmp_path: Path) -> None:
    for text in ("", "{", "[]", json.dumps({"info": {"features": [1]}})):
        pl.DataFrame(ROWS).write_parquet(tmp_path / "t", metadata={"huggingface": text})
        assert open_table(tmp_path / "t").find_pictures() == "image"


@pytest.mark.parametrize("write", [write_parquet, write_file])
def test_batches_that_are_too_large_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Any
) -> None:
    write(tmp_path / "t")
    open_table(tmp_path / "t")
    monkeypatch.setattr(picture_table, "MAX_BATCH_BYTES", 150)
    with pytest.raises(TableError, match=r"write it again with smaller ones"):
        open_table(tmp_path / "t")


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("no table")
    with pytest.raises(TableError, match="neither Parquet nor Arrow"):
        open_table(tmp_path / "t")
    with pytest.raises(TableError, match="No such file"):
        open_table(tmp_path / "gone")


@pytest.mark.parametrize("write", [write_parquet, write_stream, write_file])
def test_a_table_that_is_cut_off_is_refused_or_loses_rows(tmp_path: Path, write: Any) -> None:
    write(tmp_path / "t")
    content = (tmp_path / "t").read_bytes()
    for size in sorted(Random(0).sample(range(len(content) - 8), 40)):
        (tmp_path / "t").write_bytes(content[:size])
        try:
            some = open_table(tmp_path / "t")
            for number in range(len(some.batches)):
                some.read(number, ["image"])
        except TableError:
            continue
        assert some.rows < 7 or size > len(content) - 2_000
