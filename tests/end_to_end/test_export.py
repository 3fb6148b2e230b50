"""Exports of a build: resumed after a kill, nothing drawn again, one sentence if it cannot be."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import datasets
import h5py
import numpy as np
import pytest

from tests.end_to_end.luigi import run_luigi

TOP = Path(__file__).parents[2]
ENV = {key: value for key, value in os.environ.items() if not key.startswith("LUIGI_")}
STAGES = ("metadata", "filter", "download", "screen", "sketch", "simplify", "split", "pack")


def arguments(data: Path, *more: str) -> list[str]:
    small = ["--metadata-sample-posts", "40", "--sketch-size", "256", "--pack-size", "64"]
    sizes = ["--split-test-size", "2", "--export-size", "64", "--export-shape", "pad"]
    return ["--build-data", str(data), *small, *sizes, *more]


def export(data: Path, *more: str, code: int = 0) -> str:
    return run_luigi(*arguments(data, *more), task="ExportDataset", code=code)


def stages_run(stderr: str) -> list[str]:
    first_words = [line.split(" ")[0] for line in stderr.splitlines()]
    return [stage for stage in (*STAGES, "export") if stage in first_words]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the small sample is built."""
    data = tmp_path_factory.mktemp("data")
    run_luigi(*arguments(data))
    return data


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def test_without_a_build_everything_up_to_the_split_is_made(tmp_path: Path) -> None:
    assert stages_run(export(tmp_path)) == [*STAGES[:-1], "export"]


def test_export_has_the_pictures_of_the_packed_files(built: Path, tmp_path: Path) -> None:
    for name, drawing in (("imagefolder", "line"), ("parquet", "line")):
        assert stages_run(export(built, "--export-format", name)) == ["export"]
        folder = built / "sample" / "export" / name
        loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
        for split in ("train", "test"):
            with h5py.File(built / "sample" / f"{split}.h5") as file:
                assert loaded[split]["id"] == file["id"][:].tolist()
                for row, (color, line) in enumerate(
                    zip(file["color"], file["line/original"], strict=True)
                ):
                    assert np.array_equal(loaded[split][row]["image"], color)
                    assert np.array_equal(loaded[split][row][drawing], line)


def test_second_export_does_nothing_and_another_format_stays(built: Path) -> None:
    export(built, "--export-format", "folders")
    said = export(built, "--export-format", "folders")
    assert stages_run(said) == []
    assert said.startswith("Nothing to do: it is exported from exactly these settings and posts.")
    assert said.endswith(f"  {built / 'sample' / 'export' / 'folders'}\n")
    first = (built / "sample" / "export" / "folders").resolve()
    assert stages_run(export(built, "--export-format", "folders", "--export-ink", "white")) == [
        "export"
    ]
    second = (built / "sample" / "export" / "folders").resolve()
    assert second != first
    assert stages_run(export(built, "--export-format", "folders")) == []  # only the link
    assert (built / "sample" / "export" / "folders").resolve() == first
    assert second.is_dir()


def test_lost_picture_is_exported_again(built: Path) -> None:
    export(built, "--export-format", "folders")
    folder = built / "sample" / "export" / "folders"
    victim = next(folder.glob("train/color/*.png"))
    content = victim.read_bytes()
    victim.unlink()
    assert stages_run(export(built, "--export-format", "folders")) == ["export"]
    assert victim.read_bytes() == content


@pytest.mark.parametrize("name", ["imagefolder", "parquet"])
def test_killed_export_goes_on_and_ends_with_equal_files(built: Path, name: str) -> None:
    more = ["--export-format", name, "--export-pictures-per-file", "1", "--export-threads", "1"]
    command = [sys.executable, "-m", "luigi", "--module", "tasks", "ExportDataset"]
    link = built / "sample" / "export" / name
    link.unlink(missing_ok=True)
    slow = ["--export-size", "2000"]
    process = subprocess.Popen(
        [*command, *arguments(built, *more, *slow)], cwd=TOP, env=ENV, stderr=subprocess.PIPE
    )
    with process:
        while not list(built.glob("sample/export/*/unfinished/parts/train-00001.json")):
            assert process.poll() is None, process.stderr and process.stderr.read()
            time.sleep(0.002)
        process.kill()
    assert not link.exists()
    (parts,) = built.glob("sample/export/*/unfinished/parts")
    assert not (parts.parents[1] / name).exists()
    done = json.loads((parts / "train-00000.json").read_text().partition("\n")[2])["files"]
    kept = {file: (parts.parent / name / file).stat().st_mtime_ns for file in done}
    assert stages_run(export(built, *more, *slow)) == ["export"]
    assert {file: (link / file).stat().st_mtime_ns for file in done} == kept
    assert not parts.parent.exists()


@pytest.mark.parametrize("name", ["folders", "parquet", "webdataset"])
def test_full_disk_is_one_sentence(built: Path, name: str) -> None:
    """Simulate the full disk by a limit on file size: writes fail in the middle of a file."""
    code = (
        "import resource, runpy, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))\n"
        "sys.argv = ['luigi', *sys.argv[1:]]\n"
        "runpy.run_module('luigi', run_name='__main__')\n"
    )
    more = ["--export-format", name, "--export-size", "200"]
    command = ["--module", "tasks", "ExportDataset", *arguments(built, *more)]
    done = subprocess.run(
        [sys.executable, "-c", code, *command], cwd=TOP, env=ENV, capture_output=True, text=True
    )
    assert done.returncode == 30, done.stderr
    assert "could not be written: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(built.rglob("*.tmp"))
    assert stages_run(export(built, *more)) == ["export"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            ["--export-format", "tfrecord"],
            "[export] format = tfrecord: expected one of imagefolder, webdataset, parquet, "
            "controlnet, folders.",
        ),
        (
            ["--export-variant", "512"],
            "[export] variant = 512: expected nothing: there is one variant only.",
        ),
    ],
)
def test_wrong_option_is_one_sentence(built: Path, wrong: list[str], message: str) -> None:
    assert export(built, *wrong, code=40) == f"{message}\n"


def test_folder_in_the_way_of_the_link_stays(built: Path) -> None:
    link = built / "sample" / "export" / "webdataset"
    export(built, "--export-format", "webdataset")
    link.unlink()
    link.mkdir()
    (link / "mine.tar").write_bytes(b"1")
    said = export(built, "--export-format", "webdataset", code=30)
    assert f"{link} could not be written: a folder has its name. Move the folder away" in said
    assert (link / "mine.tar").read_bytes() == b"1"
    (link / "mine.tar").unlink()
    link.rmdir()
    assert stages_run(export(built, "--export-format", "webdataset")) == []


def test_damaged_line_art_is_drawn_again(built: Path) -> None:
    (tar, *_) = sorted(built.glob("sample/line/*/shard-*.tar"))
    content = bytearray(tar.read_bytes())
    content[700] ^= 1  # in the first picture
    tar.write_bytes(content)
    said = export(built, "--export-format", "parquet", "--export-lines", "original,pured,enhanced")
    assert f"{tar} is damaged" in said
    assert stages_run(said) == ["simplify", "export"]
