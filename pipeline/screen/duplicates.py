"""Find posts that show the same picture, or variants of one.

Whether two posts are duplicates depends on nothing but those two, so that more posts may join
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

from pipeline.screen.picture_stats import HASH_BITS
from pipeline.table import scan_table, write_table

SAME_BYTES = "same_bytes"
SAME_LOOK = "same_look"
SAME_TAGS = "same_tags"
REASONS = (SAME_BYTES, SAME_LOOK, SAME_TAGS)
"""Why two posts are in one group, in the order in which the reasons are checked."""

# Bits of a perceptual hash. Measured on the sample booru: saved again at quality 60 to 95 up to 6,
# at half the size 12, darker or lighter 29 (99.5 % up to 24), cropped by 2 % 33 (97 % up to 24),
# a patch of 1 % painted over 68 (80 % up to 24), of 5 % 77 (25 %). Of 6,300 different drawings,
# 20 million pairs, the most similar two of one aspect differ in 31.
MAX_HASH_DISTANCE = 24
MAX_LOG_ASPECT_RATIO = 0.03  # natural logarithm: aspects within about 3 %
MAX_ID_DISTANCE = 3  # of posts that may be variants by their tags
MIN_TAGS = 8
MIN_JACCARD = 0.8

# If 24 bits differ, at least one of 16 bands differs in at most one bit (true of up to 31 bits).
_BANDS = 16
_BAND_BITS = HASH_BITS // _BANDS
_MAX_PAIRS = 1 << 18  # compared at once, to bound the memory

# Shifts and masks that add up neighbouring counts, of 1, 2, 4, 8, 16 and 32 bits each.
_POPCOUNT_STEPS = [
    (np.uint64(shift), np.uint64((2**64 - 1) // (2**shift + 1))) for shift in (1, 2, 4, 8, 16, 32)
]

assert MAX_HASH_DISTANCE < 2 * _BANDS

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Join:
    """A pair of posts of one group.

    Attributes:
        id: the lower post id.
        other: the higher post id.
        reason: one of `REASONS`.
    """

    id: int
    other: int
    reason: str


@dataclass(frozen=True)
class DuplicateGroups:
    """Groups of posts that show the same, most of them of one post.

    Attributes:
        first: the lowest post id of the group by post id, ascending.
        joins: the pairs that connect the groups, as few as possible: each merged two groups.
    """

    first: dict[int, int]
    joins: list[Join]

    @property
    def counts(self) -> dict[str, int]:
        """The number of joins by reason, 0 included: posts to drop to keep one of each group."""
        joins = Counter(join.reason for join in self.joins)
        return {reason: joins[reason] for reason in REASONS}


def group_duplicates(pictures: pl.DataFrame, *, mirrored: bool = False) -> DuplicateGroups:
    """Group posts by the bytes of their pictures, by perceptual hash, and by tags.

    Pictures look the same if their hashes differ in at most `MAX_HASH_DISTANCE` bits and their
    aspects by at most 3 %. Posts whose ids are at most `MAX_ID_DISTANCE` apart are variants if both
    have at least `MIN_TAGS` tags, of Jaccard index `MIN_JACCARD` or more.

    Args:
        pictures: a row per post, with the columns `id` (each once), `sha256`, `phash` (hex digits
            as in `PictureStats`; all 0 equals no other), `phash_mirrored` if mirror images count,
            `width` and `height` (pixels), and `tags` (separated by spaces).
        mirrored: whether a picture and its mirror image look the same.
    """
    pictures = pictures.sort("id")
    ids: list[int] = pictures["id"].to_list()
    groups = _UnionFind(len(ids))
    joins = []
    for reason, pairs in (
        (SAME_BYTES, _equal_rows(pictures.select("sha256"))),
        (SAME_LOOK, _similar_looks(pictures, mirrored=mirrored)),
        (SAME_TAGS, _tag_variants(ids, pictures["tags"].to_list())),
    ):
        joins += [
            Join(ids[low], ids[high], reason) for low, high in pairs if groups.union(low, high)
        ]
    return DuplicateGroups(
        {post_id: ids[groups.find(row)] for row, post_id in enumerate(ids)}, joins
    )


def read_features(
    screens: Sequence[Path], posts: Sequence[Path], ids: Collection[int]
) -> pl.DataFrame:
    """Read the table that `group_duplicates` takes.

    Args:
        screens: tables of `screen_shard`.
        posts: tables with the columns id and tags.
        ids: post ids of the pictures.
    """
    names = ["id", "sha256", "phash", "phash_mirrored", "width", "height"]
    stats = pl.concat(scan_table(table).select(names) for table in screens)
    tags = pl.concat(scan_table(table).select("id", "tags") for table in posts)
    selected = pl.LazyFrame({"id": sorted(ids)}, schema={"id": pl.Int64})
    return selected.join(stats, on="id").join(tags, on="id").collect()


def write_groups(groups: DuplicateGroups, folder: Path) -> None:
    """Write `groups.parquet`, with the id and the first id of its group, and `joins.parquet`."""
    members = {"id": list(groups.first), "first": list(groups.first.values())}
    schema = {"id": pl.Int64, "first": pl.Int64}
    write_table(pl.DataFrame(members, schema=schema), folder / "groups.parquet")
    rows = [(join.id, join.other, join.reason) for join in groups.joins]
    names = {"id": pl.Int64, "other": pl.Int64, "reason": pl.String}
    write_table(pl.DataFrame(rows, schema=names, orient="row"), folder / "joins.parquet")


class _UnionFind:
    """Union-find over rows; the root of a group is its lowest row."""

    def __init__(self, rows: int) -> None:
        self._parents = list(range(rows))

    def find(self, row: int) -> int:
        """Return the root of a row's group."""
        parents = self._parents
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row

    def union(self, one: int, other: int) -> bool:
        """Merge the groups of two rows; return False if they were in one group already."""
        low, high = sorted((self.find(one), self.find(other)))
        self._parents[high] = low
        return low != high


