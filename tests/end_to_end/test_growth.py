"""A dataset from a CSV that grows: new posts, an unchanged CSV, and transient failures."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.picture import encode_png
from pipeline.sample_booru.artist.draw import draw

TOP = Path(__file__).parents[2]
ENV = {key: value for key, value in os.environ.items() if not key.startswith("LUIGI_")}
HEADER = "id,created_at,rating,score,sample_url,sample_width,sample_height,preview_url,tags\n"


@lru_cache
def picture(post_id: int) -> bytes:
    return encode_png(draw(post_id).color[::2, ::2].copy())


class Booru(ThreadingHTTPServer):
    """A server of a drawing under every path, which records requests and fails for some posts."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requested: list[int] = []
        self.failing: set[int] = set()

    def csv(self, ids: list[int]) -> str:
        address = f"http://127.0.0.1:{self.server_address[1]}"
        rows = [
            f'{i},0,s,1,"{address}/{i}.png",200,300,"","white_background solo upper_body"\n'
            for i in ids
        ]
        return HEADER + "".join(rows)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Booru

    def do_GET(self) -> None:
        if self.path == "/robots.txt":
            self.send_error(404)
            return
        post_id = int(Path(self.path).stem)
        self.server.requested.append(post_id)
        content = b"" if post_id in self.server.failing else picture(post_id)
        self.send_response(503 if post_id in self.server.failing else 200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Log nothing."""


@pytest.fixture
def booru() -> Iterator[Booru]:
    with Booru() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def build(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "luigi", "--module", "tasks", "BuildDataset"]
    source = ["--metadata-source", "csv", "--metadata-csv", str(folder / "posts.csv")]
    local = ["--download-hosts", "127.0.0.1", "--download-allow-private", "true"]
    small = ["--sketch-size", "128", "--pack-size", "32", "--split-test-size", "2"]
    done = subprocess.run(
        [*command, *source, *local, *small, "--build-data", str(folder), *arguments],
        cwd=TOP,
        env=ENV,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def tar_times(folder: Path, stage: str) -> dict[str, int]:
    tars = (folder / "sample" / stage).rglob("*.tar")
    return {tar.name: tar.stat().st_mtime_ns for tar in tars}


def test_new_posts_change_only_their_shards(tmp_path: Path, booru: Booru) -> None:
    (tmp_path / "posts.csv").write_text(booru.csv([10, 11, 1010, 1011, 2010]))
    build(tmp_path)
    before = {stage: tar_times(tmp_path, stage) for stage in ("color", "sketch", "line")}
    booru.requested.clear()
    (tmp_path / "posts.csv").write_text(booru.csv([10, 11, 1010, 1011, 2010, 2011, 5000]))
    build(tmp_path)
    assert sorted(booru.requested) == [2011, 5000]
    for stage, old in before.items():
        new = tar_times(tmp_path, stage)
        changed = {name for name in new if new[name] != old.get(name)}
        assert changed == {"shard-00002.tar", "shard-00005.tar"}


def test_touched_or_deleted_csv_changes_nothing(tmp_path: Path, booru: Booru) -> None:
    (tmp_path / "posts.csv").write_text(booru.csv([10, 11, 12]))
    build(tmp_path)
    (tmp_path / "posts.csv").touch()
    assert "Nothing to do" in build(tmp_path)
    (tmp_path / "posts.csv").unlink()
    assert "Nothing to do" in build(tmp_path)


def test_transient_failure_is_retried_on_the_next_build(tmp_path: Path, booru: Booru) -> None:
    (tmp_path / "posts.csv").write_text(booru.csv([10, 11, 12, 1010]))
    booru.failing = {11}
    no_retries = ("--download-retries", "0", "--download-requests-per-second", "0")
    assert "mostly http_503" in build(tmp_path, *no_retries)
    booru.requested.clear()
    booru.failing = set()
    build(tmp_path, *no_retries)
    assert booru.requested == [11]
    assert "Nothing to do" in build(tmp_path, *no_retries)
