"""Folders of other settings: found, and deleted."""

import os
from pathlib import Path

import pytest

from pipeline.prune import delete_unused, find_unused, stages_of
from pipeline.store import LATEST, Dataset

USED, OTHER, LINKED = "a" * 64, "b" * 64, "c" * 64


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Return a dataset with three settings of two stages, one of them linked."""
    made = Dataset(tmp_path / "sample")
    for settings_hash in (USED, OTHER, LINKED):
        for folder in (made.packed(settings_hash), made.colorizer(settings_hash)):
            folder.mkdir(parents=True)
            (folder / "file").write_bytes(b"12345")
    made.link_newest("train.h5", made.packed(LINKED) / "file")
    made.link_newest(f"colorizer/{LATEST}", made.colorizer(OTHER))
    return made


def unused_paths(dataset: Dataset, *stages: str) -> list[str]:
    found = find_unused(dataset, {USED}, stages or stages_of(dataset))
    return [str(each.path.relative_to(dataset.root)) for each in found]


def test_folders_that_neither_settings_nor_a_link_needs_are_unused(dataset: Dataset) -> None:
    assert unused_paths(dataset) == [
        f"colorizer/{LINKED[:12]}",
        f"dataset/{OTHER[:12]}",
    ]
    assert unused_paths(dataset, "dataset") == [f"dataset/{OTHER[:12]}"]


def test_size_and_day_are_those_of_the_folder(dataset: Dataset) -> None:
    os.utime(dataset.packed(OTHER), (86_400 * 10, 86_400 * 10))
    (found,) = find_unused(dataset, {USED}, ["dataset"])
    assert (found.bytes, found.changed.year) == (5, 1970)


@pytest.mark.parametrize(
    "kept",
    [
        "color/shard-00001.tar",
        "metadata/0123456789ab.jsonl",
        "metadata/sample_booru.csv",
        "dataset/mine/file",
        "dataset/0123456789AB/file",
        "dataset/0123456789ab0/file",
    ],
)
def test_downloads_and_foreign_files_are_never_unused(dataset: Dataset, kept: str) -> None:
    path = dataset.root / kept
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    delete_unused(find_unused(dataset, {USED}, stages_of(dataset)))
    assert path.exists()


def test_links_are_neither_followed_nor_deleted(dataset: Dataset, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "deep").mkdir(parents=True)
    (dataset.root / "dataset" / ("d" * 12)).symlink_to(elsewhere)
    assert len(unused_paths(dataset)) == 2
    delete_unused(find_unused(dataset, {USED}, stages_of(dataset)))
    assert (elsewhere / "deep").is_dir()


def test_a_training_that_was_set_aside_is_unused(dataset: Dataset) -> None:
    aside = dataset.colorizer(USED).with_name(f"{USED[:12]}-{OTHER[:12]}")
    aside.mkdir()
    assert f"colorizer/{aside.name}" in unused_paths(dataset)


def test_what_is_unused_is_deleted_and_the_rest_stays(dataset: Dataset) -> None:
    delete_unused(find_unused(dataset, {USED}, ["dataset"]))
    assert not dataset.packed(OTHER).exists()
    assert (dataset.packed(USED) / "file").exists()
    assert (dataset.packed(LINKED) / "file").exists()
    assert (dataset.colorizer(OTHER) / "file").exists()
    assert unused_paths(dataset, "dataset") == []


def test_exports_that_a_link_needs_are_kept(dataset: Dataset) -> None:
    for settings_hash in (USED, OTHER, LINKED):
        (dataset.export(settings_hash) / "parquet").mkdir(parents=True)
    dataset.link_newest("export/parquet", dataset.export(LINKED) / "parquet")
    assert unused_paths(dataset, "export") == [f"export/{OTHER[:12]}"]
