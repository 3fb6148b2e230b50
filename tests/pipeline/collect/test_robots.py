"""robots.txt and X-Robots-Tag."""

import threading

import pytest

from pipeline.collect.fetch_error import FetchError
from pipeline.collect.robots import Robots, refuses_training

RULES = b"""
User-agent: *
Disallow: /images/
Allow: /images/open/
Crawl-delay: 2

User-agent: OtherBot
Disallow: /
"""


class Site:
    """A site with one robots.txt, which records the requests."""

    def __init__(self, content: bytes | FetchError) -> None:
        self.content = content
        self.requested: list[str] = []

    def __call__(self, url: str) -> bytes:
        self.requested.append(url)
        if isinstance(self.content, FetchError):
            raise self.content
        return self.content


def allows(robots: Robots, url: str, site: Site) -> bool:
    try:
        robots.check(url, site)
    except FetchError as error:
        return error.code != "robots_txt"
    return True


def test_rules_apply_to_their_host_alone() -> None:
    robots, site = Robots(), Site(RULES)
    assert not allows(robots, "https://a.org/images/1.jpg", site)
    assert allows(robots, "https://a.org/images/open/1.jpg", site)
    assert allows(robots, "https://a.org/samples/1.jpg", site)
    assert site.requested == ["https://a.org/robots.txt"]
    assert allows(robots, "https://b.org/images/1.jpg", Site(b""))


def test_rules_for_the_product_token_win() -> None:
    site = Site(b"User-agent: senga\nDisallow: /\n\nUser-agent: *\nAllow: /\n")
    assert not allows(Robots(), "https://a.org/1.jpg", site)


def test_crawl_delay_is_returned() -> None:
    assert Robots().check("https://a.org/1.jpg", Site(RULES)) == 2
    assert Robots().check("https://a.org/1.jpg", Site(b"")) == 0


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_missing_robots_txt_allows_everything(status: int) -> None:
    site = Site(FetchError(f"http_{status}", status=status))
    Robots().check("https://a.org/images/1.jpg", site)


@pytest.mark.parametrize("status", [429, 500, 503, None])
def test_unavailable_robots_txt_refuses_until_it_is_available(status: int | None) -> None:
    robots, site = Robots(), Site(FetchError("http_503", status=status))
    with pytest.raises(FetchError) as caught:
        robots.check("https://a.org/1.jpg", site)
    assert caught.value.code == "http_503"
    assert caught.value.detail.startswith("robots.txt: ")
    assert allows(robots, "https://a.org/1.jpg", Site(b""))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"<html>no</html>", b"Disallow: /", b""])
def test_invalid_robots_txt_allows_everything(content: bytes) -> None:
    assert allows(Robots(), "https://a.org/1.jpg", Site(content))


def test_robots_txt_is_fetched_once_for_all_threads() -> None:
    robots, site = Robots(), Site(RULES)
    threads = [
        threading.Thread(target=allows, args=(robots, f"https://a.org/{n}", site))
        for n in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(site.requested) == 1


@pytest.mark.parametrize(
    ("value", "refused"),
    [
        ("noai", True),
        ("noindex, NoImageAI", True),
        ("senga: noai", True),
        ("*: noimageai", True),
        ("otherbot: noai", False),
        ("noindex", False),
        ("", False),
    ],
)
def test_x_robots_tag_refuses_training(value: str, refused: bool) -> None:
    assert refuses_training({"X-Robots-Tag": value}) == refused
    assert not refuses_training({})


def test_rules_of_very_many_hosts_are_not_all_kept() -> None:
    robots = Robots()
    large = Site(b"User-agent: *\nDisallow: /" + b"x" * 400_000)
    for number in range(12):
        assert allows(robots, f"https://{number}.org/1.jpg", large)
        assert allows(robots, "https://often.org/1.jpg", large)
    assert len(large.requested) == 13
    assert len(robots._rules) == 10 - 1
    assert not allows(robots, "https://often.org/" + "x" * 400_000, large)
    assert not allows(robots, "https://11.org/" + "x" * 400_000, large)
    assert len(large.requested) == 13  # those that were needed last are still there
    assert allows(robots, "https://0.org/1.jpg", large)
    assert large.requested[13:] == ["https://0.org/robots.txt"]


def test_rules_of_many_small_hosts_are_kept() -> None:
    robots, site = Robots(), Site(b"")
    for _ in range(2):
        for number in range(4000):
            assert allows(robots, f"https://{number}.org/1.jpg", site)
    assert len(site.requested) == 4000
    assert allows(robots, "https://4000.org/1.jpg", site)
    assert len(robots._rules) == len(robots._locks) == 4000
