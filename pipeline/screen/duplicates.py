"""Finds posts that show the same picture, or variants of one.

Whether two posts belong together depends on nothing but those two, so that more posts may join
groups but never split one, and their order changes nothing.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.screen.picture_stats import BITS

SAME_BYTES = "same_bytes"
SAME_LOOK = "same_look"
SAME_TAGS = "same_tags"
REASONS = (SAME_BYTES, SAME_LOOK, SAME_TAGS)
"""Why two posts belong together, in the order in which it is looked for."""

# Bits of a perceptual hash. Measured on the sample booru: saved again at quality 60 to 95 up to 6,
# at half the size 12, darker or lighter 29 (99.5 % up to 24), cropped by 2 % 33 (97 % up to 24),
# a patch of 1 % painted over 68 (80 % up to 24), of 5 % 77 (25 %). Of 6,300 different drawings,
# 20 million pairs, the two of one aspect that look most alike have 31.
MOST_BITS = 24
MOST_STRETCH = 0.03  # natural logarithm: aspects that are within about 3 %
MOST_STEPS = 3  # between ids of posts that may be variants by their tags
LEAST_TAGS = 8
LEAST_JACCARD = 0.8

# 24 bits or fewer in 16 bands: at least one band has at most one (up to 31 bits would do).
_BANDS = 16
_BAND_BITS = BITS // _BANDS
_AT_ONCE = 1 << 18  # pairs, to bound the memory

# Shifts and masks by which the counts of two halves become that of 2, 4, 8, 16, 32 and 64 bits.
_HALVES = [
    (np.uint64(half), np.uint64((2**64 - 1) // (2**half + 1))) for half in (1, 2, 4, 8, 16, 32)
]

assert MOST_BITS < 2 * _BANDS

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Join:
    """Two posts that belong together.

    Attributes:
        id: the lower post id.
        other: the higher post id.
        reason: one of `REASONS`.
    """

    id: int
    other: int
    reason: str


@dataclass(frozen=True)
class Groups:
    """Posts that belong together.

    Attributes:
        first: the lowest post id of its group by post id, ascending.
        joins: what holds the groups together, as few as suffice: each made two groups one.
    """

    first: dict[int, int]
    joins: list[Join]

    @property
    def counts(self) -> dict[str, int]:
        """How many joins each reason gave, be it 0: a post that is gone if one of two is kept."""
        found = Counter(join.reason for join in self.joins)
        return {reason: found[reason] for reason in REASONS}


def group(pictures: pl.DataFrame) -> Groups:
    """Groups posts by the bytes of their pictures, their looks, and their neighbours' tags.

    Pictures look the same where their hashes differ by `MOST_BITS` at most and their aspects by 3 %
    at most. Posts whose ids are at most `MOST_STEPS` apart are variants where both have at least
    `LEAST_TAGS` tags, and share `LEAST_JACCARD` of those that any of the two has.

    Args:
        pictures: a row per post, with the columns `id` (each once), `sha256`, `phash` (hex digits
            as in `Measures`; all 0 is like no other), `width` and `height` (pixels), and `tags`
            (separated by spaces).
    """
    pictures = pictures.sort("id")
    ids: list[int] = pictures["id"].to_list()
    forest = _Forest(len(ids))
    joins = []
    for reason, pairs in (
        (SAME_BYTES, _equal(pictures.select("sha256"))),
        (SAME_LOOK, _alike(pictures)),
        (SAME_TAGS, _variants(ids, pictures["tags"].to_list())),
    ):
        joins += [
            Join(ids[low], ids[high], reason) for low, high in pairs if forest.join(low, high)
        ]
    return Groups({post_id: ids[forest.root(row)] for row, post_id in enumerate(ids)}, joins)


def described(screens: Sequence[Path], posts: Sequence[Path], ids: Collection[int]) -> pl.DataFrame:
    """What `group` wants to know of pictures.

    Args:
        screens: tables of `screen_shard`.
        posts: tables with the columns id and tags.
        ids: the pictures.
    """
    names = ["id", "sha256", "phash", "width", "height"]
    looks = pl.concat(pl.scan_parquet(table).select(names) for table in screens)
    tags = pl.concat(pl.scan_parquet(table).select("id", "tags") for table in posts)
    wanted = pl.LazyFrame({"id": sorted(ids)}, schema={"id": pl.Int64})
    return wanted.join(looks, on="id").join(tags, on="id").collect()


def write_groups(groups: Groups, folder: Path) -> None:
    """Writes `groups.parquet`, id and first id of its group; and `joins.parquet`, the joins."""
    members = {"id": list(groups.first), "first": list(groups.first.values())}
    schema = {"id": pl.Int64, "first": pl.Int64}
    pl.DataFrame(members, schema=schema).write_parquet(folder / "groups.parquet")
    rows = [(join.id, join.other, join.reason) for join in groups.joins]
    names = {"id": pl.Int64, "other": pl.Int64, "reason": pl.String}
    pl.DataFrame(rows, schema=names, orient="row").write_parquet(folder / "joins.parquet")


class _Forest:
    """Union-find over rows; the root of a group is its lowest row."""

    def __init__(self, rows: int) -> None:
        self._parents = list(range(rows))

    def root(self, row: int) -> int:
        parents = self._parents
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row

    def join(self, one: int, other: int) -> bool:
        """Makes two groups one; False where they are one already."""
        low, high = sorted((self.root(one), self.root(other)))
        self._parents[high] = low
        return low != high


def _equal(columns: pl.DataFrame) -> Iterator[tuple[int, int]]:
    """Each row that repeats an earlier one, after the first of its kind."""
    first: dict[tuple[object, ...], int] = {}
    for row, key in enumerate(columns.iter_rows()):
        earlier = first.setdefault(key, row)
        if earlier != row:
            yield earlier, row


def _alike(pictures: pl.DataFrame) -> Iterator[tuple[int, int]]:
    """The pairs of rows that look the same; of pictures that measure the same, just the first."""
    blank = "0" * (BITS // 4)
    looks = pictures.select("phash", "width", "height").with_row_index("row")
    looks = looks.filter(pl.col("phash") != blank)
    rows = looks["row"].to_numpy().astype(np.int64)
    looks = looks.drop("row")
    again = list(_equal(looks))
    yield from ((int(rows[low]), int(rows[high])) for low, high in again)
    alone = np.ones(len(rows), bool)
    alone[[high for _, high in again]] = False
    rows, looks = rows[alone], looks.filter(alone)
    content = bytes.fromhex("".join(looks["phash"].to_list()))
    hashes = np.frombuffer(content, np.uint8).reshape(-1, BITS // 8)
    aspect = np.log(looks["width"].to_numpy() / looks["height"].to_numpy())
    for low, high in _near(hashes, aspect):
        yield from zip(rows[low].tolist(), rows[high].tolist(), strict=True)


def _near(hashes: NDArray[np.uint8], aspect: NDArray[np.float64]) -> Iterator[Pairs]:
    """The pairs of near hashes of like aspect, in pieces; a pair may come more than once.

    Args:
        hashes: (N, BITS // 8).
        aspect: (N,), the logarithm of width by height.
    """
    words = hashes.view(np.uint64)  # (N, 4)
    for key in _keys(hashes):
        for low, high in _candidates(key):
            like = np.abs(aspect[low] - aspect[high]) <= MOST_STRETCH
            low, high = low[like], high[like]
            bits = np.zeros(len(low), np.uint64)
            for word in words.T:  # most pairs are out after two of the four
                bits += _ones(word[low] ^ word[high])
                near = bits <= MOST_BITS
                low, high, bits = low[near], high[near], bits[near]
            yield np.minimum(low, high), np.maximum(low, high)


def _keys(hashes: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """(_BANDS, N): the hashes in bands; each has bits of all frequencies: low ones vary less."""
    bits = np.unpackbits(hashes, axis=1).reshape(-1, _BAND_BITS, _BANDS)
    packed = np.packbits(bits.transpose(2, 0, 1), axis=2)  # (_BANDS, N, 2)
    keys: NDArray[np.uint16] = packed[..., 0] * np.uint16(256) + packed[..., 1]
    return keys


def _candidates(key: NDArray[np.uint16]) -> Iterator[Pairs]:
    """The pairs of which one band, (N,), differs by at most one bit; each once."""
    order = np.argsort(key, kind="stable")
    counts = np.bincount(key, minlength=1 << _BAND_BITS)
    starts = np.cumsum(counts) - counts  # of the equal keys, in `order`
    ends = starts + counts
    yield from _pairs(order, order, np.arange(1, len(key) + 1), ends[key[order]])
    for bit in range(_BAND_BITS):
        clear = order[key[order] >> bit & 1 == 0]
        flipped = key[clear] | (1 << bit)
        yield from _pairs(clear, order, starts[flipped], ends[flipped])


def _pairs(
    rows: NDArray[np.int64],
    order: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> Iterator[Pairs]:
    """Each of the rows, with all of `order` from its start to its end; in pieces."""
    lengths = ends - starts
    totals = np.cumsum(lengths)
    begin = 0
    while begin < len(rows):
        done = totals[begin] - lengths[begin]
        stop = max(begin + 1, int(np.searchsorted(totals, done + _AT_ONCE, side="right")))
        piece = slice(begin, stop)
        within = np.arange(totals[stop - 1] - done)
        offsets = np.repeat(starts[piece] - totals[piece] + lengths[piece] + done, lengths[piece])
        yield np.repeat(rows[piece], lengths[piece]), order[offsets + within]
        begin = stop


def _variants(ids: list[int], texts: list[str]) -> Iterator[tuple[int, int]]:
    """The pairs of rows that stand close together and have nearly the same tags."""
    recent: deque[tuple[int, int, frozenset[str]]] = deque(maxlen=MOST_STEPS)
    for row, (post_id, text) in enumerate(zip(ids, texts, strict=True)):
        tags = frozenset(text.split())
        for earlier, near_id, other in recent:
            if (
                post_id - near_id <= MOST_STEPS
                and min(len(tags), len(other)) >= LEAST_TAGS
                and len(tags & other) / len(tags | other) >= LEAST_JACCARD
            ):
                yield earlier, row
        recent.append((row, post_id, tags))


def _ones(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The bits that are set in each; as np.bitwise_count, which numpy 1.26 does not have."""
    for shift, mask in _HALVES:
        words = (words & mask) + (words >> shift & mask)
    return words
