"""The page of an evaluation: one self-contained HTML file."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.colorizer.evaluation.comparison import Best, Difference, best
from pipeline.colorizer.evaluation.curves import method_colors
from pipeline.colorizer.evaluation.hint_auc import AucScore
from pipeline.colorizer.evaluation.scores import (
    METRICS,
    MISSING,
    Z_LABELS,
    ZERO,
    Score,
    format_interval,
    format_value,
    hint_counts,
    metrics_of,
    row_labels,
    typical_hint_count,
)


@dataclass(frozen=True, kw_only=True)
class PageFigure:
    """A figure with its title and caption.

    Attributes:
        title: above it.
        caption: one sentence below it.
        png: the figure.
    """

    title: str
    caption: str
    png: bytes

    @property
    def data(self) -> str:
        """The PNG file as base64."""
        return base64.b64encode(self.png).decode()


@dataclass(frozen=True, kw_only=True)
class PageFacts:
    """The content of the page.

    Attributes:
        dataset: name of the dataset.
        pictures: number of test pictures.
        size: their side, in pixels.
        colorizers: facts about each colorizer, by name: heading and value, such as its number of
            parameters.
        scores: all scores.
        figures: in their order.
        auc_scores: those of Hint-AUC; may be empty.
        other_scores: the scores on other test sets, by their name.
        differences: between pairs of methods, picture by picture; may be empty.
        other_differences: those on the other test sets, by their name.
        hints: numbers of hints, in their order; those of the scores if empty.
        seconds: duration of the evaluation; None if unknown.
    """

    dataset: str
    pictures: int
    size: int
    colorizers: Mapping[str, Mapping[str, str]]
    scores: Sequence[Score]
    figures: Sequence[PageFigure]
    auc_scores: Sequence[AucScore] = ()
    other_scores: Mapping[str, Sequence[Score]] = field(default_factory=dict)
    differences: Sequence[Difference] = ()
    other_differences: Mapping[str, Sequence[Difference]] = field(default_factory=dict)
    hints: Sequence[int] = ()
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of a table.

    Attributes:
        number: such as `18.31`, or a dash.
        interval: such as `17.90–18.80`; may be empty.
        best: whether it is the best of its column.
        span: start and length of the interval's bar, in percent of the range of the column, worst
            to best; None if there is nothing to compare.
    """

    number: str
    interval: str = ""
    best: bool = False
    span: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a table: a method.

    Attributes:
        label: method and z.
        note: on a method that uses the truth; empty for all others.
        color: of the method, `#rrggbb`.
        cells: one per metric.
    """

    label: str
    note: str
    color: str
    cells: Sequence[Cell]


@dataclass(frozen=True, kw_only=True)
class Table:
    """The table of the scores with one number of hints."""

    hints: int
    headings: Sequence[str]
    rows: Sequence[Row]


@dataclass(frozen=True, kw_only=True)
class DifferenceTable:
    """How much better or worse a colorizer is than the other methods, in one metric.

    Attributes:
        heading: of the metric.
        hints: of each column.
        rows: one per other method; a cell is marked as best if the colorizer is better for sure.
    """

    heading: str
    hints: Sequence[int]
    rows: Sequence[Row]


def write_page(target: Path, facts: PageFacts) -> None:
    """Write the page as one self-contained HTML file.

    Args:
        target: path of the file.
        facts: content of the page.
    """
    environment = Environment(
        loader=PackageLoader("pipeline.colorizer.evaluation", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": "{:,}".format,
        "duration": format_duration,
        "hints": count_hints,
    }
    hints = list(facts.hints) or hint_counts(facts.scores)
    metrics = metrics_of(facts.scores)
    ranked = [name for name in metrics if METRICS[name].better]
    html = environment.get_template("page.html").render(
        facts=facts,
        color=_colors(facts.scores),
        metrics=[METRICS[name] for name in metrics],
        ranked=[METRICS[name].title for name in ranked],
        winners={
            count: [best(facts.scores, facts.differences, name, count) for name in ranked]
            for count in hints
        },
        differences=difference_tables(facts.differences, hints),
        other_differences={
            name: difference_tables(each, hints) for name, each in facts.other_differences.items()
        },
        tables=[make_table(facts.scores, count) for count in hints],
        other_tables={
            name: [make_table(scores, count) for count in hints]
            for name, scores in facts.other_scores.items()
        },
        auc=auc_rows(facts.auc_scores),
        open=typical_hint_count(hints),
    )
    target.write_text(html, encoding="utf-8")


def make_table(scores: Sequence[Score], hints: int) -> Table:
    """Return the table for a number of hints; methods that use the truth come last."""
    chosen = [score for score in scores if score.hints == hints]
    names = metrics_of(chosen)
    by_cell = {(score.label, score.metric): score for score in chosen}
    method = {score.label: score.method for score in chosen}
    winners = {name: best(chosen, (), name, hints) for name in names}
    color = _colors(scores)
    return Table(
        hints=hints,
        headings=[METRICS[name].heading for name in names],
        rows=[
            Row(
                label=label,
                note=note,
                color=color[method[label]],
                cells=[
                    _make_cell(by_cell.get((label, name)), winners[name], chosen) for name in names
                ],
            )
            for label, note in row_labels(chosen, hints).items()
        ],
    )


def difference_tables(
    differences: Sequence[Difference], hints: Sequence[int]
) -> dict[str, list[DifferenceTable]]:
    """Return the tables of each colorizer with z = 0 by its name: one for each ranked metric."""
    methods = list(
        dict.fromkeys(name for each in differences for name in (each.other, each.method))
    )
    color = dict(zip(methods, method_colors(methods), strict=True))
    tables: dict[str, list[DifferenceTable]] = {}
    for name in dict.fromkeys(each.method for each in differences if each.z == ZERO):
        own = [
            each
            for each in differences
            if (each.method, each.z) == (name, ZERO) and each.hints in hints
        ]
        tables[name] = [
            _difference_table([each for each in own if each.metric == metric], color)
            for metric in METRICS
            if METRICS[metric].better and any(each.metric == metric for each in own)
        ]
    return tables


def _difference_table(
    differences: Sequence[Difference], color: Mapping[str, str]
) -> DifferenceTable:
    """Return the table of one colorizer and one metric."""
    hints = sorted({each.hints for each in differences})
    by_cell = {(each.other, each.other_z, each.hints): each for each in differences}
    return DifferenceTable(
        heading=METRICS[differences[0].metric].heading,
        hints=hints,
        rows=[
            Row(
                label=other + Z_LABELS[z],
                note="",
                color=color[other],
                cells=[_difference_cell(by_cell[other, z, count]) for count in hints],
            )
            for other, z in dict.fromkeys((each.other, each.other_z) for each in differences)
        ],
    )


def _difference_cell(difference: Difference) -> Cell:
    if not math.isfinite(difference.mean):
        return Cell(number=MISSING)

    def signed(value: float) -> str:
        text = f"{value:+.{METRICS[difference.metric].decimals}f}"
        return text.replace("-", "−")

    return Cell(
        number=signed(difference.mean),
        interval=f"{signed(difference.low)} to {signed(difference.high)}",
        best=difference.winner == (difference.method, difference.z),
    )


def auc_rows(scores: Sequence[AucScore]) -> list[Row]:
    """Return the rows of the table of Hint-AUC: of scribbles and dots, PSNR and SSIM."""
    columns = list(dict.fromkeys((score.hints, score.metric) for score in scores))
    best_mean = {
        column: max(s.mean for s in scores if (s.hints, s.metric) == column) for column in columns
    }
    methods = list(dict.fromkeys(score.method for score in scores))
    color = dict(zip(methods, method_colors(methods), strict=True))
    rows = []
    for label in dict.fromkeys(score.label for score in scores):
        own = {(s.hints, s.metric): s for s in scores if s.label == label}
        cells = [
            Cell(
                number=format_value(column[1], own[column].mean),
                interval=f"± {format_value(column[1], own[column].deviation)}",
                best=own[column].mean == best_mean[column],
            )
            for column in columns
        ]
        method = next(iter(own.values())).method
        rows.append(Row(label=label, note="", color=color[method], cells=cells))
    return rows


def _make_cell(score: Score | None, winner: Best | None, scores: Sequence[Score]) -> Cell:
    if score is None or not score.has_mean:
        return Cell(number=MISSING)
    return Cell(
        number=format_value(score.metric, score.mean),
        interval=format_interval(score),
        best=winner is not None and score.label == winner.score.label,
        span=None if winner is None or score.is_bound else _span(score, scores),
    )


def _span(score: Score, scores: Sequence[Score]) -> tuple[float, float] | None:
    """Return start and length of an interval in the range of its column, in percent."""
    ranked = [s for s in scores if s.metric == score.metric and s.has_mean and not s.is_bound]
    bounds = [bound for each in ranked for bound in _bounds(each)]
    low, high = min(bounds), max(bounds)
    if math.isclose(low, high):
        return None
    start, end = ((bound - low) / (high - low) for bound in _bounds(score))
    if METRICS[score.metric].better == "lower":
        start, end = 1 - end, 1 - start
    return 100 * start, 100 * (end - start)


def _bounds(score: Score) -> tuple[float, float]:
    return (score.low, score.high) if score.has_interval else (score.mean, score.mean)


def _colors(scores: Sequence[Score]) -> dict[str, str]:
    methods = dict.fromkeys(score.method for score in scores)
    return dict(zip(methods, method_colors(methods), strict=True))


def count_hints(count: int) -> str:
    """Return a number of hints in words: `no hints`, `1 hint`, `10 hints`."""
    return {0: "no hints", 1: "1 hint"}.get(count, f"{count:,} hints")


def format_duration(seconds: float) -> str:
    """Return a duration for people: `42 s`, `3 min 5 s`, `2 h 4 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
