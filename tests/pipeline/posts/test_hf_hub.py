"""Datasets of the hub: the library loads tables of this machine in their place."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest

from pipeline.posts import hf_hub
from pipeline.posts.metadata import import_tables
from pipeline.posts.picture_table import open_table, pictures_of
from sketch_models.errors import SengaError
from tests.pipeline.posts.picture_tables import png, write_parquet

real_load = datasets.load_dataset


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder that stands for the dataset `some/name`."""
    folder = tmp_path / "repository"
    folder.mkdir()

    def load_dataset(name: str) -> Any:
        assert name == "some/name"
        return real_load(str(folder), cache_dir=str(tmp_path / "cache"))

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    datasets.disable_progress_bars()
    yield folder
    datasets.enable_progress_bars()


def test_all_splits_are_taken(repository: Path, tmp_path: Path) -> None:
    for split, count in (("train", 3), ("test", 2)):
        columns = {"image": [png(n) for n in range(count)], "text": [split] * count}
        write_parquet(repository / "data" / f"{split}-00000-of-00001.parquet", columns)
    tables = hf_hub.fetch("some/name")
    assert [file.path for file in tables.files] == [
        "repository-test.arrow",
        "repository-train.arrow",
    ]
    assert tables.root.is_relative_to(tmp_path / "cache")
    counts = import_tables(tables, tmp_path / "posts.parquet", tmp_path / "quarantine.csv")
    assert counts == {"posts": 5}


def test_pictures_in_files_of_their_own_are_put_into_tables(repository: Path) -> None:
    contents = {png(number) for number in range(3)}
    for number, content in enumerate(sorted(contents)):
        (repository / f"{number}.png").write_bytes(content)
    tables = hf_hub.fetch("some/name")
    (file,) = tables.files
    table = open_table(tables.root / file.path)
    assert table.find_pictures() == "image"
    assert set(pictures_of(table.read(0, ["image"]), "image")[0]) == contents
    assert hf_hub.fetch("some/name") == tables


def test_what_the_library_says_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def load_dataset(_name: str) -> None:
        raise datasets.exceptions.DatasetNotFoundError("Dataset 'a/b' doesn't\nexist on the Hub")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    message = r"hf = a/b: there is no such path.*DatasetNotFoundError: Dataset 'a/b' doesn't exist"
    with pytest.raises(SengaError, match=message) as caught:
        hf_hub.fetch("a/b")
    assert "\n" not in str(caught.value)


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hf_hub.missing_requirements("a/b") == []
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    (message,) = hf_hub.missing_requirements("a/b")
    assert message.startswith("[metadata] hf = a/b: there is no such path")
    assert "pip install -e .[hf]" in message
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(SengaError, match=r"cannot be imported.*pip install -e \.\[hf\]"):
        hf_hub.fetch("a/b")


def test_a_path_is_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert hf_hub.is_name("some-one/name_1.0")
    for text in ("a/b", "/a/b", "a", "a/b/c", "a/b.parquet", "~/b", "./b/", "a b/c"):
        assert not hf_hub.is_name(text), text
