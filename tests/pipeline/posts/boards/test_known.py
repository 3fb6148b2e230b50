"""Which board an address belongs to, and what that implies."""

import pytest

from pipeline.posts.boards.known import BOARDS, find_board, picture_hosts, recognise


@pytest.mark.parametrize(
    ("url", "name", "api_url", "page_size", "tags"),
    [
        ("https://safebooru.org/index.php", "gelbooru", "https://safebooru.org/index.php",
         1000, None),
        ("https://gelbooru.com/", "gelbooru", "https://gelbooru.com/index.php", 100, None),
        ("https://api.rule34.xxx/index.php", "gelbooru", "https://api.rule34.xxx/index.php",
         1000, None),
        ("https://tbib.org", "gelbooru", "https://tbib.org/index.php", 1000, None),
        ("https://danbooru.donmai.us", "danbooru", "https://danbooru.donmai.us/posts.json",
         200, 2),
        ("https://safebooru.donmai.us/posts.json", "danbooru",
         "https://safebooru.donmai.us/posts.json", 200, 2),
        ("https://testbooru.donmai.us", "danbooru", "https://testbooru.donmai.us/posts.json",
         200, 2),
        ("https://yande.re/post.json", "moebooru", "https://yande.re/post.json", 100, 4),
        ("https://konachan.net", "moebooru", "https://konachan.net/post.json", 100, 4),
        ("https://e621.net", "e621", "https://e621.net/posts.json", 320, 40),
        ("https://booru.example/index.php", "gelbooru", "https://booru.example/index.php",
         1000, None),
        ("http://booru.example:8000/a/posts.json", "danbooru",
         "http://booru.example:8000/a/posts.json", 200, 2),
        ("https://booru.example/post.json", "moebooru", "https://booru.example/post.json", 100, 4),
    ],
)  # fmt: skip
def test_board_is_recognised_by_its_address(
    url: str, name: str, api_url: str, page_size: int, tags: int | None
) -> None:
    board = find_board("auto", url)
    assert (recognise(url), board.name, board.url) == (name, name, api_url)
    assert (board.limits.page_size, board.limits.tags) == (page_size, tags)
    assert board.limits.pages_per_second in (1, 2)


@pytest.mark.parametrize(
    "url",
    ["https://booru.example", "https://booru.example/api", "https://donmai.us.example/",
     "https://notgelbooru.com/x"],
)  # fmt: skip
def test_other_addresses_are_not(url: str) -> None:
    assert recognise(url) == ""


@pytest.mark.parametrize("name", BOARDS[1:])
def test_name_decides_over_the_address(name: str) -> None:
    assert find_board(name, "https://booru.example/api").url == "https://booru.example/api"
    assert find_board(name, "https://yande.re/index.php").name == name


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("https://danbooru.donmai.us", ("danbooru.donmai.us", "donmai.us")),
        ("https://yande.re/post.json", ("yande.re",)),
        ("https://konachan.net", ("konachan.net", "konachan.com")),
        ("https://api.rule34.xxx/index.php", ("api.rule34.xxx", "rule34.xxx")),
        ("http://booru.example:8000/index.php", ("booru.example",)),
    ],
)
def test_hosts_of_the_pictures_follow_from_the_address(url: str, hosts: tuple[str, ...]) -> None:
    assert picture_hosts(url) == hosts
