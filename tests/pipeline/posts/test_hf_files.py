"""Where the tables of pictures are."""

import os
from pathlib import Path

import pytest

from pipeline.posts.hf_files import find_tables
from sketch_models.errors import SengaError


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def names(path: Path, **options: object) -> list[str]:
    return [file.path for file in find_tables(path, **options).files]  # type: ignore[arg-type]


def test_tables_are_found_at_any_depth(tmp_path: Path) -> None:
    put(tmp_path, "b/c/2.PARQUET", "b/1.arrow", "a.parquet", "README.md", "b/x.json", "d.feather")
    put(tmp_path, "b/cache-0123.arrow", ".cache/e.parquet", "out/posts.parquet")
    found = names(tmp_path, leave_out=[(tmp_path / "out").resolve()])
    assert found == ["a.parquet", "d.feather", "b/1.arrow", "b/c/2.PARQUET"]


def test_a_file_is_a_table_whatever_its_name(tmp_path: Path) -> None:
    put(tmp_path, "t", "u.parquet")
    assert names(tmp_path / "t") == ["t"]


def test_links_are_followed_if_wanted_and_counted_if_they_matter(tmp_path: Path) -> None:
    put(tmp_path, "blobs/0", "in/real.parquet")
    (tmp_path / "in" / "t.parquet").symlink_to(tmp_path / "blobs" / "0")
    (tmp_path / "in" / "README.md").symlink_to(tmp_path / "blobs" / "0")
    assert names(tmp_path / "in", follow_links=True) == ["real.parquet", "t.parquet"]
    tables = find_tables(tmp_path / "in")
    assert [file.path for file in tables.files] == ["real.parquet"]
    assert tables.skipped == (("t.parquet", "symbolic_link"),)


def test_a_folder_of_links_says_how_to_follow_them(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").symlink_to("../blobs/0")
    with pytest.raises(SengaError, match=r"no file ending in .* 1 are symbolic links.*follow"):
        find_tables(tmp_path)


def test_a_path_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SengaError, match=r"gone cannot be read \(No such file"):
        find_tables(tmp_path / "gone")


def test_a_digest_changes_with_names_sizes_times_and_links(tmp_path: Path) -> None:
    put(tmp_path, "a.parquet", "x.txt")
    seen = {find_tables(tmp_path).digest()}
    put(tmp_path, "y.txt")
    assert find_tables(tmp_path).digest() in seen
    os.utime(tmp_path / "a.parquet", (5, 5))
    seen.add(find_tables(tmp_path).digest())
    (tmp_path / "a.parquet").write_text("longer than before")
    os.utime(tmp_path / "a.parquet", (5, 5))
    seen.add(find_tables(tmp_path).digest())
    put(tmp_path, "b.parquet")
    seen.add(find_tables(tmp_path).digest())
    (tmp_path / "c.parquet").symlink_to("nowhere")
    seen.add(find_tables(tmp_path).digest())
    assert len(seen) == 5
