from __future__ import annotations

import math
import random
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sample_booru.artist.draw import draw
from pipeline.screen import duplicates
from pipeline.screen.duplicates import (
    MAX_HASH_DISTANCE,
    REASONS,
    Join,
    group_duplicates,
    read_features,
    write_groups,
)
from pipeline.screen.picture_stats import HASH_BITS, compute_stats
from pipeline.table import read_table, write_table

TAGS = [f"tag_{number}" for number in range(12)]
FUZZ = settings(max_examples=60, deadline=None, derandomize=True)


@dataclass(frozen=True)
class Row:
    id: int
    sha256: str
    phash: str
    width: int = 800
    height: int = 1000
    tags: str = ""
    phash_mirrored: str = "f" * 64


def frame(rows: list[Row]) -> pl.DataFrame:
    schema = dict.fromkeys(("id", "width", "height"), pl.Int64)
    schema |= dict.fromkeys(("sha256", "phash", "phash_mirrored", "tags"), pl.String)
    columns = {name: [getattr(row, name) for row in rows] for name in schema}
    return pl.DataFrame(columns, schema=schema)


def joins_of(rows: list[Row]) -> list[Join]:
    return group_duplicates(frame(rows)).joins


def to_hex(number: int) -> str:
    return f"{number:064x}"


def is_duplicate(one: Row, other: Row) -> bool:
    """Return whether two posts are duplicates, straight from the definition."""
    distance = (int(one.phash, 16) ^ int(other.phash, 16)).bit_count()
    log_ratio = abs(math.log(one.width / one.height) - math.log(other.width / other.height))
    hashed = int(one.phash, 16) != 0 != int(other.phash, 16)
    tags, others = set(one.tags.split()), set(other.tags.split())
    return (
        one.sha256 == other.sha256
        or (hashed and distance <= MAX_HASH_DISTANCE and log_ratio <= 0.03)
        or (
            abs(one.id - other.id) <= 3
            and len(tags) >= 8
            and len(others) >= 8
            and len(tags & others) >= 0.8 * len(tags | others)
        )
    )


def brute_force_groups(rows: list[Row]) -> dict[int, int]:
    """Propagate the lowest ids over all pairs of duplicates until nothing changes."""
    lowest = {row.id: row.id for row in rows}
    pairs = [(a.id, b.id) for a, b in combinations(rows, 2) if is_duplicate(a, b)]
    for _ in rows:
        for one, other in pairs:
            lowest[one] = lowest[other] = min(lowest[one], lowest[other])
    return lowest


@st.composite
def posts(draw_value: st.DrawFn) -> list[Row]:
    rng = random.Random(draw_value(st.integers(0, 2**32)))
    hashes = [rng.getrandbits(HASH_BITS) for _ in range(3)] + [0]
    rows = []
    for post_id in rng.sample(range(1, 40), draw_value(st.integers(0, 14))):
        phash = rng.choice(hashes)
        for bit in rng.sample(range(HASH_BITS), rng.choice((0, 0, 3, 12, 13, 24, 25, 30))):
            phash ^= 1 << bit
        hashes.append(phash)
        rows.append(
            Row(
                id=post_id,
                sha256=f"{rng.randrange(30):064x}",
                phash=to_hex(phash),
                width=rng.choice((800, 810, 830, 400)),
                height=rng.choice((1000, 1000, 500)),
                tags=" ".join(rng.sample(TAGS, rng.choice((0, 7, 8, 9, 10)))),
            )
        )
    return rows


@FUZZ
@given(rows=posts(), max_pairs=st.sampled_from((1, 3, 1 << 18)))
def test_groups_equal_those_of_comparing_all_pairs(rows: list[Row], max_pairs: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates, "_MAX_PAIRS", max_pairs)
        groups = group_duplicates(frame(rows))
    assert groups.first == brute_force_groups(rows)
    assert list(groups.first) == sorted(row.id for row in rows)


@FUZZ
@given(rows=posts(), seed=st.integers(0, 9))
def test_groups_do_not_depend_on_order(rows: list[Row], seed: int) -> None:
    shuffled = random.Random(seed).sample(rows, len(rows))
    assert group_duplicates(frame(shuffled)) == group_duplicates(frame(rows))


@FUZZ
@given(rows=posts(), share=st.floats(0, 1))
def test_more_posts_never_split_a_group(rows: list[Row], share: float) -> None:
    some = group_duplicates(frame(rows[: int(share * len(rows))])).first
    first = group_duplicates(frame(rows)).first
    assert all(first[post_id] == first[lowest] for post_id, lowest in some.items())


