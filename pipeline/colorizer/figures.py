"""The figures of an evaluation, as (H, W, 3) uint8 RGB arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pipeline.colorizer.scores import Score, heading
from pipeline.square import resampled

Picture = NDArray[np.uint8]

_EDGE, _GUTTER, _HEAD, _CAPTION = 14, 8, 17, 14  # pixels
_TEXT, _QUIET, _FRAME = (40, 40, 44), (120, 120, 126), (222, 222, 226)
_COLORS = {
    "netL-SPADE": "#4a5fc1",
    "SPADE": "#d9822b",
    "nearest-hint fill": "#3a9b6e",
    "white fill": "#9a9aa4",
}
_PANEL = (3.4, 2.3)  # width and height of a plot, in inches
_DOTS = 110  # per inch
_SMOOTH = 0.8  # decay of the moving average of losses, per line of metrics


@dataclass(frozen=True, kw_only=True)
class GridRow:
    """A row of pictures.

    Attributes:
        label: written upwards beside it; may be empty.
        pictures: (H, W) or (H, W, 3) uint8, one per column.
    """

    label: str
    pictures: Sequence[Picture]


def picture_grid(headings: Sequence[str], rows: Sequence[GridRow], cell: int = 160) -> Picture:
    """Pictures in rows and columns, on white.

    Args:
        headings: above the columns.
        rows: all with one picture per heading.
        cell: side that every picture is shown in, in pixels.
    """
    left = _EDGE + (_CAPTION + _GUTTER if any(row.label for row in rows) else 0)
    top = _EDGE + _HEAD + _GUTTER
    width = left + len(headings) * (cell + _GUTTER) - _GUTTER + _EDGE
    height = top + len(rows) * (cell + _GUTTER) - _GUTTER + _EDGE
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_fitting(headings, cell))
    for number, text in enumerate(headings):
        middle = left + number * (cell + _GUTTER) + cell / 2
        draw.text((middle, _EDGE + _HEAD / 2), text, _TEXT, font, anchor="mm")
    for line, row in enumerate(rows):
        y = top + line * (cell + _GUTTER)
        _write_upwards(sheet, row.label, y + cell // 2)
        for number, picture in enumerate(row.pictures):
            x = left + number * (cell + _GUTTER)
            shown = picture if picture.shape[0] == cell else resampled(picture, cell, cell)
            sheet.paste(Image.fromarray(shown), (x, y))
            draw.rectangle((x - 1, y - 1, x + cell, y + cell), outline=_FRAME)
    return np.asarray(sheet)


def _fitting(headings: Sequence[str], cell: int) -> int:
    """The size of letters with which the longest heading fits over its column."""
    longest = max(ImageFont.load_default(_HEAD).getlength(text) for text in headings)
    return max(8, min(_HEAD, math.floor(_HEAD * (cell + _GUTTER / 2) / max(longest, 1))))


def _write_upwards(sheet: Image.Image, label: str, middle: int) -> None:
    if not label:
        return
    font = ImageFont.load_default(_CAPTION)
    length = int(font.getlength(label)) + 4
    text = Image.new("RGB", (length, _CAPTION + 4), "white")
    ImageDraw.Draw(text).text((length / 2, _CAPTION / 2 + 2), label, _QUIET, font, anchor="mm")
    sheet.paste(text.transpose(Image.Transpose.ROTATE_90), (_EDGE - 6, middle - length // 2))


def loss_curves(histories: Mapping[str, Sequence[Mapping[str, float]]]) -> Picture:
    """Every loss against the images seen, one panel each, one curve per generator.

    Args:
        histories: by generator, the lines of its `metrics.jsonl`.
    """
    names = dict.fromkeys(
        key for lines in histories.values() for line in lines for key in line if "loss/" in key
    )
    figure, panels = _panels(len(names))
    for panel, name in zip(panels, names, strict=True):
        for label, lines in histories.items():
            known = [line for line in lines if name in line]
            values = _smooth([line[name] for line in known])
            images = [line["images"] for line in known]
            panel.plot(images, values, color=_COLORS.get(label), label=label, linewidth=1.4)
        panel.set_title(name.removeprefix("loss/"), fontsize=10, loc="left")
    return _drawn(figure, panels, "images")


def _smooth(values: Sequence[float]) -> list[float]:
    """A moving average that is right from its first value on."""
    smoothed, total, weight = [], 0.0, 0.0
    for value in values:
        total = _SMOOTH * total + (1 - _SMOOTH) * value
        weight = _SMOOTH * weight + (1 - _SMOOTH)
        smoothed.append(total / weight)
    return smoothed


def hint_curves(scores: Sequence[Score], measures: Sequence[str]) -> Picture:
    """Measures against the number of hints, with intervals; z = 0, and the baselines."""
    figure, panels = _panels(len(measures))
    for panel, measure in zip(panels, measures, strict=True):
        here = [score for score in scores if score.measure == measure]
        for method in dict.fromkeys(score.method for score in here if score.z in ("", "zero")):
            line = [s for s in here if s.method == method and s.z in ("", "zero")]
            line = [score for score in line if not math.isnan(score.mean)]
            if not line or line[0].is_bound:
                continue
            places = [str(score.hints) for score in line]
            errors = [[s.mean - s.low for s in line], [s.high - s.mean for s in line]]
            panel.errorbar(
                places,
                [score.mean for score in line],
                yerr=errors,
                color=_COLORS.get(method),
                label=method,
                linewidth=1.4,
                capsize=2.5,
                marker="o",
                markersize=3,
            )
        panel.set_title(heading(measure), fontsize=10, loc="left")
    return _drawn(figure, panels, "hint patches")


def _panels(count: int) -> tuple[Figure, list[Axes]]:
    across = min(3, count)
    down = -(-count // across)
    figure = Figure(figsize=(_PANEL[0] * across, _PANEL[1] * down + 0.3), dpi=_DOTS)
    FigureCanvasAgg(figure)
    return figure, [figure.add_subplot(down, across, number + 1) for number in range(count)]


def _drawn(figure: Figure, panels: Sequence[Axes], below: str) -> Picture:
    for panel in panels:
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(labelsize=8, color="#9a9aa4")
        panel.set_xlabel(below, fontsize=8)
        panel.grid(axis="y", color="#eceef2")
        panel.set_axisbelow(True)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.3 / figure.get_figheight()))
    figure.legend(handles, labels, loc="upper left", ncols=len(labels), fontsize=9, frameon=False)
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])
