"""Weights come back as they were written; whatever is no such file is refused in one sentence."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from benchmarks.harness.line_networks import TINY, random_unet, write_random
from sketch_models import line_weights
from sketch_models.errors import WeightsError
from sketch_models.unet import Unet, build_network


def test_weights_come_back(tmp_path: Path) -> None:
    path = write_random(tmp_path / "tracer.safetensors", "tracer", gamma=1.75)
    state, metadata = line_weights.read(path, "tracer")
    expected = random_unet("tracer").state_dict()
    assert state.keys() == expected.keys()
    for name, tensor in state.items():
        assert tensor.dtype is torch.float32
        torch.testing.assert_close(tensor, expected[name], atol=1e-3, rtol=1e-3)
    assert line_weights.read_gamma(metadata) == 1.75
    assert metadata["format"] == line_weights.FORMAT
    assert metadata["command"] == "none: random weights"
    assert [path.name for path in tmp_path.iterdir()] == ["tracer.safetensors"]


def test_normalization_is_folded(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Unet(2, TINY, normalize=True)
    pictures = torch.rand(2, 2, 16, 24)
    for _ in range(3):
        network(pictures)
    line_weights.write(tmp_path / "inker", network, {"network": "inker"})
    state, _ = line_weights.read(tmp_path / "inker", "inker")
    results = build_network(state).eval()(pictures)
    torch.testing.assert_close(results, network.eval()(pictures), atol=5e-3, rtol=5e-3)


def test_equal_weights_are_equal_files(tmp_path: Path) -> None:
    files = [write_random(tmp_path / str(index), "inker").read_bytes() for index in range(4)]
    assert len(set(files)) == 1
    header = files[0][8 : 8 + int.from_bytes(files[0][:8], "little")]
    assert list(json.loads(header)["__metadata__"]) == ["command", "format", "network"]


def test_weights_that_are_not_finite_are_not_written(tmp_path: Path) -> None:
    network = random_unet("inker")
    torch.nn.init.constant_(network.last.bias, 1e6)  # infinite in half precision
    with pytest.raises(WeightsError, match="not written, since last.bias has NaN or infinite"):
        line_weights.write(tmp_path / "inker", network, {"network": "inker"})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("gamma", ["", "0", "-1", "nan", "inf", "two"])
def test_gamma_is_a_number_above_0(tmp_path: Path, gamma: str) -> None:
    with pytest.raises(WeightsError, match="its gamma is .*, expected a number above 0"):
        metadata = {"network": "tracer", "gamma": gamma}
        line_weights.write(tmp_path / "tracer", random_unet("tracer"), metadata)


def save_tensors(
    change: Callable[[dict[str, torch.Tensor]], object],
) -> Callable[[Path], None]:
    def save(path: Path) -> None:
        state = {name: tensor.half() for name, tensor in random_unet("tracer").state_dict().items()}
        change(state)
        metadata = {"format": line_weights.FORMAT, "network": "tracer", "gamma": "2"}
        save_file({name: value.contiguous() for name, value in state.items()}, path, metadata)

    return save


def save_other_format(path: Path) -> None:
    save_file({"x": torch.zeros(1)}, path, {"format": "pt"})


BAD = {
    "empty": (lambda path: path.write_bytes(b""), "the file is empty"),
    "page": (lambda path: path.write_bytes(b"<html>404</html>"), "an HTML page"),
    "text": (lambda path: path.write_bytes(b"weights of mine"), "not a weight file"),
    "zip": (lambda path: path.write_bytes(b"PK\3\4" + bytes(100)), "not a safetensors file"),
    "short": (
        lambda path: path.write_bytes(write_random(path, "tracer").read_bytes()[:-100]),
        "damaged or cut short",
    ),
    "header": (
        lambda path: path.write_bytes(write_random(path, "tracer").read_bytes()[:100]),
        "damaged or cut short",
    ),
    "other format": (save_other_format, "weights of another program or version"),
    "other network": (
        lambda path: write_random(path, "inker"),
        "weights of inker, not of tracer",
    ),
    "nan": (
        save_tensors(lambda state: state["last.bias"].fill_(torch.nan)),
        "NaN or infinity in last.bias",
    ),
    "no tensors": (save_tensors(dict.clear), "not the tensors of a network"),
    "foreign tensor": (
        save_tensors(lambda state: state.update(extra=torch.zeros(2))),
        "not the tensors of a network",
    ),
    "scalar": (
        save_tensors(lambda state: state.update({"first.0.weight": torch.zeros(())})),
        "not the tensors of a network",
    ),
    "other channels": (
        save_tensors(lambda state: state.update(Unet(2, TINY).state_dict())),
        "not the tensors of a network",
    ),
    "no widths": (
        save_tensors(lambda state: state.update({"first.0.weight": torch.zeros(0, 16, 3, 3)})),
        "not the tensors of a network",
    ),
    "integers": (
        save_tensors(lambda state: state.update({"last.bias": torch.zeros(4, dtype=torch.int8)})),
        "not the tensors of a network",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "weights"
    make, message = BAD[kind]
    make(path)
    with pytest.raises(WeightsError, match=message) as caught:
        line_weights.read(path, "tracer")
    assert str(caught.value).startswith(str(path))
    assert str(caught.value).endswith(
        "Set [tracer] weights to shipped, or to a file that TrainLines wrote."
    )


def test_missing_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_weights, "SHIPPED_FOLDER", tmp_path)
    with pytest.raises(WeightsError, match=r"weights of inker = shipped: there is no such file"):
        line_weights.find("shipped", "inker")
    with pytest.raises(WeightsError, match=r"weights of tracer = nowhere: there is no such file"):
        line_weights.find("nowhere", "tracer")
    path = write_random(tmp_path / "inker.safetensors", "inker")
    assert line_weights.find("shipped", "inker") == path


def test_identity_is_that_of_the_content(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b", "c")]
    for seed, path in zip((0, 0, 1), paths, strict=True):
        write_random(path, "tracer", seed=seed)
    first, same, other = (line_weights.identity(str(path), "tracer") for path in paths)
    assert first == same != other
    with pytest.raises(WeightsError, match="weights of tracer, not of inker"):
        line_weights.identity(str(paths[0]), "inker")
