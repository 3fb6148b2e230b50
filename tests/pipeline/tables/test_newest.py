"""The newest build is read; a missing or damaged one is a DatasetError."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pipeline.store import Dataset
from pipeline.tables.measures import read_measures
from pipeline.tables.newest import Lineage
from pipeline.tables.outcomes import read_outcomes
from pipeline.tables.posts import read_posts
from sketch_models.errors import DatasetError
from tests.pipeline.tables.conftest import write_manifest

READERS = (read_posts, read_outcomes, read_measures)
Reader = Callable[[Path], pd.DataFrame]


@pytest.mark.parametrize("read", READERS)
def test_missing_folder_is_a_dataset_error(read: Reader, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"nowhere is no folder of a dataset\. Choose one"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize("read", READERS)
def test_dataset_without_a_finished_build_is_a_dataset_error(read: Reader, built: Path) -> None:
    (built / "report.html").unlink()
    with pytest.raises(DatasetError, match=r"sample holds no finished build\. Run BuildDataset"):
        read(built)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("folder", ["posts", "screen"])
def test_deleted_tables_are_a_dataset_error(read: Reader, folder: str, built: Path) -> None:
    if (read, folder) in ((read_posts, "screen"), (read_measures, "posts")):
        return
    shutil.rmtree(built / folder)
    with pytest.raises(DatasetError, match=rf"{folder}/.*shard-00000.parquet is missing\. Build"):
        read(built)


def test_damaged_table_is_a_dataset_error(built: Path, lineage: Lineage) -> None:
    table = Dataset(built).screen(lineage.screen, 1)
    table.write_bytes(b"PAR1 and no more")
    with pytest.raises(DatasetError, match=r"holds a damaged table\. Build the dataset again"):
        read_measures(built)


def test_missing_manifest_is_a_dataset_error(built: Path, lineage: Lineage) -> None:
    (Dataset(built).packed(lineage.packed) / "report.json").unlink()
    with pytest.raises(DatasetError, match=r"report.json is missing or damaged\. Build"):
        read_posts(built)


@pytest.mark.parametrize("facts", [{}, {"lineage": {"shards": [0]}}, {"lineage": 3}])
def test_build_of_another_version_is_a_dataset_error(
    built: Path, lineage: Lineage, facts: dict[str, object]
) -> None:
    write_manifest(Dataset(built).packed(lineage.packed) / "report.html", facts=facts)
    with pytest.raises(DatasetError, match=r"built by another version of Senga\. Build"):
        read_posts(built)


def test_deleted_shard_is_left_out(built: Path, lineage: Lineage) -> None:
    (Dataset(built).posts(lineage.posts) / "shard-00000.parquet").unlink()
    assert read_posts(built)["id"].min() == 14
