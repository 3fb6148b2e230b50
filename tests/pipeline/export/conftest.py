"""Fixtures: two small shards, their export, and the library that loads it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import datasets
import pytest

from pipeline.export.export import Exported, export
from pipeline.pack.pack import ShardPaths
from tests.pipeline.export.small_build import FACTS, IDS, SPLIT, Run, plan_of, shard_of


@pytest.fixture
def shards(tmp_path: Path) -> list[ShardPaths]:
    inside = tmp_path / "shards"
    return [
        shard_of(inside / "0", [i for i in IDS if i < 1000]),
        shard_of(inside / "1", [i for i in IDS if i >= 1000]),
    ]


@pytest.fixture
def run(tmp_path: Path, shards: list[ShardPaths]) -> Run:
    """Return a function that exports the shards into `tmp_path / "out"`."""

    def export_them(*, fingerprint: str = "a", **options: object) -> Exported:
        return export(
            tmp_path / "out", SPLIT, shards, plan_of(**options), FACTS, fingerprint=fingerprint
        )

    return export_them


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Callable[[Path], datasets.DatasetDict]]:
    """Return `load_dataset` with a cache of its own and without progress bars."""
    datasets.disable_progress_bars()
    cache = str(tmp_path / "cache")
    yield lambda folder: datasets.load_dataset(str(folder), cache_dir=cache)
    datasets.enable_progress_bars()
