"""The page of an evaluation: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.colorizer.evaluation.curves import colors
from pipeline.colorizer.evaluation.scores import (
    MEASURES,
    MISSING,
    Best,
    Score,
    best,
    hints_of,
    interval,
    labels,
    measures_of,
    shown,
)

_HINTS = 10  # the number of patches whose table is open: about as many as people put


@dataclass(frozen=True, kw_only=True)
class PageFigure:
    """A picture with what it shows.

    Attributes:
        title: above it.
        caption: one sentence below it.
        png: the picture.
    """

    title: str
    caption: str
    png: bytes

    @property
    def data(self) -> str:
        """The picture as text."""
        return base64.b64encode(self.png).decode()


@dataclass(frozen=True, kw_only=True)
class PageFacts:
    """What the page shows.

    Attributes:
        dataset: its name.
        pictures: how many were painted by every method.
        size: their side, in pixels.
        colorizers: what is known of each, by name: heading and value, such as its parameters and
            its recipe.
        scores: all numbers.
        figures: in their order.
        hints: the numbers of patches, in their order; those of the scores where empty.
        seconds: that the evaluation took; None where it is not known.
        config: value by section and key.
    """

    dataset: str
    pictures: int
    size: int
    colorizers: Mapping[str, Mapping[str, str]]
    scores: Sequence[Score]
    figures: Sequence[PageFigure]
    hints: Sequence[int] = ()
    seconds: float | None = None
    config: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One number of a table.

    Attributes:
        number: such as `18.31`, or a dash.
        interval: such as `17.90–18.80`; may be empty.
        best: whether it is the best of its column.
        span: where its interval lies in the range of its column, worst to best: start and length
            in percent; None where there is nothing to compare.
    """

    number: str
    interval: str = ""
    best: bool = False
    span: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """A method's line of a table.

    Attributes:
        label: method and z.
        note: what the truth was to it; empty for a method that has not seen it.
        color: of the method, `#rrggbb`.
        cells: one per measure.
    """

    label: str
    note: str
    color: str
    cells: Sequence[Cell]


@dataclass(frozen=True, kw_only=True)
class Table:
    """The scores with one number of hints."""

    hints: int
    headings: Sequence[str]
    rows: Sequence[Row]


def write_page(target: Path, facts: PageFacts) -> None:
    """Writes one HTML file that needs nothing else.

    Args:
        target: the file.
        facts: what it shows.
    """
    environment = Environment(
        loader=PackageLoader("pipeline.colorizer.evaluation", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": "{:,}".format, "duration": duration, "patches": patches}
    hints = list(facts.hints) or hints_of(facts.scores)
    ranked = [name for name in measures_of(facts.scores) if MEASURES[name].better]
    html = environment.get_template("page.html").render(
        facts=facts,
        color=_colors(facts.scores),
        measures=[MEASURES[name] for name in measures_of(facts.scores)],
        ranked=[MEASURES[name].title for name in ranked],
        winners={count: [best(facts.scores, name, count) for name in ranked] for count in hints},
        tables=[table(facts.scores, count) for count in hints],
        open=min(hints, key=lambda count: abs(count - _HINTS), default=_HINTS),
    )
    target.write_text(html, encoding="utf-8")


def table(scores: Sequence[Score], hints: int) -> Table:
    """The scores with a number of hints; methods that have seen the truth come last."""
    here = [score for score in scores if score.hints == hints]
    names = measures_of(here)
    found = {(score.label, score.measure): score for score in here}
    method = {score.label: score.method for score in here}
    winners = {name: best(here, name, hints) for name in names}
    color = _colors(scores)
    return Table(
        hints=hints,
        headings=[MEASURES[name].heading for name in names],
        rows=[
            Row(
                label=label,
                note=note,
                color=color[method[label]],
                cells=[_cell(found.get((label, name)), winners[name], here) for name in names],
            )
            for label, note in labels(here, hints).items()
        ],
    )


def _cell(score: Score | None, winner: Best | None, scores: Sequence[Score]) -> Cell:
    if score is None or not score.is_known:
        return Cell(number=MISSING)
    return Cell(
        number=shown(score.measure, score.mean),
        interval=interval(score),
        best=winner is not None and score.label == winner.score.label,
        span=None if winner is None or score.is_bound else _span(score, scores),
    )


def _span(score: Score, scores: Sequence[Score]) -> tuple[float, float] | None:
    """Start and length of an interval in the range of its column, worst to best, in percent."""
    rivals = [s for s in scores if s.measure == score.measure and s.is_known and not s.is_bound]
    bounds = [bound for rival in rivals for bound in _bounds(rival)]
    low, high = min(bounds), max(bounds)
    if math.isclose(low, high):
        return None
    start, end = ((bound - low) / (high - low) for bound in _bounds(score))
    if MEASURES[score.measure].better == "lower":
        start, end = 1 - end, 1 - start
    return 100 * start, 100 * (end - start)


def _bounds(score: Score) -> tuple[float, float]:
    return (score.low, score.high) if score.has_interval else (score.mean, score.mean)


def _colors(scores: Sequence[Score]) -> dict[str, str]:
    methods = dict.fromkeys(score.method for score in scores)
    return dict(zip(methods, colors(methods), strict=True))


def patches(count: int) -> str:
    """Hint patches in words: `no patch`, `1 patch`, `10 patches`."""
    return {0: "no patch", 1: "1 patch"}.get(count, f"{count:,} patches")


def duration(seconds: float) -> str:
    """Seconds as people read them: `42 s`, `3 min 5 s`, `2 h 4 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
