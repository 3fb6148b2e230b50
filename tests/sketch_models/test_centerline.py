"""Centerline draws one clean, even stroke where the sketch has a line."""

from dataclasses import asdict

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sketch_models.centerline import (
    Centerline,
    CenterlineOptions,
    draw_stroke,
    hysteresis_skeleton,
    prune_spurs,
    remove_short_lines,
)
from sketch_models.errors import ConfigError
from sketch_models.option import renamed_keys
from sketch_models.paper import flatten

MODEL = Centerline(CenterlineOptions())


def blank_sketch(height: int = 80, width: int = 100) -> np.ndarray:
    return np.full((height, width), 255, np.uint8)


def line_position(line: np.ndarray) -> float:
    """Position of a vertical line in pixels: the centroid of its ink in the middle rows."""
    ink = 255.0 - line[20:60]
    return float((ink.sum(0) * np.arange(line.shape[1])).sum() / ink.sum())


@pytest.mark.parametrize("width", [1, 3, 5])
def test_line_keeps_its_position(width: int) -> None:
    sketch = blank_sketch()
    cv2.line(sketch, (41, 5), (41, 75), 60, width)
    (line,) = MODEL.simplify([sketch])
    assert line_position(line) == pytest.approx(41, abs=0.05)


@pytest.mark.parametrize("width", [2.0, 3.0, 4.5])
def test_stroke_has_the_configured_width(width: int) -> None:
    model = Centerline(CenterlineOptions(stroke_width=width))
    for drawn in (1, 4):
        sketch = blank_sketch()
        cv2.line(sketch, (41, 5), (41, 75), 0, drawn)
        (line,) = model.simplify([sketch])
        assert (255.0 - line[40]).sum() / 255 == pytest.approx(width, abs=0.1)


def test_noise_is_removed_and_the_line_is_thicker() -> None:
    rng = np.random.default_rng(3)
    sketch = blank_sketch()
    cv2.line(sketch, (10, 10), (90, 70), 100, 1)
    sketch[rng.random(sketch.shape) < 0.01] = 200
    (line,) = MODEL.simplify([sketch])
    count, _ = cv2.connectedComponents((line < 128).astype(np.uint8))
    assert count == 2  # the paper and one line
    assert (line < 128).sum() > 1.8 * (sketch < 128).sum()


def test_hysteresis_keeps_weak_ink_connected_to_strong_ink() -> None:
    sketch = blank_sketch()
    sketch[40, 10:50], sketch[40, 50:90] = 100, 225  # strong, then weak
    sketch[60, 10:90] = 225  # weak alone
    skeleton = hysteresis_skeleton(sketch, low=0.06, high=0.3)
    assert skeleton[40, 20:80].all()
    assert not skeleton[55:65].any()


def test_diagonal_neighbours_continue_a_line() -> None:
    sketch = blank_sketch(60, 60)
    for position in range(10, 50):
        sketch[position, position] = 100 if position < 15 else 225
    skeleton = hysteresis_skeleton(sketch, low=0.06, high=0.3)
    assert [int(skeleton[i, i]) for i in (12, 30, 48)] == [1, 1, 1]


def test_spurs_are_pruned_and_ends_stay() -> None:
    skeleton = np.zeros((40, 80), np.uint8)
    skeleton[20, 10:70] = 1
    skeleton[16:20, 40] = 1
    pruned = prune_spurs(skeleton, 6)
    assert not pruned[:19].any()
    assert pruned[20, 10:70].all()


def test_short_lines_are_removed() -> None:
    skeleton = np.zeros((40, 80), np.uint8)
    skeleton[20, 10:70] = 1
    skeleton[5, 5:9] = 1
    assert remove_short_lines(skeleton, 12).sum() == 60


def test_a_line_of_exactly_the_minimum_is_kept() -> None:
    skeleton = np.zeros((40, 80), np.uint8)
    skeleton[5, 5:17] = 1  # 12 pixels
    skeleton[30, 5:16] = 1  # 11
    kept = remove_short_lines(skeleton, 12)
    assert kept[5].sum() == 12
    assert not kept[30].any()


def test_strokes_are_anti_aliased() -> None:
    skeleton = np.eye(50, dtype=np.uint8)
    greys = np.unique(draw_stroke(skeleton, 3.0))
    assert ((greys > 0) & (greys < 255)).any()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_line_art_has_the_size_of_any_sketch(height: int, width: int, seed: int) -> None:
    sketch = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    (line,) = MODEL.simplify([sketch])
    assert line.shape == sketch.shape
    assert line.dtype == np.uint8


