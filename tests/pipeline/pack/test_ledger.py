"""The ledger of sides, and what it promises about splits of a dataset that grows."""

from __future__ import annotations

import errno
import random
from pathlib import Path

import pytest

from pipeline.pack import ledger as ledger_file
from pipeline.pack.ledger import read_ledger, record, write_ledger
from pipeline.pack.split import TEST, TRAIN, SplitOptions, split_ids
from sketch_models.errors import SengaError


def test_new_posts_follow_the_member_recorded_first() -> None:
    ledger = record({}, {10: 10, 11: 10, 20: 20})
    assert ledger == {10: 10, 11: 10, 20: 20}
    ledger = record(ledger, {5: 5, 10: 5, 11: 5, 20: 20, 21: 20, 30: 30})
    assert list(ledger.items())[3:] == [(5, 10), (21, 20), (30, 30)]
    ledger = record(ledger, {3: 3, 10: 3, 20: 3})  # 3 joins two groups
    assert ledger[3] == 10
    assert record(ledger, {3: 3, 10: 3, 20: 3}) == ledger


def test_ledger_is_read_back_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "split" / "ledger-0.parquet"
    assert read_ledger(path) == {}
    write_ledger({20: 20, 5: 20, 7: 7}, path)
    assert list(read_ledger(path).items()) == [(20, 20), (5, 20), (7, 7)]


def test_damaged_ledger_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "ledger-0.parquet"
    write_ledger({20: 20}, path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(
        SengaError, match=r"ledger-0\.parquet is damaged.*--split-fresh true"
    ) as caught:
        read_ledger(path)
    assert "\n" not in str(caught.value)


def test_ledgers_are_set_aside_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "ledger-0.parquet"
    for number in (1, 2, 3):
        write_ledger({number: number}, path, keep_old=True)
    assert read_ledger(path) == {3: 3}
    assert read_ledger(tmp_path / "ledger-0.1.parquet") == {1: 1}
    assert read_ledger(tmp_path / "ledger-0.2.parquet") == {2: 2}
    assert len(list(tmp_path.iterdir())) == 3


def test_file_system_without_links_keeps_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.link", link)
    path = tmp_path / "ledger-0.parquet"
    for number in (1, 2):
        write_ledger({number: number}, path, keep_old=True)
    assert read_ledger(path) == {2: 2}
    assert read_ledger(tmp_path / "ledger-0.1.parquet") == {1: 1}


def test_ledger_that_cannot_be_written_leaves_the_old_one_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger-0.parquet"
    write_ledger({1: 1}, path)

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(ledger_file, "write_table", fail)
    with pytest.raises(SengaError, match="the disk is full"):
        write_ledger({2: 2}, path, keep_old=True)
    assert [file.name for file in tmp_path.iterdir()] == ["ledger-0.parquet"]
    assert read_ledger(path) == {1: 1}


class Growth:
    """A dataset that grows at random: posts with ids in any order, some of which look the same.

    Attributes:
        ids: of the posts so far.
        groups: the lowest id of the group by post id.
    """

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._new = self._rng.sample(range(1, 10_000), 400)
        self._joins: list[tuple[int, int]] = []
        self._chance = self._rng.choice([0.1, 0.4, 0.7])
        self.ids: list[int] = []
        self.groups: dict[int, int] = {}

    def grow(self, posts: int) -> None:
        """Add posts; some show the same as one of the others, some as two."""
        for _ in range(posts):
            post_id = self._new.pop()
            for _ in range(2):
                if self.ids and self._rng.random() < self._chance:
                    self._joins.append((post_id, self._rng.choice(self.ids)))
            self.ids.append(post_id)
        self.groups = {post_id: post_id for post_id in sorted(self.ids)}
        for _ in self._joins:  # until the lowest id has gone through every chain
            for one, other in self._joins:
                low = min(self.groups[one], self.groups[other])
                self.groups[one] = self.groups[other] = low


SPLITS = [(size, one_each) for size in (0.2, 0.5, 1, 15, 40) for one_each in (False, True)]


@pytest.mark.parametrize(("size", "one_each"), SPLITS)
@pytest.mark.parametrize("seed", range(6))
def test_sides_of_a_growing_dataset_keep_the_promise(
    seed: int, size: float, one_each: bool
) -> None:
    """A training picture stays one; with a share, only a group that a train group joins moves."""
    growth = Growth(seed)
    ledger: dict[int, int] = {}
    before: dict[int, str] = {}
    in_train: set[int] = set()  # all that were ever there
    growth.grow(120)
    for _ in range(12):
        ledger = record(ledger, growth.groups)
        split = split_ids(
            growth.ids, SplitOptions(test_size=size), seed, growth.groups, ledger, one_each=one_each
        )
        of_group: dict[int, set[str]] = {}
        for post_id, part in split.items():
            of_group.setdefault(growth.groups[post_id], set()).add(part)
        assert all(len(parts) == 1 for parts in of_group.values())
        now_in_test = {post_id for post_id, part in split.items() if part == TEST}
        assert not now_in_test & in_train
        moved = {n for n, part in before.items() if part == TEST and split.get(n) == TRAIN}
        if size < 1:
            train_groups = {growth.groups[post_id] for post_id in in_train}
            assert {growth.groups[post_id] for post_id in moved} <= train_groups
        else:
            assert len(now_in_test) <= size
        in_train |= {post_id for post_id, part in split.items() if part == TRAIN}
        before = split
        growth.grow(random.Random(seed).randint(1, 12))


def test_count_is_exact_until_groups_of_both_sides_are_joined() -> None:
    ids = list(range(100, 200))
    options = SplitOptions(test_size=20)
    groups = {n: n for n in ids}
    ledger = record({}, groups)
    split = split_ids(ids, options, 0, groups, ledger)
    test = [n for n, part in split.items() if part == TEST]
    train = [n for n, part in split.items() if part == TRAIN]
    assert len(test) == 20
    assert train[0] < test[-1]
    joined = groups | {1: 1, train[0]: 1, test[-1]: 1}
    after = split_ids([1, *ids], options, 0, joined, record(ledger, joined))
    assert [n for n, part in after.items() if part == TEST] == test[:-1]
    assert after[1] == after[test[-1]] == TRAIN


@pytest.mark.parametrize("size", [0.3, 60])
def test_post_with_a_lower_id_moves_none_of_its_group(size: float) -> None:
    options = SplitOptions(test_size=size)
    groups = {n: n - n % 10 for n in range(1000, 1200)}
    ledger = record({}, groups)
    before = split_ids(groups, options, 0, groups, ledger)
    for first in range(1000, 1200, 10):
        new = first - 999
        grown = {n: new if of == first else of for n, of in groups.items()} | {new: new}
        after = split_ids(grown, options, 0, grown, record(ledger, grown))
        if size < 1:
            assert {n: after[n] for n in before} == before
            assert after[new] == before[first]
        train = {n for n, part in before.items() if part == TRAIN}
        assert {after[n] for n in train} == {TRAIN}
