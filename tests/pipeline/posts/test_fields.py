"""Columns of text, read as people and programs write them."""

from __future__ import annotations

import re

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipeline.posts.fields import times, without_controls


@given(st.lists(st.none() | st.text("a é\0\t\n\x1f\x7f\x85", max_size=6), max_size=8))
def test_control_characters_become_spaces(texts: list[str | None]) -> None:
    spaced = without_controls(pl.Series("text", texts, pl.String))
    assert spaced.to_list() == [text and re.sub(r"[\x00-\x1f]", " ", text) for text in texts]


def test_times_of_every_spelling_are_seconds() -> None:
    texts = [
        "1264723200",
        "1264723200000",
        "1.2647232e9",
        "2010-01-29T09:00:00.123+09:00",
        "2010-01-29 00:00",
        "2010-01-29",
        "Fri Jan 29 09:00:00 +0900 2010",
        "",
        "yesterday",
    ]
    assert times(pl.Series(texts)).to_list() == [1264723200] * 7 + [None] * 2
