"""Captions: which tags, in which order, and how they are spelled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.export.caption import caption
from pipeline.export.options import TAG_KINDS, ExportOptions
from pipeline.export.post import Post

POST = Post(
    id=1,
    tags="solo hatsune_miku ^_^ long_hair vocaloid highres someone_(artist) 1girl o_o",
    artist="someone_(artist)",
    character="hatsune_miku",
    copyright="vocaloid",
    meta="highres",
)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {},
            "solo, hatsune miku, ^_^, long hair, vocaloid, someone (artist), 1girl, o_o",
        ),
        (
            {"caption_order": "sorted"},
            "1girl, ^_^, hatsune miku, long hair, o_o, solo, someone (artist), vocaloid",
        ),
        (
            {"caption_order": "kinds", "caption_kinds": ("character", "meta", "general")},
            "hatsune miku, highres, solo, ^_^, long hair, 1girl, o_o",
        ),
        ({"caption_kinds": ("artist", "copyright")}, "vocaloid, someone (artist)"),
        ({"caption_kinds": ()}, ""),
        ({"caption_kinds": (), "caption_prefix": "line art"}, "line art"),
        (
            {"caption_kinds": ("character",), "caption_prefix": "my_trigger"},
            "my_trigger, hatsune miku",
        ),
        (
            {"caption_underscores": True, "caption_separator": "space"},
            "solo hatsune_miku ^_^ long_hair vocaloid someone_(artist) 1girl o_o",
        ),
    ],
)
def test_caption_is_as_the_options_say(options: dict[str, object], expected: str) -> None:
    assert caption(POST, ExportOptions(**options)) == expected  # type: ignore[arg-type]


def test_tags_of_unknown_kind_are_general_ones() -> None:
    post = Post(id=1, tags="solo hatsune_miku")
    assert caption(post, ExportOptions(caption_kinds=("general",))) == "solo, hatsune miku"
    assert caption(post, ExportOptions(caption_kinds=("character",))) == ""


def test_post_without_tags_has_an_empty_caption() -> None:
    assert caption(Post(id=1), ExportOptions()) == ""


TAG = st.text("ab_^(猫1-", min_size=1, max_size=6)
TAGS = st.lists(TAG, unique=True, max_size=8)


@given(
    tags=TAGS,
    kinds=st.lists(st.sampled_from(TAG_KINDS), max_size=8),
    chosen=st.lists(st.sampled_from(TAG_KINDS), unique=True),
    order=st.sampled_from(["post", "sorted", "kinds"]),
    underscores=st.booleans(),
)
def test_caption_has_each_tag_of_the_chosen_kinds_once(
    tags: list[str], kinds: list[str], chosen: list[str], order: str, underscores: bool
) -> None:
    kind_of = dict(zip(tags, kinds + ["general"] * len(tags), strict=False))
    columns = {
        kind: " ".join(tag for tag in tags if kind_of[tag] == kind)
        for kind in TAG_KINDS
        if kind != "general"
    }
    options = ExportOptions(
        caption_kinds=tuple(chosen), caption_order=order, caption_underscores=underscores
    )
    text = caption(Post(id=1, tags=" ".join(tags), **columns), options)
    words = text.split(", ") if text else []
    expected = [tag for tag in tags if kind_of[tag] in chosen]
    assert len(words) == len(expected)
    if underscores:
        assert sorted(words) == sorted(expected)
        if order == "post":
            assert words == expected
    if order == "kinds":
        by_kind = sorted(expected, key=lambda tag: chosen.index(kind_of[tag]))
        assert [word.replace(" ", "_").strip("_") for word in words] == [
            tag.strip("_") for tag in by_kind
        ]
