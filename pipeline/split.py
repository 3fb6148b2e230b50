"""Sets pictures apart for testing, by hash of the post id."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.errors import SengaError
from pipeline.option import option, require

TRAIN = "train"
TEST = "test"


@dataclass(frozen=True, kw_only=True)
class SplitOptions:
    """How many pictures to set apart for testing: section `[split]`."""

    test_size: float = option(
        100, "pictures in the test set: a count if 1 or more, a share if between 0 and 1"
    )

    def __post_init__(self) -> None:
        size = self.test_size
        require(
            0 < size < 1 or (1 <= size < float("inf") and size == int(size)),
            "[split] test_size",
            size,
            "a whole number from 1, or a share between 0 and 1, such as 0.05",
        )


def split_ids(ids: Collection[int], options: SplitOptions, seed: int) -> dict[int, str]:
    """Says for each picture whether it is for training or for testing.

    Every id has a fixed place in a shuffled order, its hash under the seed, whatever other ids
    there are. The order of `ids` changes nothing.

    With a share, the ids whose hash lies below that share of the range are for testing: an id never
    changes side, however the dataset grows or shrinks. The test set has about that share of the
    pictures, not exactly.

    With a count, the ids of the lowest hashes are for testing, exactly that many. As the dataset
    grows by new ids, one of lower hash may come in and push the highest out into the training set:
    a test picture can turn into a training picture, but a training picture never turns into a
    test picture. Where ids go away, it is the other way round.
    Train afresh, then, or use a share, if results before and after are to be compared.

    Args:
        ids: post ids, each once.
        options: the size of the test set.
        seed: another seed gives another, unrelated split.

    Returns:
        `TRAIN` or `TEST` by id, ascending by id.

    Raises:
        SengaError: where no picture would be left for training, or a share leaves none for testing.
    """
    size = options.test_size
    if size >= 1 and size >= len(ids):
        raise SengaError(
            f"[split] test_size = {int(size)}, but there are {len(ids)} pictures in all: "
            "expected fewer, so that some are left for training; lower it, or let more posts "
            "through the filter."
        )
    places = {post_id: _place(post_id, seed) for post_id in ids}
    if size < 1:
        test = {post_id for post_id, place in places.items() if place < size * 2**64}
    else:
        test = set(sorted(ids, key=lambda post_id: (places[post_id], post_id))[: int(size)])
    if len(test) in (0, len(ids)):
        raise SengaError(
            f"[split] test_size = {size} puts {len(test)} of {len(ids)} pictures into the test "
            "set, expected at least one on each side: give a count, or let more posts through the "
            "filter."
        )
    return {post_id: TEST if post_id in test else TRAIN for post_id in sorted(ids)}


def write_split(split: Mapping[int, str], target: Path) -> dict[str, int]:
    """Writes a parquet file with the columns id (int64) and part (train or test).

    Returns:
        How many pictures each part has.
    """
    columns = {"id": list(split), "part": list(split.values())}
    pl.DataFrame(columns, schema={"id": pl.Int64, "part": pl.String}).write_parquet(target)
    counts = Counter(split.values())
    return {part: counts[part] for part in (TRAIN, TEST)}


def read_split(table: Path) -> dict[int, str]:
    """The table that `write_split` wrote: `TRAIN` or `TEST` by id, ascending by id."""
    return dict(pl.read_parquet(table, columns=["id", "part"]).iter_rows())


def _place(post_id: int, seed: int) -> int:
    """A uniform number in [0, 2**64) that depends on the seed and the id alone."""
    digest = hashlib.blake2b(f"{seed}:{post_id}".encode(), digest_size=8, person=b"split")
    return int.from_bytes(digest.digest(), "big")
