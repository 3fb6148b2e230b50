"""The plots of an evaluation, as (H, W, 3) uint8 RGB arrays."""

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

from pipeline.colorizer.evaluation.scores import METRICS, Score
from sketch_models.errors import SengaError

Picture = NDArray[np.uint8]
"""(H, W, 3) RGB."""

COLORS = {
    "netL-SPADE": "#4a5fc1",
    "SPADE": "#d9822b",
    "nearest-hint fill": "#3a9b6e",
    "geodesic fill": "#a8518f",
    "white fill": "#8f8f99",
}
"""Colours by method, the same on every page and plot."""

_MORE_COLORS = ("#3391b0", "#b0463c", "#7a7a2e")
_PANEL = (3.5, 2.35)  # width and height of a plot, in inches
_MAX_COLUMNS = 3  # of plots
_DPI = 144
_WINDOW = 9  # lines of the log that a loss is averaged over; odd
_MAX_LINEAR = 30  # largest over smallest loss, beyond which its axis is logarithmic
_OUTLIERS = 0.5  # percent of the logged losses at either end that a plot need not show
_OFFSET = 0.06  # between the methods of one number of hints, in categories
_STYLE = {
    "axes.edgecolor": "#c9c9d0",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "figure.constrained_layout.use": True,
    "figure.dpi": _DPI,
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
    "feature_matching": "feature matching",
    "perceptual": "perceptual",
    "kld": "KLD",
    "l1": "L1",
    "l2": "L2",
}


def plot_losses(logs: Mapping[str, Sequence[Mapping[str, float]]]) -> Picture:
    """Plot every loss against the images seen: one plot each, one curve per generator.

    Thin curves are as logged, bold ones smoothed. Single outliers may be outside of a plot.

    Args:
        logs: by generator, the lines of its `train_log.jsonl`: `images`, and losses under
            `loss/`. Values that are not finite are left out.

    Raises:
        SengaError: If there is no loss.
    """
    keys = [key for lines in logs.values() for line in lines for key in line]
    logged = {key.removeprefix("loss/") for key in keys if key.startswith("loss/")}
    names = [name for name in _LOSSES if name in logged] + sorted(logged - _LOSSES.keys())
    if not names:
        runs = ", ".join(logs) or "no training"
        raise SengaError(
            f"There is no loss of {runs} to plot: train_log.jsonl has no lines with loss/…. Train "
            "for longer, or log more often."
        )
    with matplotlib.style.context(["default", _STYLE]):
        figure, panels = _make_panels(len(names))
        for panel, name in zip(panels, names, strict=True):
            panel.set_title(_LOSSES.get(name, name.replace("_", " ")))
            _plot_loss(panel, f"loss/{name}", logs)
        label = f"images seen (thin: as logged; bold: mean over up to {_WINDOW} lines)"
        figure.supxlabel(label, fontsize=8.5)
        return _render(figure, panels)


def _plot_loss(panel: Axes, key: str, logs: Mapping[str, Sequence[Mapping[str, float]]]) -> None:
    runs = [
        [(line["images"], line[key]) for line in lines if math.isfinite(line.get(key, math.nan))]
        for lines in logs.values()
    ]
    logarithmic = _set_limits(panel, [value for run in runs for _, value in run])
    for label, run, color in zip(logs, runs, method_colors(logs), strict=True):
        images, values = [image for image, _ in run], [value for _, value in run]
        panel.plot(images, values, color=color, alpha=0.25, linewidth=0.8)
        # The mean of values that differ too much is determined by the largest alone.
        mean = np.exp(smooth(np.log(values))) if logarithmic else smooth(values)
        panel.plot(images, mean, color=color, label=label)
    panel.xaxis.set_major_locator(MaxNLocator(5))
    panel.xaxis.set_major_formatter(EngFormatter(sep=""))


def _set_limits(panel: Axes, values: Sequence[float]) -> bool:
    """Show all but the outliers; return whether the axis is logarithmic, for a wide range."""
    if not values:
        return False
    low, high = np.percentile(values, [_OUTLIERS, 100 - _OUTLIERS])
    if min(values) > 0 and high / low > _MAX_LINEAR:
        panel.set_yscale("log")
        panel.set_title(f"{panel.get_title('left')} (logarithmic)")
        panel.set_ylim(low / 1.2, high * 1.2)
        return True
    margin = 0.06 * (high - low) or 0.06 * abs(high) or 1.0
    panel.set_ylim(low - margin, high + margin)
    return False


