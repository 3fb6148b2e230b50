"""String attributes of HDF5 files, checked before the HDF5 library reads them.

If the sizes of strings in a damaged file do not add up, the library loops forever, or allocates
4 GB.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator

import h5py

_MAX_BYTES = 1 << 20  # of an attribute, and of a string
_MAX_OBJECTS = 10_000  # in all global heaps of a file
_VARIABLE_LENGTH = 9  # datatype class


def has_valid_strings(content: bytes) -> bool:
    """Return whether the sizes of all variable-length strings of a file add up."""
    return _heaps_are_valid(content) and max(_string_lengths(content), default=0) <= _MAX_BYTES


def _heaps_are_valid(content: bytes) -> bool:
    """Return whether the objects of each global heap fill it exactly.

    A heap begins with `GCOL`, 4 bytes and its size u64; its objects are an index u16, 6 bytes, a
    size u64 and the text, 8 bytes aligned. Index 0 is the free space, whose size includes its head.
    """
    objects_left = _MAX_OBJECTS
    for heap in re.finditer(b"GCOL", content):
        offset, end = heap.start() + 16, heap.start() + _unpack("<8xQ", content, heap.start())
        while end - offset >= 16 and objects_left:
            size = _unpack("<8xQ", content, offset)
            if _unpack("<H", content, offset):
                size = 16 + -(-size // 8) * 8
            offset += size
            objects_left = objects_left - 1 if size else 0  # size 0 would loop forever
        if not objects_left or not offset <= end <= len(content):
            return False
    return True


def _string_lengths(content: bytes) -> Iterator[int]:
    """Yield the lengths of the strings of the attributes that `read` may read.

    An attribute is a version u8, a flag u8, the sizes u16 of its name, datatype and dataspace,
    from version 3 on another u8, and then these three and its values; all padded to 8 bytes in
    version 1. A string is its length u32, the address of its heap u64, and its index there u32.
    """
    for match in re.finditer(rb"(?:layer|weight)_names\0", content):
        for version, header in ((1, 8), (2, 8), (3, 9)):
            start = match.start() - header
            if start < 0 or content[start] != version:
                continue
            sizes = struct.unpack_from("<2x3H", content, start)
            name, datatype, dataspace = (
                -(-size // 8) * 8 if version == 1 else size for size in sizes
            )
            offset = match.start() + name  # of the datatype
            if _unpack("<B", content, offset) & 15 != _VARIABLE_LENGTH:
                continue
            values = offset + datatype + dataspace
            count = min(_value_count(content, offset + datatype), _MAX_OBJECTS)
            yield from (_unpack("<I", content, values + 16 * index) for index in range(count))


def _value_count(content: bytes, offset: int) -> int:
    """Return the number of values of a dataspace: version u8, dimensions u8, the size of each."""
    version, dimensions = (_unpack("<B", content, offset + index) for index in (0, 1))
    return _unpack("<Q", content, offset + (8 if version == 1 else 4)) if dimensions else 1


def _unpack(format_: str, content: bytes, offset: int) -> int:
    """Read an unsigned number; 0 beyond the end of the content."""
    inside = offset + struct.calcsize(format_) <= len(content)
    return int(struct.unpack_from(format_, content, offset)[0]) if inside else 0


def read(node: h5py.Group, name: str) -> list[str]:
    """Return the strings of an attribute; none if it is missing.

    Raises:
        ValueError: If it holds anything else, or too much for a list of names.
    """
    if name not in node.attrs:
        return []
    attribute = node.attrs.get_id(name)
    size = math.prod(attribute.shape) * attribute.dtype.itemsize
    if not size:
        return []
    if size > _MAX_OBJECTS * 8 or h5py.check_string_dtype(attribute.dtype) is None:
        raise ValueError(f"{name}: expected up to {_MAX_OBJECTS} strings.")
    texts = node.attrs[name].tolist()
    return [text.decode() if isinstance(text, bytes) else text for text in texts]
