"""sketchKeras's file is read whichever Keras wrote it; other files are refused."""

import os
import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from sketch_models.errors import SengaError
from sketch_models.weights import keras_file
from sketch_models.weights.keras_file import CONVOLUTIONS, Convolution, Layer
from tests.sketch_models.weights.keras_writer import random_layers, write

SMALL = (Convolution(3, 1, 1, 4), Convolution(4, 2, 4, 6), Convolution(3, 1, 6, 1))
LAYERS = random_layers(SMALL)
Damage = Callable[[h5py.File], None]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of three convolutions, so that files have a few kB."""
    monkeypatch.setattr(keras_file, "CONVOLUTIONS", SMALL)


def assert_equal(layers: Sequence[Layer], expected: Sequence[Layer]) -> None:
    assert len(layers) == len(expected)
    for layer, other in zip(layers, expected, strict=True):
        np.testing.assert_array_equal(layer.kernel, other.kernel)
        np.testing.assert_array_equal(layer.bias, other.bias)
        assert (layer.batch_norm is None) == (other.batch_norm is None)
        if layer.batch_norm and other.batch_norm:
            for name in ("gamma", "beta", "mean", "variance"):
                np.testing.assert_array_equal(
                    getattr(layer.batch_norm, name), getattr(other.batch_norm, name)
                )


def assert_refused(path: Path, *words: str) -> None:
    """Check that both readers raise one line with the path, these words and the address."""
    for read in (keras_file.read, keras_file.read_layers):
        with pytest.raises(SengaError) as raised:
            read(path)
        message = str(raised.value)
        assert message.startswith(f"{path}: the file ")
        assert message.endswith(f"Download sketchKeras's weights from {keras_file.DOWNLOAD_URL}.")
        assert "\n" not in message
        assert not [word for word in words if word not in message], message


def test_table_has_the_published_number_of_parameters() -> None:
    floats = sum(
        c.kernel**2 * c.in_channels * c.out_channels + c.out_channels for c in CONVOLUTIONS
    )
    floats += sum(4 * c.out_channels for c in CONVOLUTIONS[:-1])
    assert floats == 18_644_385


def test_full_size_file_is_read(tmp_path: Path) -> None:
    layers = random_layers(CONVOLUTIONS)
    write(tmp_path / "mod.h5", layers)
    assert_equal(keras_file.read_layers(tmp_path / "mod.h5"), layers)
    state = keras_file.read(tmp_path / "mod.h5")
    assert list(state) == [f"{n}.{part}" for n in range(18) for part in ("weight", "bias")]
    assert state["9.weight"].shape == (512, 1024, 4, 4)
    save_file(state, tmp_path / "ours.safetensors")
    again = keras_file.read(tmp_path / "ours.safetensors")
    assert again.keys() == state.keys()
    assert all((again[name] == state[name]).all() for name in state)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "version",
    [
        {},
        {"first": 0, "nesting": "{layer}/{layer}/{array}"},
        {"first": 7, "nesting": "{layer}/{array}"},
        {"top": ""},
        {"top": "", "order": False, "nesting": "{layer}/functional/{layer}/{array}:0"},
        {"order": False},
        {"kernel": "w", "bias": "a", "gamma": "z", "beta": "y", "moving_mean": "x"},
    ],
)
def test_layouts_of_all_keras_versions_are_read(tmp_path: Path, version: dict[str, object]) -> None:
    write(tmp_path / "mod.h5", LAYERS, **version)
    assert_equal(keras_file.read_layers(tmp_path / "mod.h5"), LAYERS)


@pytest.mark.usefixtures("small")
def test_layers_are_ordered_by_layer_names_not_alphabetically(tmp_path: Path) -> None:
    write(tmp_path / "mod.h5", LAYERS, first=9)  # conv2d_10 sorts before conv2d_9
    assert_equal(keras_file.read_layers(tmp_path / "mod.h5"), LAYERS)


@pytest.mark.usefixtures("small")
def test_folded_batch_norm_gives_the_same_result(tmp_path: Path) -> None:
    write(tmp_path / "mod.h5", LAYERS)
    state = keras_file.read(tmp_path / "mod.h5")
    layer, norm = LAYERS[1], LAYERS[1].batch_norm
    assert norm is not None
    patch = np.random.default_rng(1).standard_normal((4, 4, 4))  # (H, W, I)
    plain = np.einsum("hwi,hwio->o", patch, layer.kernel) + layer.bias
    spread = np.sqrt(norm.variance + 1e-3)
    expected = norm.gamma * (plain - norm.mean) / spread + norm.beta
    folded = np.einsum("hwi,oihw->o", patch, state["1.weight"]) + state["1.bias"]
    np.testing.assert_allclose(folded, expected, atol=1e-5)
    np.testing.assert_array_equal(state["2.weight"], LAYERS[2].kernel.transpose(3, 2, 0, 1))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n <!DOCTYPE html><title>Not Found</title>", "web page"),
        (pickle.dumps({"kernel": [1.0]}), "pickle"),
        (b"PK\x03\x04archive", "zip"),
        (b"\x89HDF\r\n\x1a\n", "damaged"),
        (b"\x00" * 1000, "is not an HDF5 file"),
        (b"\x10\x00\x00\x00\x00\x00\x00\x00{damaged", "damaged"),
    ],
)
def test_other_formats_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "mod.h5"
    path.write_bytes(content)
    if words == "damaged" and content[8:9] == b"{":  # safetensors, which only `read` accepts
        with pytest.raises(SengaError, match=words):
            keras_file.read(path)
    else:
        assert_refused(path, words)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path / "mod.h5", "cannot be read (No such file or directory)")
    assert_refused(tmp_path, "cannot be read (Is a directory)")


def test_too_large_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras_file, "_MAX_BYTES", 1 << 20)
    with (tmp_path / "mod.h5").open("wb") as file:
        os.truncate(file.fileno(), 2 << 20)
    assert_refused(tmp_path / "mod.h5", "more than 1 MB")


@pytest.mark.usefixtures("small")
def test_truncated_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "mod.h5", LAYERS)
    content = (tmp_path / "mod.h5").read_bytes()
    for length in range(9, len(content), 997):
        (tmp_path / "cut.h5").write_bytes(content[:length])
        assert_refused(tmp_path / "cut.h5", "damaged or cut short")


def changed(index: int, **fields: object) -> list[Layer]:
    layers = list(LAYERS)
    layers[index] = replace(layers[index], **fields)
    return layers


def with_batch_norm(**fields: object) -> list[Layer]:
    assert LAYERS[0].batch_norm is not None
    return changed(0, batch_norm=replace(LAYERS[0].batch_norm, **fields))


NAN = np.where(np.arange(4) == 2, np.float32(np.nan), np.float32(0))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("layers", "words"),
    [
        (LAYERS[1:], "2 convolutions and 1 other layers with weights, not 3 and 2"),
        ([*LAYERS, *LAYERS], "6 convolutions"),
        (changed(1, kernel=np.zeros((3, 3, 4, 6), np.float32)), "shapes (convolution 2, kernel:"),
        (changed(1, kernel=np.zeros((4, 4, 4, 6))), "float64"),
        (changed(1, bias=np.zeros(5, np.float32)), "shapes (convolution 2, bias:"),
        (changed(0, bias=NAN), "not finite numbers (convolution 1, bias)"),
        (with_batch_norm(mean=NAN), "not finite numbers (BatchNorm 1, moving_mean)"),
        (with_batch_norm(gamma=np.float32(np.inf) + NAN), "not finite"),
        (with_batch_norm(variance=np.full(4, -0.1, np.float32)), "negative variance"),
        (with_batch_norm(beta=np.zeros(6, np.float32)), "shapes (BatchNorm 1, beta:"),
    ],
)
def test_wrong_shapes_and_values_are_refused(
    tmp_path: Path, layers: list[Layer], words: str
) -> None:
    write(tmp_path / "mod.h5", layers)
    assert_refused(tmp_path / "mod.h5", words)


@pytest.mark.usefixtures("small")
def test_weights_that_overflow_when_folded_are_refused(tmp_path: Path) -> None:
    tiny, huge = np.zeros(4, np.float32), np.full_like(LAYERS[0].kernel, 3e38)
    assert LAYERS[0].batch_norm is not None
    norm = replace(LAYERS[0].batch_norm, variance=tiny)
    write(tmp_path / "mod.h5", changed(0, kernel=huge, batch_norm=norm))
    with pytest.raises(SengaError, match="not finite"):
        keras_file.read(tmp_path / "mod.h5")


@pytest.mark.usefixtures("small")
def test_lambda_layer_is_refused(tmp_path: Path) -> None:
    config = '{"class_name": "Model", "layers": [{"class_name": "Lambda", "code": "4wEAAA=="}]}'
    write(tmp_path / "mod.h5", LAYERS, config=config)
    assert_refused(tmp_path / "mod.h5", "Lambda layer, which holds code")


KERNEL = "model_weights/conv2d_1/conv2d_1/kernel:0"


def external_link(file: h5py.File) -> None:
    del file[KERNEL]
    file[KERNEL] = h5py.ExternalLink("/etc/passwd", "/kernel")


def soft_link(file: h5py.File) -> None:
    file.move(KERNEL, "kernel")
    file[KERNEL] = h5py.SoftLink("/kernel")


def linked_layer(file: h5py.File) -> None:
    file.move("model_weights/conv2d_1", "elsewhere")
    file["model_weights/conv2d_1"] = h5py.SoftLink("/elsewhere")


def linked_top(file: h5py.File) -> None:
    file.move("model_weights", "elsewhere")
    file["model_weights"] = h5py.SoftLink("/elsewhere")


def layer_behind_a_link(file: h5py.File) -> None:
    file["model_weights/away"] = h5py.ExternalLink("other.h5", "/")
    file["model_weights"].attrs["layer_names"] = [b"away/conv2d_1"]


def external_storage(file: h5py.File) -> None:
    del file[KERNEL]
    stored = [("/etc/passwd", 0, LAYERS[0].kernel.nbytes)]
    file.create_dataset(KERNEL, LAYERS[0].kernel.shape, np.float32, external=stored)


def virtual(file: h5py.File) -> None:
    del file[KERNEL]
    shape = LAYERS[0].kernel.shape
    layout = h5py.VirtualLayout(shape, np.float32)
    layout[:] = h5py.VirtualSource("other.h5", "kernel", shape)
    file.create_virtual_dataset(KERNEL, layout)


def never_written(file: h5py.File) -> None:
    del file[KERNEL]
    file.create_dataset(KERNEL, LAYERS[0].kernel.shape, np.float32)


def absurd_chunks(file: h5py.File) -> None:
    del file[KERNEL]
    shape, maxshape = LAYERS[0].kernel.shape, (None,) * 4
    file.create_dataset(
        KERNEL,
        shape,
        np.float32,
        chunks=(30000, 30000, 1, 1),
        maxshape=maxshape,
        compression="gzip",
    )


def absurd_shape(file: h5py.File) -> None:
    del file[KERNEL]
    file.create_dataset(KERNEL, (3, 3, 1, 1 << 60), np.float32, chunks=(3, 3, 1, 1))


def group_in_itself(file: h5py.File) -> None:
    file["model_weights/conv2d_1/again"] = file["model_weights/conv2d_1"]


def no_array(file: h5py.File) -> None:
    del file[KERNEL]
    file[KERNEL] = np.dtype(np.float32)


def no_names(file: h5py.File) -> None:
    del file["model_weights"].attrs["layer_names"]


def other_names(file: h5py.File) -> None:
    file["model_weights"].attrs["layer_names"] = np.arange(8)


def many_names(file: h5py.File) -> None:
    file["model_weights"].attrs["layer_names"] = ["conv2d_1"] * 1000


def broken_names(file: h5py.File) -> None:
    file["model_weights"].attrs["layer_names"] = [b"\xff\xfe"]


def odd_arrays(file: h5py.File) -> None:
    file.move(KERNEL, "model_weights/conv2d_1/weird")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (external_link, "links to another place"),
        (soft_link, "links to another place"),
        (linked_layer, "links to another place"),
        (linked_top, "links to another place"),
        (layer_behind_a_link, "links to another place"),
        (external_storage, "store its arrays as Keras does"),
        (virtual, "store its arrays as Keras does"),
        (never_written, "store its arrays as Keras does"),
        (absurd_chunks, "store its arrays as Keras does"),
        (absurd_shape, "another network's shapes"),
        (group_in_itself, "too many parts"),
        (no_array, "damaged"),
        (no_names, "lists 0 layers"),
        (other_names, "damaged"),
        (many_names, "lists 1000 layers"),
        (broken_names, "damaged"),
        (odd_arrays, "other arrays than kernel, bias in convolution 1"),
    ],
)
def test_hdf5_structures_that_keras_does_not_write_are_refused(
    tmp_path: Path, damage: Damage, words: str
) -> None:
    write(tmp_path / "mod.h5", LAYERS)
    with h5py.File(tmp_path / "mod.h5", "r+") as file:
        damage(file)
    assert_refused(tmp_path / "mod.h5", words)


@pytest.mark.usefixtures("small")
def test_safetensors_of_another_network_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "mod.h5", LAYERS)
    state = keras_file.read(tmp_path / "mod.h5")
    for other in ({**state, "mean": np.zeros(1, np.float32)}, {"0.weight": state["0.weight"]}):
        save_file(other, tmp_path / "other.safetensors")
        with pytest.raises(SengaError, match="another network's weights"):
            keras_file.read(tmp_path / "other.safetensors")
    save_file({**state, "0.bias": NAN}, tmp_path / "nan.safetensors")
    with pytest.raises(SengaError, match="not finite"):
        keras_file.read(tmp_path / "nan.safetensors")


@pytest.mark.usefixtures("small")
@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=8)),
        min_size=1,
        max_size=8,
    )
)
def test_mutated_file_is_read_or_refused(
    tmp_path: Path, mutations: list[tuple[float, bytes]]
) -> None:
    path = tmp_path / "mod.h5"
    if not path.exists():
        write(path, LAYERS)
    content = bytearray(path.read_bytes())
    for position, new in mutations:
        start = int(position * len(content))
        content[start : start + len(new)] = new
    (tmp_path / "mutated.h5").write_bytes(content)
    try:
        keras_file.read(tmp_path / "mutated.h5")
    except SengaError as error:
        assert str(error).startswith(str(tmp_path / "mutated.h5"))  # noqa: PT017  it may be fine
