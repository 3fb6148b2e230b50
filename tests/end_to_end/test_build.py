"""The whole chain on the sample booru: built, built again, rebuilt after each kind of change."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

TOP = Path(__file__).parents[2]
ENV = {key: value for key, value in os.environ.items() if not key.startswith("LUIGI_")}
STAGES = [
    "metadata",
    "filter",
    "download",
    "screen",
    "sketch",
    "simplify",
    "split",
    "pack",
    "report",
]


def luigi(data: Path, *arguments: str, code: int = 0) -> str:
    """Runs the README's command on a small sample; returns what it says."""
    command = [sys.executable, "-m", "luigi", "--module", "tasks", "BuildDataset"]
    small = ["--metadata-sample-posts", "40", "--sketch-size", "256", "--pack-size", "64"]
    done = subprocess.run(
        [*command, "--build-data", str(data), *small, "--split-test-size", "2", *arguments],
        cwd=TOP,
        env=ENV,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def stages_run(said: str) -> list[str]:
    """The stages that have a line in what a build says."""
    first_words = [line.split(" ")[0] for line in said.splitlines()]
    stages = [stage for stage in STAGES if stage in first_words]
    return [*stages, "report"] if "top reason" in said else stages


def made(data: Path) -> dict[str, float]:
    """When each manifest was written."""
    return {str(file.relative_to(data)): file.stat().st_mtime_ns for file in data.rglob("*.json")}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("data")
    assert stages_run(luigi(data)) == STAGES
    return data


def test_the_files_hold_the_split(built: Path) -> None:
    with (
        h5py.File(built / "sample" / "train.h5") as train,
        h5py.File(built / "sample" / "test.h5") as test,
    ):
        assert len(test["id"]) == 2
        assert len(train["id"]) > 2
        assert not set(train["id"][:]) & set(test["id"][:])
        assert train["color"].shape == (len(train["id"]), 64, 64, 3)
        assert train["line/pured"].shape == (len(train["id"]), 64, 64)
        assert train["line/pured"][:].min() < 64 < 250 < train["line/pured"][:].max()


def test_the_report_shows_what_the_manifests_say(built: Path) -> None:
    html = (built / "sample" / "report.html").read_text()
    with h5py.File(built / "sample" / "train.h5") as train:
        assert f"{len(train['id'])}" in html
    assert "http_404" in html
    assert "data:image/png;base64," in html


def test_a_second_build_does_nothing(built: Path) -> None:
    before = made(built)
    said = luigi(built)
    assert stages_run(said) == []
    assert "Nothing to do" in said
    assert str(built / "sample" / "report.html") in said
    assert made(built) == before


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (["--pack-size", "48"], ["pack", "report"]),
        (["--split-test-size", "3"], ["split", "pack", "report"]),
        (["--centerline-width", "4"], ["simplify", "split", "pack", "report"]),
        (["--xdog-sigma", "1.4"], ["sketch", "simplify", "split", "pack", "report"]),
        (["--download-max-bytes", "9000000"], STAGES[2:]),
        (["--filter-min-side", "100"], STAGES[1:]),
        (["--build-seed", "1"], STAGES),
    ],
)
def test_a_change_runs_exactly_what_it_touches(
    built: Path, change: list[str], expected: list[str]
) -> None:
    assert stages_run(luigi(built, *change)) == expected
    assert stages_run(luigi(built, *change)) == []
    assert stages_run(luigi(built)) == ["report"]  # changed back: the links point home again
    assert stages_run(luigi(built)) == []


def test_two_workers_make_the_same_files(built: Path, tmp_path: Path) -> None:
    luigi(tmp_path, "--workers", "2")
    for part in ("train", "test"):
        with (
            h5py.File(built / "sample" / f"{part}.h5") as one,
            h5py.File(tmp_path / "sample" / f"{part}.h5") as two,
        ):
            for name in ("id", "color", "line/original", "line/pured", "sha256"):
                assert (one[name][:] == two[name][:]).all()


def test_one_task_can_be_run_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "luigi", "--module", "tasks", "FilterPosts"]
    arguments = ["--build-data", str(tmp_path), "--metadata-sample-posts", "40"]
    done = subprocess.run([*command, *arguments], cwd=TOP, env=ENV, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert stages_run(done.stderr) == ["metadata", "filter"]


def test_nothing_that_matches_is_one_sentence(tmp_path: Path) -> None:
    said = luigi(tmp_path, "--filter-all-tags", "no_such_tag", code=30)
    last = said.strip().splitlines()[-1]
    assert re.match(r"No post matches \[filter\].*loosen", last), said


def test_an_output_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    said = luigi(tmp_path / "data", code=30)
    assert re.search(r"could not be written: a file has the name of a folder", said), said
    assert len(said.strip().splitlines()) == 1


def test_two_builds_at_once_are_refused(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys, pipeline.store as store\n"
        "store.lock_dataset(pathlib.Path(sys.argv[1])); print('held', flush=True); input()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "sample")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        said = luigi(tmp_path, code=30)
        other.kill()
    assert f"is being built by process {other.pid}" in said
    assert len(said.strip().splitlines()) == 1


def test_a_full_disk_is_one_sentence_and_loses_nothing(built: Path) -> None:
    """The limit on file size stands in for the disk: writes fail in the middle of a file."""
    code = (
        "import resource, runpy, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "sys.argv = ['luigi', *sys.argv[1:]]\n"
        "runpy.run_module('luigi', run_name='__main__')\n"
    )
    arguments = ["--module", "tasks", "BuildDataset", "--build-data", str(built)]
    small = ["--metadata-sample-posts", "40", "--sketch-size", "256", "--pack-size", "300"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments, *small, "--split-test-size", "2"],
        cwd=TOP,
        env=ENV,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 30
    assert "could not be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(built.rglob("*.tmp"))
    assert stages_run(luigi(built)) == []


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed]


def alive(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_workers_die_with_the_build_and_the_next_one_goes_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "luigi", "--module", "tasks", "BuildDataset", "--workers", "2"]
    arguments = ["--build-data", str(tmp_path), "--metadata-sample-posts", "200"]
    with subprocess.Popen([*command, *arguments], cwd=TOP, env=ENV) as build:
        wait_until(lambda: (tmp_path / "sample" / "posts").exists(), 30)
        wait_until(lambda: bool(children(build.pid)), 30)
        workers = children(build.pid)
        build.kill()
    wait_until(lambda: not any(alive(worker) for worker in workers), 5)
    luigi(tmp_path)
    assert not list(tmp_path.rglob("*.tmp"))
