from __future__ import annotations

import math
import random
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sample_booru.artist.draw import draw
from pipeline.screen import duplicates
from pipeline.screen.duplicates import MOST_BITS, REASONS, Join, group
from pipeline.screen.picture_stats import BITS, measure

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


def frame(rows: list[Row]) -> pl.DataFrame:
    schema = dict.fromkeys(("id", "width", "height"), pl.Int64)
    schema |= dict.fromkeys(("sha256", "phash", "tags"), pl.String)
    columns = {name: [getattr(row, name) for row in rows] for name in schema}
    return pl.DataFrame(columns, schema=schema)


def hexed(number: int) -> str:
    return f"{number:064x}"


def related(one: Row, other: Row) -> bool:
    """The definition, word for word."""
    differing = (int(one.phash, 16) ^ int(other.phash, 16)).bit_count()
    stretch = abs(math.log(one.width / one.height) - math.log(other.width / other.height))
    seen = int(one.phash, 16) != 0 != int(other.phash, 16)
    tags, others = set(one.tags.split()), set(other.tags.split())
    return (
        one.sha256 == other.sha256
        or (seen and differing <= MOST_BITS and stretch <= 0.03)
        or (
            abs(one.id - other.id) <= 3
            and len(tags) >= 8
            and len(others) >= 8
            and len(tags & others) >= 0.8 * len(tags | others)
        )
    )


def by_hand(rows: list[Row]) -> dict[int, int]:
    """Lowest ids, handed on until nothing changes."""
    lowest = {row.id: row.id for row in rows}
    pairs = [(a.id, b.id) for a, b in combinations(rows, 2) if related(a, b)]
    for _ in rows:
        for one, other in pairs:
            lowest[one] = lowest[other] = min(lowest[one], lowest[other])
    return lowest


@st.composite
def posts(drawn: st.DrawFn) -> list[Row]:
    rng = random.Random(drawn(st.integers(0, 2**32)))
    looks = [rng.getrandbits(BITS) for _ in range(3)] + [0]
    rows = []
    for post_id in rng.sample(range(1, 40), drawn(st.integers(0, 14))):
        look = rng.choice(looks)
        for bit in rng.sample(range(BITS), rng.choice((0, 0, 3, 12, 13, 24, 25, 30))):
            look ^= 1 << bit
        looks.append(look)
        rows.append(
            Row(
                id=post_id,
                sha256=f"{rng.randrange(30):064x}",
                phash=hexed(look),
                width=rng.choice((800, 810, 830, 400)),
                height=rng.choice((1000, 1000, 500)),
                tags=" ".join(rng.sample(TAGS, rng.choice((0, 7, 8, 9, 10)))),
            )
        )
    return rows


@FUZZ
@given(rows=posts(), piece=st.sampled_from((1, 3, 1 << 18)))
def test_groups_are_those_of_comparing_all_with_all(rows: list[Row], piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates, "_AT_ONCE", piece)
        groups = group(frame(rows))
    assert groups.first == by_hand(rows)
    assert list(groups.first) == sorted(row.id for row in rows)


@FUZZ
@given(rows=posts(), seed=st.integers(0, 9))
def test_order_changes_nothing(rows: list[Row], seed: int) -> None:
    assert group(frame(random.Random(seed).sample(rows, len(rows)))) == group(frame(rows))


@FUZZ
@given(rows=posts(), share=st.floats(0, 1))
def test_more_posts_split_no_group(rows: list[Row], share: float) -> None:
    some = group(frame(rows[: int(share * len(rows))])).first
    first = group(frame(rows)).first
    assert all(first[post_id] == first[lowest] for post_id, lowest in some.items())


@FUZZ
@given(rows=posts())
def test_each_join_makes_two_groups_one(rows: list[Row]) -> None:
    groups = group(frame(rows))
    assert len(groups.joins) == len(rows) - len(set(groups.first.values()))
    assert all(join.id < join.other for join in groups.joins)
    assert sum(groups.counts.values()) == len(groups.joins)
    assert tuple(groups.counts) == REASONS


@pytest.mark.parametrize(("differing", "together"), [(0, True), (24, True), (25, False)])
@pytest.mark.parametrize("spread", range(4))
def test_up_to_24_bits_look_the_same(differing: int, together: bool, spread: int) -> None:
    look = random.Random(1).getrandbits(BITS)
    bits = list(range(differing)) if spread == 0 else random.Random(spread).sample(range(BITS), 25)
    other = look
    for bit in bits[:differing]:
        other ^= 1 << bit
    joins = group(frame([Row(5, "a", hexed(look)), Row(90, "b", hexed(other))])).joins
    assert joins == ([Join(5, 90, "same_look")] if together else [])


@pytest.mark.parametrize(("height", "together"), [(1000, True), (1025, True), (1040, False)])
def test_aspects_are_alike_too(height: int, together: bool) -> None:
    rows = [Row(5, "a", "f" * 64), Row(90, "b", "f" * 64, height=height)]
    assert bool(group(frame(rows)).joins) == together


def test_blank_pictures_are_like_no_other() -> None:
    rows = [Row(5, "a", "0" * 64), Row(90, "b", "0" * 64), Row(95, "c", hexed(1))]
    assert group(frame(rows)).joins == []
    assert group(frame([*rows, Row(99, "a", "0" * 64)])).joins == [Join(5, 99, "same_bytes")]


@pytest.mark.parametrize(
    ("steps", "own", "shared", "together"),
    [(3, 1, 8, True), (4, 1, 8, False), (3, 2, 8, True), (3, 3, 8, False), (3, 0, 7, False)],
)
def test_neighbours_of_nearly_the_same_tags(
    steps: int, own: int, shared: int, together: bool
) -> None:
    common = " ".join(TAGS[:shared])
    more = " ".join(TAGS[shared : shared + own])
    rows = [Row(5, "a", hexed(1), tags=common), Row(5 + steps, "b", hexed(2**256 - 1), tags=common)]
    rows[1] = Row(5 + steps, "b", "f" * 64, tags=f" {common}  {more} {more}")
    rows += [Row(5 + step, str(step), hexed(0)) for step in range(1, steps)]  # in between
    assert group(frame(rows)).joins == ([Join(5, 5 + steps, "same_tags")] if together else [])


def test_many_unrelated_posts_stay_apart_and_planted_pairs_are_found() -> None:
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (20_000, BITS)).astype(bool)
    bits[10_000:10_200] = bits[:200]
    for row in range(200):
        bits[10_000 + row, rng.choice(BITS, row % 25, replace=False)] ^= True
    hashes = [row.tobytes().hex() for row in np.packbits(bits, axis=1)]
    joins = group(frame([Row(9 * k, str(k), phash) for k, phash in enumerate(hashes)])).joins
    expected = [Join(9 * k, 9 * (10_000 + k), "same_look") for k in range(200)]
    assert sorted(joins, key=lambda join: join.id) == expected


def test_drawings_of_different_posts_do_not_look_the_same() -> None:
    rows = []
    for post_id in (64, 108, 171, 178, 180, 1897, 1987):  # some that are alike
        color = draw(post_id).color
        height, width = color.shape[:2]
        look = measure(color, width, height).phash
        rows.append(Row(post_id, str(post_id), look, width, height))
    assert group(frame(rows)).joins == []


def test_no_posts_are_no_groups() -> None:
    groups = group(frame([]))
    assert groups.first == {}
    assert groups.counts == {"same_bytes": 0, "same_look": 0, "same_tags": 0}
