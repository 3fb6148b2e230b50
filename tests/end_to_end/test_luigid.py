"""Builds that share one scheduler, luigid."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import pytest

from tests.end_to_end.luigi import ENV, TOP

OPTIONS = ["--metadata-sample-posts=40", "--sketch-size=96", "--split-test-size=2"]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A recipe for builds that use a luigid of our own."""
    folder = tmp_path_factory.mktemp("luigid")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    code = "from luigi.cmdline import luigid; luigid()"
    words = ["--address", "127.0.0.1", "--port", str(port), "--state-path", str(folder / "state")]
    luigid = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        env=ENV,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: answers(port))
    recipe = folder / "shared.cfg"
    recipe.write_text(
        f"[core]\nlocal_scheduler = false\nscheduler_url = http://127.0.0.1:{port}/\n"
        f"[build]\ndata = {folder / 'data'}\n"
    )
    yield recipe
    luigid.terminate()
    luigid.wait()


def answers(port: int) -> bool:
    """Return whether a server accepts connections; raise OSError if none does."""
    socket.create_connection(("127.0.0.1", port)).close()
    return True


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until a function returns True without an OSError."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if is_so():
                return
        time.sleep(0.1)
    raise TimeoutError


def start(recipe: Path, dataset: str, size: int) -> subprocess.Popen[str]:
    """Start a build; luigid knows it by dataset and recipe."""
    words = ["BuildDataset", *OPTIONS, f"--build-dataset={dataset}", f"--pack-size={size}"]
    return subprocess.Popen(
        [sys.executable, "-m", "luigi", "--module", "tasks", *words],
        cwd=recipe.parent,
        env={**ENV, "PYTHONPATH": str(TOP), "LUIGI_CONFIG_PATH": str(recipe)},
        stderr=subprocess.PIPE,
        text=True,
    )


def end(build: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a build; return its exit status and its standard error."""
    _, said = build.communicate(timeout=120)
    return build.returncode, said


def test_builds_at_once_make_their_own_and_a_refused_one_stops_no_other(recipe: Path) -> None:
    data = recipe.parent / "data"
    first = start(recipe, "one", 64)
    other = start(recipe, "two", 96)
    wait_until(lambda: (data / "one" / ".lock").stat().st_size > 0)
    refused, said = end(start(recipe, "one", 80))
    assert refused == 40
    assert "is being built by process" in said
    assert "Traceback" not in said
    for build, dataset, size in ((first, "one", 64), (other, "two", 96)):
        code, said = end(build)
        assert code == 0, said
        with h5py.File(data / dataset / "train.h5") as file:
            assert file.attrs["size"] == size


def test_build_that_failed_runs_again_and_one_with_other_options_has_something_to_do(
    recipe: Path,
) -> None:
    (recipe.parent / "data" / "three").mkdir(parents=True)
    in_the_way = recipe.parent / "data" / "three" / "dataset"
    in_the_way.touch()
    assert end(start(recipe, "three", 64))[0] == 30
    in_the_way.unlink()
    for size in (64, 96):
        code, said = end(start(recipe, "three", size))
        assert code == 0, said
        with h5py.File(recipe.parent / "data" / "three" / "train.h5") as file:
            assert file.attrs["size"] == size
