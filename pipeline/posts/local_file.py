"""Addresses of pictures that are on this machine already.

In a table of posts the `url` of such a picture is `file:girl/001.jpg?48213-1700000000000000000`:
its path below the folder of the source, percent-encoded, then size and time of the file, so that a
file that changed has another address. In a tar or a Parquet file, `#` and the picture's name or
number in it follow.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote, unquote_to_bytes

_URL = re.compile(r"file:(?P<path>[^?#]+)\?(?P<size>\d+)-(?P<modified>-?\d+)(?:#(?P<member>.+))?")
_TAR_MEMBER = re.compile(r"(\d+)-(\d+)-(.+)", re.DOTALL)
_SAFE = "/!$&'()*+,:;=@~"  # what a path of a URL may have as it is

# Ids from hashes lie in one narrow range, so that they fill few of the shards that there may be,
# above all ids that boards count.
_FIRST_ID = 1 << 62
_ID_BITS = 58


@dataclass(frozen=True, kw_only=True)
class LocalFile:
    """A picture on this machine.

    Attributes:
        path: of its file, relative to the folder of the source, with `/` between the parts; bytes
            that are not UTF-8 are surrogates, as in Python's paths.
        size: of the file, in bytes.
        modified: time of the last change of the file, in ns since 1970.
        member: the picture's place in a tar, see `TarMember`, or its row in a Parquet file; empty
            if the file is the picture.
    """

    path: str
    size: int
    modified: int
    member: str = ""

    def to_url(self) -> str:
        """Return the address."""
        url = f"file:{_quoted(self.path)}?{self.size}-{self.modified}"
        return f"{url}#{_quoted(self.member)}" if self.member else url


@dataclass(frozen=True)
class TarMember:
    """A file in a tar, by where its bytes are.

    Attributes:
        offset: of its first byte in the tar.
        size: in bytes.
        name: its name in the tar.
    """

    offset: int
    size: int
    name: str

    def __str__(self) -> str:
        return f"{self.offset}-{self.size}-{self.name}"

    @classmethod
    def parse(cls, text: str) -> TarMember | None:
        """Return what `str` has made a text of; None if it is of none."""
        match = _TAR_MEMBER.fullmatch(text)
        return cls(int(match[1]), int(match[2]), match[3]) if match else None


def is_local(url: str) -> bool:
    """Return whether a URL is the address of a picture on this machine."""
    return url.startswith("file:")


def parse_local(url: str) -> LocalFile:
    """Return what an address says.

    Raises:
        ValueError: if it is none that `to_url` has made, or leads out of the folder.
    """
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError(f"{url!r} is no address of a local file")
    path = _unquoted(match["path"])
    if path.startswith("/") or ".." in path.split("/") or "\0" in path:
        raise ValueError(f"{url!r} leads out of the folder")
    return LocalFile(
        path=path,
        size=int(match["size"]),
        modified=int(match["modified"]),
        member=_unquoted(match["member"] or ""),
    )


def hashed_id(text: str) -> int:
    """Return the id of a picture whose source counts none: a hash of its path or address.

    It stays the same whatever else the source has. That two of a million pictures share an id has
    a chance of one in 600,000.

    Args:
        text: such as the path of the picture within its folder.

    Returns:
        From 2^62 to 2^62 + 2^58 - 1.
    """
    digest = sha256(os.fsencode(text)).digest()
    return _FIRST_ID + (int.from_bytes(digest[:8], "big") >> (64 - _ID_BITS))


def _quoted(path: str) -> str:
    return quote(os.fsencode(path), safe=_SAFE)


def _unquoted(text: str) -> str:
    return os.fsdecode(unquote_to_bytes(text))
