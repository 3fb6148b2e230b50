"""The Python API: arrays and PIL images of any size, hints, z, and files that are checked."""

import inspect
import json
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save

from pipeline.colorizer import colorizer_file, enlarge
from pipeline.colorizer.colorizer import Colorizer
from pipeline.colorizer.colorizer_file import (
    LoadedModel,
    fold_spectral_norms,
    read_colorizer,
    write_colorizer,
)
from pipeline.colorizer.hints import Box, Hints
from pipeline.colorizer.networks.layers import count_parameters, init_weights
from pipeline.colorizer.networks.vae import Vae
from pipeline.colorizer.options import LossOptions, NetworkOptions, TrainOptions
from pipeline.colorizer.tensors import to_maps, to_pixels
from pipeline.colorizer.train_job import TrainJob
from pipeline.colorizer.training.trainer import Trainer
from pipeline.training.context import TrainContext
from sketch_models.errors import SengaError, WeightsError
from tests.pipeline.colorizer.networks.test_networks import small
from tests.pipeline.colorizer.training.test_trainer import batch

TOP = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    """Return a trainer after one step, with weights large enough for a visible effect."""
    context = TrainContext(device=torch.device("cpu"))
    options = {"loss_weights": LossOptions(), "options": TrainOptions(), "context": context}
    trainer = Trainer(64, network=small(), steps=4, **options)
    trainer.step(batch(0))
    init_weights(trainer.ema, gain=1.0)
    return trainer


