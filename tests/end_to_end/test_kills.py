"""Builds that are killed at random moments end as if nothing had happened."""

import contextlib
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
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
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return said


def content(data: Path) -> dict[str, np.ndarray]:
    found = {}
    for part in ("train", "test"):
        with h5py.File(data / "sample" / f"{part}.h5") as file:
            names: list[str] = []
            file.visit(names.append)
            for name in names:
                if isinstance(file[name], h5py.Dataset):
                    found[f"{part}/{name}"] = file[name][:]
    return found


def assert_equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for name, values in one.items():
        assert np.array_equal(values, other[name]), name


def children(pid: int) -> list[int]:
    found = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(child) for child in file.read_text().split()]
    return found


def lives(pid: int) -> bool:
    """Whether a process is still there, and not just its entry in the table."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def downloads(pid: int) -> bool:
    """Whether a process has a journal open."""
    with contextlib.suppress(OSError):  # it has ended
        files = list(Path(f"/proc/{pid}/fd").iterdir())
        return any(str(file.readlink()).endswith(".journal") for file in files)
    return False


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, np.ndarray], float]:
    data = tmp_path_factory.mktemp("undisturbed")
    began = time.monotonic()
    build(data)
    return content(data), time.monotonic() - began


@pytest.mark.parametrize(("seed", "workers"), [(0, 1), (1, 2), (2, 2)])
def test_two_kills_of_the_whole_build(
    tmp_path: Path, undisturbed: tuple[dict[str, np.ndarray], float], seed: int, workers: int
) -> None:
    expected, seconds = undisturbed
    moments = random.Random(seed)
    for _ in range(2):
        with start(tmp_path, "--workers", str(workers)) as process:
            time.sleep(moments.uniform(0.2, 0.9) * seconds)
            left = children(process.pid)
            process.kill()
            process.wait()
        deadline = time.monotonic() + 5
        while any(map(lives, left)):
            assert time.monotonic() < deadline, "a worker outlives its parent"
            time.sleep(0.05)
    build(tmp_path, "--workers", str(workers))
    assert_equal(content(tmp_path), expected)
    assert not list((tmp_path / "sample").rglob("*.journal"))
    assert not list((tmp_path / "sample").rglob(".*.tmp"))


def test_a_kill_of_a_worker(
    tmp_path: Path, undisturbed: tuple[dict[str, np.ndarray], float]
) -> None:
    expected, _ = undisturbed
    with start(tmp_path, "--workers", "2") as process:
        while not (workers := [pid for pid in children(process.pid) if downloads(pid)]):
            assert process.poll() is None, "nobody was seen to download"
            time.sleep(0.002)
        os.kill(workers[0], signal.SIGKILL)
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 30, said  # a task failed, and Luigi says so
    build(tmp_path, "--workers", "2")
    assert_equal(content(tmp_path), expected)


def test_a_disk_that_fills_up(
    tmp_path: Path, undisturbed: tuple[dict[str, np.ndarray], float]
) -> None:
    """A limit on the size of files stands for it: it needs no rights, and stops the same writes."""
    expected, _ = undisturbed

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    with start(tmp_path, before=small) as process:
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 30
    assert "Traceback" not in said
    assert "could not be written: it is larger than this system allows" in said
    assert "nothing is lost" in said
    build(tmp_path)
    assert_equal(content(tmp_path), expected)
