"""Read pictures that are on this machine already, with the same checks as downloads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from pipeline.collect.check_picture import check_picture
from pipeline.collect.fetch import Fetched
from pipeline.collect.options import DownloadOptions
from pipeline.collect.outcome import DownloadOutcome
from pipeline.outcome import OK
from pipeline.picture import PictureError
from pipeline.posts.local_file import LocalFile, TarMember, parse_local
from pipeline.unexpected import as_picture_error


@dataclass(frozen=True, kw_only=True)
class LocalPictures:
    """The pictures of a folder; `read` may be called from any thread.

    Attributes:
        root: the folder that the addresses are relative to.
        options: rules and limits, those of downloads.
    """

    root: Path
    options: DownloadOptions

    def read(self, post_id: int, url: str) -> Fetched:
        """Read and check one picture; what is wrong with it is its outcome.

        Args:
            post_id: of the picture.
            url: its address, see `posts.local_file`.
        """
        content = b""
        try:
            file = _parse(url)
            content = self._read(file)
            name = quote(os.fsencode(_place(file).name))
            with as_picture_error(post_id):
                drop_wrong_type = self.options.wrong_type == "drop"
                extension = check_picture(content, name, drop_wrong_type=drop_wrong_type)
        except PictureError as error:
            row = DownloadOutcome(post_id, error.code, error.detail, url=url, bytes=len(content))
            return Fetched(row, "", b"")
        digest = sha256(content).hexdigest()
        row = DownloadOutcome(post_id, OK, url=url, bytes=len(content), sha256=digest)
        return Fetched(row, extension, content)

    def _read(self, file: LocalFile) -> bytes:
        """Return the bytes of a picture.

        Raises:
            PictureError: `too_many_bytes`, `missing_file`, `changed_file` or `unreadable`.
        """
        member = _place(file)
        if member.size > self.options.max_bytes:
            raise PictureError("too_many_bytes", f"{member.size:,} bytes")
        try:
            with (self.root / file.path).open("rb") as stream:
                facts = os.fstat(stream.fileno())
                if (facts.st_size, facts.st_mtime_ns) != (file.size, file.modified):
                    raise PictureError("changed_file", "since it was imported; run again")
                stream.seek(member.offset)
                return stream.read(member.size)
        except FileNotFoundError as error:
            raise PictureError(
                "missing_file", os.fsencode(file.path).decode(errors="backslashreplace")
            ) from error
        except OSError as error:
            raise PictureError("unreadable", error.strerror or type(error).__name__) from error


def _parse(url: str) -> LocalFile:
    try:
        return parse_local(url)
    except ValueError as error:
        raise PictureError("bad_url", str(error)) from error


def _place(file: LocalFile) -> TarMember:
    """Return where the bytes of a picture are in its file, which may be all of it.

    Raises:
        PictureError: `bad_url`.
    """
    if not file.member:
        return TarMember(0, file.size, file.path)
    member = TarMember.parse(file.member)
    if member is None:
        raise PictureError("bad_url", f"{file.member!r} is no place in a tar")
    return member
