"""References: for every picture, others of the same character, or else of the same artist.

Memory grows with the number of pictures and of their tags; the pictures of a tag are sorted by
their ids, so that the nearest are found without comparing any two pictures.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.pack.extras import MAX_REFERENCES, NO_REFERENCE
from pipeline.posts.rows import TAG_KINDS
from pipeline.table import read_table, scan_table

NEAREST = 64
"""Pictures of a tag on either side of a picture that are considered, in the order of their ids."""

# A tag such as `hatsune_miku_(vocaloid)` names a character, unless the word says what else it is.
_CHARACTER = r"^[^()]+_\([^()]+\)$"
_NO_SERIES = (
    *(
        "artist",
        "series",
        "symbol",
        "object",
        "medium",
        "cosplay",
        "style",
        "meme",
        "song",
        "company",
    ),
    *("animal", "flower", "food", "fruit", "instrument", "music", "toy", "vehicle", "weapon"),
)
_OTHER = rf"_\((?:{'|'.join(_NO_SERIES)})\)$"

Kinds = pl.DataFrame
"""A row per tag of a picture: the columns id and tag."""


def find_references(
    ids: Sequence[int], posts: Sequence[Path], groups: Path | None = None
) -> Iterator[NDArray[np.int64]]:
    """Yield the references of every picture of a packed file.

    Those that share the most characters come first, of these the nearest by id; then, likewise,
    those of the same artists. A picture of the same group of duplicates is no reference, since it
    shows the answer.

    Args:
        ids: of the pictures, ascending; they alone are references.
        posts: tables with the columns of `pipeline.posts.rows.POSTS`.
        groups: table with the columns id and first: the first id of its group; None if all
            pictures differ.

    Yields:
        (MAX_REFERENCES,) int64, filled up with NO_REFERENCE; in the order of `ids`.
    """
    characters, artists = read_kinds(posts, ids)
    by_tags = [_Index(kinds) for kinds in (characters, artists)]
    group_of = _Groups(groups)
    for post_id in ids:
        found = np.array([], np.int64)
        for index in by_tags:
            others = index.nearest(post_id)
            is_new = ~np.isin(others, found) & (group_of(others) != group_of(np.array([post_id])))
            found = np.concatenate([found, others[is_new]])
        row = np.full(MAX_REFERENCES, NO_REFERENCE, np.int64)
        row[: len(found)] = found[:MAX_REFERENCES]
        yield row


def read_kinds(posts: Sequence[Path], ids: Collection[int]) -> tuple[Kinds, Kinds]:
    """Return the characters and the artists of pictures, from tables of posts.

    Args:
        posts: tables as for `find_references`. Of a post whose tags are of no known kind, those of
            the form `name_(series)` count as characters.
        ids: of the pictures.
    """
    selected = pl.LazyFrame({"id": sorted(ids)}, schema={"id": pl.Int64})
    empty = pl.DataFrame(schema={"id": pl.Int64, "tag": pl.String})
    characters, artists = [empty], [empty]
    for path in posts:
        rows = selected.join(_tags_of_kinds(scan_table(path)), on="id").collect()
        characters += [_explode(rows, "character"), _explode(rows, "named").filter(_is_character())]
        artists.append(_explode(rows, "artist"))
    return pl.concat(characters), pl.concat(artists)


def _tags_of_kinds(table: pl.LazyFrame) -> pl.LazyFrame:
    """Return the columns id, artist and character of a table of posts, and all tags as `named`.

    That is null if tags of any kind are known. A table of an earlier version has no such columns.
    """
    columns = table.collect_schema().names()
    kinds = [pl.col(kind) if kind in columns else pl.lit(None, pl.String) for kind in TAG_KINDS]
    unknown = pl.all_horizontal(kind.is_null() for kind in kinds)
    artist, character = (kinds[TAG_KINDS.index(kind)] for kind in ("artist", "character"))
    named = pl.when(unknown).then("tags")
    return table.select("id", artist=artist, character=character, named=named)


def _is_character() -> pl.Expr:
    tag = pl.col("tag")
    return tag.str.contains(_CHARACTER) & ~tag.str.contains(_OTHER)


def _explode(rows: pl.DataFrame, column: str) -> Kinds:
    """Return a row for each tag of a column, each once for an id."""
    tags = rows.select("id", tag=pl.col(column).str.split(" ")).explode("tag")
    return tags.filter(pl.col("tag") != "").unique()


class _Index:
    """The ids of the pictures of each tag, and the tags of each picture."""

    def __init__(self, kinds: Kinds) -> None:
        # Of one type with what is looked up: NumPy would copy them each time.
        codes = kinds.select("id", code=pl.col("tag").rank("dense").cast(pl.Int64))
        by_tag, by_id = codes.sort("code", "id"), codes.sort("id", "code")
        self._ids = by_tag["id"].to_numpy()
        self._codes_of_ids = by_tag["code"].to_numpy()
        self._posts = by_id["id"].to_numpy()
        self._codes = by_id["code"].to_numpy()

    def nearest(self, post_id: int) -> NDArray[np.int64]:
        """Return the ids of other pictures with tags of this one: most in common, then nearest."""
        first, end = np.searchsorted(self._posts, [post_id, post_id + 1])
        windows = [self._window(code, post_id) for code in self._codes[first:end]]
        if not windows:
            return np.array([], np.int64)
        others, shared = np.unique(np.concatenate(windows), return_counts=True)
        is_other = others != post_id
        others, shared = others[is_other], shared[is_other]
        ranked: NDArray[np.int64] = others[np.lexsort((others, np.abs(others - post_id), -shared))]
        return ranked

    def _window(self, code: int, post_id: int) -> NDArray[np.int64]:
        """Return the ids of a tag's pictures around one of them."""
        start, end = np.searchsorted(self._codes_of_ids, [code, code + 1])
        ids: NDArray[np.int64] = self._ids[start:end]
        at = int(np.searchsorted(ids, post_id))
        return ids[max(0, at - NEAREST) : at + NEAREST + 1]


class _Groups:
    """The first id of the group of duplicates by id; a picture without one is its own group."""

    def __init__(self, groups: Path | None) -> None:
        table = pl.DataFrame(schema={"id": pl.Int64, "first": pl.Int64})
        if groups:
            table = read_table(groups, ["id", "first"]).sort("id")
        self._ids, self._first = table["id"].to_numpy(), table["first"].to_numpy()

    def __call__(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        if not len(self._ids):
            return ids
        at = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
        return np.where(self._ids[at] == ids, self._first[at], ids)
