"""The whole pipeline on the sample booru: a build, a second build, and rebuilds after changes."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from pipeline.pack.extras import EXTRAS
from pipeline.pack.parts import find_parts
from pipeline.pack.verify import main
from pipeline.pack.verify_files import verify
from pipeline.tables.measures import read_measures
from sketch_models.errors import DatasetError
from tests.end_to_end.luigi import run_luigi

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
    """Run the README's command on a small sample; return its standard error."""
    small = ["--metadata-sample-posts", "40", "--sketch-size", "256", "--pack-size", "64"]
    more = ["--split-test-size", "2", *arguments]
    return run_luigi("--build-data", str(data), *small, *more, code=code)


def stages_run(stderr: str) -> list[str]:
    """Return the stages that have a line in the output of a build."""
    first_words = [line.split(" ")[0] for line in stderr.splitlines()]
    stages = [stage for stage in STAGES if stage in first_words]
    return [*stages, "report"] if "top reason" in stderr else stages


def manifest_times(data: Path) -> dict[str, float]:
    """Return the modification time of each manifest by its path."""
    return {str(file.relative_to(data)): file.stat().st_mtime_ns for file in data.rglob("*.json")}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("data")
    assert stages_run(luigi(data)) == STAGES
    return data


def test_packed_files_contain_the_split(built: Path) -> None:
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


def test_pictures_in_parts_are_those_of_one_file(built: Path) -> None:
    """A part that is missing is packed again."""
    paths = [built / "sample" / f"{part}.h5" for part in ("train", "test")]
    expected = [summary.content for summary in verify(paths)]
    in_parts = ["--pack-rows-per-file", "2"]
    assert stages_run(luigi(built, *in_parts)) == ["pack", "report"]
    parts = find_parts(paths[0])
    assert len(parts) > 1
    assert [summary.content for summary in verify(paths)] == expected
    parts[1].unlink()
    with pytest.raises(DatasetError, match=f"its part .*{parts[1].name} is missing"):
        verify(paths)
    assert stages_run(luigi(built, *in_parts)) == ["pack", "report"]
    assert [summary.content for summary in verify(paths)] == expected
    assert main(["--data", str(built / "sample")]) == 0
    assert stages_run(luigi(built)) == ["report"]  # the one file is still there


def test_extras_are_packed_beside_the_pictures(built: Path) -> None:
    """The other datasets are the same, and both files are valid."""
    with h5py.File(built / "sample" / "test.h5") as file:
        plain = {name: file[name].attrs["sha256"] for name in ("color", "line/pured", "id")}
    words = "measures reference mask flat"
    assert stages_run(luigi(built, "--pack-extras", words)) == ["pack", "report"]
    paths = [built / "sample" / f"{part}.h5" for part in ("train", "test")]
    assert [summary.extras for summary in verify(paths)] == [EXTRAS, EXTRAS]
    with h5py.File(paths[1]) as file:
        assert {name: file[name].attrs["sha256"] for name in plain} == plain
        for row, (left, top, right, bottom) in enumerate(file["box"]):
            color, mask = file["color"][row], file["mask"][row]
            flat = file["flat_colors"][row][file["flat"][row]]
            assert np.abs(flat.astype(int) - color).mean() < 12
            background = mask[top:bottom, left:right] == 0
            assert 0.2 < background.mean() < 0.8
            assert color[top:bottom, left:right][background].min() >= 245
        measures = read_measures(built / "sample").set_index("id").loc[file["id"][:]]
        for name in ("width", "chroma", "outline"):
            assert file[f"measures/{name}"][:] == pytest.approx(measures[name].to_numpy(float))
        assert (file["reference"][:] == -1).all()  # the metadata tells no kinds of tags
    assert stages_run(luigi(built)) == ["report"]


def test_report_shows_the_manifests(built: Path) -> None:
    html = (built / "sample" / "report.html").read_text()
    with h5py.File(built / "sample" / "train.h5") as train:
        assert f"{len(train['id'])}" in html
    assert "http_404" in html
    assert "data:image/png;base64," in html


