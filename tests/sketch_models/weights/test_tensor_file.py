"""Tensor files: format detection, content, and pickles that are not executed."""

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from sketch_models.errors import WeightsError
from sketch_models.weights import tensor_file
from sketch_models.weights.tensor_file import Format

TENSORS = {"0.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "n": np.array(7)}


def save(path: Path, value: object, legacy: bool = False) -> Path:
    torch.save(value, path, _use_new_zipfile_serialization=not legacy)
    return path


def state_dict() -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(value) for name, value in TENSORS.items()}


@pytest.mark.parametrize("legacy", [False, True])
def test_state_dict_is_read(tmp_path: Path, legacy: bool) -> None:
    path = save(tmp_path / "weights.t7", state_dict(), legacy)  # the suffix does not matter
    assert tensor_file.detect_format(path) is Format.PYTORCH
    found = tensor_file.read(path)
    assert list(found) == list(TENSORS)
    for name, value in TENSORS.items():
        np.testing.assert_array_equal(found[name], value, strict=True)


def test_parameters_are_read_as_tensors(tmp_path: Path) -> None:
    found = tensor_file.read(save(tmp_path / "w.pth", torch.nn.Linear(2, 1).state_dict()))
    assert list(found) == ["weight", "bias"]


def test_safetensors_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    save_file(TENSORS, path)
    assert tensor_file.detect_format(path) is Format.SAFETENSORS
    assert tensor_file.read(path)["0.weight"].tolist() == [[0, 1, 2], [3, 4, 5]]


class Evil:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("legacy", [False, True])
def test_pickled_payload_is_not_executed(tmp_path: Path, legacy: bool) -> None:
    path = save(tmp_path / "w.pth", {"0.weight": Evil(tmp_path / "marker")}, legacy)
    with pytest.raises(WeightsError, match=r"w\.pth: .* with pickled objects that are not tensors"):
        tensor_file.read(path)
    assert not (tmp_path / "marker").exists()


def test_plain_pickle_is_not_executed(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(pickle.dumps(Evil(tmp_path / "marker"), protocol=2))
    with pytest.raises(WeightsError, match="pickled objects"):
        tensor_file.read(path)
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize(
    "value",
    [
        torch.zeros(3),
        [torch.zeros(3)],
        {0: torch.zeros(3)},
        {"w": 1.0},
        {"w": {"w": torch.zeros(3)}},
        {"w": torch.zeros(3, dtype=torch.bfloat16)},
        {"w": torch.zeros(3, device="meta")},
        {"w": torch.eye(3).to_sparse()},
    ],
)
def test_other_objects_than_state_dicts_are_refused(tmp_path: Path, value: object) -> None:
    path = save(tmp_path / "w.pth", value)
    with pytest.raises(WeightsError, match="expected a whole state dict"):
        tensor_file.read(path)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("fraction", [0.2, 0.7, 0.99])
def test_truncated_state_dict_is_refused(tmp_path: Path, legacy: bool, fraction: float) -> None:
    path = save(tmp_path / "w.pth", {"w": torch.zeros(1000)}, legacy)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * fraction)])
    with pytest.raises(WeightsError, match=r"w\.pth: damaged or cut short"):
        tensor_file.read(path)


def test_truncated_safetensors_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(TENSORS, path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(WeightsError, match="damaged or cut short safetensors file"):
        tensor_file.read(path)


def test_compressed_archive_is_refused(tmp_path: Path) -> None:
    plain = save(tmp_path / "plain.pth", {"w": torch.zeros(100_000)})
    path = tmp_path / "w.pth"
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for record in old.infolist():
            new.writestr(record.filename, old.read(record))
    with pytest.raises(WeightsError, match="damaged") as raised:
        tensor_file.read(path)
    assert "unpack to" in str(raised.value.__cause__)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"<!DOCTYPE html><html>404</html>", "an HTML page, not weights"),
        (b"\xef\xbb\xbf\r\n <html>", "an HTML page, not weights"),
        (
            b"version https://git-lfs.github.com/spec/v1",
            "not a weight file; expected one of these formats: Torch 7, PyTorch, safetensors",
        ),
        (
            b"\x89HDF\r\n\x1a\n",
            "not a weight file; expected one of these formats: Torch 7, PyTorch, safetensors",
        ),
    ],
)
def test_other_formats_are_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=rf"w\.pth: {reason}\.$"):
        tensor_file.detect_format(path)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.pth"):
        with pytest.raises(WeightsError, match="there is no such file"):
            tensor_file.detect_format(path)


def test_torch7_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.t7"
    path.write_bytes(b"\3\0\0\0")
    with pytest.raises(WeightsError, match="a Torch 7 file, expected PyTorch or safetensors"):
        tensor_file.read(path)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("good")
    save_file(TENSORS, folder / "w.safetensors")
    paths = [save(folder / f"{n}.pth", state_dict(), legacy=bool(n)) for n in range(2)]
    return [path.read_bytes() for path in (*paths, folder / "w.safetensors")]


@given(st.data())
def test_mutated_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, good: list[bytes], data: st.DataObject
) -> None:
    content = bytearray(data.draw(st.sampled_from(good)))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        patch = data.draw(st.binary(min_size=1, max_size=8))
        content[at : at + len(patch)] = patch
    path = tmp_path_factory.getbasetemp() / "mutated.pth"
    path.write_bytes(content)
    try:
        tensor_file.read(path)
    except WeightsError as error:
        message = str(error)
        assert message.startswith(f"{path}: ")


def test_check_tensor_returns_contiguous_float32() -> None:
    path = Path("w.pth")
    wide = np.arange(6.0).reshape(3, 2).T
    found = tensor_file.check_tensor(path, "w", wide, (2, 3))
    np.testing.assert_array_equal(found, wide.astype(np.float32), strict=True)
    assert found.flags.c_contiguous


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        (None, r"w\.pth: no floating-point tensor 4\.weight; expected the shape 2 × 3"),
        (np.zeros((2, 3), int), "no floating-point tensor"),
        (np.zeros((3, 2)), r"another network: 4\.weight has the shape 3 × 2, expected 2 × 3"),
        (np.zeros(()), "has the shape a single number, expected 2 × 3"),
        (np.full((2, 3), np.nan), r"NaN or infinity in 4\.weight"),
        (np.full((2, 3), 1e300), "NaN or infinity"),
    ],
)
def test_wrong_tensor_is_refused(tensor: object, reason: str) -> None:
    with pytest.raises(WeightsError, match=reason):
        tensor_file.check_tensor(Path("w.pth"), "4.weight", tensor, (2, 3))


def test_download_hint_ends_the_message() -> None:
    with (
        pytest.raises(
            WeightsError,
            match=r"^w: the file is empty\. Download a good file from https://example\.org/w\.$",
        ),
        tensor_file.add_download_hint("https://example.org/w"),
    ):
        raise WeightsError("w: the file is empty.")
