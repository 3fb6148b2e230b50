"""A dataset from the API of the sample booru that grows; and the retry of failed downloads."""

import re
from pathlib import Path

import h5py
import polars as pl

from tests.end_to_end.luigi import run_luigi


def luigi(data: Path, *arguments: str, task: str = "BuildDataset", code: int = 0) -> str:
    source = [
        "--metadata-source",
        "api",
        "--metadata-api-url",
        "https://safebooru.example/index.php",
    ]
    small = ["--sketch-size", "256", "--pack-size", "64", "--split-test-size", "2"]
    data_folder = ["--build-data", str(data)]
    return run_luigi(*arguments, *source, *small, *data_folder, task=task, code=code)


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