def test_second_build_does_nothing(built: Path) -> None:
    before = manifest_times(built)
    stderr = luigi(built)
    assert stages_run(stderr) == []
    assert "Nothing to do" in stderr
    assert str(built / "sample" / "report.html") in stderr
    assert manifest_times(built) == before


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (["--pack-size", "48"], ["pack", "report"]),
        (["--split-test-size", "3"], ["split", "pack", "report"]),
        (["--simplify-model", "centerline"], ["simplify", "split", "pack", "report"]),
        (["--sketch-models", "xdog"], ["sketch", "simplify", "split", "pack", "report"]),
        (["--download-max-bytes", "9000000"], STAGES[2:]),
        (["--filter-min-side", "100"], STAGES[1:]),
        (["--build-seed", "1"], STAGES),
    ],
)
def test_change_reruns_only_the_stages_it_affects(
    built: Path, change: list[str], expected: list[str]
) -> None:
    assert stages_run(luigi(built, *change)) == expected
    assert stages_run(luigi(built, *change)) == []
    assert stages_run(luigi(built)) == ["report"]  # changed back: only the links are updated
    assert stages_run(luigi(built)) == []


def test_build_without_outcomes_is_packed_again(built: Path) -> None:
    """The content is the same, so that trainings on it stay complete."""
    (outcomes,) = (built / "sample").glob(f"dataset/{_packed(built)}/outcomes.parquet")
    manifest = outcomes.with_name("manifest.json")
    content = json.loads(manifest.read_text())["content"]
    outcomes.unlink()
    assert stages_run(luigi(built)) == ["pack", "report"]
    assert outcomes.exists()
    assert json.loads(manifest.read_text())["content"] == content


def _packed(data: Path) -> str:
    return (data / "sample" / "train.h5").resolve().parent.name


def test_two_workers_make_equal_files(built: Path, tmp_path: Path) -> None:
    luigi(tmp_path, "--workers", "2")
    for part in ("train", "test"):
        with (
            h5py.File(built / "sample" / f"{part}.h5") as one,
            h5py.File(tmp_path / "sample" / f"{part}.h5") as two,
        ):
            for name in ("id", "color", "line/original", "line/pured", "sha256"):
                assert (one[name][:] == two[name][:]).all()


def test_single_task_runs_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "luigi", "--module", "tasks", "FilterPosts"]
    arguments = ["--build-data", str(tmp_path), "--metadata-sample-posts", "40"]
    done = subprocess.run([*command, *arguments], cwd=TOP, env=ENV, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert stages_run(done.stderr) == ["metadata", "filter"]


def test_nothing_that_matches_is_one_sentence(tmp_path: Path) -> None:
    output = luigi(tmp_path, "--filter-all-tags", "no_such_tag", code=30)
    last = output.strip().splitlines()[-1]
    assert re.match(r"\[filter\]: no post matches.*has the tag no_such_tag\. Check how", last), (
        output
    )


def test_unwritable_output_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    stderr = luigi(tmp_path / "data", code=40)
    assert re.search(r"could not be written: a file has the name of a folder", stderr), stderr
    assert len(stderr.strip().splitlines()) == 1


def test_second_build_at_the_same_time_is_refused(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys, pipeline.lock as lock\n"
        "lock.lock_dataset(pathlib.Path(sys.argv[1])); print('locked', flush=True); input()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "sample")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        stderr = luigi(tmp_path, code=40)
        other.kill()
    assert f"is being built by process {other.pid}" in stderr
    assert len(stderr.strip().splitlines()) == 1


def test_full_disk_is_one_sentence_and_loses_nothing(built: Path) -> None:
    """Simulate the full disk by a limit on file size: writes fail in the middle of a file."""
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
    pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in pids]


def is_alive(pid: int) -> bool:
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
def test_workers_exit_with_the_build_and_the_next_build_resumes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "luigi", "--module", "tasks", "BuildDataset", "--workers", "2"]
    arguments = ["--build-data", str(tmp_path), "--metadata-sample-posts", "200"]
    with subprocess.Popen([*command, *arguments], cwd=TOP, env=ENV) as build:
        wait_until(lambda: (tmp_path / "sample" / "posts").exists(), 30)
        wait_until(lambda: bool(children(build.pid)), 30)
        workers = children(build.pid)
        build.kill()
    wait_until(lambda: not any(is_alive(worker) for worker in workers), 5)
    luigi(tmp_path)
    assert not list(tmp_path.rglob("*.tmp"))
