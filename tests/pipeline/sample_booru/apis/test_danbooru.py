"""Danbooru's and e621's APIs of the sample booru: pages, limits, errors and the account."""

import json
from typing import Any

import pytest

from pipeline.sample_booru.apis.answer import KEY, USER
from pipeline.sample_booru.apis.danbooru import respond, respond_e621
from pipeline.sample_booru.catalogue import catalogue
from pipeline.sample_booru.tag_kinds import tags_by_kind

POSTS = list(catalogue(250))
IDS = [post.id for post in POSTS]


def page(query: str) -> list[dict[str, Any]]:
    answer = respond(POSTS, query)
    assert answer.status == 200
    posts: list[dict[str, Any]] = json.loads(answer.body)
    return posts


def ids_of(query: str) -> list[int]:
    return [post["id"] for post in page(query)]


def test_pages_are_newest_first() -> None:
    assert ids_of("") == IDS[:-21:-1]
    assert ids_of("limit=5000") == IDS[:-201:-1]
    assert ids_of("limit=10&page=3") == IDS[::-1][20:30]


def test_sequential_pages_follow_the_ids() -> None:
    assert ids_of(f"limit=7&page=a{IDS[40]}") == IDS[41:48][::-1]
    assert ids_of(f"limit=7&page=b{IDS[40]}") == IDS[33:40][::-1]
    assert ids_of(f"page=a{IDS[-1]}") == []


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("tags=a+b+c", 422, "PostQuery::TagLimitError"),
        ("page=1001", 410, "PaginationError"),
        ("login=x&api_key=y", 401, "AuthenticationFailure"),
        (f"login={USER}", 401, "AuthenticationFailure"),
    ],
)
def test_errors_are_objects(query: str, status: int, words: str) -> None:
    answer = respond(POSTS, query)
    assert answer.status == status
    assert json.loads(answer.body)["success"] is False
    assert words in json.loads(answer.body)["error"]


def test_account_is_accepted() -> None:
    assert ids_of(f"login={USER}&api_key={KEY}&limit=2") == IDS[:-3:-1]
    assert respond_e621(POSTS, f"login={USER}&api_key=x").status == 401


def test_posts_have_kinds_of_tags_and_addresses_unless_banned() -> None:
    posts = {post["id"]: post for post in page("limit=200")}
    for row in POSTS[-200:]:
        post = posts[row.id]
        for kind, tags in tags_by_kind(row).items():
            assert post[f"tag_string_{kind}"] == " ".join(tags)
        assert ("file_url" in post) == (row.response != "gone")
        assert post["rating"] in "gsqe"
    assert any(post["is_banned"] for post in posts.values())


def test_posts_of_e621_are_built_of_parts() -> None:
    posts = json.loads(respond_e621(POSTS, "limit=1000").body)["posts"]
    assert [post["id"] for post in posts] == IDS[::-1]
    for post, row in zip(posts, POSTS[::-1], strict=True):
        assert post["tags"] == tags_by_kind(row)
        assert (post["file"]["url"] is None) == (row.response == "gone")
        assert post["score"]["total"] == post["score"]["up"] + post["score"]["down"]
