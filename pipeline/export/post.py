"""What is known of a post: tags by kind, and where it is shown, for captions and credits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl

from pipeline.posts.local_file import is_local
from pipeline.table import read_table

_SAFEBOORU = "https://safebooru.org/index.php?page=post&s=view&id={}"


@dataclass(frozen=True, kw_only=True)
class Post:
    """A post; what is unknown is empty.

    Attributes:
        id: of the post.
        tags: all of them, a space between two.
        artist: those of the tags that name artists.
        character: those that name characters.
        copyright: those that name works.
        meta: those about the file.
        rating: `s`, `q` or `e`.
        url: of the picture.
        source: where the post has the picture from.
        post_url: of the page that shows the post.
    """

    id: int
    tags: str = ""
    artist: str = ""
    character: str = ""
    copyright: str = ""
    meta: str = ""
    rating: str = ""
    url: str = ""
    source: str = ""
    post_url: str = ""

    def kind_of(self, tag: str) -> str:
        """Return the kind of a tag, one of `options.TAG_KINDS`."""
        for kind in ("artist", "character", "copyright", "meta"):
            if tag in getattr(self, kind).split(" "):
                return kind
        return "general"

    @property
    def link(self) -> str:
        """The address of the page that shows the post; else its source, or the picture's own.

        Empty for a picture of this machine, whose path concerns nobody.
        """
        if self.post_url:
            return self.post_url
        host = urlsplit(self.url).hostname or ""
        if host == "safebooru.org" or host.endswith(".safebooru.org"):
            return _SAFEBOORU.format(self.id)
        if self.source.startswith(("https://", "http://")):
            return self.source
        return "" if is_local(self.url) else self.url


_COLUMNS = list(Post.__dataclass_fields__)


def read_posts(table: Path, selected: Collection[int]) -> dict[int, Post]:
    """Return the selected posts of a shard by id, ascending.

    Raises:
        DamagedFileError: if the table is missing, damaged or of other columns.
    """
    rows = read_table(table, _COLUMNS)
    rows = rows.filter(rows["id"].is_in(list(selected))).sort("id")
    filled = rows.with_columns(pl.col(pl.String).fill_null(""))
    return {row["id"]: Post(**row) for row in filled.iter_rows(named=True)}
