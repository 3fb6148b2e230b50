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
from pipeline.table import read_table, scan_table

NEAREST = 64
"""Pictures of a tag on either side of a picture that are considered, in the order of their ids."""

# A tag such as `hatsune_miku_(vocaloid)` names a character, unless the word says what else it is.
_CHARACTER = r"^[^()]+_\([^()]+\)$"
_NO_SERIES = (
    *("series", "symbol", "object", "medium", "cosplay", "style", "meme", "song", "company"),
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
        posts: tables of posts, with the columns id and tags, and if known artist and character.
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
        posts: tables as for `find_references`. Where the characters of a post are not known, its
            tags of the form `name_(series)` count as characters.
        ids: of the pictures.
    """
    selected = pl.LazyFrame({"id": sorted(ids)}, schema={"id": pl.Int64})
    characters, artists = [], []
    for path in posts:
        table = selected.join(_known_columns(scan_table(path)), on="id")
        by_name = pl.col("tags").str.split(" ").list.eval(pl.element().filter(_names_character()))
        named = pl.coalesce(pl.col("character").str.split(" "), by_name)
        frame = table.select("id", named.alias("character"), pl.col("artist").str.split(" "))
        kinds = frame.collect()
        characters.append(_explode(kinds, "character"))
        artists.append(_explode(kinds, "artist"))
    empty = pl.DataFrame(schema={"id": pl.Int64, "tag": pl.String})
    return pl.concat([empty, *characters]), pl.concat([empty, *artists])


def _known_columns(table: pl.LazyFrame) -> pl.LazyFrame:
    """Return id, tags, artist and character of a table of posts, null where it has no column."""
    names = table.collect_schema().names()
    missing = [name for name in ("artist", "character") if name not in names]
    nothing = pl.lit(None, pl.String)
    return table.with_columns(nothing.alias(name) for name in missing).select(
        "id", "tags", "artist", "character"
    )


def _names_character() -> pl.Expr:
    tag = pl.element()
    return tag.str.contains(_CHARACTER) & ~tag.str.contains(_OTHER)


def _explode(kinds: pl.DataFrame, name: str) -> Kinds:
    rows = kinds.select("id", tag=name).explode("tag")
    return rows.filter(pl.col("tag").is_not_null() & (pl.col("tag") != "")).unique()


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
        others, shared = others[others != post_id], shared[others != post_id]
        return others[np.lexsort((others, np.abs(others - post_id), -shared))]

    def _window(self, code: int, post_id: int) -> NDArray[np.int64]:
        """Return the ids of a tag's pictures around one of them."""
        start, end = np.searchsorted(self._codes_of_ids, [code, code + 1])
        at = start + int(np.searchsorted(self._ids[start:end], post_id))
        return self._ids[max(start, at - NEAREST) : min(end, at + NEAREST + 1)]


class _Groups:
    """The first id of the group of duplicates by id; a picture without one is its own group."""

    def __init__(self, groups: Path | None) -> None:
        schema = {"id": pl.Int64, "first": pl.Int64}
        table = (
            read_table(groups, list(schema)).sort("id") if groups else pl.DataFrame(schema=schema)
        )
        self._ids, self._first = table["id"].to_numpy(), table["first"].to_numpy()

    def __call__(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        if not len(self._ids):
            return ids
        at = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
        return np.where(self._ids[at] == ids, self._first[at], ids)
