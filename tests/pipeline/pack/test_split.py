from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.pack.split import TEST, TRAIN, SplitOptions, read_split, split_ids, write_split
from sketch_models.errors import ConfigError, SengaError

IDS = st.sets(st.integers(1, 2**63 - 1), min_size=3, max_size=200)
SEEDS = st.integers(0, 2**32)
FUZZ = settings(max_examples=60, deadline=None, derandomize=True)


def part(split: dict[int, str], name: str) -> set[int]:
    return {post_id for post_id, of_post in split.items() if of_post == name}


@FUZZ
@given(ids=IDS, count=st.integers(1, 200), seed=SEEDS)
def test_count_is_exact_and_sets_do_not_overlap(ids: set[int], count: int, seed: int) -> None:
    count = min(count, len(ids) - 1)
    split = split_ids(ids, SplitOptions(test_size=count), seed)
    assert len(part(split, TEST)) == count
    assert part(split, TRAIN) | part(split, TEST) == ids
    assert list(split) == sorted(ids)


@FUZZ
@given(ids=IDS, more=IDS, count=st.integers(1, 200), seed=SEEDS)
def test_growth_never_moves_a_training_picture_to_the_test_set(
    ids: set[int], more: set[int], count: int, seed: int
) -> None:
    options = SplitOptions(test_size=min(count, len(ids) - 1))
    before, after = split_ids(ids, options, seed), split_ids(ids | more, options, seed)
    assert part(before, TRAIN) <= part(after, TRAIN)


def grouped(ids: set[int], width: int) -> dict[int, int]:
    """Group ids by their quotient by `width`; the lowest is the first of its group."""
    first: dict[int, int] = {}
    for post_id in sorted(ids):
        first.setdefault(post_id // width, post_id)
    return {post_id: first[post_id // width] for post_id in ids}


SMALL = st.sets(st.integers(1, 300), min_size=10, max_size=120)


@FUZZ
@given(ids=SMALL, width=st.integers(1, 20), size=st.integers(1, 9) | st.floats(0.1, 0.9))
def test_no_group_is_in_both_sets(ids: set[int], width: int, size: float) -> None:
    groups = grouped(ids, width)
    try:
        split = split_ids(ids, SplitOptions(test_size=size), 0, groups)
    except SengaError:  # too few groups for two parts, or a share too small for any of them
        assert size < 1 or len(set(groups.values())) <= 9
        return
    parts: dict[int, set[str]] = {}
    for post_id, of_post in split.items():
        parts.setdefault(groups[post_id], set()).add(of_post)
    assert all(len(of_group) == 1 for of_group in parts.values())
    if size >= 1:
        assert len(part(split, TEST)) == size
        left_out = ids - set(split)
        assert len({groups[post_id] for post_id in left_out}) <= 1
        assert all(parts[groups[post_id]] == {TEST} for post_id in left_out)
    else:
        assert set(split) == ids


@FUZZ
@given(
    ids=SMALL, more=st.sets(st.integers(301, 600)), width=st.integers(1, 5), count=st.integers(1, 5)
)
def test_growth_of_groups_never_moves_a_training_picture_to_the_test_set(
    ids: set[int], more: set[int], width: int, count: int
) -> None:
    options = SplitOptions(test_size=count)
    try:
        before = split_ids(ids, options, 1, grouped(ids, width))
    except SengaError:
        return
    after = split_ids(ids | more, options, 1, grouped(ids | more, width))
    assert part(before, TRAIN) <= part(after, TRAIN)


@given(seed=SEEDS, start=st.integers(1, 2**40), grown=st.integers(1, 500))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_with_a_share_no_picture_changes_its_set(seed: int, start: int, grown: int) -> None:
    options = SplitOptions(test_size=0.2)
    ids = range(start, start + 300)
    before = split_ids(ids, options, seed)
    after = split_ids(range(start, start + 300 + grown), options, seed)
    assert all(after[post_id] == of_post for post_id, of_post in before.items())


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9])
def test_share_is_approximate(share: float) -> None:
    split = split_ids(range(1, 20_001), SplitOptions(test_size=share), seed=1)
    deviation = (share * (1 - share) / 20_000) ** 0.5
    assert len(part(split, TEST)) / 20_000 == pytest.approx(share, abs=4 * deviation)


@pytest.mark.parametrize("size", [30, 0.3])
def test_split_depends_on_the_seed_but_not_on_order(size: float) -> None:
    options = SplitOptions(test_size=size)
    ids = list(range(1, 201))
    assert split_ids(ids[::-1], options, 1) == split_ids(ids, options, 1)
    assert split_ids(ids, options, 2) != split_ids(ids, options, 1)


def test_split_of_a_seed_never_changes() -> None:
    split = split_ids(range(1, 21), SplitOptions(test_size=4), seed=0)
    assert sorted(part(split, TEST)) == [6, 9, 10, 16]


@pytest.mark.parametrize("size", [0, -1, 1.5, float("nan"), float("inf"), -0.2])
def test_wrong_sizes_are_named(size: float) -> None:
    with pytest.raises(ConfigError, match=r"\[split\] test_size"):
        SplitOptions(test_size=size)


def test_a_share_of_few_pictures_is_one() -> None:
    split = split_ids(range(1, 6), SplitOptions(test_size=0.0001), seed=0)
    assert sorted(split.values()) == [TEST] + [TRAIN] * 4


@pytest.mark.parametrize(("size", "ids"), [(5, 5), (100, 5), (1, 1), (1, 0), (0.0001, 1), (0.5, 0)])
def test_empty_set_is_refused(size: float, ids: int) -> None:
    with pytest.raises(SengaError, match="test_size") as caught:
        split_ids(range(1, ids + 1), SplitOptions(test_size=size), seed=0)
    assert "\n" not in str(caught.value)


def test_split_is_written_as_parquet(tmp_path: Path) -> None:
    split = split_ids(range(1, 11), SplitOptions(test_size=3), seed=0)
    assert write_split(split, tmp_path / "split.parquet") == {TRAIN: 7, TEST: 3}
    table = pl.read_parquet(tmp_path / "split.parquet")
    assert table.schema == {"id": pl.Int64, "part": pl.String}
    assert dict(table.iter_rows()) == split


@pytest.mark.parametrize("size", [7, 0.3])
def test_one_of_each_group_is_kept(size: float) -> None:
    groups = grouped(set(range(1, 201)), 4)
    split = split_ids(range(1, 201), SplitOptions(test_size=size), 3, groups, one_each=True)
    assert list(split) == sorted(set(groups.values()))
    in_test = len(part(split, TEST))
    assert in_test == 7 if size == 7 else 5 <= in_test <= 25
    whole = split_ids(range(1, 201), SplitOptions(test_size=size), 3, groups)
    if size < 1:
        assert split == {post_id: whole[post_id] for post_id in split}


def test_split_is_read_back(tmp_path: Path) -> None:
    write_split({2: TRAIN, 9: TEST, 11: TRAIN}, tmp_path / "split.parquet")
    assert read_split(tmp_path / "split.parquet") == {2: TRAIN, 9: TEST, 11: TRAIN}


def test_options_of_the_split() -> None:
    assert asdict(SplitOptions()) == {"test_size": 100, "mirrored": False, "fresh": False}
