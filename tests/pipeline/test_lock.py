"""One build writes to a dataset, or jobs that make other shards each."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from pipeline import lock
from sketch_models.errors import SengaError


def list_files(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*"))


@pytest.fixture
def other_build(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    code = (
        "import sys, pathlib, pipeline.lock as s; "
        "s.lock_dataset(pathlib.Path(sys.argv[1])); print('locked', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield process
        process.kill()


def test_second_build_is_refused(tmp_path: Path, other_build: subprocess.Popen[str]) -> None:
    with pytest.raises(SengaError, match=f"being built by process {other_build.pid}"):
        lock.lock_dataset(tmp_path)
    other_build.kill()
    other_build.wait()
    lock.lock_dataset(tmp_path)
    lock.lock_dataset(tmp_path)  # again in the same process


def test_lock_deletes_temporary_files_of_a_killed_build(tmp_path: Path) -> None:
    (tmp_path / "color").mkdir()
    (tmp_path / "color" / ".shard-00001.tar.host-1.tmp").write_text("half")
    (tmp_path / "color" / ".0123.host-1.old").mkdir()
    lock.lock_dataset(tmp_path)
    assert list_files(tmp_path) == [".lock", "color"]


@pytest.mark.parametrize("name", [".lock", "color", "split/0123456789ab"])
def test_links_out_of_the_dataset_are_refused(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    (outside / "folder").mkdir(parents=True)
    (outside / "file").write_text("mine")
    link = tmp_path / "data" / "sample" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(outside / ("file" if name == ".lock" else "folder"))
    with pytest.raises(SengaError, match=f"{name}.* link") as caught:
        lock.lock_dataset(tmp_path / "data" / "sample")
    assert "\n" not in str(caught.value)
    assert (outside / "file").read_text() == "mine"


def test_dataset_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sample").symlink_to(tmp_path / "outside")
    with pytest.raises(SengaError, match=r"set \[build\] data"):
        lock.lock_dataset(tmp_path / "data" / "sample")
    assert list_files(tmp_path / "outside") == []


def test_links_within_the_dataset_are_fine(tmp_path: Path) -> None:
    (tmp_path / "disk" / "sample" / "colorizer" / "0123").mkdir(parents=True)
    (tmp_path / "disk" / "sample" / "colorizer" / "latest").symlink_to("0123")
    (tmp_path / "data").symlink_to(tmp_path / "disk")  # [build] data may be a link itself
    lock.lock_dataset(tmp_path / "data" / "sample")


def test_the_folder_is_made(tmp_path: Path) -> None:
    lock.lock_dataset(tmp_path / "data" / "of" / "mine")
    assert list_files(tmp_path / "data") == ["of", "of/mine", "of/mine/.lock"]


SHARE = "lock.lock_dataset(root, shared=True)"


def other_process(root: Path, *statements: str) -> subprocess.Popen[str]:
    """Run statements in a process, which then prints a line and waits."""
    code = "\n".join(
        [
            "import sys, contextlib, pathlib, pipeline.lock as lock",
            "root, stack = pathlib.Path(sys.argv[1]), contextlib.ExitStack()",
            *statements,
            "print('locked', flush=True)",
            "input()",
        ]
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    return process


def test_jobs_share_a_dataset_and_leave_the_files_of_others(tmp_path: Path) -> None:
    root = tmp_path / "sample"
    with other_process(root, SHARE) as other:
        (root / ".half.tmp").write_text("of the other")
        lock.lock_dataset(root, shared=True)
        assert (root / ".half.tmp").exists()
        other.kill()


@pytest.mark.parametrize("shared", [False, True])
def test_a_build_and_jobs_exclude_one_another(tmp_path: Path, shared: bool) -> None:
    statement = "lock.lock_dataset(root)" if shared else SHARE
    with other_process(tmp_path, statement) as other:
        with pytest.raises(SengaError, match=f"being built by process {other.pid} on"):
            lock.lock_dataset(tmp_path, shared=shared)
        other.kill()


def seconds_until_locked(lock_it: Callable[[], AbstractContextManager[None]]) -> float:
    started = time.monotonic()
    with lock_it():
        return time.monotonic() - started


@pytest.mark.parametrize("name", ["a.tar", "b.tar"])
def test_jobs_make_an_artefact_one_after_the_other(tmp_path: Path, name: str) -> None:
    """Of another artefact, or after the other process is killed, nobody waits."""
    enter = "stack.enter_context(lock.lock_artefact(root, root / 'a.tar'))"
    with other_process(tmp_path, SHARE, enter) as other:
        lock.lock_dataset(tmp_path, shared=True)
        threading.Timer(1, other.kill).start()
        waited = seconds_until_locked(lambda: lock.lock_artefact(tmp_path, tmp_path / name))
        assert (waited > 0.5) == (name == "a.tar")


def test_a_build_alone_makes_no_file_for_the_locks_of_artefacts(tmp_path: Path) -> None:
    lock.lock_dataset(tmp_path)
    with lock.lock_artefact(tmp_path, tmp_path / "a.tar"):
        assert list_files(tmp_path) == [".lock"]


def test_one_process_downloads_at_a_time(tmp_path: Path) -> None:
    enter = "stack.enter_context(lock.lock_downloads(root, print))"
    owners: list[str] = []
    with other_process(tmp_path, enter) as other:
        threading.Timer(1, other.kill).start()
        waited = seconds_until_locked(lambda: lock.lock_downloads(tmp_path, owners.append))
        assert waited > 0.5
    assert [owner.partition(" on ")[0] for owner in owners] == [f"process {other.pid}"]
    assert seconds_until_locked(lambda: lock.lock_downloads(tmp_path, owners.append)) < 0.5
    assert len(owners) == 1
