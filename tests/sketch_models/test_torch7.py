"""Files of Lua Torch are read as they were written, and hostile ones are refused cheaply."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sketch_models.torch7 import Module, Torch7Error, read
from tests.sketch_models.torch7_writer import Writer, write

GOOD = {
    b"name": b"a model",
    b"mean": 0.5,
    b"trained": True,
    b"nothing": None,
    1.0: {b"weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4)},
    b"module": Module("nn.ReLU", {b"inplace": False}),
    b"steps": np.arange(3),
}


def file(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "model.t7"
    path.write_bytes(content)
    return path


def ints(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


def longs(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}q", *values)


def head(index: int, name: bytes) -> bytes:
    return ints(4, index, 3) + b"V 1" + ints(len(name)) + name


def tensor(shape: list[int], strides: list[int], offset: int, numbers: list[float]) -> bytes:
    numbers_of = struct.pack(f"<{len(numbers)}f", *numbers)
    storage = head(2, b"torch.FloatStorage") + longs(len(numbers)) + numbers_of
    return (
        head(1, b"torch.FloatTensor") + ints(len(shape)) + longs(*shape, *strides, offset) + storage
    )


def test_everything_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "model.t7"
    write(path, GOOD)
    found = read(path)
    assert found[b"name"] == b"a model"
    assert found[b"mean"] == 0.5
    assert found[b"trained"] is True
    assert found[b"nothing"] is None
    np.testing.assert_array_equal(found[1.0][b"weight"], GOOD[1.0][b"weight"])  # type: ignore[index]
    assert found[b"module"] == Module("nn.ReLU", {b"inplace": False})
    assert found[b"steps"].dtype == np.int64


def test_an_object_is_written_once_and_named_again(tmp_path: Path) -> None:
    twice = ints(3, 1, 2) + ints(2, 1) + b"a" + ints(3, 2, 0) + ints(2, 1) + b"b" + ints(3, 2)
    found = read(file(tmp_path, twice))
    assert found[b"a"] is found[b"b"]


def test_a_table_may_hold_itself(tmp_path: Path) -> None:
    found = read(file(tmp_path, ints(3, 1, 1) + ints(2, 1) + b"a" + ints(3, 1)))
    assert found[b"a"] is found


def test_strides_and_offsets_count(tmp_path: Path) -> None:
    found = read(file(tmp_path, tensor([2, 2], [1, 2], 2, [9, 1, 2, 3, 4])))
    np.testing.assert_array_equal(found, [[1, 3], [2, 4]])


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "cut short"),
        (ints(3, 1, 2**31 - 1), "cut short"),
        (ints(2, 2**31 - 1), "cut short"),
        (ints(2, -5), "cut short"),
        (ints(6, 1), "a function"),
        (ints(8, 1), "a function"),
        (ints(77), "unknown kind 77"),
        (head(1, b"os.Command"), "class 'os.Command'"),
        (head(1, b"torch.FloatStorage") + longs(2**60), "cut short"),
        (head(1, b"torch.FloatStorage") + longs(-1), "cut short"),
        (tensor([2, 2], [2, 1], 1, [1, 2, 3]), "does not fit"),
        (tensor([2], [-1], 1, [1, 2]), "does not fit"),
        (tensor([2], [1], 0, [1, 2]), "does not fit"),
        (tensor([2**31, 2**31], [0, 0], 1, [1]), "does not fit"),
        (tensor([2], [2**62], 1, [1, 2]), "does not fit"),
        (head(1, b"torch.FloatTensor") + ints(99), "99 dimensions"),
        (head(1, b"torch.FloatTensor") + ints(1) + longs(2, 1, 1) + ints(0), "without a storage"),
        (ints(3, 1, 1) + ints(0) + ints(0), "key"),
        (head(1, b"nn.ReLU") + ints(0), "no fields"),
        (b"".join(ints(3, n, 1) + ints(2, 0) for n in range(100_000)), "nested too deeply"),
    ],
)
def test_hostile_bytes_are_refused(tmp_path: Path, content: bytes, match: str) -> None:
    with pytest.raises(Torch7Error, match=match):
        read(file(tmp_path, content + bytes(16) if content else content))


def good_bytes() -> bytes:
    writer = Writer()
    writer.write(GOOD)
    return b"".join(writer.parts)


@given(st.binary(max_size=200))
@example(ints(4, 1, -3))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = file(tmp_path_factory.getbasetemp(), content)
    try:
        read(path)
    except Torch7Error as error:
        assert "\n" not in str(error)  # noqa: PT017 - either way is right


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), min_size=1, max_size=8))
def test_broken_files_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
) -> None:
    content = bytearray(good_bytes())
    for place, byte in changes:
        content[place % len(content)] = byte
    path = file(tmp_path_factory.getbasetemp(), bytes(content))
    try:
        read(path)
    except Torch7Error as error:
        assert "\n" not in str(error)  # noqa: PT017 - either way is right
