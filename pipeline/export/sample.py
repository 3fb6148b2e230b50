"""`Sample`: a picture, its line art and what is known of it, encoded for an export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Encoded:
    """The bytes of a picture file.

    Attributes:
        extension: of its name, without the dot.
        content: the file.
    """

    extension: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A row of an export.

    Attributes:
        id: post id.
        pictures: the files by their names in the format, colour first.
        caption: the text to train with.
        facts: what else is known, by `FACTS`.
        credit: the row of `credits.csv`, by `CREDITS`.
    """

    id: int
    pictures: Mapping[str, Encoded]
    caption: str
    facts: Mapping[str, int | str]
    credit: Sequence[str]


FACTS: dict[str, type[int] | type[str]] = {
    "id": int,
    "width": int,
    "height": int,
    "tags": str,
    "artist": str,
    "character": str,
    "copyright": str,
    "meta": str,
    "rating": str,
    "link": str,
}
"""Names and types of the facts; an unknown one is an empty text."""

CREDITS = ("id", "artist", "link", "source")
"""Columns of `credits.csv` after the split."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some pictures of a split, which are written together.

    Attributes:
        split: `train` or `test`.
        number: from 0.
        of: number of parts of the split.
        ids: of its posts, ascending.
    """

    split: str
    number: int
    of: int
    ids: Sequence[int]

    @property
    def name(self) -> str:
        """Its name, such as `train-00003`."""
        return f"{self.split}-{self.number:05d}"
