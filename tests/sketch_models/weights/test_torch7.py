"""Torch 7 files: what Lua Torch writes is read; anything else is refused."""

import struct
import tracemalloc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sketch_models.errors import SengaError
from sketch_models.weights import torch7
from sketch_models.weights.torch7 import Torch7Object
from tests.sketch_models.weights.torch7_writer import Storage, Tensor, write


def int_(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}i", *numbers)


def long_(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}q", *numbers)


def text(value: str) -> bytes:
    return int_(len(value)) + value.encode()


def class_(name: str) -> bytes:
    return text("V 1") + text(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "weights.t7"


@pytest.mark.parametrize("value", [None, 1.5, -0.0, "", "gan", "línea", True, False, {}])
def test_plain_value_is_read(file: Path, value: object) -> None:
    found = torch7.read(write(file, value))
    assert found == value
    assert type(found) is type(value)


def test_bytes_of_lua_torch_are_read(file: Path) -> None:
    """`torch.save(path, {torch.FloatTensor({{1, 2}, {3, 4}}), x = true})`, byte by byte."""
    file.write_bytes(
        int_(3, 1, 2)  # a table, the first object, of two entries
        + (int_(1) + struct.pack("<d", 1))
        + (int_(4, 2) + class_("torch.FloatTensor") + int_(2) + long_(2, 2, 2, 1, 1))
        + (int_(4, 3) + class_("torch.FloatStorage") + long_(4) + struct.pack("<4f", 1, 2, 3, 4))
        + (int_(2) + text("x") + int_(5, 1))
    )
    found = torch7.read(file)
    assert isinstance(found, dict)
    assert list(found) == [1, "x"]
    assert found["x"] is True
    np.testing.assert_array_equal(found[1], np.array([[1, 2], [3, 4]], np.float32), strict=True)


@pytest.mark.parametrize("cuda", [False, True])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "i4", "u1"])
def test_tensors_and_storages_are_read(file: Path, dtype: str, cuda: bool) -> None:
    values = np.arange(24).astype(dtype)
    tensor = values.reshape(2, 3, 4)
    found = torch7.read(write(file, {"tensor": tensor, "storage": Storage(values)}, cuda=cuda))
    assert isinstance(found, dict)
    np.testing.assert_array_equal(found["tensor"], tensor, strict=True)
    np.testing.assert_array_equal(found["storage"], values, strict=True)


def test_tensors_are_views_of_their_storage(file: Path) -> None:
    storage = Storage(np.arange(12, dtype=np.float32))
    views = {
        "last": Tensor(storage, [2, 3], [3, 1], first=7),
        "transposed": Tensor(storage, [3, 4], [1, 3]),
        "row": Tensor(storage, [1, 3], [2**62, 1], first=10),  # the stride of one row is not used
        "empty": Tensor(None, [], []),
    }
    found = torch7.read(write(file, views))
    assert isinstance(found, dict)
    base = np.arange(12, dtype=np.float32)
    np.testing.assert_array_equal(found["last"], base[6:].reshape(2, 3))
    np.testing.assert_array_equal(found["transposed"], base.reshape(4, 3).T)
    np.testing.assert_array_equal(found["row"], base[None, 9:])
    assert found["empty"].size == 0
    assert not found["last"].flags.writeable


def test_modules_are_read_with_their_fields(file: Path) -> None:
    convolution = Torch7Object("nn.SpatialConvolution", {"kW": 3.0, "finput": None})
    found = torch7.read(write(file, Torch7Object("nn.Sequential", {"modules": {1: convolution}})))
    assert isinstance(found, Torch7Object)
    (inner,) = found.fields["modules"].values()
    assert (inner.name, inner.fields) == ("nn.SpatialConvolution", {"kW": 3.0, "finput": None})


def test_shared_and_recursive_tables_keep_their_identity(file: Path) -> None:
    shared: dict[object, object] = {"x": 1.0}
    loop: dict[object, object] = {"a": shared, "b": shared}
    loop["self"] = loop
    found = torch7.read(write(file, loop))
    assert isinstance(found, dict)
    assert found["self"] is found
    assert found["a"] is found["b"]


def tensor_bytes(sizes: list[int], strides: list[int], first: int, storage: bytes) -> bytes:
    head = int_(4, 1) + class_("torch.FloatTensor") + int_(len(sizes))
    return head + long_(*sizes, *strides, first) + storage


FOUR = int_(4, 2) + class_("torch.FloatStorage") + long_(4) + bytes(16)

