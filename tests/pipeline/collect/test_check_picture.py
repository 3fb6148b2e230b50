"""Whether the bytes that a server sent are the picture that the URL promised."""

import pytest
from PIL import Image

from pipeline.collect.check_picture import MAX_ASPECT_RATIO, check_picture
from pipeline.picture import PictureError
from tests.pipeline.picture_files import drawing, encoded

PNG, JPEG = encoded(drawing()), encoded(drawing(), "jpeg")


def code(content: bytes, url: str = "", **options: str | bool) -> str:
    """Return the code of the error; the extension if there is none."""
    try:
        return check_picture(content, url, **options)  # type: ignore[arg-type]
    except PictureError as error:
        return error.code


@pytest.mark.parametrize(
    "start", [b"<html>", b"<!DOCTYPE HTML>", b"\r\n \t<Html lang", b"<!doctype html"]
)
def test_web_page_is_named(start: bytes) -> None:
    assert code(start + b" " * 100) == "html"
    assert code(b" " * 64 + start) == "not_a_picture"  # looked for at the start alone


@pytest.mark.parametrize(
    "url", ["", "https://a.org/1", "https://a.org/1.php?x=1.jpg", "https://a.org/1.PNG?2"]
)
def test_picture_of_the_type_that_the_url_says_or_of_any(url: str) -> None:
    for drop in (False, True):
        assert code(PNG, url, drop_wrong_type=drop) == "png"


def test_other_spellings_of_an_extension() -> None:
    for url in ("https://a.org/1.jpeg", "https://a.org/1.JFIF#x", "https://a.org/1.jpe"):
        assert code(JPEG, url, drop_wrong_type=True) == "jpg"


def test_other_type_than_the_url_says_is_dropped_only_on_request() -> None:
    assert code(PNG, "https://a.org/1.jpg") == "png"
    assert code(PNG, "https://a.org/1.jpg", drop_wrong_type=True) == "wrong_type"


@pytest.mark.parametrize(
    ("last_url", "found"),
    [
        ("https://a.org/deleted.png", "wrong_redirect"),
        ("https://a.org/deleted.gif", "wrong_redirect"),
        ("https://cdn.a.org/1.jpg", "png"),  # the picture itself, which is what its URL says
        ("https://cdn.a.org/1", "png"),
        ("", "png"),
    ],
)
def test_redirect_to_another_type_is_refused(last_url: str, found: str) -> None:
    assert code(PNG, "https://a.org/1.jpg", last_url=last_url) == found
    assert code(PNG, "https://a.org/1.png", last_url=last_url) == "png"


def test_aspect_has_a_limit() -> None:
    assert MAX_ASPECT_RATIO == 50
    for width, height, found in ((100, 2, "png"), (101, 2, "absurd_aspect")):
        assert code(encoded(Image.new("L", (width, height)))) == found
        assert code(encoded(Image.new("L", (height, width)))) == found


def test_second_type_is_refused() -> None:
    assert code(PNG + b"<script>alert(1)</script>") == "polyglot"


def test_incomplete_picture_is_refused() -> None:
    assert code(JPEG[:-20]) == "truncated"
    assert code(PNG[:-40]) in ("truncated", "broken")
    assert code(b"") == "empty"


def test_messages_say_what_was_found() -> None:
    for content, url, message in (
        (PNG, "https://a.org/1.jpg", "wrong_type: png in a URL that ends in jpg"),
        (encoded(Image.new("L", (101, 2))), "", "absurd_aspect: 101 x 2"),
        (PNG + b"<script>alert(1)</script>", "", "polyglot: png and script"),
    ):
        with pytest.raises(PictureError, match=message):
            check_picture(content, url, drop_wrong_type=True)
