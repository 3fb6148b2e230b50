"""Every form of the weights gives the same arrays, and nothing else is taken for them."""

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from benchmarks.random_weights import simo_serra
from sketch_models.errors import SengaError
from sketch_models.simo_serra_file import LAYERS, STATISTICS, read
from sketch_models.torch7 import Module
from tests.sketch_models import torch7_writer

Arrays = dict[str, np.ndarray]
WEIGHTS = simo_serra()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("simo_serra") / "sketch_gan.t7"
    torch7_writer.write_simo_serra(path, WEIGHTS)
    return path


def same(found: Arrays, mean: float = 0.96, std: float = 0.09) -> None:
    assert sorted(found) == sorted(WEIGHTS)
    for name, array in WEIGHTS.items():
        if name not in ("mean", "std"):
            np.testing.assert_array_equal(found[name], array)
    assert found["mean"] == np.float32(mean)
    assert found["std"] == np.float32(std)


def refused(path: Path, match: str, statistics: str = "gan") -> None:
    with pytest.raises(SengaError, match=match) as caught:
        read(path, statistics)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "https://esslab.jp/~ess/data/sketch_gan.t7" in sentence
    assert "\n" not in sentence


def test_the_layers_have_the_published_size() -> None:
    sizes = [np.prod(layer.shape) + layer.outputs for layer in LAYERS]
    assert sum(sizes) == 44_387_249


def test_torch_7_files_are_read(published: Path) -> None:
    same(read(published, "gan"))


def test_flat_kernels_are_unfolded(tmp_path: Path) -> None:
    path = tmp_path / "flat.t7"
    torch7_writer.write(path, torch7_writer.model(WEIGHTS, flat=True))
    same(read(path, "gan"))


def test_nested_sequences_are_walked_through(tmp_path: Path) -> None:
    table = torch7_writer.model(WEIGHTS)
    outer = Module("nn.Sequential", {b"modules": {1.0: table[b"model"]}})
    path = tmp_path / "nested.t7"
    torch7_writer.write(path, {**table, b"model": outer})
    same(read(path, "gan"))


def even(place: int) -> str:
    return str(2 * place)


def by_layers(place: int) -> str:
    """Seven groups, cut where the published copies cut them or not: only their order counts."""
    return f"layer{place // 4 + 1}.{2 * (place % 4)}"


@pytest.mark.parametrize("name", [even, by_layers])
@pytest.mark.parametrize("zipped", [True, False])
def test_state_dicts_of_pytorch_are_read(
    tmp_path: Path, name: Callable[[int], str], zipped: bool
) -> None:
    places = list(range(len(LAYERS)))
    state = {
        f"{name(place)}.{part}": torch.from_numpy(WEIGHTS[f"{place}.{part}"])
        for place in reversed(places)
        for part in ("weight", "bias")
    }
    path = tmp_path / "model.pth"
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    same(read(path, "pencil1"), *STATISTICS["pencil1"])


def test_our_own_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file(WEIGHTS, path)
    same(read(path, "gan"))


class Harmful:
    """What a pickle could do."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return (exit, ("the file was executed",))


def test_a_pickle_is_never_executed(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes(pickle.dumps(Harmful()))
    refused(path, "damaged, or holds more than tensors")
    torch.save({"0.weight": Harmful()}, path)
    refused(path, "damaged, or holds more than tensors")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html><html>", "it is a web page"),
        (b"PK\x03\x04 and so on", "damaged"),
        (b"\x10\0\0\0\0\0\0\0{not json at all", "damaged"),
        (bytes(64), "no table with a model"),
        (b"\x03\0\0\0", "cut short"),
    ],
)
def test_what_is_no_weight_file_is_refused(tmp_path: Path, content: bytes, match: str) -> None:
    path = tmp_path / "model.t7"
    path.write_bytes(content)
    refused(path, match)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "absent.t7", "No such file")


def test_a_truncated_file_is_refused(published: Path, tmp_path: Path) -> None:
    path = tmp_path / "half.t7"
    path.write_bytes(published.read_bytes()[: published.stat().st_size // 2])
    refused(path, "cut short")


def spoiled(**changes: np.ndarray) -> Arrays:
    return {**WEIGHTS, **{name.replace("_", "."): array for name, array in changes.items()}}


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        (
            spoiled(**{"3_weight": np.full(LAYERS[3].shape, np.nan, np.float32)}),
            "3.weight is not f",
        ),
        (spoiled(**{"3_weight": np.zeros((128, 64, 3, 3), np.float32)}), r"3.weight is \(128, 64,"),
        (spoiled(**{"3_bias": np.zeros(128, np.int32)}), "int32"),
        (spoiled(std=np.zeros(1, np.float32)), "deviation is not above 0"),
        ({name: WEIGHTS[name] for name in list(WEIGHTS)[:20]}, "10 layers with weights, not 23"),
    ],
)
def test_what_is_not_this_network_is_refused(tmp_path: Path, arrays: Arrays, match: str) -> None:
    path = tmp_path / "model.safetensors"
    save_file(arrays, path)
    refused(path, match)


def test_another_module_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.t7"
    modules = {1.0: Module("nn.SpatialMaxPooling", {})}
    model = Module("nn.Sequential", {b"modules": modules})
    torch7_writer.write(path, {b"model": model, b"mean": 0.9, b"std": 0.1})
    refused(path, "nn.SpatialMaxPooling")


def test_statistics_that_nobody_published_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    torch.save({"0.weight": torch.zeros(1)}, path)
    refused(path, "statistics = mine", statistics="mine")
