"""A tiny sample dataset built, read and built again from Python."""

import doctest
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import h5py
import pandas as pd
import polars as pl
import pytest

import senga
from pipeline.colorizer import hints
from pipeline.colorizer.training import dataset
from pipeline.pack import pack_pairs
from pipeline.posts import filter_frame
from pipeline.sample_booru import serve
from pipeline.screen import screen
from pipeline.tables import measures, metrics, outcomes, posts
from tasks import build

POSTS = 40
SMALL: dict[str, Any] = {
    "metadata_sample_posts": POSTS,
    "sketch_size": 128,
    "pack_size": 64,
    "split_test_size": 2,
}
"""Options of the sample dataset."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a notebook, outside of the repository; its name has characters of patterns."""
    folder = tmp_path_factory.mktemp("home") / "[1] 50% {2} #3 *?~ a=b"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def built(home: Path) -> senga.BuiltDataset:
    """The sample dataset, below `home`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.delenv("LUIGI_CONFIG_PATH", raising=False)
        build = senga.build_dataset(**SMALL)
        assert build.folder == Path("data/sample")
        assert {path.name for path in home.iterdir()} == {"data"}
    return senga.build_dataset(data=home / "data", **SMALL)


@pytest.fixture(autouse=True)
def without_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LUIGI_CONFIG_PATH", raising=False)


def made(folder: Path) -> dict[Path, int]:
    """Return the modification time of each artefact, following links."""
    return {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.name != ".lock"}


def test_result_holds_the_paths_of_the_files(built: senga.BuiltDataset) -> None:
    assert built.train == built.folder / "train.h5"
    for path in (built.train, built.test, built.report):
        assert path.is_file()
    with h5py.File(built.test) as file:
        assert file["color"].shape == (2, 64, 64, 3)
    assert senga.ColorizationDataset(built.train).size == 64


def test_second_call_does_nothing(
    built: senga.BuiltDataset, capsys: pytest.CaptureFixture[str]
) -> None:
    before = made(built.folder)
    assert senga.build_dataset(data=built.folder.parent, dataset="sample", **SMALL) == built
    assert made(built.folder) == before
    assert "Nothing to do" in capsys.readouterr().err


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no PYTHONSAFEPATH")
def test_folder_named_tasks_of_the_caller_is_not_imported(
    built: senga.BuiltDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "__init__.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    assert senga.build_dataset(data=built.folder.parent, **SMALL) == built


def test_luigi_configuration_of_this_process_is_unchanged(built: senga.BuiltDataset) -> None:
    from luigi.configuration import get_config

    assert built.train.exists()
    assert get_config().get("pack", "size", "") != "64"


def test_posts_are_those_that_the_filter_kept(built: senga.BuiltDataset) -> None:
    posts = senga.read_posts(built.folder)
    assert 5 < len(posts) < POSTS
    assert posts["tags"].str.contains("upper_body").all()
    assert (posts["rating"] == "s").all()
    assert posts["id"].is_monotonic_increasing


def test_outcomes_agree_with_the_files(built: senga.BuiltDataset) -> None:
    outcomes = senga.read_outcomes(built.folder)
    assert outcomes["id"].tolist() == senga.read_posts(built.folder)["id"].tolist()
    for split, path in (("train", built.train), ("test", built.test)):
        with h5py.File(path) as file:
            assert outcomes["id"][outcomes["split"] == split].tolist() == list(file["id"][:])
    packed = outcomes[outcomes["code"] == "ok"]
    assert packed["split"].notna().all()
    assert (packed["stage"] == "pack").all()
    assert "http_404" in set(outcomes["code"])


def test_measures_are_of_the_downloaded_pictures(built: senga.BuiltDataset) -> None:
    measures = senga.read_measures(built.folder)
    outcomes = senga.read_outcomes(built.folder)
    assert set(measures["id"]) == set(outcomes["id"][outcomes["stage"] != "download"])
    assert measures["chroma"].between(0, 1).all()


def test_tables_are_of_the_newest_build(built: senga.BuiltDataset) -> None:
    before = senga.read_posts(built.folder)
    try:
        senga.build_dataset(data=built.folder.parent, filter_limit=8, **SMALL)
        assert len(senga.read_posts(built.folder)) == len(senga.read_outcomes(built.folder)) == 8
    finally:
        senga.build_dataset(data=built.folder.parent, **SMALL)
    pd.testing.assert_frame_equal(senga.read_posts(built.folder), before)


@pytest.mark.parametrize(
    "module",
    [
        *(posts, outcomes, measures, metrics, build, hints, dataset),
        *(filter_frame, screen, pack_pairs),
    ],
)
def test_examples_of_docstrings_run(
    built: senga.BuiltDataset, home: Path, module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    recipe = home / "small.cfg"
    recipe.write_text(
        "[metadata]\nsample_posts = 40\n[sketch]\nsize = 128\n[split]\ntest_size = 2\n"
        "[build]\ndataset = example\n"
    )
    monkeypatch.setenv("LUIGI_CONFIG_PATH", str(recipe))
    evaluation = home / "data" / "quick"
    evaluation.mkdir(exist_ok=True)
    (evaluation / "evaluation.html").touch()
    (evaluation / "metrics.json").write_text("[]")
    assert built.folder.exists()
    failed, tried = doctest.testmod(module)
    assert tried
    assert not failed


def test_stages_on_plain_data_agree_with_the_build(built: senga.BuiltDataset) -> None:
    (path,) = built.folder.glob("metadata/*/posts.parquet")
    table = pl.read_parquet(path, glob=False).to_pandas()
    assert senga.filter_frame(table)["id"].tolist() == senga.read_posts(built.folder)["id"].tolist()
    outcomes = senga.read_outcomes(built.folder)
    outcomes = outcomes[outcomes["split"].notna()]
    split = senga.split_ids(outcomes["id"].tolist(), senga.SplitOptions(test_size=2), seed=0)
    assert split == dict(zip(outcomes["id"], outcomes["split"], strict=True))


@pytest.fixture(scope="module")
def booru() -> Iterator[str]:
    """The address of a server of the sample booru's pictures."""
    with serve(posts=POSTS) as address:
        yield address