@pytest.mark.parametrize("grey", [0, 3, 128, 250, 255])
@pytest.mark.parametrize("shape", [(30, 30), (1, 1), (1, 300), (300, 1), (200, 8000)])
def test_flat_sketches_are_blank(shape: tuple[int, int], grey: int) -> None:
    (line,) = MODEL.simplify([np.full(shape, grey, np.uint8)])
    assert line.shape == shape
    assert line.min() == 255


def drawing(
    tone: float, strength: float, light: float, noise: float, specks: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return pencil on paper of a tone, 0 to 255, and its centre lines; ink is 0 to 1."""
    rng = np.random.default_rng(5)
    ink, truth = np.zeros((260, 240), np.uint8), np.zeros((260, 240), np.uint8)
    for centre, axes, width in (((90, 90), (60, 45), 2), ((150, 150), (70, 80), 3)):
        for plane, drawn in ((ink, width), (truth, 1)):
            cv2.ellipse(plane, centre, axes, 30, 0, 300, 255, drawn, cv2.LINE_AA)
    rows, columns = np.indices(ink.shape)
    paper = tone * (1 - light * np.hypot(rows, columns) / 350)
    page = paper * (1 - strength * ink / 255.0) + rng.normal(0, noise, ink.shape)
    page[rng.random(ink.shape) < specks / ink.size] = tone / 3
    return page.round().clip(0, 255).astype(np.uint8), truth > 127


def f1(line: np.ndarray, truth: np.ndarray) -> float:
    """F1 of the centre lines within 2 pixels."""
    found = hysteresis_skeleton(line, 0.5, 0.5) == 1
    if not found.any():
        return 0.0
    to_truth, to_found = (
        cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5) for mask in (truth, found)
    )
    precision, recall = (to_truth[found] <= 2).mean(), (to_found[truth] <= 2).mean()
    return float(2 * precision * recall / max(precision + recall, 1e-9))


@settings(max_examples=25, deadline=None)
@given(st.floats(120, 255), st.floats(0.25, 0.9), st.floats(0, 0.5), st.floats(0, 3))
def test_pencil_on_any_paper_is_followed(
    tone: float, strength: float, light: float, noise: float
) -> None:
    sketch, truth = drawing(tone, strength, light, noise)
    (line,) = MODEL.simplify([sketch])
    assert f1(line, truth) > 0.95


def test_specks_and_strong_noise_are_no_lines() -> None:
    sketch, truth = drawing(220, 0.7, 0.3, 8, specks=100)
    assert f1(MODEL.simplify([sketch])[0], truth) > 0.95


@pytest.mark.parametrize(("tone", "noise"), [(200, 6), (255, 6), (90, 2)])
def test_blank_paper_stays_blank(tone: float, noise: float) -> None:
    sketch, _ = drawing(tone, 0, 0.3, noise)
    assert MODEL.simplify([sketch])[0].min() == 255


def test_without_flattening_grey_paper_is_a_net() -> None:
    sketch, truth = drawing(200, 0.7, 0.3, 6)
    assert f1(Centerline(CenterlineOptions(flatten_paper=False)).simplify([sketch])[0], truth) < 0.5


def test_a_clean_page_does_not_change() -> None:
    sketch, _ = drawing(255, 0.6, 0, 0)
    sketch[200:250, 5:60] = 238  # faint ink that no strong ink touches
    (line,) = MODEL.simplify([sketch])
    (plain,) = Centerline(CenterlineOptions(flatten_paper=False)).simplify([sketch])
    assert np.array_equal(line, plain)


def test_a_filled_area_on_grey_paper_is_ink() -> None:
    sketch, _ = drawing(200, 0.7, 0.2, 2)
    sketch[195:255, 5:45] = 20
    assert flatten(sketch, 0.3)[225, 25] < 100


@pytest.mark.parametrize(
    "wrong",
    [
        {"low_threshold": 0.0},
        {"high_threshold": 0.01},
        {"high_threshold": 1.1},
        {"low_threshold": 1.1},
        {"stroke_width": 0.9},
        {"stroke_width": 50.1},
        {"max_spur": -1},
        {"max_spur": 101},
        {"min_length": -1},
    ],
)
def test_wrong_option_is_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=rf"\[centerline\] {next(iter(wrong))} = "):
        CenterlineOptions(**wrong)


def test_options_of_the_model() -> None:
    assert asdict(CenterlineOptions()) == {
        "low_threshold": 0.06,
        "high_threshold": 0.30,
        "min_length": 12,
        "max_spur": 6,
        "stroke_width": 3.0,
        "flatten_paper": True,
    }
    assert renamed_keys(CenterlineOptions) == {
        "low": "low_threshold",
        "high": "high_threshold",
        "shortest": "min_length",
        "spur": "max_spur",
        "width": "stroke_width",
    }
    CenterlineOptions(low_threshold=0.3, high_threshold=0.3, max_spur=0, min_length=0)
