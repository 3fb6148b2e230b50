"""Digests are those of the bytes, remembered while a file does not change."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from sketch_models.errors import SengaError
from sketch_models.weights import digests
from sketch_models.weights.digests import DigestBook, Digests, read_digests


def of(content: bytes) -> Digests:
    return Digests(md5=hashlib.md5(content).hexdigest(), sha256=hashlib.sha256(content).hexdigest())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mod.h5"
    path.write_bytes(b"a" * 100)
    return path


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were read."""
    seen: list[Path] = []

    def note(file: Path) -> Digests:
        seen.append(file)
        return read_digests(file)

    monkeypatch.setattr(digests, "read_digests", note)
    return seen


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_digests_are_those_of_the_bytes(tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    (tmp_path / "a").write_bytes(content)
    assert read_digests(tmp_path / "a") == of(content)


def test_a_file_is_read_once(tmp_path: Path, file: Path, read: list[Path]) -> None:
    for _ in range(3):
        assert DigestBook(tmp_path).of(file) == of(b"a" * 100)
    assert read == [file]


def test_a_changed_file_is_read_again(tmp_path: Path, file: Path, read: list[Path]) -> None:
    book = DigestBook(tmp_path)
    book.of(file)
    before = file.stat()
    file.write_bytes(b"b" * 100)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))  # same size, a moment later
    assert book.of(file) == of(b"b" * 100)
    file.write_bytes(b"b" * 101)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))  # same time, another size
    assert book.of(file) == of(b"b" * 101)
    assert len(read) == 3


def test_a_relative_path_is_the_same_file(
    tmp_path: Path, file: Path, read: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    book = DigestBook(tmp_path)
    assert book.of(Path("mod.h5")) == book.of(file)
    assert len(read) == 1


def test_files_that_are_gone_are_forgotten(tmp_path: Path, file: Path) -> None:
    book = DigestBook(tmp_path)
    book.of(file)
    file.unlink()
    book.record_first("sketchkeras", "ab")
    assert json.loads(book.path.read_text()) == {"files": {}, "first": {"sketchkeras": "ab"}}


def test_the_first_digest_of_a_name(tmp_path: Path) -> None:
    book = DigestBook(tmp_path / "deep")
    assert book.first("sketchkeras") == ""
    book.record_first("sketchkeras", "ab")
    assert DigestBook(tmp_path / "deep").first("sketchkeras") == "ab"


def test_a_folder_that_cannot_be_written_is_no_obstacle(file: Path) -> None:
    book = DigestBook(file)  # a file is in the way
    assert book.of(file) == of(b"a" * 100)
    book.record_first("sketchkeras", "ab")
    assert book.first("sketchkeras") == ""


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"files": {}, "first": 1}', "\xff", '{"first": {}}']
)
def test_a_damaged_book_is_one_sentence(tmp_path: Path, file: Path, text: str) -> None:
    (tmp_path / "digests.json").write_bytes(text.encode("latin-1"))
    for use in (lambda book: book.of(file), lambda book: book.first("sketchkeras")):
        with pytest.raises(SengaError, match=r"digests.json is not what Senga wrote: delete it"):
            use(DigestBook(tmp_path))


def test_a_damaged_row_is_taken_anew(tmp_path: Path, file: Path) -> None:
    book = DigestBook(tmp_path)
    for row in (None, 1, [], [1, 2, 3, 4], {"size": 100}):
        book.path.write_text(json.dumps({"first": {}, "files": {str(file): row}}))
        assert book.of(file) == of(b"a" * 100)


def test_a_book_that_is_a_folder_is_one_sentence(tmp_path: Path, file: Path) -> None:
    (tmp_path / "digests.json").mkdir()
    with pytest.raises(SengaError, match="cannot be read .*SENGA_WEIGHTS"):
        DigestBook(tmp_path).of(file)
