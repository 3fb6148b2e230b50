"""The command for folders: pictures with and without hints, and what cannot be read."""

import os
import re
import struct
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.colorizer_file import LoadedModel
from pipeline.colorizer.networks.vae import Vae
from pipeline.colorizer.paint import colorize_folder, main
from pipeline.colorizer.suggest import suggest_hints
from pipeline.colorizer.train_job import TrainJob
from sketch_models.errors import SengaError
from tests.pipeline.colorizer.networks.test_networks import small
from tests.pipeline.picture_files import chunk, jpeg, jpeg_exif, png, turned


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


def test_results_of_files_that_differ_in_their_suffix_are_two_files(
    colorizer: Colorizer, tmp_path: Path
) -> None:
    Image.new("L", (50, 30), "white").save(tmp_path / "a.jpg")
    Image.new("L", (30, 40), "white").save(tmp_path / "a.png")
    Image.new("L", (30, 20), "white").save(tmp_path / "b.webp")
    Image.new("L", (30, 20), "white").save(tmp_path / "._b.webp", "png")
    assert colorize_folder(colorizer, tmp_path, tmp_path / "results") == 0
    sizes = {}
    for path in (tmp_path / "results").iterdir():
        with Image.open(path) as image:
            sizes[path.name] = image.size
    assert sizes == {"a.jpg.png": (50, 30), "a.png.png": (30, 40), "b.png": (30, 20)}


def test_line_art_is_not_overwritten(colorizer: Colorizer, tmp_path: Path) -> None:
    Image.new("L", (50, 30), "white").save(tmp_path / "a.png")
    with pytest.raises(SengaError, match="has the line art: choose another folder"):
        colorize_folder(colorizer, tmp_path, tmp_path / "." / "")


def test_odd_and_unreadable_files_do_not_stop_the_folder(
    colorizer: Colorizer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fraction = (271, 5, struct.pack("<II", 1, 1))
    (tmp_path / "a.jpg").write_bytes(jpeg(jpeg_exif(turned(6, fraction))))
    (tmp_path / "b.tif").write_bytes(b"II*\0")
    (tmp_path / "c.png").write_bytes(png(chunk(b"eXIf", turned(6, fraction))))
    Image.new("L", (16, 24), "white").save(tmp_path / "d.png")
    (tmp_path / "d.hints.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    (tmp_path / "e.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    (tmp_path / "f.jpg").mkdir()
    os.mkfifo(tmp_path / "g.jpg")
    assert colorize_folder(colorizer, tmp_path, tmp_path / "results") == 5
    assert {path.name for path in (tmp_path / "results").iterdir()} == {"a.png", "c.png"}
    errors = capsys.readouterr().err
    assert all(f"{tmp_path / name}: skipped" in errors for name in ("b.tif", "d.png", "e.png"))
    with Image.open(tmp_path / "results" / "a.png") as result:
        assert result.size == (16, 24)


def test_hints_are_turned_as_their_drawing(colorizer: Colorizer, tmp_path: Path) -> None:
    hints = Image.new("RGBA", (24, 16), (255, 0, 0, 255))
    (tmp_path / "a.png").write_bytes(png(chunk(b"eXIf", turned(6))))
    (tmp_path / "a.hints.png").write_bytes(png(chunk(b"eXIf", turned(6)), image=hints))
    assert colorize_folder(colorizer, tmp_path, tmp_path / "results") == 0


def test_folder_without_line_art_is_refused(colorizer: Colorizer, tmp_path: Path) -> None:
    with pytest.raises(SengaError, match="has no line art"):
        colorize_folder(colorizer, tmp_path, tmp_path / "results", None)
    with pytest.raises(SengaError, match="nowhere: there is no such folder"):
        colorize_folder(colorizer, tmp_path / "nowhere", tmp_path / "results", None)


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


def test_z_of_a_reference_is_added(colorizer: Colorizer, tmp_path: Path) -> None:
    line = np.full((64, 64), 255, np.uint8)
    Image.fromarray(line).save(tmp_path / "line.png")
    reference = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
    z = colorizer.encode_reference(reference)
    assert colorize_folder(colorizer, tmp_path, tmp_path / "z", reference=reference) == 0
    with Image.open(tmp_path / "z" / "line.png") as result:
        assert np.array_equal(np.asarray(result), colorizer.colorize(line, z=z))
    assert colorize_folder(colorizer, tmp_path, tmp_path / "both", 1, reference=reference) == 0
    z = z + np.random.default_rng((1, 0)).standard_normal(z.shape, np.float32)
    with Image.open(tmp_path / "both" / "line.png") as result:
        assert np.array_equal(np.asarray(result), colorizer.colorize(line, z=z))


def test_colours_are_suggested_by_a_seed(colorizer: Colorizer, tmp_path: Path) -> None:
    line = np.full((64, 64), 255, np.uint8)
    cv2.circle(line, (32, 32), 20, 0, 2)
    for name in ("first", "second"):
        Image.fromarray(line).save(tmp_path / f"{name}.png")
    assert colorize_folder(colorizer, tmp_path, tmp_path / "results", suggest=3) == 0
    for number, name in enumerate(("first", "second")):
        with Image.open(tmp_path / "results" / f"{name}.png") as result:
            expected = colorizer.colorize(line, suggest_hints(line, None, (3, number)))
            np.testing.assert_array_equal(np.asarray(result), expected)


@pytest.mark.parametrize("option", ["--seed", "--suggest"])
@pytest.mark.parametrize("text", ["-1", "1.5", "red"])
def test_wrong_seed_is_one_sentence(
    option: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["none", "lines", "results", f"{option}={text}"])
    assert f"{option}: {text}: expected a whole number of 0 or more" in capsys.readouterr().err


def test_unreadable_reference_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "sunset.png").write_bytes(b"no picture")
    arguments = ["none", str(tmp_path), str(tmp_path), "--reference", str(tmp_path / "sunset.png")]
    with pytest.raises(SengaError, match=r"--reference .*sunset\.png cannot be read \(not_a_pic"):
        main(arguments)


def test_folders_are_on_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SengaError, match="^s3://out: expected a path on this machine"):
        main(["colorizer.safetensors", "lines", "s3://out"])
    assert not list(tmp_path.iterdir())
