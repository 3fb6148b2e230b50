"""The figures of an evaluation that are curves, as (H, W, 3) uint8 RGB arrays."""

from __future__ import annotations

import io
import math
from collections.abc import Collection, Mapping, Sequence

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from scipy.signal import savgol_filter

from pipeline.colorizer.evaluation.scores import MEASURES, Score
from sketch_models.errors import SengaError

Picture = NDArray[np.uint8]
"""(H, W, 3) RGB."""

COLORS = {
    "netL-SPADE": "#4a5fc1",
    "SPADE": "#d9822b",
    "nearest-hint fill": "#3a9b6e",
    "white fill": "#8f8f99",
}
"""By method, the same on every page and plot."""

_MORE_COLORS = ("#a8518f", "#3391b0", "#b0463c", "#7a7a2e")
_PANEL = (3.5, 2.35)  # width and height of a plot, in inches
_ACROSS = 3  # plots in a row, at most
_DOTS = 144  # per inch
_SMOOTHED = 9  # lines of metrics that a loss is averaged over; odd
_LOG = 30  # largest over smallest loss, beyond which its axis is logarithmic
_OUTLIERS = 0.5  # percent of the logged losses at either end that may leave their plot
_DODGE = 0.06  # between the methods of one number of hints, in categories
_STYLE = {
    "axes.edgecolor": "#c9c9d0",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "figure.constrained_layout.use": True,
    "figure.dpi": _DOTS,
    "font.size": 8.5,
    "grid.color": "#ececf0",
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "lines.markersize": 3.5,
    "text.color": "#28282c",
    "xtick.color": "#78787e",
    "ytick.color": "#78787e",
}
_LOSSES = {
    "hinge_g": "hinge, generator",
    "hinge_d": "hinge, discriminator",
    "features": "feature matching",
    "perceptual": "perceptual",
    "kld": "KLD",
    "l1": "L1",
    "l2": "L2",
}


def loss_curves(histories: Mapping[str, Sequence[Mapping[str, float]]]) -> Picture:
    """Every loss against the images seen: one plot each, one curve per generator.

    Thin, as it was logged; bold, smoothed. Single outliers may leave a plot.

    Args:
        histories: by generator, the lines of its `metrics.jsonl`: `images`, and losses under
            `loss/`. Values that are no finite number are left out.

    Raises:
        SengaError: where there is no loss.
    """
    logged = [key for lines in histories.values() for line in lines for key in line]
    found = {key.removeprefix("loss/") for key in logged if key.startswith("loss/")}
    names = [name for name in _LOSSES if name in found] + sorted(found - _LOSSES.keys())
    if not names:
        runs = ", ".join(histories) or "no run"
        raise SengaError(
            f"There is no loss to draw of {runs}: expected lines with loss/… in metrics.jsonl; "
            "train for longer, or log more often."
        )
    with matplotlib.style.context(["default", _STYLE]):
        figure, panels = _panels(len(names))
        for panel, name in zip(panels, names, strict=True):
            panel.set_title(_LOSSES.get(name, name.replace("_", " ")))
            _plot_loss(panel, f"loss/{name}", histories)
        below = f"images seen (thin: as logged; bold: mean over up to {_SMOOTHED} lines)"
        figure.supxlabel(below, fontsize=8.5)
        return _drawn(figure, panels)


def _plot_loss(
    panel: Axes, key: str, histories: Mapping[str, Sequence[Mapping[str, float]]]
) -> None:
    runs = [
        [(line["images"], line[key]) for line in lines if math.isfinite(line.get(key, math.nan))]
        for lines in histories.values()
    ]
    logarithmic = _zoom(panel, [value for run in runs for _, value in run])
    for label, run, color in zip(histories, runs, colors(histories), strict=True):
        images, values = [image for image, _ in run], [value for _, value in run]
        panel.plot(images, values, color=color, alpha=0.25, linewidth=0.8)
        # The mean of values that differ too much is that of the largest alone.
        smooth = np.exp(smoothed(np.log(values))) if logarithmic else smoothed(values)
        panel.plot(images, smooth, color=color, label=label)
    panel.xaxis.set_major_locator(MaxNLocator(5))
    panel.xaxis.set_major_formatter(EngFormatter(sep=""))


