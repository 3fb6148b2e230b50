"""Moebooru's API of the sample booru: pages, the order, limits and the account."""

import json
from typing import Any

from pipeline.sample_booru.apis.answer import KEY, USER
from pipeline.sample_booru.apis.moebooru import respond
from pipeline.sample_booru.catalogue import catalogue
from pipeline.sample_booru.tag_kinds import all_tags

POSTS = list(catalogue(130))
IDS = [post.id for post in POSTS]


def read(query: str) -> Any:
    answer = respond(POSTS, query)
    assert answer.status == 200
    return json.loads(answer.body)


def ids_of(query: str) -> list[int]:
    return [post["id"] for post in read(query)]


def test_pages_are_newest_first_unless_ordered() -> None:
    assert ids_of("") == IDS[:-17:-1]
    assert ids_of("limit=1000") == IDS[:-101:-1]
    assert ids_of("limit=10&page=2") == IDS[::-1][10:20]
    assert ids_of(f"limit=5&tags=id:>{IDS[9]}+order:id") == IDS[10:15]
    assert ids_of(f"tags=id:{IDS[3]}..{IDS[6]}+order:id") == IDS[3:7]


def test_version_2_tells_the_kinds_of_tags() -> None:
    page = read("api_version=2&include_tags=1&limit=100")
    assert [post["id"] for post in page["posts"]] == ids_of("limit=100")
    tags = {tag for post in page["posts"] for tag in post["tags"].split()}
    assert tags == set(page["tags"]) == {tag for post in POSTS[30:] for tag in all_tags(post)}
    assert {"artist", "character", "copyright", "general", "faults"} == set(page["tags"].values())
    assert read("api_version=2&limit=1")["tags"] == {}


def test_too_many_words_and_a_wrong_account_are_refused() -> None:
    assert respond(POSTS, "tags=a+b+c+d+e+f+g").status == 422
    assert respond(POSTS, f"login={USER}&password_hash=x").status == 403
    assert len(ids_of(f"login={USER}&password_hash={KEY}&limit=3")) == 3
