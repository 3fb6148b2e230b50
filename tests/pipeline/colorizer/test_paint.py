"""The command for folders: pictures with and without hints, and what cannot be read."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.colorizer_file import LoadedModel
from pipeline.colorizer.networks.vae import Vae
from pipeline.colorizer.paint import colorize_folder
from pipeline.colorizer.train_job import TrainJob
from sketch_models.errors import SengaError
from tests.pipeline.colorizer.networks.test_networks import small


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    network = replace(small(), init_gain=1.0)  # so that z has an effect
    torch.manual_seed(0)
    job = TrainJob(train="train.h5", network=network)
    return Colorizer(LoadedModel(Vae(network, 64), job, 64), "cpu")


def test_pictures_are_colorized_at_their_size(colorizer: Colorizer, tmp_path: Path) -> None:
    Image.new("RGB", (50, 80), "white").save(tmp_path / "plain.png")
    Image.new("L", (30, 20), "white").save(tmp_path / "hinted.png")
    Image.new("RGBA", (30, 20), (255, 0, 0, 255)).save(tmp_path / "hinted.hints.png")
    assert colorize_folder(colorizer, tmp_path, tmp_path / "results", seed=1) == 0
    assert {path.name for path in (tmp_path / "results").iterdir()} == {"plain.png", "hinted.png"}
    with Image.open(tmp_path / "results" / "plain.png") as result:
        assert (result.size, result.mode) == ((50, 80), "RGB")


@pytest.mark.parametrize(
    ("hints", "reason"),
    [
        (Image.new("RGBA", (20, 30)), r"shape \(30, 20\): expected \(20, 30\)"),
        (Image.new("RGB", (30, 20)), "no alpha channel: expected RGBA"),
    ],
)
def test_unusable_hints_are_named_and_the_picture_is_skipped(
    colorizer: Colorizer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    hints: Image.Image,
    reason: str,
) -> None:
    Image.new("L", (30, 20), "white").save(tmp_path / "line.png")
    hints.save(tmp_path / "line.hints.png")
    assert colorize_folder(colorizer, tmp_path, tmp_path / "results", None) == 1
    errors = capsys.readouterr().err
    assert f"{tmp_path / 'line.png'}: skipped" in errors
    assert re.search(reason, errors)
    assert not (tmp_path / "results").exists()


def test_folder_without_line_art_is_refused(colorizer: Colorizer, tmp_path: Path) -> None:
    with pytest.raises(SengaError, match="has no line art"):
        colorize_folder(colorizer, tmp_path, tmp_path / "results", None)


def test_same_seed_gives_the_same_results(colorizer: Colorizer, tmp_path: Path) -> None:
    Image.fromarray(np.eye(40, dtype=np.uint8) * 255).save(tmp_path / "line.png")
    for number, seed in enumerate((1, 1, 2)):
        assert colorize_folder(colorizer, tmp_path, tmp_path / str(number), seed) == 0
    first, again, other = ((tmp_path / str(n) / "line.png").read_bytes() for n in range(3))
    assert first == again
    assert first != other


@pytest.mark.parametrize("invert", [False, True])
def test_white_lines_on_black_are_inverted_or_named(
    colorizer: Colorizer, tmp_path: Path, capsys: pytest.CaptureFixture[str], invert: bool
) -> None:
    white = np.full((20, 30), 255, np.uint8)
    white[8:10] = 0
    Image.fromarray(255 - white).save(tmp_path / "negative.png")
    assert colorize_folder(colorizer, tmp_path, tmp_path / "results", invert=invert) == 0
    errors = capsys.readouterr().err
    assert ("mostly black. If it is white lines on black, run again with --invert" in errors) is (
        not invert
    )
    expected = colorizer.colorize(white if invert else 255 - white)
    with Image.open(tmp_path / "results" / "negative.png") as result:
        np.testing.assert_array_equal(np.asarray(result), expected)
    Image.fromarray(white).save(tmp_path / "negative.png")
    colorize_folder(colorizer, tmp_path, tmp_path / "results", invert=invert)
    assert ("run again without --invert" in capsys.readouterr().err) is invert
