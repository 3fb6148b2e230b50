"""Curves show every loss and measure, smoothed as they say, and change nothing outside."""

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
from pipeline.colorizer.evaluation.curves import COLORS, colors, hint_curves, loss_curves, smoothed
from pipeline.colorizer.evaluation.scores import Score
from sketch_models.errors import SengaError

TOP = Path(__file__).parents[4]
RED, BLUE = "#d9822b", "#4a5fc1"


def score(method: str, hints: int, mean: float, z: str = "", measure: str = "psnr") -> Score:
    low, high = mean - 1, mean + 2
    return Score(
        method=method, z=z, hints=hints, measure=measure, mean=mean, low=low, high=high, n=9
    )


def history(*values: float, key: str = "loss/hinge_g") -> list[dict[str, float]]:
    return [{"images": 100.0 * n, key: value} for n, value in enumerate(values)]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are drawn, before they become pixels."""
    figures: list[Figure] = []
    original = curves._drawn

    def keep(figure: Figure, panels: Sequence[curves.Axes]) -> NDArray[np.uint8]:
        figures.append(figure)
        return original(figure, panels)

    monkeypatch.setattr(curves, "_drawn", keep)
    return figures


def has(picture: NDArray[np.uint8], color: str) -> bool:
    return bool((picture == [int(color[n : n + 2], 16) for n in (1, 3, 5)]).all(axis=2).any())


def test_there_is_a_plot_for_every_loss_in_the_order_of_the_recipe(drawn: list[Figure]) -> None:
    lines = [
        {"images": n, "loss/new_loss": 1.0, "loss/kld": 2.0, "loss/hinge_g": 3.0, "lr_g": 1e-4}
        for n in range(3)
    ]
    picture = loss_curves({"netL-SPADE": lines})
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 3
    titles = [panel.get_title("left") for panel in drawn[0].axes]
    assert titles == ["hinge, generator", "KLD", "new loss"]


def test_each_run_is_a_curve_in_its_colour(drawn: list[Figure]) -> None:
    both = {"netL-SPADE": history(1, 2, 3), "SPADE": history(3, 2, 2)}
    picture = loss_curves(both)
    assert has(picture, BLUE)
    assert has(picture, RED)
    assert not has(loss_curves({"SPADE": both["SPADE"]}), BLUE)
    texts = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    assert texts == ["netL-SPADE", "SPADE"]
    raw, bold, *_ = drawn[0].axes[0].get_lines()
    assert np.allclose(raw.get_xydata(), [[0, 1], [100, 2], [200, 3]])
    assert np.allclose(bold.get_xdata(), [0, 100, 200])


def test_a_run_may_lack_a_loss_and_lines_may_lack_numbers(drawn: list[Figure]) -> None:
    lines = [*history(1, math.nan, 3, math.inf, 5), {"images": 900.0}]
    loss_curves({"netL-SPADE": lines, "SPADE": history(1, 2, key="loss/l2")})
    raw = drawn[0].axes[0].get_lines()[0]
    assert np.asarray(raw.get_ydata()).tolist() == [1, 3, 5]
    assert [panel.get_title("left") for panel in drawn[0].axes] == ["hinge, generator", "L2"]
    assert len(drawn[0].legends[0].get_texts()) == 2


def test_a_loss_that_falls_far_has_a_logarithmic_axis(drawn: list[Figure]) -> None:
    loss_curves({"SPADE": history(*(100 * 0.8**n for n in range(40)))})
    assert drawn[0].axes[0].get_yscale() == "log"
    assert "(logarithmic)" in drawn[0].axes[0].get_title("left")
    loss_curves({"SPADE": history(*(n - 20.0 for n in range(40)))})
    assert drawn[1].axes[0].get_yscale() == "linear"


def test_an_outlier_does_not_flatten_a_plot(drawn: list[Figure]) -> None:
    values = [1 + 0.1 * (n % 2) for n in range(400)]
    loss_curves({"SPADE": history(*values[:200], 5.0, *values[200:])})
    assert drawn[0].axes[0].get_ylim()[1] < 1.2


def test_a_constant_loss_has_an_axis_of_some_height(drawn: list[Figure]) -> None:
    loss_curves({"SPADE": history(0, 0, 0)})
    low, high = drawn[0].axes[0].get_ylim()
    assert low < 0 < high


@pytest.mark.parametrize("histories", [{}, {"SPADE": []}, {"SPADE": [{"images": 1.0}]}])
def test_no_loss_is_said(histories: dict[str, list[dict[str, float]]]) -> None:
    with pytest.raises(SengaError, match=r"no loss to draw.*metrics\.jsonl"):
        loss_curves(histories)


def test_smoothing_takes_the_mean_over_nine() -> None:
    values = [0.0] * 40 + [9.0] + [0.0] * 40
    assert smoothed(values)[36:45] == pytest.approx([1.0] * 9)
    assert smoothed(values)[35] == smoothed(values)[45] == pytest.approx(0)


def test_few_values_are_smoothed_less() -> None:
    values = [0.0] * 12 + [3.0] + [0.0] * 12
    assert smoothed(values)[11:14] == pytest.approx([1.0] * 3)
    assert smoothed([1.0, 5.0, 2.0]).tolist() == [1.0, 5.0, 2.0]
    assert smoothed([]).tolist() == []


def test_smoothing_leaves_a_straight_line_alone_to_its_ends() -> None:
    line = [2.0 * n - 3 for n in range(80)]
    assert smoothed(line) == pytest.approx(line)


def test_on_a_logarithmic_axis_the_logarithm_is_smoothed(drawn: list[Figure]) -> None:
    values = [100 * 0.9**n for n in range(80)]
    loss_curves({"SPADE": history(*values)})
    raw, smooth = drawn[0].axes[0].get_lines()
    assert np.allclose(smooth.get_xydata(), raw.get_xydata())  # a straight line there


SCORES = [
    *(score("netL-SPADE", hints, 18 + hints / 10, "zero") for hints in (50, 0, 10)),
    *(score("netL-SPADE", hints, 30, "posterior") for hints in (0, 10, 50)),
    *(score("netL-SPADE", hints, 11, "prior") for hints in (0, 10, 50)),
    *(score("white fill", hints, 12) for hints in (0, 10, 50)),
    score("the truth", 0, 99),
    score("netL-SPADE", 0, math.nan, "zero", "hint_difference"),
    score("netL-SPADE", 10, 5, "zero", "hint_difference"),
]


def test_measures_are_drawn_against_hints_with_their_intervals(drawn: list[Figure]) -> None:
    picture = hint_curves(SCORES, ["psnr", "hint_difference"])
    assert has(picture, BLUE)
    psnr, difference = drawn[0].axes
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


def test_z_can_be_chosen_and_what_saw_the_truth_is_never_drawn(drawn: list[Figure]) -> None:
    hint_curves(SCORES, ["psnr"], z="prior")
    first = drawn[0].axes[0].containers[0].lines[0]
    assert first.get_ydata().tolist() == [11] * 3
    with pytest.raises(SengaError, match="no scores to draw"):
        hint_curves([one for one in SCORES if one.is_bound], ["psnr"], z="posterior")


@pytest.mark.parametrize("measures", [[], ["fid"]])
def test_no_scores_are_said(measures: list[str]) -> None:
    with pytest.raises(SengaError, match="no scores to draw"):
        hint_curves(SCORES, measures)


def test_a_score_without_an_interval_is_a_point(drawn: list[Figure]) -> None:
    alone = Score(
        method="SPADE",
        z="zero",
        hints=10,
        measure="fid",
        mean=70.0,
        low=math.nan,
        high=math.nan,
        n=9,
    )
    hint_curves([alone], ["fid"])
    _, _, (bars,) = drawn[0].axes[0].containers[0].lines
    assert bars.get_segments()[0][:, 1].tolist() == [70, 70]


@pytest.mark.parametrize(("count", "grid"), [(1, (1, 1)), (3, (1, 3)), (4, (2, 2)), (7, (3, 3))])
def test_plots_fill_their_rows(drawn: list[Figure], count: int, grid: tuple[int, int]) -> None:
    loss_curves({"SPADE": [{"images": 0.0, **{f"loss/{n}": 1.0 for n in range(count)}}]})
    spec = drawn[0].axes[0].get_subplotspec()
    assert spec is not None
    assert spec.get_gridspec().get_geometry() == grid


def test_other_methods_have_colours_of_their_own() -> None:
    names = ["new", "SPADE", "newer", "white fill"]
    assert colors(names)[1::2] == [COLORS["SPADE"], COLORS["white fill"]]
    assert len(set(colors(names))) == 4
    assert len(colors([str(n) for n in range(9)])) == 9


def test_settings_of_matplotlib_neither_change_nor_matter() -> None:
    lines = {"SPADE": history(1, 2)}
    plain = loss_curves(lines)
    with mpl.rc_context({"lines.linewidth": 7.0, "savefig.facecolor": "black"}):
        assert np.array_equal(loss_curves(lines), plain)
        assert mpl.rcParams["lines.linewidth"] == 7.0


def test_no_window_system_is_looked_for() -> None:
    """The state of `matplotlib.pyplot` belongs to whoever imports it."""
    module = "pipeline.colorizer.evaluation.curves"
    code = f"import {module}, sys; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=TOP)
    assert done.stdout.strip() == "False", done.stderr
