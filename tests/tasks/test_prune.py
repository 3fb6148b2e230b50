"""The task Prune: what it takes for needed, and its options."""

from pathlib import Path

import luigi
import pytest

from pipeline.colorizer.options import EvaluateOptions
from pipeline.pack.pack import PackOptions
from sketch_models.errors import SengaError
from tasks import (
    BuildDataset,
    EvaluateColorizer,
    PackDataset,
    Prune,
    SimplifyShard,
    TrainColorizer,
    config,
)
from tasks.prune import settings_hashes


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the configured dataset."""
    options = config.BuildOptions(data=str(tmp_path), dataset="sample")
    monkeypatch.setitem(config._cache, config.BuildOptions, options)
    luigi.Task.clear_instance_cache()  # tasks of other tests have checked other options
    return tmp_path / "sample"


def make(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "file").touch()
    return folder


def test_everything_that_a_build_and_its_colorizers_are_made_from_is_needed() -> None:
    needed = settings_hashes([BuildDataset(), EvaluateColorizer()])
    tasks = [PackDataset(), *SimplifyShard.variants(0).values(), TrainColorizer()]
    tasks += [TrainColorizer(generator="spade")]
    assert {task.settings_hash() for task in tasks} < needed


def test_nothing_is_deleted_unless_asked_to(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    used, unused = make(PackDataset().artefact()), make(root / "dataset" / ("0" * 12))
    Prune().run()
    assert unused.exists()
    error = capsys.readouterr().err
    assert unused.name in error
    assert used.name not in error
    assert "--delete deletes them" in error
    Prune(delete=True).run()
    assert used.exists()
    assert not unused.exists()
    Prune(delete=True, folders="dataset").run()
    assert "Nothing to delete" in capsys.readouterr().err


def test_folders_can_be_chosen(root: Path) -> None:
    sketch, line = (make(root / stage / ("0" * 12)) for stage in ("sketch", "line"))
    Prune(delete=True, folders=" sketch,").run()
    assert (sketch.exists(), line.exists()) == (False, True)
    with pytest.raises(SengaError, match=r"has no folder lines\. Choose from line, sketch\.$"):
        Prune(folders="lines").run()


def test_trainings_are_kept_if_their_options_are_wrong(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    trained, sketch = make(root / "colorizer" / ("0" * 12)), make(root / "sketch" / ("0" * 12))
    wrong = EvaluateOptions(inception_weights="missing.pth")
    monkeypatch.setitem(config._cache, EvaluateOptions, wrong)
    Prune(delete=True).run()
    assert (trained.exists(), sketch.exists()) == (True, False)
    assert "colorizer and evaluation: all is kept. [evaluate] inception_weights" in caplog.text


def test_a_size_that_no_colorizer_has_is_no_error(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(config._cache, PackOptions, PackOptions(size=1000))
    unused = make(root / "pack" / ("0" * 12))
    Prune(delete=True).run()
    assert not unused.exists()
