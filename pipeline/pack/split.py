"""Split pictures into a training set and a test set, by hash of the post id."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sketch_models.errors import SengaError
from sketch_models.option import Options, option

TRAIN = "train"
TEST = "test"
SPLITS = (TRAIN, TEST)


@dataclass(frozen=True, kw_only=True)
class SplitOptions(Options, section="split"):
    """Size of the test set, and which pictures are never on both sides."""

    test_size: float = option(
        100, "pictures in the test set: a count if 1 or more, a share if between 0 and 1", above=0
    )
    mirrored: bool = option(False, "whether a picture and its mirror image are duplicates")

    def __post_init__(self) -> None:
        """Check that it is a count or a share."""
        super().__post_init__()
        self.require(
            self.test_size < 1 or self.test_size == int(self.test_size),
            "test_size",
            "a whole number from 1, or a share between 0 and 1, such as 0.05",
        )


def split_ids(
    ids: Collection[int],
    options: SplitOptions,
    seed: int,
    groups: Mapping[int, int] | None = None,
) -> dict[int, str]:
    """Assign each picture to the training set or the test set.

    Groups of pictures that show the same, most of them of one picture, are ordered by the hash of
    the seed and their first id, which does not depend on other groups; no group is in both sets.
    The order of `ids` does not matter.

    With a share, the groups whose hash lies below that share of the range are the test set: a
    picture never changes its set, however the dataset grows or shrinks, unless it joins a group.
    The test set has about that share of the pictures, not exactly.

    With a count, the groups of the lowest hashes are the test set, exactly that many pictures; the
    surplus of the last group is in neither set. If the dataset grows, a new group of a lower hash
    may move the highest one to the training set: a test picture may become a training picture, but
    a training picture never becomes a test picture. If ids are removed, it is the other way round.
    To compare results before and after, train from scratch, or use a share.

    Args:
        ids: post ids, each once.
        options: the size of the test set.
        seed: another seed gives another, unrelated split.
        groups: the first id of the group by post id; if None, every picture is a group.

    Returns:
        `TRAIN` or `TEST` by id, ascending by id.

    Raises:
        SengaError: if one of the sets would be empty.
    """
    size = options.test_size
    if size >= 1 and size >= len(ids):
        raise SengaError(
            f"[split] test_size = {int(size)}: of {len(ids)} pictures, none would be left for "
            "training. Lower it, or loosen [filter]."
        )
    members: dict[int, list[int]] = {}
    for post_id in sorted(ids):
        members.setdefault(groups[post_id] if groups else post_id, []).append(post_id)
    hashes = {first: _hash(first, seed) for first in members}
    split: dict[int, str] = {}
    for first in sorted(members, key=lambda first: (hashes[first], first)):
        capacity = _test_capacity(hashes[first], len(split), size)
        if capacity > 0:
            split |= dict.fromkeys(members[first][:capacity], TEST)
        else:
            split |= dict.fromkeys(members[first], TRAIN)
    if len(set(split.values())) < 2:
        in_test = list(split.values()).count(TEST)
        raise SengaError(
            f"[split] test_size = {size}: {in_test} of {len(ids)} pictures would be in the test "
            "set, so that one of the sets is empty. Use a count, or loosen [filter]."
        )
    return dict(sorted(split.items()))


def _test_capacity(group_hash: int, in_test: int, size: float) -> int:
    """Return how many pictures of a group the test set may take.

    Args:
        group_hash: hash of the group, in [0, 2**64).
        in_test: pictures in the test set so far.
        size: `SplitOptions.test_size`.
    """
    if size < 1:
        return sys.maxsize if group_hash < size * 2**64 else 0
    return max(0, int(size) - in_test)


def write_split(split: Mapping[int, str], target: Path) -> dict[str, int]:
    """Write a Parquet file with the columns id (int64) and part (train or test).

    Returns:
        The number of pictures by split.
    """
    columns = {"id": list(split), "part": list(split.values())}
    pl.DataFrame(columns, schema={"id": pl.Int64, "part": pl.String}).write_parquet(target)
    counts = Counter(split.values())
    return {split_name: counts[split_name] for split_name in SPLITS}


def read_split(table: Path) -> dict[int, str]:
    """Read the table that `write_split` wrote: `TRAIN` or `TEST` by id, ascending by id."""
    return dict(pl.read_parquet(table, columns=["id", "part"], glob=False).iter_rows())


def _hash(post_id: int, seed: int) -> int:
    """Return a uniform number in [0, 2**64) that depends on the seed and the id alone."""
    digest = hashlib.blake2b(f"{seed}:{post_id}".encode(), digest_size=8, person=b"split")
    return int.from_bytes(digest.digest(), "big")
