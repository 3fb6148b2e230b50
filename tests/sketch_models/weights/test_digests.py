"""Digests are computed once per file, and again if it changes."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from sketch_models.errors import SengaError
from sketch_models.weights import digests
from sketch_models.weights.digests import DigestCache, Digests, read_digests


def expected_digests(content: bytes) -> Digests:
    return Digests(md5=hashlib.md5(content).hexdigest(), sha256=hashlib.sha256(content).hexdigest())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mod.h5"
    path.write_bytes(b"a" * 100)
    return path


@pytest.fixture
def read_files(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were read."""
    paths: list[Path] = []

    def record(file: Path) -> Digests:
        paths.append(file)
        return read_digests(file)

    monkeypatch.setattr(digests, "read_digests", record)
    return paths


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_digests_match_hashlib(tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    (tmp_path / "a").write_bytes(content)
    assert read_digests(tmp_path / "a") == expected_digests(content)


def test_file_is_read_once(tmp_path: Path, file: Path, read_files: list[Path]) -> None:
    for _ in range(3):
        assert DigestCache(tmp_path).digests_of(file) == expected_digests(b"a" * 100)
    assert read_files == [file]


def test_changed_file_is_read_again(tmp_path: Path, file: Path, read_files: list[Path]) -> None:
    cache = DigestCache(tmp_path)
    cache.digests_of(file)
    before = file.stat()
    file.write_bytes(b"b" * 100)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))  # same size, a moment later
    assert cache.digests_of(file) == expected_digests(b"b" * 100)
    file.write_bytes(b"b" * 101)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))  # same time, another size
    assert cache.digests_of(file) == expected_digests(b"b" * 101)
    assert len(read_files) == 3


def test_relative_and_absolute_path_share_one_entry(
    tmp_path: Path, file: Path, read_files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cache = DigestCache(tmp_path)
    assert cache.digests_of(Path("mod.h5")) == cache.digests_of(file)
    assert len(read_files) == 1


def test_deleted_files_are_removed_from_the_cache(tmp_path: Path, file: Path) -> None:
    cache = DigestCache(tmp_path)
    cache.digests_of(file)
    file.unlink()
    cache.record_first_seen("sketchkeras", "ab")
    assert json.loads(cache.path.read_text()) == {"files": {}, "first": {"sketchkeras": "ab"}}


def test_first_seen_digest_is_stored(tmp_path: Path) -> None:
    cache = DigestCache(tmp_path / "deep")
    assert cache.first_seen("sketchkeras") == ""
    cache.record_first_seen("sketchkeras", "ab")
    assert DigestCache(tmp_path / "deep").first_seen("sketchkeras") == "ab"


def test_without_writable_folder_nothing_is_cached(file: Path) -> None:
    cache = DigestCache(file)  # a file, not a folder
    assert cache.digests_of(file) == expected_digests(b"a" * 100)
    cache.record_first_seen("sketchkeras", "ab")
    assert cache.first_seen("sketchkeras") == ""


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"files": {}, "first": 1}', "\xff", '{"first": {}}']
)
def test_damaged_cache_file_is_refused(tmp_path: Path, file: Path, text: str) -> None:
    (tmp_path / "digests.json").write_bytes(text.encode("latin-1"))
    for use in (
        lambda cache: cache.digests_of(file),
        lambda cache: cache.first_seen("sketchkeras"),
    ):
        with pytest.raises(
            SengaError, match=r"digests.json: not a file that Senga wrote. Delete it"
        ):
            use(DigestCache(tmp_path))


def test_damaged_entry_is_computed_again(tmp_path: Path, file: Path) -> None:
    cache = DigestCache(tmp_path)
    for row in (None, 1, [], [1, 2, 3, 4], {"size": 100}):
        cache.path.write_text(json.dumps({"first": {}, "files": {str(file): row}}))
        assert cache.digests_of(file) == expected_digests(b"a" * 100)


def test_folder_in_place_of_the_cache_file_is_refused(tmp_path: Path, file: Path) -> None:
    (tmp_path / "digests.json").mkdir()
    with pytest.raises(SengaError, match="cannot be read .*SENGA_WEIGHTS"):
        DigestCache(tmp_path).digests_of(file)