def _equal_rows(columns: pl.DataFrame) -> Iterator[tuple[int, int]]:
    """Yield a pair for every row that equals earlier ones: the first of these, and the row."""
    first: dict[tuple[object, ...], int] = {}
    for row, key in enumerate(columns.iter_rows()):
        earlier = first.setdefault(key, row)
        if earlier != row:
            yield earlier, row


def _similar_looks(pictures: pl.DataFrame, *, mirrored: bool) -> Iterator[tuple[int, int]]:
    """Yield the pairs of rows that look the same; rows of equal statistics only with the first."""
    blank = "0" * (HASH_BITS // 4)
    names = ["phash", "width", "height", *(["phash_mirrored"] if mirrored else [])]
    stats = pictures.select(names).with_row_index("row")
    stats = stats.filter(pl.col("phash") != blank)
    rows = stats["row"].to_numpy().astype(np.int64)
    stats = stats.drop("row")
    equal = list(_equal_rows(stats))
    yield from ((int(rows[low]), int(rows[high])) for low, high in equal)
    unique = np.ones(len(rows), bool)
    unique[[high for _, high in equal]] = False
    rows, stats = rows[unique], stats.filter(unique)
    hashes = _read_hashes(stats["phash"])
    aspect = np.log(stats["width"].to_numpy() / stats["height"].to_numpy())
    for low, high in _near_hashes(hashes, aspect):
        yield from zip(rows[low].tolist(), rows[high].tolist(), strict=True)
    if mirrored:
        both = np.concatenate([hashes, _read_hashes(stats["phash_mirrored"])])
        yield from _mirror_images(rows, both, aspect)


def _mirror_images(
    rows: NDArray[np.int64], both: NDArray[np.uint8], aspect: NDArray[np.float64]
) -> Iterator[tuple[int, int]]:
    """Yield the pairs of rows of which one looks like the mirror image of the other.

    Args:
        rows: (N,), ascending.
        both: (2 * N, HASH_BITS // 8): the hashes of all pictures, then of their mirror images.
        aspect: (N,), the logarithm of width by height.
    """
    count = len(rows)
    for one, other in _near_hashes(both, np.tile(aspect, 2)):
        crossed = (one < count) & (other >= count) & (one != other - count)
        pairs = np.sort(np.stack([one[crossed], other[crossed] - count], axis=1), axis=1)
        yield from ((int(low), int(high)) for low, high in rows[pairs])


def _read_hashes(texts: pl.Series) -> NDArray[np.uint8]:
    """Return hashes of hexadecimal digits as (N, HASH_BITS // 8)."""
    content = bytes.fromhex("".join(texts.to_list()))
    return np.frombuffer(content, np.uint8).reshape(-1, HASH_BITS // 8)


def _near_hashes(hashes: NDArray[np.uint8], aspect: NDArray[np.float64]) -> Iterator[Pairs]:
    """Yield the pairs of near hashes and similar aspects, in batches; a pair may be repeated.

    Args:
        hashes: (N, HASH_BITS // 8).
        aspect: (N,), the logarithm of width by height.
    """
    words = hashes.view(np.uint64)  # (N, 4)
    for key in _band_keys(hashes):
        for low, high in _candidate_pairs(key):
            similar = np.abs(aspect[low] - aspect[high]) <= MAX_LOG_ASPECT_RATIO
            low, high = low[similar], high[similar]
            distance = np.zeros(len(low), np.uint64)
            for word in words.T:  # most pairs are out after two of the four
                distance += _popcount(word[low] ^ word[high])
                near = distance <= MAX_HASH_DISTANCE
                low, high, distance = low[near], high[near], distance[near]
            yield np.minimum(low, high), np.maximum(low, high)


def _band_keys(hashes: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Split hashes into bands, (_BANDS, N), of bits of all frequencies: low ones vary less."""
    bits = np.unpackbits(hashes, axis=1).reshape(-1, _BAND_BITS, _BANDS)
    packed = np.packbits(bits.transpose(2, 0, 1), axis=2)  # (_BANDS, N, 2)
    keys: NDArray[np.uint16] = packed[..., 0] * np.uint16(256) + packed[..., 1]
    return keys


def _candidate_pairs(key: NDArray[np.uint16]) -> Iterator[Pairs]:
    """Yield the pairs whose band differs in at most one bit, each once.

    Args:
        key: (N,), one band of the hashes.
    """
    order = np.argsort(key, kind="stable")
    counts = np.bincount(key, minlength=1 << _BAND_BITS)
    starts = np.cumsum(counts) - counts  # of the ranges of equal keys in `order`
    ends = starts + counts
    yield from _pairs_of_ranges(order, order, np.arange(1, len(key) + 1), ends[key[order]])
    for bit in range(_BAND_BITS):
        clear = order[key[order] >> bit & 1 == 0]
        flipped = key[clear] | (1 << bit)
        yield from _pairs_of_ranges(clear, order, starts[flipped], ends[flipped])


def _pairs_of_ranges(
    rows: NDArray[np.int64],
    order: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> Iterator[Pairs]:
    """Yield pairs of each row and all of `order` from its start to its end, in batches."""
    lengths = ends - starts
    totals = np.cumsum(lengths)
    begin = 0
    while begin < len(rows):
        done = totals[begin] - lengths[begin]
        stop = max(begin + 1, int(np.searchsorted(totals, done + _MAX_PAIRS, side="right")))
        batch = slice(begin, stop)
        indices = np.arange(totals[stop - 1] - done)
        offsets = np.repeat(starts[batch] - totals[batch] + lengths[batch] + done, lengths[batch])
        yield np.repeat(rows[batch], lengths[batch]), order[offsets + indices]
        begin = stop


def _tag_variants(ids: list[int], texts: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of rows whose ids are close together and whose tags are nearly the same."""
    recent: deque[tuple[int, int, frozenset[str]]] = deque(maxlen=MAX_ID_DISTANCE)
    for row, (post_id, text) in enumerate(zip(ids, texts, strict=True)):
        tags = frozenset(text.split())
        for earlier, near_id, other in recent:
            if (
                post_id - near_id <= MAX_ID_DISTANCE
                and min(len(tags), len(other)) >= MIN_TAGS
                and len(tags & other) / len(tags | other) >= MIN_JACCARD
            ):
                yield earlier, row
        recent.append((row, post_id, tags))


def _popcount(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the number of bits that are set in each; np.bitwise_count, which NumPy 1.26 lacks."""
    for shift, mask in _POPCOUNT_STEPS:
        words = (words & mask) + (words >> shift & mask)
    return words
