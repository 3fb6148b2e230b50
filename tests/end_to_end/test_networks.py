"""Builds with the paper's networks: random weights of full size, given as local files."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from benchmarks.harness.random_weights import simo_serra, write_keras
from tests.end_to_end.luigi import run_luigi
from tests.end_to_end.test_build import manifest_times
from tests.sketch_models.weights import torch7_writer

RECIPE = [
    *("--sketch-models", "sketchkeras", "--sketch-size", "96", "--simplify-model", "simo_serra"),
    *("--metadata-sample-posts", "40", "--filter-limit", "6"),
    *("--split-test-size", "1", "--pack-size", "64"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with mod.h5 and sketch_gan.t7."""
    folder = tmp_path_factory.mktemp("weights")
    write_keras(folder / "mod.h5")
    torch7_writer.write_simo_serra(folder / "sketch_gan.t7", simo_serra())
    return folder


def luigi(folder: Path, *arguments: str, code: int = 0) -> str:
    """Build in the folder, without a network; return the output of the build."""
    return run_luigi(
        *("--build-data", str(folder / "data"), *RECIPE, *arguments),
        code=code,
        SENGA_WEIGHTS=str(folder / "cache"),
        https_proxy="http://127.0.0.1:9",
    )


def test_dataset_is_built_from_local_weights(folder: Path) -> None:
    paths = [
        *("--sketchkeras-weights", str(folder / "mod.h5")),
        *("--simo-serra-weights", str(folder / "sketch_gan.t7")),
    ]
    luigi(folder, *paths)
    with h5py.File(folder / "data" / "sample" / "train.h5") as train:
        assert 0 < len(train["id"]) <= 5
        assert np.ptp(train["line/original"][:]) > 0
    moved = folder / "moved.h5"
    (folder / "mod.h5").rename(moved)
    output = luigi(folder, *paths[2:], "--sketchkeras-weights", str(moved))
    assert "Nothing to do" in output  # weights count by their content
    moved.rename(folder / "mod.h5")


def test_second_sketch_model_draws_only_its_own_sketches(folder: Path) -> None:
    paths = [
        *("--sketchkeras-weights", str(folder / "mod.h5")),
        *("--simo-serra-weights", str(folder / "sketch_gan.t7")),
    ]
    luigi(folder, *paths)
    before = manifest_times(folder / "data")
    luigi(folder, *paths, "--sketch-models", "sketchkeras,xdog")
    after = manifest_times(folder / "data")
    assert {name: after[name] for name in before} == before
    new = [name for name in after if name not in before]
    assert sum("/sketch/" in name for name in new) == sum("/sketch/" in name for name in before)
    with h5py.File(folder / "data" / "sample" / "train.h5") as train:
        styles = ("original", "enhanced", "pured")
        models = ("sketchkeras", "xdog")
        assert set(train["line"]) == {f"{style}_{model}" for style in styles for model in models}
        first, second = (train[f"line/original_{model}"][:] for model in models)
        assert (first != second).any()


def test_failed_download_of_weights_stops_before_posts_are_imported(folder: Path) -> None:
    output = luigi(folder, "--build-dataset", "other", code=30)
    for file, option in (("mod.h5", "[sketchkeras]"), ("sketch_gan.t7", "[simo_serra]")):
        (message,) = [line for line in output.splitlines() if line.startswith(file)]
        assert f"set {option} weights to its path" in message
    assert visible_files(folder / "data" / "other") == []


def test_missing_weight_files_are_listed_before_anything_runs(folder: Path) -> None:
    paths = ["--sketchkeras-weights", "nowhere.h5", "--simo-serra-weights", "nowhere.t7"]
    output = luigi(folder, "--build-dataset", "third", *paths, code=40)
    first, second = output.strip().splitlines()
    assert "[sketchkeras] weights = nowhere.h5: there is no such file." in first
    assert "[simo_serra] weights = nowhere.t7: there is no such file." in second
    assert not (folder / "data" / "third").exists()


def test_file_of_another_format_is_refused_before_posts_are_imported(folder: Path) -> None:
    page = folder / "page.t7"
    page.write_text("<!DOCTYPE html>")
    paths = ["--sketchkeras-weights", str(folder / "mod.h5"), "--simo-serra-weights", str(page)]
    output = luigi(folder, "--build-dataset", "fourth", *paths, code=30)
    (message,) = [line for line in output.splitlines() if "page.t7" in line]
    assert f"{page}: an HTML page" in message
    assert "sketch_gan.t7" in message
    assert visible_files(folder / "data" / "fourth") == []


def visible_files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if not file.name.startswith(".")]
