"""Weights of sketch simplification: all formats give the same tensors; wrong files are refused.

Most tests run with a sixteenth of the channels.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from sketch_models.errors import SengaError
from sketch_models.weights import simo_serra_file, torch7
from sketch_models.weights.simo_serra_file import LAYERS, STATISTICS, Layer
from sketch_models.weights.torch7 import Torch7Object
from tests.sketch_models.weights.torch7_writer import write, write_simo_serra

Weights = dict[str, np.ndarray]


def random_weights(layers: tuple[Layer, ...]) -> Weights:
    rng = np.random.default_rng(0)
    state = {}
    for index, layer in enumerate(layers):
        state[f"{index}.weight"] = rng.standard_normal(layer.shape, np.float32)
        state[f"{index}.bias"] = rng.standard_normal(layer.out_channels, np.float32)
    for name, value in (("mean", STATISTICS["gan"].mean), ("std", STATISTICS["gan"].std)):
        state[name] = np.array([value], np.float32)
    return state


@pytest.fixture
def weights(monkeypatch: pytest.MonkeyPatch) -> Weights:
    small = tuple(
        replace(
            layer,
            in_channels=-(-layer.in_channels // 16),
            out_channels=-(-layer.out_channels // 16),
        )
        for layer in LAYERS
    )
    monkeypatch.setattr(simo_serra_file, "LAYERS", small)
    return random_weights(small)


def assert_same(weights: Weights, expected: Weights) -> None:
    assert weights.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(weights[name], value, strict=True)
        assert weights[name].flags.c_contiguous


def state_dict(weights: Weights, key: Callable[[int], str]) -> dict[str, torch.Tensor]:
    return {
        f"{key(index)}.{part}": torch.from_numpy(weights[f"{index}.{part}"])
        for index in range(len(LAYERS))
        for part in ("weight", "bias")
    }


GROUPS = [0, 3, 6, 9, 15, 18, 21]  # indices of the convolutions that begin layer1 ... layer7


def flat_key(index: int) -> str:
    return f"{2 * index}"


def layered_key(index: int) -> str:
    group = max(group for group, first in enumerate(GROUPS) if first <= index)
    return f"layer{group + 1}.{2 * (index - GROUPS[group])}"


def test_table_has_the_published_number_of_parameters() -> None:
    assert len(LAYERS) == 23
    assert sum(np.prod(layer.shape) + layer.out_channels for layer in LAYERS) == 44_387_249


def test_channels_of_consecutive_layers_match() -> None:
    assert [a.out_channels for a in LAYERS[:-1]] == [b.in_channels for b in LAYERS[1:]]
    scale = 1.0
    for layer in LAYERS:
        assert layer.padding == {3: 1, 4: 1, 5: 2}[layer.kernel]
        scale *= layer.stride if layer.upsamples else 1 / layer.stride
    assert scale == 1


def test_full_size_torch7_file_is_read(tmp_path: Path) -> None:
    weights = random_weights(LAYERS)
    path = write_simo_serra(tmp_path / "sketch_gan.t7", weights)
    assert path.stat().st_size == pytest.approx(177.5e6, rel=0.01)
    assert_same(simo_serra_file.read(path, "mse"), weights)


@pytest.mark.parametrize("option", ["", "nested", "flat_kernels", "cuda"])
def test_torch7_file_is_read(tmp_path: Path, weights: Weights, option: str) -> None:
    path = write_simo_serra(tmp_path / "w.t7", weights, **({option: True} if option else {}))
    assert_same(simo_serra_file.read(path, "mse"), weights)  # the file has its own statistics


@pytest.mark.parametrize("key", [flat_key, layered_key])
@pytest.mark.parametrize("name", STATISTICS)
def test_state_dict_is_read_with_either_naming(
    tmp_path: Path, weights: Weights, key: Callable[[int], str], name: str
) -> None:
    saved = state_dict(weights, key)
    torch.save(dict(sorted(saved.items())), tmp_path / "w.pth")  # 10 comes before 2
    statistics = {
        "mean": np.array([STATISTICS[name].mean], np.float32),
        "std": np.array([STATISTICS[name].std], np.float32),
    }
    assert_same(simo_serra_file.read(tmp_path / "w.pth", name), weights | statistics)


def test_safetensors_file_is_read(tmp_path: Path, weights: Weights) -> None:
    save_file(weights, tmp_path / "w.safetensors")
    assert_same(simo_serra_file.read(tmp_path / "w.safetensors", "mse"), weights)


def test_unknown_statistics_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SengaError, match=r"\[simo_serra\] statistics = sharp: expected one of gan"):
        simo_serra_file.read(tmp_path / "w.pth", "sharp")


def assert_refused(path: Path, reason: str) -> None:
    """Check for one line: the file, what is wrong, where to get a good one."""
    hint = r"Download a good file from https://\S+\.t7\.$"
    pattern = rf"^{re.escape(str(path))}: [^\n]*{reason}[^\n]* {hint}"
    with pytest.raises(SengaError, match=pattern):
        simo_serra_file.read(path, "gan")


def test_other_formats_are_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path / "none.t7", "there is no such file")
    for name, content, reason in (
        ("empty.t7", b"", "the file is empty"),
        ("page.t7", b"\n<!doctype html>", "an HTML page"),
        ("noise.t7", b"noise", "not a weight file"),
        ("table.t7", b"\3\0\0\0\1\0\0\0\0\0\0\0", "no network in it"),
    ):
        (tmp_path / name).write_bytes(content)
        assert_refused(tmp_path / name, reason)


@pytest.mark.parametrize("share", [0.001, 0.5, 0.999])
def test_truncated_torch7_file_is_refused(tmp_path: Path, weights: Weights, share: float) -> None:
    path = write_simo_serra(tmp_path / "w.t7", weights)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert_refused(path, "it ends")


def with_(weights: Weights, name: str, value: object) -> Weights:
    return weights | {name: np.asarray(value, np.float32)}


WRONG: dict[str, tuple[Callable[[Weights], Weights], str]] = {
    "shape": (
        lambda w: with_(w, "4.weight", np.zeros((2, 2, 3, 3))),
        r"another network: 4\.weight has the shape 2 × 2 × 3 × 3, expected 16 × 8 × 3 × 3",
    ),
    "bias": (lambda w: with_(w, "4.bias", np.zeros(3)), r"4\.bias has the shape 3, expected 16"),
    "NaN": (
        lambda w: with_(w, "22.weight", np.full_like(w["22.weight"], np.nan)),
        r"NaN or infinity in 22\.weight",
    ),
    "infinity": (lambda w: with_(w, "0.bias", [np.inf] * 3), r"NaN or infinity in 0\.bias"),
}


@pytest.mark.parametrize(("change", "reason"), WRONG.values(), ids=WRONG.keys())
def test_wrong_tensor_is_refused_in_every_format(
    tmp_path: Path, weights: Weights, change: Callable[[Weights], Weights], reason: str
) -> None:
    wrong = change(weights)
    assert_refused(write_simo_serra(tmp_path / "w.t7", wrong), reason)
    torch.save(state_dict(wrong, flat_key), tmp_path / "w.pth")
    assert_refused(tmp_path / "w.pth", reason)
    save_file(wrong, tmp_path / "w.safetensors")
    assert_refused(tmp_path / "w.safetensors", reason)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [("mean", np.nan, "infinity in mean"), ("std", 0.0, r"std = 0\.0"), ("std", -1, "above 0")],
)
def test_wrong_mean_or_std_is_refused(
    tmp_path: Path, weights: Weights, name: str, value: float, reason: str
) -> None:
    assert_refused(write_simo_serra(tmp_path / "w.t7", with_(weights, name, [value])), reason)


def test_state_dict_of_another_network_is_refused(tmp_path: Path, weights: Weights) -> None:
    good = state_dict(weights, flat_key)
    for number, (value, reason) in enumerate(
        [
            (
                {k: v for k, v in good.items() if not k.startswith("44.")},
                "another network: 22 convolutions",
            ),
            ({k: v for k, v in good.items() if k != "0.bias"}, r"no floating-point tensor 0\.bias"),
            (good | {"45.running_mean": torch.zeros(1)}, r"unexpected tensor '45\.running_mean'"),
            (good | {"head\n.weight": torch.zeros(1)}, r"unexpected tensor 'head\\n"),
            ({}, "another network: 0 convolutions"),
        ]
    ):
        torch.save(value, tmp_path / f"{number}.pth")
        assert_refused(tmp_path / f"{number}.pth", reason)


def test_safetensors_of_another_network_are_refused(tmp_path: Path, weights: Weights) -> None:
    del weights["mean"]
    save_file(weights, tmp_path / "w.safetensors")
    assert_refused(tmp_path / "w.safetensors", "another network")


def test_pickled_module_is_refused(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(1, 1), tmp_path / "w.pth")  # a module: needs code to be read
    assert_refused(tmp_path / "w.pth", "pickled objects that are not tensors")


def sequential(*modules: Torch7Object) -> Torch7Object:
    return Torch7Object("nn.Sequential", {"modules": dict(enumerate(modules, 1))})


def test_torch7_file_of_another_network_is_refused(tmp_path: Path) -> None:
    relu = Torch7Object("nn.ReLU", {})
    loop = sequential()
    loop.fields["modules"] = {1: loop}
    many = sequential(relu)
    for _ in range(20):  # a million modules
        many = sequential(many, many)
    for number, (model, reason) in enumerate(
        [
            (sequential(relu), "another network: 0 convolutions"),
            (sequential(), "a Sequential without modules"),
            (
                Torch7Object("nn.Sequential", {"modules": {"a": relu}}),
                "a Sequential without modules",
            ),
            (
                Torch7Object("nn.Sequential", {"modules": {1: relu, "a": relu}}),
                "a Sequential without modules",
            ),
            (Torch7Object("nn.Sequential", {"modules": {1: 1.0}}), "a Sequential without modules"),
            (Torch7Object("nn.Sequential", {}), "a Sequential without modules"),
            (loop, "expected 46 modules"),
            (many, "expected 46 modules"),
            (sequential(*[relu] * 500), "expected 46 modules"),
            ("model", "no network in it"),
        ]
    ):
        path = tmp_path / f"{number}.t7"
        assert_refused(write(path, {"model": model, "mean": 0.5, "std": 0.1}), reason)


@pytest.mark.parametrize(
    ("index", "change", "reason"),
    [
        (1, ("nn.Sigmoid", {}), "other modules, or in another order"),
        (28, ("nn.SpatialConvolution", {}), "other modules"),
        (0, ("", {"dW": 1.0}), "dW of convolution 0 is wrong, expected 2"),
        (0, ("", {"padH": 0.0}), "padH of convolution 0 is wrong, expected 2"),
        (28, ("", {"adjW": 1.0}), "adjW of convolution 14 is wrong, expected 0"),
        (0, ("", {"dH": np.ones(2)}), "dH of convolution 0 is wrong"),
        (0, ("", {"weight": "secret"}), r"no floating-point tensor 0\.weight"),
        (0, ("", {"bias": None}), r"no floating-point tensor 0\.bias"),
    ],
)
def test_torch7_module_that_differs_is_refused(
    tmp_path: Path,
    weights: Weights,
    index: int,
    change: tuple[str, dict[int | str, object]],
    reason: str,
) -> None:
    cache = torch7.read(write_simo_serra(tmp_path / "good.t7", weights))
    assert isinstance(cache, dict)
    modules = cache["model"].fields["modules"]
    name, fields = change
    modules[index + 1] = Torch7Object(
        name or modules[index + 1].name, modules[index + 1].fields | fields
    )
    assert_refused(write(tmp_path / "w.t7", cache), reason)


def test_import_does_not_load_torch() -> None:
    code = "import sys, sketch_models.weights.simo_serra_file; sys.exit('torch' in sys.modules)"
    top = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=top).returncode == 0
