"""The rules of the filter, its funnel and its shards."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.posts import filter as filter_module
from pipeline.posts.filter import (
    FilterOptions,
    FilterResult,
    count_unknown,
    filter_posts,
    shards_of,
    unknown_tags,
)
from pipeline.posts.local_file import hashed_id
from pipeline.posts.rows import POSTS
from sketch_models.errors import ConfigError

EVERYTHING = FilterOptions(all_tags=(), none_tags=(), ratings=("s", "q", "e"))


def options(**changes: Any) -> FilterOptions:
    keep_all: dict[str, Any] = {"all_tags": (), "none_tags": (), "ratings": ("s", "q", "e")}
    return FilterOptions(**(keep_all | changes))


def post(number: int, **changes: object) -> dict[str, object]:
    return {
        "id": number,
        "created_at": 0,
        "rating": "s",
        "score": 0,
        "url": "https://a.example/1.jpg",
        "width": 850,
        "height": 1200,
        "tags": "1girl solo",
        "line": number + 1,
    } | changes


def run(
    folder: Path, rows: list[dict[str, object]], chosen: FilterOptions, width: int = 1000
) -> tuple[FilterResult, list[int]]:
    pl.DataFrame(rows, schema=POSTS).write_parquet(folder / "posts.parquet")
    shards = folder / "shards"
    shards.mkdir(exist_ok=True)
    for old in shards.iterdir():
        old.unlink()
    result = filter_posts(folder / "posts.parquet", shards, chosen, width)
    kept = [pl.read_parquet(path)["id"].to_list() for path in sorted(shards.iterdir())]
    return result, [post_id for shard in kept for post_id in shard]


TAGS = [
    "solo upper_body white_background",
    "solo_focus upper_body white_background",
    "white_background",
    "solo solo solo",
    "upper_body solo white_background chibi",
    "white-background solo upper_body",
    "",
    "-_- -3- ->_<- -chibi",
]


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [
        ({}, [0, 1, 2, 3, 4, 5, 6, 7]),
        ({"all_tags": ("solo",)}, [0, 3, 4, 5]),
        ({"all_tags": ("solo", "white_background", "upper_body")}, [0, 4]),
        ({"all_tags": ("solo", "upper_body", "solo")}, [0, 4, 5]),
        ({"all_tags": ("white-background",)}, [5]),
        ({"any_tags": ("solo_focus", "chibi")}, [1, 4]),
        ({"none_tags": ("chibi", "solo_focus")}, [0, 2, 3, 5, 6, 7]),
        ({"all_tags": ("solo",), "any_tags": ("upper_body",), "none_tags": ("chibi",)}, [0, 5]),
        ({"all_tags": ("nothing",)}, []),
        ({"all_tags": ("-_-",)}, [7]),
        ({"any_tags": ("-3-", "--", "->_<-")}, [7]),
        ({"none_tags": ("-_-", "-)")}, [0, 1, 2, 3, 4, 5, 6]),
        ({"all_tags": (r"\-chibi",)}, [7]),
    ],
)
def test_tags_match_as_a_whole(tmp_path: Path, chosen: dict[str, Any], kept: list[int]) -> None:
    rows = [post(number, tags=tags) for number, tags in enumerate(TAGS)]
    result, ids = run(tmp_path, rows, options(**chosen))
    assert ids == kept
    assert (result.posts, result.kept) == (len(TAGS), len(kept))


def test_defaults_are_those_of_the_paper(tmp_path: Path) -> None:
    rows = [post(number, tags=tags) for number, tags in enumerate(TAGS)]
    assert run(tmp_path, rows, FilterOptions())[1] == [0]


@pytest.mark.parametrize(
    ("chosen", "rows", "kept"),
    [
        ({"ratings": ("general",)}, [{"rating": "s"}, {"rating": "q"}], [0]),
        (
            {"ratings": ("q", "explicit")},
            [{"rating": "s"}, {"rating": "q"}, {"rating": "e"}],
            [1, 2],
        ),
        ({"min_score": 2}, [{"score": 1}, {"score": 2}, {"score": None}, {"score": -1}], [1]),
        ({"min_score": 0}, [{"score": None}, {"score": -1}], [0, 1]),
        ({"min_side": 850}, [{}, {"width": 849}, {"height": 800}], [0]),
        ({"max_side": 1200}, [{}, {"width": 1201}, {"height": 1300}], [0]),
        ({}, [{"width": None, "height": None}, {"rating": None}, {"created_at": None}], [0, 1, 2]),
        ({"ratings": ("s", "q")}, [{"rating": None}, {"rating": "q"}], [1]),
        ({"min_side": 10}, [{"width": None}, {"height": None}, {}], [2]),
        ({"max_side": 9999}, [{"width": None}, {"height": None}, {}], [2]),
    ],
)
def test_rating_score_and_size_rules(
    tmp_path: Path, chosen: dict[str, Any], rows: list[dict[str, object]], kept: list[int]
) -> None:
    posts = [post(number, **changes) for number, changes in enumerate(rows)]
    assert run(tmp_path, posts, options(**chosen))[1] == kept


@pytest.mark.parametrize(
    ("extensions", "kept"),
    [
        (("jpg",), [0, 1, 2, 3, 7, 8, 9, 10, 11]),
        (("jpeg",), [0, 1, 2, 3, 7, 8, 9, 10, 11]),
        (("png", "gif"), [4, 5, 7, 8, 9, 10, 11]),
        (("webp", "bmp", "avif"), [7, 8, 9, 10, 11, 12, 13, 14]),
    ],
)
def test_extension_is_that_of_the_url_path(
    tmp_path: Path, extensions: tuple[str, ...], kept: list[int]
) -> None:
    names = [
        "a.jpg",
        "a.jpeg",
        "a.JPG",
        "a.jpg?1.png",
        "a.png",
        "a.gif#x",
        "a.webm",
        "jpg",
        "a?.jpg",  # without an extension, like the one before and those behind
        "picture/12",
        "v1.2/12.345",
        "image.php?id=12.jpg",
        "a.webp",
        "a.bmp",
        "a.avif",
        "a.mp4?a",
        "a.swf",
        "a.zip",
        "a.7z",
    ]
    rows = [post(number, url=f"https://b.example/{name}") for number, name in enumerate(names)]
    assert run(tmp_path, rows, options(extensions=extensions))[1] == kept


def test_funnel_counts_each_row_at_the_first_rule_that_drops_it(tmp_path: Path) -> None:
    rows = [
        post(0, tags="x", rating="q"),
        post(1, tags="solo bad", rating="q"),
        post(2, tags="solo bad worse"),
        post(3, tags="solo worse"),
        post(4, tags="solo", rating="e"),
        post(5, tags="solo", score=-1),
        post(6, tags="solo", width=10, score=5),
        post(7, tags="solo", score=5, url="https://a.example/b.webm"),
        *(post(number, tags="solo", score=5) for number in range(8, 12)),
    ]
    chosen = options(
        all_tags=("solo",),
        none_tags=("bad", "worse"),
        ratings=("safe",),
        min_score=1,
        min_side=100,
        max_side=2000,
        limit=3,
    )
    result, ids = run(tmp_path, rows, chosen)
    assert result.funnel == [
        ("all_tags solo", 1),
        ("none_tags bad", 2),
        ("none_tags worse", 1),
        ("ratings s", 1),
        ("min_score 1", 1),
        ("min_side 100", 1),
        ("max_side 2000", 0),
        ("extensions jpg png gif webp bmp avif", 1),
        ("limit 3", 1),
    ]
    assert ids == [8, 9, 10]
    assert result.posts - sum(dropped for _, dropped in result.funnel) == result.kept == 3


def test_no_match_gives_no_shard(tmp_path: Path) -> None:
    result, ids = run(tmp_path, [post(1), post(2)], options(all_tags=("none_such",)))
    assert (result.kept, result.shards, ids) == (0, {}, [])
    assert result.funnel[0] == ("all_tags none_such", 2)


def test_empty_table_keeps_nothing(tmp_path: Path) -> None:
    assert run(tmp_path, [], EVERYTHING)[0].kept == 0


def test_shards_are_closed_ranges_of_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filter_module, "_BATCH", 7)
    numbers = [0, 1, 9, 10, 11, 35, 36, 37, 39, 40, *range(100, 130), 12_345_678]
    result, ids = run(tmp_path, [post(number) for number in numbers], EVERYTHING, width=10)
    assert ids == numbers
    assert {number: shard.rows for number, shard in result.shards.items()} == {
        0: 3, 1: 2, 3: 4, 4: 1, 10: 10, 11: 10, 12: 10, 1_234_567: 1
    }  # fmt: skip
    shard = pl.read_parquet(tmp_path / "shards" / "shard-00003.parquet")
    assert shard["id"].to_list() == [35, 36, 37, 39]
    assert shard.columns == [name for name in POSTS if name != "line"]
    assert list(result.shards) == sorted(result.shards)


@pytest.mark.parametrize("limit", [0, 3, 7, 20, 40, 99])
def test_limit_counts_over_all_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(filter_module, "_BATCH", 7)
    rows = [post(number, tags="solo" if number % 5 else "chibi") for number in range(50)]
    pl.DataFrame(rows, schema=POSTS).write_parquet(tmp_path / "posts.parquet")
    batches: list[int] = []
    chosen = options(none_tags=("chibi",), limit=limit)
    result = filter_posts(tmp_path / "posts.parquet", tmp_path, chosen, 1000, batches.append)
    assert len(batches) > 1
    assert (sum(batches), result.posts) == (50, 50)
    kept = [number for number in range(50) if number % 5][: limit or 50]
    assert pl.read_parquet(tmp_path / "shard-00000.parquet")["id"].to_list() == kept
    assert result.kept == len(kept)
    over = [(f"limit {limit}", 40 - len(kept))] if limit else []
    assert [row for row in result.funnel if row[0].startswith("limit")] == over


def test_new_posts_change_only_their_shards(tmp_path: Path) -> None:
    old = [post(number, line=number + 1) for number in range(100)]
    before = run(tmp_path, old, EVERYTHING, width=10)[0].shards
    files = {path.name: path.read_bytes() for path in (tmp_path / "shards").iterdir()}
    new = [row | {"line": int(str(row["line"])) + 5} for row in old] + [post(107)]
    new[34]["tags"] = "changed"
    after = run(tmp_path, new, EVERYTHING, width=10)[0].shards
    changed = [number for number in after if before.get(number) != after[number]]
    assert changed == [3, 10]
    same = {
        path.name
        for path in (tmp_path / "shards").iterdir()
        if files.get(path.name) == path.read_bytes()
    }
    assert same == {f"shard-{number:05d}.parquet" for number in range(10) if number != 3}


def test_digest_ignores_scores(tmp_path: Path) -> None:
    before = run(tmp_path, [post(1, score=1)], EVERYTHING)[0].shards
    assert run(tmp_path, [post(1, score=2)], EVERYTHING)[0].shards == before
    assert run(tmp_path, [post(1, url="https://a.example/2.jpg")], EVERYTHING)[0].shards != before


def test_progress_counts_posts(tmp_path: Path) -> None:
    run(tmp_path, [post(number) for number in range(30)], EVERYTHING)
    reported: list[int] = []
    filter_posts(
        tmp_path / "posts.parquet",
        tmp_path / "shards",
        options(all_tags=("x",)),
        10,
        reported.append,
    )
    assert sum(reported) == 30


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"all_tags": ("solo",), "none_tags": ("solo",)}, "all_tags and none_tags both hold solo"),
        ({"any_tags": ("solo",), "none_tags": ("solo",)}, "any_tags and none_tags both hold solo"),
        ({"any_tags": ("",)}, "[filter] any_tags = ''"),
        ({"all_tags": ("white background",)}, "'white background'"),
        ({"all_tags": ("solo,chibi",)}, "with spaces between them"),
        ({"all_tags": ("Solo",)}, "lower-case tags, as boorus have them: solo"),
        ({"all_tags": ("-chibi",)}, "none_tags"),
        ({"none_tags": ("-long_hair",)}, "none_tags"),
        ({"any_tags": ("-kuon_(a)",)}, r"a tag of this name is written \-kuon_(a)"),
        ({"all_tags": ("-_-",), "none_tags": ("-_-",)}, "all_tags and none_tags both hold -_-"),
        ({"all_tags": (r"\-x",), "none_tags": ("-x",)}, "all_tags and none_tags both hold -x"),
        ({"ratings": ()}, "[filter] ratings = ''"),
        ({"ratings": ("s", "x")}, "[filter] ratings = s x"),
        (
            {"extensions": ("webm",)},
            "one or more of jpg, jpeg, jpe, jfif, png, gif, webp, bmp, avif",
        ),
        ({"extensions": ()}, "[filter] extensions"),
        ({"min_score": -1}, "[filter] min_score = -1"),
        ({"min_side": -1}, "[filter] min_side = -1"),
        ({"limit": -1}, "[filter] limit = -1"),
        ({"min_side": 500, "max_side": 400}, "[filter] max_side = 400"),
    ],
)
def test_wrong_options_are_one_sentence(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        options(**changes)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_tags_that_no_post_has(tmp_path: Path) -> None:
    run(tmp_path, [post(1, tags="a b"), post(2, tags="b c")], options())
    assert unknown_tags(tmp_path / "posts.parquet", ["a", "ab", "c", "d"]) == ["ab", "d"]
    assert unknown_tags(tmp_path / "posts.parquet", []) == []


@pytest.mark.parametrize(
    ("spelled", "letters"),
    [
        (("Safe",), ("s",)),
        (("SAFE", "s", "rating:safe", "General", "sensitive"), ("s",)),
        (("Q", "rating:Questionable", "EXPLICIT"), ("q", "e")),
    ],
)
def test_ratings_are_read_in_every_spelling(
    spelled: tuple[str, ...], letters: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(pl, "Series")  # whose threads do not survive the fork of a worker
    assert options(ratings=spelled) == options(ratings=letters)


VOCABULARY = ["a", "b", "c", "ab", "a_b", "b)", "(a", ".", "a.b", "-_-", "-", "-a", "a-"]
TAG_LISTS = st.lists(st.sampled_from(VOCABULARY), max_size=3).map(tuple)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    tags=st.lists(st.lists(st.sampled_from(VOCABULARY), max_size=5), max_size=30),
    wanted=TAG_LISTS,
    some=TAG_LISTS,
    unwanted=TAG_LISTS,
    limit=st.integers(0, 5),
)
def test_tag_rules_agree_with_sets(
    tmp_path: Path,
    tags: list[list[str]],
    wanted: tuple[str, ...],
    some: tuple[str, ...],
    unwanted: tuple[str, ...],
    limit: int,
) -> None:
    unwanted = tuple(tag for tag in unwanted if tag not in wanted + some)
    rows = [post(number, tags=" ".join(of_post)) for number, of_post in enumerate(tags)]
    chosen = options(all_tags=wanted, any_tags=some, none_tags=unwanted, limit=limit)
    result, ids = run(tmp_path, rows, chosen, width=4)
    expected = [
        number
        for number, of_post in enumerate(map(set, tags))
        if of_post >= set(wanted)
        and (not some or of_post & set(some))
        and not of_post & set(unwanted)
    ]
    assert ids == (expected[:limit] if limit else expected)
    assert result.posts - sum(dropped for _, dropped in result.funnel) == len(ids)


def test_options_of_the_filter_are_those_of_the_paper() -> None:
    assert asdict(FilterOptions()) == {
        "all_tags": ("white_background", "solo", "upper_body"),
        "any_tags": (),
        "none_tags": ("pokemon", "chibi", "monochrome"),
        "ratings": ("s",),
        "min_score": 0,
        "min_side": 0,
        "max_side": 0,
        "extensions": ("jpg", "png", "gif", "webp", "bmp", "avif"),
        "duplicates": "keep",
        "limit": 0,
    }
    assert FilterOptions(all_tags=("b", r"\-a", "b")).required_tags == ["b", "-a"]
    with pytest.raises(ConfigError, match=r"\[filter\] duplicates = all"):
        FilterOptions(duplicates="all")
    options(min_side=400, max_side=400)


def test_unknown_values_are_counted(tmp_path: Path) -> None:
    run(tmp_path, [post(1, width=None), post(2), post(3, width=None, score=None)], options())
    counts = [count_unknown(tmp_path / "posts.parquet", n) for n in ("width", "score", "id")]
    assert counts == [2, 1, 0]


def test_ids_that_boards_count_are_cut_by_the_width() -> None:
    ids = pl.Series([1, 19_999, 20_000, 7_000_000])
    assert shards_of(ids, 20_000).to_list() == [0, 0, 1, 350]


@given(st.lists(st.integers(1, 2**63 - 1), min_size=1, max_size=50), st.integers(1, 100_000))
def test_numbers_of_shards_ascend_with_the_ids_and_depend_on_no_other(
    ids: list[int], width: int
) -> None:
    ids = sorted(ids)
    numbers = shards_of(pl.Series(ids), width).to_list()
    assert numbers == sorted(numbers)
    assert numbers == [shards_of(pl.Series([each]), width).item() for each in ids]
    assert max(numbers) < 2**25


def test_shards_stay_few_whatever_the_ids_are() -> None:
    hashed = pl.Series([hashed_id(str(number)) for number in range(5_000)])
    assert shards_of(hashed, 20_000).n_unique() == 64
    for bits in range(24, 63):
        first = 1 << bits
        between = pl.Series(sorted({first + first * part // 5_000 for part in range(5_000)}))
        assert shards_of(between, 1).n_unique() <= 1024


def test_posts_with_hashed_ids_are_cut_into_shards(tmp_path: Path) -> None:
    ids = sorted(hashed_id(str(number)) for number in range(500))
    result, kept = run(tmp_path, [post(each, line=1) for each in ids], EVERYTHING)
    assert kept == ids
    assert 32 <= len(result.shards) <= 64


@pytest.mark.parametrize(
    ("url", "is_kept"),
    [
        ("file:girl/001.jpg?1-2", True),
        ("file:girl/001.mp4?1-2", False),
        ("file:part.tar?1-2#001.jpg", True),
        ("file:part.tar?1-2#001.mp4", False),
        ("file:part.parquet?1-2#17", True),
    ],
)
def test_extension_of_a_local_picture_is_its_own(
    tmp_path: Path, url: str, *, is_kept: bool
) -> None:
    assert bool(run(tmp_path, [post(1, url=url)], EVERYTHING)[1]) is is_kept
