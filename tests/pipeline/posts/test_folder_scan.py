"""The walk through a folder of pictures."""

import os
from pathlib import Path

import pytest

from pipeline.posts.folder_scan import digest_of_folder, walk
from sketch_models.errors import SengaError


def found(root: Path, **options: object) -> list[str]:
    return [
        folder.path_of(file.name)
        for folder in walk(root, **options)  # type: ignore[arg-type]
        for file in folder.files
    ]


def skipped(root: Path, **options: object) -> list[tuple[str, str]]:
    return [each for folder in walk(root, **options) for each in folder.skipped]  # type: ignore[arg-type]


def fill(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def test_files_of_all_folders_are_found_in_one_order(tmp_path: Path) -> None:
    fill(tmp_path, "b.png", "a/z.png", "a/deep/er/1.png", "A.png", "a.png")
    assert found(tmp_path) == ["A.png", "a.png", "b.png", "a/z.png", "a/deep/er/1.png"]


def test_what_is_hidden_or_of_a_system_is_left_out(tmp_path: Path) -> None:
    fill(tmp_path, ".a.png", ".git/b.png", "Thumbs.db", "@eaDir/c.png", "out/d.png", "e.png")
    assert found(tmp_path, leave_out=[(tmp_path / "out").resolve()]) == ["e.png"]
    assert skipped(tmp_path) == []


@pytest.mark.parametrize(
    "name", [b"new\nline.png", b"\xff\xfe.png", b"n" * 251 + b".png", b" .png"]
)
def test_any_name_is_found(tmp_path: Path, name: bytes) -> None:
    (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    assert found(tmp_path) == [os.fsdecode(name)]
    assert len(digest_of_folder(tmp_path)) == 64


def test_links_are_followed_if_wanted(tmp_path: Path) -> None:
    fill(tmp_path, "outside/1.png", "in/2.png")
    inside = tmp_path / "in"
    (inside / "folder").symlink_to(tmp_path / "outside")
    (inside / "file.png").symlink_to(tmp_path / "outside" / "1.png")
    (inside / "loop").symlink_to(inside)
    (inside / "gone").symlink_to(tmp_path / "nowhere")
    assert found(inside) == ["2.png"]
    assert {code for _, code in skipped(inside)} == {"symbolic_link"}
    assert len(skipped(inside)) == 4
    assert found(inside, follow_links=True) == ["2.png", "file.png", "folder/1.png"]
    assert skipped(inside, follow_links=True) == [
        ("gone", "symbolic_link"),
        ("loop", "link_loop"),
    ]


def test_a_link_to_the_folder_itself_is_no_loop(tmp_path: Path) -> None:
    fill(tmp_path, "pictures/1.png")
    (tmp_path / "link").symlink_to(tmp_path / "pictures")
    assert found(tmp_path / "link") == ["1.png"]


def test_what_is_no_file_is_skipped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert skipped(tmp_path) == [("pipe.png", "no_file")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_read_is_skipped(tmp_path: Path) -> None:
    fill(tmp_path, "locked/1.png")
    (tmp_path / "locked").chmod(0)
    try:
        assert skipped(tmp_path) == [("locked", "unreadable")]
    finally:
        (tmp_path / "locked").chmod(0o755)


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SengaError, match="there is no such folder"):
        list(walk(tmp_path / "pictures"))


def test_digest_changes_with_every_file(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b/c.png")
    digests = {digest_of_folder(tmp_path)}
    fill(tmp_path, "b/d.txt")
    digests.add(digest_of_folder(tmp_path))
    os.utime(tmp_path / "a.png", (1, 1))
    digests.add(digest_of_folder(tmp_path))
    (tmp_path / "b").rename(tmp_path / "e")
    digests.add(digest_of_folder(tmp_path))
    (tmp_path / "link").symlink_to("nowhere")
    digests.add(digest_of_folder(tmp_path))
    assert len(digests) == 5
    assert digest_of_folder(tmp_path) in digests