def _zoom(panel: Axes, values: Sequence[float]) -> bool:
    """Shows all but the outliers; whether on a logarithmic axis, as they differ too much."""
    if not values:
        return False
    low, high = np.percentile(values, [_OUTLIERS, 100 - _OUTLIERS])
    if min(values) > 0 and high / low > _LOG:
        panel.set_yscale("log")
        panel.set_title(f"{panel.get_title('left')} (logarithmic)")
        panel.set_ylim(low / 1.2, high * 1.2)
        return True
    room = 0.06 * (high - low) or 0.06 * abs(high) or 1.0
    panel.set_ylim(low - room, high + room)
    return False


def smoothed(values: ArrayLike) -> NDArray[np.float64]:
    """The mean of each value and its neighbours, which neither lags nor leads.

    It is over nine values, or an eighth of them where they are few. Near the ends, where neighbours
    are missing, it is a straight line through the outermost (Savitzky and Golay 1964, of order 1).

    Args:
        values: (n,).
    """
    values = np.asarray(values, np.float64)
    window = min(_SMOOTHED, len(values) // 8 | 1)
    return values if window == 1 else np.asarray(savgol_filter(values, window, 1))


def hint_curves(scores: Sequence[Score], measures: Sequence[str], z: str = "zero") -> Picture:
    """Measures against the number of hints, with intervals: one plot each, one curve per method.

    Args:
        scores: those that have seen the truth are not drawn.
        measures: one per plot.
        z: where z comes from in methods that have one.

    Raises:
        SengaError: where there is nothing to draw.
    """
    shown = [
        score
        for score in scores
        if score.z in ("", z) and score.measure in measures and score.is_known
    ]
    shown = [score for score in shown if not score.is_bound]
    if not shown:
        raise SengaError(
            f"There are no scores to draw, expected {', '.join(measures) or 'a measure'} with z "
            f"{z}; evaluate with them."
        )
    methods = dict.fromkeys(score.method for score in shown)
    hints = sorted({score.hints for score in shown})
    with matplotlib.style.context(["default", _STYLE]):
        figure, panels = _panels(len(measures))
        for panel, measure in zip(panels, measures, strict=True):
            panel.set_title(MEASURES[measure].heading)
            panel.set_xticks(range(len(hints)), [str(count) for count in hints])
            panel.set_xlim(-0.3, len(hints) - 0.7)
            for number, (method, color) in enumerate(zip(methods, colors(methods), strict=True)):
                line = [s for s in shown if (s.method, s.measure) == (method, measure)]
                aside = (number - (len(methods) - 1) / 2) * _DODGE
                _plot_scores(panel, line, hints, aside, color)
        figure.supxlabel("hint patches per picture", fontsize=8.5)
        return _drawn(figure, panels)


def _plot_scores(
    panel: Axes, scores: Sequence[Score], hints: Sequence[int], aside: float, color: str
) -> None:
    if not scores:
        return
    line = sorted(scores, key=lambda score: score.hints)
    below = [score.mean - score.low if score.has_interval else 0.0 for score in line]
    above = [score.high - score.mean if score.has_interval else 0.0 for score in line]
    panel.errorbar(
        [hints.index(score.hints) + aside for score in line],
        [score.mean for score in line],
        yerr=[below, above],
        color=color,
        label=line[0].method,
        capsize=2,
        elinewidth=1,
        marker="o",
    )


def colors(methods: Collection[str]) -> list[str]:
    """A colour for each method, `#rrggbb`."""
    spare = iter(_MORE_COLORS * len(methods))
    return [COLORS.get(method) or next(spare) for method in methods]


def _panels(count: int) -> tuple[Figure, list[Axes]]:
    down = math.ceil(count / _ACROSS)
    across = math.ceil(count / down)
    figure = Figure(figsize=(_PANEL[0] * across, _PANEL[1] * down + 0.4))
    return figure, [figure.add_subplot(down, across, number + 1) for number in range(count)]


def _drawn(figure: Figure, panels: Sequence[Axes]) -> Picture:
    """The pixels of a figure, with one legend for all of its plots."""
    found = [panel.get_legend_handles_labels() for panel in panels]
    by_label = {
        label: h for handles, names in found for h, label in zip(handles, names, strict=True)
    }
    figure.legend(by_label.values(), by_label.keys(), loc="outside upper left", ncols=len(by_label))
    png = io.BytesIO()
    figure.savefig(png, format="png")
    with Image.open(png) as image:
        return np.asarray(image.convert("RGB"))
