"""Files that a table names, and what changes later."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from pipeline.posts.local_file import parse_local
from pipeline.posts.picture_files import MISSING, OUTSIDE, PictureFiles, look_again, write_seen


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "pictures"
    (root / "a b" / "c").mkdir(parents=True)
    (root / "0123").mkdir()
    (root / "a b" / "1#.jpg").write_bytes(b"123")
    (root / "0123" / "4560123.png").write_bytes(b"12")
    (tmp_path / "secret.jpg").write_bytes(b"1")
    return root


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a b/1#.jpg", "a b/1#.jpg"),
        ("./a b/c/../1#.jpg", "a b/1#.jpg"),
        ("a b\\1#.jpg", "a b/1#.jpg"),
        ("{root}/a b/1#.jpg", "a b/1#.jpg"),
        ("a b/2.jpg", MISSING),
        ("a b", MISSING),
        ("", MISSING),
        ("x" * 300, MISSING),
        ("../secret.jpg", OUTSIDE),
        ("..\\secret.jpg", MISSING),
        ("/etc/passwd", OUTSIDE),
        ("{root}2/a.jpg", OUTSIDE),
        (".", OUTSIDE),
        ("a\0b", OUTSIDE),
    ],
)
def test_files_are_found_below_the_folder(folder: Path, path: str, expected: str) -> None:
    found = PictureFiles(folder=folder).find(pl.Series([path.replace("{root}", str(folder))]))
    if expected in (MISSING, OUTSIDE):
        assert (found.urls[0], found.reasons[0]) == ("", expected)
    else:
        file = parse_local(found.urls[0])
        facts = (folder / "a b" / "1#.jpg").stat()
        assert (file.path, file.size, file.modified) == (expected, 3, facts.st_mtime_ns)
        assert found.reasons[0] is None
        assert found.paths[0] == expected


@pytest.mark.parametrize("extension", ["png", "jpg", "", ".PNG", "../x"])
def test_files_are_found_by_ids(folder: Path, extension: str) -> None:
    ids = pl.Series([4560123, 5, None], dtype=pl.Int64)
    files = PictureFiles(folder=folder, by_id=True)
    found = files.find_by_id(ids, pl.Series([extension] * 3))
    assert found.paths.to_list() == ["0123/4560123.png", "", ""]
    assert found.reasons.to_list() == [None, MISSING, None]


def test_what_changes_is_noticed(folder: Path, tmp_path: Path) -> None:
    files, seen = PictureFiles(folder=folder), tmp_path / "seen"
    paths = pl.Series(["a b/1#.jpg", "a b/late.jpg", "new/er/x.jpg", "../secret.jpg"])
    write_seen([files.find(paths).seen], seen)
    before, same = look_again(folder, seen)
    assert same
    assert look_again(folder, seen) == (before, True)
    (tmp_path / "secret.jpg").write_bytes(b"other")
    assert look_again(folder, seen)[1]
    os.utime(folder / "a b" / "1#.jpg", ns=(1, 1))
    touched, same = look_again(folder, seen)
    assert (touched != before, same) == (True, False)


@pytest.mark.parametrize("late", ["a b/late.jpg", "new"])
def test_a_missing_file_that_comes_is_noticed(folder: Path, tmp_path: Path, late: str) -> None:
    seen = tmp_path / "seen"
    paths = pl.Series(["a b/late.jpg", "new/er/x.jpg"])
    write_seen([PictureFiles(folder=folder).find(paths).seen], seen)
    for place in (folder, folder / "a b"):
        os.utime(place, ns=(1, 1))
    write_seen([PictureFiles(folder=folder).find(paths).seen], seen)
    assert look_again(folder, seen)[1]
    (folder / late).mkdir()
    assert not look_again(folder, seen)[1]


def test_without_files_nothing_is_listed(tmp_path: Path) -> None:
    write_seen([], tmp_path / "seen")
    assert not (tmp_path / "seen").exists()
