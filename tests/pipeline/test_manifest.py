"""Manifests: whole or none, and the sizes of the files that they name."""

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.manifest import (
    Manifest,
    are_whole,
    differing_files,
    file_sizes,
    have_sizes,
    read_manifest,
    write_sizes,
)

MANIFEST = Manifest(
    fingerprint="f", inputs={"a": 1}, content="c", kept=3, dropped={"x": 1}, facts={"n": [1.5]}
)
FUZZ = settings(max_examples=80, deadline=None, derandomize=True)


def test_written_manifest_is_read_back(tmp_path: Path) -> None:
    MANIFEST.write(tmp_path / "m.json")
    assert read_manifest(tmp_path / "m.json") == MANIFEST


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
FIELDS = [*vars(MANIFEST)]


@FUZZ
@given(values=plain | st.dictionaries(st.sampled_from(FIELDS), plain))
def test_strange_json_is_no_manifest(values: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.json"
        path.write_text(json.dumps(values))
        manifest = read_manifest(path)
        assert manifest is None or isinstance(manifest.facts, dict)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"fingerprint": "f"}', "[" * 100_000, '{"a": 1e999, "b": NaN}']
)
def test_broken_or_missing_manifest_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.json").write_text(text)
    assert read_manifest(tmp_path / "m.json") is None
    assert read_manifest(tmp_path / "absent.json") is None
    assert read_manifest(tmp_path) is None


@FUZZ
@given(position=st.integers(0, 10**9), bit=st.integers(0, 7))
def test_manifest_with_a_flipped_bit_is_none_or_equal(position: int, bit: int) -> None:
    """A flip in a space between two values changes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.json"
        MANIFEST.write(path)
        content = bytearray(path.read_bytes())
        content[position % len(content)] ^= 1 << bit
        path.write_bytes(content)
        assert read_manifest(path) in (None, MANIFEST)


@pytest.mark.parametrize("change", [{"kept": "3"}, {"facts": []}, {"inputs": None}])
def test_types_are_checked_in_manifests_of_earlier_versions(
    tmp_path: Path, change: dict[str, object]
) -> None:
    values = {"fingerprint": "f", "inputs": {}, "content": "c", "kept": 1, "facts": {}}
    (tmp_path / "m.json").write_text(json.dumps(values))
    assert read_manifest(tmp_path / "m.json") is not None
    (tmp_path / "other.json").write_text(json.dumps(values | change))
    assert read_manifest(tmp_path / "other.json") is None


def test_changed_manifest_is_read_again(tmp_path: Path) -> None:
    for kept in (1, 2):
        Manifest(fingerprint="f", inputs={}, content="c", kept=kept).write(tmp_path / "m.json")
        read = read_manifest(tmp_path / "m.json")
        assert read is not None
        assert read.kept == kept


@pytest.mark.parametrize("same", ["time", "inode"])
def test_manifest_that_was_replaced_or_written_over_is_read_again(
    tmp_path: Path, same: str
) -> None:
    """Two builds in one tick of the clock, or a file that is written in its place."""
    path = tmp_path / "m.json"
    for kept in (1, 2):
        Manifest(fingerprint="f", inputs={}, content="c", kept=kept).write(tmp_path / "new.json")
        if same == "time":
            (tmp_path / "new.json").replace(path)
            os.utime(path, ns=(1, 1))
        else:
            path.write_bytes((tmp_path / "new.json").read_bytes())
            os.utime(path, ns=(kept, kept))
        read = read_manifest(path)
        assert read is not None
        assert read.kept == kept


def test_files_must_be_there_with_their_sizes(tmp_path: Path) -> None:
    files = [tmp_path / "a.tar", tmp_path / "b" / "c.parquet"]
    files[1].parent.mkdir()
    for file in files:
        file.write_bytes(b"12345")
    sizes = file_sizes(files, tmp_path)
    assert sizes == {"a.tar": 5, "b/c.parquet": 5}
    assert have_sizes(sizes, tmp_path)
    files[0].write_bytes(b"1234")
    assert list(differing_files(sizes, tmp_path)) == ["a.tar"]
    files[0].unlink()
    files[0].symlink_to(files[1])
    assert not have_sizes(sizes, tmp_path)
    files[0].unlink()
    files[0].mkdir()
    files[1].unlink()
    assert list(differing_files(sizes, tmp_path)) == ["a.tar", "b/c.parquet"]


def test_shared_sizes_are_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"12345")
    record = tmp_path / "a.json"
    assert not are_whole(record)
    write_sizes([tmp_path / "a.tar"], record)
    assert are_whole(record)
    (tmp_path / "a.tar").write_bytes(b"123456")
    assert not are_whole(record)
    write_sizes([tmp_path / "a.tar"], record)
    assert are_whole(record)
    for text in ("", "[]", "[1]", "{}", '{"a.tar": "6"}', "[" * 100_000):
        record.unlink()
        record.write_text(text)
        assert not are_whole(record)


def test_what_a_manifest_does_not_say_is_nothing() -> None:
    least = Manifest(fingerprint="f", inputs={}, content="c", kept=0)
    values = {name: value for name, value in vars(least).items() if value}
    assert values == {"fingerprint": "f", "content": "c"}
