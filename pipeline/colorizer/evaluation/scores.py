"""The scores of an evaluation: JSON on disk, tables for people."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

from sketch_models.errors import SengaError


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric: how it is shown and ranked.

    Attributes:
        title: of its column.
        better: `higher`, `lower`, or empty if neither is.
        decimals: number of decimals to show.
        meaning: explanation in plain words.
    """

    title: str
    better: str
    decimals: int
    meaning: str

    @property
    def heading(self) -> str:
        """Title with an arrow up if higher is better, or down if lower is."""
        return self.title + {"higher": " ↑", "lower": " ↓", "": ""}[self.better]


METRICS = {
    "psnr": Metric(
        title="PSNR, dB",
        better="higher",
        decimals=2,
        meaning="how close every pixel is to the original",
    ),
    "ssim": Metric(
        title="SSIM",
        better="higher",
        decimals=3,
        meaning="how close the structure around every pixel is, up to 1",
    ),
    "ms_ssim": Metric(
        title="MS-SSIM",
        better="higher",
        decimals=3,
        meaning="SSIM at several scales, up to 1",
    ),
    "hint_difference": Metric(
        title="CIEDE2000 in hints",
        better="lower",
        decimals=2,
        meaning=(
            "how far the colour inside the hints is from the original; "
            "below 1 nobody sees it, above 10 anybody does at a glance"
        ),
    ),
    "area_difference": Metric(
        title="CIEDE2000 in hinted areas",
        better="lower",
        decimals=2,
        meaning="how far the colour of an area is from the hint that was put in it",
    ),
    "unevenness": Metric(
        title="unevenness",
        better="",
        decimals=2,
        meaning=(
            "how much the colours within a hinted area vary, as a multiple of the original's: "
            "1 is as even as that, blotches make it larger, and a flat fill smaller"
        ),
    ),
    "leakage": Metric(
        title="leakage",
        better="lower",
        decimals=3,
        meaning=(
            "the share of the pixels beside hinted areas that have the hint's colour and should "
            "not, 0 to 1; areas with a hint of about the same colour do not count"
        ),
    ),
    "line_f1": Metric(
        title="line F1",
        better="higher",
        decimals=3,
        meaning=(
            "how many of the lines are kept, and how few are new, up to 1; "
            "white fill returns them unchanged"
        ),
    ),
    "diversity": Metric(
        title="diversity, CIEDE2000",
        better="",
        decimals=2,
        meaning="how far results with different z are from each other",
    ),
    "fid": Metric(
        title="FID",
        better="lower",
        decimals=1,
        meaning=(
            "how far the features of all results are from those of the originals; "
            "with fewer than thousands of pictures it is large by itself"
        ),
    ),
    "lpips": Metric(
        title="LPIPS",
        better="lower",
        decimals=3,
        meaning="how far deep features of a result are from those of its original",
    ),
}
"""Metrics by name, in the order of the columns."""

PRIOR, ZERO, POSTERIOR = "prior", "zero", "posterior"
"""Where z comes from: it is random, 0, or encoded from the original picture."""

Z_LABELS = {"": "", PRIOR: ", random z", ZERO: ", z = 0", POSTERIOR: ", z of the truth"}
"""Suffix of the name of a method, by where z comes from."""

THE_TRUTH = "the truth"
"""The name of the method that returns the original picture."""

MISSING = "–"
"""The text of a cell without a score."""

TYPICAL_HINTS = 10
"""About as many patches as users put, by the paper."""

_OLD_METRIC = "measure"  # the key of the metric in the JSON of earlier evaluations


@dataclass(frozen=True, kw_only=True)
class Score:
    """One number of an evaluation.

    Attributes:
        method: its name.
        z: where z comes from: `prior`, `zero`, `posterior`; empty for a method without z.
        hints: hint patches per picture.
        metric: one of `METRICS`.
        mean: over the pictures; NaN if there is none.
        low: lower bound of its interval; NaN for a metric that only the whole set has.
        high: upper bound of its interval; NaN for a metric that only the whole set has.
        n: number of pictures.
    """

    method: str
    z: str
    hints: int
    metric: str
    mean: float
    low: float
    high: float
    n: int

    @property
    def label(self) -> str:
        """Method and z, for people."""
        return self.method + Z_LABELS[self.z]

    @property
    def is_bound(self) -> bool:
        """Whether the method uses the ground truth, so that its scores are a bound."""
        return self.z == POSTERIOR or self.method == THE_TRUTH

    @property
    def note(self) -> str:
        """The remark on a method that uses the truth; empty for all others."""
        if self.method == THE_TRUTH:
            return "for reference"
        return "upper bound" if self.is_bound else ""

    @property
    def has_mean(self) -> bool:
        """Whether there is a mean."""
        return math.isfinite(self.mean)

    @property
    def has_interval(self) -> bool:
        """Whether there is an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)


def scores_to_json(scores: Iterable[Score]) -> str:
    """Return scores as a JSON list of objects, one per line, with null for NaN."""
    rows = [
        json.dumps({name: json_value(value) for name, value in asdict(score).items()})
        for score in scores
    ]
    return "[\n" + ",\n".join(rows) + "\n]\n"


def json_value(value: str | float) -> str | float | None:
    """Return a value as JSON has it: null for NaN and infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def scores_from_json(text: str) -> list[Score]:
    """Return the scores that `scores_to_json` wrote, or an earlier version of it.

    Raises:
        SengaError: If the text is anything else.
    """
    try:
        return [_parse_score(row) for row in json.loads(text)]
    except (KeyError, TypeError, ValueError) as error:
        names = ", ".join(field.name for field in fields(Score))
        raise SengaError(
            f"The scores cannot be read ({error!r}): expected a JSON list of objects with {names}. "
            "Evaluate again."
        ) from error


def _parse_score(row: dict[str, Any]) -> Score:
    metric = row[_OLD_METRIC] if _OLD_METRIC in row else row["metric"]
    if row["z"] not in Z_LABELS or metric not in METRICS:
        raise ValueError(f"{metric}, z {row['z']}")
    return Score(
        method=str(row["method"]),
        z=row["z"],
        hints=int(row["hints"]),
        metric=metric,
        n=int(row["n"]),
        **{name: _number(row[name]) for name in ("mean", "low", "high")},
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def metrics_of(scores: Iterable[Score]) -> list[str]:
    """Return the names of the metrics that have a mean, in the order of the columns."""
    names = {score.metric for score in scores if score.has_mean}
    return [name for name in METRICS if name in names]


def hint_counts(scores: Iterable[Score]) -> list[int]:
    """Return the numbers of hints that there are scores for, ascending."""
    return sorted({score.hints for score in scores})


def typical_hint_count(counts: Iterable[int]) -> int:
    """Return the number of hints closest to `TYPICAL_HINTS`, or that itself if there are none."""
    return min(counts, key=lambda count: abs(count - TYPICAL_HINTS), default=TYPICAL_HINTS)


def row_labels(scores: Iterable[Score], hints: int) -> dict[str, str]:
    """Return the labels of a table's rows, with their notes; those that have a note come last."""
    rows = [score for score in scores if score.hints == hints]
    return {score.label: score.note for score in sorted(rows, key=lambda score: score.is_bound)}


def format_value(metric: str, value: float) -> str:
    """Return a value with the decimals of its metric."""
    return f"{value:.{METRICS[metric].decimals}f}"


def format_interval(score: Score) -> str:
    """Return the bounds of an interval, such as `17.90–18.80`; empty if there is none."""
    if not score.has_interval:
        return ""
    return f"{format_value(score.metric, score.low)}–{format_value(score.metric, score.high)}"
