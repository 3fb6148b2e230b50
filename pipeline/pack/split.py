"""Split pictures into a training set and a test set, by hash of a post id."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.table import read_table, write_table
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
    fresh: bool = option(
        False,
        "set the ledger of earlier splits aside: old pictures may change sides",
        affects_result=False,
    )

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
    recorded: Mapping[int, int] | None = None,
    *,
    one_each: bool = False,
) -> dict[int, str]:
    """Assign each picture to the training set or the test set.

    Pictures of one recorded first id are ordered by the hash of the seed and that id, which depends
    on no other picture. A group of pictures that show the same is in the training set if one of
    them belongs there, so that no group is in both sets. The order of `ids` does not matter.

    With a share, what has a hash below that share of the range belongs to the test set, which has
    about that share of the pictures, not exactly; the lowest hash does in any case. With a count,
    the lowest hashes do, that many pictures; the surplus of the last first id is in neither set.

    However the dataset grows, a training picture never becomes a test picture, if all splits are of
    one ledger (see `pipeline.pack.ledger`). A test picture becomes a training picture only
    - with a share, if a new post joins its group with one of the training set, or if it was there
      as the lowest hash alone and a new picture has a lower one;
    - with a count, if so, or if new pictures of lower hashes take its place. So a test set whose
      groups were joined with those of the training set has fewer pictures than the count.
    With a count, if ids are removed, it is the other way round.

    Args:
        ids: post ids, each once.
        options: the size of the test set.
        seed: another seed gives another, unrelated split.
        groups: the first id of the group by post id; if None, every picture is a group.
        recorded: the first id that decides, by post id, in the order in which they were recorded;
            if None, that of the group.
        one_each: keep the first picture of every group alone.

    Returns:
        `TRAIN` or `TEST` by id, ascending by id.

    Raises:
        SengaError: if one of the sets would be empty.
    """
    size = options.test_size
    first = groups or {post_id: post_id for post_id in ids}
    kept = [post_id for post_id in ids if not one_each or first[post_id] == post_id]
    if size >= 1 and size >= len(kept):
        raise SengaError(
            f"[split] test_size = {int(size)}: of {len(kept)} pictures, none would be left for "
            "training. Lower it, or loosen [filter]."
        )
    parts = _parts(_members(ids, recorded or first), size, seed, one_each=one_each)
    in_train = {first[post_id] for post_id, part in parts.items() if part == TRAIN}
    split = {
        post_id: TRAIN if first[post_id] in in_train else TEST
        for post_id in sorted(kept)
        if first[post_id] in in_train or post_id in parts
    }
    if len(set(split.values())) < 2:
        in_test = list(split.values()).count(TEST)
        raise SengaError(
            f"[split] test_size = {size}: {in_test} of {len(kept)} pictures would be in the test "
            "set, so that one of the sets is empty. Use a count, or loosen [filter]."
        )
    return split


def _members(ids: Collection[int], recorded: Mapping[int, int]) -> dict[int, list[int]]:
    """Return the post ids by recorded first id, in the order in which they were recorded."""
    present = set(ids)
    members: dict[int, list[int]] = {}
    for post_id, first in recorded.items():
        if post_id in present:
            members.setdefault(first, []).append(post_id)
    return members


def _parts(
    members: Mapping[int, Sequence[int]], size: float, seed: int, *, one_each: bool
) -> dict[int, str]:
    """Return where each picture belongs if its group is left out of account; not the surplus.

    Args:
        members: post ids by recorded first id.
        size: `SplitOptions.test_size`.
        seed: of the hashes.
        one_each: whether the pictures of a first id count as one.
    """
    hashes = {first: _hash(first, seed) for first in members}
    parts: dict[int, str] = {}
    in_test = 0
    for first in sorted(members, key=lambda first: (hashes[first], first)):
        capacity = _test_capacity(hashes[first], in_test, size)
        if capacity <= 0:
            parts |= dict.fromkeys(members[first], TRAIN)
            continue
        inside = members[first] if one_each else members[first][:capacity]
        parts |= dict.fromkeys(inside, TEST)
        in_test += 1 if one_each else len(inside)
    return parts


def _test_capacity(group_hash: int, in_test: int, size: float) -> int:
    """Return how many pictures of a group the test set may take.

    Args:
        group_hash: hash of the group, in [0, 2**64).
        in_test: pictures in the test set so far.
        size: `SplitOptions.test_size`.
    """
    if size < 1:
        return sys.maxsize if in_test == 0 or group_hash < size * 2**64 else 0
    return max(0, int(size) - in_test)


def write_split(split: Mapping[int, str], target: Path) -> dict[str, int]:
    """Write a Parquet file with the columns id (int64) and part (train or test).

    Returns:
        The number of pictures by split.
    """
    columns = {"id": list(split), "part": list(split.values())}
    write_table(pl.DataFrame(columns, schema={"id": pl.Int64, "part": pl.String}), target)
    counts = Counter(split.values())
    return {split_name: counts[split_name] for split_name in SPLITS}


def read_split(table: Path) -> dict[int, str]:
    """Read the table that `write_split` wrote: `TRAIN` or `TEST` by id, ascending by id.

    Raises:
        DamagedFileError: if it is missing or damaged.
    """
    return dict(read_table(table, ["id", "part"]).iter_rows())


def _hash(post_id: int, seed: int) -> int:
    """Return a uniform number in [0, 2**64) that depends on the seed and the id alone."""
    digest = hashlib.blake2b(f"{seed}:{post_id}".encode(), digest_size=8, person=b"split")
    return int.from_bytes(digest.digest(), "big")
