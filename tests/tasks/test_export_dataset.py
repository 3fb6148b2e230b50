"""The task of exports: settings, recipe, links, and what is refused before anything runs."""

from pathlib import Path

import luigi
import pytest

from pipeline.draw.sketch import SketchOptions
from pipeline.export.options import ExportOptions
from pipeline.pack.pack import PackOptions
from pipeline.posts.options import MetadataOptions
from sketch_models.errors import ConfigError, SengaError
from sketch_models.network_options import TracerOptions
from tasks import ExportDataset, FetchWeights, SplitDataset, config
from tasks.export_dataset import _recipe


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the configured dataset."""
    options = config.BuildOptions(data=str(tmp_path), dataset="sample")
    monkeypatch.setitem(config._cache, config.BuildOptions, options)
    luigi.Task.clear_instance_cache()  # tasks of other tests have checked other options
    return tmp_path / "sample"


def configure(monkeypatch: pytest.MonkeyPatch, **options: object) -> ExportDataset:
    chosen = ExportOptions(**options)  # type: ignore[arg-type]
    monkeypatch.setitem(config._cache, ExportOptions, chosen)
    luigi.Task.clear_instance_cache()
    return ExportDataset()


def test_export_depends_on_the_split_and_not_on_packing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = configure(monkeypatch)
    before = task.settings_hash()
    assert task.upstream() == [SplitDataset()]
    assert task.artefact() == root / "export" / before[:12]
    assert task.files == task.artefact() / "imagefolder"
    monkeypatch.setitem(config._cache, PackOptions, PackOptions(size=64))
    assert configure(monkeypatch).settings_hash() == before


@pytest.mark.parametrize(
    "change",
    [{"format": "parquet"}, {"size": 64}, {"caption_order": "sorted"}, {"sketches": ("pured",)}],
)
@pytest.mark.usefixtures("root")
def test_other_options_are_another_export(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    before = configure(monkeypatch).settings_hash()
    assert configure(monkeypatch, **change).settings_hash() != before
    assert configure(monkeypatch, threads=3).settings_hash() == before


@pytest.mark.usefixtures("root")
def test_weights_are_fetched_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert configure(monkeypatch).requires() == FetchWeights.of_configured_models()


@pytest.mark.usefixtures("root")
def test_variant_is_checked_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"\[export\] variant = tracer: expected nothing"):
        configure(monkeypatch, variant="tracer")
    two = SketchOptions(models=("tracer", "xdog"))
    monkeypatch.setitem(config._cache, SketchOptions, two)
    assert configure(monkeypatch, variant="tracer")._plan().drawings.lines == ("_tracer",)
    with pytest.raises(ConfigError, match="the variants tracer, xdog. Choose one"):
        configure(monkeypatch, format="folders")


@pytest.mark.usefixtures("root")
def test_links_are_those_of_boards_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not configure(monkeypatch)._plan().with_links
    api = MetadataOptions(source="api")
    monkeypatch.setitem(config._cache, MetadataOptions, api)
    assert configure(monkeypatch)._plan().with_links


def test_recipe_has_what_differs_and_no_path_of_this_machine(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        config._cache,
        MetadataOptions,
        MetadataOptions(source="csv", csv="/home/somebody/posts.csv"),
    )
    monkeypatch.setitem(
        config._cache, TracerOptions, TracerOptions(weights="/home/somebody/own.safetensors")
    )
    monkeypatch.setitem(config._cache, PackOptions, PackOptions(size=64))
    monkeypatch.setitem(config._cache, ExportOptions, ExportOptions(size=512, threads=3))
    recipe = _recipe()
    assert recipe["[metadata] csv"] == "posts.csv"
    assert recipe["[tracer] weights"] == "own.safetensors"
    assert recipe["[export] size"] == "512"
    assert not {"[pack] size", "[export] threads", "[build] data"} & set(recipe)
    assert str(root) not in str(recipe)


def test_link_does_not_replace_a_folder_of_somebody(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = configure(monkeypatch)
    task.files.mkdir(parents=True)
    mine = root / "export" / "imagefolder"
    mine.mkdir()
    (mine / "my.png").write_bytes(b"1")
    with pytest.raises(SengaError, match=r"a folder has its name\. Move the folder away, then"):
        task.dataset.link_newest(task.link, task.files)
    assert (mine / "my.png").read_bytes() == b"1"
    mine.rename(root / "moved")
    task.dataset.link_newest(task.link, task.files)
    assert mine.resolve() == task.files.resolve()
