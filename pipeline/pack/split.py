"""Sets pictures apart for testing, by hash of the post id."""

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


@dataclass(frozen=True, kw_only=True)
class SplitOptions(Options, section="split"):
    """How many pictures to set apart for testing."""

    test_size: float = option(
        100, "pictures in the test set: a count if 1 or more, a share if between 0 and 1", above=0
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
) -> dict[int, str]:
    """Says for each picture whether it is for training or for testing.

    Every group of pictures that show the same, most of them of one picture, has a fixed place in a
    shuffled order, the hash of its first id under the seed, whatever other groups there are; no
    group is on both sides. The order of `ids` changes nothing.

    With a share, the groups whose hash lies below that share of the range are for testing: a
    picture never changes side, however the dataset grows or shrinks, unless it joins a group. The
    test set has about that share of the pictures, not exactly.

    With a count, the groups of the lowest hashes are for testing, exactly that many pictures; what
    the last of them has too many is on neither side. As the dataset grows by new ids, one of lower
    hash may come in and push the highest out into the training set: a test picture can turn into a
    training picture, but a training picture never turns into a test picture. Where ids go away, it
    is the other way round.
    Train afresh, then, or use a share, if results before and after are to be compared.

    Args:
        ids: post ids, each once.
        options: the size of the test set.
        seed: another seed gives another, unrelated split.
        groups: the first id of its group by post id; every picture is a group where None.

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
    members: dict[int, list[int]] = {}
    for post_id in sorted(ids):
        members.setdefault(groups[post_id] if groups else post_id, []).append(post_id)
    places = {first: _place(first, seed) for first in members}
    split: dict[int, str] = {}
    for first in sorted(members, key=lambda first: (places[first], first)):
        left = _left(places[first], len(split), size)
        if left > 0:
            split |= dict.fromkeys(members[first][:left], TEST)
        else:
            split |= dict.fromkeys(members[first], TRAIN)
    if len(set(split.values())) < 2:
        tested = list(split.values()).count(TEST)
        raise SengaError(
            f"[split] test_size = {size} puts {tested} of {len(ids)} pictures into the test "
            "set, expected at least one on each side: give a count, or let more posts through the "
            "filter."
        )
    return dict(sorted(split.items()))


def _left(place: int, tested: int, size: float) -> int:
    """How many pictures of a group the test set still takes.

    Args:
        place: of the group, in [0, 2**64).
        tested: pictures in the test set so far.
        size: `SplitOptions.test_size`.
    """
    if size < 1:
        return sys.maxsize if place < size * 2**64 else 0
    return max(0, int(size) - tested)


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
