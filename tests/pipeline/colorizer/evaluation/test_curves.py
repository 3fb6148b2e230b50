"""Plots of losses and metrics: their curves, axes and smoothing; no side effects."""

import math
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.colorizer.evaluation import curves
from pipeline.colorizer.evaluation.curves import (
    COLORS,
    method_colors,
    plot_losses,
    plot_metrics,
    smooth,
)
from pipeline.colorizer.evaluation.scores import Score
from sketch_models.errors import SengaError

TOP = Path(__file__).parents[4]
RED, BLUE = "#d9822b", "#4a5fc1"


def score(method: str, hints: int, mean: float, z: str = "", metric: str = "psnr") -> Score:
    low, high = mean - 1, mean + 2
    return Score(method=method, z=z, hints=hints, metric=metric, mean=mean, low=low, high=high, n=9)


def history(*values: float, key: str = "loss/hinge_g") -> list[dict[str, float]]:
    return [{"images": 100.0 * n, key: value} for n, value in enumerate(values)]


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Return a list that gets the figures before they become pixels."""
    rendered: list[Figure] = []
    original = curves._render

    def record(figure: Figure, panels: Sequence[curves.Axes]) -> NDArray[np.uint8]:
        rendered.append(figure)
        return original(figure, panels)

    monkeypatch.setattr(curves, "_render", record)
    return rendered


def has_color(picture: NDArray[np.uint8], color: str) -> bool:
    return bool((picture == [int(color[n : n + 2], 16) for n in (1, 3, 5)]).all(axis=2).any())


def test_every_loss_has_a_plot_in_fixed_order(figures: list[Figure]) -> None:
    lines = [
        {"images": n, "loss/new_loss": 1.0, "loss/kld": 2.0, "loss/hinge_g": 3.0, "lr_g": 1e-4}
        for n in range(3)
    ]
    picture = plot_losses({"netL-SPADE": lines})
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 3
    titles = [panel.get_title("left") for panel in figures[0].axes]
    assert titles == ["hinge, generator", "KLD", "new loss"]


def test_every_training_has_a_curve_in_its_colour(figures: list[Figure]) -> None:
    both = {"netL-SPADE": history(1, 2, 3), "SPADE": history(3, 2, 2)}
    picture = plot_losses(both)
    assert has_color(picture, BLUE)
    assert has_color(picture, RED)
    assert not has_color(plot_losses({"SPADE": both["SPADE"]}), BLUE)
    texts = [text.get_text() for text in figures[0].legends[0].get_texts()]
    assert texts == ["netL-SPADE", "SPADE"]
    raw, bold, *_ = figures[0].axes[0].get_lines()
    assert np.allclose(raw.get_xydata(), [[0, 1], [100, 2], [200, 3]])
    assert np.allclose(bold.get_xdata(), [0, 100, 200])


def test_missing_losses_and_values_that_are_not_finite_are_left_out(figures: list[Figure]) -> None:
    lines = [*history(1, math.nan, 3, math.inf, 5), {"images": 900.0}]
    plot_losses({"netL-SPADE": lines, "SPADE": history(1, 2, key="loss/l2")})
    raw = figures[0].axes[0].get_lines()[0]
    assert np.asarray(raw.get_ydata()).tolist() == [1, 3, 5]
    assert [panel.get_title("left") for panel in figures[0].axes] == ["hinge, generator", "L2"]
    assert len(figures[0].legends[0].get_texts()) == 2


def test_loss_of_a_wide_range_has_a_logarithmic_axis(figures: list[Figure]) -> None:
    plot_losses({"SPADE": history(*(100 * 0.8**n for n in range(40)))})
    assert figures[0].axes[0].get_yscale() == "log"
    assert "(logarithmic)" in figures[0].axes[0].get_title("left")
    plot_losses({"SPADE": history(*(n - 20.0 for n in range(40)))})
    assert figures[1].axes[0].get_yscale() == "linear"


def test_outlier_does_not_flatten_a_plot(figures: list[Figure]) -> None:
    values = [1 + 0.1 * (n % 2) for n in range(400)]
    plot_losses({"SPADE": history(*values[:200], 5.0, *values[200:])})
    assert figures[0].axes[0].get_ylim()[1] < 1.2


def test_constant_loss_has_an_axis_of_some_height(figures: list[Figure]) -> None:
    plot_losses({"SPADE": history(0, 0, 0)})
    low, high = figures[0].axes[0].get_ylim()
    assert low < 0 < high


@pytest.mark.parametrize("logs", [{}, {"SPADE": []}, {"SPADE": [{"images": 1.0}]}])
def test_logs_without_losses_are_refused(logs: dict[str, list[dict[str, float]]]) -> None:
    with pytest.raises(SengaError, match=r"no loss of .* to plot.*train_log\.jsonl"):
        plot_losses(logs)


def test_smoothing_is_a_mean_over_nine() -> None:
    values = [0.0] * 40 + [9.0] + [0.0] * 40
    assert smooth(values)[36:45] == pytest.approx([1.0] * 9)
    assert smooth(values)[35] == smooth(values)[45] == pytest.approx(0)


def test_few_values_are_smoothed_less() -> None:
    values = [0.0] * 12 + [3.0] + [0.0] * 12
    assert smooth(values)[11:14] == pytest.approx([1.0] * 3)
    assert smooth([1.0, 5.0, 2.0]).tolist() == [1.0, 5.0, 2.0]
    assert smooth([]).tolist() == []


def test_smoothing_keeps_a_straight_line_to_its_ends() -> None:
    line = [2.0 * n - 3 for n in range(80)]
    assert smooth(line) == pytest.approx(line)


def test_logarithm_is_smoothed_on_a_logarithmic_axis(figures: list[Figure]) -> None:
    values = [100 * 0.9**n for n in range(80)]
    plot_losses({"SPADE": history(*values)})
    raw, smoothed = figures[0].axes[0].get_lines()
    assert np.allclose(smoothed.get_xydata(), raw.get_xydata())  # a straight line there


SCORES = [
    *(score("netL-SPADE", hints, 18 + hints / 10, "zero") for hints in (50, 0, 10)),
    *(score("netL-SPADE", hints, 30, "posterior") for hints in (0, 10, 50)),
    *(score("netL-SPADE", hints, 11, "prior") for hints in (0, 10, 50)),
    *(score("white fill", hints, 12) for hints in (0, 10, 50)),
    score("the truth", 0, 99),
    score("netL-SPADE", 0, math.nan, "zero", "hint_difference"),
    score("netL-SPADE", 10, 5, "zero", "hint_difference"),
]


def test_metrics_are_plotted_against_hints_with_their_intervals(figures: list[Figure]) -> None:
    picture = plot_metrics(SCORES, ["psnr", "hint_difference"])
    assert has_color(picture, BLUE)
    psnr, difference = figures[0].axes
    assert psnr.get_title("left") == "PSNR, dB ↑"
    assert [tick.get_text() for tick in psnr.get_xticklabels()] == ["0", "10", "50"]
    assert [c.get_label() for c in psnr.containers] == ["netL-SPADE", "white fill"]
    points, _, (bars,) = psnr.containers[0].lines
    assert points.get_ydata().tolist() == [18, 19, 23]
    assert np.rint(np.asarray(points.get_xdata(), float)).tolist() == [0, 1, 2]
    spans = [segment[:, 1].tolist() for segment in bars.get_segments()]
    assert spans == [[17, 20], [18, 21], [22, 25]]
    (only,) = difference.containers
    assert only.lines[0].get_ydata().tolist() == [5]


def test_z_can_be_chosen_and_bounds_are_never_plotted(figures: list[Figure]) -> None:
    plot_metrics(SCORES, ["psnr"], z="prior")
    first = figures[0].axes[0].containers[0].lines[0]
    assert first.get_ydata().tolist() == [11] * 3
    with pytest.raises(SengaError, match="no scores of"):
        plot_metrics([score for score in SCORES if score.is_bound], ["psnr"], z="posterior")


@pytest.mark.parametrize("metrics", [[], ["fid"]])
def test_metrics_without_scores_are_refused(metrics: list[str]) -> None:
    with pytest.raises(SengaError, match="no scores of"):
        plot_metrics(SCORES, metrics)


def test_score_without_an_interval_is_a_point(figures: list[Figure]) -> None:
    alone = Score(
        method="SPADE",
        z="zero",
        hints=10,
        metric="fid",
        mean=70.0,
        low=math.nan,
        high=math.nan,
        n=9,
    )
    plot_metrics([alone], ["fid"])
    _, _, (bars,) = figures[0].axes[0].containers[0].lines
    assert bars.get_segments()[0][:, 1].tolist() == [70, 70]


@pytest.mark.parametrize(("count", "grid"), [(1, (1, 1)), (3, (1, 3)), (4, (2, 2)), (7, (3, 3))])
def test_plots_are_arranged_in_a_grid(
    figures: list[Figure], count: int, grid: tuple[int, int]
) -> None:
    plot_losses({"SPADE": [{"images": 0.0, **{f"loss/{n}": 1.0 for n in range(count)}}]})
    spec = figures[0].axes[0].get_subplotspec()
    assert spec is not None
    assert spec.get_gridspec().get_geometry() == grid


def test_other_methods_have_distinct_colours() -> None:
    names = ["new", "SPADE", "newer", "white fill"]
    assert method_colors(names)[1::2] == [COLORS["SPADE"], COLORS["white fill"]]
    assert len(set(method_colors(names))) == 4
    assert len(method_colors([str(n) for n in range(9)])) == 9


def test_matplotlib_settings_are_neither_changed_nor_used() -> None:
    lines = {"SPADE": history(1, 2)}
    plain = plot_losses(lines)
    with mpl.rc_context({"lines.linewidth": 7.0, "savefig.facecolor": "black"}):
        assert np.array_equal(plot_losses(lines), plain)
        assert mpl.rcParams["lines.linewidth"] == 7.0


def test_pyplot_is_not_imported() -> None:
    """The state of pyplot belongs to the program that imports it, and it may need a display."""
    module = "pipeline.colorizer.evaluation.curves"
    code = f"import {module}, sys; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=TOP)
    assert done.stdout.strip() == "False", done.stderr