def smooth(values: ArrayLike) -> NDArray[np.float64]:
    """Return the mean of each value and its neighbours on both sides.

    The window is nine values wide, or an eighth of all if they are few. Near the ends, where
    neighbours are missing, it is a straight line through the outermost values (Savitzky and Golay
    1964, of order 1).

    Args:
        values: (n,).
    """
    values = np.asarray(values, np.float64)
    window = min(_WINDOW, len(values) // 8 | 1)
    return values if window == 1 else np.asarray(savgol_filter(values, window, 1))


def plot_metrics(scores: Sequence[Score], metrics: Sequence[str], z: str = "zero") -> Picture:
    """Plot metrics against the number of hints, with intervals: one curve per method.

    Args:
        scores: those of methods that use the truth are left out.
        metrics: one per plot.
        z: where z comes from, for methods that have one.

    Raises:
        SengaError: If there is nothing to plot.
    """
    shown = [
        score
        for score in scores
        if score.z in ("", z) and score.metric in metrics and score.has_mean and not score.is_bound
    ]
    if not shown:
        raise SengaError(
            f"There are no scores of {', '.join(metrics) or 'any metric'} with z {z} to plot. "
            "Evaluate with them."
        )
    methods = dict.fromkeys(score.method for score in shown)
    hints = sorted({score.hints for score in shown})
    with matplotlib.style.context(["default", _STYLE]):
        figure, panels = _make_panels(len(metrics))
        for panel, metric in zip(panels, metrics, strict=True):
            panel.set_title(METRICS[metric].heading)
            panel.set_xticks(range(len(hints)), [str(count) for count in hints])
            panel.set_xlim(-0.3, len(hints) - 0.7)
            for number, (method, color) in enumerate(
                zip(methods, method_colors(methods), strict=True)
            ):
                points = [s for s in shown if (s.method, s.metric) == (method, metric)]
                offset = (number - (len(methods) - 1) / 2) * _OFFSET
                _plot_scores(panel, points, hints, offset, color)
        figure.supxlabel("hints per picture", fontsize=8.5)
        return _render(figure, panels)


def _plot_scores(
    panel: Axes, scores: Sequence[Score], hints: Sequence[int], offset: float, color: str
) -> None:
    if not scores:
        return
    points = sorted(scores, key=lambda score: score.hints)
    below = [score.mean - score.low if score.has_interval else 0.0 for score in points]
    above = [score.high - score.mean if score.has_interval else 0.0 for score in points]
    panel.errorbar(
        [hints.index(score.hints) + offset for score in points],
        [score.mean for score in points],
        yerr=[below, above],
        color=color,
        label=points[0].method,
        capsize=2,
        elinewidth=1,
        marker="o",
    )


def method_colors(methods: Collection[str]) -> list[str]:
    """Return a colour for each method, `#rrggbb`."""
    spare = iter(_MORE_COLORS * len(methods))
    return [COLORS.get(method) or next(spare) for method in methods]


def _make_panels(count: int) -> tuple[Figure, list[Axes]]:
    rows = math.ceil(count / _MAX_COLUMNS)
    columns = math.ceil(count / rows)
    figure = Figure(figsize=(_PANEL[0] * columns, _PANEL[1] * rows + 0.4))
    return figure, [figure.add_subplot(rows, columns, number + 1) for number in range(count)]


def _render(figure: Figure, panels: Sequence[Axes]) -> Picture:
    """Return the pixels of a figure, with one legend for all of its plots."""
    legends = [panel.get_legend_handles_labels() for panel in panels]
    by_label = {
        label: h for handles, names in legends for h, label in zip(handles, names, strict=True)
    }
    figure.legend(by_label.values(), by_label.keys(), loc="outside upper left", ncols=len(by_label))
    png = io.BytesIO()
    figure.savefig(png, format="png")
    with Image.open(png) as image:
        return np.asarray(image.convert("RGB"))
