"""The page of results: the F1 of every method on every kind of picture, and which of them wins."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from benchmarks.harness.report import page, table
from benchmarks.line_art.judge import is_ours
from benchmarks.line_art.methods import MODES
from benchmarks.line_art.pictures import SOURCES
from benchmarks.line_art.score import MAX_DISTANCE
from benchmarks.line_art.truth import MAX_WIDTH, SIZE

Scores = Sequence[Mapping[str, float]]
"""The F1 of every picture of a row, by method."""

Summary = Mapping[str, tuple[float, float]]
"""The mean and the worst F1 by method."""

_RIVAL = "lineartization"


def report(results: Mapping[str, Scores]) -> str:
    """Return the page of results."""
    summaries = {row: _summary(scores) for row, scores in results.items()}
    pictures = {row: each for row, each in summaries.items() if not SOURCES[row].is_sketch}
    sketches = {row: each for row, each in summaries.items() if SOURCES[row].is_sketch}
    parts = []
    if pictures:
        parts += ["## Lines of colour pictures", _table(pictures)]
    if sketches:
        parts += ["## Line art of rough sketches", _table(sketches)]
    most = max(len(scores) for scores in results.values())
    conditions = (
        f"Up to {most} pictures a row, none of which anything was trained on. Every cell has the "
        f"mean F1 and the worst, within {MAX_DISTANCE:.0f} px at a long side of {SIZE}; the best "
        f"mean of a row is bold.\nInk up to {MAX_WIDTH} px wide is a line along its middle; wider "
        "ink, or a dot, is an area, and its rim is the line. This holds for every method."
    )
    notes = [_wins(summaries)]
    if any(_RIVAL in summary for summary in summaries.values()):
        notes.append(f"{_RIVAL}: 1.7, in that of its {len(MODES)} modes that is best in the row.")
    libraries = ("numpy", "opencv-python-headless", "scikit-image", "torch")
    return page("Line quality", conditions, libraries, *parts, " ".join(notes))


def _summary(scores: Scores) -> Summary:
    """Return the mean and the worst of every column; the rival's modes are one column."""
    columns = {
        name: (statistics.mean(values), min(values))
        for name in scores[0]
        for values in [[f1[name] for f1 in scores]]
    }
    modes = [columns.pop(mode) for mode in MODES if mode in columns]
    return {**columns, _RIVAL: max(modes)} if modes else columns


def _table(summaries: Mapping[str, Summary]) -> str:
    names = list(next(iter(summaries.values())))
    rows = []
    for row, summary in summaries.items():
        best = max(round(mean, 3) for mean, _ in summary.values())
        rows.append([row, *(_cell(*summary[name], best=best) for name in names)])
    return table([("pictures", "s"), *((name, ".3f") for name in names)], rows)


def _cell(mean: float, worst: float, *, best: float) -> str:
    mark = "**" if round(mean, 3) == best else ""
    return f"{mark}{mean:.3f}{mark} / {worst:.3f}"


def _wins(summaries: Mapping[str, Summary]) -> str:
    """Return a sentence about the rows in which another way is better than ours."""
    lost = []
    for row, summary in summaries.items():
        ours, *_ = (name for name in summary if is_ours(name))
        others = {name: mean for name, (mean, _) in summary.items() if not is_ours(name)}
        best = max(others, key=lambda name: others[name])
        if others[best] > summary[ours][0]:
            lost.append(f"{row} ({best})")
    first = next(name for name in next(iter(summaries.values())) if is_ours(name))
    if not lost:
        return f"No other way has a better mean than {first} in any row."
    return f"Another way has a better mean than {first} in these rows: {'; '.join(lost)}."