@FUZZ
@given(rows=posts())
def test_each_join_merges_two_groups(rows: list[Row]) -> None:
    groups = group_duplicates(frame(rows))
    assert len(groups.joins) == len(rows) - len(set(groups.first.values()))
    assert all(join.id < join.other for join in groups.joins)
    assert sum(groups.counts.values()) == len(groups.joins)
    assert tuple(groups.counts) == REASONS


@pytest.mark.parametrize(("distance", "joined"), [(0, True), (24, True), (25, False)])
@pytest.mark.parametrize("seed", range(4))
def test_hashes_within_24_bits_look_the_same(distance: int, joined: bool, seed: int) -> None:
    phash = random.Random(1).getrandbits(HASH_BITS)
    spread = random.Random(seed).sample(range(HASH_BITS), distance)
    other = phash
    for bit in spread if seed else range(distance):
        other ^= 1 << bit
    joins = joins_of([Row(5, "a", to_hex(phash)), Row(90, "b", to_hex(other))])
    assert joins == ([Join(5, 90, "same_look")] if joined else [])


@pytest.mark.parametrize("place", range(16))
def test_every_bit_of_a_band_may_be_the_one_that_differs(place: int) -> None:
    """At 24 bits, one band at least differs in one bit alone: here 8 do, in the same place."""
    phash = random.Random(1).getrandbits(HASH_BITS)
    other = phash
    for band in range(16):
        for bit in [place] if band < 8 else [place, (place + 5) % 16]:
            other ^= 1 << (16 * bit + band)
    assert (phash ^ other).bit_count() == 24
    joins = joins_of([Row(5, "a", to_hex(phash)), Row(90, "b", to_hex(other))])
    assert joins == [Join(5, 90, "same_look")]


@pytest.mark.parametrize(("height", "joined"), [(1000, True), (1025, True), (1040, False)])
def test_equal_hashes_of_other_aspects_are_not_joined(height: int, joined: bool) -> None:
    rows = [Row(5, "a", "f" * 64), Row(90, "b", "f" * 64, height=height)]
    assert bool(joins_of(rows)) == joined


def test_blank_pictures_do_not_look_the_same() -> None:
    rows = [Row(5, "a", "0" * 64), Row(90, "b", "0" * 64), Row(95, "c", to_hex(1))]
    assert joins_of(rows) == []
    assert joins_of([*rows, Row(99, "a", "0" * 64)]) == [Join(5, 99, "same_bytes")]


@pytest.mark.parametrize(
    ("steps", "own", "shared", "joined"),
    [(3, 1, 8, True), (4, 1, 8, False), (3, 2, 8, True), (3, 3, 8, False), (3, 0, 7, False)],
)
def test_neighbours_of_nearly_the_same_tags_are_joined(
    steps: int, own: int, shared: int, joined: bool
) -> None:
    common = " ".join(TAGS[:shared])
    more = " ".join(TAGS[shared : shared + own])
    rows = [
        Row(5, "a", to_hex(1), tags=common),
        Row(5 + steps, "b", to_hex(2**256 - 1), tags=common),
    ]
    rows[1] = Row(5 + steps, "b", "f" * 64, tags=f" {common}  {more} {more}")
    rows += [Row(5 + step, str(step), to_hex(0)) for step in range(1, steps)]  # in between
    assert joins_of(rows) == ([Join(5, 5 + steps, "same_tags")] if joined else [])


def test_only_planted_pairs_are_found_among_20_000_posts() -> None:
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (20_000, HASH_BITS)).astype(bool)
    bits[10_000:10_200] = bits[:200]
    for row in range(200):
        bits[10_000 + row, rng.choice(HASH_BITS, row % 25, replace=False)] ^= True
    hashes = [row.tobytes().hex() for row in np.packbits(bits, axis=1)]
    joins = group_duplicates(
        frame([Row(9 * k, str(k), phash) for k, phash in enumerate(hashes)])
    ).joins
    expected = [Join(9 * k, 9 * (10_000 + k), "same_look") for k in range(200)]
    assert sorted(joins, key=lambda join: join.id) == expected


def test_drawings_of_different_posts_do_not_look_the_same() -> None:
    rows = []
    for post_id in (64, 108, 171, 178, 180, 1897, 1987):  # some that are similar
        color = draw(post_id).color
        height, width = color.shape[:2]
        phash = compute_stats(color, width, height).phash
        rows.append(Row(post_id, str(post_id), phash, width, height))
    assert joins_of(rows) == []


