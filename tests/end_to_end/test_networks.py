"""The paper's recipe with its networks: random weights of full size, given as local files."""

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from benchmarks.random_weights import simo_serra, write_keras
from tests.end_to_end.test_build import made
from tests.sketch_models.weights import torch7_writer

TOP = Path(__file__).parents[2]
RECIPE = [
    *("--sketch-models", "sketchkeras", "--sketch-size", "96", "--simplify-model", "simo_serra"),
    *("--metadata-sample-posts", "40", "--filter-limit", "6"),
    *("--split-test-size", "1", "--pack-size", "64"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where mod.h5 and sketch_gan.t7 lie."""
    folder = tmp_path_factory.mktemp("weights")
    write_keras(folder / "mod.h5")
    torch7_writer.write_simo_serra(folder / "sketch_gan.t7", simo_serra())
    return folder


def luigi(folder: Path, *arguments: str, code: int = 0) -> str:
    """Builds with what lies in the folder, without a network; returns what the build says."""
    command = [sys.executable, "-m", "luigi", "--module", "tasks", "BuildDataset"]
    env = {key: value for key, value in os.environ.items() if not key.startswith("LUIGI_")}
    done = subprocess.run(
        [*command, "--build-data", str(folder / "data"), *RECIPE, *arguments],
        cwd=TOP,
        env={**env, "SENGA_WEIGHTS": str(folder / "cache"), "https_proxy": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_local_weights_build_the_dataset(folder: Path) -> None:
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
    again = luigi(folder, *paths[2:], "--sketchkeras-weights", str(moved))
    assert "Nothing to do" in again  # weights count by their content
    moved.rename(folder / "mod.h5")


def test_a_second_extractor_is_all_that_is_drawn(folder: Path) -> None:
    paths = [
        *("--sketchkeras-weights", str(folder / "mod.h5")),
        *("--simo-serra-weights", str(folder / "sketch_gan.t7")),
    ]
    luigi(folder, *paths)
    before = made(folder / "data")
    luigi(folder, *paths, "--sketch-models", "sketchkeras,xdog")
    after = made(folder / "data")
    assert {name: after[name] for name in before} == before
    new = [name for name in after if name not in before]
    assert sum("/sketch/" in name for name in new) == sum("/sketch/" in name for name in before)
    with h5py.File(folder / "data" / "sample" / "train.h5") as train:
        styles = ("original", "enhanced", "pured")
        models = ("sketchkeras", "xdog")
        assert set(train["line"]) == {f"{style}_{model}" for style in styles for model in models}
        one, other = (train[f"line/original_{model}"][:] for model in models)
        assert (one != other).any()


def test_weights_that_cannot_be_had_are_one_sentence(folder: Path) -> None:
    said = luigi(folder, "--build-dataset", "other", code=40)
    (sentence,) = [line for line in said.splitlines() if "mod.h5" in line]
    assert "[sketchkeras] weights" in sentence
    assert not (folder / "data" / "other" / "color").exists()


def test_a_local_path_that_is_wrong_is_said_before_anything_runs(folder: Path) -> None:
    said = luigi(folder, "--build-dataset", "third", "--sketchkeras-weights", "nowhere.h5", code=40)
    assert "nowhere.h5" in said
    assert not (folder / "data" / "third").exists()


def test_a_file_that_is_no_weights_is_said_before_anything_runs(folder: Path) -> None:
    page = folder / "page.t7"
    page.write_text("<!DOCTYPE html>")
    paths = ["--sketchkeras-weights", str(folder / "mod.h5"), "--simo-serra-weights", str(page)]
    said = luigi(folder, "--build-dataset", "fourth", *paths, code=40)
    (sentence,) = said.strip().splitlines()
    assert f"{page}: an HTML page" in sentence
    assert "sketch_gan.t7" in sentence
    assert not (folder / "data" / "fourth").exists()
