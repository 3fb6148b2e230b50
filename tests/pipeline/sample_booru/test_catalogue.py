from __future__ import annotations

import csv
import re
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.sample_booru.catalogue import HEADER, POSTS, catalogue, post_ids, write_csv

URL = re.compile(
    r"(https?:)?//safebooru\.example(//?samples/\d+/sample_[0-9a-f]{40}\.jpg"
    r"|//?images/\d+/[0-9a-f]{40}\.(jpg|png))(\?\d+)?"
)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("csv") / "all_data.csv"
    write_csv(path)
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rows(text: str) -> list[dict[str, str]]:
    parsed = list(csv.reader(text.splitlines()))
    return [dict(zip(parsed[0], row, strict=True)) for row in parsed[1:] if len(row) == 9]


def test_csv_has_the_layout_of_kaggle(text: str, rows: list[dict[str, str]]) -> None:
    lines = text.splitlines()
    assert lines[0] == HEADER
    bare = re.compile(r'\d+,\d+,[a-z]+,-?\d+,"[^"]*",\d+,\d+,"[^"]*","[^"]*"')
    assert sum(bare.fullmatch(row) is None for row in lines[1:]) == 2
    assert len(rows) == POSTS
    assert len(lines) == POSTS + 3
    assert all(URL.fullmatch(row["sample_url"]) for row in rows)


def test_two_rows_are_malformed(text: str) -> None:
    counts = sorted(len(row) for row in csv.reader(text.splitlines()) if len(row) != 9)
    assert counts == [7, 11]


def test_quirks_have_realistic_shares(rows: list[dict[str, str]]) -> None:
    def share(test: str, column: str) -> float:
        return sum(bool(re.search(test, row[column])) for row in rows) / len(rows)

    assert share(r"^//", "sample_url") > 0.8
    assert 0.02 < share(r"^https://", "sample_url") < 0.2
    assert 0.1 < share(r"\?\d+$", "sample_url") < 0.35
    assert share(r"example//", "sample_url") > 0.3
    assert 0.15 < share(r"\.png", "sample_url") < 0.45
    assert 0.05 < share(r"\S  \S", "tags") < 0.3
    assert share(r"^$", "tags") < 0.02
    assert 0.7 < share(r"^s$", "rating") < 0.92
    assert share(r"^[qe]$", "rating") > 0.03
    assert 0.02 < share(r"^\w\w+$", "rating") < 0.2
    assert 0 < share(r"^0$", "created_at") < 0.1
    assert share(r"^-", "score") > 0.02
    for decoy in (r"\bpokemon\b", r"\bchibi\b", r"\bmonochrome\b", r"\bsolo_focus\b"):
        assert 0 < share(decoy, "tags") < 0.08
    assert 0 < share(r"white_background_\(artist\)", "tags") < 0.06


def test_about_64_live_posts_match_the_default_filter() -> None:
    required, excluded = (
        {"white_background", "solo", "upper_body"},
        {"pokemon", "chibi", "monochrome"},
    )
    matching = [
        row
        for row in catalogue()
        if required <= set(row.tags.split())
        and not excluded & set(row.tags.split())
        and row.rating in ("s", "safe", "general")
    ]
    live = sum(row.response == "live" for row in matching)
    assert 56 <= live <= 72
    assert 0.4 < live / len(matching) < 0.6
    assert {row.file_format for row in matching if row.response == "live"} >= {
        "jpg",
        "png",
        "png_alpha",
    }


def test_ids_ascend_with_gaps_over_several_shards() -> None:
    ids = post_ids(POSTS)
    assert ids == sorted(set(ids))
    assert 4 <= len({post_id // 1000 for post_id in ids}) <= 6
    assert max(b - a for a, b in pairwise(ids)) > 1


def test_more_posts_only_append_rows(tmp_path: Path) -> None:
    write_csv(tmp_path / "few.csv", posts=60)
    write_csv(tmp_path / "more.csv", posts=90)
    few, more = (tmp_path / "few.csv").read_text(), (tmp_path / "more.csv").read_text()
    assert more.startswith(few)
    assert len(more) > len(few)
    write_csv(tmp_path / "other.csv", posts=60, seed=1)
    assert (tmp_path / "other.csv").read_text() != few
