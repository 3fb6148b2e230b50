"""A dataset from the API of the sample booru that grows; and the retry of failed downloads."""

import re
from pathlib import Path

import h5py
import polars as pl
import pytest

from pipeline.sample_booru.apis.answer import KEY, USER
from pipeline.sample_booru.catalogue import catalogue
from tests.end_to_end.luigi import run_luigi


def luigi(
    data: Path,
    *arguments: str,
    path: str = "index.php",
    task: str = "BuildDataset",
    code: int = 0,
    **variables: str,
) -> str:
    url = f"https://safebooru.example/{path}"
    source = ["--metadata-source", "api", "--metadata-api-url", url]
    small = ["--sketch-size", "256", "--pack-size", "64", "--split-test-size", "2"]
    data_folder = ["--build-data", str(data)]
    return run_luigi(*arguments, *source, *small, *data_folder, task=task, code=code, **variables)


def ids(data: Path) -> set[int]:
    all_ids: set[int] = set()
    for part in ("train", "test"):
        with h5py.File(data / "sample" / f"{part}.h5") as file:
            all_ids |= set(file["id"][:].tolist())
    return all_ids


def test_new_posts_of_a_board_extend_the_dataset(tmp_path: Path) -> None:
    luigi(tmp_path, "--metadata-sample-posts", "50")
    first = ids(tmp_path)
    (store,) = (tmp_path / "sample" / "metadata").glob("*.jsonl")
    before = store.read_bytes()
    tar = next((tmp_path / "sample" / "color").glob("*.tar"))
    stamp = tar.stat().st_mtime_ns

    assert "Nothing has changed" in luigi(tmp_path, "--metadata-sample-posts", "50")
    assert store.read_bytes() == before
    assert tar.stat().st_mtime_ns == stamp

    offline = ("--metadata-new-posts", "false")
    assert "Nothing to do" in luigi(tmp_path, "--metadata-sample-posts", "70", *offline)

    stderr = luigi(tmp_path, "--metadata-sample-posts", "70")
    assert first < ids(tmp_path)
    assert store.read_bytes().startswith(before)
    new = re.search(r"metadata +(\d+) posts", stderr)
    assert new
    assert int(new[1]) > len(before.splitlines()) - 1


def test_failed_downloads_are_retried_by_code(tmp_path: Path) -> None:
    luigi(tmp_path, "--metadata-sample-posts", "50")
    (table,) = (tmp_path / "sample" / "color").glob("*.outcomes.parquet")
    before = pl.read_parquet(table)
    dead = before.filter(pl.col("code") == "http_404")
    assert dead.height > 0
    # As if the board had deleted its pictures for a day.
    changed = before.with_columns(
        code=pl.when(pl.col("code") == "http_404").then(pl.lit("http_410")).otherwise("code")
    )
    changed.write_parquet(table)
    again = ("--metadata-sample-posts", "50", "--codes", "http_410")
    output = luigi(tmp_path, *again, task="RetryFailed")
    assert f"{dead.height} pictures will be downloaded again" in output
    assert pl.read_parquet(table).equals(before)
    stderr = luigi(tmp_path, "--codes", "http_4o4", task="RetryFailed", code=30)
    assert "[RetryFailed] codes = http_4o4: expected" in stderr


@pytest.mark.parametrize(
    ("path", "searched", "page"),
    [
        ("danbooru/posts.json", "is searched for solo white_background; [filter] looks", "posts"),
        ("moebooru/post.json", "", "post/show"),
        ("e621/posts.json", "", "posts"),
    ],
)
def test_dataset_has_the_pictures_that_a_board_shows(
    tmp_path: Path, path: str, searched: str, page: str
) -> None:
    few = ("--metadata-sample-posts", "50", "--sketch-models", "xdog", "--simplify-model")
    account = {"SENGA_BOARD_KEY": KEY, "SENGA_BOARD_USER": USER}
    board = path.partition("/")[0]
    named = ("--metadata-board", board)  # the path of e621's API is that of Danbooru's, too
    stderr = luigi(tmp_path, *few, "centerline", *named, path=path, **account)
    assert searched in stderr
    wanted = {"solo", "white_background", "upper_body"}
    shown = {
        post.id
        for post in catalogue(50)
        if wanted <= set(post.tags.split()) and post.response == "live"
    }
    assert ids(tmp_path) <= shown
    assert len(ids(tmp_path)) > 3
    (table,) = tmp_path.rglob("posts.parquet")
    posts = pl.read_parquet(table)
    assert posts["artist"].drop_nulls().len() > 10
    assert posts["post_url"][0].startswith(f"https://safebooru.example/{board}/{page}/1500")
    texts = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for secret in (KEY, USER):
        assert secret not in stderr
        assert not any(secret.encode() in text for text in texts)
