"""Packed files on which the HDF5 library, left alone, does not end, or takes gigabytes."""

import io
import resource
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import numpy as np
import pytest

from pipeline.child_process import KilledError
from pipeline.damage import DamagedFileError
from pipeline.pack import isolated, isolated_main
from pipeline.pack.dataset_reader import DatasetReader
from pipeline.pack.isolated import trust
from pipeline.pack.verify_files import verify
from sketch_models.errors import DatasetError, SengaError
from tests.pipeline.pack.test_verify import write


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the jobs of the children that are started."""
    jobs: list[str] = []
    run_module = isolated.run_module

    def run(module: str, arguments: Sequence[str], *others: object) -> None:
        jobs.append(arguments[0])
        run_module(module, arguments, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(isolated, "run_module", run)
    return jobs


def change(path: Path, position: int, content: bytes) -> Path:
    whole = bytearray(path.read_bytes())
    whole[position : position + len(content)] = content
    path.write_bytes(whole)
    return path


def endless(path: Path) -> Path:
    """Put zeros in place of an object of the strings, as a disk does that lost a block."""
    strings = path.read_bytes().find(b"GCOL") + 16
    return change(path, strings, bytes(40))


def string_of_4_gb(path: Path) -> Path:
    """Change the length of the checksum of the ids, where it is referred to."""
    content = path.read_bytes()
    collection = content.find(b"GCOL")
    with h5py.File(path) as file:
        checksum = file["id"].attrs["sha256"].encode()
    begin = content.find(checksum) - 16
    index = struct.unpack_from("<H", content, begin)[0]
    place = content.find(struct.pack("<IQI", 64, collection, index))
    assert place > 0
    return change(path, place, b"\xff" * 4)


def test_library_alone_would_not_end(tmp_path: Path) -> None:
    """Else the child has become needless."""
    path = endless(write(tmp_path / "t.h5", [1]))
    code = """
import h5py, resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_CPU, (2, 3))  # of processor time, whatever else runs
dict(h5py.File(sys.argv[1], "r").attrs)
"""
    process = subprocess.run([sys.executable, "-c", code, str(path)])
    assert process.returncode == -signal.SIGXCPU


@pytest.mark.parametrize("read", [DatasetReader, lambda path: verify([path])])
def test_file_without_end_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Callable[[Path], object]
) -> None:
    monkeypatch.setattr(isolated, "MAX_CPU_SECONDS", 1)
    path = endless(write(tmp_path / "t.h5", [1]))
    with pytest.raises(DamagedFileError, match=r"t\.h5 is damaged: the HDF5 library reads it w"):
        read(path)


def test_memory_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = string_of_4_gb(write(tmp_path / "t.h5", [1]))
    with pytest.raises(DamagedFileError, match="not a complete HDF5 file .memory allocation fail"):
        verify([path])
    monkeypatch.setattr(isolated, "MAX_MEGABYTES", 1)
    large = write(tmp_path / "large.h5", list(range(5)))
    with h5py.File(large, "r+") as file:
        del file["id"]
        file["id"] = np.arange(1 << 20)
        file["content"] = np.zeros((1 << 20, 16), np.uint8)  # or no file has room for so many
    with pytest.raises(DatasetError, match="more than 1 MB"):
        DatasetReader(large)


def test_child_finds_what_this_process_finds(tmp_path: Path, children: list[str]) -> None:
    path = write(tmp_path / "t.h5", [-5, 7], sketches=True)
    (here,) = verify([path])
    assert children == []  # this process has written it
    copy = tmp_path / "copy.h5"
    copy.write_bytes(path.read_bytes())
    (there,) = verify([copy])
    assert children == ["verify"]
    assert (there.path, there.ids.tolist(), there.ids.dtype) == (copy, [-5, 7], here.ids.dtype)
    for name in ("pictures", "size", "sketches", "content"):
        assert getattr(there, name) == getattr(here, name)


def test_file_is_read_once_until_it_changes(tmp_path: Path, children: list[str]) -> None:
    path = write(tmp_path / "t.h5", [1, 2])
    path.write_bytes(path.read_bytes() + b"\0")
    for _ in range(2):
        DatasetReader(path)
    assert children == ["layout"]
    path.write_bytes(path.read_bytes() + b"\0")
    DatasetReader(path)
    assert children == ["layout"] * 2
    path.rename(tmp_path / "renamed.h5")  # as a build publishes it
    DatasetReader(tmp_path / "renamed.h5")
    assert children == ["layout"] * 2


def test_other_faults_are_those_of_the_reader(tmp_path: Path, children: list[str]) -> None:
    path = tmp_path / "t.h5"
    with h5py.File(path, "w") as file:
        file.attrs["schema"] = "other"
    with pytest.raises(DatasetError, match="its schema is other, expected senga-1") as raised:
        DatasetReader(path)
    assert children == ["layout"]
    assert not isinstance(raised.value, DamagedFileError)


@pytest.mark.parametrize(
    ("number", "error", "said"),
    [
        (signal.SIGSEGV, DamagedFileError, "the HDF5 library crashes as it reads it"),
        (signal.SIGBUS, DamagedFileError, "crashes"),
        (signal.SIGKILL, KilledError, "killed by signal 9"),  # for want of memory: no damage
    ],
)
def test_crash_of_the_child_is_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    error: type[SengaError],
    said: str,
) -> None:
    def run(module: str, *_: object) -> None:
        raise KilledError(module, number, "buy some")

    monkeypatch.setattr(isolated, "run_module", run)
    path = tmp_path / "t.h5"
    path.touch()
    with pytest.raises(error, match=said) as raised:
        DatasetReader(path)
    assert type(raised.value) is error
    trust(path)
    with pytest.raises(DatasetError, match="not a complete HDF5 file of Senga"):
        DatasetReader(path)


def test_each_batch_of_rows_renews_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[int] = []
    monkeypatch.setattr(isolated_main, "_limit", lambda kind, _: limits.append(kind))
    monkeypatch.setattr("sys.stdout", io.StringIO())
    path = write(tmp_path / "t.h5", list(range(130)))
    isolated_main.main(["verify", str(path), "5", "2048"])
    assert limits.count(resource.RLIMIT_CPU) == 1 + 3 * 8  # of 64 rows each
