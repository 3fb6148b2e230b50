"""The kinds of tags that some APIs of the sample booru tell."""

from pipeline.sample_booru.catalogue import catalogue
from pipeline.sample_booru.tag_kinds import all_tags, tags_by_kind

POSTS = list(catalogue(300))


def test_general_tags_are_those_of_the_metadata() -> None:
    for post in POSTS:
        kinds = tags_by_kind(post)
        assert set(kinds["general"]) == set(post.tags.split())
        assert all_tags(post) == sorted(set(all_tags(post)))
        assert set(all_tags(post)) == {tag for tags in kinds.values() for tag in tags}


def test_every_kind_has_tags_and_some_posts_lack_it() -> None:
    for kind in ("artist", "character", "meta"):
        known = [bool(tags_by_kind(post)[kind]) for post in POSTS]
        assert any(known)
        assert not all(known)
    assert all(len(tags_by_kind(post)["copyright"]) == 1 for post in POSTS)


def test_characters_are_those_of_their_story() -> None:
    for post in POSTS:
        kinds = tags_by_kind(post)
        assert bool(kinds["character"]) == (kinds["copyright"] != ["original"])