@pytest.fixture
def frame(built: senga.BuiltDataset, booru: str) -> pd.DataFrame:
    """The posts of the sample dataset, on a host of our own."""
    posts = senga.read_posts(built.folder)
    paths = posts["url"].map(lambda url: urlsplit(url).path.lstrip("/"))
    return posts.assign(url=f"http://{booru}/" + paths)


HOST: dict[str, Any] = {
    "download_hosts": ["127.0.0.1"],
    "download_allow_private": True,
    "sketch_size": 128,
    "pack_size": 64,
    "split_test_size": 2,
}
"""Options for a frame with pictures on a host of our own."""


def test_frame_is_built_and_reused_by_a_second_call(
    frame: pd.DataFrame, built: senga.BuiltDataset, tmp_path: Path
) -> None:
    chosen = frame[["id", "url"]]  # rules on tags, rating and size do not apply
    mine = senga.build_dataset(chosen, data=tmp_path, dataset="mine", workers=2, **HOST)
    assert mine.folder == tmp_path / "mine"
    with h5py.File(mine.train) as one, h5py.File(built.train) as other:
        assert list(one["id"][:]) == list(other["id"][:])
    before = made(mine.folder)
    assert senga.build_dataset(chosen.copy(), data=tmp_path, dataset="mine", **HOST) == mine
    assert made(mine.folder) == before
    fewer = senga.build_dataset(chosen[:-1], data=tmp_path, dataset="mine", **HOST)
    assert len(senga.read_posts(fewer.folder)) == len(chosen) - 1


def test_filter_applies_to_a_frame_with_tags(frame: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(senga.SengaError, match=r"\[filter\]: no post matches"):
        senga.build_dataset(frame.assign(tags="chibi"), data=tmp_path, **HOST)


def test_hosts_of_a_frame_must_be_allowed(frame: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(senga.SengaError, match=r"127.0.0.1.*add them to \[download\] hosts"):
        senga.build_dataset(frame, data=tmp_path, split_test_size=2)


def test_frame_with_another_source_is_refused(frame: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(senga.ConfigError, match=r"posts and an option of \[metadata\] are given"):
        senga.build_dataset(frame, data=tmp_path, metadata_source="api")
    with pytest.raises(senga.DatasetError, match="posts has no column url"):
        senga.build_dataset(frame.drop(columns="url"), data=tmp_path)
    with pytest.raises(senga.ConfigError, match=r"\[build\] dataset = \.\./x: expected a name"):
        senga.build_dataset(frame, data=tmp_path / "data", dataset="../x")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        (
            {"pack_siez": 3},
            "ConfigError",
            r"^pack_siez: there is no such option\. Did you mean pack_size\?$",
        ),
        ({"size": 3}, "ConfigError", r"^size: there is no such option\. Did you mean \w+_size\?$"),
        ({"metadata_api": "x"}, "ConfigError", r"^\[metadata\] api .*api_url"),
        ({"gpu_device": "cpu"}, "ConfigError", r"^\[gpu\] .*\[compute\]"),
        ({"pack_size": "big"}, "ConfigError", r"^\[pack\] size = big: expected a whole number"),
        ({"pack_size": 3}, "ConfigError", r"^\[pack\] size = 3: expected"),
        ({"dataset": "../x"}, "ConfigError", r"^\[build\] dataset = \.\./x: expected a name"),
        ({"workers": 0}, "ConfigError", r"^workers = 0: expected"),
        ({"recipe": "absent.cfg"}, "ConfigError", r"^recipe = absent.cfg: there is no such file"),
        ({"filter_all_tags": ["none"]}, "SengaError", r"^\[filter\]: no post matches .*tag none\."),
        ({"split_test_size": 90}, "ConfigError", r"^\[split\] test_size = 90: of 8 pictures"),
    ],
)
def test_unusable_input_is_one_message(
    tmp_path: Path, options: dict[str, Any], error: str, sentence: str
) -> None:
    with pytest.raises(senga.SengaError, match=sentence) as raised:
        senga.build_dataset(**{"data": tmp_path / "data", **SMALL, **options})
    assert type(raised.value).__name__ == error
    assert "\n" not in str(raised.value)


def test_progress_reaches_the_terminal(tmp_path: Path) -> None:
    """Outside of notebooks the build writes to the terminal itself, which can show a bar."""
    code = f"import senga; senga.build_dataset(data={str(tmp_path)!r}, filter_all_tags='none')"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("metadata ")
    assert (
        done.stderr.strip().splitlines()[-1].startswith("sketch_models.errors.SengaError: [filter]")
    )


def test_notebook_gets_a_line_per_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its standard error is no file, and its kernel asks all programs for colours."""
    notebook = io.StringIO()
    monkeypatch.setattr(sys, "stderr", notebook)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-color")
    with pytest.raises(senga.SengaError):
        senga.build_dataset(data=tmp_path, metadata_sample_posts=40, filter_all_tags="none")
    written = notebook.getvalue()
    assert [line.split()[0] for line in written.splitlines()] == ["metadata", "[filter]:"]
    assert not {"\r", "\x1b"} & set(written)
