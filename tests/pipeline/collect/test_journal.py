"""The journal, after a restart and after a kill."""

import errno
import hashlib
import json
import os
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.collect.journal import Journal
from pipeline.collect.outcome import DownloadOutcome
from sketch_models.errors import SengaError


def row(post_id: int, content: bytes) -> DownloadOutcome:
    digest = hashlib.sha256(content).hexdigest()
    return DownloadOutcome(post_id, "ok", url="u", status=200, bytes=len(content), sha256=digest)


def test_rows_and_pictures_survive_a_restart(tmp_path: Path) -> None:
    dead = DownloadOutcome(2, "http_404", "Not\nFound é", url="v", status=404)
    with Journal(tmp_path / "j") as journal:
        journal.add(row(1, b"one\n\n"), "jpg", b"one\n\n")
        journal.add(dead)
        journal.add(row(3, b"three"), "png", b"three")
        assert journal.read(1) == b"one\n\n"
    with Journal(tmp_path / "j") as journal:
        assert journal.rows == {1: row(1, b"one\n\n"), 2: dead, 3: row(3, b"three")}
        assert journal.pictures() == [1, 3]
        assert (journal.extension(3), journal.read(3)) == ("png", b"three")
        with pytest.raises(KeyError):
            journal.read(2)


def test_partial_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.pwrite
    monkeypatch.setattr(os, "pwritev", lambda file, parts, at: write(file, parts[0][:3], at))
    monkeypatch.setattr(os, "pwrite", lambda file, part, at: write(file, part[:50], at))
    with Journal(tmp_path / "j") as journal:
        journal.add(row(1, b"one" * 99), "jpg", b"one" * 99)
    with Journal(tmp_path / "j") as journal:
        assert journal.read(1) == b"one" * 99


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record the offset of every read of the file, with room for 250 bytes in memory."""
    read, offsets = os.pread, []

    def record(file: int, size: int, offset: int) -> bytes:
        offsets.append(offset)
        return read(file, size, offset)

    monkeypatch.setattr("pipeline.collect.journal._MAX_CACHED_BYTES", 250)
    monkeypatch.setattr(os, "pread", record)
    return offsets


def test_pictures_in_memory_are_bounded(tmp_path: Path, reads: list[int]) -> None:
    contents = {n: bytes([n]) * 100 for n in range(6)}
    with Journal(tmp_path / "j") as journal:
        for post_id, content in contents.items():
            journal.add(row(post_id, content), "jpg", content)
        reads.clear()
        assert {n: journal.read(n) for n in contents} == contents
        assert len(reads) == 4  # the other two were in memory
        assert {n: journal.read(n) for n in contents} == contents
        assert len(reads) == 4 + 6


def test_memory_of_pictures_that_were_read_or_replaced_is_free_again(
    tmp_path: Path, reads: list[int]
) -> None:
    with Journal(tmp_path / "j") as journal:
        reads.clear()
        for number in range(20):
            first, second, last = (bytes([number, place]) * 50 for place in range(3))
            for post_id, content in ((0, first), (1, second), (0, last)):
                journal.add(row(post_id, content), "jpg", content)
            assert [journal.read(post_id) for post_id in (0, 1)] == [last, second]
        assert not reads


def test_picture_that_replaces_one_in_memory_is_the_one_that_is_read(
    tmp_path: Path, reads: list[int]
) -> None:
    with Journal(tmp_path / "j") as journal:
        for content in (b"a" * 200, b"b" * 300):  # of which the second stays on disk
            journal.add(row(0, content), "jpg", content)
        reads.clear()
        assert journal.read(0) == b"b" * 300
        assert len(reads) == 1


def test_late_thread_does_not_write_into_another_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    descriptor = journal._file
    journal.close()
    other = os.open(tmp_path / "other", os.O_RDWR | os.O_CREAT)
    os.dup2(other, descriptor)  # the next file that is opened may get the number
    try:
        with pytest.raises(OSError, match="Bad file descriptor"):
            journal.add(row(1, b"late"), "jpg", b"late")
        assert (tmp_path / "other").read_bytes() == b""
    finally:
        for each in {other, descriptor}:
            os.close(each)


def test_later_record_of_a_post_replaces_the_earlier(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        journal.add(DownloadOutcome(1, "http_404"))
        journal.add(row(1, b"x"), "jpg", b"x")
        assert journal.rows[1].code == "ok"
    with Journal(tmp_path / "j") as journal:
        assert journal.rows[1].code == "ok"


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=6), st.data())
def test_truncated_file_loses_its_last_record_alone(
    contents: list[bytes], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "j"
        ends = []
        with Journal(path) as journal:
            for post_id, content in enumerate(contents):
                journal.add(row(post_id, content), "jpg", content)
                ends.append(path.stat().st_size)
        cut = data.draw(st.integers(0, ends[-1]))
        path.write_bytes(path.read_bytes()[:cut])
        whole = sum(end <= cut for end in ends)
        with Journal(path) as journal:
            assert journal.pictures() == list(range(whole))
            assert [journal.read(post_id) for post_id in range(whole)] == contents[:whole]
            journal.add(row(99, b"new"), "gif", b"new")
        with Journal(path) as journal:
            assert journal.pictures() == [*range(whole), 99]


def test_damaged_record_is_skipped_alone(tmp_path: Path) -> None:
    """One thread was killed while it wrote, and another had written behind it."""
    with Journal(tmp_path / "j") as journal:
        for post_id, content in enumerate([b"first", b"second", b"third"]):
            journal.add(row(post_id, content), "jpg", content)
        journal.add(DownloadOutcome(7, "http_404"))
    content = (tmp_path / "j").read_bytes()
    for lost in (b"second", content[content.index(b'"id": 1') : content.index(b"second")]):
        (tmp_path / "j").write_bytes(content.replace(lost, bytes(len(lost))))
        with Journal(tmp_path / "j") as journal:
            assert (journal.pictures(), set(journal.rows)) == ([0, 2], {0, 2, 7})


def test_records_inside_a_picture_are_ignored(tmp_path: Path) -> None:
    with Journal(tmp_path / "inner") as journal:
        journal.add(row(1, b"inner"), "jpg", b"inner")
        journal.add(DownloadOutcome(2, "http_404"))
    content = (tmp_path / "inner").read_bytes()
    with Journal(tmp_path / "j") as journal:
        journal.add(row(5, content), "gif", content)
    with Journal(tmp_path / "j") as journal:
        assert (list(journal.rows), journal.read(5)) == ([5], content)


def test_records_inside_a_half_written_picture_are_ignored(tmp_path: Path) -> None:
    """The maker of a picture puts records into it, and a kill leaves no whole one around them."""
    forged = row(1, b"forged")
    line = json.dumps(vars(forged) | {"part": "jpg"})
    with Journal(tmp_path / "other") as journal:
        journal.add(forged, "jpg", b"forged")
    other = (tmp_path / "other").read_bytes()
    content = f"x\n{line}\n".encode() + b"forged" + other + b"the rest"
    with Journal(tmp_path / "j") as journal:
        journal.add(row(5, content), "gif", content)
        journal.add(row(6, b"six"), "gif", b"six")
    whole = (tmp_path / "j").read_bytes()
    (tmp_path / "j").write_bytes(whole.replace(b"the rest", bytes(8)))
    with Journal(tmp_path / "j") as journal:
        assert (list(journal.rows), journal.pictures()) == ([6], [6])


def test_journal_of_an_earlier_version_is_read_and_continued(tmp_path: Path) -> None:
    old = row(1, b"one")
    line = json.dumps(vars(old) | {"part": "jpg"})
    (tmp_path / "j").write_bytes(f"\n{line}\n".encode() + b"one")
    with Journal(tmp_path / "j") as journal:
        assert journal.read(1) == b"one"
        journal.add(row(2, b"two"), "jpg", b"two")
    with Journal(tmp_path / "j") as journal:
        assert [journal.read(post_id) for post_id in (1, 2)] == [b"one", b"two"]


def test_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("mine")
    (tmp_path / "j").symlink_to("outside")
    with pytest.raises(SengaError, match="j could not be written: a symbolic link"):
        Journal(tmp_path / "j")
    (tmp_path / "outside").unlink()
    with pytest.raises(SengaError, match="j could not be written: a symbolic link"):
        Journal(tmp_path / "j")
    assert not (tmp_path / "outside").exists()


def test_threads_can_write_at_once(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:

        def work(start: int) -> None:
            for post_id in range(start, start + 50):
                content = b"%d" % post_id * 100
                journal.add(row(post_id, content), "jpg", content)

        threads = [threading.Thread(target=work, args=(n * 50,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with Journal(tmp_path / "j") as journal:
        assert sorted(journal.pictures()) == list(range(400))
        assert all(journal.read(n) == b"%d" % n * 100 for n in range(400))


def test_full_disk_raises_and_keeps_earlier_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.pwrite

    def half(file: int, contents: list[bytes], at: int) -> int:
        whole = b"".join(contents)
        return write(file, whole[: len(whole) // 2], at)

    def nearly_full(file: int, content: bytes, at: int) -> int:
        if len(content) < 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, content[: len(content) // 2], at)

    with Journal(tmp_path / "j") as journal:
        journal.add(row(1, b"first"), "jpg", b"first")
        monkeypatch.setattr(os, "pwritev", half)
        monkeypatch.setattr(os, "pwrite", nearly_full)
        with pytest.raises(OSError, match="No space"):
            journal.add(row(2, b"second"), "jpg", b"second")
    monkeypatch.undo()
    with Journal(tmp_path / "j") as journal:
        assert journal.pictures() == [1]


def test_size_of_a_picture_that_was_refused_is_no_part_of_the_file(tmp_path: Path) -> None:
    large = DownloadOutcome(1, "too_many_bytes", status=200, bytes=20)
    with Journal(tmp_path / "j") as journal:
        journal.add(large)
        journal.add(row(2, b"two" * 99), "jpg", b"two" * 99)
    with Journal(tmp_path / "j") as journal:
        assert journal.rows == {1: large, 2: row(2, b"two" * 99)}
