"""The numbers of an evaluation, and how people read them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

MEASURES = {
    "psnr": ("PSNR, dB", "higher", 2),
    "ssim": ("SSIM", "higher", 3),
    "ms_ssim": ("MS-SSIM", "higher", 3),
    "hint_difference": ("CIEDE2000 in hints", "lower", 2),
    "line_f1": ("line F1", "higher", 3),
    "diversity": ("diversity, CIEDE2000", "", 2),
    "fid": ("FID", "lower", 1),
    "lpips": ("LPIPS", "lower", 3),
}
"""By name: heading, which way is better, decimals."""

BOUND = ("the truth",)
POSTERIOR = "posterior"


@dataclass(frozen=True, kw_only=True)
class Score:
    """One number.

    Attributes:
        method: that painted.
        z: where z came from: prior, zero or posterior; empty for a method without.
        hints: patches per picture.
        measure: one of `MEASURES`.
        mean: over the pictures; NaN where there is none.
        low: lower bound of its interval; NaN for a number of a whole set.
        high: upper bound.
        n: pictures.
    """

    method: str
    z: str
    hints: int
    measure: str
    mean: float
    low: float
    high: float
    n: int

    @property
    def label(self) -> str:
        """Method and z."""
        return f"{self.method}, z {_Z[self.z]}" if self.z else self.method

    @property
    def is_bound(self) -> bool:
        """Whether it was helped by the truth."""
        return self.z == POSTERIOR or self.method in BOUND


_Z = {"prior": "drawn", "zero": "= 0", POSTERIOR: "from the truth"}


def scores_to_json(scores: Iterable[Score]) -> str:
    """A list of objects; null for NaN."""
    rows = [
        {
            key: None if isinstance(value, float) and math.isnan(value) else value
            for key, value in asdict(score).items()
        }
        for score in scores
    ]
    return json.dumps(rows, indent=1) + "\n"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of a table, as text.

    Attributes:
        mean: such as `18.31`, or a dash.
        interval: such as `17.9 to 18.8`; may be empty.
        best: whether no method that did not see the truth is better.
    """

    mean: str
    interval: str
    best: bool


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """A method's line of a table, one cell per measure."""

    label: str
    bound: bool
    cells: Sequence[Cell]


def columns(scores: Sequence[Score]) -> list[str]:
    """The measures that there are, in their order."""
    return [name for name in MEASURES if any(score.measure == name for score in scores)]


def table(scores: Sequence[Score], hints: int) -> list[TableRow]:
    """The methods with a number of hints; those that saw the truth come last."""
    here = [score for score in scores if score.hints == hints]
    labels = dict.fromkeys(score.label for score in sorted(here, key=lambda one: one.is_bound))
    found = {(score.label, score.measure): score for score in here}
    names = columns(scores)
    best = {name: _best([score for score in here if score.measure == name]) for name in names}
    return [
        TableRow(
            label=label,
            bound=any(score.is_bound for score in here if score.label == label),
            cells=[_cell(found.get((label, name)), best[name]) for name in names],
        )
        for label in labels
    ]


def _best(scores: Sequence[Score]) -> Score | None:
    known = [score for score in scores if not score.is_bound and not math.isnan(score.mean)]
    better = MEASURES[scores[0].measure][1] if scores else ""
    if not known or not better:
        return None
    return (max if better == "higher" else min)(known, key=lambda score: score.mean)


def _cell(score: Score | None, best: Score | None) -> Cell:
    if score is None or math.isnan(score.mean):
        return Cell(mean="–", interval="", best=False)
    decimals = MEASURES[score.measure][2]
    bounds = (
        "" if math.isnan(score.low) else f"{score.low:.{decimals}f} to {score.high:.{decimals}f}"
    )
    return Cell(mean=f"{score.mean:.{decimals}f}", interval=bounds, best=score is best)


def markdown(scores: Sequence[Score], hints: int) -> str:
    """The table with a number of hints, in Markdown; the best in bold."""
    names = columns(scores)
    lines = [
        "| " + " | ".join(["method", *(heading(name) for name in names)]) + " |",
        "|---|" + "---:|" * len(names),
    ]
    for row in table(scores, hints):
        cells = [f"**{cell.mean}**" if cell.best else cell.mean for cell in row.cells]
        spans = [f" ({cell.interval})" if cell.interval else "" for cell in row.cells]
        texts = [mean + span for mean, span in zip(cells, spans, strict=True)]
        lines.append("| " + " | ".join([row.label, *texts]) + " |")
    return "\n".join(lines) + "\n"


def heading(measure: str) -> str:
    """What a column is called, with an arrow to the better side."""
    name, better, _ = MEASURES[measure]
    return name + {"higher": " ↑", "lower": " ↓", "": ""}[better]
