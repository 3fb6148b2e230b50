"""Shards: WebDataset tar files, one sample per post, `<id>.<part>` per file in it.

They hold nothing that depends on when or where they were written, so that equal samples make
equal files.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from sketch_models.closing import Closing
from sketch_models.errors import SengaError

_BUFFER = 1 << 20  # bytes; with less, threads wait for one another more often


def write_shard(path: Path, samples: Iterable[tuple[int, Mapping[str, bytes]]]) -> None:
    """Streams samples into a tar file.

    Args:
        path: the file to write.
        samples: post id and its parts, such as `{"original.png": ...}`, in the order to keep.
    """
    with path.open("wb", buffering=_BUFFER) as file:
        for post_id, parts in samples:
            for part, content in parts.items():
                file.write(_header(f"{post_id}.{part}", len(content)))
                file.write(content)
                file.write(bytes(-len(content) % tarfile.BLOCKSIZE))
        file.write(bytes(2 * tarfile.BLOCKSIZE))
        file.write(bytes(-file.tell() % tarfile.RECORDSIZE))


def _header(name: str, size: int) -> bytes:
    """What `tarfile` writes for a file of that name and size, in a tenth of its time."""
    if len(name) > tarfile.LENGTH_NAME or size >= 8**11:  # a shape that the template has not
        member = tarfile.TarInfo(name)
        member.size = size
        return member.tobuf(tarfile.USTAR_FORMAT)
    header = bytearray(_TEMPLATE)
    header[: len(name)] = name.encode("ascii")
    header[124:135] = b"%011o" % size
    header[148:155] = b"%06o\0" % (sum(header) + _UNSUMMED)
    return bytes(header)


_TEMPLATE = bytearray(tarfile.TarInfo().tobuf(tarfile.USTAR_FORMAT))
_TEMPLATE[148:156] = bytes(7) + b" "  # the checksum, which is made as if it were eight spaces
_UNSUMMED = 7 * ord(" ")


class ShardReader(Closing):
    """Random access to the samples of a shard; `read` may be called from any thread.

    Raises:
        SengaError: where the file is not a whole tar file, or holds a name that is not a post id.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[int, dict[str, tuple[int, int]]] = {}
        try:
            with tarfile.open(path, "r:") as tar:
                for member in tar:
                    self._add(member)
        except (tarfile.TarError, EOFError) as error:
            raise SengaError(
                f"{path} is not a whole tar file ({error}): delete it and run again."
            ) from error
        self._file = os.open(path, os.O_RDONLY)

    def _add(self, member: tarfile.TarInfo) -> None:
        key, _, part = member.name.partition(".")
        if not (member.isfile() and key.isdecimal() and part):
            raise SengaError(
                f"{self._path} holds {member.name!r}, expected <post id>.<part>: "
                "delete the shard and run again."
            )
        self._places.setdefault(int(key), {})[part] = (member.offset_data, member.size)

    @property
    def ids(self) -> list[int]:
        """Post ids, in the order of the file."""
        return list(self._places)

    def parts(self, post_id: int) -> list[str]:
        """Names of a sample's parts, such as `["original.png", "pured.png"]`; empty if not here."""
        return list(self._places.get(post_id, ()))

    def read(self, post_id: int, part: str) -> bytes:
        """The bytes of one part of one sample.

        Raises:
            KeyError: where the shard has no such sample or part.
        """
        offset, size = self._places[post_id][part]
        return os.pread(self._file, size, offset)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
