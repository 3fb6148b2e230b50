"""mod.h5 is read whatever Keras calls its layers, and nothing else is taken for it."""

import pickle
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.random_weights import write_keras
from sketch_models.errors import SengaError
from sketch_models.keras_file import CONVOLUTIONS, EPSILON, read, read_layers


@pytest.fixture(scope="module")
def mod(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keras") / "mod.h5"
    write_keras(path)
    return path


@pytest.fixture
def copy(mod: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(mod, tmp_path))


def refused(path: Path, match: str) -> None:
    with pytest.raises(SengaError, match=match) as caught:
        read(path)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "https://github.com/lllyasviel/sketchKeras/releases/download/0.1/mod.h5" in sentence
    assert "\n" not in sentence


def test_normalisation_is_folded_in(mod: Path) -> None:
    state, layers = read(mod), read_layers(mod)
    for place in (0, 9, 16):
        layer = layers[place]
        after = layer.normalisation
        assert after is not None
        picture = np.random.default_rng(0).normal(size=layer.kernel.shape[:3])
        plain = np.tensordot(picture, layer.kernel, 3) + layer.bias
        scale = np.sqrt(after.variance + EPSILON)
        expected = (plain - after.mean) / scale * after.gamma + after.beta
        weight, bias = state[f"{place}.weight"], state[f"{place}.bias"]
        found = np.einsum("hwi,oihw->o", picture, weight) + bias
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_shapes_are_those_of_pytorch(mod: Path) -> None:
    state = read(mod)
    shapes = [state[f"{place}.weight"].shape for place in range(18)]
    assert shapes == [(c.outputs, c.inputs, c.kernel, c.kernel) for c in CONVOLUTIONS]
    assert {array.dtype for array in state.values()} == {np.dtype(np.float32)}


def renamed(path: Path, change: Callable[[str], str]) -> None:
    """Gives every array another name."""
    with h5py.File(path, "r+") as file:
        found: list[str] = []
        file.visititems(lambda name, item: found.append(name) if hasattr(item, "shape") else None)
        for name in found:
            if change(name) != name:
                file.move(name, change(name))


@pytest.mark.parametrize(
    "change",
    [
        lambda name: name.removesuffix(":0"),
        lambda name: "/".join([*name.split("/")[:2], name.split("/")[-1]]),
        lambda name: name.replace("/kernel", "/deeper/kernel"),
    ],
    ids=["no :0", "flat", "nested"],
)
def test_names_and_nesting_do_not_matter(
    mod: Path, copy: Path, change: Callable[[str], str]
) -> None:
    renamed(copy, change)
    expected, found = read(mod), read(copy)
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_a_file_of_weights_alone_is_read(mod: Path, tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    with h5py.File(mod) as file, h5py.File(path, "w") as bare:
        for name, group in file["model_weights"].items():
            file.copy(group, bare, name)
        bare.attrs["layer_names"] = file["model_weights"].attrs["layer_names"]
    assert np.array_equal(read(path)["0.weight"], read(mod)["0.weight"])


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html><html>Not Found</html>", "it is a web page"),
        (b"  \n<html>", "it is a web page"),
        (pickle.dumps({"weights": [1, 2]}), "it is no HDF5 file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "damaged"),
    ],
)
def test_what_is_no_keras_file_is_refused(tmp_path: Path, content: bytes, match: str) -> None:
    path = tmp_path / "mod.h5"
    path.write_bytes(content)
    refused(path, match)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "mod.h5", "No such file")


def test_a_truncated_file_is_refused(copy: Path) -> None:
    with copy.open("r+b") as file:
        file.truncate(copy.stat().st_size // 2)
    refused(copy, "damaged or cut short|damaged")


KERNEL = "model_weights/conv2d_3/conv2d_3/kernel:0"


def with_nan(file: h5py.File) -> None:
    file[KERNEL][0, 0, 0, 0] = np.nan


def with_another_shape(file: h5py.File) -> None:
    del file[KERNEL]
    file[KERNEL] = np.zeros((3, 3, 64, 32), np.float32)


def with_a_bomb(file: h5py.File) -> None:
    del file[KERNEL]
    file.create_dataset(KERNEL, (2**20, 2**20, 3), "f4", chunks=(64, 64, 1), compression="gzip")


def with_integers(file: h5py.File) -> None:
    del file[KERNEL]
    file[KERNEL] = np.zeros((3, 3, 64, 64), np.int64)


def with_a_link_elsewhere(file: h5py.File) -> None:
    del file[KERNEL]
    file[KERNEL] = h5py.ExternalLink("/etc/passwd", "/")


def with_a_soft_link(file: h5py.File) -> None:
    del file["model_weights/conv2d_3"]
    file["model_weights/conv2d_3"] = h5py.SoftLink("/model_weights/conv2d_5")


def with_virtual_pixels(file: h5py.File) -> None:
    del file[KERNEL]
    layout = h5py.VirtualLayout((3, 3, 64, 64), "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "kernel", (3, 3, 64, 64))
    file.create_virtual_dataset(KERNEL, layout)


def with_a_lambda(file: h5py.File) -> None:
    file.attrs["model_config"] = b'{"config": {"layers": [{"class_name": "Lambda"}]}}'


def without_a_layer(file: h5py.File) -> None:
    names = list(file["model_weights"].attrs["layer_names"])
    file["model_weights"].attrs["layer_names"] = names[3:]


def without_names(file: h5py.File) -> None:
    del file["model_weights"].attrs["layer_names"]


def with_negative_variance(file: h5py.File) -> None:
    name = "batch_normalization_2"
    file[f"model_weights/{name}/{name}/moving_variance:0"][0] = -1


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (with_nan, "layer 3 has a kernel that is not finite"),
        (with_another_shape, r"layer 3 has a kernel of \(3, 3, 64, 32\)"),
        (with_a_bomb, "17 convolutions"),
        (with_integers, "int64"),
        (with_a_link_elsewhere, "lies elsewhere"),
        (with_a_soft_link, "lies elsewhere"),
        (with_virtual_pixels, "layer 3 has a kernel"),
        (with_a_lambda, "Lambda layer, which holds code"),
        (without_a_layer, "17 convolutions and 16 other layers"),
        (without_names, "does not list its layers"),
        (with_negative_variance, "negative variance"),
    ],
)
def test_what_is_not_this_network_is_refused(
    copy: Path, spoil: Callable[[h5py.File], None], match: str
) -> None:
    with h5py.File(copy, "r+") as file:
        spoil(file)
    refused(copy, match)


@given(st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 255)), min_size=1, max_size=20))
@settings(max_examples=25)
def test_broken_bytes_are_read_or_refused(
    mod: Path, tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
) -> None:
    content = bytearray(mod.read_bytes())
    for place, byte in changes:
        content[place] = byte
    path = tmp_path_factory.mktemp("broken") / "mod.h5"
    path.write_bytes(content)
    with suppress(SengaError):
        assert len(read(path)) == 36
    path.unlink()
