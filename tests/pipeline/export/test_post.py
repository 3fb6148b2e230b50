"""What is known of posts: kinds of tags, links, and the table that they are read from."""

from pathlib import Path

import pytest

from pipeline.damage import DamagedFileError
from pipeline.export.post import Post, read_posts
from tests.pipeline.export.small_build import post_of, write_posts


@pytest.mark.parametrize(
    ("known", "link"),
    [
        ({"post_url": "https://danbooru.example/posts/7", "source": "https://a.example"}, 0),
        ({"url": "https://safebooru.org/images/1/7.png", "source": "https://a.example"}, 1),
        ({"url": "https://img3.safebooru.org/images/1/7.png"}, 1),
        ({"url": "https://notsafebooru.org/7.png", "source": "https://a.example/art"}, 2),
        ({"url": "https://b.example/7.png", "source": "a book"}, 3),
        ({"url": "https://b.example/7.png"}, 3),
    ],
)
def test_link_is_the_page_of_the_post_if_it_is_known(known: dict[str, str], link: int) -> None:
    links = [
        "https://danbooru.example/posts/7",
        "https://safebooru.org/index.php?page=post&s=view&id=7",
        "https://a.example/art",
        "https://b.example/7.png",
    ]
    assert Post(id=7, **known).link == links[link]


def test_tag_is_of_the_kind_that_names_it_as_a_whole() -> None:
    post = Post(id=1, tags="miku hatsune_miku", character="hatsune_miku")
    assert post.kind_of("hatsune_miku") == "character"
    assert post.kind_of("miku") == "general"


def test_selected_posts_are_read_in_ascending_order(tmp_path: Path) -> None:
    write_posts(tmp_path / "p.parquet", [post_of(9), post_of(2), post_of(4)])
    assert read_posts(tmp_path / "p.parquet", {9, 2, 77}) == {2: post_of(2), 9: post_of(9)}
    assert list(read_posts(tmp_path / "p.parquet", {9, 2})) == [2, 9]


def test_cut_table_is_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    write_posts(path, [post_of(9)])
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DamagedFileError):
        read_posts(path, {9})


def test_path_of_a_local_picture_is_no_link() -> None:
    local = "file:girl/001.jpg?1-2"
    assert Post(id=7, url=local).link == ""
    assert Post(id=7, url=local, source="a book").link == ""
    assert Post(id=7, url=local, source="https://a.example/1").link == "https://a.example/1"
