"""The table of the metrics of colorizers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline.colorizer.evaluation.scores import scores_from_json
from pipeline.tables.newest import EVALUATION, open_dataset
from pipeline.tables.to_pandas import TEXT, Dtype
from sketch_models.errors import DatasetError, SengaError

_DTYPES: dict[str, Dtype] = {
    "method": TEXT,
    "z": TEXT,
    "hints": "int64",
    "metric": TEXT,
    "mean": "float64",
    "low": "float64",
    "high": "float64",
    "n": "int64",
}


def read_metrics(folder: str | Path, test_set: str = "test") -> pd.DataFrame:
    """Read the metrics of the newest evaluation of a dataset's colorizers.

        >>> metrics = read_metrics("data/quick")
        >>> ssim = metrics[metrics["metric"] == "ssim"]
        >>> table = ssim.pivot(index=["method", "z"], columns="hints", values="mean")

    Args:
        folder: of the dataset, such as `data/quick`.
        test_set: `test`, or if the artbook drew the pictures, `adventurer` or `micah`.

    Returns:
        A row per method, source of z, number of hints and metric:

        | column | dtype | |
        |---|---|---|
        | method | string | colorizer or baseline, such as `netL-SPADE`, `nearest-hint fill` |
        | z | string | where its z came from: `prior`, `zero`, `posterior`; `` if it has none |
        | hints | int64 | hint patches per picture |
        | metric | string | its name, such as `psnr`, `ssim`, `line_f1` |
        | mean | float64 | over the pictures; NaN if there is none |
        | low, high | float64 | bounds of its 95 % interval; NaN for metrics of the whole set |
        | n | int64 | number of pictures |

    Raises:
        DatasetError: If there is no such dataset, or no evaluation of its colorizers on this test
            set.
    """
    page = open_dataset(folder).newest(EVALUATION)
    if not page.exists():
        raise DatasetError(f"{folder} holds no evaluation. Run EvaluateColorizer on it.")
    found = _files(page.resolve().parent)
    if test_set not in found:
        raise DatasetError(
            f"{folder} has no evaluation on a test set {test_set}: expected {' or '.join(found)}."
        )
    path = found[test_set]
    try:
        scores = scores_from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, SengaError) as error:
        message = f"{path} is missing or damaged. Run EvaluateColorizer again."
        raise DatasetError(message) from error
    rows = [tuple(getattr(score, name) for name in _DTYPES) for score in scores]
    table: pd.DataFrame = pd.DataFrame(rows, columns=list(_DTYPES)).astype(_DTYPES)
    return table


def _files(folder: Path) -> dict[str, Path]:
    """Return the files of an evaluation's metrics, by test set."""
    others = {path.stem.removeprefix("metrics_"): path for path in folder.glob("metrics_*.json")}
    return {"test": folder / "metrics.json", **dict(sorted(others.items()))}
