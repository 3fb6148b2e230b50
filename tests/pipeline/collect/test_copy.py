"""Pictures on this machine, copied into a shard."""

from __future__ import annotations

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from pipeline.collect.copy import copy_shard
from pipeline.collect.download import DownloadResult
from pipeline.collect.local_pictures import LocalPictures
from pipeline.collect.options import DownloadOptions
from pipeline.posts.local_file import LocalFile
from pipeline.shard import ShardReader
from pipeline.table import write_table


def png(color: int) -> bytes:
    file = BytesIO()
    Image.new("RGB", (40, 30), (color, 30, 60)).save(file, "PNG")
    return file.getvalue()


class Folder:
    """A folder of pictures, and the shard that is copied from it."""

    def __init__(self, root: Path) -> None:
        self.pictures, self.tar, self.table = root / "in", root / "a.tar", root / "a.parquet"
        self.pictures.mkdir()
        self.ids: dict[str, int] = {}

    def put(self, name: str, content: bytes) -> None:
        (self.pictures / name).write_bytes(content)
        self.ids.setdefault(name, len(self.ids) + 1)

    def posts(self) -> Path:
        """Write the posts of the files as they are now."""
        rows = []
        for name, number in self.ids.items():
            stat = (self.pictures / name).stat()
            file = LocalFile(path=name, size=stat.st_size, modified=stat.st_mtime_ns)
            rows.append({"id": number, "url": file.to_url()})
        posts = self.tar.with_name("posts.parquet")
        write_table(pl.DataFrame(rows), posts)
        return posts

    def copy(self, posts: Path | None = None, **options: object) -> DownloadResult:
        new_tar, new_table = self.tar.with_name("new.tar"), self.table.with_name("new.parquet")
        result = copy_shard(
            posts or self.posts(),
            new_tar,
            new_table,
            LocalPictures(root=self.pictures, options=DownloadOptions(**options)),  # type: ignore[arg-type]
            previous_tar=self.tar,
            previous_table=self.table,
        )
        new_tar.replace(self.tar)
        new_table.replace(self.table)
        return result

    def content(self) -> dict[int, bytes]:
        with ShardReader(self.tar) as shard:
            return {each: shard.read(each, shard.parts(each)[0]) for each in shard.ids}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def codes(result: DownloadResult) -> list[str]:
    return [row.code for row in result.outcomes]


def test_pictures_are_copied_as_they_are(folder: Folder) -> None:
    for number in range(6):
        folder.put(f"{number}.png", png(number))
    result = folder.copy()
    assert codes(result) == ["ok"] * 6
    assert folder.content() == {number + 1: png(number) for number in range(6)}
    assert not result.damaged


def test_what_is_there_is_not_read_again(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.put("a.png", png(1))
    folder.copy()
    inode = folder.tar.stat().st_ino
    folder.put("b.png", png(2))
    read: list[int] = []
    real = LocalPictures.read

    def counted(self: LocalPictures, post_id: int, url: str) -> object:
        read.append(post_id)
        return real(self, post_id, url)

    monkeypatch.setattr(LocalPictures, "read", counted)
    assert codes(folder.copy()) == ["ok", "ok"]
    assert read == [2]
    assert folder.tar.stat().st_ino != inode
    inode = folder.tar.stat().st_ino
    folder.copy()
    assert read == [2]
    assert folder.tar.stat().st_ino == inode


def test_a_file_that_changed_is_read_again(folder: Folder) -> None:
    folder.put("a.png", png(1))
    folder.put("b.png", png(2))
    folder.copy()
    folder.put("a.png", png(9))
    os.utime(folder.pictures / "a.png", (5, 5))
    folder.copy()
    assert folder.content() == {1: png(9), 2: png(2)}


def test_a_file_that_broke_loses_its_picture(folder: Folder) -> None:
    folder.put("a.png", png(1))
    folder.put("b.png", png(2))
    folder.copy()
    folder.put("a.png", png(1)[:60])
    assert codes(folder.copy()) == ["truncated", "ok"]
    assert folder.content() == {2: png(2)}


def gone(file: Path) -> None:
    file.unlink()


def changed(file: Path) -> None:
    os.utime(file, (5, 5))


def is_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    ("happen", "code"),
    [(gone, "missing_file"), (changed, "changed_file"), (is_folder, "unreadable")],
)
def test_a_file_that_is_another_since_the_import_is_a_row(
    folder: Folder, happen: Callable[[Path], None], code: str
) -> None:
    folder.put("a.png", png(1))
    folder.put("b.png", png(2))
    posts = folder.posts()
    happen(folder.pictures / "a.png")
    result = folder.copy(posts)
    assert codes(result) == [code, "ok"]
    assert result.transient == 1
    assert folder.content() == {2: png(2)}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"<html></html>", "html"),
        (b"text", "not_a_picture"),
        (png(1)[:50], "truncated"),
    ],
)
def test_what_is_no_picture_is_a_row_for_good(folder: Folder, content: bytes, code: str) -> None:
    folder.put("a.png", content)
    result = folder.copy()
    assert codes(result) == [code]
    assert result.transient == 0


def test_large_files_are_rows_until_the_limit_is_raised(folder: Folder) -> None:
    folder.put("a.png", png(1))
    assert codes(folder.copy(max_bytes=20)) == ["too_many_bytes"]
    assert codes(folder.copy()) == ["ok"]


def test_a_name_of_another_type_is_kept_or_dropped(folder: Folder) -> None:
    folder.put("a.jpg", png(1))
    assert codes(folder.copy(wrong_type="drop")) == ["wrong_type"]
    assert codes(folder.copy()) == ["ok"]


def test_an_address_out_of_the_folder_is_refused(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(png(1))
    posts = tmp_path / "posts.parquet"
    write_table(pl.DataFrame({"id": [1], "url": ["file:../secret.png?1-1"]}), posts)
    assert codes(folder.copy(posts)) == ["bad_url"]


def test_a_picture_that_is_damaged_in_the_shard_is_copied_again(folder: Folder) -> None:
    folder.put("a.png", png(1))
    folder.put("b.png", png(2))
    folder.copy()
    content = bytearray(folder.tar.read_bytes())
    content[600] ^= 255
    folder.tar.write_bytes(content)
    result = folder.copy()
    assert result.damaged == [1]
    assert folder.content() == {1: png(1), 2: png(2)}


def test_rows_and_pictures_of_other_posts_stay(folder: Folder) -> None:
    folder.put("a.png", png(1))
    folder.put("b.png", png(2))
    folder.copy()
    posts = folder.posts()
    write_table(pl.read_parquet(posts).filter(pl.col("id") == 2), posts)
    assert codes(folder.copy(posts)) == ["ok"]
    assert folder.content() == {1: png(1), 2: png(2)}
