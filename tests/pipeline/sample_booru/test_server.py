from __future__ import annotations

import http.client
import io
import json
import socket
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from pipeline.sample_booru.artist.character import character
from pipeline.sample_booru.artist.draw import draw
from pipeline.sample_booru.catalogue import Post, catalogue
from pipeline.sample_booru.files import encode
from pipeline.sample_booru.server import serve

POSTS = 150


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve(POSTS) as where:
        yield where


@pytest.fixture(scope="module")
def posts() -> list[Post]:
    return list(catalogue(POSTS))


def get(address: str, path: str, method: str = "GET") -> tuple[int, str, bytes, str]:
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read()
        return (
            answer.status,
            answer.getheader("Content-Type", ""),
            body,
            answer.getheader("Content-Length", ""),
        )
    finally:
        connection.close()


@pytest.mark.parametrize("variant", ["jpg", "png", "png_alpha", "png_palette"])
def test_a_living_post_is_a_picture_of_its_type_and_size(
    address: str, posts: list[Post], variant: str
) -> None:
    row = next(row for row in posts if row.fate == "live" and row.variant == variant)
    status, kind, body, length = get(address, row.path)
    assert (status, length) == (200, str(len(body)))
    assert kind == {"jpg": "image/jpeg", "png": "image/png"}[variant[:3]]
    with Image.open(io.BytesIO(body)) as picture:
        picture.load()
        assert picture.size == (row.width, row.height)
        assert picture.mode == {"png_alpha": "RGBA", "png_palette": "P"}.get(variant, "RGB")


@pytest.mark.parametrize(("fate", "status"), [("missing", 404), ("gone", 410), ("page", 200)])
def test_a_dead_post_is_a_page(address: str, posts: list[Post], fate: str, status: int) -> None:
    row = next(row for row in posts if row.fate == fate)
    got, kind, body, _ = get(address, row.path)
    assert got == status
    assert kind.startswith("text/html")
    assert body.startswith(b"<!DOCTYPE html>")


def test_a_truncated_picture_ends_early(address: str) -> None:
    row = next(row for row in catalogue(1000) if row.fate == "truncated" and row.variant == "jpg")
    with serve(1000) as other:
        _, _, body, length = get(other, row.path)
    assert length == str(len(body))
    with Image.open(io.BytesIO(body)) as picture, pytest.raises(OSError, match="truncated"):
        picture.load()
    assert address


@pytest.mark.parametrize(
    "path", ["/", "/images/1/none.png", "/index.html?page=dapi", "/../etc/passwd"]
)
def test_other_paths_are_not_found(address: str, path: str) -> None:
    assert get(address, path)[0] == 404


def test_the_metadata_s_paths_work_as_they_are(address: str, posts: list[Post]) -> None:
    row = next(row for row in posts if row.fate == "live" and "?" in row.url)
    path = row.url.partition("safebooru.example")[2]
    assert get(address, path)[0] == 200
    assert get(address, f"/{row.path}?x=1", method="HEAD")[2] == b""


def test_the_api_knows_the_posts_that_are_served(address: str, posts: list[Post]) -> None:
    query = "/index.php?page=dapi&s=post&q=index&json=1&limit=1000&tags="
    status, kind, body, _ = get(address, query)
    assert (status, kind) == (200, "application/json")
    assert [post["id"] for post in json.loads(body)] == [row.id for row in reversed(posts)]
    assert get(address, f"{query}id:>{posts[-1].id}")[2] == b""
    with serve(POSTS + 20) as grown:
        newer = json.loads(get(grown, f"{query}id:>{posts[-1].id}")[2])
    assert len(newer) == 20


def test_robots_txt(address: str) -> None:
    status, kind, body, _ = get(address, "/robots.txt")
    assert (status, kind, body) == (200, "text/plain", b"User-agent: *\nDisallow: /admin/\n")


def test_connections_are_kept(address: str, posts: list[Post]) -> None:
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.connect()
        used = connection.sock
        for row in [row for row in posts if row.fate == "missing"][:3]:
            connection.request("GET", row.path)
            answer = connection.getresponse()
            answer.read()
            assert answer.version == 11
            assert connection.sock is used
    finally:
        connection.close()


def test_it_listens_on_the_loopback_only_and_stops() -> None:
    with serve(1) as where:
        host, _, port = where.partition(":")
        assert host == "127.0.0.1"
        with (
            pytest.raises(ConnectionRefusedError),
            socket.create_connection(("127.0.0.2", int(port)), 2),
        ):
            pass
    with (
        pytest.raises(ConnectionRefusedError),
        socket.create_connection(("127.0.0.1", int(port)), 2),
    ):
        pass


def test_transparent_pixels_are_white_paper() -> None:
    post_id = next(i for i in range(1, 50) if character(i).background == "white")
    drawing = draw(post_id)
    with Image.open(io.BytesIO(encode(drawing, "png_alpha"))) as picture:
        rgba = np.asarray(picture)
    assert np.array_equal(rgba[..., :3], drawing.color)
    clear = rgba[..., 3] == 0
    assert 0.1 < clear.mean() < 0.9
    assert (drawing.color[clear] == 255).all()
