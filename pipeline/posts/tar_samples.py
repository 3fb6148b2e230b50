"""Read the samples of a WebDataset tar: the files of one key, with where their bytes are."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.picture_format import EXTENSIONS
from pipeline.posts.local_file import TarMember

_KEY_AND_PART = re.compile(r"((?:.*/)?[^./][^./]*)\.([^/]*)", re.DOTALL)
_BEST_PARTS = ("color", "image", "jpg", "png", "webp", "jpeg", "img")
"""Parts that are the picture of a sample that has several, the best first."""


class DamagedTarError(Exception):
    """A tar that ends too early, or is none; the message says why."""


@dataclass
class Sample:
    """The files of one key.

    Attributes:
        key: what their names have in common, up to the first dot.
        parts: by the rest of their names, in lower case.
    """

    key: str
    parts: dict[str, TarMember] = field(default_factory=dict)

    def picture(self) -> TarMember | None:
        """Return the file that is the picture; None without any."""
        pictures = {part: each for part, each in self.parts.items() if _is_picture(part)}
        if not pictures:
            return None
        return pictures[min(pictures, key=lambda part: (_rank(part), list(pictures).index(part)))]


def read_samples(path: Path) -> Iterator[Sample]:
    """Yield the samples of a tar, in the order of their first files.

    Files of one key that are not beside each other are two samples.

    Raises:
        DamagedTarError: after the samples before the damage.
        OSError: if it cannot be read.
    """
    sample: Sample | None = None
    fault = ""
    try:
        for member in _members(path):
            match = _KEY_AND_PART.fullmatch(member.name)
            if match is None:
                continue
            if sample is None or sample.key != match[1]:
                if sample is not None:
                    yield sample
                sample = Sample(match[1])
            sample.parts.setdefault(match[2].lower(), member)
    except (tarfile.TarError, EOFError, ValueError) as error:
        fault = str(error)
    if sample is not None:
        yield sample
    if fault:
        raise DamagedTarError(fault)


def _members(path: Path) -> Iterator[TarMember]:
    """Yield the files of a tar; raise TarError where it is damaged, or ends too early."""
    size = path.stat().st_size
    with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
        while (member := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined] # else it keeps them all
            if member.offset_data + member.size > size:
                raise tarfile.ReadError("it ends too early")
            if member.isreg():
                yield TarMember(member.offset_data, member.size, member.name)
        # Where a header cannot be read, tarfile stops as if it were the end.
        file.seek(tar.offset)
        if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("no end of the archive where its files end")


def read_bytes(path: Path, member: TarMember, limit: int) -> bytes:
    """Return the first bytes of a file in a tar, up to a limit."""
    with path.open("rb") as file:
        file.seek(member.offset)
        return file.read(min(member.size, limit))


def _is_picture(part: str) -> bool:
    return part.rpartition(".")[2] in EXTENSIONS


def _rank(part: str) -> int:
    name = part.partition(".")[0]
    return _BEST_PARTS.index(name) if name in _BEST_PARTS else len(_BEST_PARTS)
