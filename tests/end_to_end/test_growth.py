"""A dataset from a CSV that grows: new posts, an unchanged CSV, and transient failures."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import h5py
import pytest

from benchmarks.harness.web import Page, Web, serving
from pipeline.picture import encode_png
from pipeline.sample_booru.artist.draw import draw
from tests.end_to_end.luigi import run_luigi

HEADER = "id,created_at,rating,score,sample_url,sample_width,sample_height,preview_url,tags\n"


@lru_cache
def picture(post_id: int) -> bytes:
    return encode_png(draw(post_id).color[::2, ::2].copy())


class Booru(Web):
    """A server of a drawing under every path, which records requests and fails for some posts.

    Attributes:
        requested_ids: posts of all requests, in their order.
        failing: posts that fail.
    """

    def __init__(self) -> None:
        super().__init__()
        self.requested_ids: list[int] = []
        self.failing: set[int] = set()

    def csv(self, ids: list[int]) -> str:
        rows = [
            f'{i},0,s,1,"http://{self.address}/{i}.png",200,300,"",'
            '"white_background solo upper_body"\n'
            for i in ids
        ]
        return HEADER + "".join(rows)

    def next_page(self, path: str) -> Page:
        if path == "/robots.txt":
            return super().next_page(path)
        post_id = int(Path(path).stem)
        self.requested_ids.append(post_id)
        if post_id in self.failing:
            return self.page(status=503)
        return self.page(picture(post_id), Content_Type="image/png")


@pytest.fixture
def booru() -> Iterator[Booru]:
    with serving(Booru()) as server:
        yield server


def build(folder: Path, *arguments: str) -> str:
    source = ["--metadata-source", "csv", "--metadata-csv", str(folder / "posts.csv")]
    local = ["--download-hosts", "127.0.0.1", "--download-allow-private", "true"]
    small = ["--sketch-size", "128", "--pack-size", "32", "--split-test-size", "2"]
    return run_luigi(*source, *local, *small, "--build-data", str(folder), *arguments)


def tar_times(folder: Path, stage: str) -> dict[str, int]:
    tars = (folder / "sample" / stage).rglob("*.tar")
    return {tar.name: tar.stat().st_mtime_ns for tar in tars}


def packed_ids(folder: Path) -> list[int]:
    """Return the posts in `train.h5` and `test.h5`."""
    ids: list[int] = []
    for name in ("train.h5", "test.h5"):
        with h5py.File(folder / "sample" / name) as file:
            ids += file["id"][:].tolist()
    return sorted(ids)


def test_new_posts_change_only_their_shards(tmp_path: Path, booru: Booru) -> None:
    (tmp_path / "posts.csv").write_text(booru.csv([10, 11, 1010, 1011, 2010]))
    build(tmp_path)
    before = {stage: tar_times(tmp_path, stage) for stage in ("color", "sketch", "line")}
    booru.requested_ids.clear()
    (tmp_path / "posts.csv").write_text(booru.csv([10, 11, 1010, 1011, 2010, 2011, 5000]))
    build(tmp_path)
    assert sorted(booru.requested_ids) == [2011, 5000]
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
    assert packed_ids(tmp_path) == [10, 12, 1010]
    booru.requested_ids.clear()
    booru.failing = set()
    build(tmp_path, *no_retries)
    assert booru.requested_ids == [11]
    assert packed_ids(tmp_path) == [10, 11, 12, 1010]
    assert "Nothing to do" in build(tmp_path, *no_retries)
