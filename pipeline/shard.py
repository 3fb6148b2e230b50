"""Shards: WebDataset tar files with a sample per post, whose files are named `<id>.<part>`.

They hold nothing that depends on when or where they were written, so that equal samples make
equal files.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from pipeline.damage import DamagedFileError
from pipeline.outcome import read_digests
from pipeline.store import outcomes_path
from sketch_models.closing import Closing

TarSample = tuple[int, Mapping[str, bytes]]
"""A post id, and the content of its parts by name, such as `{"original.png": b"..."}`."""

_BUFFER_BYTES = 1 << 20  # a smaller buffer makes threads wait for one another more often


def write_shard(path: Path, samples: Iterable[TarSample]) -> None:
    """Stream samples into a tar file.

    Args:
        path: the file to write.
        samples: the samples, in the order to write them.
    """
    with path.open("wb", buffering=_BUFFER_BYTES) as file:
        for post_id, parts in samples:
            for part, content in parts.items():
                file.write(_tar_header(f"{post_id}.{part}", len(content)))
                file.write(content)
                file.write(bytes(-len(content) % tarfile.BLOCKSIZE))
        file.write(bytes(2 * tarfile.BLOCKSIZE))
        file.write(bytes(-file.tell() % tarfile.RECORDSIZE))


def _tar_header(name: str, size: int) -> bytes:
    """Return the bytes that `tarfile` writes before a file, in a tenth of its time."""
    if len(name) > tarfile.LENGTH_NAME or size >= 8**11:  # does not fit into the template
        member = tarfile.TarInfo(name)
        member.size = size
        return member.tobuf(tarfile.USTAR_FORMAT)
    header = bytearray(_TEMPLATE)
    header[: len(name)] = name.encode("ascii")
    header[124:135] = b"%011o" % size
    header[148:155] = b"%06o\0" % (sum(header) + _BLANK_CHECKSUM)
    return bytes(header)


_TEMPLATE = bytearray(tarfile.TarInfo().tobuf(tarfile.USTAR_FORMAT))
_TEMPLATE[148:156] = bytes(7) + b" "  # the checksum, computed as if it were eight spaces
_BLANK_CHECKSUM = 7 * ord(" ")


def digests_of(parts: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return the sha256 of each part of a sample, 64 hex digits, in their order."""
    return tuple(sha256(content).hexdigest() for content in parts.values())


class ShardReader(Closing):
    """Random access to the samples of a shard; `read` may be called from any thread.

    What is read is compared with the digests in the table of outcomes beside the shard, if there
    is one.

    Args:
        path: the tar file.
        salvage: leave out what cannot be read of a damaged shard, and compare nothing.

    Attributes:
        has_gaps: whether something between two samples, or the end, is not as it was written.

    Raises:
        DamagedFileError: if the file is not a complete tar file, a name in it has no post id, or
            it lacks what its table has. With `salvage` only if it cannot be opened.
    """

    def __init__(self, path: Path, *, salvage: bool = False) -> None:
        self._path = path
        self.has_gaps = False
        # Offset and size in bytes, by post id and part.
        self._members: dict[int, dict[str, tuple[int, int]]] = {}
        self._digests: dict[int, dict[str, str]] = {}
        table = outcomes_path(path)
        digests = read_digests(table) if table.exists() and not salvage else {}
        try:
            with path.open("rb") as file:
                self._read_members(file, salvage=salvage)
                self._match(digests)
                self._descriptor = os.dup(file.fileno())
        except OSError as error:
            raise DamagedFileError(path, error.strerror or "it cannot be read") from error

    def _read_members(self, file: BinaryIO, *, salvage: bool) -> None:
        size, end = os.fstat(file.fileno()).st_size, 0
        try:
            # Only this skips damaged headers; otherwise the first of them is taken for the end.
            with tarfile.open(fileobj=file, mode="r:", ignore_zeros=salvage) as tar:
                for member in tar:
                    self.has_gaps |= member.offset != end
                    end = member.offset_data + member.size + -member.size % tarfile.BLOCKSIZE
                    if not salvage or member.offset_data + member.size <= size:
                        self._add(member, salvage=salvage)
            end += 2 * tarfile.BLOCKSIZE
            self.has_gaps |= size != end + -end % tarfile.RECORDSIZE
        except (tarfile.TarError, EOFError) as error:
            self.has_gaps = True
            if not salvage:
                fault = f"it is not a complete tar file ({error})"
                raise DamagedFileError(self._path, fault) from error

    def _add(self, member: tarfile.TarInfo, *, salvage: bool) -> None:
        key, _, part = member.name.partition(".")
        if member.isfile() and key.isdecimal() and part:
            self._members.setdefault(int(key), {})[part] = (member.offset_data, member.size)
        elif not salvage:
            fault = f"it contains {member.name!r}, expected <post id>.<part>"
            raise DamagedFileError(self._path, fault)

    def _match(self, digests: Mapping[int, Sequence[str]]) -> None:
        """Give every part its digest; raise DamagedFileError if one is missing."""
        for post_id, of_post in digests.items():
            parts = self.parts(post_id)
            if len(parts) != len(of_post):
                fault = f"it has {len(parts)} of {len(of_post)} parts of post {post_id}"
                raise DamagedFileError(self._path, fault)
            self._digests[post_id] = dict(zip(parts, of_post, strict=True))

    @property
    def ids(self) -> list[int]:
        """The post ids, in the order of the file."""
        return list(self._members)

    def parts(self, post_id: int) -> list[str]:
        """Return the names of a sample's parts, such as `["original.png", "pured.png"]`.

        Empty if the shard has no such sample.
        """
        return list(self._members.get(post_id, ()))

    def read(self, post_id: int, part: str) -> bytes:
        """Return the bytes of one part of one sample.

        Raises:
            KeyError: if the shard has no such sample or part.
            DamagedFileError: if they are not those that were written.
        """
        offset, size = self._members[post_id][part]
        content = os.pread(self._descriptor, size, offset)
        digest = self._digests.get(post_id, {}).get(part)
        if digest is not None and sha256(content).hexdigest() != digest:
            raise DamagedFileError(self._path, f"{post_id}.{part} in it is not as it was written")
        return content

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
