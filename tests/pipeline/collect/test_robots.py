"""What a host asks of programs."""

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
    """Answers with one robots.txt; counts how often."""

    def __init__(self, content: bytes | FetchError) -> None:
        self.content = content
        self.asked: list[str] = []

    def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        if isinstance(self.content, FetchError):
            raise self.content
        return self.content


def allows(robots: Robots, url: str, site: Site) -> bool:
    try:
        robots.check(url, site)
    except FetchError as error:
        return error.code != "robots_txt"
    return True


def test_rules_hold_for_the_host_that_has_them() -> None:
    robots, site = Robots(), Site(RULES)
    assert not allows(robots, "https://a.org/images/1.jpg", site)
    assert allows(robots, "https://a.org/images/open/1.jpg", site)
    assert allows(robots, "https://a.org/samples/1.jpg", site)
    assert site.asked == ["https://a.org/robots.txt"]
    assert allows(robots, "https://b.org/images/1.jpg", Site(b""))


def test_rules_for_this_program() -> None:
    site = Site(b"User-agent: senga\nDisallow: /\n\nUser-agent: *\nAllow: /\n")
    assert not allows(Robots(), "https://a.org/1.jpg", site)


def test_a_host_says_how_often() -> None:
    assert Robots().check("https://a.org/1.jpg", Site(RULES)) == 2
    assert Robots().check("https://a.org/1.jpg", Site(b"")) == 0


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_file_that_is_not_there_allows_everything(status: int) -> None:
    site = Site(FetchError(f"http_{status}", status=status))
    Robots().check("https://a.org/images/1.jpg", site)


@pytest.mark.parametrize("status", [429, 500, 503, None])
def test_one_that_cannot_be_had_for_now_allows_nothing_for_now(status: int | None) -> None:
    robots, site = Robots(), Site(FetchError("http_503", status=status))
    with pytest.raises(FetchError) as caught:
        robots.check("https://a.org/1.jpg", site)
    assert caught.value.code == "http_503"
    assert caught.value.detail.startswith("robots.txt: ")
    assert allows(robots, "https://a.org/1.jpg", Site(b""))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"<html>no</html>", b"Disallow: /", b""])
def test_nonsense_forbids_nothing(content: bytes) -> None:
    assert allows(Robots(), "https://a.org/1.jpg", Site(content))


def test_many_threads_ask_once() -> None:
    robots, site = Robots(), Site(RULES)
    threads = [
        threading.Thread(target=allows, args=(robots, f"https://a.org/{n}", site))
        for n in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(site.asked) == 1


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
def test_x_robots_tag(value: str, refused: bool) -> None:
    assert refuses_training({"X-Robots-Tag": value}) == refused
    assert not refuses_training({})
