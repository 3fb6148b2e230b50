"""The API of the sample booru."""

import json

import pytest

from pipeline.sample_booru.api import answer
from pipeline.sample_booru.catalogue import catalogue

POSTS = list(catalogue(120))
IDS = [post.id for post in POSTS]
BASE = "page=dapi&s=post&q=index&json=1"


def ids_of(query: str) -> list[int]:
    body = answer(POSTS, f"{BASE}&{query}")
    return [post["id"] for post in json.loads(body)] if body else []


def test_newest_first_a_hundred_at_a_time() -> None:
    assert ids_of("") == IDS[:-101:-1]
    assert ids_of("limit=10&pid=2") == IDS[::-1][20:30]
    assert ids_of("limit=5000") == IDS[::-1]
    assert answer(POSTS, f"{BASE}&pid=2") == b""


def test_by_id() -> None:
    assert ids_of(f"tags=id:>{IDS[40]}+sort:id:asc&limit=7") == IDS[41:48]
    assert ids_of(f"tags=id:<{IDS[3]}") == IDS[2::-1]


@pytest.mark.parametrize("tag", ["solo", "white_background"])
def test_by_tags(tag: str) -> None:
    have = [post.id for post in POSTS if tag in post.tags.split()]
    assert ids_of(f"tags={tag}+sort:id:asc&limit=1000") == have
    assert ids_of(f"tags=-{tag}+sort:id:asc&limit=1000") == [n for n in IDS if n not in have]


def test_a_post_is_told_as_boards_tell_it() -> None:
    for post in json.loads(answer(POSTS, f"{BASE}&limit=1000")):
        stem = post["hash"]
        assert post["image"].startswith(stem)
        assert post["file_url"].endswith(f"//images/{post['directory']}/{post['image']}")
        if post["sample"]:
            assert post["sample_url"].endswith(f"/samples/{post['directory']}/sample_{stem}.jpg")
            assert post["width"] > post["sample_width"] > 0
