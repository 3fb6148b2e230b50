"""Builds that are killed or run out of disk end with the same files as an undisturbed build."""

import contextlib
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

TOP = Path(__file__).parents[2]
ENV = {key: value for key, value in os.environ.items() if not key.startswith("LUIGI_")}


def command(data: Path, *arguments: str) -> list[str]:
    small = ["--metadata-sample-posts", "60", "--build-shard-width", "300"]
    sizes = ["--sketch-size", "256", "--pack-size", "64", "--split-test-size", "2"]
    luigi = [sys.executable, "-m", "luigi", "--module", "tasks", "BuildDataset"]
    return [*luigi, *small, *sizes, "--build-data", str(data), *arguments]


def start(
    data: Path, *arguments: str, before: Callable[[], None] | None = None
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(data, *arguments),
        cwd=TOP,
        env=ENV,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=before,
    )


def build(data: Path, *arguments: str) -> str:
    with start(data, *arguments) as process:
        output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    return output


def read_datasets(data: Path) -> dict[str, np.ndarray]:
    values = {}
    for part in ("train", "test"):
        with h5py.File(data / "sample" / f"{part}.h5") as file:
            names: list[str] = []
            file.visit(names.append)
            for name in names:
                if isinstance(file[name], h5py.Dataset):
                    values[f"{part}/{name}"] = file[name][:]
    return values


def assert_equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for name, values in one.items():
        assert np.array_equal(values, other[name]), name


def children(pid: int) -> list[int]:
    pids = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        pids += [int(child) for child in file.read_text().split()]
    return pids


def is_alive(pid: int) -> bool:
    """Return whether a process runs, not counting zombies."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def is_downloading(pid: int) -> bool:
    """Return whether a process has a journal open."""
    with contextlib.suppress(OSError):  # it has ended
        files = list(Path(f"/proc/{pid}/fd").iterdir())
        return any(str(file.readlink()).endswith(".journal") for file in files)
    return False


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, np.ndarray], float]:
    data = tmp_path_factory.mktemp("undisturbed")
    started = time.monotonic()
    build(data)
    return read_datasets(data), time.monotonic() - started


@pytest.mark.parametrize(("seed", "workers"), [(0, 1), (1, 2), (2, 2)])
def test_build_that_is_killed_twice_ends_with_equal_files(
    tmp_path: Path, undisturbed: tuple[dict[str, np.ndarray], float], seed: int, workers: int
) -> None:
    expected, seconds = undisturbed
    rng = random.Random(seed)
    for _ in range(2):
        with start(tmp_path, "--workers", str(workers)) as process:
            time.sleep(rng.uniform(0.2, 0.9) * seconds)
            workers_left = children(process.pid)
            process.kill()
            process.wait()
        deadline = time.monotonic() + 60  # they look every two seconds
        while any(map(is_alive, workers_left)):
            assert time.monotonic() < deadline, "a worker outlives its parent"
            time.sleep(0.05)
    build(tmp_path, "--workers", str(workers))
    assert_equal(read_datasets(tmp_path), expected)
    assert not list((tmp_path / "sample").rglob("*.journal"))
    assert not list((tmp_path / "sample").rglob(".*.tmp"))


def test_build_after_a_killed_worker_ends_with_equal_files(
    tmp_path: Path, undisturbed: tuple[dict[str, np.ndarray], float]
) -> None:
    expected, _ = undisturbed
    with start(tmp_path, "--workers", "2") as process:
        while not (workers := [pid for pid in children(process.pid) if is_downloading(pid)]):
            assert process.poll() is None, "no worker was seen downloading"
            time.sleep(0.002)
        os.kill(workers[0], signal.SIGKILL)
        output, _ = process.communicate(timeout=120)
    assert process.returncode == 30, output  # Luigi's status for a failed task
    build(tmp_path, "--workers", "2")
    assert_equal(read_datasets(tmp_path), expected)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Return the folder of a small disk; the test is skipped if this user may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1k", "tmpfs", str(folder)]
    if (
        sys.platform != "linux"
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("this user may not mount a disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("workers", [1, 2])
def test_build_on_a_disk_that_is_full_at_every_stage_ends_with_equal_files(
    disk: Path, undisturbed: tuple[dict[str, np.ndarray], float], workers: int
) -> None:
    expected, _ = undisturbed
    sizes = (64, 200, 700, 1100, 1600, 2000, 2400, 2800, 3400, 5000)  # kB
    rng = random.Random(workers)
    stopped = 0
    for size in sizes:
        kilobytes = round(size * rng.uniform(1, 1.15))  # never less than is there
        subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", str(disk)], check=True)
        with start(disk, "--workers", str(workers)) as process:
            output, _ = process.communicate(timeout=200)
        if process.returncode:
            stopped += 1
            assert process.returncode in (30, 40), output
            assert "Traceback" not in output
            assert "terminate called" not in output
            assert 1 <= output.count("the disk is full") <= workers, output
    assert stopped >= 5
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
    build(disk)
    assert_equal(read_datasets(disk), expected)


def test_build_after_a_full_disk_ends_with_equal_files(
    tmp_path: Path, undisturbed: tuple[dict[str, np.ndarray], float]
) -> None:
    """Simulate the full disk by a limit on file size, which needs no privileges."""
    expected, _ = undisturbed

    def limit_file_size() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    with start(tmp_path, before=limit_file_size) as process:
        output, _ = process.communicate(timeout=120)
    assert process.returncode == 30
    assert "Traceback" not in output
    assert "could not be written: it is larger than this system allows" in output
    assert "nothing is lost" in output
    build(tmp_path)
    assert_equal(read_datasets(tmp_path), expected)
