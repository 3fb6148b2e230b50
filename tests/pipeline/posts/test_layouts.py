"""Mappings of columns by hand."""

from __future__ import annotations

import pytest

from pipeline.posts.layouts import LAYOUTS, parse_columns
from pipeline.posts.options import MetadataOptions
from sketch_models.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", {}),
        (" id=post_id\n url=link ", {"id": "post_id", "url": "link"}),
        ('tags="my tags" file=a=b', {"tags": "my tags", "file": "a=b"}),
        ("score=score.total", {"score": "score.total"}),
    ],
)
def test_columns_are_parsed(text: str, columns: dict[str, str]) -> None:
    assert parse_columns(text) == columns


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id", "target=column pairs such as .*; 'id' is none"),
        ("id=", "'id=' is none"),
        ("=id", "'=id' is none"),
        ("idd=post_id", r"targets out of id, .*; 'idd' is none \(did you mean id\?\)"),
        ("ident=post", r"'ident' is none \(did you mean id\?\)"),
        ("id=a id=b", "each target once; id is there twice"),
        ('tags="a b', "a quotation mark is not closed"),
    ],
)
def test_other_mappings_are_one_sentence(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=rf"\[metadata\] columns = .*{words}"):
        MetadataOptions(source="table", table="a.csv", columns=text)


def test_a_table_alone_chooses_its_source() -> None:
    assert MetadataOptions(table="a.csv").source == "table"
    with pytest.raises(ConfigError, match=r"\[metadata\] table = "):
        MetadataOptions(source="table")


def test_layouts_have_names_of_their_own() -> None:
    assert len({layout.name for layout in LAYOUTS}) == len(LAYOUTS)