HOSTILE = {
    "nothing": b"",
    "half an int": b"\x03\0",
    "an unknown type": int_(77),
    "a function": int_(6, 1, 4) + b"code",
    "a function that refers to itself": int_(8, 1, 4) + b"code",
    "a long string": int_(2, 2**31 - 1),
    "a string of negative length": int_(2, -1) + b"abc",
    "a huge table": int_(3, 1, 2**31 - 1),
    "a table of negative size": int_(3, 1, -5),
    "a boolean as key": int_(3, 1, 1, 5, 1, 0),
    "a fraction as key": int_(3, 1, 1, 1) + struct.pack("<d", 1.5) + int_(0),
    "infinity as key": int_(3, 1, 1, 1) + struct.pack("<d", np.inf) + int_(0),
    "a table as key": int_(3, 1, 1, 3, 1, 0) + bytes(8),
    "another class": int_(4, 1) + class_("nn.Lambda") + int_(3, 2, 0),
    "a class of no scalar": int_(4, 1) + class_("torch.Tensor") + int_(0) + long_(1) + int_(0),
    "a file before versions": int_(4, 1) + text("nn.Sequential") + int_(3, 2, 0),
    "a module without fields": int_(4, 1) + class_("nn.ReLU") + int_(0),
    "a module that is its fields": int_(4, 1) + class_("nn.ReLU") + int_(3, 1),
    "a huge storage": int_(4, 1) + class_("torch.FloatStorage") + long_(2**62),
    "a storage of negative size": int_(4, 1) + class_("torch.FloatStorage") + long_(-1),
    "many dimensions": tensor_bytes([1] * 9, [1] * 9, 1, FOUR),
    "negative dimensions": int_(4, 1) + class_("torch.FloatTensor") + int_(-1),
    "a tensor beyond its storage": tensor_bytes([5], [1], 1, FOUR),
    "a tensor that starts late": tensor_bytes([2], [1], 4, FOUR),
    "a tensor that starts early": tensor_bytes([2], [1], 0, FOUR),
    "wide strides": tensor_bytes([2, 2], [3, 2], 1, FOUR),
    "negative strides": tensor_bytes([2], [-1], 2, FOUR),
    "a tensor of size 0": tensor_bytes([0], [1], 1, FOUR),
    "one number repeated": tensor_bytes([2**62], [0], 1, FOUR),
    "overflowing sizes": tensor_bytes([2**62, 2**62], [1, 1], 1, FOUR),
    "a tensor without storage": tensor_bytes([1], [1], 1, int_(0)),
    "a tensor as its storage": tensor_bytes([1], [1], 1, int_(4, 1)),
    "a table as storage": tensor_bytes([1], [1], 1, int_(3, 2, 0)),
    "a storage of another type": tensor_bytes(
        [1], [1], 1, int_(4, 2) + class_("torch.LongStorage") + long_(1, 1)
    ),
    "a storage of another type that was read before": (
        int_(3, 1, 2)
        + (int_(1) + struct.pack("<d", 1))
        + (int_(4, 2) + class_("torch.LongStorage") + long_(4) + bytes(32))
        + (int_(1) + struct.pack("<d", 2))
        + (int_(4, 3) + class_("torch.FloatTensor") + int_(1) + long_(4, 1, 1) + int_(4, 2))
    ),
    "deep tables": b"".join(int_(3, number, 1, 1) + bytes(8) for number in range(1, 5000)),
    "many values": int_(3, 1, 200_000) + (int_(1) + bytes(8) + int_(0)) * 200_000,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_file_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(SengaError, match=r"weights\.t7: not a usable Torch 7 file \(.+\)\.$"):
        torch7.read(file)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.t7"):
        with pytest.raises(SengaError, match="there is no such file"):
            torch7.read(path)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    storage = Storage(np.arange(12, dtype=np.float32))
    fields = {
        "weight": Tensor(storage, [2, 3], [3, 1]),
        "bias": Tensor(storage, [2], [1], first=7),
        "iSize": Storage(np.arange(3)),
        "train": False,
    }
    model = Torch7Object("nn.Sequential", {"modules": {1: Torch7Object("nn.ReLU", fields)}})
    path = tmp_path_factory.mktemp("good") / "good.t7"
    return write(path, {"model": model, "mean": 0.5, "again": model}).read_bytes()


def read_or_refuse(path: Path, content: bytes) -> None:
    """Check that a file is read or refused without allocating a megabyte."""
    path.write_bytes(content)
    tracemalloc.start()
    with suppress(SengaError):
        torch7.read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


@given(st.binary(max_size=200))
@example(b"\x04\0\0\0")
def test_random_bytes_use_little_memory(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    read_or_refuse(tmp_path_factory.getbasetemp() / "random.t7", content)


INTERESTING = st.one_of(
    st.sampled_from([0, 1, 2, 3, 4, 8, -1, 127, 2**31 - 1, -(2**31)]).map(int_),
    st.sampled_from([0, 1, -1, 2**31, 2**62, -(2**63)]).map(long_),
    st.binary(min_size=1, max_size=8),
)


@given(st.data())
def test_mutated_file_uses_little_memory(
    tmp_path_factory: pytest.TempPathFactory, good: bytes, data: st.DataObject
) -> None:
    content = bytearray(good)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        patch = data.draw(INTERESTING)
        content[at : at + len(patch)] = patch
    content = content[: data.draw(st.integers(0, len(content)))] or content
    read_or_refuse(tmp_path_factory.getbasetemp() / "mutated.t7", bytes(content))


def test_every_truncated_file_is_refused(file: Path, good: bytes) -> None:
    for length in range(len(good)):
        file.write_bytes(good[:length])
        with pytest.raises(SengaError):
            torch7.read(file)


@pytest.mark.parametrize(("levels", "fits"), [(60, True), (61, False)])
def test_depth_of_tables_is_limited(file: Path, levels: int, fits: bool) -> None:
    tables = [int_(3, number, 1, 1) + bytes(8) for number in range(1, levels + 1)]
    file.write_bytes(b"".join(tables) + int_(0))
    if fits:
        found = torch7.read(file)
        for _ in range(levels):
            assert isinstance(found, dict)
            found = found[0]
        assert found is None
        return
    with pytest.raises(SengaError, match="too many or too deep"):
        torch7.read(file)