@pytest.fixture(scope="module")
def path(trainer: Trainer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "colorizer.safetensors"
    job = TrainJob(train="train.h5", network=small())
    write_colorizer(path, trainer.vae.encoder, trainer.ema, job, 64)
    return path


@pytest.fixture(scope="module")
def colorizer(path: Path) -> Colorizer:
    return Colorizer.load(path, device="cpu", dtype="fp32")


def red_corner(height: int, width: int) -> Hints:
    hints = Hints.none(height, width)
    hints.mask[: height // 2, : width // 2] = True
    hints.color[hints.mask] = (255, 0, 0)
    return hints


def stripes(height: int, width: int) -> np.ndarray:
    line = np.full((height, width), 255, np.uint8)
    line[::8] = 0
    return line


def test_file_gives_the_results_of_the_ema(trainer: Trainer, colorizer: Colorizer) -> None:
    line = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    z = torch.randn(1, 8)
    with torch.inference_mode():
        expected = to_pixels(trainer.ema(to_maps([line], [None], spread=False), z))[0]
    result = colorizer.colorize(line, z=z[0].numpy())
    assert np.abs(result.astype(int) - expected.astype(int)).max() <= 1


def test_facts_about_a_colorizer(trainer: Trainer, colorizer: Colorizer) -> None:
    assert (colorizer.size, colorizer.latent_dim) == (64, 8)
    weights = [weight.numel() for weight in trainer.ema.parameters()]
    assert colorizer.num_parameters == sum(weights)
    assert colorizer.train_job.network == small()
    assert colorizer.device == torch.device("cpu")


def test_weights_contain_no_folder_names(trainer: Trainer, tmp_path: Path) -> None:
    path = tmp_path / "colorizer.safetensors"
    job = TrainJob(
        train="/home/kana/set/train.h5",
        test="/home/kana/set/test.h5",
        network=small(),
        options=TrainOptions(initial_weights="/home/kana/first"),
        losses=LossOptions(perceptual_weights="/home/kana/resnet.pth"),
    )
    write_colorizer(path, trainer.vae.encoder, trainer.ema, job, 64)
    assert b"kana" not in path.read_bytes()
    assert read_colorizer(path).job.train == "train.h5"
    assert read_colorizer(path).job.test == "test.h5"
    assert read_colorizer(path).job.options.initial_weights == "first"
    assert read_colorizer(path).job.losses.perceptual_weights == "resnet.pth"
    assert path.stat().st_mode == path.with_suffix(".json").stat().st_mode  # others can read both


@pytest.mark.parametrize("shape", [(64, 64), (1, 1), (200, 31), (33, 300)])
def test_result_has_the_size_of_the_line_art(colorizer: Colorizer, shape: tuple[int, int]) -> None:
    result = colorizer.colorize(np.full(shape, 255, np.uint8), red_corner(*shape))
    assert result.shape == (*shape, 3)
    assert result.dtype == np.uint8


def test_hints_and_z_change_the_result(colorizer: Colorizer) -> None:
    line = np.full((90, 70), 255, np.uint8)
    plain = colorizer.colorize(line)
    assert np.array_equal(plain, colorizer.colorize(line, Hints.none(90, 70)))
    assert not np.array_equal(plain, colorizer.colorize(line, red_corner(90, 70)))
    assert not np.array_equal(plain, colorizer.colorize(line, z=np.ones(8, np.float32)))
    assert np.array_equal(plain, colorizer.colorize(line, z=np.zeros(8)))


def test_arrays_and_pil_images_of_all_modes_give_the_same(colorizer: Colorizer) -> None:
    line = stripes(48, 30)
    expected = colorizer.colorize(line)
    image = Image.fromarray(line)
    ink = Image.new("RGBA", image.size, "black")
    ink.putalpha(Image.fromarray(255 - line))  # paper is transparent
    rgb = np.repeat(line[..., None], 3, axis=2)
    for same in (rgb, image, image.convert("RGB"), image.convert("RGBA"), image.convert("1"), ink):
        result = colorizer.colorize(same)
        assert isinstance(result, np.ndarray)
        assert np.array_equal(result, expected)


def test_lines_of_several_sizes_are_colorized_in_one_batch(colorizer: Colorizer) -> None:
    lines = [stripes(64, 64), stripes(30, 90), stripes(100, 40)]
    hints = [None, red_corner(30, 90), None]
    z = np.random.default_rng(0).standard_normal((3, 8), np.float32)
    results = colorizer.colorize_batch(lines, hints, z)
    for number, result in enumerate(results):
        alone = colorizer.colorize(lines[number], hints[number], z[number])
        assert result.shape == (*lines[number].shape, 3)
        assert np.abs(result.astype(int) - alone.astype(int)).max() <= 1
    assert np.array_equal(colorizer.colorize_batch(lines[:1])[0], colorizer.colorize(lines[0]))
    assert colorizer.colorize_batch([]) == []


@pytest.mark.parametrize("kind", ["grey", "RGB", "PIL"])
def test_variations_of_a_drawing_share_the_search_for_its_areas(
    colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    searched: list[int] = []
    find = enlarge.find_areas
    monkeypatch.setattr(enlarge, "find_areas", lambda line: (searched.append(1), find(line))[1])
    grey = stripes(120, 90)
    line = {"grey": grey, "RGB": np.repeat(grey[..., None], 3, 2), "PIL": Image.fromarray(grey)}
    other = stripes(100, 100)
    results = colorizer.colorize_batch([line[kind]] * 3 + [other])
    assert len(searched) == 2
    np.testing.assert_array_equal(results[0], results[2])
    np.testing.assert_array_equal(results[3], colorizer.colorize(other))


def test_encode_gives_the_mean_of_z(colorizer: Colorizer) -> None:
    z = colorizer.encode(np.zeros((2, 64, 64, 3), np.uint8))
    assert z.shape == (2, 8)
    assert z.dtype == np.float32
    assert np.isfinite(z).all()


def test_reference_of_any_size_is_encoded_in_a_padded_square(colorizer: Colorizer) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 16, 3), np.uint8)
    square = np.full((64, 64, 3), 255, np.uint8)
    square[:, 16:48] = cv2.resize(picture, (32, 64), interpolation=cv2.INTER_LINEAR)
    z = colorizer.encode_reference(picture)
    assert z.shape == (8,)
    np.testing.assert_allclose(z, colorizer.encode(square[None])[0], atol=0.05)
    assert np.abs(z - colorizer.encode_reference(picture[:16])).max() > 1e-3


@pytest.mark.parametrize("shape", [(64, 64), (64, 64, 4)])
def test_reference_of_another_shape_is_a_value_error(
    colorizer: Colorizer, shape: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match=r"expected \(H, W, 3\) uint8 RGB\.$"):
        colorizer.encode_reference(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("shape", [(64, 64, 3), (2, 32, 32, 3)])
def test_encoding_of_another_shape_is_a_value_error(
    colorizer: Colorizer, shape: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match=r"uint8: expected \(N, 64, 64, 3\) uint8 RGB\.$"):
        colorizer.encode(np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (np.zeros((4, 4), np.float32), r"shape \(4, 4\) float32"),
        (np.zeros((4, 4, 4), np.uint8), r"shape \(4, 4, 4\) uint8"),
        (np.zeros((4, 4, 3), np.float32), r"shape \(4, 4, 3\) float32"),
        (np.zeros((0, 4), np.uint8), r"shape \(0, 4\) uint8"),
        (np.zeros((0, 4, 3), np.uint8), r"shape \(0, 4, 3\) uint8"),
    ],
)
def test_other_line_art_is_a_value_error(
    colorizer: Colorizer, line: np.ndarray, named: str
) -> None:
    expected = rf"{named}: expected \(H, W\) uint8, 0 ink, 255 paper\.$"
    with pytest.raises(ValueError, match=expected):
        colorizer.colorize(line)


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_image_of_more_than_8_bits_is_a_value_error(colorizer: Colorizer, mode: str) -> None:
    with pytest.raises(ValueError, match=f"of mode {mode}: expected one of 8 bits"):
        colorizer.colorize(Image.new(mode, (4, 4)))


def test_hints_of_another_size_are_a_value_error(colorizer: Colorizer) -> None:
    with pytest.raises(
        ValueError, match=r"shape \(4, 5\): expected \(5, 4\), the shape of the line"
    ):
        colorizer.colorize(np.zeros((5, 4), np.uint8), Hints.none(4, 5))
    with pytest.raises(ValueError, match=r"There are 1 hints: expected 2"):
        colorizer.colorize_batch([np.zeros((5, 4), np.uint8)] * 2, [None])


@pytest.mark.parametrize("z", [np.zeros(7), np.zeros((1, 8)), np.zeros(8, int)])
def test_z_of_another_shape_or_dtype_is_a_value_error(colorizer: Colorizer, z: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"z is an array of shape .*: expected \(8,\) float\.$"):
        colorizer.colorize(np.zeros((5, 4), np.uint8), z=z)
    with pytest.raises(ValueError, match=r"z is an array of shape .*: expected \(2, 8\) float\.$"):
        colorizer.colorize_batch([np.zeros((5, 4), np.uint8)] * 2, z=z)


@pytest.mark.parametrize("content", [b"", b"no colorizer", b"\x08\0\0\0\0\0\0\0{}      "])
def test_other_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "colorizer.safetensors"
    path.write_bytes(content)
    with pytest.raises(SengaError, match="cannot be read as a colorizer"):
        read_colorizer(path)


def rewritten(path: Path, target: Path, **changes: object) -> Path:
    """Write a colorizer with other values in its header; those of the network by their names."""
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["colorizer"])
    job = json.loads(header["recipe"])
    job["network"] |= {key: value for key, value in changes.items() if key in job["network"]}
    header |= {key: value for key, value in changes.items() if key in header}
    header["recipe"] = json.dumps(job)
    metadata = {"colorizer": str(changes.get("text", json.dumps(header)))}
    target.write_bytes(save(load_file(path), metadata))
    return target


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "[]"},
        {"text": "[" * 100_000},
        {"text": "null"},
        {"size": None},
        {"size": 2**70},
        {"size": 1 << 20},
        {"size": -64},
        {"size": [64]},
        {"schema": "other"},
        {"width": 100_000},
        {"map_width": 100_000},
        {"hidden": 100_000},
        {"latent_dim": 10**9},
        {"encoder_width": 100_000},
        {"width": "8"},
        {"width": None},
        {"generator": "other"},
    ],
)
def test_hostile_header_is_refused_before_anything_is_allocated(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    def limited(options: NetworkOptions, size: int) -> Vae:
        assert options.width * options.hidden * options.latent_dim * size < 10**7, "allocated"
        return Vae(options, size)

    monkeypatch.setattr("pipeline.colorizer.colorizer_file.Vae", limited)
    assert read_colorizer(rewritten(path, tmp_path / "same.safetensors")).size == 64
    with pytest.raises(WeightsError, match="cannot be read as a colorizer") as raised:
        read_colorizer(rewritten(path, tmp_path / "hostile.safetensors", **changes))
    assert "allocated" not in str(raised.value.__cause__)


@pytest.mark.parametrize("generator", ["netl_spade", "spade"])
@pytest.mark.parametrize("width", [1, 3, 8])
def test_networks_have_more_weights_than_the_fewest_that_are_accepted(
    generator: str, width: int
) -> None:
    for hidden, map_width, encoder_width, latent_dim in ((1, 1, 1, 1), (9, 40, 6, 90)):
        options = NetworkOptions(
            generator=generator,
            width=width,
            hidden=hidden,
            map_width=map_width,
            encoder_width=encoder_width,
            latent_dim=latent_dim,
        )
        for size in (64, 128):
            count = count_parameters(fold_spectral_norms(Vae(options, size)))
            assert count / 40 < colorizer_file._min_weights(options, size) <= count


def test_truncated_or_missing_file_is_refused(path: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(path.read_bytes()[:-100])
    for wrong in (cut, tmp_path / "missing.safetensors", tmp_path):
        with pytest.raises(SengaError, match="cannot be read as a colorizer"):
            Colorizer.load(wrong)


def test_folder_is_loaded_by_path_or_text(path: Path) -> None:
    for folder in (path.parent, str(path.parent)):
        assert Colorizer.load(folder, "cpu").size == 64


def test_missing_device_is_refused(path: Path) -> None:
    with pytest.raises(SengaError, match=r"device = cuda:9"):
        Colorizer.load(path, "cuda:9")


def test_unknown_device_or_dtype_is_a_value_error(path: Path) -> None:
    with pytest.raises(ValueError, match="device = 'gpu': expected auto, cpu, cuda"):
        Colorizer.load(path, "gpu")
    with pytest.raises(ValueError, match="dtype = 'float': expected one of auto, fp32"):
        Colorizer.load(path, "cpu", dtype="float")


def test_shipped_weights_load() -> None:
    model = read_colorizer(TOP / "pipeline" / "demo" / "model" / "colorizer.safetensors")
    assert isinstance(model, LoadedModel)
    assert model.job.network.generator == "netl_spade"


def test_example_runs_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(TOP)
    paragraphs = inspect.cleandoc(Colorizer.__doc__ or "").split("\n\n")
    lines = [text for text in paragraphs if text.startswith("    ")]
    values: dict[str, object] = {}
    exec(textwrap.dedent("\n\n".join(lines)), values)
    assert np.shape(values["picture"]) == (*np.shape(values["line"]), 3)
    assert not np.array_equal(values["picture"], values["variation"])


@pytest.mark.parametrize("given", [None, [(0, 0, 64, 40)]])
def test_hints_are_spread_within_the_drawing(
    given: list[Box] | None, colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Box] = []

    def spy(*arguments: Any, boxes: list[Box], **options: Any) -> torch.Tensor:
        seen.extend(boxes)
        return to_maps(*arguments, boxes=boxes, **options)

    monkeypatch.setattr("pipeline.colorizer.colorizer.to_maps", spy)
    line = np.full((64, 64) if given else (128, 64), 255, np.uint8)
    colorizer.colorize_batch([line], boxes=given)
    assert seen == (given or [(16, 0, 48, 64)])


def test_areas_without_a_hint_are_even_by_option(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Any, ...]] = []

    def spy(picture: NDArray[np.uint8], *arguments: Any) -> NDArray[np.uint8]:
        seen.append((picture, *arguments))
        return np.full_like(picture, 7)

    monkeypatch.setattr("pipeline.colorizer.colorizer.even_areas", spy)
    model = read_colorizer(path)
    network = replace(model.job.network, even_areas=True)
    even = Colorizer(replace(model, job=replace(model.job, network=network)), "cpu", "fp32")
    line, hints = stripes(64, 40), red_corner(64, 40)
    plain = Colorizer(model, "cpu", "fp32").colorize_batch([line, line], [hints, None])
    assert not seen
    results = even.colorize_batch([line, line], [hints, None])
    assert [np.unique(result).tolist() for result in results] == [[7], [7]]
    for (picture, drawing, given, box), before in zip(seen, plain, strict=True):
        np.testing.assert_array_equal(picture[:, 12:52], before)
        np.testing.assert_array_equal(drawing[:, 12:52], line)
        assert box == (12, 0, 52, 64)
        assert given is None or given.mask.sum() == hints.mask.sum()
    assert [given is None for *_, given, _ in seen] == [False, True]
