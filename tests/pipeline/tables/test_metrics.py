"""The metrics of the newest evaluation as a pandas table."""

import math
from pathlib import Path

import pytest

from pipeline.colorizer.evaluation.scores import Score, scores_to_json
from pipeline.store import Dataset
from pipeline.tables.metrics import read_metrics
from sketch_models.errors import DatasetError


def score(method: str, z: str, metric: str, mean: float, spread: float = 1) -> Score:
    low, high = mean - spread, mean + spread
    hints = 5 if z else 0
    return Score(method=method, z=z, hints=hints, metric=metric, mean=mean, low=low, high=high, n=3)


SCORES = [
    score("white fill", "", "psnr", 9),
    score("SPADE", "prior", "psnr", 20),
    score("SPADE", "prior", "fid", 50, spread=math.nan),
    score("SPADE", "zero", "psnr", 21),
]


@pytest.fixture
def evaluated(tmp_path: Path) -> Path:
    """A dataset's folder with two evaluations, of which the second is the newest."""
    dataset = Dataset(tmp_path)
    for settings, scores in (("older", SCORES[:1]), ("newer", SCORES)):
        folder = dataset.evaluation(settings)
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_text(scores_to_json(scores))
        (folder / "index.html").write_text("a page")
        dataset.link_newest("evaluation.html", folder / "index.html")
    return tmp_path


def test_metrics_are_one_row_for_method_hints_and_metric(evaluated: Path) -> None:
    metrics = read_metrics(evaluated)
    assert list(metrics) == ["method", "z", "hints", "metric", "mean", "low", "high", "n"]
    assert len(metrics) == len(SCORES)
    assert all(dtype != "object" for dtype in metrics.dtypes)
    assert not metrics.duplicated(["method", "z", "hints", "metric"]).any()


def test_metrics_of_the_whole_set_have_no_interval(evaluated: Path) -> None:
    metrics = read_metrics(evaluated).set_index("metric")
    assert metrics.loc["fid", "mean"] == 50
    assert math.isnan(metrics.loc["fid", "low"])


def test_metrics_can_be_pivoted(evaluated: Path) -> None:
    metrics = read_metrics(evaluated)
    table = metrics[metrics["metric"] == "psnr"].pivot(
        index=["method", "z"], columns="hints", values="mean"
    )
    assert table.loc[("SPADE", "prior"), 5] == 20


def test_metrics_of_another_test_set(evaluated: Path) -> None:
    folder = (evaluated / "evaluation.html").resolve().parent
    with pytest.raises(DatasetError, match="no evaluation on a test set micah: expected test"):
        read_metrics(evaluated, "micah")
    (folder / "metrics_micah.json").write_text(scores_to_json(SCORES[:2]))
    assert len(read_metrics(evaluated, "micah")) == 2
    assert len(read_metrics(evaluated)) == len(SCORES)
    with pytest.raises(DatasetError, match="on a test set cat: expected test or micah"):
        read_metrics(evaluated, "cat")


def test_dataset_without_an_evaluation_is_a_dataset_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"holds no evaluation\. Run EvaluateColorizer"):
        read_metrics(tmp_path)


def test_damaged_metrics_are_a_dataset_error(evaluated: Path) -> None:
    (Dataset(evaluated).evaluation("newer") / "metrics.json").write_text("[")
    with pytest.raises(DatasetError, match=r"metrics.json is missing or damaged\. Run"):
        read_metrics(evaluated)