def test_no_posts_make_no_groups() -> None:
    groups = group_duplicates(frame([]))
    assert groups.first == {}
    assert groups.counts == {"same_bytes": 0, "same_look": 0, "same_tags": 0}


def test_mirror_images_are_duplicates_if_they_count_as_such() -> None:
    rows = []
    for post_id in range(1, 13):
        color = draw(post_id).color
        for copy, pixels in enumerate((color, color[:, ::-1])):
            stats = compute_stats(np.ascontiguousarray(pixels), color.shape[1], color.shape[0])
            rows.append(
                Row(
                    10 * post_id + copy,
                    f"{post_id} {copy}",
                    stats.phash,
                    stats.width,
                    stats.height,
                    phash_mirrored=stats.phash_mirrored,
                )
            )
    assert joins_of(rows) == []
    joins = group_duplicates(frame(rows), mirrored=True).joins
    pairs = {(10 * post_id, 10 * post_id + 1) for post_id in range(1, 13)}
    assert {(join.id, join.other) for join in joins} == pairs
    assert {join.reason for join in joins} == {"same_look"}


@settings(FUZZ, max_examples=20)
@given(st.data())
def test_mirror_images_are_found_as_the_definition_says(data: st.DataObject) -> None:
    base = data.draw(st.integers(1, 2**256 - 1))
    flips = st.sets(st.integers(0, 255), max_size=30)
    count = data.draw(st.integers(2, 6))
    hashes = [
        [base ^ sum(1 << bit for bit in data.draw(flips)) or 1 for _ in range(count)]
        for _ in ("as it is", "mirrored")
    ]
    far = (1 << 256) - 1  # so that no picture looks like another as it is
    rows = [
        Row(10 * n, str(n), to_hex(hashes[0][n] ^ (far * (n % 2))), phash_mirrored=to_hex(other))
        for n, other in enumerate(hashes[1])
    ]

    def mirrors(one: Row, other: Row) -> bool:
        distance = (int(one.phash, 16) ^ int(other.phash_mirrored, 16)).bit_count()
        return int(one.phash, 16) != 0 and distance <= MAX_HASH_DISTANCE

    joined = group_duplicates(frame(rows), mirrored=True).first
    for one, other in combinations(rows, 2):
        if is_duplicate(one, other) or mirrors(one, other) or mirrors(other, one):
            assert joined[one.id] == joined[other.id]


def test_features_of_posts_come_from_all_tables(tmp_path: Path) -> None:
    rows = [
        Row(7, "a", "1" * 64, tags="x"),
        Row(2, "b", "2" * 64, tags="y z"),
        Row(9, "c", "3" * 64),
    ]
    for name, some in (("one", rows[:1]), ("two", rows[1:])):
        table = frame(some).with_columns(code=pl.lit("ok"))
        write_table(table.drop("tags"), tmp_path / f"screen-{name}")
        write_table(table.select("id", "tags", url=pl.lit("u")), tmp_path / f"posts-{name}")
    screens = [tmp_path / "screen-one", tmp_path / "screen-two"]
    posts = [tmp_path / "posts-one", tmp_path / "posts-two"]
    found = read_features(screens, posts, [7, 2, 4])
    names = ["id", "sha256", "phash", "phash_mirrored", "width", "height", "tags"]
    assert found.columns == names
    assert found.sort("id").equals(frame([rows[1], rows[0]]).select(names))
    assert read_features(screens, posts, []).height == 0
    assert group_duplicates(read_features(screens, posts, [])).first == {}


def test_groups_are_written_as_tables(tmp_path: Path) -> None:
    rows = [Row(5, "a", to_hex(1)), Row(9, "a", to_hex(2**256 - 1)), Row(11, "c", "5" * 64)]
    write_groups(group_duplicates(frame(rows)), tmp_path)
    groups, joins = (read_table(tmp_path / f"{name}.parquet") for name in ("groups", "joins"))
    assert groups.to_dict(as_series=False) == {"id": [5, 9, 11], "first": [5, 5, 11]}
    assert joins.to_dict(as_series=False) == {"id": [5], "other": [9], "reason": ["same_bytes"]}
    write_groups(group_duplicates(frame([])), tmp_path)
    for name, table in (("groups", groups), ("joins", joins)):
        assert read_table(tmp_path / f"{name}.parquet").schema == table.schema
