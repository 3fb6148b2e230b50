"""The API of the sample booru: pages, search, and the fields of a post."""

import json

import pytest

from pipeline.sample_booru.apis.answer import KEY, USER
from pipeline.sample_booru.apis.gelbooru import respond, respond_025
from pipeline.sample_booru.catalogue import catalogue
from pipeline.sample_booru.tag_kinds import all_tags

POSTS = list(catalogue(120))
IDS = [post.id for post in POSTS]
BASE = "page=dapi&s=post&q=index&json=1"


def ids_of(query: str) -> list[int]:
    body = respond(POSTS, f"{BASE}&{query}").body
    return [post["id"] for post in json.loads(body)] if body else []


def test_pages_are_newest_first_and_of_100_posts() -> None:
    assert ids_of("") == IDS[:-101:-1]
    assert ids_of("limit=10&pid=2") == IDS[::-1][20:30]
    assert ids_of("limit=5000") == IDS[::-1]
    assert respond(POSTS, f"{BASE}&pid=2").body == b""


def test_search_by_id() -> None:
    assert ids_of(f"tags=id:>{IDS[40]}+sort:id:asc&limit=7") == IDS[41:48]
    assert ids_of(f"tags=id:<{IDS[3]}") == IDS[2::-1]


@pytest.mark.parametrize("tag", ["solo", "white_background"])
def test_search_by_tag(tag: str) -> None:
    tagged = [post.id for post in POSTS if tag in post.tags.split()]
    assert ids_of(f"tags={tag}+sort:id:asc&limit=1000") == tagged
    assert ids_of(f"tags=-{tag}+sort:id:asc&limit=1000") == [n for n in IDS if n not in tagged]


def test_post_has_the_fields_of_a_board() -> None:
    for post in json.loads(respond(POSTS, f"{BASE}&limit=1000").body):
        stem = post["hash"]
        assert post["image"].startswith(stem)
        assert post["file_url"].endswith(f"//images/{post['directory']}/{post['image']}")
        if post["sample"]:
            assert post["sample_url"].endswith(f"/samples/{post['directory']}/sample_{stem}.jpg")
            assert post["width"] > post["sample_width"] > 0


ACCOUNT = f"api_key={KEY}&user_id={USER}"


def test_version_025_wraps_the_list_and_wants_an_account() -> None:
    for wrong in ("", "&api_key=x", f"&api_key={KEY}&user_id=x"):
        answer = respond_025(POSTS, BASE + wrong)
        assert (answer.status, answer.body) == (401, b"Missing authentication.")
    page = json.loads(respond_025(POSTS, f"{BASE}&{ACCOUNT}&limit=1000").body)
    assert page["@attributes"]["count"] == 120
    assert [post["id"] for post in page["post"]] == IDS[:-101:-1]
    assert {post["tags"] for post in page["post"]} == {
        " ".join(all_tags(post)) for post in POSTS[20:]
    }
    end = json.loads(respond_025(POSTS, f"{BASE}&{ACCOUNT}&tags=id:>{IDS[-1]}").body)
    assert "post" not in end


def test_kinds_of_tags_are_no_part_of_version_02() -> None:
    assert ids_of("tags=original") == []
    tags = {tag for post in POSTS for tag in post.tags.split()}
    posts = json.loads(respond(POSTS, f"{BASE}&limit=1000").body)
    assert {tag for post in posts for tag in post["tags"].split()} == tags
