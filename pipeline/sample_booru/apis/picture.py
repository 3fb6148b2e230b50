"""The files of a post: its picture, and a sample of half its size if it has one."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from pipeline.sample_booru.catalogue import HOST, Post

BASE = f"https://{HOST}"


@dataclass(frozen=True)
class Picture:
    """The picture of a post.

    Attributes:
        directory: number of its folder.
        image: name of its file.
        sampled: whether there is a sample, which then is the only file that can be downloaded.
        width: of the picture itself, in pixels.
        height: of the picture itself, in pixels.
        original: URL of the picture itself.
        sample: URL of the sample, or of the picture if there is none.
    """

    directory: int
    image: str
    sampled: bool
    width: int
    height: int
    original: str
    sample: str

    @property
    def md5(self) -> str:
        """The hash that the file is named after."""
        return posixpath.splitext(self.image)[0]


def picture_of(post: Post) -> Picture:
    """Return the picture of a post, whose path is that of the sample if there is one."""
    _, folder, directory, name = post.path.split("/")
    sampled = folder == "samples"
    image = name.removeprefix("sample_")
    scale = 2 if sampled else 1
    original = f"{BASE}/images/{directory}/{image}"
    return Picture(
        directory=int(directory),
        image=image,
        sampled=sampled,
        width=post.width * scale,
        height=post.height * scale,
        original=original,
        sample=f"{BASE}{post.path}" if sampled else original,
    )
