"""Files are replaced atomically, and locked for one writer at a time."""

import os
import threading
from pathlib import Path

import pytest

from sketch_models.atomic import locked, open_append, replacing


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_file_appears_at_the_end_of_the_block(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("names_in_folder", [(), ("b", "deep/c")])
def test_all_bytes_are_on_the_disk_before_the_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names_in_folder: tuple[str, ...]
) -> None:
    """A machine that loses power has the old file or the new one, not an empty one."""
    path, synced, fsync = tmp_path / "a", set(), os.fsync

    def record(descriptor: int) -> None:
        assert not path.exists()
        synced.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    with replacing(path) as temporary:
        for file in [temporary / name for name in names_in_folder] or [temporary]:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("new")
    files = [path / name for name in names_in_folder] or [path]
    assert synced == {file.stat().st_ino for file in files}


def test_exception_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(path) as temporary:
        temporary.write_text("half")
        _ = 1 / 0
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_block_that_writes_nothing_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "a"):
        pass
    assert names(tmp_path) == []


def test_lock_is_held_by_one_thread_at_a_time(tmp_path: Path) -> None:
    holders, holder_counts = [], []

    def work() -> None:
        for _ in range(20):
            with locked(tmp_path / "deep" / "a"):
                holders.append(1)
                holder_counts.append(len(holders))
                holders.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert holder_counts == [1] * 80


def test_locks_of_different_files_are_independent(tmp_path: Path) -> None:
    with locked(tmp_path / "a"), locked(tmp_path / "b"):
        pass


def test_no_write_follows_a_link(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("mine")
    for name in ("log", ".a.lock"):
        (tmp_path / name).symlink_to("outside")
    with pytest.raises(OSError, match="symbolic links"):
        open_append(tmp_path / "log")
    with pytest.raises(OSError, match="symbolic links"), locked(tmp_path / "a"):
        pass
    assert (tmp_path / "outside").read_text() == "mine"


def test_link_with_the_name_of_a_temporary_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("mine")
    with replacing(tmp_path / "a") as temporary:
        temporary.write_text("first")
    temporary.symlink_to("outside")
    with replacing(tmp_path / "a") as temporary:
        temporary.write_text("second")
    assert (tmp_path / "a").read_text() == "second"
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "outside").read_text() == "mine"


def test_lines_are_appended(tmp_path: Path) -> None:
    for line in (b"one\n", b"two\n"):
        with open_append(tmp_path / "log") as file:
            file.write(line)
    assert (tmp_path / "log").read_text() == "one\ntwo\n"


def test_link_replaces_a_link_and_never_a_folder(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)

    def link_to(name: str) -> None:
        with replacing(tmp_path / "latest") as temporary:
            temporary.symlink_to(name)

    link_to("one")
    link_to("two")
    assert (tmp_path / "latest" / "file").read_text() == "two"
    assert (tmp_path / "one" / "file").read_text() == "one"
    (tmp_path / "latest").unlink()
    (tmp_path / "latest").mkdir()
    (tmp_path / "latest" / "mine").write_text("mine")
    with pytest.raises(IsADirectoryError):
        link_to("one")
    assert (tmp_path / "latest" / "mine").read_text() == "mine"
    assert not list(tmp_path.glob(".*"))
