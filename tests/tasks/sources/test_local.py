"""Where the pictures are that posts on this machine have."""

from pathlib import Path

import pytest

from pipeline.posts import hf_hub
from pipeline.posts.hf_files import TableFiles, find_tables
from pipeline.posts.options import MetadataOptions
from tasks import ImportMetadata, config
from tests.pipeline.posts.picture_tables import png, write_parquet


def task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: MetadataOptions
) -> ImportMetadata:
    build = config.BuildOptions(data=str(tmp_path / "data"), dataset="some")
    monkeypatch.setitem(config._cache, config.BuildOptions, build)
    monkeypatch.setitem(config._cache, MetadataOptions, options)
    ImportMetadata.clear_instance_cache()  # Luigi keeps that of another test's folder
    return ImportMetadata()


def test_a_dataset_of_the_hub_is_fetched_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_parquet(tmp_path / "cache" / "a.parquet", {"image": [png(1), png(2)]})
    fetched = []

    def fetch(name: str) -> TableFiles:
        fetched.append(name)
        return find_tables(tmp_path / "cache")

    monkeypatch.setattr(hf_hub, "fetch", fetch)
    importing = task(tmp_path, monkeypatch, MetadataOptions(hf="some-one/name"))
    assert importing.unmet_requirements() == []
    for _ in range(2):
        importing.make_and_record()
    assert fetched == ["some-one/name"]
    assert importing.manifest().kept == 2
    assert importing.pictures_root == tmp_path / "cache"
    assert importing.complete()


def test_what_the_hub_needs_is_said_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    (message,) = task(
        tmp_path, monkeypatch, MetadataOptions(hf="some-one/name")
    ).unmet_requirements()
    assert "datasets, which downloads from the Hugging Face hub, is not installed" in message


def test_tables_that_are_not_there_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = MetadataOptions(hf=str(tmp_path / "gone.parquet"))
    (message,) = task(tmp_path, monkeypatch, options).unmet_requirements()
    assert message.startswith(f"[metadata] hf = {tmp_path}/gone.parquet cannot be read")


@pytest.mark.parametrize("name", ["", "a.parquet"])
def test_pictures_lie_in_the_folder_or_in_that_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write_parquet(tmp_path / "in" / "a.parquet", {"image": [png(1)]})
    options = MetadataOptions(hf=str(tmp_path / "in" / name))
    assert options.source == "hf"
    importing = task(tmp_path, monkeypatch, options)
    importing.make_and_record()
    assert importing.pictures_root == tmp_path / "in"
    assert importing.complete()


@pytest.mark.parametrize(
    ("source", "place"), [("folder", "folder"), ("webdataset", "file or folder")]
)
def test_a_place_that_is_not_there_is_named_by_its_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, place: str
) -> None:
    options = MetadataOptions(**{source: str(tmp_path / "gone")})
    (message,) = task(tmp_path, monkeypatch, options).unmet_requirements()
    assert message.startswith(f"[metadata] {source} = {tmp_path}/gone: there is no such {place}.")
