"""The Python API: any size in, the same size out; hints and z arrive; files are checked."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.colorizer.colorizer import Colorizer, as_map, placed, to_pixels
from pipeline.colorizer.colorizer_file import read_colorizer, write_colorizer
from pipeline.colorizer.hints import Hints
from pipeline.colorizer.networks.layers import initialise
from pipeline.colorizer.options import LossOptions, TrainOptions
from pipeline.colorizer.train_job import Recipe
from pipeline.colorizer.training.trainer import Place, Trainer
from pipeline.pack.square import Placement
from sketch_models.errors import SengaError
from sketch_models.network_options import GpuOptions
from tests.pipeline.colorizer.networks.test_networks import small
from tests.pipeline.colorizer.training.test_trainer import batch

CPU = GpuOptions(device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    """After a step, with weights that are large enough to see through."""
    place = Place(device=torch.device("cpu"))
    options = {"weights": LossOptions(), "options": TrainOptions(), "place": place}
    made = Trainer(64, network=small(), steps=4, **options)
    made.step(batch(0))
    initialise(made.average, gain=1.0)
    return made


@pytest.fixture(scope="module")
def path(trainer: Trainer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "colorizer.safetensors"
    write_colorizer(
        path,
        trainer.painter.encoder,
        trainer.average,
        Recipe(train="train.h5", network=small()),
        64,
    )
    return path


@pytest.fixture(scope="module")
def colorizer(path: Path) -> Colorizer:
    return Colorizer.load(path, CPU)


def hints(height: int, width: int) -> Hints:
    put = Hints.none(height, width)
    put.mask[: height // 2, : width // 2] = True
    put.color[put.mask] = (255, 0, 0)
    return put


def test_the_file_paints_what_the_average_paints(trainer: Trainer, colorizer: Colorizer) -> None:
    line = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    z = torch.randn(1, 8)
    with torch.inference_mode():
        expected = to_pixels(trainer.average(as_map([line], [None]), z))[0]
    painted = colorizer.colorize(line, z=z[0].numpy())
    assert np.abs(painted.astype(int) - expected.astype(int)).max() <= 1


def test_weights_can_be_given_to_others(trainer: Trainer, tmp_path: Path) -> None:
    path = tmp_path / "colorizer.safetensors"
    task = Recipe(train="/home/kana/set/train.h5", test="/home/kana/set/test.h5", network=small())
    write_colorizer(path, trainer.painter.encoder, trainer.average, task, 64)
    assert b"kana" not in path.read_bytes()
    assert read_colorizer(path)[1].train == "train.h5"
    assert read_colorizer(path)[1].test == "test.h5"
    assert path.stat().st_mode == path.with_suffix(".json").stat().st_mode  # others can read both


@pytest.mark.parametrize("shape", [(64, 64), (1, 1), (200, 31), (33, 300)])
def test_any_size_comes_back_as_it_was(colorizer: Colorizer, shape: tuple[int, int]) -> None:
    painted = colorizer.colorize(np.full(shape, 255, np.uint8), hints(*shape))
    assert painted.shape == (*shape, 3)
    assert painted.dtype == np.uint8


def test_hints_and_z_change_the_picture(colorizer: Colorizer) -> None:
    line = np.full((90, 70), 255, np.uint8)
    plain = colorizer.colorize(line)
    assert np.array_equal(plain, colorizer.colorize(line, Hints.none(90, 70)))
    assert not np.array_equal(plain, colorizer.colorize(line, hints(90, 70)))
    assert not np.array_equal(plain, colorizer.colorize(line, z=np.ones(8, np.float32)))


def test_a_tiny_hint_on_a_large_drawing_is_not_lost() -> None:
    put = Hints.none(512, 512)
    put.mask[100:104, 100:104] = True
    put.color[put.mask] = (10, 20, 250)
    small_ones = placed(put, Placement.of(512, 512, 64, "pad"))
    assert small_ones.mask.sum() == 1
    assert (small_ones.color[small_ones.mask] == (10, 20, 250)).all()


def test_hints_go_where_the_drawing_goes() -> None:
    put = Hints.none(40, 20)
    put.mask[:, 10:] = True
    put.color[put.mask] = (1, 2, 3)
    square = placed(put, Placement.of(20, 40, 64, "pad"))
    expected = np.zeros((64, 64), bool)
    expected[:, 32:48] = True
    assert np.array_equal(square.mask, expected)
    assert not square.color[~square.mask].any()


def test_many_at_once_are_painted_as_one_by_one(colorizer: Colorizer) -> None:
    lines = [np.full((64, 64), level, np.uint8) for level in (0, 128, 255)]
    put = [None, hints(64, 64), None]
    together = colorizer.paint(lines, put)
    for number in range(3):
        alone = colorizer.paint(lines[number : number + 1], put[number : number + 1])[0]
        assert np.abs(together[number].astype(int) - alone.astype(int)).max() <= 1


def test_encode_gives_the_mean_of_z(colorizer: Colorizer) -> None:
    z = colorizer.encode(np.zeros((2, 64, 64, 3), np.uint8))
    assert z.shape == (2, 8)
    assert z.dtype == np.float32
    assert np.isfinite(z).all()


def test_as_map_is_what_training_sees() -> None:
    line = np.array([[0, 255]], np.uint8)
    put = Hints.none(1, 2)
    put.mask[0, 1], put.color[0, 1] = True, (255, 0, 51)
    maps = as_map([line], [put])[0, :, 0]
    assert maps[:, 0].tolist() == [-1, 0, 0, 0, 0]
    torch.testing.assert_close(maps[:, 1], torch.tensor([1.0, 1.0, -1.0, -0.6, 1.0]))


@pytest.mark.parametrize("bad", [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.float32)])
def test_what_is_no_line_art_is_refused(colorizer: Colorizer, bad: np.ndarray) -> None:
    with pytest.raises(SengaError, match="expected \\(H, W\\) uint8 with 0 for ink"):
        colorizer.colorize(bad)


@pytest.mark.parametrize("content", [b"", b"no colorizer", b"\x08\0\0\0\0\0\0\0{}      "])
def test_what_is_no_colorizer_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "colorizer.safetensors"
    path.write_bytes(content)
    with pytest.raises(SengaError, match="cannot be read as a colorizer"):
        read_colorizer(path)


def test_a_cut_or_missing_colorizer_is_refused(path: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(path.read_bytes()[:-100])
    for wrong in (cut, tmp_path / "missing.safetensors", tmp_path):
        with pytest.raises(SengaError, match="cannot be read as a colorizer"):
            Colorizer.load(wrong)


def test_a_device_that_is_not_there_is_refused(path: Path) -> None:
    with pytest.raises(SengaError, match=r"\[gpu\] device = cuda:9"):
        Colorizer.load(path, GpuOptions(device="cuda:9"))
