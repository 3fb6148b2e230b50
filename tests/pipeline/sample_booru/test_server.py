from __future__ import annotations

import http.client
import io
import json
import socket
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from pipeline.sample_booru import server
from pipeline.sample_booru.artist.character import character
from pipeline.sample_booru.artist.draw import draw
from pipeline.sample_booru.catalogue import Post, catalogue
from pipeline.sample_booru.files import encode
from pipeline.sample_booru.server import serve

POSTS = 150


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve(POSTS) as server_address:
        yield server_address


@pytest.fixture(scope="module")
def posts() -> list[Post]:
    return list(catalogue(POSTS))


def get(address: str, path: str, method: str = "GET") -> tuple[int, str, bytes, str]:
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        body = response.read()
        return (
            response.status,
            response.getheader("Content-Type", ""),
            body,
            response.getheader("Content-Length", ""),
        )
    finally:
        connection.close()


@pytest.mark.parametrize("file_format", ["jpg", "png", "png_alpha", "png_palette"])
def test_live_post_is_a_picture_of_its_format_and_size(
    address: str, posts: list[Post], file_format: str
) -> None:
    row = next(row for row in posts if row.response == "live" and row.file_format == file_format)
    status, content_type, body, length = get(address, row.path)
    assert (status, length) == (200, str(len(body)))
    assert content_type == {"jpg": "image/jpeg", "png": "image/png"}[file_format[:3]]
    with Image.open(io.BytesIO(body)) as picture:
        picture.load()
        assert picture.size == (row.width, row.height)
        assert picture.mode == {"png_alpha": "RGBA", "png_palette": "P"}.get(file_format, "RGB")


@pytest.mark.parametrize(("response", "status"), [("missing", 404), ("gone", 410), ("page", 200)])
def test_post_without_a_picture_is_a_page(
    address: str, posts: list[Post], response: str, status: int
) -> None:
    row = next(row for row in posts if row.response == response)
    actual, content_type, body, _ = get(address, row.path)
    assert actual == status
    assert content_type.startswith("text/html")
    assert body.startswith(b"<!DOCTYPE html>")


def test_truncated_picture_ends_early(address: str) -> None:
    row = next(
        row for row in catalogue(1000) if row.response == "truncated" and row.file_format == "jpg"
    )
    with serve(1000) as other:
        _, _, body, length = get(other, row.path)
    assert length == str(len(body))
    with Image.open(io.BytesIO(body)) as picture, pytest.raises(OSError, match="truncated"):
        picture.load()
    assert address


@pytest.mark.parametrize(
    "path", ["/", "/images/1/none.png", "/index.html?page=dapi", "/../etc/passwd"]
)
def test_unknown_path_is_not_found(address: str, path: str) -> None:
    assert get(address, path)[0] == 404


def test_urls_of_the_metadata_work(address: str, posts: list[Post]) -> None:
    row = next(row for row in posts if row.response == "live" and "?" in row.url)
    path = row.url.partition("safebooru.example")[2]
    assert get(address, path)[0] == 200
    assert get(address, f"/{row.path}?x=1", method="HEAD")[2] == b""


def test_api_lists_the_served_posts(address: str, posts: list[Post]) -> None:
    query = "/index.php?page=dapi&s=post&q=index&json=1&limit=1000&tags="
    status, content_type, body, _ = get(address, query)
    assert (status, content_type) == (200, "application/json")
    assert [post["id"] for post in json.loads(body)] == [row.id for row in reversed(posts)]
    assert get(address, f"{query}id:>{posts[-1].id}")[2] == b""
    with serve(POSTS + 20) as grown:
        newer = json.loads(get(grown, f"{query}id:>{posts[-1].id}")[2])
    assert len(newer) == 20


def test_robots_txt_is_served(address: str) -> None:
    status, content_type, body, _ = get(address, "/robots.txt")
    assert (status, content_type, body) == (
        200,
        "text/plain",
        b"User-agent: *\nDisallow: /admin/\n",
    )


def test_connection_is_kept_alive(address: str, posts: list[Post]) -> None:
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.connect()
        first_socket = connection.sock
        for row in [row for row in posts if row.response == "missing"][:3]:
            connection.request("GET", row.path)
            response = connection.getresponse()
            response.read()
            assert response.version == 11
            assert connection.sock is first_socket
    finally:
        connection.close()


def test_server_listens_on_the_loopback_only_and_stops() -> None:
    with serve(1) as address:
        host, _, port = address.partition(":")
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


def test_transparent_pixels_are_white() -> None:
    post_id = next(i for i in range(1, 50) if character(i).background == "white")
    drawing = draw(post_id)
    with Image.open(io.BytesIO(encode(drawing, "png_alpha"))) as picture:
        rgba = np.asarray(picture)
    assert np.array_equal(rgba[..., :3], drawing.color)
    clear = rgba[..., 3] == 0
    assert 0.1 < clear.mean() < 0.9
    assert (drawing.color[clear] == 255).all()


def test_end_waits_for_pictures_that_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that is in a library while the interpreter ends aborts the process."""
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    class Slow:
        def read(self, _post_id: int, _seed: int) -> bytes:
            begun.set()
            go_on.wait(20)
            ended.set()
            return b"picture"

    monkeypatch.setattr(server, "pictures_of_process", lambda _: Slow())
    row = next(row for row in catalogue(POSTS) if row.response == "live")
    with serve(POSTS) as address, socket.create_connection(address.split(":")) as client:
        client.sendall(f"GET {row.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert begun.wait(20)
        threading.Timer(0.2, go_on.set).start()
    assert ended.is_set()
