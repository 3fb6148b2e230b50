"""The strings that HDF5 keeps as attributes, read so that a damaged file is found out first.

Where their sizes do not add up, the HDF5 library searches without end, or makes room for 4 GB.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator

import h5py

_MOST_BYTES = 1 << 20  # of an attribute, and of a string
_MOST_PIECES = 10_000
_FREE_LENGTH = 9  # the class of such types


def is_sound(content: bytes) -> bool:
    """Whether the sizes of strings of free length add up, all over a file."""
    return _heaps_end(content) and max(_lengths(content), default=0) <= _MOST_BYTES


def _heaps_end(content: bytes) -> bool:
    """Whether each heap of strings ends where it says.

    A heap begins with `GCOL`, 4 bytes and its size u64; its pieces are a number u16, 6 bytes, a
    size u64 and the text, 8 bytes aligned. Number 0 is the free rest, whose size is all of it.
    """
    left = _MOST_PIECES
    for heap in re.finditer(b"GCOL", content):
        at, end = heap.start() + 16, heap.start() + _number("<8xQ", content, heap.start())
        while end - at >= 16 and left:
            size = _number("<8xQ", content, at)
            if _number("<H", content, at):
                size = 16 + -(-size // 8) * 8
            at, left = at + size, left - 1 if size else 0  # 0 would be met again and again
        if not left or not at <= end <= len(content):
            return False
    return True


def _lengths(content: bytes) -> Iterator[int]:
    """What the attributes that `read` may meet say how long their strings are.

    An attribute is a version u8, a flag u8, the sizes u16 of its name, type and shape, from version
    3 on another u8, and then these and its values; all padded to 8 bytes in version 1. A string is
    its length u32, the place of its heap u64, and its number there u32.
    """
    for found in re.finditer(rb"(?:layer|weight)_names\0", content):
        for version, header in ((1, 8), (2, 8), (3, 9)):
            start = found.start() - header
            if start < 0 or content[start] != version:
                continue
            sizes = struct.unpack_from("<2x3H", content, start)
            name, kind, shape = (-(-size // 8) * 8 if version == 1 else size for size in sizes)
            kind_at = found.start() + name
            if _number("<B", content, kind_at) & 15 != _FREE_LENGTH:
                continue
            values = kind_at + kind + shape
            count = min(_count(content, kind_at + kind), _MOST_PIECES)
            yield from (_number("<I", content, values + 16 * place) for place in range(count))


def _count(content: bytes, shape: int) -> int:
    """How many values an attribute has: version u8, dimensions u8, and then how many of each."""
    version, dimensions = (_number("<B", content, shape + place) for place in (0, 1))
    return _number("<Q", content, shape + (8 if version == 1 else 4)) if dimensions else 1


def _number(form: str, content: bytes, place: int) -> int:
    """An unsigned number; 0 behind the end."""
    inside = place + struct.calcsize(form) <= len(content)
    return int(struct.unpack_from(form, content, place)[0]) if inside else 0


def read(node: h5py.Group, name: str) -> list[str]:
    """The strings of an attribute, none where it is missing.

    Raises:
        ValueError: where it holds something else, or more than a list of names can be.
    """
    if name not in node.attrs:
        return []
    attribute = node.attrs.get_id(name)
    size = math.prod(attribute.shape) * attribute.dtype.itemsize
    if not size:
        return []
    if size > _MOST_PIECES * 8 or h5py.check_string_dtype(attribute.dtype) is None:
        raise ValueError(f"{name}: expected up to {_MOST_PIECES} strings.")
    texts = node.attrs[name].tolist()
    return [text.decode() if isinstance(text, bytes) else text for text in texts]
